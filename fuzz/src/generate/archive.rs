//! Archives: of honest archivers, and of liars.

use tar::{Builder, EntryType, Header};

use super::Random;
use super::tree::Tree;

/// Bytes of a block.
const BLOCK: usize = 512;

/// Packs a tree as archivers do, in one of their ways.
pub fn pack(random: &mut Random, tree: &Tree) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    let (start, slash) = (random.pick(&["", "", "./"]), random.pick(&["", "/"]));
    let announced = !random.once_in(4);
    // Writing to memory does not fail, and names were made to be taken.
    if announced && random.once_in(2) {
        add(random, &mut builder, random_root(slash), None);
    }
    for (path, content) in tree.paths() {
        match &content {
            Some(bytes) => add(random, &mut builder, &format!("{start}{path}"), Some(bytes)),
            // A folder that has something in it need not be said.
            None if announced || is_empty(tree, &path) => {
                add(random, &mut builder, &format!("{start}{path}{slash}"), None);
            }
            None => {}
        }
    }
    let mut bytes = builder.into_inner().unwrap_or_default();
    if random.once_in(3) {
        let record = 20 * BLOCK;
        bytes.resize(bytes.len().next_multiple_of(record), 0);
    }
    if random.once_in(2) {
        bytes.extend_from_slice(b"{}\n");
    }
    bytes
}

/// The root's name.
fn random_root(slash: &str) -> &'static str {
    if slash.is_empty() { "." } else { "./" }
}

/// Whether nothing is in this folder.
fn is_empty(tree: &Tree, path: &str) -> bool {
    let inside = format!("{path}/");
    !tree.paths().keys().any(|other| other.starts_with(&inside))
}

/// Adds a file or a folder: plainly, with GNU's long name, or with an extended header.
fn add(random: &mut Random, builder: &mut Builder<Vec<u8>>, path: &str, content: Option<&[u8]>) {
    let bytes = content.unwrap_or_default();
    let mut header = if random.once_in(2) { Header::new_gnu() } else { Header::new_ustar() };
    header.set_entry_type(if content.is_some() { EntryType::Regular } else { EntryType::Directory });
    header.set_mode([0o644, 0o755, 0o600, 0, 0o7777][random.below(5)]);
    header.set_size(bytes.len() as u64);
    header.set_mtime(random.below(1 << 31) as u64);
    header.set_uid(random.below(1 << 20) as u64);
    let added = if path.len() > 100 && header.as_ustar().is_some() || random.once_in(8) {
        let time = random.below(1 << 31).to_string() + ".123456789";
        let mut records = vec![("path", path.as_bytes())];
        if random.once_in(2) {
            records.push(("mtime", time.as_bytes()));
        }
        if random.once_in(2) {
            records.insert(0, ("SCHILY.xattr.user.note", b"a=b\n\0c"));
        }
        let size = bytes.len().to_string();
        if random.once_in(4) {
            records.push(("size", size.as_bytes()));
        }
        let short: String = path.chars().filter(char::is_ascii_alphanumeric).take(90).collect::<String>() + "_";
        header.as_mut_bytes()[..short.len()].copy_from_slice(short.as_bytes());
        header.set_cksum();
        builder.append_pax_extensions(records).and_then(|()| builder.append(&header, bytes))
    } else if path.len() <= 100 {
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        builder.append(&header, bytes)
    } else {
        let mut long = Header::new_gnu();
        long.as_mut_bytes()[..13].copy_from_slice(b"././@LongLink");
        long.set_entry_type(EntryType::GNULongName);
        long.set_size(path.len() as u64 + 1);
        long.set_cksum();
        header.as_mut_bytes()[..100].copy_from_slice(&path.as_bytes()[..100]);
        header.set_cksum();
        let name = [path.as_bytes(), b"\0"].concat();
        builder.append(&long, &name[..]).and_then(|()| builder.append(&header, bytes))
    };
    // A vector takes everything.
    debug_assert!(added.is_ok());
}

/// Turns an honest archive into one that lies, tries something, or is damaged. `outside` is a folder that it must not reach.
pub fn twist(random: &mut Random, archive: &mut Vec<u8>, outside: &str) {
    for _ in 0..1 + random.few(3) {
        match random.below(10) {
            0..=3 => rewrite_header(random, archive, outside),
            4..=6 => insert_entry(random, archive, outside),
            7 => {
                let at = random.below(archive.len() + 1);
                archive.truncate(at);
            }
            8 => move_blocks(random, archive),
            _ => {
                for _ in 0..1 + random.few(6) {
                    let at = random.below(archive.len().max(1));
                    if let Some(byte) = archive.get_mut(at) {
                        *byte ^= 1 << random.below(8);
                    }
                }
            }
        }
    }
}

/// Where header blocks are, as far as they can be told from content.
fn headers(archive: &[u8]) -> Vec<usize> {
    let is_header = |at: &usize| archive.get(at + 257..at + 262) == Some(b"ustar") && at + BLOCK <= archive.len();
    (0..archive.len()).step_by(BLOCK).filter(is_header).collect()
}

/// Names that lead out, or nowhere.
fn bad_name(random: &mut Random, outside: &str) -> Vec<u8> {
    let name = match random.below(14) {
        0 => format!("../{}", random.text()),
        1 => "../outside/escaped".into(),
        2 => format!("{outside}/escaped"),
        3 => "a/../../outside/escaped".into(),
        4 => "./../outside/escaped".into(),
        5 => "link/escaped".into(),
        6 => "..".into(),
        7 => "a//b".into(),
        8 => "a/./b".into(),
        9 => "stdout/inside".into(),
        10 => "STDOUT".into(),
        11 => "d/".repeat(300),
        12 => return [b"a\0../outside/escaped".as_slice(), b"\xff\xfe", b""][random.below(3)].to_vec(),
        _ => random.text(),
    };
    name.into_bytes()
}

/// Changes a field of a header, and mostly makes the sum right again.
fn rewrite_header(random: &mut Random, archive: &mut [u8], outside: &str) {
    let found = headers(archive);
    if found.is_empty() {
        return;
    }
    let at = found[random.below(found.len())];
    let block = &mut archive[at..at + BLOCK];
    match random.below(8) {
        0 | 1 => put(block, 0, 100, &bad_name(random, outside)),
        2 => {
            block[156] = random
                .pick(&["0", "1", "2", "3", "4", "5", "6", "7", "x", "g", "L", "K", "S", "M", "V", "\0"])
                .as_bytes()[0]
        }
        3 => {
            let size = match random.below(6) {
                0 => b"77777777777\0".to_vec(),
                1 => format!("{:011o}\0", random.below(5000)).into_bytes(),
                2 => vec![0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0],
                3 => vec![0xff; 12],
                4 => b"-1         \0".to_vec(),
                _ => random.bytes(12),
            };
            put(block, 124, 12, &size);
        }
        4 => put(block, 157, 100, &bad_name(random, outside)),
        5 => put(block, 345, 155, &bad_name(random, outside)),
        6 => put(
            block,
            257,
            8,
            random.pick(&["ustar  \0", "ustar\0", "ustar\x0000", "\0\0\0\0\0\0\0\0", "ustar\x0001"]).as_bytes(),
        ),
        _ => {
            let field = random.below(BLOCK);
            block[field] = random.byte();
        }
    }
    if !random.once_in(8) {
        sum(block);
    }
}

/// Fills a field with bytes, as many as fit, and zeros.
fn put(block: &mut [u8], at: usize, length: usize, bytes: &[u8]) {
    let count = bytes.len().min(length);
    block[at..at + length].fill(0);
    block[at..at + count].copy_from_slice(&bytes[..count]);
}

/// Makes a header's sum right.
fn sum(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// One entry with a header of its own, as raw as it comes.
fn entry(kind: u8, name: &[u8], link: &[u8], content: &[u8]) -> Vec<u8> {
    let mut header = Header::new_ustar();
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    let block = header.as_mut_bytes();
    put(block, 0, 100, name);
    put(block, 157, 100, link);
    block[156] = kind;
    sum(block);
    let mut bytes = block.to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

/// A record of an extended header, its length right.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    [length.to_string().into_bytes(), rest].concat()
}

/// Puts something between two entries.
fn insert_entry(random: &mut Random, archive: &mut Vec<u8>, outside: &str) {
    let mut places = headers(archive);
    places.push(0);
    let at = places[random.below(places.len())].min(archive.len());
    let content = {
        let length = random.few(600);
        random.bytes(length)
    };
    let name = bad_name(random, outside);
    let inserted = match random.below(12) {
        // A way out, and something that takes it.
        0 => [entry(b'2', b"link", outside.as_bytes(), b""), entry(b'0', b"link/escaped", b"", &content)].concat(),
        1 => [entry(b'2', b"link", b"../outside", b""), entry(b'5', b"link/escaped", b"", b"")].concat(),
        2 => [entry(b'1', b"link", b"../outside/canary", b""), entry(b'0', b"link", b"", &content)].concat(),
        3 => entry(b'0', &name, b"", &content),
        4 => entry(b'5', &name, b"", b""),
        5 => entry(b'x', b"PaxHeaders.0/x", b"", &record("path", &name)),
        6 => {
            let keys = [
                "path",
                "size",
                "linkpath",
                "GNU.sparse.major",
                "GNU.sparse.name",
                "hdrcharset",
                "mtime",
                "realtime.any",
            ];
            let mut records = record(random.pick(&keys), &name);
            records.extend(record(random.pick(&keys), random.pick(&["0", "1", "99999999999", "-1", "a"]).as_bytes()));
            if random.once_in(3) {
                let cut = random.below(records.len());
                records.truncate(cut);
            }
            entry(if random.once_in(5) { b'g' } else { b'x' }, b"PaxHeaders.0/x", b"", &records)
        }
        7 => entry(b'L', b"././@LongLink", b"", &[&name[..], b"\0"].concat()),
        8 => entry(b'K', b"././@LongLink", b"", &[&name[..], b"\0"].concat()),
        9 => entry(random.byte(), b"odd", &name, &content),
        10 => vec![0; BLOCK * (1 + random.below(3))],
        _ => entry(
            b'0',
            random.pick(&["stdout", "exitCode", "a", "outputs", "Stdout", ".hidden", "new"]).as_bytes(),
            b"",
            &content,
        ),
    };
    archive.splice(at..at, inserted);
}

/// Takes blocks out, repeats them, or puts them elsewhere.
fn move_blocks(random: &mut Random, archive: &mut Vec<u8>) {
    let blocks = archive.len() / BLOCK;
    if blocks < 2 {
        return;
    }
    let from = random.below(blocks) * BLOCK;
    let end = (from + BLOCK * (1 + random.few(4))).min(archive.len());
    let moved = archive[from..end].to_vec();
    if random.once_in(2) {
        archive.drain(from..end);
    }
    if random.once_in(2) {
        let to = random.below(archive.len() / BLOCK + 1) * BLOCK;
        archive.splice(to..to, moved);
    }
}
