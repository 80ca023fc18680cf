//! Lists in every number of pieces, honest and not.

use super::*;

/// Reads a list that comes in these pieces, of any type.
fn read<T: DeserializeOwned>(pieces: &[&[u8]]) -> Result<Vec<T>> {
    let mut records = Vec::new();
    let mut reader = ListReader::new("list deals", 1 << 30, |record: T| records.push(record));
    pieces.iter().try_for_each(|piece| reader.push(piece))?;
    reader.finish()?;
    Ok(records)
}

/// A list with everything that could be cut in the wrong place.
const TRICKY: &str = concat!(
    " [ {\"id\":\"a\"} ,\n{\"id\":\"],[{}\\\"\\\\\",\"more\":[[1,2],{\"x\":{}}]},",
    "{\"id\":\"\\u00e9\\\\\"} , {\"ID\":\"é,\"}\t] \r\n",
);

/// What the elements of [`TRICKY`] say.
const SAID: [&str; 4] = ["a", "],[{}\"\\", "é\\", "é,"];

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Record {
    id: String,
}

fn ids(pieces: &[&[u8]]) -> Vec<String> {
    read::<Record>(pieces).unwrap().into_iter().map(|record| record.id).collect()
}

#[test]
fn a_list_may_be_cut_at_every_byte() {
    let text = TRICKY.as_bytes();
    for at in 0..=text.len() {
        assert_eq!(ids(&[&text[..at], b"", &text[at..]]), SAID, "cut at {at}");
    }
    let bytes: Vec<_> = text.chunks(1).collect();
    assert_eq!(ids(&bytes), SAID);
}

#[test]
fn a_list_without_records_is_written_in_two_ways() {
    for text in ["[]", "null", " \n[ ]\n", " null\n"] {
        let bytes: Vec<_> = text.as_bytes().chunks(1).collect();
        assert_eq!(ids(&bytes), [""; 0], "{text:?}");
        assert_eq!(ids(&[text.as_bytes()]), [""; 0], "{text:?}");
    }
}

#[test]
fn a_null_among_records_is_an_empty_record_as_in_go() {
    assert_eq!(ids(&[b"[null,{\"id\":\"a\"}]"]), ["", "a"]);
}

#[test]
fn what_makes_no_sense_is_named() {
    let cases = [
        ("<html>\n<body>", "expected a list, found `<html>`"),
        ("{\"error\":1}", "expected a list, found `{\\\"error\\\":1}`"),
        ("nil", "expected a list, found `nil`"),
        ("", "the list ends before it is complete"),
        ("nul", "the list ends before it is complete"),
        ("[", "the list ends before it is complete"),
        ("[{\"id\":\"a\"}", "the list ends before it is complete"),
        ("[{\"id\":\"a\"},", "the list ends before it is complete"),
        ("[{\"id\":\"a", "the list ends before it is complete"),
        ("[{\"id\":\"a\\", "the list ends before it is complete"),
        ("[{\"id\":\"a\"},]", "record 2: "),
        ("[,{\"id\":\"a\"}]", "record 1: "),
        ("[{\"id\":\"a\"} {\"id\":\"b\"}]", "record 1: "),
        ("[{\"id\":\"a\"]}]", "record 1: "),
        ("[}]", "record 1: "),
        ("[{\"id\":\"a\"},{\"id\":7}]", "record 2: id: expected a string, found a number at line 1 column 7"),
        ("[]]", "something follows the end of the list"),
        ("null null", "something follows the end of the list"),
    ];
    for (text, part) in cases {
        for pieces in [vec![text.as_bytes()], text.as_bytes().chunks(1).collect()] {
            let error = read::<Record>(&pieces).expect_err(text);
            assert_eq!(error.kind(), ErrorKind::Integrity, "{text}");
            // A cut can be anywhere in what is quoted.
            let part = if pieces.len() > 1 { part.split('`').next().unwrap_or_default() } else { part };
            assert!(error.to_string().contains(part), "{text}: {error}");
        }
    }
}

#[test]
fn every_list_that_the_parser_takes_whole_is_taken_in_pieces_too() {
    let parts = ["[", "]", "{", "}", ",", ":", "\"", "\\", "1", " ", "null", "\"a\""];
    // Every text of up to five of these parts that begins like a list.
    let mut texts = vec!["[".to_owned()];
    for _ in 0..4 {
        let longer: Vec<_> = texts.iter().flat_map(|text| parts.map(|part| format!("{text}{part}"))).collect();
        for text in &longer {
            let whole = json::from_str::<Option<Vec<serde_json::Value>>>(text).ok().map(Option::unwrap_or_default);
            let bytes: Vec<_> = text.as_bytes().chunks(1).collect();
            assert_eq!(read::<serde_json::Value>(&bytes).ok(), whole, "{text:?}");
            assert_eq!(read::<serde_json::Value>(&[text.as_bytes()]).ok(), whole, "{text:?}");
        }
        texts = longer;
    }
}

#[test]
fn a_record_has_a_largest_size() {
    let fits = format!("[\"{}\"]", "a".repeat(MAX_ELEMENT - 2));
    let too_long = format!("[\"{}\"]", "a".repeat(MAX_ELEMENT - 1));
    for size in [1000, MAX_ELEMENT + 100] {
        let pieces: Vec<_> = fits.as_bytes().chunks(size).collect();
        assert_eq!(read::<String>(&pieces).unwrap().len(), 1);
        let pieces: Vec<_> = too_long.as_bytes().chunks(size).collect();
        let error = read::<String>(&pieces).unwrap_err();
        assert!(error.to_string().contains("longer than 4 MB"), "{error}");
    }
}

#[test]
fn a_list_has_a_largest_size() {
    let mut reader = ListReader::new("list deals", 10 << 20, |_: serde_json::Value| {});
    reader.push(b"[0").unwrap();
    let piece = ",0".repeat(1 << 19);
    let error = (0..10).find_map(|_| reader.push(piece.as_bytes()).err()).unwrap();
    assert_eq!(error.kind(), ErrorKind::Integrity);
    assert!(error.to_string().contains("longer than 10 MB"), "{error}");
}

#[test]
fn memory_does_not_grow_with_the_list() {
    let mut count = 0;
    let mut reader = ListReader::new("list deals", u64::MAX, |_: Record| count += 1);
    reader.push(b"[{}").unwrap();
    let piece = format!(",{{\"id\":\"{}\"}}", "a".repeat(1000)).repeat(100);
    for half in piece.as_bytes().chunks(777).cycle().take(13_000) {
        reader.push(half).unwrap();
        assert!(reader.elements.element.capacity() <= 4096);
    }
    drop(reader);
    assert!(count > 9_000, "{count}");
}
