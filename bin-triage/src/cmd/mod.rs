//! The subcommands, one file each; [`report`] is what runs without one.

pub(crate) mod backtest;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod explain;
pub(crate) mod follow;
pub(crate) mod formats;
pub(crate) mod man;
pub(crate) mod report;
pub(crate) mod rules;
pub(crate) mod schema;
pub(crate) mod test;
