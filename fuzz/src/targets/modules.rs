//! `modules`: what a module says of its machine, its files, its limits and its container is what a second reading finds.

use std::collections::BTreeMap;

use lilypad_sdk::module::ModuleSpec;
use lilypad_sdk::module::{check, spec::Storage};
use lilypad_sdk::protocol::json;
use serde_json::{Value, json as value};

use super::Target;
use super::records::names_a_place;
use crate::failure::{Outcome, check_bytes};
use crate::generate::{self, Random};
use crate::reference::json::{Refusal, read, write};
use crate::reference::shape::Shape::{self, List, Map, Record, Signed, Text, Unsigned};
use crate::reference::wire::{INPUT_FILES, MACHINE_SPEC};

/// The target.
pub(super) struct Modules;

/// The parts of data that a job makes.
const STORAGE: Shape = Record(&[("Name", Text), ("CID", Text), ("Path", Text), ("Metadata", Map(&Text))]);

/// The parts of a module that count: what goes into the offer, and what a provider runs.
const MODULE: Shape = Record(&[
    ("description", Text),
    ("inputFiles", INPUT_FILES),
    ("executionTimeoutSeconds", Unsigned),
    ("machine", MACHINE_SPEC),
    (
        "job",
        Record(&[
            ("APIVersion", Text),
            (
                "Spec",
                Record(&[
                    (
                        "Docker",
                        Record(&[
                            ("Image", Text),
                            ("Entrypoint", List(&Text)),
                            ("Parameters", List(&Text)),
                            ("EnvironmentVariables", List(&Text)),
                            ("WorkingDirectory", Text),
                        ]),
                    ),
                    ("Resources", Record(&[("CPU", Text), ("Memory", Text), ("Disk", Text), ("GPU", Text)])),
                    ("Timeout", Signed),
                    ("Outputs", List(&STORAGE)),
                ]),
            ),
        ]),
    ),
]);

/// The rest of a module, which is thrown in to be read and refused.
const REST: &[&str] = &[
    r#""job":{"Spec":{"Engine":"dOcKer","Network":{"Type":"http","Domains":["a"]}}}"#,
    r#""job":{"Spec":{"Engine":1}}"#,
    r#""job":{"Spec":{"Network":{"Type":"host"}}}"#,
    r#""job":{"Metadata":{"CreatedAt":"2024-02-29T23:59:59.120Z","Requester":{"RequesterPublicKey":"AQID"}}}"#,
    r#""job":{"Metadata":{"CreatedAt":"2023-02-29T00:00:00Z"}}"#,
    r#""job":{"Spec":{"EngineSpec":{"Type":"t","Params":{"a":[1e3,{"b":null}]}}}}"#,
    r#""job":{"Spec":{"EngineSpec":{"Params":{"a":1e999}}}}"#,
    r#""job":{"Spec":{"Inputs":[{"StorageSource":"ipfs","S3":{"Bucket":"b"}}]}}"#,
    r#""job":{"Spec":{"Wasm":{"EntryModule":{"ReadWrite":true},"EnvironmentVariables":{"A":"b"}},"Deal":{"Concurrency":2}}}"#,
    r#""author":{"name":"n"},"model":{"type":"t"},"unknown":[[[]]]"#,
];

impl Target for Modules {
    fn case(&mut self, _: u64, random: &mut Random) -> Outcome {
        let mut bytes = generate::json::bytes(random, &MODULE);
        if random.once_in(3)
            && let Some(at) = bytes.iter().rposition(|byte| *byte == b'}')
        {
            let extra = format!(",{}", random.pick(REST));
            bytes.splice(at..at, extra.bytes());
        }
        check_bytes(&bytes, check_module)
    }
}

/// Both readings agree, or both refuse.
fn check_module(bytes: &[u8]) -> Outcome {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(()) };
    // What a module's author is told never panics either, and points into the text.
    for finding in check(text) {
        if finding.message.is_empty() {
            return Err("a finding says nothing".into());
        }
    }
    let expected = read(&MODULE, bytes).map(|module| without_nil(&module));
    match (ModuleSpec::from_json(text), expected) {
        (Ok(spec), Ok(expected)) => {
            let found = write(&counted(&spec));
            let expected = write(&expected);
            if found != expected {
                return Err(format!("it means {found}\n  and should mean {expected}"));
            }
            rewritten(&spec)
        }
        (Ok(_), Err(refusal)) => Err(format!("it is read, but should be refused: {refusal:?}")),
        (Err(error), Err(Refusal::Syntax)) if error.class() == json::ErrorClass::Syntax => names_a_place(&error, bytes),
        (Err(error), Err(Refusal::Shape(_))) if error.class() == json::ErrorClass::Type => names_a_place(&error, bytes),
        // Parts that the second reading does not look at can be wrong on their own.
        (Err(error), Ok(_)) if error.class() == json::ErrorClass::Type && is_elsewhere(&error.path()) => {
            names_a_place(&error, bytes)
        }
        (Err(error), expected) => {
            Err(format!("it is refused ({error}), but should not be, or otherwise: {expected:?}"))
        }
    }
}

/// What is written of a module is read as the same module.
fn rewritten(spec: &ModuleSpec) -> Outcome {
    let written = json::to_string(spec);
    match ModuleSpec::from_json(&written) {
        Ok(again) if again == *spec => Ok(()),
        Ok(_) => Err(format!("it changes when it is read again: {written}")),
        Err(error) => Err(format!("what was written cannot be read: {error}: {written}")),
    }
}

/// Whether a place is in a part that [`MODULE`] does not have.
fn is_elsewhere(path: &str) -> bool {
    let parts: Vec<_> = path.split(['.', '[']).collect();
    match parts.as_slice() {
        ["author" | "image" | "model", ..] | ["job", "Metadata", ..] => true,
        ["job", "Spec", "Outputs", _, member, ..] => !matches!(*member, "Name" | "CID" | "Path" | "Metadata"),
        ["job", "Spec", member, ..] => !matches!(*member, "Docker" | "Resources" | "Timeout" | "Outputs"),
        _ => false,
    }
}

/// The parts of [`MODULE`], as the SDK read them.
fn counted(spec: &ModuleSpec) -> Value {
    let job = &spec.job.spec;
    let storage = |storage: &Storage| {
        let Storage { name, cid, path, metadata, .. } = storage;
        let metadata: BTreeMap<_, _> = metadata.iter().collect();
        value!({ "Name": name, "CID": cid, "Path": path, "Metadata": metadata })
    };
    value!({
        "description": spec.description,
        "inputFiles": spec.input_files,
        "executionTimeoutSeconds": spec.execution_timeout_seconds,
        "machine": spec.machine,
        "job": {
            "APIVersion": spec.job.api_version,
            "Spec": {
                "Docker": {
                    "Image": job.docker.image,
                    "Entrypoint": job.docker.entrypoint,
                    "Parameters": job.docker.parameters,
                    "EnvironmentVariables": job.docker.environment_variables,
                    "WorkingDirectory": job.docker.working_directory,
                },
                "Resources": {
                    "CPU": job.resources.cpu,
                    "Memory": job.resources.memory,
                    "Disk": job.resources.disk,
                    "GPU": job.resources.gpu,
                },
                "Timeout": job.timeout,
                "Outputs": job.outputs.iter().map(storage).collect::<Vec<_>>(),
            },
        },
    })
}

/// Inside the job, an empty list and none are the same.
fn without_nil(module: &Value) -> Value {
    let mut module = module.clone();
    let spec = &mut module["job"]["Spec"];
    let empty = |value: &mut Value, nothing: Value| {
        if value.is_null() {
            *value = nothing;
        }
    };
    for list in ["Entrypoint", "Parameters", "EnvironmentVariables"] {
        empty(&mut spec["Docker"][list], value!([]));
    }
    empty(&mut spec["Outputs"], value!([]));
    for output in spec["Outputs"].as_array_mut().into_iter().flatten() {
        empty(&mut output["Metadata"], value!({}));
    }
    module
}
