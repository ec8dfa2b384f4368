//! The list of breakers: a table, or the objects as JSON or YAML.

use std::collections::BTreeMap;

use breaker_kube::crd::condition;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::liveness::Liveness;
use super::object::{BreakerObject, NotFoundHint};
use super::would_trip;
use crate::cli::cluster_args::ClusterArgs;
use crate::cli::exit::Exit;
use crate::cli::format::StatusFormat;
use crate::cluster::connect::{Cluster, with_startup_timeout};
use crate::output::stdout::print;
use crate::output::table::table;

/// Which columns a list has beside those of every list.
#[derive(Debug, Clone, Copy)]
struct ListColumns {
    namespace: bool,
    would_trip: bool,
    wide: bool,
}

/// Prints the breakers of a namespace or of `all`, or with `only_would_trip` the outages at which
/// those that only observe would have tripped.
///
/// # Errors
/// Breakers that cannot be listed.
pub(crate) async fn list(
    args: &ClusterArgs,
    all: bool,
    only_would_trip: bool,
    format: StatusFormat,
) -> anyhow::Result<Exit> {
    let (namespace, objects, breakers, controllers) = with_startup_timeout(async {
        let cluster = Cluster::connect(args).await?;
        let namespace = (!all).then_some(cluster.namespace);
        let objects = cluster.kube.breakers(namespace.as_deref()).await.with_not_found_hint()?;
        let breakers: Vec<_> = objects.iter().map(BreakerObject::new).collect();
        let leases = breakers.iter().filter_map(|breaker| breaker.status.lease.clone()).collect();
        let controllers = Liveness::of_all(&cluster.kube, leases).await;
        Ok((namespace, objects, breakers, controllers))
    })
    .await?;
    for message in controllers.values().filter_map(Liveness::message) {
        eprintln!("warning: {message}");
    }
    if only_would_trip {
        print(&would_trip::print(&would_trip::outages(&breakers), format)?)?;
        return Ok(Exit::Done);
    }
    let list = || json!({"apiVersion": "v1", "kind": "List", "items": objects});
    print(&match format {
        StatusFormat::Json => serde_json::to_string_pretty(&list())? + "\n",
        StatusFormat::Yaml => serde_saphyr::to_string(&list())?,
        StatusFormat::Text | StatusFormat::Wide if breakers.is_empty() => {
            let place = namespace.map_or("any namespace".into(), |name| format!("namespace {name}"));
            eprintln!("no CircuitBreakers in {place}");
            String::new()
        }
        StatusFormat::Text | StatusFormat::Wide => {
            rows(&breakers, &controllers, all, format == StatusFormat::Wide, Timestamp::now())
        }
    })?;
    Ok(Exit::Done)
}

fn rows(
    breakers: &[BreakerObject],
    controllers: &BTreeMap<String, Liveness>,
    namespace: bool,
    wide: bool,
    now: Timestamp,
) -> String {
    let would_trip = breakers.iter().any(|breaker| !breaker.status.would_trip.is_empty());
    let mut head = vec!["NAME", "PHASE", "COUNTED", "TARGET", "READY", "AGE"];
    if namespace {
        head.insert(0, "NAMESPACE");
    }
    if would_trip {
        head.push("WOULD TRIP");
    }
    if wide {
        head.extend(["MODE", "OVERRIDE", "GIVES BACK", "HELD", "LAST TRIP"]);
    }
    let columns = ListColumns { namespace, would_trip, wide };
    table(head, breakers.iter().map(|breaker| row(breaker, controllers, columns, now)))
}

fn row(
    breaker: &BreakerObject,
    controllers: &BTreeMap<String, Liveness>,
    columns: ListColumns,
    now: Timestamp,
) -> Vec<String> {
    let status = &breaker.status;
    let none = || "-".to_owned();
    let counted = match (status.counted, status.threshold) {
        (Some(counted), Some(threshold)) => format!("{counted}/{threshold}"),
        _ => none(),
    };
    let target = match &breaker.spec {
        Ok(spec) => format!("{}/{}", spec.target_ref.kind.to_lowercase(), spec.target_ref.name),
        Err(_) => none(),
    };
    let reason = |kind: &str| breaker.condition(kind).map_or_else(none, |found| found.reason.clone());
    let controller = status.lease.as_ref().and_then(|lease| controllers.get(lease));
    let ready = match controller {
        Some(Liveness::Stopped(_)) => "NoController".into(),
        _ => reason(condition::READY),
    };
    let age = breaker.created.map_or_else(none, |at| short(now.duration_since(at)));
    let ago = |at: Timestamp, cause: &str, peer: Option<&String>| {
        let peer = peer.map_or(String::new(), |peer| format!(", {peer}"));
        format!("{} ago, {cause}{peer}", short(now.duration_since(at)))
    };
    let mut cells =
        vec![breaker.name.name.clone(), breaker.phase_text().to_owned(), counted, target, ready, age];
    if columns.namespace {
        cells.insert(0, breaker.name.namespace.clone());
    }
    if columns.would_trip {
        let newest = status.would_trip.first();
        cells.push(newest.map_or_else(none, |outage| ago(outage.at, &outage.cause, outage.peer.as_ref())));
    }
    if columns.wide {
        let (mode, override_) = match &breaker.spec {
            Ok(spec) => (format!("{:?}", spec.mode), format!("{:?}", spec.override_)),
            Err(_) => (none(), none()),
        };
        let held = breaker.condition(condition::HELD).filter(|held| held.status == "True");
        let trip = status.last_trip.as_ref();
        cells.extend([
            mode,
            override_,
            status.original_replicas.map_or_else(none, |n| n.to_string()),
            held.map_or_else(none, |held| held.reason.clone()),
            trip.map_or_else(none, |trip| ago(trip.at, &trip.cause, trip.peer.as_ref())),
        ]);
    }
    cells
}

/// A span in its largest unit, like an age in kubectl.
fn short(span: SignedDuration) -> String {
    let seconds = span.as_secs().max(0);
    match seconds {
        0..=119 => format!("{seconds}s"),
        120..=7_199 => format!("{}m", seconds / 60),
        7_200..=172_799 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker(name: &str, more: serde_json::Value) -> BreakerObject {
        let mut object = json!({
            "apiVersion": "bigredbutton.dev/v1alpha1",
            "kind": "CircuitBreaker",
            "metadata": {"name": name, "namespace": "sre", "creationTimestamp": "2026-01-02T03:00:00Z"},
            "spec": {"targetRef": {"kind": "Deployment", "name": "swype-app"}},
        });
        object["status"] = more;
        BreakerObject::new(&serde_json::from_value(object).unwrap())
    }

    #[test]
    fn a_table_lists_open_breakers_with_their_reason_and_unwatched_ones() {
        let ready = json!({"type": "Ready", "status": "True", "reason": "Watching", "message": "watching",
            "lastTransitionTime": "2026-01-02T03:00:00Z"});
        let open = json!({
            "phase": "Open", "counted": 4, "threshold": 3, "originalReplicas": 3,
            "lastTrip": {"at": "2026-01-02T03:10:00Z", "cause": "network:refused", "peer": "swype-gateway:443"},
            "conditions": [ready],
        });
        let left = json!({"phase": "Closed", "counted": 1, "threshold": 3, "lease": "sre/old", "conditions": [ready],
            "wouldTrip": [{"at": "2026-01-02T02:14:00Z", "counted": 4, "threshold": 3, "cause": "network:dns",
                "peer": "rates:80"}]});
        let breakers = [
            breaker("swype", open),
            breaker("ledger\u{1b}[31m", serde_json::Value::Null),
            breaker("orders", left),
        ];
        let controllers = [("sre/old".to_owned(), Liveness::Stopped(String::new()))].into();
        let now = "2026-01-02T03:14:00Z".parse().unwrap();
        insta::assert_snapshot!(rows(&breakers, &controllers, true, true, now));
    }

    #[test]
    fn ages_are_short() {
        for (seconds, want) in [(-5, "0s"), (119, "119s"), (120, "2m"), (7_200, "2h"), (200_000, "2d")] {
            assert_eq!(short(SignedDuration::from_secs(seconds)), want);
        }
    }
}
