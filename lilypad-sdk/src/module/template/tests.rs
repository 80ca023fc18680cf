//! Templates do what they do in Go. The expected values are Go's own; the words of errors are ours.

mod cases;

use std::collections::BTreeMap;

use super::*;

/// The inputs of the cases.
fn inputs() -> BTreeMap<String, String> {
    let inputs = [("A", "hello"), ("B", ""), ("N", "7"), ("Q", "say \"hi\""), ("H", "it's <b> & a=b"), ("U", "é漢😀")];
    inputs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// Reads and renders.
fn render(text: &str) -> Result<String, TemplateError> {
    Template::parse(text)?.render(&inputs())
}

#[test]
fn output_is_what_go_prints() {
    for (shows, templates) in cases::RENDERED {
        for (template, expected) in *templates {
            assert_eq!(render(template).as_deref(), Ok(*expected), "{shows}: {template}");
        }
    }
}

#[test]
fn errors_say_when_where_and_why() {
    for (stage, table) in [(Stage::Parse, cases::UNREADABLE), (Stage::Execute, cases::FAILING)] {
        for (template, line, column, message) in table {
            let error = render(template).unwrap_err();
            let found = (error.stage, error.line, error.column, error.message.as_str());
            assert_eq!(found, (stage, *line, *column, *message), "{template}");
        }
    }
}

#[test]
fn errors_help_where_the_mistake_is_likely() {
    for (template, help) in [
        ("{{pritnf `x`}}", "did you mean `printf`?"),
        ("{{Message}}", "an input is written with a point: `.Message`"),
        ("{{subst `%s` .Prompt}}", "give the input `Prompt`"),
        ("{{with .A}}{{.N}}{{end}}", "only the inputs have fields; where `.` is something else, the input is `$.N`"),
        ("{{template foo}}", "the name of a template stands in quotes"),
    ] {
        assert_eq!(render(template).unwrap_err().help.as_deref(), Some(help), "{template}");
    }
}

#[test]
fn inputs_that_are_mentioned_are_known() {
    let template = "{{.A}}{{if $.B}}{{$x := .C}}{{$x.D}}{{end}}{{define `t`}}{{.E.F}}{{end}}{{len .}}{{/* .G */}} .H";
    let names = Template::parse(template).unwrap().inputs();
    assert_eq!(names.iter().map(String::as_str).collect::<Vec<_>>(), ["A", "B", "C", "E"]);
}

#[test]
fn output_leads_back_to_the_template() {
    let template = Template::parse("a\n{{- if .A}}\n  é{{.A}}z{{end}}").unwrap();
    let rendered = template.render_traced(&inputs()).unwrap();
    assert_eq!(rendered.text, "a\n  é\"hello\"z");
    for (part, expected) in [("a", (1, 1)), ("é", (3, 3)), ("\"hello", (3, 6)), ("llo", (3, 6)), ("z", (3, 10))] {
        let offset = rendered.text.find(part).unwrap();
        assert_eq!(rendered.origin(&template, offset), expected, "{part}");
    }
}

#[test]
fn bytes_that_are_no_characters_are_replaced_one_by_one() {
    assert_eq!(render("{{\"a\\xff\\xe2\\x82b\"}}").as_deref(), Ok("a\u{fffd}\u{fffd}\u{fffd}b"));
    assert_eq!(render("{{slice .U 0 2}}").as_deref(), Ok("\"\u{fffd}"));
    assert_eq!(render("{{slice .U 0 2}}{{slice .U 2 4}}").as_deref(), Ok("\"é\u{fffd}"));
}

#[test]
fn a_template_without_end_is_stopped() {
    for (template, message) in [
        ("{{range 9223372036854775807}}{{end}}", "the template does not end: it took 1000000 steps"),
        ("{{range 9223372036854775807}}{{printf `%1000d` 1}}{{end}}", "the template prints more than 16 MB"),
        ("{{range 99}}{{$x := printf `%1000000d` 1}}{{$x}}{{end}}", "the template prints more than 16 MB"),
        ("{{$x := `x`}}{{range 99}}{{$x = print $x $x}}{{end}}", "the template makes texts that are too long"),
        (
            "{{define `t`}}{{template `t` .}}{{end}}{{template `t`}}",
            "templates use each other more than 100000 levels deep",
        ),
    ] {
        match render(template) {
            Ok(text) => assert!(message.is_empty() && text.is_empty(), "{template}"),
            Err(error) => assert_eq!((error.stage, error.message.as_str()), (Stage::Execute, message), "{template}"),
        }
    }
}

#[test]
fn no_nesting_is_too_deep_for_a_small_stack() {
    let nested =
        |open: &str, middle: &str, close: &str, depth: usize| open.repeat(depth) + middle + &close.repeat(depth);
    let deep = move || {
        let parentheses = |depth| format!("{{{{{}}}}}", nested("(", "1", ")", depth));
        assert_eq!(render(&parentheses(10_000)).as_deref(), Ok("1"));
        assert_eq!(render(&parentheses(10_001)).unwrap_err().message, "parentheses are nested too deep");
        assert_eq!(render(&nested("{{if 1}}", "x", "{{end}}", 100_000)).as_deref(), Ok("x"));
        assert_eq!(render(&nested("{{range 1}}", "x", "{{end}}", 100_000)).as_deref(), Ok("x"));
        let blocks: String = (0..10_000).map(|index| format!("{{{{block `{index}` .}}}}")).collect();
        assert_eq!(render(&(blocks + "x" + &"{{end}}".repeat(10_000))).as_deref(), Ok("x"));
        let chain = format!("{{{{if 0}}}}{}{{{{end}}}}", "{{else if 0}}".repeat(100_000));
        assert_eq!(render(&chain).as_deref(), Ok(""));
        let recursion = "{{define `t`}}{{if lt (len .) 20000}}{{template `t` (print . `x`)}}{{else}}{{len .}}{{end}}{{end}}{{template `t` ``}}";
        assert_eq!(render(recursion).as_deref(), Ok("20000"));
    };
    std::thread::Builder::new().stack_size(256 << 10).spawn(deep).unwrap().join().unwrap();
}

/// Numbers that look random and are the same in each run.
struct Random(u64);

impl Random {
    /// A number below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// Pieces of which templates are made, and some that break them.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "{{", "}}", "{{- ", " -}}", "{{if ", "{{else}}", "{{else if ", "{{end}}", "{{with ", "{{range ", "{{range $i, $e := ", "{{break}}",
    "{{continue}}", "{{define \"t\"}}", "{{template \"t\" ", "{{block \"b\" ", "{{/* ", " */}}", "$x := ", "$x = ", "$x", "$", ".", ".A",
    ".U", ".Missing", "$.Q", "(", ")", " | ", " ", "\n", ",", "and ", "or ", "not ", "len ", "index ", "slice ", "print ", "printf ", "println ",
    "html ", "js ", "urlquery ", "call ", "eq ", "lt ", "le ", "ge ", "subst ", "1", "0", "-5", "1.5", "1e308", "1i", "0x", "'a'", "'", "\"", "`",
    "`%d`", "\"%s\"", "`%*.[2]*v%!`", "`%+#- 0999.99q`", "\"\\xff\"", "\"\\u00e9\"", "nil", "true", "é", "\u{200b}", "{", "}", "%", "\\",
];

#[test]
fn nothing_panics_and_nothing_is_forgotten() {
    let mut random = Random(7);
    let (mut unreadable, mut failing, mut rendered) = (0, 0, 0);
    for _ in 0..20_000 {
        // Half of the templates are one action, since most others are broken early.
        let mut text = String::new();
        let action = random.below(2) == 0;
        text.push_str(if action { "{{" } else { "" });
        for _ in 0..random.below(12) {
            text.push_str(PIECES[random.below(PIECES.len())]);
            text.push_str(if random.below(2) == 0 { " " } else { "" });
        }
        text.push_str(if action { "}}" } else { "" });
        match render(&text) {
            Ok(_) => rendered += 1,
            Err(error) => {
                assert!(
                    error.line <= text.split('\n').count() && error.column > 0 && !error.message.is_empty(),
                    "{text}"
                );
                *(if error.stage == Stage::Parse { &mut unreadable } else { &mut failing }) += 1;
            }
        }
    }
    assert!(unreadable > 1000 && failing > 200 && rendered > 200, "{unreadable} {failing} {rendered}");
}

#[test]
fn a_damaged_template_never_panics() {
    let sound = r#"{"machine": {{if .A}}{"cpu": {{len .N}}}{{else}}null{{end}}, "x": [{{range $k, $v := .}}{{printf "%q:%s" $k $v}}, {{end}}0]}"#;
    let mut random = Random(11);
    for _ in 0..5_000 {
        let mut characters: Vec<char> = sound.chars().collect();
        for _ in 0..=random.below(4) {
            let at = random.below(characters.len());
            let other = characters[random.below(characters.len())];
            match random.below(3) {
                0 => drop(characters.remove(at)),
                1 => characters.insert(at, other),
                _ => characters[at] = other,
            }
        }
        let text: String = characters.into_iter().collect();
        // Either is fine; what counts is that there is an answer.
        drop(render(&text));
    }
}
