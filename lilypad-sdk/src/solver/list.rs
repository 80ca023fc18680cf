//! Lists as they arrive: one record at a time, in memory that does not grow with the list.
//!
//! A solver answers with all records of an address, for as long as it remembers them. [`Elements`] cuts such an answer into the elements of its
//! array while the bytes come; each is parsed alone. It knows just enough JSON for that (strings, escapes, brackets): whatever it cuts wrongly is
//! no JSON, and the parser of the element says so.

use std::fmt;

use memchr::memchr2;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Result};
use crate::protocol::json;

/// The longest record that is read. Those of real jobs take 2 to 10 kB.
const MAX_ELEMENT: usize = 4 << 20;

/// Reads a list of records of type `T` from pieces of its text.
pub(super) struct ListReader<F> {
    /// What errors say was being done.
    operation: &'static str,
    /// Cuts the text.
    elements: Elements,
    /// Bytes that the list may still have.
    left: u64,
    /// The most that it may have.
    limit: u64,
    /// Records so far.
    count: u64,
    /// Takes the records.
    each: F,
}

impl<F> ListReader<F> {
    /// For a list of `limit` bytes at most, whose records go to `each`.
    pub(super) fn new<T>(operation: &'static str, limit: u64, each: F) -> Self
    where
        T: DeserializeOwned,
        F: FnMut(T),
    {
        Self { operation, elements: Elements::default(), left: limit, limit, count: 0, each }
    }

    /// Takes the next piece of the answer. What comes before an error has gone to `each`.
    pub(super) fn push<T>(&mut self, piece: &[u8]) -> Result<()>
    where
        T: DeserializeOwned,
        F: FnMut(T),
    {
        let Self { operation, elements, left, limit, count, each } = self;
        *left = left.checked_sub(piece.len() as u64).ok_or_else(|| {
            Error::new(ErrorKind::Integrity, *operation)
                .with_message(format_args!("the solver's answer is longer than {} MB", *limit >> 20))
        })?;
        elements
            .push(piece, |element| {
                *count += 1;
                each(json::from_slice(element).map_err(|error| Flaw::Record { number: *count, error })?);
                Ok(())
            })
            .map_err(|flaw| nonsense(operation, &flaw))
    }

    /// Says that the answer is complete.
    pub(super) fn finish(self) -> Result<()> {
        self.elements.finish().map_err(|flaw| nonsense(self.operation, &flaw))
    }
}

/// The error for an answer that is no list of the records asked for.
fn nonsense(operation: &'static str, flaw: &Flaw) -> Error {
    Error::new(ErrorKind::Integrity, operation)
        .with_message(format_args!("the solver's answer makes no sense: {flaw}"))
        .with_help("check that the solver URL points to a Lilypad solver")
}

/// What is wrong with a list.
#[derive(Debug, PartialEq, Eq)]
enum Flaw {
    /// It is something else, which begins like this.
    NoList(String),
    /// One of its records.
    Record {
        /// Which one, from 1.
        number: u64,
        /// What is wrong with it.
        error: json::Error,
    },
    /// A record that is too long.
    TooLong,
    /// Its end is missing.
    Cut,
    /// There is more after its end.
    Tail,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoList(text) => write!(f, "expected a list, found `{text}`"),
            Self::Record { number, error } => write!(f, "record {number}: {error}"),
            Self::TooLong => write!(f, "a record is longer than {} MB", MAX_ELEMENT >> 20),
            Self::Cut => f.write_str("the list ends before it is complete"),
            Self::Tail => f.write_str("something follows the end of the list"),
        }
    }
}

/// Cuts the text of an array into the texts of its elements. `null` is an array without any, as Go writes it.
#[derive(Debug, Default)]
struct Elements {
    /// Where in the text it is.
    place: Place,
    /// The element so far, where it does not lie in one piece.
    element: Vec<u8>,
}

/// Where a text may be cut.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the array.
    #[default]
    Start,
    /// So far into the word `null`.
    Null(usize),
    /// After the opening bracket.
    First,
    /// In an element, below so many brackets.
    Element {
        /// Brackets that are open.
        depth: usize,
    },
    /// In a string of an element.
    Text {
        /// Brackets that are open.
        depth: usize,
    },
    /// After a backslash in a string.
    Escape {
        /// Brackets that are open.
        depth: usize,
    },
    /// After the array.
    End,
}

impl Elements {
    /// Takes the next piece of the text, and hands on the elements that are complete.
    fn push(&mut self, piece: &[u8], mut each: impl FnMut(&[u8]) -> Result<(), Flaw>) -> Result<(), Flaw> {
        // Where the current element begins in this piece.
        let (mut begin, mut at) = (0, 0);
        while let Some(byte) = piece.get(at) {
            let is_space = byte.is_ascii_whitespace();
            match self.place {
                Place::Start | Place::First | Place::End if is_space => {}
                Place::Start if *byte == b'[' => self.place = Place::First,
                Place::Start if *byte == b'n' => self.place = Place::Null(1),
                Place::Start => return Err(Flaw::NoList(beginning(&piece[at..]))),
                Place::Null(done) if b"null"[done] == *byte => {
                    self.place = if done == 3 { Place::End } else { Place::Null(done + 1) };
                }
                Place::Null(done) => return Err(Flaw::NoList("null"[..done].to_owned() + &beginning(&piece[at..]))),
                Place::First if *byte == b']' => self.place = Place::End,
                Place::First => {
                    begin = at;
                    self.place = Place::Element { depth: 0 };
                    // The byte belongs to the element: it is looked at again.
                    continue;
                }
                Place::Element { depth: 0 } if matches!(byte, b',' | b']') => {
                    self.hand_on(&piece[begin..at], &mut each)?;
                    begin = at + 1;
                    self.place = if *byte == b',' { Place::Element { depth: 0 } } else { Place::End };
                }
                Place::Element { depth } => {
                    self.place = match byte {
                        b'"' => Place::Text { depth },
                        b'[' | b'{' => Place::Element { depth: depth + 1 },
                        b']' | b'}' => Place::Element { depth: depth.saturating_sub(1) },
                        _ => self.place,
                    };
                }
                Place::Text { depth } => match memchr2(b'"', b'\\', &piece[at..]) {
                    Some(found) => {
                        at += found;
                        self.place = if piece[at] == b'"' { Place::Element { depth } } else { Place::Escape { depth } };
                    }
                    None => break,
                },
                Place::Escape { depth } => self.place = Place::Text { depth },
                Place::End => return Err(Flaw::Tail),
            }
            at += 1;
        }
        if matches!(self.place, Place::Element { .. } | Place::Text { .. } | Place::Escape { .. }) {
            self.keep(&piece[begin..])?;
        }
        Ok(())
    }

    /// Says that the text is complete.
    fn finish(&self) -> Result<(), Flaw> {
        if self.place == Place::End { Ok(()) } else { Err(Flaw::Cut) }
    }

    /// Hands on the element that ends with `rest`.
    fn hand_on(&mut self, rest: &[u8], each: &mut impl FnMut(&[u8]) -> Result<(), Flaw>) -> Result<(), Flaw> {
        if self.element.is_empty() && rest.len() <= MAX_ELEMENT {
            return each(rest);
        }
        self.keep(rest)?;
        let outcome = each(&self.element);
        self.element.clear();
        outcome
    }

    /// Keeps a part of an element for when the rest of it comes.
    fn keep(&mut self, part: &[u8]) -> Result<(), Flaw> {
        if self.element.len() + part.len() > MAX_ELEMENT {
            return Err(Flaw::TooLong);
        }
        self.element.extend_from_slice(part);
        Ok(())
    }
}

/// The beginning of what stands where a list should, for a message.
fn beginning(text: &[u8]) -> String {
    /// So many characters are enough to recognise a web page.
    const SHOWN: usize = 20;
    let line = text.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    String::from_utf8_lossy(&line[..line.len().min(4 * SHOWN)])
        .chars()
        .take(SHOWN)
        .flat_map(char::escape_debug)
        .collect()
}

#[cfg(test)]
mod tests;
