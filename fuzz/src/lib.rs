//! Property and fuzz targets, with a budget of cases. Run by `cargo xtask fuzz`.
//!
//! A case is made from the seed, the target's name and its number alone, so that any one can be run again. [`targets`] are what is
//! promised; [`generate`] makes what they are tried on: valid values, damaged ones, and soup of tokens; [`mod@reference`] is what they are
//! compared with, written apart from the SDK; [`runner`] spreads cases over the cores; [`command`] reports.

pub mod command;
pub mod failure;
pub mod generate;
pub mod reference;
pub mod runner;
pub mod targets;
