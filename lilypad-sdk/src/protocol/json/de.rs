//! A `serde` deserializer over the parsed tree, with Go's rules for fields and nulls.

use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::Error;
use super::read::{Node, Value};

/// Reads what was given to one place: one value of the tree, or several where a key stands twice. Go decodes one over the other, so that
/// what the later does not mention stays. (What a null or a shorter list undoes is not looked at again; Go would refuse a wrong type there.)
pub(super) struct Reader<'r, 'a>(pub(super) &'r [&'a Node]);

impl<'r, 'a> Reader<'r, 'a> {
    /// The value that was given last.
    fn last(&self) -> &'a Node {
        self.0[self.0.len() - 1]
    }

    /// What was given since the last null, by which Go forgets what pointers, lists and maps had.
    fn since_null(&self) -> &'r [&'a Node] {
        let after = self.0.iter().rposition(|node| node.value == Value::Null).map_or(0, |null| null + 1);
        &self.0[after..]
    }

    /// The last value that is not null, each being one that `read` takes.
    fn plain<T>(&self, wanted: &str, read: impl Fn(&'a Value) -> Option<T>) -> Result<Option<T>, Error> {
        let given = self.0.iter().filter(|node| node.value != Value::Null);
        given
            .map(|node| read(&node.value).ok_or_else(|| mismatch(node, wanted)))
            .try_fold(None, |_, value| value.map(Some))
    }

    fn number<T: std::str::FromStr + Default>(&self, wanted: &str) -> Result<T, Error> {
        let read = |node: &&Node| match &node.value {
            Value::Number(digits) => digits
                .parse()
                .map_err(|_| Error::shape(Some(node.offset), format!("expected {wanted}, found the number {digits}"))),
            _ => Err(mismatch(node, wanted)),
        };
        let given = self.0.iter().filter(|node| node.value != Value::Null);
        given.map(read).try_fold(T::default(), |_, value| value)
    }
}

/// The error for a value of another kind than the one `wanted`.
fn mismatch(node: &Node, wanted: &str) -> Error {
    Error::shape(Some(node.offset), format!("expected {wanted}, found {}", node.value.kind()))
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty, $wanted:literal;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.number::<$type>($wanted)?)
        })*
    };
}

impl<'de> de::Deserializer<'de> for Reader<'_, '_> {
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
        let last = Self(&self.0[self.0.len() - 1..]);
        match &last.last().value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(digits) => {
                if let Ok(whole) = digits.parse::<i64>() {
                    visitor.visit_i64(whole)
                } else if let Ok(whole) = digits.parse::<u64>() {
                    visitor.visit_u64(whole)
                } else {
                    visitor.visit_f64(last.number("a number")?)
                }
            }
            Value::String(text) => visitor.visit_str(text),
            Value::Array(_) => last.deserialize_seq(visitor),
            Value::Object(_) => last.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let value = self.plain("true or false", |value| match value {
            Value::Bool(value) => Some(*value),
            _ => None,
        })?;
        visitor.visit_bool(value.unwrap_or_default())
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let text = self.plain("a string", |value| match value {
            Value::String(text) => Some(text.as_str()),
            _ => None,
        })?;
        visitor.visit_str(text.unwrap_or_default()).map_err(|error: Error| error.at(self.last().offset))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.since_null() {
            [] => visitor.visit_none(),
            given => visitor.visit_some(Self(given)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut given: Vec<&[Node]> = Vec::new();
        for node in self.since_null() {
            let Value::Array(items) = &node.value else { return Err(mismatch(node, "an array")) };
            if items.is_empty() {
                given.clear();
            }
            given.push(items);
        }
        visitor.visit_seq(Items { given, index: 0 }).map_err(|error| error.at(self.last().offset))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut members = Vec::new();
        for node in self.since_null() {
            let Value::Object(more) = &node.value else { return Err(mismatch(node, "an object")) };
            members.extend(more);
        }
        let members = Members { members: members.into_iter(), value: None };
        visitor.visit_map(members).map_err(|error| error.at(self.last().offset))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let mut chosen: Vec<(&'static str, Vec<&Node>)> = Vec::with_capacity(fields.len());
        for node in self.0 {
            match &node.value {
                // Leaves the fields as they are.
                Value::Null => {}
                Value::Object(members) => choose(fields, members, &mut chosen),
                _ => return Err(mismatch(node, "an object")),
            }
        }
        // A field that was given nothing but null is as one that is not there, whatever reads it.
        chosen.retain(|(_, given)| given.iter().any(|node| node.value != Value::Null));
        let fields = Fields { chosen: chosen.into_iter(), value: None };
        visitor.visit_map(fields).map_err(|error| error.at(self.last().offset))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.last().value {
            Value::String(text) => visitor.visit_enum(text.as_str().into_deserializer()),
            _ => Err(mismatch(self.last(), "a string")),
        }
        .map_err(|error: Error| error.at(self.last().offset))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

/// Adds to `chosen` what an object gives each field, in its order.
fn choose<'a>(
    fields: &'static [&'static str],
    members: &'a [(String, Node)],
    chosen: &mut Vec<(&'static str, Vec<&'a Node>)>,
) {
    for (key, node) in members {
        let exact = fields.iter().find(|field| *field == key);
        let Some(field) = exact.or_else(|| fields.iter().find(|field| same_but_for_case(field, key))) else { continue };
        match chosen.iter_mut().find(|(name, _)| name == field) {
            Some((_, given)) => given.push(node),
            None => chosen.push((field, vec![node])),
        }
    }
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
struct Fields<'a> {
    chosen: std::vec::IntoIter<(&'static str, Vec<&'a Node>)>,
    value: Option<(&'static str, Vec<&'a Node>)>,
}

impl<'de> de::MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.value = self.chosen.next();
        match &self.value {
            None => Ok(None),
            Some((field, _)) => seed.deserialize((*field).into_deserializer()).map(Some),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (field, given) = self.value.take().ok_or_else(|| Error::shape(None, "a value was read before its key"))?;
        let reader = Reader(&given);
        let offset = reader.last().offset;
        seed.deserialize(reader).map_err(|error| error.at(offset).inside(field))
    }
}

/// The members of a map.
struct Members<'a> {
    members: std::vec::IntoIter<&'a (String, Node)>,
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
        seed.deserialize(Reader(&[node])).map_err(|error| error.at(node.offset).inside(key))
    }
}

/// The items of an array, or of several that were given one over the other: the last says how many there are.
struct Items<'a> {
    given: Vec<&'a [Node]>,
    index: usize,
}

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let index = self.index;
        let Some(last) = self.given.last().and_then(|items| items.get(index)) else { return Ok(None) };
        self.index += 1;
        // Those that have ended are not asked again: many short lists before a long one must not take for ever.
        self.given.retain(|items| items.len() > index);
        // Go decodes over the items that were there before, also over those that a shorter list has hidden since.
        let read = match self.given.as_slice() {
            [_] => seed.deserialize(Reader(&[last])),
            all => seed.deserialize(Reader(&all.iter().map(|items| &items[index]).collect::<Vec<_>>())),
        };
        read.map(Some).map_err(|error| error.at(last.offset).inside(format!("[{index}]")))
    }
}
