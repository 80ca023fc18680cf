//! Archives that try something. None is accepted, none writes outside, nothing of any is kept.

use bytes::Bytes;

use super::tarball::{Header, Tarball};
use super::{Destination, OTHER_ID, make, receive_pieces, snapshot};
use crate::error::ErrorKind;

/// An archive that must be refused: what it tries, its bytes, and what the message must say.
struct Case(&'static str, Vec<u8>, &'static str);

/// A result with one more file of this name.
fn named(name: impl AsRef<[u8]>) -> Vec<u8> {
    Tarball::result().file(name, b"x").finish()
}

/// A result with one more header of this type, that names a target.
fn linked(kind: u8, name: &str, target: &str) -> Vec<u8> {
    Tarball::result().header(Header::new(kind, name.as_bytes()).link(target)).finish()
}

/// A result with a file whose extended header has these records.
fn extended(records: &[(&str, &[u8])]) -> Vec<u8> {
    Tarball::result().extended(records).file("a", b"x").finish()
}

/// A result with an extended header of these bytes.
fn raw_extended(records: &[u8]) -> Vec<u8> {
    Tarball::result().entry(b'x', "x", records).file("a", b"x").finish()
}

/// A result with one more file whose size field has these bytes.
fn sized(field: &[u8; 12]) -> Vec<u8> {
    Tarball::result().header(Header::new(b'0', b"a").field(124, field)).content(b"x").finish()
}

/// Names that lead somewhere else, or nowhere.
fn names() -> Vec<Case> {
    let deep = "d/".repeat(257) + "leaf";
    let long = format!("{}leaf", "0123456789abcde/".repeat(257));
    vec![
        Case("absolute path", named("/secret"), "entry `/secret` has an absolute path"),
        Case("absolute path of a folder", Tarball::result().folder("/").finish(), "has an absolute path"),
        Case("two slashes at the start", named("//secret"), "has an absolute path"),
        Case("parent", named("../secret"), "entry `../secret` has `..` in its path"),
        Case("parent of a parent", named("../../secret"), "has `..`"),
        Case("parent behind a folder", named("outputs/../../secret"), "has `..`"),
        Case("parent behind a dot", named("./../secret"), "has `..`"),
        Case("parent as a folder", Tarball::result().folder("outputs/..").finish(), "has `..`"),
        Case("nothing but a parent", Tarball::result().folder("../").finish(), "has `..`"),
        Case("dot in the middle", named("outputs/./a"), "has `.` in its path"),
        Case("two dots at the start", named("././a"), "has `.` in its path"),
        Case("empty name in the middle", named("outputs//a"), "has an empty name in its path"),
        Case("empty name", named(""), "has an empty name"),
        Case("name that is no text", named(b"caf\xe9"), "not UTF-8"),
        Case("zero byte in a name", extended(&[("path", b"stdout\0.txt")]), "has a zero byte in its name"),
        Case("bytes behind a name's end", named(b"a\0/../../secret"), "bytes hidden behind the end of its name"),
        Case("name of 256 bytes", extended(&[("path", &[b'n'; 256])]), "a name of more than 255 bytes"),
        Case("path of 4116 bytes", extended(&[("path", long.as_bytes())]), "a path of more than 4096 bytes"),
        Case("258 folders deep", extended(&[("path", deep.as_bytes())]), "more than 256 folders deep"),
        Case("file with the name of a folder", named("a/"), "is a file with the name of a folder"),
        Case("file in place of the root", named("."), "is a file in place of the archive's root"),
        Case(
            "parent in the prefix",
            Tarball::result().header(Header::new(b'0', b"secret").field(345, b"..")).finish(),
            "entry `../secret` has `..`",
        ),
        Case(
            "absolute prefix",
            Tarball::result().header(Header::new(b'0', b"secret").field(345, b"/tmp")).finish(),
            "has an absolute path",
        ),
        Case("parent in an extended header", extended(&[("path", b"../secret")]), "entry `../secret` has `..`"),
        Case("empty name in an extended header", extended(&[("path", b"")]), "has an empty name"),
        Case(
            "parent in a long name",
            Tarball::result().entry(b'L', "././@LongLink", b"../../secret\0").file("a", b"x").finish(),
            "entry `../../secret` has `..`",
        ),
        Case(
            "zero byte in a long name",
            Tarball::result().entry(b'L', "././@LongLink", b"a\0b\0").file("a", b"x").finish(),
            "has a zero byte",
        ),
        Case("name that would scramble a terminal", named("a/\x1b[2J/../b"), "entry `a/\\u{1b}[2J/../b` has `..`"),
    ]
}

/// Entries that are neither files nor folders.
fn kinds() -> Vec<Case> {
    let through_a_link =
        Tarball::result().header(Header::new(b'2', b"outputs").link("../..")).file("outputs/secret", b"x");
    vec![
        Case("symbolic link", linked(b'2', "a", "stdout"), "entry `a` is a symbolic link"),
        Case("symbolic link outwards", linked(b'2', "outputs/a", "../../secret"), "is a symbolic link"),
        Case("symbolic link to everything", linked(b'2', "a", "/"), "is a symbolic link"),
        Case("file through a symbolic link", through_a_link.finish(), "entry `outputs` is a symbolic link"),
        Case("hidden symbolic link", linked(b'2', ".a", "/"), "entry `.a` is a symbolic link"),
        Case("hard link", linked(b'1', "a", "../../secret"), "entry `a` is a hard link"),
        Case("character device", linked(b'3', "null", ""), "is a device"),
        Case("block device", linked(b'4', "disk", ""), "is a device"),
        Case("named pipe", linked(b'6', "pipe", ""), "is a named pipe"),
        Case("contiguous file", linked(b'7', "a", ""), "is neither a file nor a folder"),
        Case("unknown type", linked(b'Z', "a", ""), "is neither a file nor a folder"),
        Case("sparse file", linked(b'S', "a", ""), "is a sparse file"),
        Case("rest of a file", linked(b'M', "a", ""), "is the rest of a file"),
        Case("volume label", linked(b'V', "a", ""), "is neither a file nor a folder"),
        Case("long name of a link", Tarball::result().entry(b'K', "././@LongLink", b"/\0").finish(), "name of a link"),
        Case(
            "header for all entries",
            Tarball::result().entry(b'g', "g", b"18 path=../secret\n").file("a", b"x").finish(),
            "is a header for all entries after it",
        ),
        Case(
            "size for all entries",
            Tarball::result().entry(b'g', "g", b"10 size=9\n").file("a", b"x").finish(),
            "is a header for all entries after it",
        ),
        Case("folder with content", Tarball::result().entry(b'5', "outputs", b"x").finish(), "folder with content"),
    ]
}

/// Extended headers that readers understand differently.
fn extended_headers() -> Vec<Case> {
    let twice = Tarball::result().extended(&[("path", b"a")]).extended(&[("path", b"b")]).file("c", b"x").finish();
    let long = Tarball::result().entry(b'L', "l", b"a\0");
    vec![
        Case("sparse, old style", extended(&[("GNU.sparse.size", b"9"), ("GNU.sparse.map", b"0,1")]), "a sparse file"),
        Case(
            "sparse, new style",
            extended(&[("GNU.sparse.major", b"1"), ("GNU.sparse.realsize", b"9")]),
            "a sparse file",
        ),
        Case("sparse, another archiver's", extended(&[("SCHILY.realsize", b"9")]), "unknown key `SCHILY.realsize`"),
        Case("target of a link", extended(&[("linkpath", b"/")]), "is a link"),
        Case("character set", extended(&[("hdrcharset", b"BINARY")]), "unknown key `hdrcharset`"),
        Case("two sizes in one header", extended(&[("size", b"1"), ("size", b"1")]), "is given its size twice"),
        Case("two sizes in two headers", extended(&[("size", b"512")]), "is given two sizes"),
        Case("negative size", extended(&[("size", b"-1")]), "a size that is not a number"),
        Case("size with a sign", extended(&[("size", b"+1")]), "a size that is not a number"),
        Case("empty size", extended(&[("size", b"")]), "a size that is not a number"),
        Case("size over 64 bits", extended(&[("size", b"99999999999999999999")]), "a size that is not a number"),
        Case("two names in one header", extended(&[("path", b"a"), ("path", b"b")]), "is given its path twice"),
        Case("two extended headers", twice, "has two headers for the same purpose"),
        Case(
            "two long names",
            long.clone().entry(b'L', "l", b"b\0").file("c", b"x").finish(),
            "two headers for the same",
        ),
        Case(
            "two kinds of names",
            long.extended(&[("path", b"b")]).file("c", b"x").finish(),
            "is given its name twice",
        ),
        Case("record without a length", raw_extended(b"path=../secret\n"), "damaged extended header"),
        Case("record longer than its header", raw_extended(b"99 path=a\n"), "damaged extended header"),
        Case("record of no length", raw_extended(b"0 path=a\n"), "damaged extended header"),
        Case("record without an end", raw_extended(b"8 path=a"), "damaged extended header"),
        Case("record without a key", raw_extended(b"6 abc\n"), "damaged extended header"),
        Case(
            "nothing after it",
            Tarball::result().extended(&[("path", b"a")]).finish(),
            "ends after an extended header",
        ),
        Case(
            "a gigabyte of it",
            Tarball::result().header(Header::new(b'x', b"x").size(1 << 30)).finish(),
            "an extended header of more than 65536 bytes",
        ),
    ]
}

/// Archives that hold something twice.
fn collisions() -> Vec<Case> {
    let result = Tarball::result;
    // Enough names for a sharded folder, and two with the same murmur3 hash.
    let mut one_hash =
        result().file("the-first-block.and-its-end.text", b"").file("ruiceizdtzswtail9lLI.>C|fEvi>&`U", b"");
    for number in 0..1100 {
        one_hash = one_hash.extended(&[("path", format!("{number:0220}").as_bytes())]).file("n", b"");
    }
    vec![
        Case("the same file twice", named("stdout"), "entry `stdout` is in the archive twice"),
        Case("the same file, spelled differently", named("./stdout"), "entry `stdout` is in the archive twice"),
        Case("the same folder twice", result().folder("a").folder("a/").finish(), "entry `a` is in the archive twice"),
        Case("the root twice", result().folder("./").finish(), "is in the archive twice"),
        Case("names that differ in case", named("STDOUT"), "`STDOUT` beside `stdout`: case alone tells them apart"),
        Case("names that differ in the case of É", result().file("É", b"").file("é", b"").finish(), "case alone"),
        Case(
            "folders that differ in case",
            result().file("Out/a", b"").file("out/b", b"").finish(),
            "`out` beside `Out`",
        ),
        Case("file, then folder", result().folder("stdout").finish(), "entry `stdout` is in the archive twice"),
        Case("folder, then file", result().folder("a").file("a", b"").finish(), "entry `a` is in the archive twice"),
        Case(
            "implied folder, then file",
            result().file("a/b", b"").file("a", b"").finish(),
            "`a` is in the archive twice",
        ),
        Case("file inside a file", named("stdout/a"), "entry `stdout/a` is inside `stdout`, which is a file"),
        Case("names of one hash", one_hash.finish(), "have the same hash"),
    ]
}

/// Archives that are more than they should be.
fn bombs() -> Vec<Case> {
    let big = Tarball::result().header(Header::new(b'0', b"zeros").size(1 << 40)).unfinished();
    let both =
        Tarball::result().entry(b'0', "a", &[0; 1 << 20]).header(Header::new(b'0', b"b").size(63 << 20)).unfinished();
    // Hidden entries are counted though nothing is made of them.
    let hidden =
        |count: u32| (0..count).fold(Tarball::default(), |archive, number| archive.file(format!(".{number}"), b""));
    let deep = format!("{}a", "d/".repeat(200));
    let mut names = Tarball::default();
    let folder = format!(".123456789abcde/{}", "0123456789abcde/".repeat(254));
    for number in 0..9000 {
        names = names.extended(&[("path", format!("{folder}{number:05}").as_bytes())]).file("a", b"");
    }
    vec![
        Case("a terabyte declared", big, "entry `zeros` brings the archive over 67108864 bytes"),
        Case("too much in two files", both, "entry `b` brings the archive over 67108864 bytes"),
        Case(
            "exabytes declared",
            sized(&[0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            "brings the archive over",
        ),
        Case("too many files", hidden(10_001).finish(), "over 10000 files and folders"),
        Case(
            "too many folders without entries",
            hidden(9_900).extended(&[("path", deep.as_bytes())]).file("a", b"").finish(),
            "over 10000 files and folders",
        ),
        Case("too many bytes of names", names.finish(), "paths of the archive over 33554432 bytes"),
        Case("zeros without an end", Tarball::result().bytes(&[0; 3 << 20]).unfinished(), "bytes follow the end"),
    ]
}

/// Archives that are damaged, or none at all.
fn damaged() -> Vec<Case> {
    let good = Tarball::result().finish();
    let end = good.len() - 1024 - 3;
    let mut flipped = good.clone();
    flipped[0] = b'_';
    let second = [&good[..good.len() - 3], &good[..]].concat();
    vec![
        Case("negative size", sized(&[0xff; 12]), "a size that is not a number"),
        Case("size over 64 bits", sized(&[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), "a size that is not a number"),
        Case("size in words", sized(b"many bytes\0\0"), "a size that is not a number"),
        Case("size with something behind it", sized(b"0000001\x000007"), "a size that is not a number"),
        Case("empty size", sized(&[0; 12]), "a size that is not a number"),
        Case(
            "size that swallows the next header",
            Tarball::result().header(Header::new(b'0', b"a").size(3 * 512)).content(b"x").file("b", b"x").finish(),
            "content id is",
        ),
        Case("wrong checksum", flipped, "entry 1: has a header whose checksum does not hold"),
        Case(
            "format without a magic number",
            Tarball::result().header(Header::new(b'0', b"a").field(257, &[0; 8])).finish(),
            "a format older than ustar",
        ),
        Case(
            "one block of zeros, then more",
            Tarball::result().bytes(&[0; 512]).file("a", b"x").finish(),
            "goes on after a block of zeros",
        ),
        Case("one block of zeros, then nothing", good[..end + 512].to_vec(), "ends before it is complete"),
        Case("no end", good[..end].to_vec(), "ends before it is complete"),
        Case("half a block", good[..700].to_vec(), "ends before it is complete"),
        Case("nothing at all", Vec::new(), "ends before it is complete"),
        Case("another archive after it", second, "something follows the end of the archive"),
        Case("text after it", [&good[..], b"<script>"].concat(), "something follows the end of the archive"),
        Case("the solver's mark twice", [&good[..], b"{}\n"].concat(), "something follows the end of the archive"),
        Case("an error page", b"<html><body>502 Bad Gateway</body></html>".repeat(20), "checksum does not hold"),
        Case("compressed", [&[0x1f, 0x8b, 8, 0][..], &[7; 2000]].concat(), "checksum does not hold"),
        Case("a file more than was promised", named("outputs/extra"), "content id is"),
        Case("a byte other than was promised", Tarball::default().file("stdout", b"woo\n").finish(), "content id is"),
        Case(
            "fewer files than were promised",
            Tarball::default().folder(".").file("stdout", b"moo\n").finish(),
            "content id is",
        ),
    ]
}

#[tokio::test]
async fn no_archive_gets_past_its_folder() {
    let cases = [names(), kinds(), extended_headers(), collisions(), bombs(), damaged()];
    for Case(what, archive, expected) in cases.into_iter().flatten() {
        let world = tempfile::tempdir().unwrap();
        make(
            world.path(),
            &[("secret", b"untouched"), ("results/secret", b"untouched"), ("results/other/stdout", b"untouched")],
        );
        let before = snapshot(world.path());

        let destination = Destination::Folder(world.path().join("results/job"));
        let pieces = archive.chunks(1000).map(Bytes::copy_from_slice).collect::<Vec<_>>();
        let error = receive_pieces(pieces, destination, &OTHER_ID.parse().unwrap()).await.expect_err(what);

        assert_eq!(error.kind(), ErrorKind::Integrity, "{what}: {error}");
        assert!(error.message().is_some_and(|message| message.contains(expected)), "{what}: {error}");
        assert!(error.help().is_some(), "{what}: {error}");
        assert_eq!(snapshot(world.path()), before, "{what}");
    }
}
