//! [`Permission`]: one right, as an RBAC rule grants it.

use std::fmt;

use breaker_core::ClusterError;

/// How all namespaces are written where a namespace is expected.
pub(super) const EVERYWHERE: &str = "(all)";

/// One right, as an RBAC rule grants it. Displayed as `patch deployments/scale.apps`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Permission {
    /// `get`, `list`, `patch`, …
    pub verb: &'static str,
    /// Resource with its API group, for example `deployments/scale.apps`.
    pub resource: String,
    /// The namespace; `None` for all.
    pub namespace: Option<String>,
    /// The object, if the right to this one suffices.
    pub name: Option<String>,
}

impl Permission {
    /// This right to one object only.
    pub(super) fn of(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// The resource as a rule has it, such as `deployments/scale`, and its API group.
    pub(super) fn parts(&self) -> (&str, &str) {
        self.resource.split_once('.').unwrap_or((&self.resource, ""))
    }

    /// The error of a call without this right.
    pub fn error(&self) -> ClusterError {
        ClusterError::Forbidden {
            verb: self.verb,
            resource: self.resource.clone(),
            namespace: self.namespace.clone().unwrap_or_else(|| EVERYWHERE.into()),
            message: String::new(),
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)
    }
}

/// Where a right applies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a>(Option<&'a str>);

impl<'a> Place<'a> {
    /// All namespaces.
    pub(super) const EVERYWHERE: Self = Self(None);

    pub(super) fn namespace(name: &'a str) -> Self {
        Self(Some(name))
    }

    pub(super) fn right(self, verb: &'static str, resource: &str) -> Permission {
        Permission { verb, resource: resource.into(), namespace: self.0.map(str::to_owned), name: None }
    }
}
