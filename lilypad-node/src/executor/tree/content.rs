//! What files hold: host files that only their number names.

use std::fs::{self, File, OpenOptions};
use std::path::PathBuf;
use std::time::SystemTime;

use super::super::Failure;
use super::super::wasi::{Errno, Interrupt};
use super::{Content, Inode, Kind, Tree};

impl Tree {
    /// Opens what a file holds. For writing, an input is copied first, so that the job's own inputs never change.
    pub(in super::super) fn open_content(&mut self, inode: Inode, write: bool) -> Result<File, Interrupt> {
        if write {
            self.copy_input(inode)?;
        }
        let (Content::Input(path) | Content::Scratch(path)) = self.content(inode)?;
        Ok(OpenOptions::new().read(true).write(write).open(path).map_err(Failure::host("open", path))?)
    }

    /// Allows a file to become `end` bytes long at least, before anything is written there.
    pub(in super::super) fn grow(&mut self, inode: Inode, end: u64) -> Result<(), Interrupt> {
        let size = self.stat(inode)?.size;
        if end > size {
            self.quota.take_bytes(end - size)?;
        }
        self.set_recorded_size(inode, size.max(end))
    }

    /// Cuts or extends a file to `size`; `host` is open on it for writing.
    pub(in super::super) fn set_size(&mut self, inode: Inode, host: &File, size: u64) -> Result<(), Interrupt> {
        let before = self.stat(inode)?.size;
        self.grow(inode, size)?;
        let (Content::Input(path) | Content::Scratch(path)) = self.content(inode)?;
        host.set_len(size).map_err(Failure::host("resize", path))?;
        if size < before {
            self.quota.return_bytes(before - size);
        }
        self.set_recorded_size(inode, size)
    }

    /// A failure of the machine under a program's file.
    pub(in super::super) fn host_failure(
        &self,
        inode: Inode,
        operation: &'static str,
        source: std::io::Error,
    ) -> Interrupt {
        match self.content(inode) {
            Ok(Content::Input(path) | Content::Scratch(path)) => Failure::host(operation, path)(source).into(),
            Err(errno) => errno.into(),
        }
    }

    /// A path in the scratch folder that nothing has used yet, for the next file.
    pub(super) fn new_scratch(&self) -> PathBuf {
        self.scratch.path().join((self.last.0 + 1).to_string())
    }

    fn copy_input(&mut self, inode: Inode) -> Result<(), Interrupt> {
        let Content::Input(input) = self.content(inode)?.clone() else { return Ok(()) };
        let size = self.stat(inode)?.size;
        self.quota.take_bytes(size)?;
        let copy = self.scratch.path().join(inode.0.to_string());
        let mut from = File::open(&input).map_err(Failure::host("open", &input))?;
        let mut to = File::create_new(&copy).map_err(Failure::host("create", &copy))?;
        std::io::copy(&mut from, &mut to).map_err(Failure::host("copy", &input))?;
        if let Kind::File { content, .. } = &mut self.node_mut(inode)?.kind {
            *content = Content::Scratch(copy);
        }
        Ok(())
    }

    pub(super) fn content(&self, inode: Inode) -> Result<&Content, Errno> {
        match &self.node(inode)?.kind {
            Kind::File { content, .. } => Ok(content),
            Kind::Directory { .. } => Err(Errno::IsDir),
        }
    }

    fn set_recorded_size(&mut self, inode: Inode, new: u64) -> Result<(), Interrupt> {
        let node = self.node_mut(inode)?;
        match &mut node.kind {
            Kind::File { size, .. } => *size = new,
            Kind::Directory { .. } => return Err(Errno::IsDir.into()),
        }
        node.modified = SystemTime::now();
        Ok(())
    }
}

/// Moves or copies what a file holds to where the result keeps it.
pub(super) fn deliver(content: &Content, target: &std::path::Path) -> Result<(), Failure> {
    match content {
        Content::Input(path) => {
            let mut from = File::open(path).map_err(Failure::host("open", path))?;
            let mut to = File::create_new(target).map_err(Failure::host("create", target))?;
            std::io::copy(&mut from, &mut to).map_err(Failure::host("write", target))?;
        }
        // The scratch folder is beside the outputs, so this never copies.
        Content::Scratch(path) => fs::rename(path, target).map_err(Failure::host("write", target))?,
    }
    Ok(())
}
