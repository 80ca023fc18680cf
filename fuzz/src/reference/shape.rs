//! What a value of the wire is made of, and how Go decodes JSON into it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::json::Tree;

/// What a value is made of.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// A string.
    Text,
    /// An `int`.
    Signed,
    /// A `uint64`.
    Unsigned,
    /// A `uint8`.
    Byte,
    /// A slice, which can be nil.
    List(&'static Shape),
    /// A map with string keys, which can be nil.
    Map(&'static Shape),
    /// A struct.
    Record(&'static [(&'static str, Shape)]),
    /// A pointer to a struct.
    Maybe(&'static Shape),
    /// A string that counts only if it is there.
    Override,
}

/// A value that is being decoded.
#[derive(Debug)]
enum Cell {
    /// A number or a text.
    Plain(Value),
    /// A nil pointer, slice or map.
    Nil,
    /// Something was given that does not fit; the kind of it.
    Wrong(&'static str),
    /// A slice of this length, and what is behind its end: Go decodes over that when the slice grows again.
    List(Vec<Cell>, usize),
    /// A map.
    Map(BTreeMap<String, Cell>),
    /// A struct.
    Record(Vec<Cell>),
}

impl Shape {
    /// Decodes a tree.
    ///
    /// # Errors
    /// When the tree has another shape; the error is the kind of value that did not fit. What a null or a shorter list undoes is not
    /// looked at.
    pub fn decode(&self, tree: &Tree) -> Result<Value, &'static str> {
        self.finish(self.over(tree, self.fresh()))
    }

    /// Go's zero value.
    fn fresh(&self) -> Cell {
        match self {
            Self::Text => Cell::Plain(Value::from("")),
            Self::Signed | Self::Unsigned | Self::Byte => Cell::Plain(Value::from(0)),
            Self::List(_) | Self::Map(_) | Self::Maybe(_) | Self::Override => Cell::Nil,
            Self::Record(fields) => Cell::Record(fields.iter().map(|(_, shape)| shape.fresh()).collect()),
        }
    }

    /// Decodes `tree` over `cell`, as Go decodes into a value that is there already: what is not mentioned stays.
    fn over(&self, tree: &Tree, cell: Cell) -> Cell {
        let number = |value: Option<Value>| value.map_or(Cell::Wrong("number"), Cell::Plain);
        match (self, tree, cell) {
            (Self::List(_) | Self::Map(_) | Self::Maybe(_) | Self::Override, Tree::Null, _) => Cell::Nil,
            (_, Tree::Null, cell) => cell,
            (_, _, Cell::Wrong(kind)) => Cell::Wrong(kind),
            (Self::Text | Self::Override, Tree::Text(text), _) => Cell::Plain(Value::from(text.as_str())),
            (Self::Signed, Tree::Number(digits), _) => number(digits.parse::<i64>().ok().map(Value::from)),
            (Self::Unsigned, Tree::Number(digits), _) => number(digits.parse::<u64>().ok().map(Value::from)),
            (Self::Byte, Tree::Number(digits), _) => number(digits.parse::<u8>().ok().map(Value::from)),
            (Self::List(shape), Tree::List(items), cell) => {
                let mut cells = match cell {
                    // An empty list takes another array.
                    Cell::List(cells, _) if !items.is_empty() => cells,
                    _ => Vec::new(),
                };
                for (at, item) in items.iter().enumerate() {
                    match cells.get_mut(at) {
                        Some(slot) => *slot = shape.over(item, std::mem::replace(slot, Cell::Nil)),
                        None => cells.push(shape.over(item, shape.fresh())),
                    }
                }
                Cell::List(cells, items.len())
            }
            (Self::Map(shape), Tree::Members(members), cell) => {
                let mut cells = match cell {
                    Cell::Map(cells) => cells,
                    _ => BTreeMap::new(),
                };
                for (key, member) in members {
                    let replaced = cells.insert(key.clone(), shape.over(member, shape.fresh()));
                    if let Some(Err(kind)) = replaced.map(|cell| shape.finish(cell)) {
                        cells.insert(key.clone(), Cell::Wrong(kind));
                    }
                }
                Cell::Map(cells)
            }
            (Self::Maybe(shape), tree, Cell::Nil) => shape.over(tree, shape.fresh()),
            (Self::Maybe(shape), tree, cell) => shape.over(tree, cell),
            (Self::Record(fields), Tree::Members(members), Cell::Record(mut cells)) => {
                for (key, member) in members {
                    let exact = fields.iter().position(|(name, _)| name == key);
                    if let Some(at) = exact.or_else(|| fields.iter().position(|(name, _)| fold(name) == fold(key))) {
                        cells[at] = fields[at].1.over(member, std::mem::replace(&mut cells[at], Cell::Nil));
                    }
                }
                Cell::Record(cells)
            }
            (_, tree, _) => Cell::Wrong(tree.kind()),
        }
    }

    /// The value that a cell holds in the end; every field is there, in order.
    fn finish(&self, cell: Cell) -> Result<Value, &'static str> {
        Ok(match (self, cell) {
            (_, Cell::Plain(value)) => value,
            (_, Cell::Nil) => Value::Null,
            (_, Cell::Wrong(kind)) => return Err(kind),
            (Self::List(shape), Cell::List(cells, length)) => {
                Value::Array(cells.into_iter().take(length).map(|cell| shape.finish(cell)).collect::<Result<_, _>>()?)
            }
            (Self::Map(shape), Cell::Map(cells)) => {
                let finish = |(key, cell)| shape.finish(cell).map(|value| (key, value));
                Value::Object(cells.into_iter().map(finish).collect::<Result<_, _>>()?)
            }
            (Self::Maybe(shape), cell) => shape.finish(cell)?,
            (Self::Record(fields), Cell::Record(cells)) => {
                let finish = |((name, shape), cell): (&(&str, Self), _)| {
                    shape.finish(cell).map(|value| ((*name).to_owned(), value))
                };
                Value::Object(fields.iter().zip(cells).map(finish).collect::<Result<_, _>>()?)
            }
            (_, Cell::List(..) | Cell::Map(_) | Cell::Record(_)) => return Err("another shape"),
        })
    }
}

/// A key as Go compares it where case does not matter: simple folding, in which two characters beyond ASCII reach into it.
fn fold(key: &str) -> String {
    key.replace('\u{17f}', "s").replace('\u{212a}', "k").to_ascii_uppercase()
}
