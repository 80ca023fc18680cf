//! The keys that a module may have.

/// What a value holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// These members, and no others.
    Members(&'static [(&'static str, Shape)]),
    /// Anything: a plain value, or members of any name.
    Anything,
}

use Shape::{Anything, Members};

impl Shape {
    /// The shape of a member, whatever its case. `None`: it has no such member.
    pub(super) fn member(self, key: &str) -> Option<Self> {
        match self {
            Anything => Some(Anything),
            Members(members) => {
                members.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, shape)| *shape)
            }
        }
    }

    /// The names of its members.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        let members = match self {
            Members(members) => members,
            Anything => &[],
        };
        members.iter().map(|(name, _)| *name)
    }
}

/// Data that a job reads or makes.
const STORAGE: Shape = Members(&[
    ("StorageSource", Anything),
    ("Name", Anything),
    ("CID", Anything),
    ("URL", Anything),
    (
        "S3",
        Members(&[
            ("Bucket", Anything),
            ("Key", Anything),
            ("Checksum", Anything),
            ("VersionID", Anything),
            ("Endpoint", Anything),
            ("Region", Anything),
        ]),
    ),
    ("Repo", Anything),
    ("SourcePath", Anything),
    ("ReadWrite", Anything),
    ("Path", Anything),
    ("Metadata", Anything),
]);

/// What a job does.
const JOB_SPEC: Shape = Members(&[
    ("Engine", Anything),
    ("EngineSpec", Members(&[("Type", Anything), ("Params", Anything)])),
    ("Publisher", Anything),
    ("PublisherSpec", Members(&[("Type", Anything), ("Params", Anything)])),
    (
        "Docker",
        Members(&[
            ("Image", Anything),
            ("Entrypoint", Anything),
            ("Parameters", Anything),
            ("EnvironmentVariables", Anything),
            ("WorkingDirectory", Anything),
        ]),
    ),
    (
        "Wasm",
        Members(&[
            ("EntryModule", STORAGE),
            ("EntryPoint", Anything),
            ("Parameters", Anything),
            ("EnvironmentVariables", Anything),
            ("ImportModules", STORAGE),
        ]),
    ),
    ("Resources", Members(&[("CPU", Anything), ("Memory", Anything), ("Disk", Anything), ("GPU", Anything)])),
    ("Network", Members(&[("Type", Anything), ("Domains", Anything)])),
    ("Timeout", Anything),
    ("Inputs", STORAGE),
    ("Outputs", STORAGE),
    ("Annotations", Anything),
    ("NodeSelectors", Members(&[("Key", Anything), ("Operator", Anything), ("Values", Anything)])),
    ("DoNotTrack", Anything),
    ("Deal", Members(&[("TargetingMode", Anything), ("Concurrency", Anything)])),
]);

/// A module.
pub(super) const MODULE: Shape = Members(&[
    ("author", Members(&[("name", Anything), ("avatar", Anything), ("address", Anything)])),
    ("description", Anything),
    ("image", Anything),
    ("model", Members(&[("name", Anything), ("type", Anything), ("size", Anything)])),
    ("inputFiles", Members(&[("required", Anything), ("optional", Anything)])),
    ("executionTimeoutSeconds", Anything),
    (
        "machine",
        Members(&[
            ("gpu", Anything),
            ("gpus", Members(&[("name", Anything), ("vendor", Anything), ("vram", Anything)])),
            ("cpu", Anything),
            ("ram", Anything),
            ("disk", Anything),
        ]),
    ),
    (
        "job",
        Members(&[
            ("APIVersion", Anything),
            (
                "Metadata",
                Members(&[
                    ("ID", Anything),
                    ("CreatedAt", Anything),
                    ("ClientID", Anything),
                    ("Requester", Members(&[("RequesterNodeID", Anything), ("RequesterPublicKey", Anything)])),
                ]),
            ),
            ("Spec", JOB_SPEC),
        ]),
    ),
]);
