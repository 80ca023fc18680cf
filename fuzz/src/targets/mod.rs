//! What is promised, target by target.

mod archives;
mod content_ids;
mod events;
mod modules;
mod records;
mod templates;

use crate::failure::Outcome;
use crate::generate::Random;

/// A promise that is tried on many cases, by one worker.
pub trait Target: Send {
    /// Makes a case and checks it.
    ///
    /// # Errors
    /// Which promise was broken, and on what.
    fn case(&mut self, number: u64, random: &mut Random) -> Outcome;

    /// Checks what cases left for later, since it is cheaper for many at once. Gives the failures with their cases' numbers.
    fn settle(&mut self) -> Vec<(u64, String)> {
        Vec::new()
    }
}

/// A target that can be run.
#[derive(Debug)]
pub struct Description {
    /// Its name on the command line.
    pub name: &'static str,
    /// Prepares it for one worker.
    pub make: fn() -> Result<Box<dyn Target>, String>,
    /// What a reader of the figures has to know.
    pub note: fn() -> Option<String>,
}

/// All targets.
pub const TARGETS: &[Description] = &[
    Description { name: "archives", make: || Ok(Box::new(archives::Archives::new()?)), note: || None },
    Description { name: "content-ids", make: || Ok(Box::new(content_ids::ContentIds)), note: || None },
    Description { name: "events", make: || Ok(Box::new(events::Events)), note: || None },
    Description { name: "modules", make: || Ok(Box::new(modules::Modules)), note: || None },
    Description { name: "records", make: || Ok(Box::new(records::Records)), note: || None },
    Description { name: "templates", make: || Ok(Box::new(templates::Templates::new()?)), note: templates::note },
];
