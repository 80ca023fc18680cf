//! Every fault at every step of a job.

use futures_util::{StreamExt, stream};

use crate::cell::{self, Step};
use crate::menu::MENU;
use crate::totals::{Totals, Verdict};

/// Runs the matrix `rounds` times, `at_once` cells at a time; each round makes other random choices.
pub(crate) async fn run(totals: &mut Totals, seed: u64, rounds: u64, at_once: usize, only: Option<&str>) {
    let chosen = MENU.iter().enumerate().filter(|(_, dish)| only.is_none_or(|only| dish.name.contains(only)));
    let chosen: Vec<_> = chosen.flat_map(|(place, dish)| Step::ALL.map(|step| (place, dish, step))).collect();
    let cells =
        (0..rounds).flat_map(|round| chosen.iter().map(move |(place, dish, step)| (round, *place, *dish, *step)));
    let mut verdicts = stream::iter(cells)
        .map(|(round, place, dish, step)| async move {
            // Apart, so that leaving one line out changes no other.
            let seed = seed.wrapping_mul(1_000_003) ^ (round << 32) ^ ((place as u64) << 8) ^ step as u64;
            let name = format!("{} at {step:?}, round {round} (seed {seed})", dish.name);
            // A task of its own: the cells share two cores, not one.
            let verdict = tokio::spawn(cell::run(dish, step, seed)).await;
            (name, verdict.unwrap_or_else(|panic| Verdict::Hang(format!("panicked: {panic}"))))
        })
        .buffer_unordered(at_once.max(1));
    while let Some((name, verdict)) = verdicts.next().await {
        totals.count(&name, &verdict);
    }
}
