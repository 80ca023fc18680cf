//! Reading an archive once, from front to end, without holding more of it than a block.

use std::fmt::Display;
use std::io::{self, BufRead};

use super::header::Header;
use super::pax::Extended;
use super::{BLOCK, EntryPath, Kind, padding};
use crate::error::{Error, ErrorKind, Result};

/// The most bytes that an extended header or a long name may have.
const METADATA_LIMIT: u64 = 64 * 1024;
/// The most bytes that are read after the end of the archive: archivers fill up to their record size.
const TAIL_LIMIT: usize = 1024 * 1024;
/// What a solver sends after an archive.
const SOLVER_TAIL: &[u8] = b"{}\n";

/// Reads the entries of an archive in order. Anything out of the ordinary is an error of kind `Integrity` that names the entry.
#[derive(Debug)]
pub(in crate::result) struct Reader<R> {
    /// The bytes.
    source: R,
    /// What errors say was being done.
    operation: &'static str,
    /// Bytes of the current entry's content that have not been read.
    unread: u64,
    /// Zeros between that content and the next header.
    padding: u64,
    /// Header blocks read so far, to point at one whose name cannot be read.
    headers: u64,
}

/// An entry of an archive; its content is read with [`Reader::content`].
#[derive(Debug)]
pub(in crate::result) struct Entry {
    /// Where it belongs.
    pub(in crate::result) path: EntryPath,
    /// What it is.
    pub(in crate::result) kind: Kind,
    /// How many bytes of content it has. None for a folder.
    pub(in crate::result) size: u64,
}

impl<R: BufRead> Reader<R> {
    /// Reads from `source`. `operation` is what errors say was being done.
    pub(in crate::result) fn new(source: R, operation: &'static str) -> Self {
        Self { source, operation, unread: 0, padding: 0, headers: 0 }
    }

    /// The next entry, whatever is left of the last one's content being skipped. `None` at the end of the archive, after which
    /// nothing but what archivers and solvers are known to send has been seen.
    pub(in crate::result) fn next_entry(&mut self) -> Result<Option<Entry>> {
        self.content(|_| Ok(()))?;
        self.skip_padding()?;
        let (mut extended, mut long_name) = (None, None);
        loop {
            let Some(header) = self.header()? else {
                if extended.is_some() || long_name.is_some() {
                    return Err(self.damaged("the archive ends after an extended header"));
                }
                return Ok(None);
            };
            match header.kind {
                b'x' if extended.is_none() => {
                    let records = self.metadata(&header)?;
                    let parsed = Extended::parse(&records).map_err(|reason| self.damaged(reason))?;
                    extended = Some(parsed);
                }
                b'L' if long_name.is_none() => long_name = Some(self.metadata(&header)?),
                b'x' | b'L' => return Err(self.damaged("has two headers for the same purpose")),
                _ => return self.entry(header, extended.unwrap_or_default(), long_name).map(Some),
            }
        }
    }

    /// Hands the content of the current entry to `sink`, in pieces as they come. A second call finds nothing left.
    pub(in crate::result) fn content(&mut self, mut sink: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        while self.unread > 0 {
            let available = read(self.source.fill_buf(), self.operation)?;
            if available.is_empty() {
                return Err(truncated(self.operation));
            }
            let count = usize::try_from(self.unread).map_or(available.len(), |unread| unread.min(available.len()));
            sink(&available[..count])?;
            self.source.consume(count);
            self.unread -= count as u64;
        }
        Ok(())
    }

    /// Puts together what the headers of an entry say.
    fn entry(&mut self, header: Header, extended: Extended, long_name: Option<Vec<u8>>) -> Result<Entry> {
        let operation = self.operation;
        let name = match (extended.path, long_name) {
            (Some(_), Some(_)) => return Err(refuse(operation, &header.name, "is given its name twice")),
            (Some(path), None) => path,
            (None, Some(mut long)) => {
                // GNU ends it with a zero byte.
                long.pop_if(|last| *last == 0);
                long
            }
            (None, None) => header.name,
        };
        let kind = match header.kind {
            b'0' | 0 => Kind::File,
            b'5' => Kind::Folder,
            other => return Err(refuse(operation, &name, refused_kind(other))),
        };
        let size = match extended.size {
            // The header's own field cannot hold it, and says zero; anything else would be a second opinion.
            Some(size) if header.size == 0 || header.size == size => size,
            Some(_) => return Err(refuse(operation, &name, "is given two sizes")),
            None => header.size,
        };
        if kind == Kind::Folder && size != 0 {
            return Err(refuse(operation, &name, "is a folder with content of its own"));
        }
        let path = EntryPath::parse(&name, kind).map_err(|reason| refuse(operation, &name, reason))?;
        self.expect(size);
        Ok(Entry { path, kind, size })
    }

    /// The next header block. `None` at the end of the archive.
    fn header(&mut self) -> Result<Option<Header>> {
        let block = self.block()?;
        if block != [0; BLOCK] {
            self.headers += 1;
            return Header::parse(&block).map(Some).map_err(|reason| self.damaged(reason));
        }
        if self.block()? != [0; BLOCK] {
            return Err(self.damaged("the archive goes on after a block of zeros"));
        }
        self.tail()?;
        Ok(None)
    }

    /// Looks at what follows the end of the archive: zeros up to a full record, then what a solver adds.
    fn tail(&mut self) -> Result<()> {
        let (mut count, mut of_solver) = (0, 0);
        // The archive is complete. A connection that breaks now takes nothing away from it.
        while let Ok(rest) = self.source.fill_buf() {
            if rest.is_empty() {
                break;
            }
            for byte in rest {
                if of_solver == 0 && *byte == 0 {
                    continue;
                }
                if SOLVER_TAIL.get(of_solver) != Some(byte) {
                    return Err(self.damaged("something follows the end of the archive"));
                }
                of_solver += 1;
            }
            let length = rest.len();
            self.source.consume(length);
            count += length;
            if count > TAIL_LIMIT {
                return Err(self.damaged(format_args!("more than {TAIL_LIMIT} bytes follow the end of the archive")));
            }
        }
        Ok(())
    }

    /// The content of an extended header or a long name.
    fn metadata(&mut self, header: &Header) -> Result<Vec<u8>> {
        if header.size > METADATA_LIMIT {
            return Err(self.damaged(format_args!("has an extended header of more than {METADATA_LIMIT} bytes")));
        }
        self.expect(header.size);
        let mut bytes = Vec::new();
        self.content(|piece| {
            bytes.extend_from_slice(piece);
            Ok(())
        })?;
        self.skip_padding()?;
        Ok(bytes)
    }

    /// Says that `size` bytes of content follow.
    fn expect(&mut self, size: u64) {
        self.unread = size;
        self.padding = padding(size) as u64;
    }

    /// Skips the zeros after an entry's content.
    fn skip_padding(&mut self) -> Result<()> {
        self.unread = std::mem::take(&mut self.padding);
        self.content(|_| Ok(()))
    }

    /// The next block.
    fn block(&mut self) -> Result<[u8; BLOCK]> {
        let mut block = [0; BLOCK];
        match self.source.read_exact(&mut block) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(truncated(self.operation)),
            outcome => read(outcome, self.operation).map(|()| block),
        }
    }

    /// The error for an entry whose name is not known.
    fn damaged(&self, reason: impl Display) -> Error {
        integrity(self.operation, format_args!("entry {}: {reason}", self.headers))
    }
}

/// The error for an entry that is not taken.
pub(in crate::result) fn refuse(operation: &'static str, name: &[u8], reason: impl Display) -> Error {
    /// A name longer than this is shortened in messages.
    const SHOWN: usize = 120;
    let name = String::from_utf8_lossy(name);
    let mut shown: String = name.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if name.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    integrity(operation, format_args!("entry `{shown}` {reason}"))
}

/// The error for an archive that is not what it should be.
fn integrity(operation: &'static str, message: impl Display) -> Error {
    Error::new(ErrorKind::Integrity, operation)
        .with_message(message)
        .with_help("the archive is not as an honest provider makes it; nothing of it was kept")
}

/// The error for an archive that stops too early.
fn truncated(operation: &'static str) -> Error {
    Error::new(ErrorKind::Integrity, operation)
        .with_message("the archive ends before it is complete")
        .with_help("the transfer was cut off; nothing was kept, fetch it again")
        .retryable()
}

/// Takes this crate's own error out of a failed read, as a stream puts it in, or makes one.
fn read<T>(outcome: io::Result<T>, operation: &'static str) -> Result<T> {
    outcome.map_err(|error| match error.downcast::<Error>() {
        Ok(own) => own,
        Err(error) => Error::new(ErrorKind::Io, operation).with_source(error),
    })
}

/// Why an entry of this kind is refused.
fn refused_kind(kind: u8) -> &'static str {
    match kind {
        b'1' => "is a hard link",
        b'2' => "is a symbolic link",
        b'3' | b'4' => "is a device",
        b'6' => "is a named pipe",
        b'g' => "is a header for all entries after it",
        b'K' => "is the name of a link",
        b'S' => "is a sparse file",
        b'M' => "is the rest of a file from another archive",
        _ => "is neither a file nor a folder",
    }
}
