//! What a solver's refusal means.
//!
//! The status code does not say: nearly everything, also what can never succeed, comes as a 500 with one line of text (PROTOCOL.md,
//! section 5). So the text decides.

use crate::error::{Error, ErrorKind};

/// What to make of a text.
struct Meaning {
    /// A part of the text, in lower case.
    text: &'static str,
    /// What kind of error it is.
    kind: ErrorKind,
    /// Whether the same call may succeed later.
    passing: bool,
    /// What to do.
    help: &'static str,
}

/// The known texts; the first that is found decides.
const MEANINGS: &[Meaning] = &[
    Meaning {
        text: "network busy",
        kind: ErrorKind::NetworkBusy,
        passing: true,
        help: "the solver holds as many unmatched jobs as it may; try again later",
    },
    Meaning {
        text: "createdat time is not recent",
        kind: ErrorKind::ClockSkew,
        passing: true,
        help: "set this machine's clock; the solver accepts offers stamped within 30 s of its own",
    },
    Meaning {
        text: "please update to minimum supported version",
        kind: ErrorKind::VersionRejected,
        passing: false,
        help: "the solver wants a newer client: upgrade, or set `client_version`",
    },
    Meaning {
        text: "must name it's solver",
        kind: ErrorKind::Config,
        passing: false,
        help: "set the network's solver address",
    },
    Meaning {
        text: "must have at least one trusted mediator",
        kind: ErrorKind::Config,
        passing: false,
        help: "set the network's mediator addresses",
    },
    Meaning {
        text: "signer address",
        kind: ErrorKind::Unauthorized,
        passing: false,
        help: "this record belongs to another key; use the key that posted the job",
    },
    Meaning {
        text: "not authorized",
        kind: ErrorKind::Unauthorized,
        passing: false,
        help: "this record belongs to another key; use the key that posted the job",
    },
    Meaning {
        text: "unauthorized",
        kind: ErrorKind::Unauthorized,
        passing: false,
        help: "the solver does not accept this key's signature",
    },
    Meaning {
        text: "invalid signature",
        kind: ErrorKind::Unauthorized,
        passing: false,
        help: "the solver does not accept this key's signature",
    },
    Meaning {
        text: "missing user header",
        kind: ErrorKind::Unauthorized,
        passing: false,
        help: "something between here and the solver removes headers",
    },
    Meaning {
        text: "missing signature header",
        kind: ErrorKind::Unauthorized,
        passing: false,
        help: "something between here and the solver removes headers",
    },
    Meaning { text: "timed out with a", kind: ErrorKind::JobTimeout, passing: false, help: "submit the job again" },
    Meaning {
        text: "deal not found",
        kind: ErrorKind::NotFound,
        passing: false,
        help: "check the id and the network; a solver that keeps its records in memory forgets them on restart",
    },
    Meaning {
        text: "result not found",
        kind: ErrorKind::NotFound,
        passing: false,
        help: "the provider has not posted a result yet",
    },
    Meaning {
        text: "request body too large",
        kind: ErrorKind::InvalidInput,
        passing: false,
        help: "the solver takes no more than 10 MB of input files",
    },
    Meaning {
        text: "error parsing",
        kind: ErrorKind::Solver,
        passing: false,
        help: "the solver could not read the request; with input files, they may be larger than it takes (10 MB)",
    },
    Meaning {
        text: "404 page not found",
        kind: ErrorKind::Config,
        passing: false,
        help: "there is no solver at this address; check the solver URL",
    },
];

/// The error for an answer that is not a success. `text` is the first line of its body.
pub(super) fn classify(operation: &'static str, status: u16, text: &str) -> Error {
    let lower = text.to_lowercase();
    if let Some(meaning) = MEANINGS.iter().find(|meaning| lower.contains(meaning.text)) {
        let error = Error::new(meaning.kind, operation).with_message(text).with_help(meaning.help);
        return if meaning.passing { error.retryable() } else { error.permanent() };
    }
    let message = if text.is_empty() { format!("status {status}") } else { format!("{text} (status {status})") };
    let error = Error::new(ErrorKind::Solver, operation).with_message(message);
    match status {
        // Whatever stands before the solver is unwell; the solver itself may have got the request.
        502..=504 => error.retryable().maybe_done(),
        300..=399 => error
            .permanent()
            .with_help("signed requests never follow a redirect: set the solver URL to where it points"),
        // A gateway that waited for the request to arrive: perhaps for its last byte only.
        408 => error.retryable().maybe_done(),
        400..=499 => error.permanent(),
        // A text that nobody has seen: it may pass, but nothing says that the call had no effect.
        _ => error.retryable().maybe_done(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_says_whose_fault_it_is_and_whether_to_try_again() {
        let cases = [
            (500, "network busy", ErrorKind::NetworkBusy, true),
            (503, "network busy", ErrorKind::NetworkBusy, true),
            (500, "job creator address does not match signer address", ErrorKind::Unauthorized, false),
            (401, "missing user header", ErrorKind::Unauthorized, false),
            (500, "Please update to minimum supported version v3 or newer: …", ErrorKind::VersionRejected, false),
            (500, "job offer must name it's solver", ErrorKind::Config, false),
            (500, "job with deal ID QmX timed out with a TimeoutExecution state", ErrorKind::JobTimeout, false),
            (500, "deal not found", ErrorKind::NotFound, false),
            (404, "404 page not found", ErrorKind::Config, false),
            (400, "Error parsing request body", ErrorKind::Solver, false),
            (500, "something new", ErrorKind::Solver, true),
            (502, "Bad Gateway", ErrorKind::Solver, true),
            (302, "", ErrorKind::Solver, false),
        ];
        for (status, text, kind, passing) in cases {
            let error = classify("post job offer", status, text);
            assert_eq!((error.kind(), error.is_retryable()), (kind, passing), "{text}");
        }
    }

    #[test]
    fn an_unknown_text_does_not_promise_that_nothing_happened() {
        assert!(classify("post job offer", 500, "something new").may_have_acted());
        assert!(classify("post job offer", 504, "Gateway Timeout").may_have_acted());
        assert!(!classify("post job offer", 500, "network busy").may_have_acted());
    }
}
