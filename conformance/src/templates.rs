//! Part `templates`: public module templates, rendered and read as Go does it.

use std::collections::BTreeMap;
use std::error::Error as _;

use lilypad_sdk::module::{Bundle, Module, ModuleSpec, Resolver, ResolverOptions};
use lilypad_sdk::protocol::json;
use serde::Deserialize;
use serde_json::Value;

use crate::report::{Outcome, Part, same_text};
use crate::vectors::Vectors;

/// Where a module's template is.
const TEMPLATE: &str = "lilypad_module.json.tmpl";
/// Under this name the template at hand is found.
const NAME: &str = "case";

/// A template and what Go makes of it.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    /// The template's file.
    template: String,
    /// The inputs that it mentions.
    fields: Vec<String>,
    /// What comes out, by set of inputs.
    cases: BTreeMap<String, Expected>,
}

/// What Go makes of a template and some inputs.
#[derive(Debug, Deserialize)]
struct Expected {
    /// Where it stops, if it does.
    #[serde(default)]
    fails: Option<Stage>,
    /// The text, if the template can be rendered.
    #[serde(default)]
    rendered: Option<String>,
    /// The module, if the text is one.
    #[serde(default)]
    module: Option<Value>,
}

/// Where it stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// The template cannot be read.
    Parse,
    /// The template cannot be rendered.
    Execute,
    /// What was rendered is not JSON.
    Json,
    /// What was rendered is not a module.
    Type,
}

/// What this workspace makes of a template and some inputs.
#[derive(Debug, Default)]
pub(crate) struct Rendering {
    /// The text, if the template could be rendered.
    pub(crate) rendered: Option<String>,
    /// The module, if it is one.
    pub(crate) spec: Option<ModuleSpec>,
    /// Where it stopped, and why.
    pub(crate) failure: Option<(Stage, String)>,
}

/// Runs all cases: every template with every set of inputs.
pub(crate) async fn run(vectors: &Vectors, cases: &[Case]) -> Part {
    let mut part = Part::new("templates");
    for case in cases {
        let source = vectors.template(&case.template);
        for (set, expected) in &case.cases {
            let outcome = match (&source, inputs(set, &case.fields)) {
                (Ok(source), Some(inputs)) => check(expected, &render(source, &inputs).await),
                (Ok(_), None) => Err(format!("there is no set of inputs called `{set}`")),
                (Err(error), _) => Err(error.clone()),
            };
            part.record(format_args!("{} with {set}", case.template), outcome);
        }
    }
    part
}

/// The inputs of a set: every field has the same kind of value.
fn inputs(set: &str, fields: &[String]) -> Option<BTreeMap<String, String>> {
    let value = |field: &String| match set {
        "all" => Some(format!("value-of-{field}")),
        "num" => Some("7".into()),
        "empty" => Some(String::new()),
        "apos" => Some("it's <b> & a=b".into()),
        "quote" => Some("say \"hi\"".into()),
        "nasty" => Some("a\"b\\c%d <é&>\n$HOME {{.x}}".into()),
        _ => None,
    };
    match set {
        "none" => Some(BTreeMap::new()),
        _ => fields.iter().map(|field| Some((field.clone(), value(field)?))).collect(),
    }
}

/// Renders a template and reads the module in it, the way every job does.
pub(crate) async fn render(source: &[u8], inputs: &BTreeMap<String, String>) -> Rendering {
    let module = match resolve(source).await {
        Ok(module) => module,
        Err(error) => return Rendering { failure: Some((Stage::Parse, error.to_string())), ..Rendering::default() },
    };
    let rendered = match module.render_text(inputs) {
        Ok(text) => text,
        Err(error) => return Rendering { failure: Some((Stage::Execute, error.to_string())), ..Rendering::default() },
    };
    match module.render(inputs) {
        Ok(module) => Rendering { rendered: Some(rendered), spec: Some(module.spec), failure: None },
        Err(error) => {
            let class = error.source().and_then(|source| source.downcast_ref::<json::Error>()).map(json::Error::class);
            let stage = if class == Some(json::ErrorClass::Syntax) { Stage::Json } else { Stage::Type };
            Rendering { rendered: Some(rendered), spec: None, failure: Some((stage, error.to_string())) }
        }
    }
}

/// Makes a module of a template's text.
pub(crate) async fn resolve(source: &[u8]) -> lilypad_sdk::Result<Module> {
    // Bundled modules need no cache; nothing is written there.
    let mut options = ResolverOptions::new(std::env::temp_dir());
    options.bundle = Bundle::default().with(NAME, [(TEMPLATE, source.to_vec())]);
    Resolver::new(options).resolve(&format!("{NAME}:v1").parse()?).await
}

/// Compares what Go made of a template with what came out here.
fn check(expected: &Expected, found: &Rendering) -> Outcome {
    let stage = found.failure.as_ref().map(|(stage, _)| *stage);
    if stage != expected.fails {
        let why = found.failure.as_ref().map_or("nothing failed", |(_, why)| why);
        return Err(format!("expected failure {:?}, found {stage:?}: {why}", expected.fails));
    }
    if let Some(rendered) = &expected.rendered {
        same_text("the rendered text", rendered, found.rendered.as_deref().unwrap_or_default())?;
    }
    match (&expected.module, &found.spec) {
        (Some(_), None) => Err("there is no module".into()),
        (Some(expected), Some(spec)) => {
            let found: Value = serde_json::from_str(&json::to_string(spec)).map_err(|error| error.to_string())?;
            // Both in the same order, so that the first difference is one of content.
            same_text("the module", &sorted(expected).to_string(), &sorted(&found).to_string())
        }
        (None, _) => Ok(()),
    }
}

/// The same value with its keys in order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let ordered: BTreeMap<_, _> = map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            Value::Object(ordered.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
