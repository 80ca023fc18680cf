//! Runs the cases of a target over all cores, and counts.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::guarded;
use crate::generate::Random;
use crate::targets::{Description, Target};

/// How many cases a worker takes at once.
const CHUNK: u64 = 256;
/// A case that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(60);
/// How many failures are told; more are counted.
const TOLD: usize = 10;

/// Which cases of a target are run.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    /// What all cases are made from.
    pub seed: u64,
    /// The first case.
    pub first: u64,
    /// How many.
    pub cases: u64,
    /// How many run at a time.
    pub workers: usize,
}

/// What became of a target's cases.
#[derive(Debug)]
pub struct Report {
    /// How many cases ran.
    pub cases: u64,
    /// How many of them broke a promise.
    pub failed: u64,
    /// The first failures: the case's number, and what it says.
    pub failures: Vec<(u64, String)>,
    /// How long it took.
    pub took: Duration,
}

/// What the workers share.
struct Shared {
    /// The first case that nobody has taken.
    next: AtomicU64,
    /// How many cases ran.
    done: AtomicU64,
    /// All failures.
    failures: Mutex<Vec<(u64, String)>>,
    /// Per worker, the case that it is at and since when.
    at: Vec<Mutex<Option<(u64, Instant)>>>,
    /// Whether all is over.
    over: AtomicBool,
}

/// Runs a target's cases.
///
/// # Errors
/// When the target cannot be prepared.
pub fn run(description: &Description, budget: Budget) -> Result<Report, String> {
    let started = Instant::now();
    let shared = Shared {
        next: AtomicU64::new(budget.first),
        done: AtomicU64::new(0),
        failures: Mutex::default(),
        at: (0..budget.workers).map(|_| Mutex::default()).collect(),
        over: AtomicBool::new(false),
    };
    let prepared: Result<Vec<_>, _> = (0..budget.workers).map(|_| (description.make)()).collect();
    let prepared = prepared?;
    thread::scope(|scope| {
        let watch = scope.spawn(|| watch(description, budget, &shared));
        let workers: Vec<_> = prepared
            .into_iter()
            .enumerate()
            .map(|(worker, target)| {
                scope.spawn({
                    let shared = &shared;
                    move || work(description, budget, shared, worker, target)
                })
            })
            .collect();
        let lost = workers.into_iter().filter_map(|worker| worker.join().err()).count();
        shared.over.store(true, Ordering::Release);
        watch.thread().unpark();
        if lost > 0 { Err(format!("{lost} workers of {} ended early", description.name)) } else { Ok(()) }
    })?;
    let mut failures = shared.failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    failures.sort();
    let failed = failures.len() as u64;
    failures.truncate(TOLD);
    Ok(Report { cases: shared.done.into_inner(), failed, failures, took: started.elapsed() })
}

/// Takes cases until there are none left.
fn work(description: &Description, budget: Budget, shared: &Shared, worker: usize, mut target: Box<dyn Target>) {
    let end = budget.first + budget.cases;
    loop {
        let from = shared.next.fetch_add(CHUNK, Ordering::Relaxed);
        if from >= end {
            return;
        }
        for number in from..end.min(from + CHUNK) {
            *lock(&shared.at[worker]) = Some((number, Instant::now()));
            let mut random = Random::of_case(budget.seed, description.name, number);
            if let Err(failure) = guarded(|| target.case(number, &mut random)) {
                lock(&shared.failures).push((number, failure));
            }
            shared.done.fetch_add(1, Ordering::Relaxed);
        }
        let failures = guarded(|| Ok(target.settle())).unwrap_or_else(|panic| vec![(from, panic)]);
        lock(&shared.failures).extend(failures);
        *lock(&shared.at[worker]) = None;
    }
}

/// Ends the process when a case hangs: there is no other way to stop it.
fn watch(description: &Description, budget: Budget, shared: &Shared) {
    while !shared.over.load(Ordering::Acquire) {
        thread::park_timeout(Duration::from_secs(1));
        for at in &shared.at {
            if let Some((number, since)) = *lock(at)
                && since.elapsed() > LONGEST
            {
                println!("{}: case {number} hangs (seed {})", description.name, budget.seed);
                std::process::exit(1);
            }
        }
    }
}

/// Locks, whatever a panic elsewhere left.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Outcome;

    /// Fails on every tenth case, in one way or another, and when it settles.
    #[derive(Default)]
    struct Tenth(Vec<u64>);

    impl Target for Tenth {
        fn case(&mut self, number: u64, _: &mut Random) -> Outcome {
            match number % 30 {
                0 => Err("an error".into()),
                10 => panic!("a panic"),
                20 => {
                    self.0.push(number);
                    Ok(())
                }
                _ => Ok(()),
            }
        }

        fn settle(&mut self) -> Vec<(u64, String)> {
            self.0.drain(..).map(|number| (number, "late".into())).collect()
        }
    }

    #[test]
    fn every_case_runs_once_and_every_failure_is_counted() {
        let tenth = Description { name: "tenth", make: || Ok(Box::new(Tenth::default())), note: || None };
        for workers in [1, 3] {
            let report = run(&tenth, Budget { seed: 1, first: 5, cases: 1000, workers }).unwrap();
            assert_eq!((report.cases, report.failed, report.failures.len()), (1000, 100, TOLD));
            assert_eq!(report.failures[0], (10, report.failures[0].1.clone()));
        }
    }
}
