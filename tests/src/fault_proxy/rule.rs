//! [`FaultRule`]: a fault for the requests that a test names.

use std::ops::RangeInclusive;

use super::fault::{Fault, Injection, Moment};
use super::request_class::RequestClass;

/// A fault for some requests of one class.
#[derive(Debug, Clone)]
pub struct FaultRule {
    verb: &'static str,
    resource: &'static str,
    namespace: Option<String>,
    /// Numbers of the requests since the rule was added, from 1.
    numbers: RangeInclusive<u32>,
    injection: Injection,
    seen: u32,
}

impl FaultRule {
    /// The fault happens to every request of the class, after forwarding.
    pub fn new(verb: &'static str, resource: &'static str, fault: Fault) -> Self {
        let injection = Injection { fault, moment: Moment::AfterForwarding };
        Self { verb, resource, namespace: None, numbers: 1..=u32::MAX, injection, seen: 0 }
    }

    /// The fault happens before the API server sees the request.
    #[must_use]
    pub fn before(mut self) -> Self {
        self.injection.moment = Moment::BeforeForwarding;
        self
    }

    /// The fault happens only to the requests with these numbers, counted from 1 since the rule was
    /// added.
    #[must_use]
    pub fn only(mut self, numbers: RangeInclusive<u32>) -> Self {
        self.numbers = numbers;
        self
    }

    /// The fault happens only to requests in this namespace.
    #[must_use]
    pub fn in_namespace(mut self, namespace: &str) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Counts the request, if it is of this class; the fault, if it happens to the request.
    pub(crate) fn take(&mut self, class: &RequestClass, namespace: Option<&str>) -> Option<Injection> {
        let is_of_class = class.verb == self.verb
            && class.resource == self.resource
            && (self.namespace.is_none() || self.namespace.as_deref() == namespace);
        if !is_of_class {
            return None;
        }
        self.seen += 1;
        self.numbers.contains(&self.seen).then(|| self.injection.clone())
    }
}
