//! What a resource provider posts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AgreementState, DealPricing, MachineSpec, PricingMode, ServiceConfig, content_id};

/// A machine that somebody lets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourceOffer {
    /// Content id of this record with an empty `id`.
    pub id: String,
    /// When the offer was stamped, in milliseconds since 1970.
    pub created_at: i64,
    /// Address of the provider, in EIP-55 form.
    pub resource_provider: String,
    /// Tells a provider's machines apart.
    pub index: i64,
    /// The machine.
    pub spec: MachineSpec,
    /// Content ids of the modules that it runs. Empty or `None`: any.
    pub modules: Option<Vec<String>>,
    /// How prices are compared.
    pub mode: PricingMode,
    /// Prices of modules without a price of their own.
    pub default_pricing: DealPricing,
    /// Prices by module.
    pub module_pricing: Option<BTreeMap<String, DealPricing>>,
    /// The solver and mediators that the provider trusts.
    #[serde(rename = "trusted_parties")]
    pub services: ServiceConfig,
}

impl ResourceOffer {
    /// The content id that the solver will give this offer, whatever `id` says.
    pub fn content_id(&self) -> String {
        content_id(&Self { id: String::new(), ..self.clone() })
    }
}

/// A resource offer and how far it is, as the solver keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourceOfferContainer {
    /// Id of the offer.
    pub id: String,
    /// Id of the deal; empty until matched.
    pub deal_id: String,
    /// Address of the provider.
    pub resource_provider: String,
    /// How far it is.
    pub state: AgreementState,
    /// The offer.
    pub resource_offer: ResourceOffer,
}
