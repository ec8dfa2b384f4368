//! An auditor: it reads every revision of a workload, its pods and its Record from the API server,
//! and checks the laws of a breaker on them.

mod history;
mod laws;
mod pod_history;
mod reader;
#[cfg(test)]
mod tests;

pub use history::{HookCall, PodRevision, Revision, Stored};
pub use laws::{Expected, Law, Violation, audit};
pub use reader::Auditor;
