//! What was said on the wire during one job, by all parties.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};

/// Who pays for the job, in the recordings.
pub(crate) const JOB_CREATOR: &str = "job_creator";

/// One recorded conversation, in the order of time.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Conversation(pub(crate) Vec<Entry>);

/// One thing that was said.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Entry {
    /// A request and its answer.
    Exchange(Box<Exchange>),
    /// A frame of a socket.
    Frame(Frame),
}

/// A request and its answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Exchange {
    /// Who asked.
    pub(crate) who: String,
    /// What was asked.
    pub(crate) request: Request,
    /// What the solver answered.
    pub(crate) response: Response,
}

/// A recorded request.
#[derive(Debug, Deserialize)]
pub(crate) struct Request {
    /// Its method.
    pub(crate) method: String,
    /// Its path with its query.
    pub(crate) path: String,
    /// Its body.
    #[serde(default)]
    pub(crate) body: Option<Body>,
}

/// A recorded answer.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Response {
    /// Its status.
    pub(crate) status: u16,
    /// Its headers.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Its body.
    #[serde(default)]
    pub(crate) body: Option<Body>,
}

/// A recorded body.
#[derive(Debug, Clone)]
pub(crate) struct Body(Vec<u8>);

impl Body {
    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// How a body is stored: as text if it is text.
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Stored {
            /// Text as it is.
            Text(String),
            /// Other bytes.
            Base64(String),
        }
        match Stored::deserialize(deserializer)? {
            Stored::Text(text) => Ok(Self(text.into_bytes())),
            Stored::Base64(text) => STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom),
        }
    }
}

/// A recorded frame of a socket.
#[derive(Debug, Deserialize)]
pub(crate) struct Frame {
    /// Whose socket it is.
    pub(crate) socket_of: String,
    /// The event, for a frame of text; pings and pongs have none.
    #[serde(default)]
    pub(crate) text: Option<String>,
}
