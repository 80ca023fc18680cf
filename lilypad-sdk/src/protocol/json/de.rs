//! A `serde` deserializer over the parsed tree, with Go's rules for fields and nulls.

use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::Error;
use super::read::{Node, Value};

/// Reads one value of the tree.
pub(super) struct Reader<'a>(pub(super) &'a Node);

impl Reader<'_> {
    fn mismatch(&self, wanted: &str) -> Error {
        Error::shape(Some(self.0.offset), format!("expected {wanted}, found {}", self.0.value.kind()))
    }

    fn number<T: std::str::FromStr + Default>(&self, wanted: &str) -> Result<T, Error> {
        match &self.0.value {
            Value::Null => Ok(T::default()),
            Value::Number(digits) => digits.parse().map_err(|_| {
                Error::shape(Some(self.0.offset), format!("expected {wanted}, found the number {digits}"))
            }),
            _ => Err(self.mismatch(wanted)),
        }
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty, $wanted:literal;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.number::<$type>($wanted)?)
        })*
    };
}

impl<'de> de::Deserializer<'de> for Reader<'_> {
    type Error = Error;

    numbers! {
        deserialize_i8 visit_i8 i8, "a whole number from -128 to 127";
        deserialize_i16 visit_i16 i16, "a whole number of 16 bits";
        deserialize_i32 visit_i32 i32, "a whole number of 32 bits";
        deserialize_i64 visit_i64 i64, "a whole number";
        deserialize_u8 visit_u8 u8, "a whole number from 0 to 255";
        deserialize_u16 visit_u16 u16, "a whole number from 0 to 65535";
        deserialize_u32 visit_u32 u32, "a whole number of 32 bits that is not negative";
        deserialize_u64 visit_u64 u64, "a whole number that is not negative";
        deserialize_f32 visit_f32 f32, "a number";
        deserialize_f64 visit_f64 f64, "a number";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(digits) => {
                if let Ok(whole) = digits.parse::<i64>() {
                    visitor.visit_i64(whole)
                } else if let Ok(whole) = digits.parse::<u64>() {
                    visitor.visit_u64(whole)
                } else {
                    visitor.visit_f64(self.number("a number")?)
                }
            }
            Value::String(text) => visitor.visit_str(text),
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Object(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0.value {
            Value::Null => visitor.visit_bool(false),
            Value::Bool(value) => visitor.visit_bool(*value),
            _ => Err(self.mismatch("true or false")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0.value {
            Value::Null => visitor.visit_str(""),
            Value::String(text) => visitor.visit_str(text),
            _ => Err(self.mismatch("a string")),
        }
        .map_err(|error| error.at(self.0.offset))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.0.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let items = match &self.0.value {
            Value::Null => &[],
            Value::Array(items) => items.as_slice(),
            _ => return Err(self.mismatch("an array")),
        };
        visitor.visit_seq(Items { items: items.iter(), index: 0 }).map_err(|error| error.at(self.0.offset))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let members = match &self.0.value {
            Value::Null => &[],
            Value::Object(members) => members.as_slice(),
            _ => return Err(self.mismatch("an object")),
        };
        visitor.visit_map(Members { members: members.iter(), value: None }).map_err(|error| error.at(self.0.offset))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let members = match &self.0.value {
            Value::Null => &[],
            Value::Object(members) => members.as_slice(),
            _ => return Err(self.mismatch("an object")),
        };
        let chosen = choose(fields, members);
        visitor.visit_map(Fields { chosen: chosen.into_iter(), value: None }).map_err(|error| error.at(self.0.offset))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.0.value {
            Value::String(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            _ => Err(self.mismatch("a string")),
        }
        .map_err(|error: Error| error.at(self.0.offset))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

/// The value of each field that is there and not null. Later members win; objects are merged, as Go decodes both into the same value.
fn choose(fields: &'static [&'static str], members: &[(String, Node)]) -> Vec<(&'static str, Node)> {
    let mut chosen: Vec<(&'static str, Node)> = Vec::with_capacity(fields.len());
    for (key, node) in members {
        let exact = fields.iter().find(|field| *field == key);
        let Some(field) = exact.or_else(|| fields.iter().find(|field| same_but_for_case(field, key))) else { continue };
        if node.value == Value::Null {
            // A later null leaves a value as it is, but makes a list nil again.
            chosen.retain(|(name, earlier)| name != field || !matches!(earlier.value, Value::Array(_)));
            continue;
        }
        match chosen.iter_mut().find(|(name, _)| name == field) {
            None => chosen.push((field, node.clone())),
            Some((_, earlier)) => match (&mut earlier.value, &node.value) {
                (Value::Object(into), Value::Object(more)) => into.extend(more.iter().cloned()),
                _ => *earlier = node.clone(),
            },
        }
    }
    chosen
}

/// Go's folding of field names. All fields are ASCII; beside ASCII case, the Kelvin sign folds to `k` and the long s to `s`.
fn same_but_for_case(field: &str, key: &str) -> bool {
    let fold = |character: char| match character {
        '\u{212a}' => 'k',
        '\u{17f}' => 's',
        other => other.to_ascii_lowercase(),
    };
    field.chars().map(fold).eq(key.chars().map(fold))
}

/// The fields of a struct.
struct Fields {
    chosen: std::vec::IntoIter<(&'static str, Node)>,
    value: Option<(&'static str, Node)>,
}

impl<'de> de::MapAccess<'de> for Fields {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.value = self.chosen.next();
        match &self.value {
            None => Ok(None),
            Some((field, _)) => seed.deserialize((*field).into_deserializer()).map(Some),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (field, node) = self.value.take().ok_or_else(|| Error::shape(None, "a value was read before its key"))?;
        seed.deserialize(Reader(&node)).map_err(|error| error.at(node.offset).inside(field))
    }
}

/// The members of a map.
struct Members<'a> {
    members: std::slice::Iter<'a, (String, Node)>,
    value: Option<&'a (String, Node)>,
}

impl<'de> de::MapAccess<'de> for Members<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.value = self.members.next();
        match self.value {
            None => Ok(None),
            Some((key, _)) => seed.deserialize(key.as_str().into_deserializer()).map(Some),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (key, node) = self.value.take().ok_or_else(|| Error::shape(None, "a value was read before its key"))?;
        seed.deserialize(Reader(node)).map_err(|error| error.at(node.offset).inside(key))
    }
}

/// The items of an array.
struct Items<'a> {
    items: std::slice::Iter<'a, Node>,
    index: usize,
}

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(node) = self.items.next() else { return Ok(None) };
        let index = self.index;
        self.index += 1;
        seed.deserialize(Reader(node)).map(Some).map_err(|error| error.at(node.offset).inside(format!("[{index}]")))
    }
}
