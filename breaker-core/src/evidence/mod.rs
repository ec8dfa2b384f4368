//! Evidence about ended containers from the cluster, and the verdicts that follow from it.

mod explain_pod;
mod gather;

pub use self::explain_pod::{ExplainedTermination, explain_pod};
pub(crate) use self::gather::{from_status, take};
