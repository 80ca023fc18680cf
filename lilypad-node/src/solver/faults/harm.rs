//! What can go wrong.

use std::time::Duration;

use super::call::Call;

/// What happens to a request or its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Harm {
    /// The solver does nothing and gives this answer.
    Instead(Reply),
    /// The solver does what it was asked, and gives this answer all the same: a gateway that lost patience, for one.
    Afterwards(Reply),
    /// The request waits so long before the solver sees it.
    Delay(Duration),
    /// The solver does what it was asked at once; its answer comes so much later.
    DelayAnswer(Duration),
    /// The connection is closed before the solver does anything.
    HangUp,
    /// The solver does what it was asked; the connection is closed without an answer.
    LoseAnswer,
    /// The solver does what it was asked; the connection is closed after `at` bytes of the answer, its head included. A shorter answer
    /// arrives whole.
    CutAnswer {
        /// How many bytes arrive.
        at: u64,
    },
    /// The solver does what it was asked; the connection is closed after `at` bytes of the answer's body, or before the last byte if
    /// there are not as many.
    CutBody {
        /// How many bytes arrive.
        at: u64,
    },
    /// The connection is closed when `at` bytes of the request's body have arrived, or at its end if there are not as many. The solver
    /// does not do what it was asked.
    CutUpload {
        /// How many bytes arrive.
        at: u64,
    },
    /// The solver tells something that isn't so. On calls whose answer has nothing of the kind, nothing happens and nothing is counted.
    Lie(Lie),
    /// Files arrive damaged, in an answer that is complete. For the calls that fetch files.
    Damage(Damage),
    /// The result is kept without its `exitCode`, in an archive and with an id that fit each other. For [`Call::PostResult`].
    NoExitCode,
}

impl Harm {
    /// Whether it can happen to this call at all.
    pub(super) fn suits(&self, call: Call) -> bool {
        match self {
            Self::CutUpload { .. } => call.has_body(),
            Self::Damage(_) => matches!(call, Call::GetJobFiles | Call::GetInputFiles | Call::GetResultFiles),
            Self::NoExitCode => call == Call::PostResult,
            Self::Lie(lie) => match lie {
                // An answer to a POST depends on what was posted, so none is the same again.
                Lie::Stale => !call.has_body() && call != Call::OpenSocket,
                Lie::Omit | Lie::Strangers => {
                    matches!(call, Call::ListJobOffers | Call::ListResourceOffers | Call::ListDeals)
                }
                Lie::FalseDeals => matches!(call, Call::ListDeals | Call::GetDeal),
                Lie::WrongCid => call == Call::GetResult,
            },
            _ => true,
        }
    }

    /// Whether nothing of the true answer is left, so that other faults of the same request would not be seen.
    pub(super) fn is_final(&self) -> bool {
        !matches!(self, Self::Delay(_) | Self::DelayAnswer(_) | Self::Lie(_) | Self::Damage(_) | Self::NoExitCode)
    }
}

/// An answer that the solver would not give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Its status.
    pub(super) status: u16,
    /// The value of its `Retry-After`.
    pub(super) retry_after: Option<String>,
    /// What its body is called.
    pub(super) content_type: &'static str,
    /// Its body.
    pub(super) body: String,
}

/// What most answers of the solver are called.
const PLAIN: &str = "text/plain; charset=utf-8";

impl Reply {
    /// Any status and text.
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, retry_after: None, content_type: PLAIN, body: body.into() }
    }

    /// A status, with nothing to say about it.
    pub fn status(status: u16) -> Self {
        Self::new(status, "")
    }

    /// 429, in the solver's words, without a hint when to come back.
    pub fn too_many() -> Self {
        Self::new(429, "Too Many Requests\n")
    }

    /// The page of a gateway that says that all is well.
    pub fn html() -> Self {
        let page = "<!DOCTYPE html>\n<html><body><h1>It works!</h1></body></html>\n";
        Self { content_type: "text/html; charset=utf-8", ..Self::new(200, page) }
    }

    /// JSON that ends in the middle, in an answer that is complete.
    pub fn truncated_json() -> Self {
        Self::new(200, "{\"id\":\"QmUHyDLS4rJeVB5tnNmSyELmz9AYZeMiRXHAPCh")
    }

    /// `null`.
    pub fn null() -> Self {
        Self::new(200, "null\n")
    }

    /// A job offer that somebody else posted.
    pub fn other_offer() -> Self {
        Self::new(200, super::lie::other_offer())
    }

    /// With a `Retry-After` of so many seconds, however many.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds.to_string());
        self
    }
}

/// Something that the solver tells and that isn't so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lie {
    /// The answer that the same request got when it was first made after the fault was added. That first time is not counted.
    Stale,
    /// A list without its newest record. One without records stays as it is, and is not counted.
    Omit,
    /// A list that begins with records of somebody else: one for each of its own, or just one.
    Strangers,
    /// Deals, in a list or alone, whose content is not that of their id: the price is another.
    FalseDeals,
    /// A result whose id is that of other files.
    WrongCid,
}

/// What happens to files on their way.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// One bit of the byte at this place is another.
    FlipByte {
        /// The place, from 0.
        at: u64,
    },
    /// They end after so many bytes.
    Truncate {
        /// How many bytes arrive.
        at: u64,
    },
    /// These bytes follow.
    Append(Vec<u8>),
    /// In their place comes an archive with a file that belongs beside the folder into which it is unpacked: `../escaped.txt`.
    Traversal,
}

/// What happens to an event on its way to those who listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventHarm {
    /// It is not told.
    Drop,
    /// It is told so much later, and others overtake it.
    Delay(Duration),
    /// It is told twice.
    Duplicate,
    /// It is told after the event that follows it, and not before one does.
    Reorder,
    /// A deal in it does not have the content of its id: the price is another. Events without a deal stay as they are.
    FalseDeal,
    /// It is not told: the socket breaks in its place.
    Cut,
}
