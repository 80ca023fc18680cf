//! What is wrong or doubtful about a module, for those who write one.

use std::collections::{BTreeMap, BTreeSet};

use super::members::{Member, members};
use super::shape::MODULE;
use super::{Engine, ModuleSpec};
use crate::module::nearest::nearest;
use crate::module::template::{Rendered, Template, TemplateError, line_and_column};
use crate::protocol::json;

/// Values that inputs are tried with: a number, which is also a text, then a plain text.
const SAMPLES: [&str; 2] = ["7", "text"];
/// A value that breaks JSON where it is not encoded.
const NASTY: &str = "say \"moo\"\n\\";

/// How bad a [`Finding`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Note,
    /// It works, but not as it seems, or not always.
    Warning,
    /// It does not work.
    Error,
}

/// Something wrong or doubtful about a module.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Line of the template, from 1.
    pub line: usize,
    /// Column in that line in characters, from 1.
    pub column: usize,
    /// What it is.
    pub message: String,
    /// What to do about it, where that is known.
    pub help: Option<String>,
}

/// Checks a module's template: reads it, renders it with inputs of several kinds, and looks at the job that comes out. The findings
/// are in the order of the template.
pub fn check(template_text: &str) -> Vec<Finding> {
    let mut checker = Checker { text: template_text, findings: Vec::new() };
    match Template::parse(template_text) {
        Ok(template) => checker.template(&template),
        Err(error) => checker.template_error(error),
    }
    checker.findings.sort_by_key(|finding| (finding.line, finding.column));
    checker.findings
}

/// A check that goes on.
struct Checker<'t> {
    /// The template.
    text: &'t str,
    /// What was found so far.
    findings: Vec<Finding>,
}

/// What came out of a template that worked.
struct Outcome {
    /// The output.
    rendered: Rendered,
    /// The module in it.
    spec: ModuleSpec,
}

/// Why nothing came out.
enum Failure {
    /// The template cannot be rendered.
    Template(TemplateError),
    /// Its output is no module.
    Output(Rendered, json::Error),
}

impl Failure {
    /// Whether the output is no JSON at all.
    fn is_syntax(&self) -> bool {
        matches!(self, Self::Output(_, error) if error.class() == json::ErrorClass::Syntax)
    }
}

/// Renders a template and reads what it prints.
fn attempt(template: &Template, inputs: &BTreeMap<String, String>) -> Result<Outcome, Box<Failure>> {
    let rendered = template.render_traced(inputs).map_err(|error| Box::new(Failure::Template(error)))?;
    match ModuleSpec::from_json(&rendered.text) {
        Ok(spec) => Ok(Outcome { rendered, spec }),
        Err(error) => Err(Box::new(Failure::Output(rendered, error))),
    }
}

impl Checker<'_> {
    /// Adds a finding at line and column.
    fn add(
        &mut self,
        severity: Severity,
        (line, column): (usize, usize),
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let message = message.into();
        self.findings.push(Finding { severity, line, column, message, help });
    }

    /// Adds an error of the template.
    fn template_error(&mut self, error: TemplateError) {
        self.add(Severity::Error, (error.line, error.column), error.message, error.help);
    }

    /// Checks a template that was read.
    fn template(&mut self, template: &Template) {
        let names = template.inputs();
        let given = |value: &str| names.iter().map(|name| (name.clone(), value.to_owned())).collect();
        let mut attempts = SAMPLES.map(|sample| (sample, attempt(template, &given(sample)))).into_iter();
        let outcome = loop {
            match attempts.next() {
                Some((sample, Ok(outcome))) => break Some((sample, outcome)),
                Some((_, Err(failure))) if attempts.len() == 0 => {
                    self.failure(template, *failure);
                    break None;
                }
                Some(_) => {}
                None => break None,
            }
        };
        let Some((sample, outcome)) = outcome else { return };
        self.unknown_keys(template, &outcome.rendered);
        self.job(template, &outcome);
        self.inputs(template, &names, &given(sample));
    }

    /// Adds why a template gives no module, although all its inputs were given.
    fn failure(&mut self, template: &Template, failure: Failure) {
        match failure {
            Failure::Template(error) => self.template_error(error),
            Failure::Output(rendered, error) => {
                let place = rendered.origin(template, offset(&rendered.text, error.line(), error.column()));
                let what = match error.class() {
                    json::ErrorClass::Syntax => "the output is no JSON here",
                    json::ErrorClass::Type => "the output is no module here",
                };
                let path = error.path();
                let path = if path.is_empty() { path } else { format!("`{path}`: ") };
                self.add(Severity::Error, place, format!("{what}: {path}{}", error.message()), None);
            }
        }
    }

    /// Tries the template without each input, and with a value for it that breaks JSON.
    fn inputs(&mut self, template: &Template, names: &BTreeSet<String>, sample: &BTreeMap<String, String>) {
        for name in names {
            let mention = self.text.find(&format!(".{name}")).unwrap_or(0);
            let place = line_and_column(self.text, mention);
            let mut inputs = sample.clone();
            inputs.remove(name);
            if attempt(template, &inputs).is_err() {
                let message = format!("the input `{name}` must be given: the template gives no module without it");
                let help = format!(
                    "put what needs it between `{{{{if .{name}}}}}` and `{{{{end}}}}`, or give it a default with `{{{{else}}}}`"
                );
                self.add(Severity::Note, place, message, Some(help));
            }
            inputs.insert(name.clone(), NASTY.into());
            let broken = attempt(template, &inputs).err().is_some_and(|failure| failure.is_syntax());
            if broken {
                let message =
                    format!("the input `{name}` breaks the JSON if there is a quote, a backslash or a line feed in it");
                let help = format!(
                    "`{{{{.{name}}}}}` is a complete JSON string; `subst` and quotes of your own around it are not safe"
                );
                self.add(Severity::Warning, place, message, Some(help));
            }
        }
    }

    /// Looks for keys that nobody reads.
    fn unknown_keys(&mut self, template: &Template, rendered: &Rendered) {
        for Member { path, offset } in members(&rendered.text) {
            let Some((key, around)) = path.split_last() else { continue };
            let Some(shape) = around.iter().try_fold(MODULE, |shape, key| shape.member(key)) else { continue };
            if shape.member(key).is_some() {
                continue;
            }
            let place = rendered.origin(template, offset);
            let inside = if around.is_empty() { "a module".to_owned() } else { format!("`{}`", around.join(".")) };
            let near = nearest(key, shape.names());
            let severity = if near.is_some() { Severity::Warning } else { Severity::Note };
            let help = near.map(|near| format!("did you mean `{near}`?"));
            self.add(severity, place, format!("nobody reads `{key}` in {inside}"), help);
        }
    }

    /// Looks at the job.
    fn job(&mut self, template: &Template, Outcome { rendered, spec }: &Outcome) {
        let all = members(&rendered.text);
        // Where a member stands, or else the one around it.
        let place = |path: &[&str]| {
            let found = (0..path.len()).rev().find_map(|end| {
                let matches = |member: &&Member| {
                    member.path.len() == end + 1
                        && member.path.iter().zip(path).all(|(key, name)| key.eq_ignore_ascii_case(name))
                };
                all.iter().rev().find(matches).map(|member| member.offset)
            });
            rendered.origin(template, found.unwrap_or(0))
        };
        let job = &spec.job.spec;
        match job.engine {
            Engine::Unknown => {
                let help = Some("write `\"Engine\": \"Docker\"`".into());
                self.add(Severity::Warning, place(&["job", "Spec", "Engine"]), "the job has no known engine", help);
            }
            Engine::Wasm | Engine::Noop => {
                let message = "providers of the reference implementation run containers only";
                self.add(Severity::Warning, place(&["job", "Spec", "Engine"]), message, None);
            }
            Engine::Docker => {}
        }
        if job.engine != Engine::Wasm && job.docker.image.trim().is_empty() {
            let message = "the job has no image to run";
            let help = Some("name one in `job.Spec.Docker.Image`".into());
            self.add(Severity::Error, place(&["job", "Spec", "Docker", "Image"]), message, help);
        }
        let ignored = "providers of the reference implementation ignore this";
        if !job.docker.parameters.is_empty() {
            let help = Some("put all arguments into `Entrypoint`".into());
            self.add(Severity::Warning, place(&["job", "Spec", "Docker", "Parameters"]), ignored, help);
        }
        if !job.docker.working_directory.is_empty() {
            self.add(Severity::Warning, place(&["job", "Spec", "Docker", "WorkingDirectory"]), ignored, None);
        }
        let machine = &spec.machine;
        for (key, size) in [("gpu", machine.gpu), ("cpu", machine.cpu), ("ram", machine.ram), ("disk", machine.disk)] {
            if size < 0 {
                let message = format!("a machine cannot have a `{key}` of {size}");
                self.add(Severity::Error, place(&["machine", key]), message, None);
            }
        }
        if machine.cpu == 0 && machine.ram == 0 && machine.gpu == 0 {
            let message = "the module asks for no machine, so any will do";
            let help = Some("say in `machine` how much `cpu` (thousandths), `ram` (MB) and `gpu` it needs".into());
            self.add(Severity::Note, place(&["machine"]), message, help);
        }
        if job.timeout < 0 {
            self.add(Severity::Error, place(&["job", "Spec", "Timeout"]), "a time limit cannot be negative", None);
        }
    }
}

/// The byte at line and column of `text`, both from 1, the column in characters.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let characters = text[start..].chars().take(column.saturating_sub(1));
    start + characters.map(char::len_utf8).sum::<usize>()
}
