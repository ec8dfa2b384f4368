//! The list of breakers: a table, or the objects as JSON or YAML.

use std::collections::BTreeMap;

use breaker_core::printable::one_line;
use breaker_kube::crd::condition;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use jiff::{SignedDuration, Timestamp};
use kube::api::DynamicObject;
use serde_json::json;

use super::liveness::Liveness;
use super::object::{BreakerObject, NotFoundHint};
use crate::cli::cluster_args::ClusterArgs;
use crate::cli::exit::Exit;
use crate::cli::format::StatusFormat;
use crate::cluster::connect::{Cluster, with_startup_timeout};
use crate::output::stdout::print;

/// Spaces between two columns, as in kubectl.
const COLUMN_GAP: u16 = 3;

/// Prints the breakers of a namespace or of `all`, or with `would_trip` the outages at which those
/// that only observe would have tripped.
///
/// # Errors
/// Breakers that cannot be listed.
pub(crate) async fn list(
    args: &ClusterArgs,
    all: bool,
    would_trip: bool,
    format: StatusFormat,
) -> anyhow::Result<Exit> {
    let (namespace, breakers, controllers) = with_startup_timeout(async {
        let cluster = Cluster::connect(args).await?;
        let namespace = (!all).then_some(cluster.namespace);
        let breakers = cluster.kube.breakers(namespace.as_deref()).await.with_not_found_hint()?;
        let leases: Vec<_> =
            breakers.iter().filter_map(|object| BreakerObject::new(object).status.lease).collect();
        let controllers = Liveness::of_all(&cluster.kube, &leases).await;
        Ok((namespace, breakers, controllers))
    })
    .await?;
    for message in controllers.values().filter_map(Liveness::message) {
        eprintln!("warning: {message}");
    }
    if would_trip {
        print(&super::would_trip::print(&super::would_trip::outages(&breakers), format)?)?;
        return Ok(Exit::Done);
    }
    let list = || json!({"apiVersion": "v1", "kind": "List", "items": breakers});
    print(&match format {
        StatusFormat::Json => serde_json::to_string_pretty(&list())? + "\n",
        StatusFormat::Yaml => serde_saphyr::to_string(&list())?,
        StatusFormat::Text | StatusFormat::Wide if breakers.is_empty() => {
            let place = namespace.map_or("any namespace".into(), |name| format!("namespace {name}"));
            eprintln!("no CircuitBreakers in {place}");
            String::new()
        }
        StatusFormat::Text | StatusFormat::Wide => {
            table(&breakers, &controllers, all, format == StatusFormat::Wide, Timestamp::now())
        }
    })?;
    Ok(Exit::Done)
}

fn table(
    breakers: &[DynamicObject],
    controllers: &BTreeMap<String, Liveness>,
    all: bool,
    wide: bool,
    now: Timestamp,
) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    let mut head = vec!["NAME", "PHASE", "COUNTED", "TARGET", "READY", "AGE"];
    if all {
        head.insert(0, "NAMESPACE");
    }
    let any_would_trip =
        breakers.iter().any(|object| !BreakerObject::new(object).status.would_trip.is_empty());
    if any_would_trip {
        head.push("WOULD TRIP");
    }
    if wide {
        head.extend(["MODE", "OVERRIDE", "GIVES BACK", "HELD", "LAST TRIP"]);
    }
    table.set_header(head);
    for object in breakers {
        table.add_row(
            row(object, controllers, (all, any_would_trip, wide), now)
                .into_iter()
                .map(|cell| one_line(&cell)),
        );
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, COLUMN_GAP));
    }
    let lines: Vec<_> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}

fn row(
    object: &DynamicObject,
    controllers: &BTreeMap<String, Liveness>,
    (all, would_trip, wide): (bool, bool, bool),
    now: Timestamp,
) -> Vec<String> {
    let breaker = BreakerObject::new(object);
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
    let created = object.metadata.creation_timestamp.as_ref().map(|at| at.0);
    let age = created.map_or_else(none, |at| short(now.duration_since(at)));
    let mut cells =
        vec![breaker.name.name.clone(), breaker.phase_text().to_owned(), counted, target, ready, age];
    if all {
        cells.insert(0, breaker.name.namespace.clone());
    }
    if would_trip {
        cells.push(status.would_trip.first().map_or_else(none, |outage| {
            let peer = outage.peer.as_ref().map_or(String::new(), |peer| format!(", {peer}"));
            format!("{} ago, {}{peer}", short(now.duration_since(outage.at)), outage.cause)
        }));
    }
    if wide {
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
            trip.map_or_else(none, |trip| {
                let peer = trip.peer.as_ref().map_or(String::new(), |peer| format!(", {peer}"));
                format!("{} ago, {}{peer}", short(now.duration_since(trip.at)), trip.cause)
            }),
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

    fn breaker(name: &str, more: serde_json::Value) -> DynamicObject {
        let mut object = json!({
            "apiVersion": "bigredbutton.dev/v1alpha1",
            "kind": "CircuitBreaker",
            "metadata": {"name": name, "namespace": "sre", "creationTimestamp": "2026-01-02T03:00:00Z"},
            "spec": {"targetRef": {"kind": "Deployment", "name": "swype-app"}},
        });
        object["status"] = more;
        serde_json::from_value(object).unwrap()
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
        insta::assert_snapshot!(table(&breakers, &controllers, true, true, now));
    }

    #[test]
    fn ages_are_short() {
        for (seconds, want) in [(-5, "0s"), (119, "119s"), (120, "2m"), (7_200, "2h"), (200_000, "2d")] {
            assert_eq!(short(SignedDuration::from_secs(seconds)), want);
        }
    }
}
