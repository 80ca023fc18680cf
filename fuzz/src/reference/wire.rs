//! The records of the wire, field by field, as the protocol's description lists them.

use super::shape::Shape;
use Shape::{Byte, List, Map, Maybe, Override, Record, Signed, Text, Unsigned};

/// Where a module lives.
pub const MODULE_CONFIG: Shape = Record(&[("name", Text), ("repo", Text), ("hash", Text), ("path", Text)]);

/// Sizes of a machine.
pub const MACHINE_SPEC: Shape = Record(&[
    ("gpu", Signed),
    ("gpus", List(&Record(&[("name", Text), ("vendor", Text), ("vram", Signed)]))),
    ("cpu", Signed),
    ("ram", Signed),
    ("disk", Signed),
]);

/// Names of files.
pub const INPUT_FILES: Shape = Record(&[("required", List(&Text)), ("optional", List(&Text))]);

/// Prices.
pub const DEAL_PRICING: Shape = Record(&[
    ("instruction_price", Unsigned),
    ("payment_collateral", Unsigned),
    ("results_collateral_multiple", Unsigned),
    ("mediation_fee", Unsigned),
]);

/// Trusted services.
pub const SERVICE_CONFIG: Shape = Record(&[("solver", Text), ("mediator", List(&Text)), ("api_host", Text)]);

/// A job offer.
pub const JOB_OFFER: Shape = Record(&[
    ("id", Text),
    ("created_at", Signed),
    ("nonce", Text),
    ("job_creator", Text),
    ("module", MODULE_CONFIG),
    ("spec", MACHINE_SPEC),
    ("inputs", Map(&Text)),
    ("inputFiles", INPUT_FILES),
    ("executionTimeoutSeconds", Unsigned),
    ("mode", Text),
    ("pricing", DEAL_PRICING),
    ("trusted_parties", SERVICE_CONFIG),
    ("target", Record(&[("address", Text)])),
]);

/// A job offer at the solver.
pub const JOB_OFFER_CONTAINER: Shape =
    Record(&[("id", Text), ("deal_id", Text), ("job_creator", Text), ("state", Byte), ("job_offer", JOB_OFFER)]);

/// A resource offer.
pub const RESOURCE_OFFER: Shape = Record(&[
    ("id", Text),
    ("created_at", Signed),
    ("resource_provider", Text),
    ("index", Signed),
    ("spec", MACHINE_SPEC),
    ("modules", List(&Text)),
    ("mode", Text),
    ("default_pricing", DEAL_PRICING),
    ("module_pricing", Map(&DEAL_PRICING)),
    ("trusted_parties", SERVICE_CONFIG),
]);

/// A resource offer at the solver.
pub const RESOURCE_OFFER_CONTAINER: Shape = Record(&[
    ("id", Text),
    ("deal_id", Text),
    ("resource_provider", Text),
    ("state", Byte),
    ("resource_offer", RESOURCE_OFFER),
]);

/// A deal.
pub const DEAL: Shape = Record(&[
    ("id", Text),
    (
        "members",
        Record(&[("solver", Text), ("job_creator", Text), ("resource_provider", Text), ("mediators", List(&Text))]),
    ),
    ("pricing", DEAL_PRICING),
    ("job_offer", JOB_OFFER),
    ("resource_offer", RESOURCE_OFFER),
]);

/// What each party of a deal sent to the chain.
pub const DEAL_TRANSACTIONS: Shape = Record(&[
    (
        "resource_provider",
        Record(&[
            ("agree", Text),
            ("add_result", Text),
            ("timeout_agree", Text),
            ("timeout_judge_result", Text),
            ("timeout_mediate_result", Text),
        ]),
    ),
    (
        "job_creator",
        Record(&[
            ("agree", Text),
            ("accept_result", Text),
            ("check_result", Text),
            ("timeout_agree", Text),
            ("timeout_submit_result", Text),
            ("timeout_mediate_result", Text),
        ]),
    ),
    ("mediator", Record(&[("mediation_accept_result", Text), ("mediation_reject_result", Text)])),
]);

/// A deal at the solver.
pub const DEAL_CONTAINER: Shape = Record(&[
    ("id", Text),
    ("created_at", Signed),
    ("upload_at", Signed),
    ("download_at", Signed),
    ("job_creator", Text),
    ("resource_provider", Text),
    ("job_offer", Text),
    ("resource_offer", Text),
    ("state", Byte),
    ("deal", DEAL),
    ("transactions", DEAL_TRANSACTIONS),
    ("mediator", Text),
]);

/// A result's record. The last field, if it is there, is what the third means.
pub const RESULT: Shape = Record(&[
    ("id", Text),
    ("deal_id", Text),
    ("data_id", Text),
    ("error", Text),
    ("instruction_count", Unsigned),
    ("results_id", Override),
]);

/// A frame of the event socket.
pub const EVENT: Shape = Record(&[
    ("event_type", Text),
    ("job_offer", Maybe(&JOB_OFFER_CONTAINER)),
    ("resource_offer", Maybe(&RESOURCE_OFFER_CONTAINER)),
    ("deal", Maybe(&DEAL_CONTAINER)),
]);
