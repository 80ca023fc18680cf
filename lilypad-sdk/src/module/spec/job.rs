//! The job inside a module: Bacalhau's `v1beta1`.
//!
//! Most of it is a relic that providers ignore; [`Docker`], [`Resources`], [`NetworkConfig`], the time limit and the outputs are
//! what they use. The rest is kept so that a job that is read can be written again.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::kinds::{Engine, Network, Publisher, StorageSource};
use super::time::Timestamp;

/// A job of Bacalhau.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Job {
    /// Version of this form.
    #[serde(rename = "APIVersion")]
    pub api_version: String,
    /// Who asked for it, and when.
    #[serde(rename = "Metadata")]
    pub metadata: Metadata,
    /// What is to be done.
    #[serde(rename = "Spec")]
    pub spec: JobSpec,
}

/// Who asked for a job, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// Id of the job.
    #[serde(rename = "ID", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// When it was submitted.
    #[serde(rename = "CreatedAt")]
    pub created_at: Timestamp,
    /// Who submitted it.
    #[serde(rename = "ClientID", skip_serializing_if = "String::is_empty")]
    pub client_id: String,
    /// The node that looks after it.
    #[serde(rename = "Requester")]
    pub requester: Requester,
}

/// The node that looks after a job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Requester {
    /// Id of the node.
    #[serde(rename = "RequesterNodeID", skip_serializing_if = "String::is_empty")]
    pub node_id: String,
    /// Key of the node.
    #[serde(rename = "RequesterPublicKey", skip_serializing_if = "PublicKey::is_empty")]
    pub public_key: PublicKey,
}

/// A public key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublicKey(pub Vec<u8>);

/// Base64 as Go takes it: padded, but stray bits at the end do not matter.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

impl PublicKey {
    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Line breaks are allowed anywhere.
        let text = String::deserialize(deserializer)?.replace(['\r', '\n'], "");
        BASE64.decode(text).map(Self).map_err(|error| de::Error::custom(format!("expected a key in base64: {error}")))
    }
}

/// What a job does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobSpec {
    /// What runs it.
    #[serde(rename = "Engine", skip_serializing_if = "is_zero")]
    pub engine: Engine,
    /// What runs it, in a newer form.
    #[serde(rename = "EngineSpec")]
    pub engine_spec: EngineSpec,
    /// Where results go.
    #[serde(rename = "Publisher", skip_serializing_if = "is_zero")]
    pub publisher: Publisher,
    /// Where results go, in a newer form.
    #[serde(rename = "PublisherSpec")]
    pub publisher_spec: PublisherSpec,
    /// The container, if it is one.
    #[serde(rename = "Docker")]
    pub docker: Docker,
    /// The WebAssembly program, if it is one.
    #[serde(rename = "Wasm")]
    pub wasm: Wasm,
    /// What it needs of a machine.
    #[serde(rename = "Resources")]
    pub resources: Resources,
    /// The network that it may use.
    #[serde(rename = "Network")]
    pub network: NetworkConfig,
    /// How long it may run, in seconds.
    #[serde(rename = "Timeout", skip_serializing_if = "is_zero")]
    pub timeout: i64,
    /// Data that it reads.
    #[serde(rename = "Inputs", skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Storage>,
    /// Folders whose content is its result.
    #[serde(rename = "Outputs", skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Storage>,
    /// Labels.
    #[serde(rename = "Annotations", skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<String>,
    /// What must hold of a node that runs it.
    #[serde(rename = "NodeSelectors", skip_serializing_if = "Vec::is_empty")]
    pub node_selectors: Vec<NodeSelector>,
    /// Whether it stays out of statistics.
    #[serde(rename = "DoNotTrack", skip_serializing_if = "is_false")]
    pub do_not_track: bool,
    /// How many nodes run it.
    #[serde(rename = "Deal")]
    pub deal: Deal,
}

/// What runs a job, in Bacalhau's newer form.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EngineSpec {
    /// Name of the engine.
    #[serde(rename = "Type")]
    pub kind: String,
    /// Its settings.
    #[serde(rename = "Params")]
    pub params: Option<BTreeMap<String, Param>>,
}

/// Where results go, in Bacalhau's newer form.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PublisherSpec {
    /// The publisher.
    #[serde(rename = "Type", skip_serializing_if = "is_zero")]
    pub kind: Publisher,
    /// Its settings.
    #[serde(rename = "Params", skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, Param>,
}

/// A setting of an engine or a publisher: any JSON.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Param(pub serde_json::Value);

impl<'de> Deserialize<'de> for Param {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(with_floats(serde_json::Value::deserialize(deserializer)?)))
    }
}

/// `value` after all its numbers went through a float, as they do in Go where no type is known.
fn with_floats(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Number(number) => {
            let float = number.as_f64().unwrap_or_default();
            // Whole ones are written without a fraction. What does not fit an integer is the same number either way.
            let whole = (float.fract() == 0.0).then(|| float.to_string());
            let integer = whole.and_then(|digits| match digits.parse::<i64>() {
                Ok(integer) => Some(Value::from(integer)),
                Err(_) => digits.parse::<u64>().ok().map(Value::from),
            });
            integer.unwrap_or_else(|| Value::from(float))
        }
        Value::Array(items) => items.into_iter().map(with_floats).collect(),
        Value::Object(members) => members.into_iter().map(|(key, value)| (key, with_floats(value))).collect(),
        other => other,
    }
}

/// A container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Docker {
    /// Name of the image.
    #[serde(rename = "Image", skip_serializing_if = "String::is_empty")]
    pub image: String,
    /// The command. Empty: the image's own.
    #[serde(rename = "Entrypoint", skip_serializing_if = "Vec::is_empty")]
    pub entrypoint: Vec<String>,
    /// More arguments. Providers of the reference implementation ignore them.
    #[serde(rename = "Parameters", skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<String>,
    /// The environment, as `NAME=value`.
    #[serde(rename = "EnvironmentVariables", skip_serializing_if = "Vec::is_empty")]
    pub environment_variables: Vec<String>,
    /// The folder that the command starts in. Providers of the reference implementation ignore it.
    #[serde(rename = "WorkingDirectory", skip_serializing_if = "String::is_empty")]
    pub working_directory: String,
}

/// A WebAssembly program. Providers of the reference implementation ignore it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wasm {
    /// The program.
    #[serde(rename = "EntryModule")]
    pub entry_module: Storage,
    /// The function that is called.
    #[serde(rename = "EntryPoint", skip_serializing_if = "String::is_empty")]
    pub entry_point: String,
    /// The arguments.
    #[serde(rename = "Parameters", skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<String>,
    /// The environment.
    #[serde(rename = "EnvironmentVariables", skip_serializing_if = "BTreeMap::is_empty")]
    pub environment_variables: BTreeMap<String, String>,
    /// Programs that it imports from.
    #[serde(rename = "ImportModules", skip_serializing_if = "Vec::is_empty")]
    pub import_modules: Vec<Storage>,
}

/// Data that a job reads or makes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Storage {
    /// What kind of place it is.
    #[serde(rename = "StorageSource", skip_serializing_if = "is_zero")]
    pub source: StorageSource,
    /// Name of the data.
    #[serde(rename = "Name", skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Content id of the data.
    #[serde(rename = "CID", skip_serializing_if = "String::is_empty")]
    pub cid: String,
    /// Where to download it.
    #[serde(rename = "URL", skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// Place in an object store.
    #[serde(rename = "S3", skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3Storage>,
    /// URL of a git repository.
    #[serde(rename = "Repo", skip_serializing_if = "String::is_empty")]
    pub repo: String,
    /// Folder of the provider.
    #[serde(rename = "SourcePath", skip_serializing_if = "String::is_empty")]
    pub source_path: String,
    /// Whether that folder may be written to.
    #[serde(rename = "ReadWrite", skip_serializing_if = "is_false")]
    pub read_write: bool,
    /// Where the job finds it.
    #[serde(rename = "Path", skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Anything else.
    #[serde(rename = "Metadata", skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// A place in an object store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct S3Storage {
    /// Bucket.
    #[serde(rename = "Bucket", skip_serializing_if = "String::is_empty")]
    pub bucket: String,
    /// Key in the bucket.
    #[serde(rename = "Key", skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// SHA-256 of the data.
    #[serde(rename = "Checksum", skip_serializing_if = "String::is_empty")]
    pub checksum: String,
    /// Version of the data.
    #[serde(rename = "VersionID", skip_serializing_if = "String::is_empty")]
    pub version_id: String,
    /// Address of the store.
    #[serde(rename = "Endpoint", skip_serializing_if = "String::is_empty")]
    pub endpoint: String,
    /// Region of the store.
    #[serde(rename = "Region", skip_serializing_if = "String::is_empty")]
    pub region: String,
}

/// What a job needs of a machine, in Kubernetes' units.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// Processors.
    #[serde(rename = "CPU", skip_serializing_if = "String::is_empty")]
    pub cpu: String,
    /// Memory.
    #[serde(rename = "Memory", skip_serializing_if = "String::is_empty")]
    pub memory: String,
    /// Disk space.
    #[serde(rename = "Disk", skip_serializing_if = "String::is_empty")]
    pub disk: String,
    /// Number of GPUs.
    #[serde(rename = "GPU")]
    pub gpu: String,
}

/// The network that a job may use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkConfig {
    /// How much of it.
    #[serde(rename = "Type")]
    pub kind: Network,
    /// With [`Network::Http`], the domains.
    #[serde(rename = "Domains", skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
}

/// What must hold of a node that runs a job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeSelector {
    /// Name of a label.
    #[serde(rename = "Key")]
    pub key: String,
    /// How it is compared.
    #[serde(rename = "Operator")]
    pub operator: String,
    /// What it is compared with.
    #[serde(rename = "Values", skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// How many nodes run a job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Deal {
    /// Whether all nodes that fit do.
    #[serde(rename = "TargetingMode", skip_serializing_if = "is_false")]
    pub targets_all: bool,
    /// Otherwise, how many.
    #[serde(rename = "Concurrency", skip_serializing_if = "is_zero")]
    pub concurrency: i64,
}

/// Whether a number is the one that is not written.
fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Whether a truth is the one that is not written.
fn is_false(truth: &bool) -> bool {
    !truth
}
