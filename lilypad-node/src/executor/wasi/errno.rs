//! How a call that a program makes can end, other than well.

use std::fmt;
use std::time::Duration;

use super::super::Failure;

/// Why a call was refused; the program gets the number and decides for itself. The numbers are those of WASI preview 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(in super::super) enum Errno {
    /// Not a descriptor, or not one for this use.
    BadF = 8,
    /// Belongs to the task and stays where it is.
    Busy = 10,
    /// Is there already.
    Exist = 20,
    /// An address outside of the program's memory.
    Fault = 21,
    /// Not UTF-8.
    IlSeq = 25,
    /// An argument that makes no sense.
    Inval = 28,
    /// A folder where a file is wanted.
    IsDir = 31,
    /// Too many open descriptors.
    MFile = 33,
    /// A name that no file system takes.
    NameTooLong = 37,
    /// Not there.
    NoEnt = 44,
    /// A file where a folder is wanted.
    NotDir = 54,
    /// A folder with something in it.
    NotEmpty = 55,
    /// The sandbox has no such thing: networks, links.
    NotSup = 58,
    /// A number too large for its place.
    Overflow = 61,
    /// A stream that has no positions.
    SPipe = 70,
    /// A path that leads out of its folder.
    NotCapable = 76,
}

/// What ends the program's run, for now or for good, in the middle of a call.
#[derive(Debug)]
pub(in super::super) enum Stop {
    /// The program ends with this exit code.
    Exit(i32),
    /// The program wants to go on after this time.
    Sleep(Duration),
    /// The job fails.
    Failure(Failure),
}

/// Why a call did not do what it is for: the program is told, or never hears of it.
#[derive(Debug)]
pub(in super::super) enum Interrupt {
    /// The program is told.
    Errno(Errno),
    /// The program stops here.
    Stop(Stop),
}

impl From<Errno> for Interrupt {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl From<Failure> for Interrupt {
    fn from(failure: Failure) -> Self {
        Self::Stop(Stop::Failure(failure))
    }
}

impl From<Interrupt> for Failure {
    /// For what is done on behalf of the task rather than of its program, where nobody is there to be told an errno.
    fn from(interrupt: Interrupt) -> Self {
        match interrupt {
            Interrupt::Stop(Stop::Failure(failure)) => failure,
            Interrupt::Stop(stop) => Self::Task(stop.to_string()),
            Interrupt::Errno(errno) => Self::Task(format!("a file or folder cannot be put in place ({errno:?})")),
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "the program ended with exit code {code}"),
            Self::Sleep(duration) => write!(f, "the program sleeps for {duration:?}"),
            Self::Failure(failure) => failure.fmt(f),
        }
    }
}

impl wasmi::errors::HostError for Stop {}
