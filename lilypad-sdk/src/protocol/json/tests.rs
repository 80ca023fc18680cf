//! Go's rules, one by one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::*;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Outer {
    #[serde(rename = "someName")]
    some_name: String,
    count: u64,
    list: Option<Vec<i64>>,
    map: Option<BTreeMap<String, String>>,
    inner: Inner,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Inner {
    a: i64,
    b: bool,
}

fn read(text: &str) -> Outer {
    from_str(text).unwrap()
}

#[test]
fn keys_match_without_regard_to_case() {
    for key in ["someName", "SOMENAME", "somename", "\u{17f}omeName"] {
        assert_eq!(read(&format!(r#"{{"{key}":"x"}}"#)).some_name, "x", "{key}");
    }
    assert_eq!(read(r#"{"some_name":"x"}"#).some_name, "");
}

#[test]
fn the_last_duplicate_wins_and_objects_are_merged() {
    assert_eq!(read(r#"{"count":1,"Count":2}"#).count, 2);
    assert_eq!(read(r#"{"count":1,"count":null}"#).count, 1);
    assert_eq!(read(r#"{"list":[1],"list":null}"#).list, None);
    assert_eq!(read(r#"{"inner":{"a":1,"b":true},"INNER":{"a":2}}"#).inner, Inner { a: 2, b: true });
    assert_eq!(read(r#"{"map":{"k":"1","k":"2"}}"#).map.unwrap()["k"], "2");
}

#[test]
fn duplicates_are_read_one_over_the_other() {
    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Lists {
        list: Option<Vec<Inner>>,
        pointer: Option<Inner>,
        map: Option<BTreeMap<String, String>>,
    }
    let inner = |a, b| Inner { a, b };
    let list = |text: &str| from_str::<Lists>(text).unwrap().list.unwrap();
    // The expected values are Go's own.
    assert_eq!(list(r#"{"list":[{"a":1},{"a":2}],"list":[{"b":true}]}"#), [inner(1, true)]);
    assert_eq!(
        list(r#"{"list":[{"a":1},{"a":2}],"list":[{}],"list":[null,{"b":true}]}"#),
        [inner(1, false), inner(2, true)]
    );
    assert_eq!(list(r#"{"list":[{"a":1}],"list":[],"list":[{"b":true}]}"#), [inner(0, true)]);
    assert_eq!(list(r#"{"list":[{"a":1}],"list":null,"list":[{"b":true}]}"#), [inner(0, true)]);
    let lists: Lists = from_str(r#"{"pointer":{"a":1},"map":{"a":""},"pointer":null,"map":null}"#).unwrap();
    assert_eq!(lists, Lists::default());
    let lists: Lists = from_str(r#"{"pointer":{"a":1},"pointer":{"b":true},"map":{"a":"1"},"map":{"b":"2"}}"#).unwrap();
    assert_eq!((lists.pointer, lists.map.map(|map| map.len())), (Some(inner(1, true)), Some(2)));
}

#[test]
fn duplicates_cost_no_more_than_their_length() {
    // Every list looked at for every item would be ten thousand million looks.
    let text = format!(r#"{{{}"list":[{}0]}}"#, r#""list":[0],"#.repeat(100_000), "0,".repeat(100_000));
    assert_eq!(read(&text).list.unwrap().len(), 100_001);
}

#[test]
fn a_duplicate_of_the_wrong_type_is_refused_though_it_is_not_the_last() {
    for text in [
        r#"{"count":1.5,"count":1}"#,
        r#"{"someName":1,"somename":""}"#,
        r#"{"inner":[],"inner":{}}"#,
        r#"{"inner":{"b":1},"inner":{"b":true}}"#,
        r#"{"map":[],"map":{}}"#,
        r#"{"map":{"k":1,"k":""}}"#,
        r#"{"list":0,"list":[]}"#,
    ] {
        assert_eq!(from_str::<Outer>(text).unwrap_err().class(), ErrorClass::Type, "{text}");
    }
}

#[test]
fn null_leaves_a_field_at_zero_and_nil_is_not_empty() {
    assert_eq!(
        read(r#"{"someName":null,"count":null,"list":null,"map":null,"inner":null,"unknown":[{}]}"#),
        Outer::default()
    );
    assert_eq!(to_string(&read("{}").list), "null");
    assert_eq!(to_string(&read(r#"{"list":[]}"#).list), "[]");
    assert_eq!(to_string(&read(r#"{"map":{}}"#).map), "{}");
    assert_eq!(read(r#"{"map":{"k":null}}"#).map.unwrap()["k"], "");
    assert_eq!(read("null"), Outer::default());
}

#[test]
fn strings_are_escaped_as_go_escapes_them() {
    let cases = [
        ("a<b>&c", r#""a\u003cb\u003e\u0026c""#),
        ("\u{2028}\u{2029}", r#""\u2028\u2029""#),
        ("\u{8}\u{c}\n\r\t", r#""\b\f\n\r\t""#),
        ("\0\u{1}\u{1f}\u{7f}", "\"\\u0000\\u0001\\u001f\u{7f}\""),
        ("\"\\/", r#""\"\\/""#),
        ("é漢😀\u{fffd}", "\"é漢😀\u{fffd}\""),
    ];
    for (text, written) in cases {
        assert_eq!(to_string(text), written);
        assert_eq!(from_str::<String>(written).unwrap(), text);
    }
}

#[test]
fn broken_characters_become_the_replacement_character() {
    let cases: [(&[u8], &str); 5] = [
        (b"\"a\xffb\"", "a\u{fffd}b"),
        (b"\"\xe6\xbc\"", "\u{fffd}\u{fffd}"),
        (br#""\ud800""#, "\u{fffd}"),
        (br#""\ud800\u0041""#, "\u{fffd}A"),
        (br#""\ud83d\ude00""#, "😀"),
    ];
    for (bytes, text) in cases {
        assert_eq!(from_slice::<String>(bytes).unwrap(), text);
    }
}

#[test]
fn map_keys_are_sorted_by_bytes() {
    let map: BTreeMap<String, String> = ["é", "z", "Z", "a"].iter().map(|key| ((*key).into(), String::new())).collect();
    assert_eq!(to_string(&map), r#"{"Z":"","a":"","z":"","é":""}"#);
}

#[test]
fn what_is_no_json_is_told_with_line_and_column() {
    let cases = [
        ("", "expected a value, the text ends at line 1 column 1"),
        ("{\n  \"count\": 1,\n}", "expected a key in double quotes, found `}` at line 3 column 1"),
        ("{\"é\" 1}", "expected `:` after a key, found `1` at line 1 column 6"),
        ("[1 2]", "expected `,` or `]` after a value of an array, found `2` at line 1 column 4"),
        ("{\"a\":01}", "expected `,` or `}` after a value of an object, found `1` at line 1 column 7"),
        ("\"abc", "this string has no closing quote at line 1 column 1"),
        ("\"a\nb\"", "a control character must be escaped in a string at line 1 column 3"),
        ("{} x", "expected the end of the text, found `x` at line 1 column 4"),
        ("tru", "expected `true`, the text ends at line 1 column 4"),
    ];
    for (text, message) in cases {
        let error = from_str::<Outer>(text).unwrap_err();
        assert_eq!(error.class(), ErrorClass::Syntax, "{text}");
        assert_eq!(error.to_string(), message, "{text}");
    }
}

#[test]
fn what_does_not_fit_is_told_with_its_field() {
    let cases = [
        (
            "{\"count\":-1}",
            "count: expected a whole number that is not negative, found the number -1 at line 1 column 10",
        ),
        (
            "{\"count\":1.5}",
            "count: expected a whole number that is not negative, found the number 1.5 at line 1 column 10",
        ),
        ("{\"inner\":\n{\"a\":\"1\"}}", "inner.a: expected a whole number, found a string at line 2 column 6"),
        ("{\"list\":[1,true]}", "list[1]: expected a whole number, found a boolean at line 1 column 12"),
        ("{\"map\":{\"k\":1}}", "map.k: expected a string, found a number at line 1 column 13"),
        ("[]", "expected an object, found an array at line 1 column 1"),
    ];
    for (text, message) in cases {
        let error = from_str::<Outer>(text).unwrap_err();
        assert_eq!(error.class(), ErrorClass::Type, "{text}");
        assert_eq!(error.to_string(), message, "{text}");
    }
}

#[test]
fn deep_nesting_is_refused_before_the_stack_ends() {
    let text = "[".repeat(100_000);
    assert!(from_str::<Outer>(&text).unwrap_err().to_string().contains("nested deeper"));
}
