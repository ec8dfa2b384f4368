//! What the API server says it was asked.

use std::collections::{BTreeMap, BTreeSet};

use bigredbutton_tests::Cluster;
use serde_json::{Deserializer, Value};

/// Requests since the API server's start, by what was asked.
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

    /// Parts of the control plane ask for something every few minutes, in the one window or in the other. The
    /// controller asks for nothing that its manifests give it no right to.
    fn is_others(&self, rights: &BTreeSet<String>) -> bool {
        !self.may_be() && !self.resource.starts_with(NO_RESOURCE) && !rights.contains(&self.resource)
    }
}

/// The resources that the controller's ClusterRoles name, as [`RequestKind`] does.
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
    /// Reads the API server's own metrics. One such read is in the next difference.
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

    /// What was asked since then.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let grown = self.0.iter().map(|(asked, n)| (asked.clone(), n - before.of(asked)));
        Self(grown.filter(|(_, n)| *n != 0).collect())
    }

    fn of(&self, asked: &RequestKind) -> i64 {
        self.0.get(asked).copied().unwrap_or_default()
    }
}

/// Prints what was asked with and without the controller in windows of the same length; answers how many requests
/// beside watches and the lease there were more with it, of what it may ask for.
pub(crate) fn compare(cluster: &Cluster, with: &Requests, without: &Requests) -> i64 {
    let rights = rights(cluster);
    println!("{:<8}{:<56}{:>8}{:>9}{:>12}", "verb", "resource", "with it", "without", "difference");
    let mut more = 0;
    let all: BTreeMap<_, _> = with.0.iter().chain(&without.0).collect();
    for asked in all.keys() {
        let (with, without) = (with.of(asked), without.of(asked));
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
