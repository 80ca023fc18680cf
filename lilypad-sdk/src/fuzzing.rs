//! Doors for this repository's own fuzz targets, behind the feature `fuzzing`. Not part of the API: anything here may change or go.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use futures_util::stream;

use crate::error::{Error, Result};
use crate::module::template::{Stage, Template, TemplateError};
use crate::protocol::DataId;
use crate::result::{self, Destination, ResultFiles, UnpackLimits};

/// Why a template could not be rendered.
#[derive(Debug)]
pub struct TemplateFailure {
    /// Whether it was found while the template was read.
    pub while_reading: bool,
    /// Line in the template, from 1.
    pub line: usize,
    /// Column in that line in characters, from 1.
    pub column: usize,
    /// What is wrong, in words.
    pub message: String,
}

impl From<TemplateError> for TemplateFailure {
    fn from(error: TemplateError) -> Self {
        let TemplateError { stage, line, column, message, .. } = error;
        Self { while_reading: stage == Stage::Parse, line, column, message }
    }
}

/// Renders a template with inputs as their users write them.
///
/// # Errors
/// Where Go would fail, and where the template goes beyond this crate's limits.
pub fn render_template(text: &str, inputs: &BTreeMap<String, String>) -> Result<String, TemplateFailure> {
    Ok(Template::parse(text)?.render(inputs)?)
}

/// Receives a result that arrives in these pieces and promises `expected`, into a new folder.
///
/// # Errors
/// As a job's result is refused.
pub async fn receive_result(
    pieces: Vec<Bytes>,
    folder: &Path,
    expected: &DataId,
    limits: &UnpackLimits,
) -> Result<ResultFiles> {
    let archive = stream::iter(pieces.into_iter().map(Ok::<_, Error>));
    let verified =
        result::receive(archive, Destination::Folder(folder.to_owned()), expected, limits, |_| Ok(())).await?;
    Ok((*verified).clone())
}
