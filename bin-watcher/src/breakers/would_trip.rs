//! The list of outages at which breakers that only observe would have tripped.

use breaker_kube::crd::{BreakerName, WouldTrip};
use serde::Serialize;

use super::object::BreakerObject;
use crate::cli::format::StatusFormat;
use crate::output::table::table;

/// One outage of one breaker.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outage {
    namespace: String,
    breaker: String,
    #[serde(flatten)]
    outage: WouldTrip,
}

/// The outages of these breakers, newest first.
pub(super) fn outages(breakers: &[BreakerObject]) -> Vec<Outage> {
    let of = |breaker: &BreakerObject| {
        let BreakerName { namespace, name } = breaker.name.clone();
        let outage = move |outage: &WouldTrip| Outage {
            namespace: namespace.clone(),
            breaker: name.clone(),
            outage: outage.clone(),
        };
        breaker.status.would_trip.iter().map(outage).collect::<Vec<_>>()
    };
    let mut all: Vec<_> = breakers.iter().flat_map(of).collect();
    all.sort_by(|a, b| (b.outage.at, &a.namespace, &a.breaker).cmp(&(a.outage.at, &b.namespace, &b.breaker)));
    all
}

/// The outages in this format.
///
/// # Errors
/// None in practice: the outages can be written in each format.
pub(super) fn print(outages: &[Outage], format: StatusFormat) -> anyhow::Result<String> {
    Ok(match format {
        StatusFormat::Json => serde_json::to_string_pretty(outages)? + "\n",
        StatusFormat::Yaml => serde_saphyr::to_string(&outages)?,
        StatusFormat::Text | StatusFormat::Wide if outages.is_empty() => {
            eprintln!("no breaker that only observes would have tripped");
            String::new()
        }
        StatusFormat::Text | StatusFormat::Wide => rows(outages),
    })
}

fn rows(outages: &[Outage]) -> String {
    let head = vec!["NAMESPACE", "NAME", "WOULD TRIP AT", "UNTIL", "COUNTED", "CAUSE", "PEER", "LAST WORDS"];
    let rows = outages.iter().map(|Outage { namespace, breaker, outage }| {
        let WouldTrip { at, until, counted, threshold, cause, peer, quote } = outage;
        vec![
            namespace.clone(),
            breaker.clone(),
            format!("{at:.0}"),
            until.map_or("now".into(), |until| format!("{until:.0}")),
            format!("{counted}/{threshold}"),
            cause.clone(),
            peer.clone().unwrap_or_else(|| "-".into()),
            quote.clone(),
        ]
    });
    table(head, rows)
}

#[cfg(test)]
mod tests {
    use kube::api::DynamicObject;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_week_of_a_dry_run_ends_in_a_list() {
        let breaker = |name: &str, outages: serde_json::Value| -> DynamicObject {
            serde_json::from_value(json!({
                "apiVersion": "bigredbutton.dev/v1alpha1", "kind": "CircuitBreaker",
                "metadata": {"name": name, "namespace": "sre"},
                "spec": {"targetRef": {"kind": "Deployment", "name": name}, "mode": "Observe"},
                "status": {"phase": "Closed", "wouldTrip": outages},
            }))
            .unwrap()
        };
        let outage = |at: &str, more: serde_json::Value| {
            let mut outage = json!({"at": at, "counted": 4, "threshold": 3, "cause": "network:refused",
                "peer": "swype-gateway:443", "quote": "connection refused"});
            outage.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            outage
        };
        let monday = outage("2026-01-05T03:00:00Z", json!({"until": "2026-01-05T04:10:00Z"}));
        let friday = outage("2026-01-09T03:00:00Z", json!({"peer": null, "quote": ""}));
        let breakers = [
            breaker("orders", json!([monday])),
            breaker("swype", json!([friday, monday])),
            breaker("idle", json!([])),
        ]
        .map(|object| BreakerObject::new(&object));
        insta::assert_snapshot!(print(&outages(&breakers), StatusFormat::Text).unwrap());
        let json: serde_json::Value =
            serde_json::from_str(&print(&outages(&breakers), StatusFormat::Json).unwrap()).unwrap();
        assert_eq!((&json[0]["breaker"], &json[0]["at"]), (&json!("swype"), &json!("2026-01-09T03:00:00Z")));
    }
}
