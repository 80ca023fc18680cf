//! Points in time, as Go reads and writes them in JSON.

use serde::{Deserialize, Deserializer, Serialize, de};

/// A point in time (RFC 3339). Kept as text: nothing but its form matters to a client.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Timestamp(String);

impl Timestamp {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads RFC 3339 as strictly as Go, and writes it as shortly: no zeros at the end of a fraction, `Z` for no offset.
    fn read(text: &str) -> Option<Self> {
        let (date, rest) = text.split_at_checked(19)?;
        let form = date.bytes().zip(*b"dddd-dd-ddTdd:dd:dd");
        let well_formed = |(byte, form): (u8, u8)| if form == b'd' { byte.is_ascii_digit() } else { byte == form };
        if !form.into_iter().all(well_formed) {
            return None;
        }
        let number = |from: usize, to: usize| date[from..to].parse::<u32>().ok();
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        if !(1..=12).contains(&month) || !(1..=days).contains(&day) {
            return None;
        }
        if number(11, 13)? > 23 || number(14, 16)? > 59 || number(17, 19)? > 59 {
            return None;
        }
        let (fraction, zone) = match rest.strip_prefix('.') {
            Some(after) => after.split_at(after.find(|c: char| !c.is_ascii_digit())?),
            None => ("", rest),
        };
        if rest.starts_with('.') && fraction.is_empty() {
            return None;
        }
        // Nanoseconds are the finest that there is.
        let fraction = fraction[..fraction.len().min(9)].trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        Some(Self(format!("{date}{point}{fraction}{}", offset(zone)?)))
    }
}

/// The offset at the end of a time, `Z` if it is none.
fn offset(zone: &str) -> Option<&str> {
    if zone == "Z" {
        return Some(zone);
    }
    let (hours, minutes) = zone.strip_prefix(['+', '-'])?.split_once(':')?;
    let in_range = |digits: &str, most: u32| {
        let valid = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        valid && digits.parse::<u32>().is_ok_and(|number| number <= most)
    };
    let valid = in_range(hours, 23) && in_range(minutes, 59);
    valid.then_some(if hours == "00" && minutes == "00" { "Z" } else { zone })
}

impl Default for Timestamp {
    /// Go's zero time.
    fn default() -> Self {
        Self("0001-01-01T00:00:00Z".into())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text)
            .ok_or_else(|| de::Error::custom(format!("expected a time such as 2026-01-31T12:00:00Z, found {text:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_strictly_and_written_shortly() {
        for (text, expected) in [
            ("0001-01-01T00:00:00Z", Some("0001-01-01T00:00:00Z")),
            ("2024-02-29T23:59:59.120000000Z", Some("2024-02-29T23:59:59.12Z")),
            ("2024-01-01T00:00:00.1234567899+05:30", Some("2024-01-01T00:00:00.123456789+05:30")),
            ("2024-01-01T00:00:00.000-00:00", Some("2024-01-01T00:00:00Z")),
            ("2023-02-29T00:00:00Z", None),
            ("2024-01-01t00:00:00Z", None),
            ("2024-01-01T24:00:00Z", None),
            ("2024-01-01T00:00:60Z", None),
            ("2024-01-01T00:00:00", None),
            ("2024-01-01T00:00:00.Z", None),
            ("2024-01-01T00:00:00,5Z", None),
            ("2024-01-01T00:00:00+24:00", None),
            ("2024-01-01T0:00:00Z", None),
            ("", None),
            ("été", None),
        ] {
            assert_eq!(Timestamp::read(text).as_ref().map(Timestamp::as_str), expected, "{text}");
        }
    }
}
