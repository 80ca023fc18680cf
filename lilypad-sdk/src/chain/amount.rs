//! Amounts of money, each currency a type of its own.

use std::fmt;

use alloy::primitives::{U256, utils::format_ether};

/// An amount of the chain's own coin, in its smallest unit: 10¹⁸ of them are one coin. Prints in whole coins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wei(pub U256);

/// An amount of LP, in its smallest unit: 10¹⁸ of them are one LP. Prints in whole LP, as prices in offers are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lp(pub U256);

impl fmt::Display for Wei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&decimal(self.0))
    }
}

impl fmt::Display for Lp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&decimal(self.0))
    }
}

/// `units` of 10⁻¹⁸ as an exact decimal number, without zeros at the end.
fn decimal(units: U256) -> String {
    let text = format_ether(units);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_print_exactly_and_in_whole_tokens() {
        for (units, text) in [
            (0, "0"),
            (1, "0.000000000000000001"),
            (1_500_000_000_000_000_000, "1.5"),
            (2_000_000_000_000_000_000, "2"),
            (10_000_000_000_000_000_000_000_u128, "10000"),
        ] {
            assert_eq!(Lp(U256::from(units)).to_string(), text);
            assert_eq!(Wei(U256::from(units)).to_string(), text);
        }
        assert!(Wei(U256::MAX).to_string().ends_with(".584007913129639935"));
    }
}
