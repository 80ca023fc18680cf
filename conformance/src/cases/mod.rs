//! The committed cases, in `cases/*.json`: what every language's tests run too. `cases/README.md` says what is in the files.

mod modules;
mod records;

use std::path::Path;

use serde::Deserialize;

use self::modules::{InputFilesCase, ModuleCase, ReferenceCase, TemplateCase};
use self::records::{ContentIdCase, ReadingCase, StateCase};
use crate::report::{Outcome, Part};
use crate::unixfs;
use crate::vectors::read_folder;

/// Where the cases are.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/cases");

/// The cases of one file: all are of one kind.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", content = "cases", rename_all = "snake_case")]
enum Cases {
    /// Records and their content ids.
    ContentIds(Vec<ContentIdCase>),
    /// JSON in odd forms, and what a record makes of it.
    JsonReading(Vec<ReadingCase>),
    /// States of the wire.
    States(Vec<StateCase>),
    /// What users write to name a module.
    ModuleReferences(Vec<ReferenceCase>),
    /// Templates and inputs.
    Templates(Vec<TemplateCase>),
    /// Rendered modules, and what goes into an offer.
    Modules(Vec<ModuleCase>),
    /// Files for a job, and whether it may have them.
    InputFiles(Vec<InputFilesCase>),
    /// Folders and their content ids.
    Unixfs(Vec<unixfs::Case>),
}

/// Runs all committed cases.
pub async fn run() -> Part {
    let mut part = Part::new("cases");
    match read_folder::<Cases>(Path::new(FOLDER)) {
        Ok(files) => {
            for (file, cases) in &files {
                run_file(&mut part, file, cases).await;
            }
        }
        Err(error) => part.record("reading", Err(error)),
    }
    part
}

/// Runs the cases of one file.
async fn run_file(part: &mut Part, file: &str, cases: &Cases) {
    let mut record = |name: &str, outcome: Outcome| part.record(format_args!("{file}, {name}"), outcome);
    match cases {
        Cases::ContentIds(cases) => cases.iter().for_each(|case| record(&case.name, case.check())),
        Cases::JsonReading(cases) => cases.iter().for_each(|case| record(&case.name, case.check())),
        Cases::States(cases) => cases.iter().for_each(|case| record(&case.state.to_string(), case.check())),
        Cases::ModuleReferences(cases) => cases.iter().for_each(|case| record(&case.reference, case.check())),
        Cases::InputFiles(cases) => cases.iter().for_each(|case| record(&case.name, case.check())),
        Cases::Unixfs(cases) => cases.iter().for_each(|case| record(&case.name, unixfs::check(case))),
        Cases::Templates(cases) => {
            for case in cases {
                record(&case.name, case.check().await);
            }
        }
        Cases::Modules(cases) => {
            for case in cases {
                record(&case.name, case.check().await);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_committed_case_holds() {
        let part = run().await;
        assert_eq!(part.failed(), 0, "{part}");
        assert!(part.passed() > 0);
    }
}
