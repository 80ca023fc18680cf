//! What a program has open.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::super::Failure;
use super::super::quota::Quota;
use super::super::tree::{Inode, Tree};
use super::{Errno, Interrupt};

/// The most descriptors that a program can have open; each can be an open file of this machine.
const MAX_OPEN: usize = 256;

/// Something that a program has open.
#[derive(Debug)]
pub(super) enum Descriptor {
    /// Standard input: always at its end.
    Input,
    /// Standard output or error.
    Stream(Stream),
    /// A folder. One that was open from the start tells its path.
    Directory {
        /// Which folder.
        inode: Inode,
        /// The path that the program knows it by without having opened it.
        given: Option<String>,
    },
    /// A file.
    File(OpenFile),
}

/// An open file and where the program is in it.
#[derive(Debug)]
pub(super) struct OpenFile {
    /// Which file.
    pub(super) inode: Inode,
    /// What it holds.
    pub(super) host: File,
    /// Where the next read or write is.
    pub(super) position: u64,
    /// Whether it may be read.
    pub(super) read: bool,
    /// Whether it may be written.
    pub(super) write: bool,
    /// Whether every write goes to the end.
    pub(super) append: bool,
}

/// Standard output or error, kept in a file of the result.
#[derive(Debug)]
pub(super) struct Stream {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Stream {
    /// Starts a stream that is kept in a new file at `path`.
    pub(super) fn create(path: &Path) -> Result<Self, Failure> {
        let file = File::create_new(path).map_err(Failure::host("create", path))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file) })
    }

    /// Appends `bytes`.
    pub(super) fn write(&mut self, bytes: &[u8], quota: &mut Quota) -> Result<(), Failure> {
        quota.take_bytes(bytes.len() as u64)?;
        self.file.write_all(bytes).map_err(Failure::host("write", &self.path))
    }

    /// Makes sure that the file holds everything so far.
    fn flush(&mut self) -> Result<(), Failure> {
        self.file.flush().map_err(Failure::host("write", &self.path))
    }
}

/// Everything that a program has open, by number.
#[derive(Debug)]
pub(super) struct Descriptors(BTreeMap<u32, Descriptor>);

impl Descriptors {
    /// What is open when a program starts: the three streams, then the folders `given` with their paths.
    pub(super) fn new(stdout: Stream, stderr: Stream, given: Vec<(Inode, String)>) -> Self {
        let streams = [Descriptor::Input, Descriptor::Stream(stdout), Descriptor::Stream(stderr)];
        let folders = given.into_iter().map(|(inode, path)| Descriptor::Directory { inode, given: Some(path) });
        Self((0..).zip(streams.into_iter().chain(folders)).collect())
    }

    /// The descriptor with this number.
    pub(super) fn get(&self, number: u32) -> Result<&Descriptor, Errno> {
        self.0.get(&number).ok_or(Errno::BadF)
    }

    /// The same, to change it.
    pub(super) fn get_mut(&mut self, number: u32) -> Result<&mut Descriptor, Errno> {
        self.0.get_mut(&number).ok_or(Errno::BadF)
    }

    /// The file that is open as `number`.
    pub(super) fn file(&mut self, number: u32) -> Result<&mut OpenFile, Errno> {
        match self.get_mut(number)? {
            Descriptor::File(file) => Ok(file),
            Descriptor::Directory { .. } => Err(Errno::IsDir),
            Descriptor::Input | Descriptor::Stream(_) => Err(Errno::SPipe),
        }
    }

    /// The folder that is open as `number`.
    pub(super) fn directory(&self, number: u32) -> Result<Inode, Errno> {
        match self.get(number)? {
            Descriptor::Directory { inode, .. } => Ok(*inode),
            Descriptor::Input | Descriptor::Stream(_) | Descriptor::File(_) => Err(Errno::NotDir),
        }
    }

    /// An error when no more can be opened.
    pub(super) fn check_room(&self) -> Result<(), Errno> {
        if self.0.len() < MAX_OPEN { Ok(()) } else { Err(Errno::MFile) }
    }

    /// Gives `descriptor` the lowest free number.
    pub(super) fn open(&mut self, descriptor: Descriptor, tree: &mut Tree) -> Result<u32, Interrupt> {
        self.check_room()?;
        if let Some(inode) = descriptor.inode() {
            tree.opened(inode)?;
        }
        let number = (0..).zip(self.0.keys()).take_while(|(free, used)| free == *used).count();
        let number = u32::try_from(number).map_err(|_| Errno::MFile)?;
        self.0.insert(number, descriptor);
        Ok(number)
    }

    /// Closes `number`.
    pub(super) fn close(&mut self, number: u32, tree: &mut Tree) -> Result<(), Interrupt> {
        let mut descriptor = self.0.remove(&number).ok_or(Errno::BadF)?;
        if let Descriptor::Stream(stream) = &mut descriptor {
            stream.flush()?;
        }
        let inode = descriptor.inode();
        // The host file is closed before the tree may remove it.
        drop(descriptor);
        inode.map_or(Ok(()), |inode| tree.closed(inode))
    }

    /// Gives `from` the number `to`, closing what was there.
    pub(super) fn renumber(&mut self, from: u32, to: u32, tree: &mut Tree) -> Result<(), Interrupt> {
        self.get(from)?;
        self.get(to)?;
        if from != to {
            self.close(to, tree)?;
            let descriptor = self.0.remove(&from).ok_or(Errno::BadF)?;
            self.0.insert(to, descriptor);
        }
        Ok(())
    }

    /// Makes sure that the files of the streams hold everything so far.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        for descriptor in self.0.values_mut() {
            if let Descriptor::Stream(stream) = descriptor {
                stream.flush()?;
            }
        }
        Ok(())
    }
}

impl Descriptor {
    /// The node of the tree that is open, but not the folders that are open from the start: those can go nowhere.
    fn inode(&self) -> Option<Inode> {
        match self {
            Self::File(file) => Some(file.inode),
            Self::Directory { inode, given: None } => Some(*inode),
            Self::Directory { given: Some(_), .. } | Self::Input | Self::Stream(_) => None,
        }
    }
}
