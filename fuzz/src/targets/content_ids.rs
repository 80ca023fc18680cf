//! `content-ids`: ids of records, files and folders are what their formats make them, and nothing else passes for an id.

use lilypad_sdk::protocol::{self as sdk, DataId, DealId, JobId, is_cid_v0, json};
use lilypad_sdk::result::unixfs::{DirectoryBuilder, FileHasher, Node};
use serde_json::Value;

use super::Target;
use crate::failure::Outcome;
use crate::generate::tree::{Tree, length, row_length};
use crate::generate::{self, Random};
use crate::reference::json::write;
use crate::reference::{content_id, unixfs, wire};

/// The target.
pub(super) struct ContentIds;

impl Target for ContentIds {
    fn case(&mut self, number: u64, random: &mut Random) -> Outcome {
        match number % 100_000 {
            // Rows of chunks and trees of shards are large: few of them.
            50_000 => return check_file(random, row_length),
            3_000 | 53_000 => return check_large_folder(random),
            _ => {}
        }
        match random.below(8) {
            0..=3 => check_record(random),
            4 | 5 => check_id(random),
            6 => check_file(random, length),
            _ => check_folder(&Tree::folder(random, number)),
        }
    }
}

/// The id of a record is that of its JSON as Go writes it, without its own id.
fn check_record(random: &mut Random) -> Outcome {
    type Id = fn(&str) -> Result<String, json::Error>;
    let kinds: [(_, Id); 4] = [
        (&wire::JOB_OFFER, |text| json::from_str::<sdk::JobOffer>(text).map(|record| record.content_id())),
        (&wire::RESOURCE_OFFER, |text| json::from_str::<sdk::ResourceOffer>(text).map(|record| record.content_id())),
        (&wire::DEAL, |text| json::from_str::<sdk::Deal>(text).map(|record| record.content_id())),
        (&wire::MODULE_CONFIG, |text| json::from_str::<sdk::ModuleConfig>(text).map(|record| sdk::content_id(&record))),
    ];
    let (shape, id) = kinds[random.below(kinds.len())];
    let mut value = generate::json::value(random, shape);
    let text = write(&value);
    if let Some(own) = value.get_mut("id") {
        *own = Value::from("");
    }
    let expected = content_id::of_record(&write(&value));
    match id(&text) {
        Ok(found) if found == expected && found.parse::<JobId>().is_ok_and(|id| id.as_str() == found) => Ok(()),
        Ok(found) => Err(format!("its id is {found}, but should be {expected}: {text}")),
        Err(error) => Err(format!("it is refused: {error}: {text}")),
    }
}

/// An id is read and written unchanged; anything else is refused.
fn check_id(random: &mut Random) -> Outcome {
    let mut bytes = [&[0x12, 0x20], &random.bytes(32)[..]].concat();
    match random.below(12) {
        0 => bytes[random.below(2)] = random.byte(),
        1 => drop(bytes.pop()),
        2 => bytes.push(random.byte()),
        3 => bytes[2..2 + random.below(32)].fill([0, 0xff][usize::from(random.byte() & 1)]),
        _ => {}
    }
    let mut text = content_id::base58(&bytes);
    if random.once_in(2) {
        let at = random.below(text.len() + 1);
        match random.below(5) {
            0 => text.insert(at, random.character()),
            1 => text = text.chars().enumerate().filter(|(index, _)| *index != at).map(|(_, c)| c).collect(),
            2 => {
                let other = random.pick(&["0", "O", "I", "l", "1", "z", "Q", "m", "é", " ", "\0"]);
                text =
                    text.chars().enumerate().map(|(i, c)| if i == at { other.to_owned() } else { c.into() }).collect();
            }
            3 => text = text.to_lowercase(),
            _ => text = random.text(),
        }
    }
    let expected = content_id::is_content_id(&text);
    let parsed = [
        text.parse::<JobId>().ok().map(|id| id.to_string()),
        text.parse::<DealId>().ok().map(|id| id.to_string()),
        text.parse::<DataId>().ok().map(|id| id.to_string()),
        is_cid_v0(&text).then(|| text.clone()),
        json::from_str::<DataId>(&json::to_string(&text)).ok().map(String::from),
    ];
    if parsed.iter().all(|parsed| *parsed == expected.then(|| text.clone())) {
        return Ok(());
    }
    Err(format!("{text:?} {} an id, but is taken as {parsed:?}", if expected { "is" } else { "is not" }))
}

/// The id of a file, whose bytes come in pieces.
fn check_file(random: &mut Random, length: fn(&mut Random) -> usize) -> Outcome {
    let length = length(random);
    let bytes = random.bytes(length);
    let mut hasher = FileHasher::default();
    let mut rest = &bytes[..];
    let most = [1 << 20, 300_000, unixfs::CHUNK, 70_000][random.below(4)].min(length + 1);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(rest.len().min(random.below(most) + 1));
        hasher.update(now);
        rest = later;
    }
    same(&hasher.finish(), &unixfs::file(&bytes), &format_args!("a file of {length} bytes"))
}

/// The id of a folder and all that is in it.
fn check_folder(tree: &Tree) -> Outcome {
    same(&node(tree)?, &tree.block(false), &format_args!("{:?}", tree.paths()))
}

/// The id of a folder that is around the size at which it becomes a tree of shards.
fn check_large_folder(random: &mut Random) -> Outcome {
    let mut entries: std::collections::BTreeMap<String, Tree> =
        (0..5_950).map(|_| (format!("{:010}", random.bits() % 10_000_000_000), Tree::File(Vec::new()))).collect();
    while entries.keys().map(|name| name.len() + 34).sum::<usize>() < 256 * 1024 - 400 {
        entries.insert(format!("{}", random.bits()), Tree::File(vec![random.byte()]));
    }
    for _ in 0..random.below(20) {
        entries.insert("x".repeat(1 + random.below(40)), Tree::File(Vec::new()));
    }
    check_folder(&Tree::Folder(entries))
}

/// A tree's node, made by the SDK, in no particular order.
fn node(tree: &Tree) -> Result<Node, String> {
    match tree {
        Tree::File(bytes) => {
            let mut hasher = FileHasher::default();
            hasher.update(bytes);
            Ok(hasher.finish())
        }
        Tree::Folder(entries) => {
            let mut builder = DirectoryBuilder::default();
            for (name, tree) in entries.iter().rev() {
                builder.add(name.as_bytes(), node(tree)?);
            }
            builder.finish().map_err(|collision| collision.to_string())
        }
    }
}

/// The node has the id of the reference's block.
fn same(found: &Node, expected: &unixfs::Block, what: &dyn std::fmt::Display) -> Outcome {
    let (found, expected) = (found.cid().to_string(), expected.id());
    if found == expected { Ok(()) } else { Err(format!("the id is {found}, but should be {expected}: {what}")) }
}
