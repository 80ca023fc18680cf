//! Runs recorded and committed cases of the protocol against this workspace.
//!
//! Recorded cases come from a directory that `LILYPAD_CONFORMANCE_DIR` names, so that anybody can bring others; any part of it may be
//! absent. The committed ones, in `cases/`, are language-neutral: every language's tests run them.
//!
//! | part | promises that |
//! |---|---|
//! | `auth` | a key has the address and signs the headers that it should |
//! | `content-ids` | a record is written as it was read, and has the content id that it should |
//! | `unixfs` | a folder has the content id that it should |
//! | `templates` | a module's template renders, decodes and fails as with Go |
//! | `records` | every record of a conversation is written as it was read |
//! | `client` | told what a solver once told, our client ends as the recorded job did |
//! | `answers` | our solver answers odd requests with the recorded status and text |
//! | `cases` | the committed cases hold |

mod answers;
mod auth;
mod cases;
mod client;
mod content_ids;
mod conversation;
mod multipart;
mod record;
mod records;
mod report;
mod templates;
mod unixfs;
mod vectors;

pub use cases::run as run_cases;
pub use report::Part;
pub use vectors::{VARIABLE, Vectors};

use conversation::Conversation;

/// What reading a part's file gives: nothing if there is none.
type Read<T> = Option<Result<T, String>>;

/// Runs every part of `vectors` and hands over each as soon as it is done.
pub async fn run_vectors(vectors: &Vectors, mut done: impl FnMut(Part)) {
    done(run("auth", vectors.read("auth.json"), async |cases: Vec<_>| auth::run(&cases)).await);
    done(run("content-ids", vectors.read("content_ids.json"), async |cases: Vec<_>| content_ids::run(&cases)).await);
    done(run("unixfs", vectors.read("unixfs.json"), async |cases: Vec<_>| unixfs::run(&cases)).await);
    let templates = vectors.read("templates.json");
    done(run("templates", templates, async |cases: Vec<_>| templates::run(vectors, &cases).await).await);

    let conversations: Read<Vec<(String, Conversation)>> = vectors.conversations();
    let answers: Read<Vec<answers::Case>> = vectors.read("answers.json");
    let both = both(conversations.as_ref(), answers.as_ref());
    done(run("records", both, async |(conversations, answers)| records::run(conversations, answers)).await);
    done(run("client", conversations, async |conversations| client::run(&conversations).await).await);
    done(run("answers", answers, async |cases| answers::run(&cases).await).await);
}

/// Runs one part, if there is one.
async fn run<T>(name: &'static str, read: Read<T>, run: impl AsyncFnOnce(T) -> Part) -> Part {
    match read {
        None => Part::absent(name),
        Some(Ok(cases)) => run(cases).await,
        Some(Err(error)) => {
            let mut part = Part::new(name);
            part.record("reading", Err(error));
            part
        }
    }
}

/// What has records in it: either may be absent.
fn both<'a, A, B>(
    left: Option<&'a Result<Vec<A>, String>>,
    right: Option<&'a Result<Vec<B>, String>>,
) -> Read<(&'a [A], &'a [B])> {
    match (left, right) {
        (None, None) => None,
        (Some(Err(error)), _) | (_, Some(Err(error))) => Some(Err(error.clone())),
        (left, right) => {
            let left = left.and_then(|read| read.as_deref().ok()).unwrap_or_default();
            let right = right.and_then(|read| read.as_deref().ok()).unwrap_or_default();
            Some(Ok((left, right)))
        }
    }
}
