//! Code in the docs is quoted from files that are tested.
//!
//! A quote in a Markdown file is a code block after a comment that names its source:
//!
//! ```text
//! <!-- quote: examples/rust/quickstart.rs#run -->
//! ```
//!
//! The part after `#` names a region of the file, between lines that hold `// region: run` and `// end region`; without it the whole file is
//! quoted.

use std::fs;
use std::path::{Path, PathBuf};

use crate::process::root;

/// Brings every quote up to date, or only compares. Returns how many there are.
pub(crate) fn run(check: bool) -> Result<usize, String> {
    let root = root();
    let mut count = 0;
    let mut stale = Vec::new();
    for document in documents(&root)? {
        let before = read(&document)?;
        let (after, quotes) = refresh(&root, &before).map_err(|error| format!("{}: {error}", document.display()))?;
        count += quotes;
        if after != before {
            if check {
                stale.push(document.display().to_string());
            } else {
                fs::write(&document, after).map_err(|error| format!("{}: {error}", document.display()))?;
            }
        }
    }
    if stale.is_empty() {
        return Ok(count);
    }
    Err(format!("quotes differ from their sources in {}; run `cargo xtask quotes`", stale.join(", ")))
}

/// The Markdown files that may quote: those of the root and of `docs`.
fn documents(root: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for folder in [root.to_owned(), root.join("docs")] {
        let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        found.extend(
            entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "md")),
        );
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The document with every quote as its source has it, and how many there are.
fn refresh(root: &Path, document: &str) -> Result<(String, usize), String> {
    let mut out = String::with_capacity(document.len());
    let mut lines = document.lines();
    let mut count = 0;
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        let Some(source) = line.trim().strip_prefix("<!-- quote: ").and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        let fence = lines
            .next()
            .filter(|line| line.starts_with("```"))
            .ok_or(format!("no code block after the quote of {source}"))?;
        lines.by_ref().find(|line| *line == "```").ok_or(format!("the code block of {source} has no end"))?;
        out.push_str(fence);
        out.push('\n');
        out.push_str(&excerpt(root, source)?);
        out.push_str("```\n");
        count += 1;
    }
    Ok((out, count))
}

/// The part of a file that `source` names, without its common indentation.
fn excerpt(root: &Path, source: &str) -> Result<String, String> {
    let (file, region) = source.split_once('#').map_or((source, None), |(file, region)| (file, Some(region)));
    let text = read(&root.join(file))?;
    let lines: Vec<&str> = match region {
        None => text.lines().collect(),
        Some(name) => {
            let is_mark = |line: &str, mark: &str| {
                let line = line.trim();
                line.strip_prefix("//").or_else(|| line.strip_prefix('#')).is_some_and(|rest| rest.trim() == mark)
            };
            let start = text.lines().position(|line| is_mark(line, &format!("region: {name}")));
            let start = start.ok_or(format!("{file} has no region `{name}`"))?;
            text.lines().skip(start + 1).take_while(|line| !is_mark(line, "end region")).collect()
        }
    };
    let indent =
        lines.iter().filter(|line| !line.trim().is_empty()).map(|line| line.len() - line.trim_start().len()).min();
    let cut = |line: &&str| format!("{}\n", line.get(indent.unwrap_or(0)..).unwrap_or_default());
    Ok(lines.iter().map(cut).collect())
}
