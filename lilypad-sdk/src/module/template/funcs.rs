//! The functions that a template can call: Go's builtins, and `subst`.

use super::compare;
use super::escape;
use super::printf::{sprint, sprintf, sprintln};
use super::value::Value;
use crate::protocol::json;

/// A function that a template can call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    /// `and`: the first argument that is not true, or the last.
    And,
    /// `or`: the first argument that is true, or the last.
    Or,
    /// `not`: whether the argument is not true.
    Not,
    /// `len`: number of bytes of a text, or of inputs.
    Len,
    /// `index`: an input by name, or a byte of a text.
    Index,
    /// `slice`: a part of a text.
    Slice,
    /// `print`: the arguments as text.
    Print,
    /// `printf`: the arguments as text, as a format says.
    Printf,
    /// `println`: the arguments as text, and a line feed.
    Println,
    /// `html`: the arguments as text, safe in HTML.
    Html,
    /// `js`: the arguments as text, safe in a JavaScript string.
    Js,
    /// `urlquery`: the arguments as text, safe in the query of a URL.
    UrlQuery,
    /// `call`: calls a function that is a value. No value here is one.
    Call,
    /// `eq`: whether the first argument equals any other.
    Equal,
    /// `ne`: whether two arguments differ.
    NotEqual,
    /// `lt`: whether the first argument is less than the second.
    Less,
    /// `le`: whether the first argument is not greater than the second.
    LessOrEqual,
    /// `gt`: whether the first argument is greater than the second.
    Greater,
    /// `ge`: whether the first argument is not less than the second.
    GreaterOrEqual,
    /// `subst`: `printf` with inputs as they were given, not as JSON.
    Subst,
}

/// How many arguments a function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arity {
    /// Exactly this many.
    Exactly(usize),
    /// This many or more.
    AtLeast(usize),
}

impl Function {
    /// All functions by name.
    const ALL: &[(&str, Self)] = &[
        ("and", Self::And),
        ("call", Self::Call),
        ("eq", Self::Equal),
        ("ge", Self::GreaterOrEqual),
        ("gt", Self::Greater),
        ("html", Self::Html),
        ("index", Self::Index),
        ("js", Self::Js),
        ("le", Self::LessOrEqual),
        ("len", Self::Len),
        ("lt", Self::Less),
        ("ne", Self::NotEqual),
        ("not", Self::Not),
        ("or", Self::Or),
        ("print", Self::Print),
        ("printf", Self::Printf),
        ("println", Self::Println),
        ("slice", Self::Slice),
        ("subst", Self::Subst),
        ("urlquery", Self::UrlQuery),
    ];

    /// The function of this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, function)| *function)
    }

    /// The names of all functions.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(name, _)| *name)
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, function)| *function == self).map_or("", |(name, _)| name)
    }

    /// How many arguments it takes.
    pub(super) fn arity(self) -> Arity {
        match self {
            Self::Not | Self::Len => Arity::Exactly(1),
            Self::NotEqual | Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual => Arity::Exactly(2),
            Self::Print | Self::Println | Self::Html | Self::Js | Self::UrlQuery => Arity::AtLeast(0),
            Self::And
            | Self::Or
            | Self::Index
            | Self::Slice
            | Self::Printf
            | Self::Call
            | Self::Equal
            | Self::Subst => Arity::AtLeast(1),
        }
    }

    /// Whether its argument with this index, counted from 0, must be a text.
    pub(super) fn wants_text(self, index: usize) -> bool {
        self == Self::Subst || (self == Self::Printf && index == 0)
    }

    /// For `and` and `or`: the truth of an argument that settles the result.
    pub(super) fn settles_at(self) -> Option<bool> {
        match self {
            Self::And => Some(false),
            Self::Or => Some(true),
            _ => None,
        }
    }

    /// Calls it. The number of arguments is right, and they are texts where texts are wanted. `limit` is the number of bytes
    /// that a text may have; a longer result means that it would have had more.
    pub(super) fn call(self, arguments: &[Value], limit: usize) -> Result<Value, String> {
        let first = arguments.first().unwrap_or(&Value::Nil);
        let second = arguments.get(1).unwrap_or(&Value::Nil);
        Ok(match self {
            // Both are settled by the machine; what arrives is the last argument.
            Self::And | Self::Or => arguments.last().cloned().unwrap_or_default(),
            Self::Not => Value::Boolean(!first.is_true()),
            Self::Len => match first {
                Value::Text(text) => Value::Integer(text.len() as i64),
                Value::Inputs(inputs) => Value::Integer(inputs.len() as i64),
                other => return Err(format!("a value of type {} has no length", other.type_name())),
            },
            Self::Index => index(first, &arguments[1..])?,
            Self::Slice => slice(first, &arguments[1..])?,
            Self::Print => sprint(arguments, limit).into(),
            Self::Println => sprintln(arguments, limit).into(),
            Self::Printf => sprintf(text(first), &arguments[1..], limit).into(),
            Self::Html => escape::html(&printable(arguments, limit)).into(),
            Self::Js => escape::js(&printable(arguments, limit)).into(),
            Self::UrlQuery => escape::url_query(&printable(arguments, limit)).into(),
            Self::Call => return Err(format!("a value of type {} is no function", first.type_name())),
            Self::Equal => Value::Boolean(compare::equals_any(first, &arguments[1..])?),
            Self::NotEqual => Value::Boolean(!compare::equals_any(first, &arguments[1..])?),
            Self::Less => Value::Boolean(compare::is_less(first, second)?),
            Self::GreaterOrEqual => Value::Boolean(!compare::is_less(first, second)?),
            Self::LessOrEqual => Value::Boolean(compare::is_less(first, second)? || compare::equals(first, second)?),
            Self::Greater => Value::Boolean(!(compare::is_less(first, second)? || compare::equals(first, second)?)),
            Self::Subst => subst(first, &arguments[1..], limit)?,
        })
    }
}

/// The bytes of a text; of anything else, none.
fn text(value: &Value) -> &[u8] {
    match value {
        Value::Text(text) => text,
        _ => b"",
    }
}

/// The arguments as text, as an action would print them.
fn printable(arguments: &[Value], limit: usize) -> Vec<u8> {
    let shown: Vec<Value> = arguments
        .iter()
        .map(|argument| if *argument == Value::Nil { Value::from("<no value>") } else { argument.clone() })
        .collect();
    sprint(&shown, limit)
}

/// `subst`: the arguments are JSON, as inputs are; the format gets what they stand for.
fn subst(format: &Value, arguments: &[Value], limit: usize) -> Result<Value, String> {
    let mut decoded = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let input: String = json::from_slice(text(argument)).map_err(|_| {
            let shown = String::from_utf8_lossy(text(argument)).into_owned();
            format!("expected an input, which is a JSON string, and not the text {shown:?}")
        })?;
        decoded.push(Value::from(input.as_str()));
    }
    Ok(sprintf(text(format), &decoded, limit).into())
}

/// `index`: one step for each key.
fn index(item: &Value, keys: &[Value]) -> Result<Value, String> {
    if *item == Value::Nil {
        return Err("expected a text or the inputs, not a missing value".into());
    }
    let mut item = item.clone();
    for key in keys {
        item = match (&item, key) {
            (Value::Text(text), _) => {
                let position = position(key, text.len())?;
                let byte = text.get(position).ok_or_else(|| out_of_range(position as i64, text.len()))?;
                Value::Byte(*byte)
            }
            // Other than `.name`, a name that was not given is an empty text here.
            (Value::Inputs(inputs), Value::Text(name)) => {
                inputs.get(&name[..]).map_or_else(|| Value::from(""), |text| Value::Text(text.clone()))
            }
            (Value::Inputs(_), key) => {
                return Err(format!("expected the name of an input, not a value of type {}", key.type_name()));
            }
            (other, _) => return Err(format!("a value of type {} has no parts", other.type_name())),
        };
    }
    Ok(item)
}

/// `slice`: from the first position to before the second.
fn slice(item: &Value, positions: &[Value]) -> Result<Value, String> {
    let Value::Text(text) = item else {
        return Err(format!("a value of type {} cannot be cut", item.type_name()));
    };
    if positions.len() > 2 {
        return Err(format!("expected at most two positions, not {}", positions.len()));
    }
    let mut range = [0, text.len()];
    for (bound, given) in range.iter_mut().zip(positions) {
        *bound = position(given, text.len())?;
    }
    let [from, to] = range;
    let part = text.get(from..to).ok_or_else(|| format!("the part starts at {from}, behind its end at {to}"))?;
    Ok(Value::Text(part.into()))
}

/// A position in a text of `length` bytes, its end included.
fn position(value: &Value, length: usize) -> Result<usize, String> {
    let position = match value {
        Value::Integer(position) => *position,
        Value::Byte(position) => i64::from(*position),
        other => return Err(format!("expected a position in a text, not a value of type {}", other.type_name())),
    };
    usize::try_from(position).ok().filter(|&position| position <= length).ok_or_else(|| out_of_range(position, length))
}

/// A position that a text does not have.
fn out_of_range(position: i64, length: usize) -> String {
    format!("a text of {length} bytes has no position {position}")
}
