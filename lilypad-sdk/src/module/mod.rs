//! Modules: what a job runs, as a template in a git repository.
//!
//! A [`ModuleReference`] is what a user writes; a [`Resolver`] finds the [`Module`] that it stands for, bundled, in a folder or in a git
//! repository, by way of a cache; the module's template renders the job's inputs into a [`ModuleSpec`]. [`InputFiles`] are files that
//! a job finds beside them. Providers use the same code on the module that an offer names.

mod bundle;
mod cache;
mod input_files;
mod loaded;
mod nearest;
mod reference;
mod resolver;
mod source;
pub mod spec;
pub(crate) mod template;

pub use bundle::Bundle;
pub use input_files::{CheckedInputFiles, InputFile, InputFiles};
pub use loaded::{Module, ModuleOrigin, RenderedModule};
pub use reference::ModuleReference;
pub use resolver::{Resolver, ResolverOptions};
pub use spec::{Finding, ModuleSpec, Severity, check};

#[cfg(test)]
mod tests;
