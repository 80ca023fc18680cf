//! Calls on something that is open: reading, writing, moving about, listing.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::time::{Duration, SystemTime};

use super::super::tree::{Inode, Stat};
use super::descriptor::{Descriptor, OpenFile};
use super::memory::Memory;
use super::{Errno, Interrupt, Process};

/// The numbers that WASI gives to kinds of files.
mod filetype {
    pub(super) const UNKNOWN: u8 = 0;
    pub(super) const DIRECTORY: u8 = 3;
    pub(super) const REGULAR: u8 = 4;
}

/// The flag of a descriptor whose writes all go to the end.
pub(super) const APPEND: u32 = 1;
/// All rights that WASI has. What a program may do is decided by what it reaches, so that nobody has to keep account of rights.
const ALL_RIGHTS: u64 = (1 << 30) - 1;
/// The rights to seek and to tell, which streams lack.
const POSITION_RIGHTS: u64 = 1 << 2 | 1 << 5;
/// The length of an entry in a listing, before its name.
const ENTRY_HEADER: usize = 24;

impl Process {
    /// `fd_read` and, with a position of its own, `fd_pread`.
    pub(super) fn read(
        &mut self,
        memory: &mut Memory<'_>,
        fd: u32,
        pieces: &[Range<usize>],
        at: Option<u64>,
    ) -> Result<usize, Interrupt> {
        if let Descriptor::Input = self.descriptors.get(fd)? {
            return if at.is_some() { Err(Errno::SPipe.into()) } else { Ok(0) };
        }
        if let Descriptor::Stream(_) = self.descriptors.get(fd)? {
            return Err(Errno::BadF.into());
        }
        let file = self.descriptors.file(fd)?;
        if !file.read {
            return Err(Errno::BadF.into());
        }
        let start = at.unwrap_or(file.position);
        let mut total = 0;
        let outcome = file.host.seek(SeekFrom::Start(start)).and_then(|_| {
            for piece in pieces {
                let wanted = piece.len();
                let got = read_full(&mut file.host, &mut memory.0[piece.clone()])?;
                total += got;
                if got < wanted {
                    break;
                }
            }
            Ok(())
        });
        outcome.map_err(|source| self.tree.host_failure(file.inode, "read", source))?;
        if at.is_none() {
            file.position = start + total as u64;
        }
        Ok(total)
    }

    /// `fd_write` and, with a position of its own, `fd_pwrite`.
    pub(super) fn write(
        &mut self,
        memory: &Memory<'_>,
        fd: u32,
        pieces: &[Range<usize>],
        at: Option<u64>,
    ) -> Result<usize, Interrupt> {
        let total = pieces.iter().map(ExactSizeIterator::len).sum();
        if let Descriptor::Stream(stream) = self.descriptors.get_mut(fd)? {
            if at.is_some() {
                return Err(Errno::SPipe.into());
            }
            for piece in pieces {
                stream.write(&memory.0[piece.clone()], &mut self.tree.quota)?;
            }
            return Ok(total);
        }
        if let Descriptor::Input = self.descriptors.get(fd)? {
            return Err(Errno::BadF.into());
        }
        let OpenFile { inode, host, position, write, append, .. } = self.descriptors.file(fd)?;
        if !*write {
            return Err(Errno::BadF.into());
        }
        let start = match at {
            Some(at) => at,
            None if *append => self.tree.stat(*inode)?.size,
            None => *position,
        };
        let end = start.checked_add(total as u64).filter(|end| *end <= i64::MAX as u64).ok_or(Errno::Inval)?;
        // Even far beyond the end: a file counts as long as it looks.
        if total > 0 {
            self.tree.grow(*inode, end)?;
        }
        let outcome = host
            .seek(SeekFrom::Start(start))
            .and_then(|_| pieces.iter().try_for_each(|piece| host.write_all(&memory.0[piece.clone()])));
        outcome.map_err(|source| self.tree.host_failure(*inode, "write", source))?;
        if at.is_none() {
            *position = end;
        }
        Ok(total)
    }

    /// `fd_seek`.
    pub(super) fn seek(&mut self, fd: u32, offset: i64, whence: u32) -> Result<u64, Interrupt> {
        let file = self.descriptors.file(fd)?;
        let from = match whence {
            0 => 0,
            1 => file.position,
            2 => self.tree.stat(file.inode)?.size,
            _ => return Err(Errno::Inval.into()),
        };
        let position = from.checked_add_signed(offset).filter(|at| *at <= i64::MAX as u64).ok_or(Errno::Inval)?;
        file.position = position;
        Ok(position)
    }

    /// `fd_filestat_set_size` and `fd_allocate`, which never makes a file shorter.
    pub(super) fn set_size(&mut self, fd: u32, size: u64, shorten: bool) -> Result<(), Interrupt> {
        let file = self.descriptors.file(fd)?;
        if !file.write || size > i64::MAX as u64 {
            return Err(Errno::Inval.into());
        }
        if shorten || size > self.tree.stat(file.inode)?.size {
            self.tree.set_size(file.inode, &file.host, size)?;
        }
        Ok(())
    }

    /// `fd_fdstat_set_flags`: only appending makes a difference here.
    pub(super) fn set_flags(&mut self, fd: u32, flags: u32) -> Result<(), Interrupt> {
        if let Descriptor::File(file) = self.descriptors.get_mut(fd)? {
            file.append = flags & APPEND != 0;
        }
        Ok(())
    }

    /// `fd_fdstat_get`: kind, flags and rights of a descriptor, 24 bytes at `address`.
    pub(super) fn descriptor_status(&self, memory: &mut Memory<'_>, fd: u32, address: u32) -> Result<(), Interrupt> {
        let (kind, flags, rights) = match self.descriptors.get(fd)? {
            // Not a character device: C libraries would take that for a terminal.
            Descriptor::Input | Descriptor::Stream(_) => (filetype::UNKNOWN, 0, ALL_RIGHTS & !POSITION_RIGHTS),
            Descriptor::Directory { .. } => (filetype::DIRECTORY, 0, ALL_RIGHTS),
            Descriptor::File(file) => (filetype::REGULAR, u8::from(file.append), ALL_RIGHTS),
        };
        let mut status = [0; 24];
        status[0] = kind;
        status[2] = flags;
        status[8..16].copy_from_slice(&rights.to_le_bytes());
        status[16..24].copy_from_slice(&ALL_RIGHTS.to_le_bytes());
        Ok(memory.write(address, &status)?)
    }

    /// `fd_filestat_get`.
    pub(super) fn file_status(&self, memory: &mut Memory<'_>, fd: u32, address: u32) -> Result<(), Interrupt> {
        match self.node_of(fd)? {
            Some(inode) => write_status(memory, address, self.tree.stat(inode)?),
            None => Ok(memory.write(address, &[0; 64])?),
        }
    }

    /// `fd_filestat_set_times`.
    pub(super) fn set_times(&mut self, fd: u32, accessed: u64, modified: u64, flags: u32) -> Result<(), Interrupt> {
        let inode = self.node_of(fd)?.ok_or(Errno::Inval)?;
        self.set_times_of(inode, accessed, modified, flags)
    }

    /// Sets a file's times as the flags of WASI say.
    pub(super) fn set_times_of(
        &mut self,
        inode: Inode,
        accessed: u64,
        modified: u64,
        flags: u32,
    ) -> Result<(), Interrupt> {
        let time = |flags: u32, given: u64| match flags & 3 {
            0 => Ok(None),
            1 => Ok(SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(given))),
            2 => Ok(Some(SystemTime::now())),
            _ => Err(Errno::Inval),
        };
        Ok(self.tree.set_times(inode, time(flags, accessed)?, time(flags >> 2, modified)?)?)
    }

    /// `fd_readdir`: as many entries as fit into `length` bytes, the last of them possibly cut off.
    pub(super) fn list(
        &self,
        memory: &mut Memory<'_>,
        fd: u32,
        (address, length): (u32, u32),
        cookie: u64,
    ) -> Result<usize, Interrupt> {
        let directory = self.descriptors.directory(fd)?;
        let buffer = memory.bytes_mut(address, length)?;
        let mut used = 0;
        let mut put = |next: u64, inode: Inode, kind: u8, name: &str| {
            let mut entry = Vec::with_capacity(ENTRY_HEADER + name.len());
            entry.extend_from_slice(&next.to_le_bytes());
            entry.extend_from_slice(&inode.0.to_le_bytes());
            entry.extend_from_slice(&(name.len() as u32).to_le_bytes());
            entry.extend_from_slice(&[kind, 0, 0, 0]);
            entry.extend_from_slice(name.as_bytes());
            let taken = entry.len().min(buffer.len() - used);
            buffer[used..used + taken].copy_from_slice(&entry[..taken]);
            used += taken;
            used < buffer.len()
        };
        // A cookie is the number of the last entry seen; 1 and 2, which no entry has, stand for the two that every folder has.
        let mut room = true;
        if cookie < 1 {
            room = put(1, directory, filetype::DIRECTORY, ".");
        }
        if room && cookie < 2 {
            room = put(2, self.tree.parent(directory)?, filetype::DIRECTORY, "..");
        }
        if room {
            for (name, stat) in self.tree.entries(directory, Inode(cookie))? {
                if !put(stat.inode.0, stat.inode, kind_of(stat), name) {
                    break;
                }
            }
        }
        Ok(used)
    }

    fn node_of(&self, fd: u32) -> Result<Option<Inode>, Errno> {
        Ok(match self.descriptors.get(fd)? {
            Descriptor::Input | Descriptor::Stream(_) => None,
            Descriptor::Directory { inode, .. } => Some(*inode),
            Descriptor::File(file) => Some(file.inode),
        })
    }
}

/// Writes what there is to know about a file, 64 bytes at `address`.
pub(super) fn write_status(memory: &mut Memory<'_>, address: u32, stat: Stat) -> Result<(), Interrupt> {
    let mut status = [0; 64];
    status[8..16].copy_from_slice(&stat.inode.0.to_le_bytes());
    status[16] = kind_of(stat);
    status[24] = 1;
    status[32..40].copy_from_slice(&stat.size.to_le_bytes());
    status[40..48].copy_from_slice(&nanoseconds(stat.accessed).to_le_bytes());
    status[48..56].copy_from_slice(&nanoseconds(stat.modified).to_le_bytes());
    status[56..64].copy_from_slice(&nanoseconds(stat.modified).to_le_bytes());
    Ok(memory.write(address, &status)?)
}

/// Nanoseconds since 1970, 0 for anything before.
pub(super) fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

fn kind_of(stat: Stat) -> u8 {
    if stat.is_directory { filetype::DIRECTORY } else { filetype::REGULAR }
}

/// Reads until `buffer` is full or the file ends.
fn read_full(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut total = 0;
    while total < buffer.len() {
        match file.read(&mut buffer[total..]) {
            Ok(0) => break,
            Ok(got) => total += got,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(total)
}
