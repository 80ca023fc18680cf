//! Archives built by hand, so that they can be wrong in every way.

/// An archive that is being built.
#[derive(Clone, Default)]
pub(super) struct Tarball(Vec<u8>);

/// A header that is being built. Honest unless told otherwise.
#[derive(Clone)]
pub(super) struct Header([u8; 512]);

impl Header {
    /// A header of this type for this name, which must have 100 bytes at most.
    pub(super) fn new(kind: u8, name: &[u8]) -> Self {
        let mut block = [0; 512];
        block[..name.len()].copy_from_slice(name);
        block[100..108].copy_from_slice(b"0000644\0");
        block[108..124].copy_from_slice(b"0000000\x000000000\0");
        block[136..148].copy_from_slice(b"00000000000\0");
        block[156] = kind;
        block[257..265].copy_from_slice(b"ustar\x0000");
        Self(block).size(0)
    }

    /// Sets the size.
    pub(super) fn size(self, size: u64) -> Self {
        self.field(124, format!("{size:011o}\0").as_bytes())
    }

    /// Sets the target of a link.
    pub(super) fn link(self, target: &str) -> Self {
        self.field(157, target.as_bytes())
    }

    /// Sets the bytes at an offset.
    pub(super) fn field(mut self, at: usize, bytes: &[u8]) -> Self {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// The block, with its checksum.
    fn finish(mut self) -> [u8; 512] {
        self.0[148..156].fill(b' ');
        let sum: u64 = self.0.iter().map(|byte| u64::from(*byte)).sum();
        self.field(148, format!("{sum:06o}\0 ").as_bytes()).0
    }
}

impl Tarball {
    /// Starts as every result does: the root, `exitCode`, `stderr` and `stdout`.
    pub(super) fn result() -> Self {
        Self::default().folder(".").file("exitCode", b"0").file("stderr", b"").file("stdout", b"moo\n")
    }

    /// Adds a header block.
    pub(super) fn header(self, header: Header) -> Self {
        self.bytes(&header.finish())
    }

    /// Adds bytes as they are.
    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Adds content, filled up to a full block.
    pub(super) fn content(mut self, content: &[u8]) -> Self {
        self.0.extend_from_slice(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    /// Adds a header and its content.
    pub(super) fn entry(self, kind: u8, name: impl AsRef<[u8]>, content: &[u8]) -> Self {
        self.header(Header::new(kind, name.as_ref()).size(content.len() as u64)).content(content)
    }

    /// Adds a file.
    pub(super) fn file(self, name: impl AsRef<[u8]>, content: &[u8]) -> Self {
        self.entry(b'0', name, content)
    }

    /// Adds a folder.
    pub(super) fn folder(self, name: impl AsRef<[u8]>) -> Self {
        self.entry(b'5', name, b"")
    }

    /// Adds an extended header of these records, their lengths put in front.
    pub(super) fn extended(self, records: &[(&str, &[u8])]) -> Self {
        let mut bytes = Vec::new();
        for (key, value) in records {
            let rest = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
            let digits = if rest.len() < 9 {
                1
            } else if rest.len() < 98 {
                2
            } else if rest.len() < 997 {
                3
            } else {
                4
            };
            bytes.extend_from_slice((rest.len() + digits).to_string().as_bytes());
            bytes.extend_from_slice(&rest);
        }
        self.entry(b'x', "PaxHeaders.0/x", &bytes)
    }

    /// The archive without an end.
    pub(super) fn unfinished(self) -> Vec<u8> {
        self.0
    }

    /// The archive with its end, and what a solver sends after it.
    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes(&[0; 1024]).bytes(b"{}\n").0
    }
}
