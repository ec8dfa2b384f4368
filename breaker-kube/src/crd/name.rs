//! [`BreakerName`]: namespace and name of a CircuitBreaker.

use std::fmt;

/// Namespace and name of a CircuitBreaker. Prints as `namespace/name`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BreakerName {
    /// Namespace of the breaker and of its target.
    pub namespace: String,
    /// Name of the breaker.
    pub name: String,
}

impl fmt::Display for BreakerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}
