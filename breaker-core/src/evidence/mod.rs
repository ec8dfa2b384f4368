//! Evidence: what the cluster still knows about ended containers, and the verdicts that follow from it.

mod explain_pod;
mod gather;

pub use self::explain_pod::{ExplainedTermination, explain_pod};
pub use self::gather::EVIDENCE_WITHIN;
pub(crate) use self::gather::take;
