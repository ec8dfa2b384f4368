//! What the API server says it was asked.

use std::collections::BTreeMap;

use bigredbutton_tests::Cluster;

/// Requests since the API server's start, by what was asked.
#[derive(Clone)]
pub(crate) struct Requests(BTreeMap<Asked, i64>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    verb: String,
    resource: String,
}

impl Asked {
    fn may_be(&self) -> bool {
        self.verb == "WATCH" || self.resource == "leases.coordination.k8s.io"
    }
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
            let mut resource = of("resource").unwrap_or("(no resource)").to_owned();
            for (mark, more) in [(".", of("group")), ("/", of("subresource"))] {
                if let Some(more) = more {
                    resource = format!("{resource}{mark}{more}");
                }
            }
            let asked = Asked { verb: of("verb").unwrap_or("?").to_owned(), resource };
            *requests.entry(asked).or_default() += count.parse::<f64>().unwrap_or(0.0) as i64;
        }
        Self(requests)
    }

    /// What was asked since then.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let grown = self.0.iter().map(|(asked, n)| (asked.clone(), n - before.of(asked)));
        Self(grown.filter(|(_, n)| *n != 0).collect())
    }

    fn of(&self, asked: &Asked) -> i64 {
        self.0.get(asked).copied().unwrap_or_default()
    }
}

/// Prints what was asked with and without the controller in windows of the same length; answers how many requests
/// beside watches and the lease there were more with it.
pub(crate) fn compare(with: &Requests, without: &Requests) -> i64 {
    println!("{:<8}{:<56}{:>8}{:>9}{:>12}", "verb", "resource", "with it", "without", "difference");
    let mut others = 0;
    let all: BTreeMap<_, _> = with.0.iter().chain(&without.0).collect();
    for asked in all.keys() {
        let (with, without) = (with.of(asked), without.of(asked));
        println!("{:<8}{:<56}{with:>8}{without:>9}{:>+12}", asked.verb, asked.resource, with - without);
        if !asked.may_be() {
            others += (with - without).max(0);
        }
    }
    others
}
