//! What a program can ask for: the calls of WASI preview 1, answered from a [`Process`].
//!
//! All calls of the standard are there. Files are those of the program's [tree](super::tree); sockets and links are refused. Whether
//! the program may go on is asked at every call, and no call works on more than a bounded number of bytes, so that a program cannot
//! hide from its time limit in them.

mod descriptor;
mod errno;
mod file;
mod link;
mod memory;
mod path;
mod system;

use std::path::Path;
use std::time::Instant;

use wasmi::StoreLimits;

use self::descriptor::{Descriptors, Stream};
pub(super) use self::errno::{Errno, Interrupt, Stop};
pub(super) use self::link::linker;
use super::tree::{Inode, Tree};
use super::watch::Watch;
use super::{Failure, Task};

/// A running program, seen from outside of its memory.
#[derive(Debug)]
pub(super) struct Process {
    /// The program's name, which is empty, then what the task gives.
    arguments: Vec<String>,
    /// `NAME=value`.
    environment: Vec<String>,
    tree: Tree,
    descriptors: Descriptors,
    watch: Watch,
    started: Instant,
    /// What the program's memory and tables may grow to; the interpreter asks.
    pub(super) limits: StoreLimits,
}

impl Process {
    /// A program of `task` that has not begun. It sees `tree`, with the folders `given` open from the start, and writes its streams to
    /// files in `result_dir`.
    pub(super) fn new(
        task: &Task,
        tree: Tree,
        given: Vec<(Inode, String)>,
        result_dir: &Path,
        watch: Watch,
        limits: StoreLimits,
    ) -> Result<Self, Failure> {
        // Nameless, as Bacalhau calls the programs that it runs.
        let arguments: Vec<_> = std::iter::once(String::new()).chain(task.arguments.iter().cloned()).collect();
        let environment: Vec<_> = task.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if let Some(text) = arguments.iter().chain(&environment).find(|text| text.contains('\0')) {
            return Err(Failure::Task(format!("an argument or variable holds a zero byte: `{}`", text.escape_debug())));
        }
        let stdout = Stream::create(&result_dir.join("stdout"))?;
        let stderr = Stream::create(&result_dir.join("stderr"))?;
        let descriptors = Descriptors::new(stdout, stderr, given);
        Ok(Self { arguments, environment, tree, descriptors, watch, started: Instant::now(), limits })
    }

    /// Ends the program: its streams are on disk, nothing is open any more, and its files can be collected.
    pub(super) fn finish(mut self) -> Result<Tree, Failure> {
        self.flush()?;
        Ok(self.tree)
    }

    /// Makes sure that the files of the streams hold all that the program has written.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.descriptors.flush()
    }
}

#[cfg(test)]
mod tests;
