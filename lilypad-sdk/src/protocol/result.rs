//! What a provider says of a job that it ran.

use serde::{Deserialize, Serialize};

/// The record of a result. The files travel on their own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
pub struct ResultRecord {
    /// Content id of this record with an empty `id`.
    pub id: String,
    /// Id of the deal.
    pub deal_id: String,
    /// CIDv0 of the result's folder; empty if the job failed.
    pub data_id: String,
    /// Why the job failed, in the provider's words; empty if it ran.
    pub error: String,
    /// How much work it was; 0 in this release.
    pub instruction_count: u64,
}

/// The record's shape on the wire, where the id of the data stands twice.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Wire {
    id: String,
    deal_id: String,
    data_id: String,
    error: String,
    instruction_count: u64,
    /// The older name of `data_id`. Writers repeat it; a reader lets it win.
    results_id: Option<String>,
}

impl From<Wire> for ResultRecord {
    fn from(wire: Wire) -> Self {
        Self {
            id: wire.id,
            deal_id: wire.deal_id,
            data_id: wire.results_id.unwrap_or(wire.data_id),
            error: wire.error,
            instruction_count: wire.instruction_count,
        }
    }
}

impl From<ResultRecord> for Wire {
    fn from(record: ResultRecord) -> Self {
        Self {
            id: record.id,
            deal_id: record.deal_id,
            results_id: Some(record.data_id.clone()),
            data_id: record.data_id,
            error: record.error,
            instruction_count: record.instruction_count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::json;

    #[test]
    fn the_older_name_of_the_data_id_wins_and_is_always_written() {
        let record: ResultRecord = json::from_str(r#"{"data_id":"new","results_id":"old"}"#).unwrap();
        assert_eq!(record.data_id, "old");
        let record: ResultRecord = json::from_str(r#"{"data_id":"new","results_id":null}"#).unwrap();
        assert_eq!(record.data_id, "new");
        assert_eq!(
            json::to_string(&record),
            r#"{"id":"","deal_id":"","data_id":"new","error":"","instruction_count":0,"results_id":"new"}"#
        );
    }
}
