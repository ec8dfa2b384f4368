//! One file for each command.

pub(crate) mod completions;
pub(crate) mod controller;
pub(crate) mod crd;
pub(crate) mod demo;
pub(crate) mod explain;
pub(crate) mod man;
pub(crate) mod reset;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod status;
pub(crate) mod trip;
