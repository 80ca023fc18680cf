//! What the guide says about templates holds. It quotes the table.

#![allow(clippy::unwrap_used)] // A test that panics has failed, as it should.

use std::collections::BTreeMap;

use lilypad_sdk::module::ModuleReference;
use lilypad_sdk::network::Environment;
use lilypad_sdk::{Client, ErrorKind, Result};

/// Renders a module that is `template`, in a folder of its own.
async fn render(template: &str) -> Result<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("lilypad_module.json.tmpl"), template).unwrap();
    let client = Client::builder().environment(Environment::default()).data_dir(folder.path()).build()?;
    let module = client.resolver().resolve(&ModuleReference::from_folder(folder.path())?).await?;
    let inputs = [("Message", r#"say "moo""#), ("Seed", "42"), ("Empty", "")];
    let inputs: BTreeMap<_, _> = inputs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Ok(module.render(&inputs)?.text)
}

#[tokio::test]
async fn templates_print_what_the_guide_says() {
    // The inputs: Message is `say "moo"`, Seed is `42`, Empty is the empty text, and there is no Other.
    for (template, rendered) in [
        // region: templates
        // An input is a JSON string, quotes and all.
        (r#"{"x": {{ .Message }}}"#, r#"{"x": "say \"moo\""}"#),
        // It may be missing; an empty one is there.
        (r#"{"x": {{ if .Other }}{{ .Other }}{{ else }}"moo"{{ end }}}"#, r#"{"x": "moo"}"#),
        (r#"{"x": {{ if .Empty }}{{ .Empty }}{{ else }}"moo"{{ end }}}"#, r#"{"x": ""}"#),
        // `subst` takes inputs as they were given, without quotes: for numbers, and parts of longer texts.
        (r#"{"x": {{ subst "%s" .Seed }}}"#, r#"{"x": 42}"#),
        (r#"{"x": "seed={{ subst "%s" .Seed }}"}"#, r#"{"x": "seed=42"}"#),
        // Anything else is Go's text/template: variables, pipelines, comparisons, comments, trimmed white space.
        (r#"{"x": {{ if eq .Seed "\"42\"" -}} true {{- else -}} false {{- end }}}"#, r#"{"x": true}"#),
        // end region
    ] {
        assert_eq!(render(template).await.unwrap(), rendered, "{template}");
    }
}

#[tokio::test]
async fn templates_go_wrong_where_the_guide_says() {
    for (template, words) in [
        // region: mistakes
        // Quotes around an input that brings its own.
        (r#"{"x": "{{ .Message }}"}"#, "what it renders to is not JSON"),
        // A missing input prints `<no value>`, which is no JSON.
        (r#"{"x": {{ .Other }}}"#, "what it renders to is not JSON"),
        // `subst` does not encode again what it prints.
        (r#"{"x": "{{ subst "%s" .Message }}"}"#, "what it renders to is not JSON"),
        // `subst` of a missing input.
        (r#"{"x": "{{ subst "%s" .Other }}"}"#, "template line 1, column"),
        // end region
    ] {
        let error = render(template).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Module, "{template}");
        assert!(error.to_string().contains(words), "{template}: {error}");
    }
}
