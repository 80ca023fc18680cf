//! Which content the network refuses: programs, by their first bytes, and scripts, by their first lines.

/// How many bytes of a file tell what it is.
const HEAD: usize = 4096;
/// How many lines of a file may not hold a script.
const LINES: usize = 10;
/// The reference stops reading at a line longer than this.
const LINE_LIMIT: usize = 64 << 10;

/// Programs, by their first bytes.
const PROGRAMS: &[(&[u8], &str)] = &[
    (b"\x7fELF", "is a program (ELF)"),
    (b"\xfe\xed\xfa\xce", "is a program (Mach-O)"),
    (b"\xfe\xed\xfa\xcf", "is a program (Mach-O)"),
    (b"\xce\xfa\xed\xfe", "is a program (Mach-O)"),
    (b"\xcf\xfa\xed\xfe", "is a program (Mach-O)"),
    (b"\xca\xfe\xba\xbe", "is a program (Mach-O or Java class)"),
    (b"\xbe\xba\xfe\xca", "is a program (Mach-O)"),
    (b"CWS", "is a program (Flash)"),
    (b"FWS", "is a program (Flash)"),
];

/// Formats that are known by their first bytes and hold no script lines. Anything else may be text.
const BINARY_FORMATS: &[&[u8]] = &[
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF8",
    b"RIFF",
    b"II*\0",
    b"MM\0*",
    b"%PDF",
    b"PK\x03\x04",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"7z\xbc\xaf\x27\x1c",
    b"OggS",
    b"fLaC",
    b"ID3",
    b"\0asm",
    b"SQLite format 3\0",
];

/// Says what a file is, if the network refuses it.
pub(super) fn refused(content: &[u8]) -> Option<&'static str> {
    let head = &content[..content.len().min(HEAD)];
    if let Some((_, what)) = PROGRAMS.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(what);
    }
    // Two letters alone could begin a text; a text has no zero bytes.
    if head.starts_with(b"MZ") && head.contains(&0) {
        return Some("is a program (Windows)");
    }
    // A Java archive is a zip whose first entry is its manifest's folder; the name follows a header of 30 bytes.
    if head.starts_with(b"PK\x03\x04") && head.get(30..).is_some_and(|name| name.starts_with(b"META-INF/")) {
        return Some("is a program (Java archive)");
    }
    if BINARY_FORMATS.iter().any(|magic| head.starts_with(magic)) {
        return None;
    }
    for (number, line) in content.split(|byte| *byte == b'\n').take(LINES).enumerate() {
        if line.len() > LINE_LIMIT {
            return None;
        }
        if number == 0 && line.starts_with(b"#!") {
            return Some("is a script (its first line begins with `#!`)");
        }
        if contains(line, b"<script") {
            return Some("is a script (`<script` in its first 10 lines)");
        }
        if contains(line, b"<?php") {
            return Some("is a script (`<?php` in its first 10 lines)");
        }
    }
    None
}

/// Whether `part` occurs in `line`.
fn contains(line: &[u8], part: &[u8]) -> bool {
    line.windows(part.len()).any(|window| window == part)
}
