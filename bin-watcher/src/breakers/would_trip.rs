//! The list of outages at which breakers that only observe would have tripped.

use std::fmt;

use breaker_core::printable::one_line;
use breaker_kube::crd::WouldTrip;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use kube::api::DynamicObject;
use serde::Serialize;

use super::object::BreakerObject;
use crate::cli::format::StatusFormat;

/// Spaces between two columns, as in kubectl.
const COLUMN_GAP: u16 = 3;

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
pub(super) fn outages(breakers: &[DynamicObject]) -> Vec<Outage> {
    let mut all: Vec<_> = breakers
        .iter()
        .map(BreakerObject::new)
        .flat_map(|breaker| {
            let name = breaker.name;
            breaker.status.would_trip.into_iter().map(move |outage| Outage {
                namespace: name.namespace.clone(),
                breaker: name.name.clone(),
                outage,
            })
        })
        .collect();
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
        StatusFormat::Text | StatusFormat::Wide => table(outages),
    })
}

fn table(outages: &[Outage]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header([
        "NAMESPACE",
        "NAME",
        "WOULD TRIP AT",
        "UNTIL",
        "COUNTED",
        "CAUSE",
        "PEER",
        "LAST WORDS",
    ]);
    let or_none = |text: Option<&dyn fmt::Display>| text.map_or("-".to_owned(), |text| text.to_string());
    for Outage { namespace, breaker, outage } in outages {
        let WouldTrip { at, until, counted, threshold, cause, peer, quote } = outage;
        let cells = [
            namespace.clone(),
            breaker.clone(),
            format!("{at:.0}"),
            until.map_or("now".into(), |until| format!("{until:.0}")),
            format!("{counted}/{threshold}"),
            cause.clone(),
            or_none(peer.as_ref().map(|peer| peer as _)),
            quote.clone(),
        ];
        table.add_row(cells.into_iter().map(|cell| one_line(&cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, COLUMN_GAP));
    }
    let lines: Vec<_> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
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
        ];
        insta::assert_snapshot!(print(&outages(&breakers), StatusFormat::Text).unwrap());
        let json: serde_json::Value =
            serde_json::from_str(&print(&outages(&breakers), StatusFormat::Json).unwrap()).unwrap();
        assert_eq!((&json[0]["breaker"], &json[0]["at"]), (&json!("swype"), &json!("2026-01-09T03:00:00Z")));
    }
}
