//! Why containers ended: cases read from a file or a pod, and how the verdicts are written.

pub(crate) mod case;
pub(crate) mod input;
pub(crate) mod report;
pub(crate) mod score;
pub(crate) mod writer;
