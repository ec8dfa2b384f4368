//! Why containers ended: cases, captures and logs read from a file or a pipe, and how the verdicts
//! are written.

pub(crate) mod capture;
pub(crate) mod case;
mod describe;
mod event_table;
mod head;
pub(crate) mod input;
mod json;
mod log_streams;
mod objects;
mod pod_table;
pub(crate) mod report;
pub(crate) mod score;
mod table;
mod tail;
mod viewer;
pub(crate) mod writer;
