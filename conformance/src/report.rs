//! What was run, and how it went.

use std::fmt;

/// How one case went; the error says what differs.
pub(crate) type Outcome = Result<(), String>;

/// One part of the suite: how many of its cases passed, and what is wrong with the others.
#[derive(Debug)]
#[must_use = "print it"]
pub struct Part {
    /// What it is called.
    name: &'static str,
    /// How many cases passed.
    passed: usize,
    /// The cases that did not.
    failures: Vec<Failure>,
    /// Whether the directory does not have it.
    absent: bool,
}

/// A case that did not pass.
#[derive(Debug)]
struct Failure {
    /// Which case.
    case: String,
    /// What is wrong.
    detail: String,
}

impl Part {
    /// A part of which nothing was run yet.
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, passed: 0, failures: Vec::new(), absent: false }
    }

    /// A part that the directory does not have.
    pub(crate) fn absent(name: &'static str) -> Self {
        Self { absent: true, ..Self::new(name) }
    }

    /// Counts one case.
    pub(crate) fn record(&mut self, case: impl fmt::Display, outcome: Outcome) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(detail) => self.failures.push(Failure { case: case.to_string(), detail }),
        }
    }

    /// How many cases passed.
    pub fn passed(&self) -> usize {
        self.passed
    }

    /// How many cases did not pass.
    pub fn failed(&self) -> usize {
        self.failures.len()
    }
}

/// The details of every failure, then one line: `templates: 1827 passed, 0 failed`.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name;
        for Failure { case, detail } in &self.failures {
            writeln!(f, "{name}, {case}: {}", detail.trim_end().replace('\n', "\n    "))?;
        }
        if self.absent {
            return write!(f, "{name}: absent");
        }
        write!(f, "{name}: {} passed, {} failed", self.passed, self.failures.len())
    }
}

/// Compares two texts; the error shows both from the place where they part.
///
/// # Errors
/// If they differ.
pub(crate) fn same_text(what: &str, expected: &str, found: &str) -> Outcome {
    if expected == found {
        return Ok(());
    }
    let parting = expected.chars().zip(found.chars()).take_while(|(left, right)| left == right).count();
    let around = |text: &str| -> String {
        let start = parting.saturating_sub(CONTEXT / 2);
        text.chars().skip(start).take(CONTEXT).collect()
    };
    Err(format!(
        "{what} differs at character {}\nexpected …{:?}\nfound    …{:?}",
        parting + 1,
        around(expected),
        around(found)
    ))
}

/// How many characters of a text an error shows.
const CONTEXT: usize = 160;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_ends_with_one_line_that_says_how_many() {
        let mut part = Part::new("templates");
        part.record("one", Ok(()));
        part.record("two", Err("a\nb".into()));
        assert_eq!(part.to_string(), "templates, two: a\n    b\ntemplates: 1 passed, 1 failed");
        assert_eq!(Part::absent("auth").to_string(), "auth: absent");
    }

    #[test]
    fn a_difference_is_shown_where_it_is() {
        assert_eq!(same_text("the text", "équal", "équal"), Ok(()));
        let error = same_text("the text", "équal", "équip").unwrap_err();
        assert!(error.starts_with("the text differs at character 4\n"), "{error}");
    }
}
