//! [`RequestClass`]: the verb and the resource of a request to the API server.

use std::fmt;

use http::{Method, Uri};

/// The verb and the resource of a request, as an RBAC rule names them, without its object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestClass {
    /// `get`, `list`, `watch`, `create`, `update`, `patch` or `delete`.
    pub verb: &'static str,
    /// Plural and subresource: `pods`, `deployments/scale`. `discovery` for the paths that describe
    /// the API.
    pub resource: String,
}

impl RequestClass {
    /// The class of a request, and its namespace.
    pub(crate) fn parse(method: &Method, uri: &Uri) -> (Self, Option<String>) {
        let mut parts = uri.path().split('/').filter(|part| !part.is_empty());
        let prefix = match parts.next() {
            Some("api") => 1,
            Some("apis") => 2,
            _ => return (Self::discovery(), None),
        };
        let mut parts: Vec<&str> = parts.skip(prefix).collect();
        let mut namespace = None;
        if parts.len() > 2 && parts[0] == "namespaces" {
            namespace = Some(parts[1].to_owned());
            parts.drain(..2);
        }
        let Some(plural) = parts.first() else { return (Self::discovery(), None) };
        let has_name = parts.len() > 1;
        let resource = match parts.get(2) {
            Some(subresource) => format!("{plural}/{subresource}"),
            None => (*plural).to_owned(),
        };
        let is_watch = uri.query().unwrap_or_default().split('&').any(|part| part == "watch=true");
        let verb = match *method {
            Method::POST => "create",
            Method::PUT => "update",
            Method::PATCH => "patch",
            Method::DELETE => "delete",
            _ if is_watch => "watch",
            _ if has_name => "get",
            _ => "list",
        };
        (Self { verb, resource }, namespace)
    }

    fn discovery() -> Self {
        Self { verb: "get", resource: "discovery".into() }
    }

    /// Whether the request changes an object.
    pub fn is_write(&self) -> bool {
        matches!(self.verb, "create" | "update" | "patch" | "delete")
    }
}

impl fmt::Display for RequestClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_classed_by_verb_resource_and_subresource() {
        let scale = "/apis/apps/v1/namespaces/sre/deployments/swype/scale?fieldManager=bigredbutton";
        let status = "/apis/bigredbutton.dev/v1alpha1/namespaces/sre/circuitbreakers/swype/status";
        let sre = Some("sre");
        for (method, uri, class, namespace) in [
            (Method::GET, scale, "get deployments/scale", sre),
            (Method::PATCH, scale, "patch deployments/scale", sre),
            (Method::PATCH, status, "patch circuitbreakers/status", sre),
            (Method::GET, "/api/v1/namespaces/sre/pods?labelSelector=app%3Dswype", "list pods", sre),
            (Method::GET, "/api/v1/pods?watch=true&resourceVersion=7", "watch pods", None),
            (Method::GET, "/api/v1/namespaces/sre/pods/swype-0/log?tailLines=500", "get pods/log", sre),
            (Method::POST, "/api/v1/namespaces/sre/configmaps", "create configmaps", sre),
            (Method::PATCH, "/api/v1/namespaces/sre/configmaps/record", "patch configmaps", sre),
            (Method::GET, "/api/v1/namespaces/sre", "get namespaces", None),
            (Method::GET, "/apis/apps/v1", "get discovery", None),
            (Method::GET, "/version", "get discovery", None),
        ] {
            let (found, place) = RequestClass::parse(&method, &uri.parse().expect("a URI"));
            assert_eq!((found.to_string().as_str(), place.as_deref()), (class, namespace), "{method} {uri}");
        }
    }
}
