//! Committed cases about modules: how they are named, rendered and read, and what files they take.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lilypad_sdk::module::{InputFile, InputFiles, ModuleReference};
use lilypad_sdk::protocol::{self, InputFiles as Wanted, MachineSpec, ModuleConfig};
use lilypad_sdk::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use crate::report::{Outcome, same_text};
use crate::templates::{self, Stage};

/// What a user writes to name a module.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReferenceCase {
    /// What is written.
    pub(super) reference: String,
    /// The module as an offer names it; none if the reference is refused.
    module: Option<ModuleConfig>,
}

impl ReferenceCase {
    /// Checks what the reference stands for.
    pub(super) fn check(&self) -> Outcome {
        match (self.reference.parse::<ModuleReference>(), &self.module) {
            (Ok(found), Some(expected)) => same_text(
                "the module",
                &protocol::json::to_string(expected),
                &protocol::json::to_string(&found.config()),
            ),
            (Ok(found), None) => Err(format!("it was taken for {:?}", found.config())),
            (Err(error), Some(_)) => Err(error.to_string()),
            (Err(error), None) if error.kind() == ErrorKind::InvalidInput => Ok(()),
            (Err(error), None) => Err(format!("it was refused as {}: {error}", error.kind())),
        }
    }
}

/// A template and inputs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TemplateCase {
    /// What is special about it.
    pub(super) name: String,
    /// The template.
    template: String,
    /// The inputs as users give them.
    #[serde(default)]
    inputs: BTreeMap<String, String>,
    /// What it renders to.
    #[serde(default)]
    rendered: Option<String>,
    /// Where it stops instead: `parse` or `execute`.
    #[serde(default)]
    fails: Option<Stage>,
}

impl TemplateCase {
    /// Checks what the template renders to. What that text means is not asked here.
    pub(super) async fn check(&self) -> Outcome {
        let found = templates::render(self.template.as_bytes(), &self.inputs).await;
        let failure = found.failure.filter(|(stage, _)| matches!(stage, Stage::Parse | Stage::Execute));
        if failure.as_ref().map(|(stage, _)| *stage) != self.fails {
            return Err(format!("expected failure {:?}, found {failure:?}", self.fails));
        }
        same_text("the text", self.rendered.as_deref().unwrap_or_default(), &found.rendered.unwrap_or_default())
    }
}

/// A rendered module.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ModuleCase {
    /// What is special about it.
    pub(super) name: String,
    /// The text that a template rendered to.
    text: String,
    /// What of it goes into a job offer.
    #[serde(default)]
    offer: Option<OfferParts>,
    /// Why it is no module instead: `json` or `type`.
    #[serde(default)]
    fails: Option<Stage>,
}

/// What of a module goes into a job offer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OfferParts {
    /// The machine.
    spec: MachineSpec,
    /// The files that it wants.
    input_files: Wanted,
    /// How long it may run.
    execution_timeout_seconds: u64,
}

impl ModuleCase {
    /// Checks what is read out of the text.
    pub(super) async fn check(&self) -> Outcome {
        // A text without actions renders to itself.
        let template = self.text.replace("{{", "{{\"{{\"}}");
        let found = templates::render(template.as_bytes(), &BTreeMap::new()).await;
        let failure = found.failure.as_ref().map(|(stage, _)| *stage);
        if failure != self.fails {
            return Err(format!("expected failure {:?}, found {:?}", self.fails, found.failure));
        }
        let Some(expected) = &self.offer else { return Ok(()) };
        let spec = found.spec.ok_or("there is no module")?;
        let found = OfferParts {
            spec: spec.machine,
            input_files: spec.input_files,
            execution_timeout_seconds: spec.execution_timeout_seconds,
        };
        same_text("the offer", &protocol::json::to_string(expected), &protocol::json::to_string(&found))
    }
}

/// Files for a job, and what its module wants.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InputFilesCase {
    /// What is special about it.
    pub(super) name: String,
    /// The files that must be there.
    #[serde(default)]
    required: Vec<String>,
    /// The files that may be there.
    #[serde(default)]
    optional: Vec<String>,
    /// The files that are given.
    files: BTreeMap<String, FileContent>,
    /// The file that is refused; none if all are taken.
    refused: Option<String>,
}

/// What is in a file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FileContent {
    /// This text.
    Text(String),
    /// These bytes.
    Base64(String),
    /// So many zeros.
    Zeros(usize),
}

impl InputFilesCase {
    /// Checks whether the files are taken.
    pub(super) fn check(&self) -> Outcome {
        match (self.offer(), &self.refused) {
            (Ok(()), None) => Ok(()),
            (Ok(()), Some(refused)) => Err(format!("{refused} was taken")),
            (Err(error), None) => Err(error.to_string()),
            (Err(error), Some(refused)) if error.to_string().contains(refused.as_str()) => Ok(()),
            (Err(error), Some(refused)) => Err(format!("the error does not name {refused}: {error}")),
        }
    }

    /// Offers the files to the module.
    fn offer(&self) -> Result<(), Error> {
        let some = |names: &Vec<String>| (!names.is_empty()).then(|| names.clone());
        let wanted = Wanted { required: some(&self.required), optional: some(&self.optional) };
        let mut files = InputFiles::default();
        for (name, content) in &self.files {
            files.add(InputFile::from_bytes(name.clone(), content.bytes()?)?)?;
        }
        files.check(&wanted).map(drop)
    }
}

impl FileContent {
    /// The bytes.
    fn bytes(&self) -> Result<Vec<u8>, Error> {
        match self {
            Self::Text(text) => Ok(text.clone().into_bytes()),
            Self::Base64(text) => STANDARD
                .decode(text)
                .map_err(|error| Error::new(ErrorKind::Internal, "read the case").with_source(error)),
            Self::Zeros(count) => Ok(vec![0; *count]),
        }
    }
}
