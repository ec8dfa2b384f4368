//! Lints of a rules file: what cannot work, would work too well, or is written for nothing.

mod check;
mod finding;
mod history;
mod relations;
mod rows;
mod run;
mod whole;

pub use self::finding::{Finding, Lint};
pub use self::history::History;

#[cfg(test)]
mod tests;
