//! What a request asks for.

use axum::http::Method;

/// A route of the solver: what a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Call {
    /// Every one of them.
    Any,
    /// `GET /job_offers`
    ListJobOffers,
    /// `POST /job_offers`
    PostJobOffer,
    /// `POST /job_offers/with_files`
    PostJobOfferWithFiles,
    /// `GET /job_offers/{id}`
    GetJobOffer,
    /// `GET /job_offers/{id}/files`
    GetJobFiles,
    /// `GET /resource_offers`
    ListResourceOffers,
    /// `POST /resource_offers`
    PostResourceOffer,
    /// `GET /deals`
    ListDeals,
    /// `GET /deals/{id}`
    GetDeal,
    /// `GET /deals/{id}/result`
    GetResult,
    /// `POST /deals/{id}/result`
    PostResult,
    /// `GET /deals/{id}/input_files`
    GetInputFiles,
    /// `GET /deals/{id}/files`
    GetResultFiles,
    /// `POST /deals/{id}/files`
    PostResultFiles,
    /// `POST /deals/{id}/txs/job_creator`
    PostJobCreatorTransactions,
    /// `POST /deals/{id}/txs/resource_provider`
    PostResourceProviderTransactions,
    /// `POST /deals/{id}/txs/mediator`
    PostMediatorTransactions,
    /// `GET /validation_token`
    GetValidationToken,
    /// `GET /ws`: opens an event socket.
    OpenSocket,
}

impl Call {
    /// What a request of this method to this path, counted from where the API is, asks for. `None` if the solver has no such route.
    pub(super) fn of(method: &Method, path: &str) -> Option<Self> {
        let parts: Vec<_> = path.strip_prefix('/')?.split('/').collect();
        let is_post = *method == Method::POST;
        if !is_post && *method != Method::GET {
            return None;
        }
        Some(match (is_post, parts.as_slice()) {
            (false, ["job_offers"]) => Self::ListJobOffers,
            (true, ["job_offers"]) => Self::PostJobOffer,
            (true, ["job_offers", "with_files"]) => Self::PostJobOfferWithFiles,
            (false, ["job_offers", _]) => Self::GetJobOffer,
            (false, ["job_offers", _, "files"]) => Self::GetJobFiles,
            (false, ["resource_offers"]) => Self::ListResourceOffers,
            (true, ["resource_offers"]) => Self::PostResourceOffer,
            (false, ["deals"]) => Self::ListDeals,
            (false, ["deals", _]) => Self::GetDeal,
            (false, ["deals", _, "result"]) => Self::GetResult,
            (true, ["deals", _, "result"]) => Self::PostResult,
            (false, ["deals", _, "input_files"]) => Self::GetInputFiles,
            (false, ["deals", _, "files"]) => Self::GetResultFiles,
            (true, ["deals", _, "files"]) => Self::PostResultFiles,
            (true, ["deals", _, "txs", "job_creator"]) => Self::PostJobCreatorTransactions,
            (true, ["deals", _, "txs", "resource_provider"]) => Self::PostResourceProviderTransactions,
            (true, ["deals", _, "txs", "mediator"]) => Self::PostMediatorTransactions,
            (false, ["validation_token"]) => Self::GetValidationToken,
            (false, ["ws"]) => Self::OpenSocket,
            _ => return None,
        })
    }

    /// Whether requests for it bring something along.
    pub(super) fn has_body(self) -> bool {
        matches!(
            self,
            Self::PostJobOffer
                | Self::PostJobOfferWithFiles
                | Self::PostResourceOffer
                | Self::PostResult
                | Self::PostResultFiles
                | Self::PostJobCreatorTransactions
                | Self::PostResourceProviderTransactions
                | Self::PostMediatorTransactions
        )
    }

    /// Whether a fault of this call is one of `other`, too.
    pub(super) fn covers(self, other: Self) -> bool {
        self == Self::Any || self == other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_has_a_name() {
        let cases = [
            (Method::GET, "job_offers", Call::ListJobOffers),
            (Method::POST, "job_offers", Call::PostJobOffer),
            (Method::POST, "job_offers/with_files", Call::PostJobOfferWithFiles),
            (Method::GET, "job_offers/Qm", Call::GetJobOffer),
            (Method::GET, "job_offers/Qm/files", Call::GetJobFiles),
            (Method::GET, "resource_offers", Call::ListResourceOffers),
            (Method::POST, "resource_offers", Call::PostResourceOffer),
            (Method::GET, "deals", Call::ListDeals),
            (Method::GET, "deals/Qm", Call::GetDeal),
            (Method::GET, "deals/Qm/result", Call::GetResult),
            (Method::POST, "deals/Qm/result", Call::PostResult),
            (Method::GET, "deals/Qm/input_files", Call::GetInputFiles),
            (Method::GET, "deals/Qm/files", Call::GetResultFiles),
            (Method::POST, "deals/Qm/files", Call::PostResultFiles),
            (Method::POST, "deals/Qm/txs/job_creator", Call::PostJobCreatorTransactions),
            (Method::POST, "deals/Qm/txs/resource_provider", Call::PostResourceProviderTransactions),
            (Method::POST, "deals/Qm/txs/mediator", Call::PostMediatorTransactions),
            (Method::GET, "validation_token", Call::GetValidationToken),
            (Method::GET, "ws", Call::OpenSocket),
        ];
        for (method, path, call) in cases {
            assert_eq!(Call::of(&method, &format!("/{path}")), Some(call), "{path}");
            assert!(Call::Any.covers(call) && !call.covers(Call::Any));
            assert_eq!(call.has_body(), method == Method::POST, "{path}");
        }
        assert_eq!(Call::of(&Method::GET, "/"), None);
        assert_eq!(Call::of(&Method::PUT, "/deals"), None);
    }
}
