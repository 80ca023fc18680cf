//! Which names come near to one that does not exist.

use strsim::levenshtein;

/// How many names are given at most.
const SHOWN: usize = 5;
/// How many names are compared at most: a hint is not worth more.
const COMPARED: usize = 1000;

/// The few of `names` that come nearest to `wanted`, nearest first.
pub(super) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
    let mut ranked: Vec<_> = names
        .take(COMPARED)
        .map(|name| {
            let lower = name.to_lowercase();
            // The right name in the wrong folder is the most likely slip.
            let in_another_folder = last_name(&lower) == last_name(&wanted);
            (!in_another_folder, levenshtein(&wanted, &lower), name)
        })
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, _, name)| name).take(SHOWN).collect()
}

/// What follows the last `/`.
fn last_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn the_likeliest_name_comes_first() {
        let names = ["exitCode", "outputs/image.png", "outputs/meta/info.json", "stderr", "stdout"];
        for (wanted, first) in [
            ("image.png", "outputs/image.png"),
            ("outputs/Image.PNG", "outputs/image.png"),
            ("outputs/imag.png", "outputs/image.png"),
            ("stduot", "stdout"),
            ("exitcode", "exitCode"),
        ] {
            assert_eq!(nearest(wanted, names.into_iter())[0], first, "{wanted}");
        }
    }
}
