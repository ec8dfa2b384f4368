//! [`InjectedFault`]: the log of what a proxy has done.

use std::fmt;
use std::time::Duration;

use super::fault::Injection;
use super::request_class::RequestClass;

/// One fault that was injected.
#[derive(Debug, Clone)]
pub struct InjectedFault {
    /// Time since the start of the proxy.
    pub at: Duration,
    /// The request.
    pub class: RequestClass,
    /// Number of the request within its class, from 1.
    pub number: u32,
    /// What happened to it.
    pub injection: Injection,
}

impl fmt::Display for InjectedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, class, number, injection } = self;
        write!(f, "{:6.2} s  {class} #{number}: {injection}", at.as_secs_f64())
    }
}
