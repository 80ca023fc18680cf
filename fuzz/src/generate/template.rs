//! Templates: well-formed ones with every feature of the language, damaged ones, and soup.

use std::collections::BTreeMap;

use super::Random;
use super::damage::{damage, soup};

/// Names of inputs. The last ones are never given.
const NAMES: &[&str] = &["A", "B", "N", "Q", "_x", "Ünit", "Missing", "Gone"];
/// How many of them may be given.
const GIVEN: usize = 6;
/// Names of variables.
const VARIABLES: &[&str] = &["$x", "$y", "$i"];
/// Names of templates.
const TEMPLATES: &[&str] = &["t", "u", ""];

/// What templates are made of, whole and in pieces.
#[rustfmt::skip]
const TOKENS: &[&str] = &[
    "{{", "}}", "{{- ", " -}}", "{{-", "-}}", "{{if ", "{{else}}", "{{else if ", "{{else with ", "{{end}}", "{{with ", "{{range ", "{{range $i, $e := ",
    "{{range $i := ", "{{range $i, $e = ", "{{break}}", "{{continue}}", "{{define \"t\"}}", "{{template \"t\" ", "{{template \"t\"}}",
    "{{block \"b\" .}}", "{{/* c */}}", "{{- /* c */ -}}", "/*", "*/", ":=", "=", "$", "$x", ".", ".A", ".A.B", "$.Q", "(", ")", "|", " ", "\n", "\t",
    ",", ";", "and ", "or ", "not ", "len ", "index ", "slice ", "print ", "printf ", "println ", "html ", "js ", "urlquery ", "call ", "eq ", "ne ",
    "lt ", "le ", "gt ", "ge ", "subst ", "true", "false", "nil", "0", "-1", "+1", "1.5", "1e308", "1i", "0x1p-2", "0b1", "0o7", "1_0", "'a'", "'\\''",
    "'", "\"", "`", "\"%s\"", "\"%v\"", "`%d`", "\"\\\"\"", "\"\\xff\"", "\"\\u00e9\"", "é", "{", "}", "%", "\\", "\u{200b}", "\0", "break", "end",
];

/// Flags, widths, precisions and verbs of formats.
#[rustfmt::skip]
const FORMATS: &[&str] = &[
    "%s", "%v", "%q", "%d", "%x", "%X", "%T", "%t", "%c", "%U", "%e", "%g", "%f", "%G", "%b", "%o", "%O", "%p", "%w", "%%", "%!", "%", "%z",
    "%5s", "%-5s|", "%05d", "%+d", "% d", "%#x", "% x", "%#q", "%+q", "%#v", "%+v", "%.2s", "%.3f", "%8.3f", "%-8.2e|", "%+.1g", "%#g", "%06.2f",
    "%*d", "%-*d", "%.*f", "%[1]d", "%[2]s", "%[9]d", "%[x]d", "%[1]*d", "%[2]*[1]d", "%.[1]*f", "%[", "%[]d", "%1000000d", "%.1000000d",
    "%#08x", "% +d", "%+ d", "%#U", "%020x", "%-020d", "% #x", "%#+v", "%é", "%\n", "%2147483648d", "%99999s", "%+05s", "%-05q", "%0-5d",
];

/// Inputs, and most of them given.
pub fn inputs(random: &mut Random) -> BTreeMap<String, String> {
    let mut inputs = BTreeMap::new();
    for name in &NAMES[..GIVEN] {
        if !random.once_in(5) {
            let value = if random.once_in(4) { random.below(100).to_string() } else { random.text() };
            inputs.insert((*name).to_owned(), value);
        }
    }
    if random.once_in(8) {
        inputs.insert(random.text(), random.text());
    }
    inputs
}

/// A template, of one kind or another.
pub fn text(random: &mut Random) -> String {
    let text = match random.below(8) {
        0 => soup(random, TOKENS, 20),
        // One action: most soups are broken early.
        1 => format!("{{{{{}}}}}", soup(random, TOKENS, 10)),
        _ => {
            let mut writer = Writer { random, text: String::new(), fuel: 24 };
            writer.list(0);
            writer.text
        }
    };
    if !random.once_in(4) {
        return text;
    }
    let mut bytes = text.into_bytes();
    damage(random, &mut bytes, TOKENS);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Writes a well-formed template. It may still fail when it is rendered, as types are not looked at.
struct Writer<'r> {
    /// Chance.
    random: &'r mut Random,
    /// What is written.
    text: String,
    /// How many more parts it may have.
    fuel: usize,
}

impl Writer<'_> {
    /// Whether there is something left, which is then used.
    fn burn(&mut self) -> bool {
        self.fuel = self.fuel.saturating_sub(1);
        self.fuel > 0
    }

    /// Appends.
    fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Opens an action.
    fn open(&mut self) {
        let open = self.random.pick(&["{{", "{{", "{{", "{{- ", "{{ ", "{{\n"]);
        self.put(open);
    }

    /// Closes an action.
    fn close(&mut self) {
        let close = self.random.pick(&["}}", "}}", "}}", " -}}", " }}", "\n}}"]);
        self.put(close);
    }

    /// An action of one word.
    fn word(&mut self, word: &str) {
        self.open();
        self.put(word);
        self.close();
    }

    /// A list of parts.
    fn list(&mut self, depth: usize) {
        for _ in 0..1 + self.random.few(4) {
            if self.burn() {
                self.part(depth);
            }
        }
    }

    /// Text or an action.
    fn part(&mut self, depth: usize) {
        match self.random.below(if depth < 5 { 16 } else { 8 }) {
            0 => {
                let text = self.random.text().replace("{{", "{");
                self.put(&text);
            }
            1 => self.put("\n  \"key\": "),
            2..=5 => {
                self.open();
                self.pipeline(0);
                self.close();
            }
            6 => self.assignment(),
            7 => {
                self.open();
                let name = self.random.pick(TEMPLATES);
                self.put(&format!("template \"{name}\" "));
                if self.random.once_in(2) {
                    self.pipeline(0);
                }
                self.close();
            }
            8..=10 => self.branch("if ", "else if ", depth),
            11 => self.branch("with ", "else with ", depth),
            12 | 13 => self.range(depth),
            14 => {
                // Definitions stand at the top only; elsewhere they are refused, which is to be seen too.
                let (name, keyword) = (self.random.pick(TEMPLATES), self.random.pick(&["define", "define", "block"]));
                self.open();
                self.put(&format!("{keyword} `{name}`"));
                if keyword == "block" {
                    self.put(" ");
                    self.pipeline(0);
                }
                self.close();
                self.list(depth + 1);
                self.word("end");
            }
            _ => {
                let comment =
                    self.random.pick(&["{{/* c */}}", "{{- /* }} */ -}}", "{{break}}", "{{continue}}", "{{/**/}}"]);
                self.put(comment);
            }
        }
    }

    /// A variable that is declared or set.
    fn assignment(&mut self) {
        self.open();
        let (variable, how) = (self.random.pick(VARIABLES), self.random.pick(&[" := ", " := ", ":=", " = "]));
        self.put(variable);
        self.put(how);
        self.pipeline(0);
        self.close();
    }

    /// `if` or `with`, and what else.
    fn branch(&mut self, keyword: &str, chained: &str, depth: usize) {
        self.open();
        self.put(keyword);
        if self.random.once_in(8) {
            self.put("$x := ");
        }
        self.pipeline(0);
        self.close();
        self.list(depth + 1);
        if self.random.once_in(4) {
            self.open();
            self.put(chained);
            self.pipeline(0);
            self.close();
            self.list(depth + 1);
        }
        self.otherwise(depth);
    }

    /// `range`, over numbers, inputs, or what cannot be ranged over.
    fn range(&mut self, depth: usize) {
        self.open();
        let head = self.random.pick(&[
            "range ",
            "range $i, $e := ",
            "range $e := ",
            "range $x, $y = ",
            "range $x = ",
            "range ",
        ]);
        self.put(head);
        match self.random.below(4) {
            0 => self.put("."),
            1 => {
                let count = self.random.below(5).to_string();
                self.put(&count);
            }
            2 => self.put("$"),
            _ => self.pipeline(0),
        }
        self.close();
        self.list(depth + 1);
        self.otherwise(depth);
    }

    /// `else`, now and then, and `end`.
    fn otherwise(&mut self, depth: usize) {
        if self.random.once_in(3) {
            self.word("else");
            self.list(depth + 1);
        }
        if !self.random.once_in(60) {
            self.word("end");
        }
    }

    /// Commands, one feeding the next.
    fn pipeline(&mut self, depth: usize) {
        self.command(depth, false);
        while self.random.once_in(4) && self.burn() {
            let bar = self.random.pick(&[" | ", "|"]);
            self.put(bar);
            self.command(depth, true);
        }
    }

    /// A call, or a value.
    fn command(&mut self, depth: usize, fed: bool) {
        // The arguments that make sense, before the one that is fed.
        const CALLS: &[(&str, usize)] = &[
            ("and", 2),
            ("or", 2),
            ("not", 1),
            ("len", 1),
            ("index", 2),
            ("slice", 3),
            ("print", 2),
            ("println", 2),
            ("html", 1),
            ("js", 1),
            ("urlquery", 1),
            ("eq", 2),
            ("ne", 2),
            ("lt", 2),
            ("le", 2),
            ("gt", 2),
            ("ge", 2),
            ("call", 1),
            ("nosuch", 1),
        ];
        match self.random.below(if fed { 4 } else { 10 }) {
            0 | 1 => {
                let (name, count) = CALLS[self.random.few(CALLS.len())];
                let count =
                    if self.random.once_in(6) { self.random.below(4) } else { count.saturating_sub(usize::from(fed)) };
                self.put(name);
                self.arguments(count, depth);
            }
            2 | 3 => {
                let name = self.random.pick(&["printf", "printf", "printf", "subst"]);
                self.put(name);
                let format = self.format();
                self.put(&format!(" {format}"));
                let count = self.random.few(4);
                self.arguments(count, depth);
            }
            _ => self.operand(depth),
        }
    }

    /// Arguments.
    fn arguments(&mut self, count: usize, depth: usize) {
        for _ in 0..count {
            self.put(" ");
            self.operand(depth);
        }
    }

    /// A format, quoted in one way or the other.
    fn format(&mut self) -> String {
        let mut format = String::new();
        for _ in 0..1 + self.random.few(3) {
            format.push_str(self.random.pick(FORMATS));
            if self.random.once_in(4) {
                format.push_str(&self.random.text());
            }
        }
        self.quoted(&format)
    }

    /// A string literal.
    fn quoted(&mut self, text: &str) -> String {
        if text.contains(['`', '\r']) || self.random.once_in(2) {
            // Rust's and Go's notations differ in how they escape.
            let escape = |c: char| match c {
                '"' | '\\' => format!("\\{c}"),
                ' '..='~' => c.to_string(),
                _ if c.is_alphanumeric() => c.to_string(),
                _ => format!("\\U{:08x}", u32::from(c)),
            };
            format!("\"{}\"", text.chars().map(escape).collect::<String>())
        } else {
            format!("`{text}`")
        }
    }

    /// A value.
    fn operand(&mut self, depth: usize) {
        match self.random.below(14) {
            0..=3 => {
                let (name, dot) = (self.random.pick(NAMES), self.random.pick(&[".", ".", "$."]));
                self.put(&format!("{dot}{name}"));
            }
            4 => self.put("."),
            5 => self.put("$"),
            6 => {
                let variable = self.random.pick(VARIABLES);
                self.put(variable);
            }
            7 => {
                let number = self.number();
                self.put(&number);
            }
            8 => {
                let number = self.random.below(8).to_string();
                self.put(&number);
            }
            9 | 10 => {
                let text = self.random.text();
                let quoted = self.quoted(&text);
                self.put(&quoted);
            }
            11 => {
                let word = self.random.pick(&[
                    "true",
                    "false",
                    "nil",
                    "'a'",
                    "'é'",
                    "'\\n'",
                    "'\\u00e9'",
                    "\"\\xff\"",
                    "\"\\101\"",
                ]);
                self.put(word);
            }
            _ if depth < 4 && self.burn() => {
                self.put("(");
                self.pipeline(depth + 1);
                self.put(")");
                if self.random.once_in(10) {
                    self.put(".A");
                }
            }
            _ => self.put(".A"),
        }
    }

    /// A number, in one of many notations.
    fn number(&mut self) -> String {
        #[rustfmt::skip]
        const NUMBERS: &[&str] = &[
            "0", "-0", "+5", "007", "08", "0x1F", "0X_1f", "0b101", "0o17", "1_000", "1__0", "_1", "1_", "1e3", "1E-5", "1e21", "1e20", "1.0", ".5",
            "5.", "1.e1", "0x1p4", "0x.8p1", "0x1.8", "1e309", "5e-324", "1e-400", "1i", "1+2i", "-1.5-.5i", "1e3i", "0x1p1i", "9223372036854775807",
            "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616", "1.5e300",
            "100000000000000000000000", "0.1", "123456789.0", "1e6", "1e-4", "1e-5", "012i", "0i", "00", "0xg", "1a", "1..2", "- 1", "-'a'",
        ];
        match self.random.below(3) {
            0 => self.random.signed().to_string(),
            1 => f64::from_bits(self.random.bits()).to_string(),
            _ => self.random.pick(NUMBERS).to_owned(),
        }
    }
}
