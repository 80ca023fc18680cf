//! What is counted.

use std::fmt;

/// What came of one experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The job ended as it should: its result in hand, or a true word on why there is none.
    Fine,
    /// The job ended as it should, but the fault had nothing to strike.
    NotStruck,
    /// A job that was sent cannot be found again, or its result not be had, although the solver has it.
    Lost(String),
    /// One job was taken, or dealt, more than once.
    PaidTwice(String),
    /// A result was handed out, or accepted, that is not what the job made.
    Wrong(String),
    /// Nothing happened for too long.
    Hang(String),
}

/// The sums of a campaign.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    cells: u32,
    not_struck: u32,
    kills: u32,
    jobs: u64,
    lost: u32,
    paid_twice: u32,
    wrong: u32,
    hangs: u32,
}

impl Totals {
    /// Counts a cell of the matrix; says aloud what is not as it should be.
    pub(crate) fn count(&mut self, name: &str, verdict: &Verdict) {
        self.cells += 1;
        self.jobs += 1;
        self.judge(name, verdict);
    }

    /// Counts clients that were killed, and the jobs of their rows.
    pub(crate) fn killed(&mut self, kills: u32, jobs: u64) {
        self.kills += kills;
        self.jobs += jobs;
    }

    /// Counts what is not as it should be, and says it aloud.
    pub(crate) fn judge(&mut self, name: &str, verdict: &Verdict) {
        let (count, what, why) = match verdict {
            Verdict::Fine => return,
            Verdict::NotStruck => return self.not_struck += 1,
            Verdict::Lost(why) => (&mut self.lost, "lost", why),
            Verdict::PaidTwice(why) => (&mut self.paid_twice, "paid twice", why),
            Verdict::Wrong(why) => (&mut self.wrong, "wrong result", why),
            Verdict::Hang(why) => (&mut self.hangs, "hang", why),
        };
        *count += 1;
        println!("{what}: {name}: {why}");
    }

    /// Whether everything was as it should be.
    pub(crate) fn is_clean(&self) -> bool {
        self.lost + self.paid_twice + self.wrong + self.hangs == 0
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cells, not_struck, kills, jobs, lost, paid_twice, wrong, hangs } = self;
        write!(
            f,
            "faults: {cells} cells ({not_struck} without a strike), {kills} kills, {jobs} jobs: jobs lost {lost}, paid twice {paid_twice}, wrong \
             results accepted {wrong}, hangs {hangs}"
        )
    }
}
