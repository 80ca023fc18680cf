//! Which machine a job gets.

use std::fmt;
use std::sync::Arc;

use lilypad_sdk::protocol::{Deal, DealMembers, GpuSpec, JobOffer, PricingMode, ResourceOffer, ResourceOfferContainer};

/// Why a machine doesn't suit a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mismatch {
    /// Too little processor time.
    Cpu,
    /// Too few GPUs.
    Gpu,
    /// Too little memory.
    Ram,
    /// No GPU with enough memory.
    Vram,
    /// Too little disk space.
    Disk,
    /// The provider asks for the market's price, which this release cannot name.
    MarketPrice,
    /// Both prices are fixed, and the provider's is higher.
    Price,
    /// No mediator that both trust.
    Mediator,
    /// They trust different solvers.
    Solver,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "too little processor time",
            Self::Gpu => "too few GPUs",
            Self::Ram => "too little memory",
            Self::Vram => "no GPU with enough memory",
            Self::Disk => "too little disk space",
            Self::MarketPrice => "the provider names no price",
            Self::Price => "the provider's price is higher",
            Self::Mediator => "no mediator that both trust",
            Self::Solver => "they trust different solvers",
        })
    }
}

/// Why `machine` doesn't suit `job`, or `None` if it does.
pub(super) fn mismatch(machine: &ResourceOffer, job: &JobOffer) -> Option<Mismatch> {
    let (has, wants) = (&machine.spec, &job.spec);
    let fixed = PricingMode::fixed();
    let reasons = [
        (has.cpu < wants.cpu, Mismatch::Cpu),
        (has.gpu < wants.gpu, Mismatch::Gpu),
        (has.ram < wants.ram, Mismatch::Ram),
        (!enough_vram(has.gpus.as_deref(), wants.gpus.as_deref()), Mismatch::Vram),
        (has.disk < wants.disk, Mismatch::Disk),
        (machine.mode == PricingMode::market(), Mismatch::MarketPrice),
        (machine.mode == fixed && job.mode == fixed && price(machine) > job.pricing.instruction_price, Mismatch::Price),
        (mutual_mediators(machine, job).is_empty(), Mismatch::Mediator),
        (machine.services.solver != job.services.solver, Mismatch::Solver),
    ];
    reasons.into_iter().find(|(applies, _)| *applies).map(|(_, reason)| reason)
}

/// The machine that `job` gets, out of those that suit it, oldest first.
///
/// A job at the market's price gets the cheapest, and the oldest of equal ones; any other the oldest that it can pay.
pub(super) fn choose<'a>(
    job: &JobOffer,
    machines: impl Iterator<Item = &'a Arc<ResourceOfferContainer>>,
) -> Option<&'a ResourceOffer> {
    let mut suitable = machines.map(|machine| &machine.resource_offer).filter(|machine| {
        let mismatch = mismatch(machine, job);
        if let Some(reason) = mismatch {
            tracing::debug!(job = job.id, machine = machine.id, %reason, "no match");
        }
        mismatch.is_none()
    });
    if job.mode == PricingMode::market() {
        suitable.min_by_key(|machine| (price(machine), machine.created_at))
    } else {
        suitable.find(|machine| price(machine) <= job.pricing.instruction_price)
    }
}

/// The deal that `job` and `machine` make, with its id. `None` if they trust nobody in common.
pub(super) fn deal(job: &JobOffer, machine: &ResourceOffer) -> Option<Deal> {
    let mediators = mutual_mediators(machine, job);
    if mediators.is_empty() || machine.services.solver != job.services.solver {
        return None;
    }
    let mut deal = Deal {
        id: String::new(),
        members: DealMembers {
            solver: job.services.solver.clone(),
            job_creator: job.job_creator.clone(),
            resource_provider: machine.resource_provider.clone(),
            mediators: Some(mediators),
        },
        pricing: machine.default_pricing.clone(),
        job_offer: job.clone(),
        resource_offer: machine.clone(),
    };
    deal.id = deal.content_id();
    Some(deal)
}

/// What a machine costs.
fn price(machine: &ResourceOffer) -> u64 {
    machine.default_pricing.instruction_price
}

/// The mediators that both trust, in the provider's order.
fn mutual_mediators(machine: &ResourceOffer, job: &JobOffer) -> Vec<String> {
    let trusted = job.services.mediator.as_deref().unwrap_or_default();
    let offered = machine.services.mediator.as_deref().unwrap_or_default();
    offered.iter().flat_map(|mediator| trusted.iter().filter(move |other| *other == mediator)).cloned().collect()
}

/// Only the largest GPU counts, and only if the job names GPUs.
fn enough_vram(has: Option<&[GpuSpec]>, wants: Option<&[GpuSpec]>) -> bool {
    let largest = |gpus: &[GpuSpec]| gpus.iter().map(|gpu| gpu.vram).max().unwrap_or(0).max(0);
    match (wants.unwrap_or_default(), has.unwrap_or_default()) {
        ([], _) => true,
        (_, []) => false,
        (wants, has) => largest(has) >= largest(wants),
    }
}

#[cfg(test)]
mod tests {
    use lilypad_sdk::protocol::{DealPricing, MachineSpec, ServiceConfig};

    use super::*;

    fn services() -> ServiceConfig {
        ServiceConfig { solver: "solver".into(), mediator: Some(vec!["mediator".into()]), api_host: String::new() }
    }

    fn job() -> JobOffer {
        JobOffer {
            spec: MachineSpec { cpu: 1000, ram: 100, ..MachineSpec::default() },
            mode: PricingMode::market(),
            pricing: DealPricing { instruction_price: 1, ..DealPricing::default() },
            services: services(),
            ..JobOffer::default()
        }
    }

    fn machine() -> ResourceOffer {
        ResourceOffer {
            spec: MachineSpec { cpu: 2000, ram: 200, ..MachineSpec::default() },
            mode: PricingMode::fixed(),
            default_pricing: DealPricing { instruction_price: 1, ..DealPricing::default() },
            services: services(),
            ..ResourceOffer::default()
        }
    }

    fn gpus(vram: i64) -> Option<Vec<GpuSpec>> {
        Some(vec![GpuSpec { vram, ..GpuSpec::default() }])
    }

    #[test]
    fn a_machine_that_lacks_something_is_not_taken() {
        type Change = fn(&mut JobOffer, &mut ResourceOffer);
        let cases: [(Change, Option<Mismatch>); 13] = [
            (|_, _| {}, None),
            (|job, _| job.spec.cpu = 2001, Some(Mismatch::Cpu)),
            (|job, _| job.spec.gpu = 1, Some(Mismatch::Gpu)),
            (|job, _| job.spec.ram = 201, Some(Mismatch::Ram)),
            (|job, _| job.spec.gpus = gpus(8), Some(Mismatch::Vram)),
            (
                |job, machine| {
                    job.spec.gpus = gpus(8);
                    machine.spec.gpus = gpus(4);
                },
                Some(Mismatch::Vram),
            ),
            (
                |job, machine| {
                    job.spec.gpus = gpus(8);
                    machine.spec.gpus = gpus(8);
                },
                None,
            ),
            (|job, _| job.spec.disk = 1, Some(Mismatch::Disk)),
            (|_, machine| machine.mode = PricingMode::market(), Some(Mismatch::MarketPrice)),
            (
                |job, machine| {
                    job.mode = PricingMode::fixed();
                    machine.default_pricing.instruction_price = 2;
                },
                Some(Mismatch::Price),
            ),
            (|_, machine| machine.default_pricing.instruction_price = 2, None),
            (|job, _| job.services.mediator = Some(vec!["other".into()]), Some(Mismatch::Mediator)),
            (|job, _| job.services.solver = "other".into(), Some(Mismatch::Solver)),
        ];
        for (number, (change, expected)) in cases.into_iter().enumerate() {
            let (mut job, mut machine) = (job(), machine());
            change(&mut job, &mut machine);
            assert_eq!(mismatch(&machine, &job), expected, "case {number}");
        }
    }

    #[test]
    fn the_market_takes_the_cheapest_and_a_fixed_price_the_oldest_that_it_can_pay() {
        let offers: Vec<_> = [("dear", 3, 1), ("cheap", 1, 2), ("cheap too", 1, 3)]
            .into_iter()
            .map(|(id, price, created_at)| {
                let mut resource_offer = ResourceOffer { id: id.into(), created_at, ..machine() };
                resource_offer.default_pricing.instruction_price = price;
                Arc::new(ResourceOfferContainer { resource_offer, ..ResourceOfferContainer::default() })
            })
            .collect();
        let chosen = |job: &JobOffer| choose(job, offers.iter()).map(|machine| machine.id.clone());
        assert_eq!(chosen(&job()).as_deref(), Some("cheap"));

        let mut fixed = JobOffer { mode: PricingMode::fixed(), ..job() };
        fixed.pricing.instruction_price = 3;
        assert_eq!(chosen(&fixed).as_deref(), Some("dear"));
        fixed.pricing.instruction_price = 0;
        assert_eq!(chosen(&fixed), None);
    }
}
