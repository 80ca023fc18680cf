//! A module whose template is in hand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::nearest::nearest;
use super::source::{InnerPath, Limits, Source, limited};
use super::spec::ModuleSpec;
use super::template::{Rendered, Template, TemplateError};
use crate::error::{Error, ErrorKind, Result};
use crate::protocol::{ModuleConfig, json};

/// The largest template that is read.
const TEMPLATE_LIMIT: usize = 4 << 20;
/// How much of a line an error shows.
const SHOWN: usize = 120;

/// A module: where it is, and its template, read and understood. Cheap to clone.
#[derive(Clone)]
pub struct Module {
    /// Shared by clones.
    inner: Arc<Inner>,
}

/// What clones of a module share.
struct Inner {
    /// As offers name it.
    config: ModuleConfig,
    /// The template's path.
    path: InnerPath,
    /// Where its files are.
    source: Source,
    /// The template's text.
    text: String,
    /// The template.
    template: Template,
    /// How long reading one more file may take.
    timeout: Duration,
}

/// Where a module was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModuleOrigin {
    /// It came with the client.
    Bundled,
    /// A folder of this machine, as it is.
    Folder(PathBuf),
    /// A git repository on this machine.
    LocalRepository(PathBuf),
    /// A git repository elsewhere.
    Repository(String),
}

/// What a module's template gives for some inputs.
#[derive(Debug, Clone)]
pub struct RenderedModule {
    /// The job and what it needs.
    pub spec: ModuleSpec,
    /// The JSON that the template rendered to.
    pub text: String,
}

impl Module {
    /// Reads and parses the template at `path` of `source`. Blocks.
    pub(super) fn load(config: ModuleConfig, path: InnerPath, source: Source, limits: &Limits) -> Result<Self> {
        let place = place(&config, &path);
        let Some(bytes) = source.read(&path, limits)? else {
            return Err(Error::new(ErrorKind::Module, "find module template")
                .with_message(format_args!("there is no {place}"))
                .with_help("a module is a repository or folder with a lilypad_module.json.tmpl at its top"));
        };
        if bytes.len() > TEMPLATE_LIMIT {
            return Err(Error::new(ErrorKind::Module, "read module template")
                .with_message(format_args!("{place} has more than {} MB", TEMPLATE_LIMIT >> 20)));
        }
        // Go keeps bytes that are not UTF-8 until its JSON reader replaces them; replacing them here comes to the same.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let template = Template::parse(&text).map_err(|error| located(&place, error))?;
        let timeout = limits.timeout();
        Ok(Self { inner: Arc::new(Inner { config, path, source, text, template, timeout }) })
    }

    /// The module as a job offer names it: with the ref as it was written, since providers look it up themselves.
    pub fn config(&self) -> &ModuleConfig {
        &self.inner.config
    }

    /// The commit that the ref stood for. `None` for what has no commits: folders and bundled modules.
    pub fn commit(&self) -> Option<String> {
        self.inner.source.commit()
    }

    /// Where it was found.
    pub fn origin(&self) -> ModuleOrigin {
        match &self.inner.source {
            Source::Bundled(_) => ModuleOrigin::Bundled,
            Source::Directory(directory) => ModuleOrigin::Folder(directory.root().to_owned()),
            Source::Repository(repository) => ModuleOrigin::LocalRepository(repository.path().to_owned()),
            Source::Fetched(fetched) => ModuleOrigin::Repository(fetched.url().to_owned()),
        }
    }

    /// The template's text.
    pub fn template_text(&self) -> &str {
        &self.inner.text
    }

    /// The names of the inputs that the template mentions.
    pub fn inputs(&self) -> BTreeSet<String> {
        self.inner.template.inputs()
    }

    /// Checks that the template knows every input by name. Rendering would ignore the others in silence, as the network does.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] that names the unknown input and the nearest known one.
    pub fn check_inputs(&self, inputs: &BTreeMap<String, String>) -> Result<()> {
        let known = self.inputs();
        let Some(unknown) = inputs.keys().find(|name| !known.contains(*name)) else { return Ok(()) };
        if uses_all_inputs(&self.inner.text) {
            return Ok(());
        }
        let error = Error::new(ErrorKind::InvalidInput, "check inputs")
            .with_message(format_args!("the module has no input {unknown:?} ({})", self.place()));
        Err(match nearest(unknown, known.iter().map(String::as_str)) {
            Some(near) => error.with_help(format!("did you mean `{near}`? names are case-sensitive")),
            None if known.is_empty() => error.with_help("it has no inputs at all"),
            None => error.with_help(format!("its inputs are {}", list(known.iter().map(String::as_str)))),
        })
    }

    /// Renders the template, without asking what the text means.
    ///
    /// # Errors
    /// [`ErrorKind::Module`] that says where in the template.
    pub fn render_text(&self, inputs: &BTreeMap<String, String>) -> Result<String> {
        self.inner
            .template
            .render(inputs)
            .map_err(|error| self.with_missing_inputs(located(&self.place(), error), inputs))
    }

    /// Renders the template and reads the job in it, as every provider will. Inputs that the template does not mention change nothing;
    /// [`check_inputs`](Self::check_inputs) finds them.
    ///
    /// # Errors
    /// [`ErrorKind::Module`] that says where in the template or in the rendered text, what was expected, and which inputs are involved.
    pub fn render(&self, inputs: &BTreeMap<String, String>) -> Result<RenderedModule> {
        let rendered = self
            .inner
            .template
            .render_traced(inputs)
            .map_err(|error| self.with_missing_inputs(located(&self.place(), error), inputs))?;
        match ModuleSpec::from_json(&rendered.text) {
            Ok(spec) => Ok(RenderedModule { spec, text: rendered.text }),
            Err(error) => Err(self.with_missing_inputs(self.unusable(&rendered, error), inputs)),
        }
    }

    /// Reads a file beside the template, of the same commit: `program.wasm`.
    ///
    /// # Errors
    /// [`ErrorKind::Module`] if there is no such file, if the name leads outside the module, or if the file is too large;
    /// [`ErrorKind::Connection`] if it has to be fetched and its repository cannot be reached.
    pub async fn file(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.inner.path.sibling(name)?;
        let inner = self.inner.clone();
        let content = limited(self.inner.timeout, move |limits| inner.source.read(&path, limits)).await?;
        content.ok_or_else(|| {
            Error::new(ErrorKind::Module, "read module")
                .with_message(format_args!("there is no {name} beside {}", self.place()))
        })
    }

    /// The template, as errors name it.
    fn place(&self) -> String {
        place(&self.inner.config, &self.inner.path)
    }

    /// Says that what the template rendered to is not a module, and where in the template it came from.
    fn unusable(&self, rendered: &Rendered, source: json::Error) -> Error {
        let at = offset(&rendered.text, source.line(), source.column());
        let (line, column) = rendered.origin(&self.inner.template, at);
        let shown: String =
            rendered.text.lines().nth(source.line() - 1).unwrap_or_default().trim().chars().take(SHOWN).collect();
        let what = match source.class() {
            json::ErrorClass::Syntax => "JSON",
            json::ErrorClass::Type => "a module",
        };
        Error::new(ErrorKind::Module, "read rendered module")
            .with_message(format_args!(
                "{}: template line {line}, column {column}: what it renders to is not {what}: {source}: {shown}",
                self.place()
            ))
            .with_source(source)
    }

    /// Adds the inputs that the template mentions and nobody gave: the likeliest cause.
    fn with_missing_inputs(&self, error: Error, inputs: &BTreeMap<String, String>) -> Error {
        let known = self.inputs();
        let missing: Vec<_> = known.iter().filter(|name| !inputs.contains_key(*name)).map(String::as_str).collect();
        if missing.is_empty() {
            return error;
        }
        let hint = format!("the template also mentions inputs that were not given: {}", list(missing));
        let help = match error.help() {
            Some(help) => format!("{help}; {hint}"),
            None => hint,
        };
        error.with_help(help)
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").field("config", &self.inner.config).field("source", &self.inner.source).finish()
    }
}

/// The template of a module, as errors name it.
fn place(config: &ModuleConfig, path: &InnerPath) -> String {
    match config.hash.as_str() {
        "" => format!("{path} in {}", config.repo),
        hash => format!("{path} in {} at {hash}", config.repo),
    }
}

/// Adds the template's name to an error in it.
fn located(place: &str, error: TemplateError) -> Error {
    let message = format!("{place}: {error}");
    Error::from(error).with_message(message)
}

/// Names in a row, in back quotes.
fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Whether a template uses its inputs as a whole, so that it may know more of them than it mentions.
fn uses_all_inputs(text: &str) -> bool {
    let actions = text.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
    actions
        .flat_map(|action| action.split(|c: char| c.is_whitespace() || "()|,".contains(c)))
        .any(|word| matches!(word, "." | "$"))
}

/// The byte of `text` at a line and column, both counted from 1, the column in characters.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let within = text[start..].char_indices().nth(column.saturating_sub(1)).map_or(text.len() - start, |(at, _)| at);
    start + within
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_text_is_found_by_line_and_column() {
        let text = "é{\nabc\n";
        for (line, column, expected) in [(1, 1, 0), (1, 2, 2), (2, 1, 4), (2, 3, 6), (3, 1, 8), (9, 9, 8)] {
            assert_eq!(offset(text, line, column), expected, "{line}:{column}");
        }
    }

    #[test]
    fn only_the_whole_dot_means_all_inputs() {
        for (text, expected) in [
            ("{{.Prompt}}", false),
            ("{{ if .Prompt }}{{ .Prompt }}{{ end }}", false),
            ("a . b $ c", false),
            ("{{range $name, $value := .}}{{end}}", true),
            ("{{index . \"Prompt\"}}", true),
            ("{{printf \"%v\" $}}", true),
        ] {
            assert_eq!(uses_all_inputs(text), expected, "{text}");
        }
    }
}
