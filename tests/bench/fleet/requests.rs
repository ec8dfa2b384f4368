//! The requests that the API server's metrics count.

use std::collections::{BTreeMap, BTreeSet};

use bigredbutton_tests::Cluster;
use serde_json::{Deserializer, Value};

/// Requests since the start of the API server, by verb and resource.
#[derive(Clone)]
pub(crate) struct Requests(BTreeMap<RequestKind, i64>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct RequestKind {
    verb: String,
    resource: String,
}

impl RequestKind {
    fn may_be(&self) -> bool {
        self.verb == "WATCH" || self.resource == "leases.coordination.k8s.io"
    }

    /// Whether a component of the control plane made the request: some send requests every few
    /// minutes. The controller sends only requests that its manifests allow.
    fn is_others(&self, rights: &BTreeSet<String>) -> bool {
        !self.may_be() && !self.resource.starts_with(NO_RESOURCE) && !rights.contains(&self.resource)
    }
}

/// The resources of the controller's ClusterRoles, named as in [`RequestKind`].
fn rights(cluster: &Cluster) -> BTreeSet<String> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/base/cluster-role.yaml");
    let roles = cluster.kubectl(&["create", "--dry-run=client", "-o", "json", "-f", manifest]);
    let mut rights = BTreeSet::new();
    for role in Deserializer::from_str(&roles).into_iter::<Value>() {
        let role = role.expect("JSON");
        let items = role["items"].as_array().cloned().unwrap_or_else(|| vec![role]);
        for rule in items.iter().filter_map(|role| role["rules"].as_array()).flatten() {
            let words = |key: &str| rule[key].as_array().into_iter().flatten().filter_map(Value::as_str);
            for group in words("apiGroups") {
                rights.extend(words("resources").map(|resource| {
                    let (resource, sub) = resource.split_once('/').unwrap_or((resource, ""));
                    name(resource, group, sub)
                }));
            }
        }
    }
    assert!(rights.contains("pods"), "{rights:?}");
    rights
}

const NO_RESOURCE: &str = "(no resource)";

fn name(resource: &str, group: &str, subresource: &str) -> String {
    let mut name = resource.to_owned();
    for (mark, more) in [('.', group), ('/', subresource)] {
        if !more.is_empty() {
            name.push(mark);
            name.push_str(more);
        }
    }
    name
}

impl Requests {
    /// Reads the metrics of the API server. The read itself is counted in the next difference.
    pub(crate) fn now(cluster: &Cluster) -> Self {
        let page = cluster.kubectl(&["get", "--raw", "/metrics"]);
        let mut requests = BTreeMap::new();
        let series = page.lines().filter_map(|line| line.strip_prefix("apiserver_request_total{"));
        for (labels, count) in series.filter_map(|series| series.rsplit_once("} ")) {
            let of = |key: &str| {
                let (_, rest) = labels.split_once(&format!("{key}=\""))?;
                rest.split('"').next().filter(|value| !value.is_empty())
            };
            let (group, subresource) =
                (of("group").unwrap_or_default(), of("subresource").unwrap_or_default());
            let resource = name(of("resource").unwrap_or(NO_RESOURCE), group, subresource);
            let asked = RequestKind { verb: of("verb").unwrap_or("?").to_owned(), resource };
            *requests.entry(asked).or_default() += count.parse::<f64>().unwrap_or(0.0) as i64;
        }
        Self(requests)
    }

    /// The requests since `before`.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let grown = self.0.iter().map(|(asked, n)| (asked.clone(), n - before.count(asked)));
        Self(grown.filter(|(_, n)| *n != 0).collect())
    }

    fn count(&self, asked: &RequestKind) -> i64 {
        self.0.get(asked).copied().unwrap_or_default()
    }
}

/// Prints the requests with and without the controller in windows of the same length. Returns how
/// many more requests there were with it, except watches, the lease and requests that it has no
/// right to.
pub(crate) fn compare(cluster: &Cluster, with: &Requests, without: &Requests) -> i64 {
    let rights = rights(cluster);
    println!("{:<8}{:<56}{:>8}{:>9}{:>12}", "verb", "resource", "with it", "without", "difference");
    let mut more = 0;
    let all: BTreeMap<_, _> = with.0.iter().chain(&without.0).collect();
    for asked in all.keys() {
        let (with, without) = (with.count(asked), without.count(asked));
        let others = if asked.is_others(&rights) { "  not its right" } else { "" };
        println!(
            "{:<8}{:<56}{with:>8}{without:>9}{:>+12}{others}",
            asked.verb,
            asked.resource,
            with - without
        );
        if !asked.may_be() && !asked.is_others(&rights) {
            more += (with - without).max(0);
        }
    }
    more
}
