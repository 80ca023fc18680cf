//! Everything that is made to go wrong.

use std::time::Duration;

use lilypad_localnet::{Call, Damage, EventHarm, Fault, Harm, Lie, Memory, Reply, job_creator};
use rand::Rng;
use rand::rngs::StdRng;

/// Something that goes wrong.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// Faults in what the solver says and hears.
    Faults(Vec<Fault>),
    /// All event sockets break.
    CutSockets,
    /// The solver crashes and comes back.
    Restart(Memory),
    /// The provider crashes in the middle and comes back.
    ProviderCrash,
    /// The solver's clock jumps.
    Skew(i64),
}

/// A line of the menu: a name, and what it is for these random choices.
pub(crate) struct Dish {
    /// What it is called.
    pub(crate) name: &'static str,
    /// Makes it.
    pub(crate) make: fn(&mut StdRng) -> Trouble,
}

/// What a client asks for while a job lives.
const CALLS: [Call; 6] = [
    Call::PostJobOffer,
    Call::ListJobOffers,
    Call::ListDeals,
    Call::GetResult,
    Call::GetResultFiles,
    Call::PostJobCreatorTransactions,
];

/// The same harm to each call of a client, up to three times each.
fn to_calls(random: &mut StdRng, harm: impl Fn(&mut StdRng) -> Harm) -> Trouble {
    let creator = job_creator().map(|wallet| wallet.address().to_string()).unwrap_or_default();
    let faults = CALLS.into_iter().map(|call| {
        let (times, harm) = (random.random_range(1..=2), harm(random));
        // Providers ask some of the same; what befalls them is another dish.
        Fault::new(call, harm).times(times).only(&creator)
    });
    Trouble::Faults(faults.collect())
}

/// Harm to events, at some of them.
fn to_events(random: &mut StdRng, harm: EventHarm) -> Trouble {
    let probability = if random.random() { 1.0 } else { 0.6 };
    Trouble::Faults(vec![Fault::every_event(harm).probability(probability).times(random.random_range(1..=12))])
}

/// The same answer to each call of a client.
fn replies(random: &mut StdRng, reply: Reply) -> Trouble {
    to_calls(random, |_| Harm::Instead(reply.clone()))
}

/// The same answer to each call of a client after the solver did what it was asked.
fn replies_afterwards(random: &mut StdRng, reply: Reply) -> Trouble {
    to_calls(random, |_| Harm::Afterwards(reply.clone()))
}

/// A lie in every list and record that has it.
fn lies(random: &mut StdRng, lie: Lie) -> Trouble {
    to_calls(random, |_| Harm::Lie(lie))
}

/// Damage to a result on its way.
fn damage(random: &mut StdRng, damage: Damage) -> Trouble {
    let times = random.random_range(1..=4);
    Trouble::Faults(vec![Fault::new(Call::GetResultFiles, Harm::Damage(damage)).times(times)])
}

/// Everything that is made to go wrong.
pub(crate) const MENU: &[Dish] = &[
    Dish { name: "events dropped", make: |random| to_events(random, EventHarm::Drop) },
    Dish {
        name: "events delayed",
        make: |random| {
            let delay = Duration::from_millis(random.random_range(1..3000));
            to_events(random, EventHarm::Delay(delay))
        },
    },
    Dish { name: "events duplicated", make: |random| to_events(random, EventHarm::Duplicate) },
    Dish { name: "events reordered", make: |random| to_events(random, EventHarm::Reorder) },
    Dish { name: "events with false deals", make: |random| to_events(random, EventHarm::FalseDeal) },
    Dish { name: "events that break the socket", make: |random| to_events(random, EventHarm::Cut) },
    Dish { name: "sockets cut", make: |_| Trouble::CutSockets },
    Dish {
        name: "sockets refused",
        make: |random| {
            let harm = Harm::Instead(Reply::status(503));
            Trouble::Faults(vec![
                Fault::every_event(EventHarm::Cut).times(1),
                Fault::new(Call::OpenSocket, harm).times(random.random_range(1..4)),
            ])
        },
    },
    Dish { name: "429 without a hint", make: |random| replies(random, Reply::too_many()) },
    Dish { name: "429 with a huge hint", make: |random| replies(random, Reply::too_many().retry_after(86_400)) },
    Dish { name: "500 with odd words", make: |random| replies(random, Reply::new(500, "the frog is asleep\n")) },
    Dish { name: "503", make: |random| replies(random, Reply::status(503)) },
    Dish { name: "a web page", make: |random| replies(random, Reply::html()) },
    Dish { name: "half an answer", make: |random| replies(random, Reply::truncated_json()) },
    Dish { name: "null", make: |random| replies(random, Reply::null()) },
    Dish { name: "another's offer", make: |random| replies(random, Reply::other_offer()) },
    Dish { name: "hung up before acting", make: |random| to_calls(random, |_| Harm::HangUp) },
    Dish { name: "hung up after acting", make: |random| to_calls(random, |_| Harm::LoseAnswer) },
    Dish { name: "504 after acting", make: |random| replies_afterwards(random, Reply::status(504)) },
    Dish { name: "a web page after acting", make: |random| replies_afterwards(random, Reply::html()) },
    Dish {
        name: "answers cut",
        make: |random| to_calls(random, |random| Harm::CutAnswer { at: random.random_range(0..900) }),
    },
    Dish {
        name: "bodies cut",
        make: |random| to_calls(random, |random| Harm::CutBody { at: random.random_range(0..4000) }),
    },
    Dish {
        name: "uploads cut",
        make: |random| to_calls(random, |random| Harm::CutUpload { at: random.random_range(0..1500) }),
    },
    Dish {
        name: "requests delayed",
        make: |random| to_calls(random, |random| Harm::Delay(Duration::from_millis(random.random_range(1..2500)))),
    },
    Dish {
        name: "answers delayed",
        make: |random| {
            to_calls(random, |random| Harm::DelayAnswer(Duration::from_millis(random.random_range(1..2500))))
        },
    },
    Dish { name: "stale answers", make: |random| lies(random, Lie::Stale) },
    Dish { name: "lists that lack the job", make: |random| lies(random, Lie::Omit) },
    Dish { name: "lists of strangers", make: |random| lies(random, Lie::Strangers) },
    Dish { name: "false deals", make: |random| lies(random, Lie::FalseDeals) },
    Dish { name: "a wrong content id", make: |random| lies(random, Lie::WrongCid) },
    Dish {
        name: "a flipped byte",
        make: |random| {
            let at = random.random_range(0..6000);
            damage(random, Damage::FlipByte { at })
        },
    },
    Dish {
        // Where the output lies in the provider's archive: after the folder, the exit code with its digit, a folder of outputs, the empty errors, and a
        // header of its own.
        name: "a changed output",
        make: |random| {
            let at = 6 * 512 + random.random_range(0..25);
            damage(random, Damage::FlipByte { at })
        },
    },
    Dish {
        name: "a truncated archive",
        make: |random| {
            let at = random.random_range(0..5000);
            damage(random, Damage::Truncate { at })
        },
    },
    Dish { name: "an archive with more behind", make: |random| damage(random, Damage::Append(vec![0x55; 2048])) },
    Dish { name: "an archive that climbs out", make: |random| damage(random, Damage::Traversal) },
    Dish {
        name: "no exit code",
        make: |_| Trouble::Faults(vec![Fault::new(Call::PostResult, Harm::NoExitCode).times(1)]),
    },
    Dish {
        name: "the clock jumps",
        make: |random| {
            let hours = random.random_range(1..3) * if random.random() { 1 } else { -1 };
            Trouble::Skew(hours * 3_600_000)
        },
    },
    Dish { name: "the solver restarts", make: |_| Trouble::Restart(Memory::Kept) },
    Dish { name: "the solver restarts without its memory", make: |_| Trouble::Restart(Memory::Lost) },
    Dish { name: "the provider crashes", make: |_| Trouble::ProviderCrash },
];
