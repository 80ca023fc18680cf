//! A program's memory, as the calls that it makes read and write it.

use std::ops::Range;

use super::Errno;

/// The most pieces that one call may read or write.
const MAX_PIECES: u32 = 1024;
/// The most bytes that one call may read or write; programs call again for the rest. Keeps every call short, so that a program can
/// be stopped between two.
const MAX_TRANSFER: usize = 16 << 20;

/// The memory of a program. An address outside of it is an [`Errno::Fault`].
pub(super) struct Memory<'a>(pub(super) &'a mut [u8]);

impl Memory<'_> {
    /// The `length` bytes at `address`.
    pub(super) fn bytes(&self, address: u32, length: u32) -> Result<&[u8], Errno> {
        self.0.get(range(address, length)).ok_or(Errno::Fault)
    }

    /// The same, for writing.
    pub(super) fn bytes_mut(&mut self, address: u32, length: u32) -> Result<&mut [u8], Errno> {
        self.0.get_mut(range(address, length)).ok_or(Errno::Fault)
    }

    /// The text of `length` bytes at `address`.
    pub(super) fn text(&self, address: u32, length: u32) -> Result<&str, Errno> {
        std::str::from_utf8(self.bytes(address, length)?).map_err(|_| Errno::IlSeq)
    }

    /// Reads `N` bytes at `address`, a number's worth.
    pub(super) fn array<const N: usize>(&self, address: u32) -> Result<[u8; N], Errno> {
        let start = address as usize;
        let bytes = start.checked_add(N).and_then(|end| self.0.get(start..end)).ok_or(Errno::Fault)?;
        bytes.try_into().map_err(|_| Errno::Fault)
    }

    /// Writes `bytes` at `address`.
    pub(super) fn write(&mut self, address: u32, bytes: &[u8]) -> Result<(), Errno> {
        let start = address as usize;
        let end = start.checked_add(bytes.len()).ok_or(Errno::Fault)?;
        self.0.get_mut(start..end).ok_or(Errno::Fault)?.copy_from_slice(bytes);
        Ok(())
    }

    /// Writes a size, count or descriptor at `address`.
    pub(super) fn write_size(&mut self, address: u32, size: usize) -> Result<(), Errno> {
        let size = u32::try_from(size).map_err(|_| Errno::Overflow)?;
        self.write(address, &size.to_le_bytes())
    }

    /// The pieces of memory that a list of `count` (address, length) pairs names: those that one call works on.
    pub(super) fn pieces(&self, list: u32, count: u32) -> Result<Vec<Range<usize>>, Errno> {
        if count > MAX_PIECES {
            return Err(Errno::Inval);
        }
        let mut left = MAX_TRANSFER;
        let mut pieces = Vec::new();
        for index in 0..count {
            let pair = list.checked_add(index * 8).ok_or(Errno::Fault)?;
            let address = u32::from_le_bytes(self.array(pair)?);
            let length = u32::from_le_bytes(self.array(pair.checked_add(4).ok_or(Errno::Fault)?)?);
            self.bytes(address, length)?;
            let taken = left.min(length as usize);
            pieces.push(address as usize..address as usize + taken);
            left -= taken;
        }
        Ok(pieces)
    }
}

fn range(address: u32, length: u32) -> Range<usize> {
    // Cannot overflow where `usize` has 64 bits; where it has 32, a saturated end lies outside of any memory.
    address as usize..(address as usize).saturating_add(length as usize)
}
