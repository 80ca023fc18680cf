//! What a case says when a promise is broken, and the smallest input that still breaks it.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};

/// What became of a case: nothing to say, or which promise was broken and on what.
pub type Outcome = Result<(), String>;

/// How many smaller inputs are tried for one failure.
const TRIES: usize = 2_000;
/// How much of an input a message shows.
const SHOWN: usize = 4_000;

thread_local! {
    /// What the last panic of this thread said.
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps panics of cases for their reports, in place of printing them.
pub fn catch_panics() {
    panic::set_hook(Box::new(|info: &PanicHookInfo<'_>| {
        let place = info.location().map_or_else(String::new, |place| format!(" at {place}"));
        let said = info.payload_as_str().unwrap_or("something");
        LAST_PANIC.with_borrow_mut(|last| *last = format!("panicked{place}: {said}"));
    }));
}

/// Runs `work`; a panic in it is a failure like others.
///
/// # Errors
/// What `work` says, or what its panic said.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let said = payload.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("something");
        // One that was passed on from another thread has left no place here.
        let with_place = LAST_PANIC.with_borrow(|last| last.ends_with(said).then(|| last.clone()));
        Err(with_place.unwrap_or_else(|| format!("panicked: {said}")))
    })
}

/// Checks `input`; a failure is told with the smallest part of the input that fails too.
///
/// # Errors
/// What the check says of that part, and the part.
pub fn check_bytes(input: &[u8], mut check: impl FnMut(&[u8]) -> Outcome) -> Outcome {
    let Err(first) = guarded(|| check(input)) else { return Ok(()) };
    let smallest = shrink(input, |part| guarded(|| check(part)).is_err());
    let said = guarded(|| check(&smallest)).err().unwrap_or(first);
    Err(format!("{said}\n  input: {}", show(&smallest)))
}

/// [`check_bytes`] for text.
///
/// # Errors
/// As [`check_bytes`].
pub fn check_text(input: &str, mut check: impl FnMut(&str) -> Outcome) -> Outcome {
    check_bytes(input.as_bytes(), |bytes| match std::str::from_utf8(bytes) {
        Ok(text) => check(text),
        // Cut inside a character: not an input of this kind.
        Err(_) => Ok(()),
    })
}

/// Bytes as a literal, the beginning if there are many.
pub fn show(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(SHOWN)];
    let more = if bytes.len() > SHOWN { format!("… ({} bytes)", bytes.len()) } else { String::new() };
    match std::str::from_utf8(shown) {
        Ok(text) => format!("{text:?}{more}"),
        Err(_) => format!("b\"{}\"{more}", shown.escape_ascii()),
    }
}

/// Leaves out ever smaller parts of `input` for as long as it still fails.
fn shrink(input: &[u8], mut fails: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut smallest = input.to_vec();
    let (mut part, mut tries) = (smallest.len() / 2, 0);
    while part > 0 {
        let (mut at, before) = (0, smallest.len());
        while at < smallest.len() {
            tries += 1;
            if tries > TRIES {
                return smallest;
            }
            let end = (at + part).min(smallest.len());
            let candidate = [&smallest[..at], &smallest[end..]].concat();
            if fails(&candidate) {
                smallest = candidate;
            } else {
                at = end;
            }
        }
        if smallest.len() == before || part > 1 {
            part /= 2;
        }
    }
    smallest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_with_the_smallest_input_that_fails() {
        let outcome = check_text("some {{ text with } braces", |text| match text.contains("{{") {
            true => Err("has braces".into()),
            false => Ok(()),
        });
        assert_eq!(outcome, Err("has braces\n  input: \"{{\"".to_owned()));
    }

    #[test]
    fn a_panic_is_a_failure() {
        catch_panics();
        let outcome = check_bytes(b"xay", |bytes| {
            assert!(!bytes.contains(&b'a'), "an a");
            Ok(())
        });
        assert!(outcome.unwrap_err().contains("an a\n  input: \"a\""));
    }
}
