//! Chance that can be repeated, with a taste for corners.

/// Where a case's choices come from: the same seed, target and number give the same case.
#[derive(Debug)]
pub struct Random(fastrand::Rng);

/// Texts that have broken readers before: quotes, escapes, ends of lines, halves of things, and what looks like a record.
const CORNERS: &[&str] = &[
    "",
    " ",
    "\"",
    "\\",
    "\\\"",
    "\\u0022",
    "/",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "\u{1}",
    "\u{8}\u{c}",
    "\u{1f}",
    "\u{7f}",
    "<",
    ">",
    "&",
    "<script>",
    "a<b>&c",
    "\u{2028}",
    "\u{2029}",
    "é",
    "漢字",
    "😀",
    "\u{fffd}",
    "\u{feff}",
    "\u{200b}",
    "e\u{301}",
    "\u{10ffff}",
    "\u{212a}",
    "\u{17f}",
    "null",
    "true",
    "0",
    "-1",
    "%d",
    "%!s(<nil>)",
    "{{.x}}",
    "}}",
    "$HOME",
    "'",
    "`",
    "\u{202e}",
    "\u{d7ff}\u{e000}",
    "\"job_creator\":\"0x2546BcD3c84621e976D8185a91A922aE77ECEC30\"",
    "\",\"job_creator\":\"",
    "{\"id\":\"\"}",
    "]}",
    "//",
    "..",
];

impl Random {
    /// For one case of a target.
    pub fn of_case(seed: u64, target: &str, number: u64) -> Self {
        let mut mixed = seed ^ 0x9e37_79b9_7f4a_7c15;
        for part in target.bytes().map(u64::from).chain([number]) {
            // SplitMix64: numbers that differ by one give choices that have nothing in common.
            mixed = mixed.wrapping_add(part).wrapping_add(0x9e37_79b9_7f4a_7c15);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 31;
        }
        Self(fastrand::Rng::with_seed(mixed))
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0.usize(..end)
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of `choices`.
    pub fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    /// Any 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        self.0.u8(..)
    }

    /// Bytes that do not compress.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.fill(&mut bytes);
        bytes
    }

    /// Mostly few, seldom many: below `end`.
    pub fn few(&mut self, end: usize) -> usize {
        let bound = self.below(end) + 1;
        self.below(bound)
    }

    /// A number that is often at the edge of something.
    pub fn unsigned(&mut self) -> u64 {
        match self.below(8) {
            0 => 0,
            1 => 1 << self.below(64),
            2 => (1u64 << self.below(64)).wrapping_sub(1),
            3 => u64::MAX - self.few(3) as u64,
            4 => i64::MAX as u64 + self.few(3) as u64,
            5 => self.bits(),
            6 => self.bits() >> self.below(64),
            _ => self.below(1000) as u64,
        }
    }

    /// A number that is often at the edge of something, or below zero.
    pub fn signed(&mut self) -> i64 {
        let number = self.unsigned() as i64;
        if self.once_in(3) { number.wrapping_neg() } else { number }
    }

    /// Any character, those that are special more often.
    pub fn character(&mut self) -> char {
        match self.below(6) {
            0..=2 => char::from(self.0.u8(0x20..0x7f)),
            3 => char::from(self.0.u8(..0x80)),
            4 => self.pick(CORNERS).chars().next().unwrap_or('x'),
            _ => self.0.char(..),
        }
    }

    /// A text, plain or hostile.
    pub fn text(&mut self) -> String {
        match self.below(8) {
            0 => String::new(),
            1..=3 => self.pick(CORNERS).to_owned(),
            4 => (0..self.below(24)).map(|_| self.0.alphanumeric()).collect(),
            5 => (0..self.below(4)).map(|_| self.pick(CORNERS)).collect(),
            _ => (0..self.below(12)).map(|_| self.character()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_the_same_again_and_no_other() {
        let texts = |seed, target, number| {
            let mut random = Random::of_case(seed, target, number);
            (0..20).map(|_| random.text()).collect::<Vec<_>>()
        };
        assert_eq!(texts(7, "events", 3), texts(7, "events", 3));
        for (seed, target, number) in [(8, "events", 3), (7, "records", 3), (7, "events", 4)] {
            assert_ne!(texts(7, "events", 3), texts(seed, target, number));
        }
    }
}
