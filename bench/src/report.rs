//! Printing figures: ours, the baseline's, and their ratio.

use serde_json::json;

/// One figure of a benchmark.
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) name: &'static str,
    /// Its unit.
    pub(crate) unit: &'static str,
    /// Medians: ours, and the baseline's.
    pub(crate) ours: f64,
    /// The baseline's median.
    pub(crate) baseline: f64,
    /// What the baseline is.
    pub(crate) against: &'static str,
}

/// Prints figures as they come.
pub(crate) struct Report {
    json: bool,
}

impl Report {
    /// As a table, or as one JSON object a line.
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints one figure.
    pub(crate) fn figure(&mut self, figure: &Figure) {
        let Figure { name, unit, ours, baseline, against } = figure;
        let ratio = ours / baseline;
        if self.json {
            println!(
                "{}",
                json!({ "name": name, "unit": unit, "ours": ours, "baseline": baseline, "ratio": ratio, "against": against })
            );
        } else {
            println!("{name:<44} {ours:>9.4} {unit:<3} / {baseline:>9.4} {unit:<3} = {ratio:>7.4}   against {against}");
        }
    }
}

/// The median.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
