//! `eq`, `lt` and the like.

use super::value::Value;

/// Whether `left` equals one of `others`.
pub(super) fn equals_any(left: &Value, others: &[Value]) -> Result<bool, String> {
    if others.is_empty() {
        return Err("expected something to compare with".into());
    }
    for other in others {
        if equals(left, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether two values of one kind are equal. Nothing equals a missing value but another one.
pub(super) fn equals(left: &Value, right: &Value) -> Result<bool, String> {
    Ok(match (left, right) {
        (Value::Nil, other) | (other, Value::Nil) => *other == Value::Nil,
        (Value::Boolean(left), Value::Boolean(right)) => left == right,
        (Value::Float(left), Value::Float(right)) => left == right,
        (Value::Complex(..), Value::Complex(..)) => left == right,
        (Value::Text(left), Value::Text(right)) => left == right,
        (Value::Inputs(_), Value::Inputs(_)) => return Err("the inputs as a whole cannot be compared".into()),
        _ => match (whole(left), whole(right)) {
            (Some(left), Some(right)) => left == right,
            _ => return Err(incompatible(left, right)),
        },
    })
}

/// Whether `left` comes before `right`.
pub(super) fn is_less(left: &Value, right: &Value) -> Result<bool, String> {
    Ok(match (left, right) {
        (Value::Float(left), Value::Float(right)) => left < right,
        (Value::Text(left), Value::Text(right)) => left < right,
        _ => match (whole(left), whole(right)) {
            (Some(left), Some(right)) => left < right,
            _ => return Err(incompatible(left, right)),
        },
    })
}

/// A whole number of either type.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(number) => Some(*number),
        Value::Byte(number) => Some(i64::from(*number)),
        _ => None,
    }
}

/// Values that cannot be compared.
fn incompatible(left: &Value, right: &Value) -> String {
    let (left, right) = (left.type_name(), right.type_name());
    format!("a value of type {left} cannot be compared with one of type {right}")
}
