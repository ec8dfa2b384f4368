//! An HTTP proxy in front of the API server that injects faults: by rule, or by a seeded schedule.
//!
//! It speaks plain HTTP to the program under test and talks to the API server as administrator.

mod bad_answer;
mod fault;
mod injected_fault;
mod proxy;
mod request_class;
mod rule;
mod schedule;
mod watch_body;

pub use bad_answer::BadAnswer;
pub use fault::{Fault, Injection, Moment};
pub use injected_fault::InjectedFault;
pub use proxy::FaultProxy;
pub use request_class::RequestClass;
pub use rule::FaultRule;
pub use schedule::FaultSchedule;
