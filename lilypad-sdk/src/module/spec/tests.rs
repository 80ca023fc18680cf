//! Modules mean what they mean to the network's other programs. The expected values were written by them.

use super::*;

/// Reads a module and writes it again.
fn rewrite(text: &str) -> Result<serde_json::Value, json::Error> {
    let spec = ModuleSpec::from_json(text)?;
    Ok(serde_json::from_slice(&json::to_vec(&spec)).unwrap())
}

/// A module without anything, as it is written.
const EMPTY: &str = r#"{"author":{"name":"","avatar":"","address":""},"description":"","image":"","model":{"name":"","type":"","size":""},"inputFiles":{"required":null,"optional":null},"executionTimeoutSeconds":0,"machine":{"gpu":0,"gpus":null,"cpu":0,"ram":0,"disk":0},"job":{"APIVersion":"","Metadata":{"CreatedAt":"0001-01-01T00:00:00Z","Requester":{}},"Spec":{"EngineSpec":{"Type":"","Params":null},"PublisherSpec":{},"Docker":{},"Wasm":{"EntryModule":{}},"Resources":{"GPU":""},"Network":{"Type":"None"},"Deal":{}}}}"#;

#[test]
fn nothing_is_written_but_what_go_writes() {
    for text in ["{}", "null", r#"{"job": null, "machine": {}, "unknown": [1], "inputFiles": {"required": null}}"#] {
        assert_eq!(String::from_utf8(json::to_vec(&ModuleSpec::from_json(text).unwrap())).unwrap(), EMPTY, "{text}");
    }
}

#[test]
fn every_known_field_survives() {
    let storage = r#"{"StorageSource":"URLDownload","Name":"n","CID":"c","URL":"u","S3":{"Bucket":"b","Key":"k","Checksum":"s","VersionID":"v","Endpoint":"e","Region":"r"},"Repo":"r","SourcePath":"s","ReadWrite":true,"Path":"p","Metadata":{"k":"v"}}"#;
    let text = r#"{"author":{"name":"n","avatar":"a","address":"0x"},"description":"d","image":"i","model":{"name":"n","type":"t","size":"s"},"inputFiles":{"required":["a"],"optional":[]},"executionTimeoutSeconds":9,"machine":{"gpu":1,"gpus":[{"name":"n","vendor":"v","vram":2}],"cpu":3,"ram":4,"disk":5},"job":{"APIVersion":"V1beta1","Metadata":{"ID":"i","CreatedAt":"2024-02-29T01:02:03.4+05:30","ClientID":"c","Requester":{"RequesterNodeID":"q","RequesterPublicKey":"AQID"}},"Spec":{"Engine":"Docker","EngineSpec":{"Type":"t","Params":{"a":[1,{"b":null}]}},"Publisher":"Ipfs","PublisherSpec":{"Type":"S3","Params":{"p":true}},"Docker":{"Image":"i","Entrypoint":["e"],"Parameters":["p"],"EnvironmentVariables":["A=b"],"WorkingDirectory":"w"},"Wasm":{"EntryModule":STORAGE,"EntryPoint":"_start","Parameters":["p"],"EnvironmentVariables":{"A":"b"},"ImportModules":[STORAGE]},"Resources":{"CPU":"1","Memory":"2","Disk":"3","GPU":"4"},"Network":{"Type":"HTTP","Domains":["d"]},"Timeout":-5,"Inputs":[STORAGE],"Outputs":[STORAGE],"Annotations":["a"],"NodeSelectors":[{"Key":"k","Operator":"In","Values":["v"]}],"DoNotTrack":true,"Deal":{"TargetingMode":true,"Concurrency":2}}}}"#.replace("STORAGE", storage);
    assert_eq!(String::from_utf8(json::to_vec(&ModuleSpec::from_json(&text).unwrap())).unwrap(), text);
}

#[test]
fn numbers_of_no_known_type_are_floats() {
    let module = |params: &str| format!(r#"{{"job":{{"Spec":{{"EngineSpec":{{"Params":{params}}}}}}}}}"#);
    let read = r#"{"a":1000.0,"b":[1e3,-0.5],"c":{"d":9007199254740993},"e":9223372036854775808}"#;
    let written = r#"{"a":1000,"b":[1000,-0.5],"c":{"d":9007199254740992},"e":9223372036854776000}"#;
    let text = json::to_string(&ModuleSpec::from_json(&module(read)).unwrap());
    assert!(text.contains(written), "{text}");
}

#[test]
fn names_of_kinds_are_read_as_go_reads_them() {
    for (member, expected) in [
        (r#""Engine":"docker""#, Some(r#""Engine":"Docker""#)),
        (r#""Engine":"doc\u212aer""#, Some(r#""Engine":"Docker""#)),
        (r#""Engine":" docker""#, Some("")),
        (r#""Engine":"python""#, Some("")),
        (r#""Engine":"""#, Some("")),
        (r#""Engine":null"#, Some("")),
        (r#""Engine":1"#, None),
        (r#""Publisher":" IPFS ""#, Some(r#""Publisher":"Ipfs""#)),
        (r#""Publisher":"""#, None),
        (r#""Publisher":"web""#, None),
        (r#""Network":{"Type":"http"}"#, Some(r#""Network":{"Type":"HTTP"}"#)),
        (r#""Network":{"Type":"\u2003full\n"}"#, Some(r#""Network":{"Type":"Full"}"#)),
        (r#""Network":{"Type":"Host"}"#, None),
        (r#""Inputs":[{"StorageSource":"ipfs"}]"#, Some(r#""Inputs":[{"StorageSource":"IPFS"}]"#)),
        (r#""Inputs":[{"StorageSource":""}]"#, None),
        (r#""Inputs":[{"StorageSource":null,"Path":"p"}]"#, Some(r#""Inputs":[{"Path":"p"}]"#)),
    ] {
        let module = |member: &str| format!(r#"{{"job":{{"Spec":{{{member}}}}}}}"#);
        match (rewrite(&module(member)), expected) {
            (Ok(found), Some(expected)) => assert_eq!(found, rewrite(&module(expected)).unwrap(), "{member}"),
            (Err(error), None) => assert_eq!(error.class(), json::ErrorClass::Type, "{member}"),
            (found, _) => panic!("{member}: {found:?}"),
        }
    }
}

#[test]
fn what_is_no_json_and_what_is_no_module_differ() {
    use json::ErrorClass::{Syntax, Type};
    for (text, class, path) in [
        ("", Syntax, ""),
        (r#"{"machine": <no value>}"#, Syntax, ""),
        (r#"{"machine": {},}"#, Syntax, ""),
        (r#"{"job":{"Spec":{"Docker":{"Entrypoint":"sh"}}}}"#, Type, "job.Spec.Docker.Entrypoint"),
        (r#"{"machine":{"gpu":1.5}}"#, Type, "machine.gpu"),
        (r#"{"machine":{"gpu":"1"}}"#, Type, "machine.gpu"),
        (r#"{"executionTimeoutSeconds":-1}"#, Type, "executionTimeoutSeconds"),
        (r#"{"job":{"Spec":{"Inputs":[{"StorageSource":"tape"}]}}}"#, Type, "job.Spec.Inputs[0].StorageSource"),
        (r#"{"job":{"Metadata":{"CreatedAt":"now"}}}"#, Type, "job.Metadata.CreatedAt"),
        (
            r#"{"job":{"Metadata":{"Requester":{"RequesterPublicKey":"AQI"}}}}"#,
            Type,
            "job.Metadata.Requester.RequesterPublicKey",
        ),
        ("[]", Type, ""),
    ] {
        let error = ModuleSpec::from_json(text).unwrap_err();
        assert_eq!((error.class(), error.path().as_str()), (class, path), "{text}");
    }
}

/// A module that nothing can be said about, with a place for more.
const SOUND: &str = r#"{
  "machine": {"cpu": 1000, "ram": 100},
  "job": {"Spec": {
    "Engine": "Docker",
    "Docker": {"Image": "busybox", "Entrypoint": ["echo", {{if .Message}}{{.Message}}{{else}}"moo"{{end}}]}
  }}
}"#;

#[test]
fn a_sound_module_is_left_alone() {
    assert_eq!(check(SOUND), []);
}

#[test]
fn findings_say_what_where_and_what_to_do() {
    use Severity::{Error, Note, Warning};
    for (from, to, severity, line, column, message, help) in [
        ("{{end}}", "", Error, 7, 2, "the template ends before the `{{end}}` of the `if` in line 5, column 61", None),
        (
            "1000,",
            "1000",
            Error,
            2,
            27,
            "the output is no JSON here: expected `,` or `}` after a value of an object, found `\\\"`",
            None,
        ),
        (
            "1000",
            "1.5",
            Error,
            2,
            22,
            "the output is no module here: `machine.cpu`: expected a whole number, found the number 1.5",
            None,
        ),
        (
            "\"Docker\",",
            "\"docket\",",
            Warning,
            4,
            5,
            "the job has no known engine",
            Some("write `\"Engine\": \"Docker\"`"),
        ),
        (
            "\"busybox\"",
            "\"\"",
            Error,
            5,
            16,
            "the job has no image to run",
            Some("name one in `job.Spec.Docker.Image`"),
        ),
        (
            "\"Entrypoint\"",
            "\"Entrypoints\"",
            Warning,
            5,
            36,
            "nobody reads `Entrypoints` in `job.Spec.Docker`",
            Some("did you mean `Entrypoint`?"),
        ),
        ("\"Engine\"", "\"Verifier\": 1, \"Engine\"", Note, 4, 5, "nobody reads `Verifier` in `job.Spec`", None),
        ("\"ram\": 100", "\"ram\": -1", Error, 2, 28, "a machine cannot have a `ram` of -1", None),
        (
            "{{if .Message}}{{.Message}}{{else}}\"moo\"{{end}}",
            "{{.Message}}",
            Note,
            5,
            61,
            "the input `Message` must be given: the template gives no module without it",
            Some("put what needs it between `{{if .Message}}` and `{{end}}`, or give it a default with `{{else}}`"),
        ),
        (
            "{{.Message}}",
            "\"{{subst `%s` .Message}}\"",
            Warning,
            5,
            64,
            "the input `Message` breaks the JSON if there is a quote, a backslash or a line feed in it",
            Some("`{{.Message}}` is a complete JSON string; `subst` and quotes of your own around it are not safe"),
        ),
        (
            "\"Entrypoint\"",
            "\"WorkingDirectory\": \"/\", \"Entrypoint\"",
            Warning,
            5,
            36,
            "providers of the reference implementation ignore this",
            None,
        ),
    ] {
        let text = SOUND.replacen(from, to, 1);
        let found = check(&text);
        let expected = Finding { severity, line, column, message: message.into(), help: help.map(str::to_owned) };
        assert!(found.contains(&expected), "{to}: {found:#?}");
    }
}
