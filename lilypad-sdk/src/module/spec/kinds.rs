//! Enumerations of a job, which are names on the wire.
//!
//! The zero value stands for a name that is missing. It is what `null` leaves behind, too.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Whether two names are the same but for case, as Go folds it: the Kelvin sign is a `k` and the long s an `s`.
fn same_name(left: &str, right: &str) -> bool {
    let fold = |character: char| match character {
        '\u{212a}' => 'k',
        '\u{17f}' => 's',
        other => other.to_ascii_lowercase(),
    };
    left.chars().map(fold).eq(right.chars().map(fold))
}

/// Declares an enumeration. `zero` is its value where no name is given; `unknown` is what other names become, or how the
/// error about them begins.
macro_rules! kind {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* } zero $zero:ident, names $names:expr, $read:item) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// All values that have a name.
            const NAMED: &[Self] = $names;

            /// Its name on the wire.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            $read
        }

        impl Default for $name {
            fn default() -> Self {
                Self::$zero
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::read(&String::deserialize(deserializer)?).map_err(de::Error::custom)
            }
        }
    };
}

kind!(
    /// What runs the job.
    Engine {
        /// None, or one that nobody knows. Accepted, but no provider runs it.
        Unknown = "engineUnknown",
        /// Nothing is run.
        Noop = "Noop",
        /// A container.
        Docker = "Docker",
        /// A WebAssembly program.
        Wasm = "Wasm",
    }
    zero Unknown, names &[Self::Noop, Self::Docker, Self::Wasm],
    /// The engine of this name. Any name is accepted.
    fn read(name: &str) -> Result<Self, String> {
        let found = Self::NAMED.iter().find(|kind| same_name(kind.as_str(), name));
        Ok(found.copied().unwrap_or(Self::Unknown))
    }
);

kind!(
    /// The network that the job may use.
    Network {
        /// None.
        None = "None",
        /// All of it.
        Full = "Full",
        /// HTTP to some domains.
        Http = "HTTP",
    }
    zero None, names &[Self::None, Self::Full, Self::Http],
    /// The kind of this name.
    fn read(name: &str) -> Result<Self, String> {
        find(name, Self::NAMED, Self::as_str, "network type")
    }
);

kind!(
    /// Where results are published.
    Publisher {
        /// Not said.
        Unknown = "publisherUnknown",
        /// Nowhere.
        Noop = "Noop",
        /// IPFS.
        Ipfs = "Ipfs",
        /// Estuary.
        Estuary = "Estuary",
        /// An object store.
        S3 = "S3",
    }
    zero Unknown, names &[Self::Noop, Self::Ipfs, Self::Estuary, Self::S3],
    /// The publisher of this name.
    fn read(name: &str) -> Result<Self, String> {
        find(name, Self::NAMED, Self::as_str, "publisher")
    }
);

kind!(
    /// Where data comes from or goes to.
    StorageSource {
        /// Not said.
        Unknown = "storageSourceUnknown",
        /// IPFS.
        Ipfs = "IPFS",
        /// A git repository.
        RepoClone = "RepoClone",
        /// A git repository with large files.
        RepoCloneLfs = "RepoCloneLFS",
        /// A download.
        UrlDownload = "URLDownload",
        /// Estuary.
        Estuary = "Estuary",
        /// The job itself.
        Inline = "Inline",
        /// A folder of the provider.
        LocalDirectory = "LocalDirectory",
        /// An object store.
        S3 = "S3",
    }
    zero Unknown, names &[
        Self::Ipfs, Self::RepoClone, Self::RepoCloneLfs, Self::UrlDownload, Self::Estuary, Self::Inline, Self::LocalDirectory,
        Self::S3,
    ],
    /// The source of this name.
    fn read(name: &str) -> Result<Self, String> {
        find(name, Self::NAMED, Self::as_str, "storage source")
    }
);

/// The value of this name, white space around it aside; the error lists all names.
fn find<K: Copy>(name: &str, kinds: &[K], text: fn(K) -> &'static str, what: &str) -> Result<K, String> {
    kinds.iter().copied().find(|kind| same_name(text(*kind), name.trim())).ok_or_else(|| {
        let names: Vec<_> = kinds.iter().map(|kind| text(*kind)).collect();
        format!("there is no {what} {name:?}; expected one of {}", names.join(", "))
    })
}
