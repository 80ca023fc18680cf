//! Jobs: from a request to a result in hand.
//!
//! [`JobRequest`] → [`Plan`] (module resolved and rendered, offer complete but for its stamp) → [`Job`] (posted and followed) →
//! [`JobResult`](crate::result::JobResult) (received, verified, accepted). Each step is a value of its own type; nothing goes back.

mod event;
mod handle;
mod journal;
mod lookout;
mod map;
mod plan;
mod progress;
mod recall;
mod request;
mod settle;
mod status;
mod submit;
mod tracked;
mod tracker;

pub use event::{JobEvent, JobEvents};
pub use handle::{Cancellation, Job, ResultOptions};
pub(crate) use journal::Journal;
pub use journal::{JournalMode, JournalRepair};
pub(crate) use lookout::Lookout;
pub use map::{Map, MapHandle, MapOptions, MapProgress, MapRows, Row, RowOrder, RowRetries};
pub use plan::{Plan, PublicFacts};
pub(crate) use recall::{all, find};
pub use request::{JobRequest, RunOptions};
pub use status::{DealSummary, JobStatus, JobView};
pub(crate) use submit::plan;
pub(crate) use tracker::Tracker;
