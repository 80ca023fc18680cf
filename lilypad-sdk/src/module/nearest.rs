//! The name that somebody probably meant.

use strsim::damerau_levenshtein;

/// The candidate closest to `wanted`, if it is close enough to be a slip of the pen.
pub(crate) fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (wanted.chars().count() / 3).max(1);
    let wanted = wanted.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (damerau_levenshtein(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised_and_a_different_word_is_not() {
        let names = ["Message", "Prompt", "Seed"];
        for (wanted, expected) in [
            ("message", Some("Message")),
            ("Mesage", Some("Message")),
            ("Propmt", Some("Prompt")),
            ("Sed", Some("Seed")),
            ("Temperature", None),
            ("", None),
        ] {
            assert_eq!(nearest(wanted, names), expected, "{wanted:?}");
        }
    }
}
