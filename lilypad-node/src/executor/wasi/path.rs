//! Calls on something that a path names.

use super::descriptor::{Descriptor, OpenFile};
use super::file::{APPEND, write_status};
use super::memory::Memory;
use super::{Errno, Interrupt, Process};

/// How to open what a path names, as WASI's numbers say it.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenHow {
    /// What to do if it is there, or is not.
    pub(super) open: u32,
    /// The rights wanted; reading and writing are the ones that matter here.
    pub(super) rights: u64,
    /// The flags of the descriptor.
    pub(super) flags: u32,
}

/// Make the file if it is not there.
const CREATE: u32 = 1;
/// Open folders only.
const DIRECTORY: u32 = 2;
/// Open new files only.
const EXCLUSIVE: u32 = 4;
/// Empty the file.
const TRUNCATE: u32 = 8;
/// The right to read.
const READ: u64 = 1 << 1;
/// The right to write.
const WRITE: u64 = 1 << 6;

impl Process {
    /// `path_open`: the new descriptor.
    pub(super) fn open(&mut self, fd: u32, path: &str, how: OpenHow) -> Result<u32, Interrupt> {
        self.descriptors.check_room()?;
        let write = how.rights & WRITE != 0 || how.open & TRUNCATE != 0;
        let place = self.tree.resolve(self.descriptors.directory(fd)?, path)?;
        let inode = match place.found {
            Some(_) if how.open & (CREATE | EXCLUSIVE) == CREATE | EXCLUSIVE => return Err(Errno::Exist.into()),
            Some(_) => self.tree.find(self.descriptors.directory(fd)?, path)?,
            None if how.open & (CREATE | DIRECTORY) == CREATE => self.tree.create_file(&place)?,
            None => return Err(Errno::NoEnt.into()),
        };
        let stat = self.tree.stat(inode)?;
        let descriptor = if stat.is_directory {
            if how.open & (TRUNCATE | CREATE) != 0 || write && how.open & DIRECTORY == 0 {
                return Err(Errno::IsDir.into());
            }
            Descriptor::Directory { inode, given: None }
        } else {
            if how.open & DIRECTORY != 0 {
                return Err(Errno::NotDir.into());
            }
            let host = self.tree.open_content(inode, write)?;
            if how.open & TRUNCATE != 0 {
                self.tree.set_size(inode, &host, 0)?;
            }
            let (read, append) = (how.rights & READ != 0, how.flags & APPEND != 0);
            Descriptor::File(OpenFile { inode, host, position: 0, read, write, append })
        };
        self.descriptors.open(descriptor, &mut self.tree)
    }

    /// `path_create_directory`.
    pub(super) fn create_directory(&mut self, fd: u32, path: &str) -> Result<(), Interrupt> {
        self.tree.create_directory(self.descriptors.directory(fd)?, path)?;
        Ok(())
    }

    /// `path_remove_directory`.
    pub(super) fn remove_directory(&mut self, fd: u32, path: &str) -> Result<(), Interrupt> {
        self.tree.remove_directory(self.descriptors.directory(fd)?, path)
    }

    /// `path_unlink_file`.
    pub(super) fn remove_file(&mut self, fd: u32, path: &str) -> Result<(), Interrupt> {
        self.tree.remove_file(self.descriptors.directory(fd)?, path)
    }

    /// `path_rename`.
    pub(super) fn rename(&mut self, from: (u32, &str), to: (u32, &str)) -> Result<(), Interrupt> {
        let from_base = self.descriptors.directory(from.0)?;
        let to_base = self.descriptors.directory(to.0)?;
        self.tree.rename((from_base, from.1), (to_base, to.1))
    }

    /// `path_filestat_get`.
    pub(super) fn path_status(
        &self,
        memory: &mut Memory<'_>,
        fd: u32,
        path: (u32, u32),
        address: u32,
    ) -> Result<(), Interrupt> {
        let inode = self.tree.find(self.descriptors.directory(fd)?, memory.text(path.0, path.1)?)?;
        write_status(memory, address, self.tree.stat(inode)?)
    }

    /// `path_filestat_set_times`.
    pub(super) fn set_path_times(
        &mut self,
        fd: u32,
        path: &str,
        (accessed, modified): (u64, u64),
        flags: u32,
    ) -> Result<(), Interrupt> {
        let inode = self.tree.find(self.descriptors.directory(fd)?, path)?;
        self.set_times_of(inode, accessed, modified, flags)
    }

    /// `path_readlink`: there are no links, but a program may ask whether something is one.
    pub(super) fn read_link(&self, fd: u32, path: &str) -> Result<(), Interrupt> {
        self.tree.find(self.descriptors.directory(fd)?, path)?;
        Err(Errno::Inval.into())
    }

    /// `fd_prestat_get` and `fd_prestat_dir_name`: the path of a folder that was open from the start.
    pub(super) fn given_path(&self, fd: u32) -> Result<&str, Errno> {
        match self.descriptors.get(fd)? {
            Descriptor::Directory { given: Some(path), .. } => Ok(path),
            _ => Err(Errno::BadF),
        }
    }
}
