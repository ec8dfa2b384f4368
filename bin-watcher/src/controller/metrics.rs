//! The metrics of a controller, for Prometheus.
//!
//! Labels are bounded: the watched breakers, and words from fixed lists. The series of a breaker
//! end with it.

use std::collections::BTreeMap;
use std::fmt;

use breaker_core::event::HookOutcome;
use breaker_core::snapshot::HoldReason;
use breaker_core::state::Phase;
use breaker_core::{BreakerEvent, Cause, Snapshot};
use breaker_kube::crd::BreakerName;
use breaker_kube::request_metrics::RequestMetrics;
use parking_lot::{Mutex, MutexGuard};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet, prometheus_text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

/// Counts since the start of the process, and where each breaker stands.
#[derive(Debug, Default)]
pub(crate) struct Metrics(Mutex<Counters>);

#[derive(Debug, Clone, Default)]
struct Counters {
    breakers: BTreeMap<BreakerName, BreakerSeries>,
    /// By cause and by whether it counts.
    restarts: BTreeMap<(Cause, bool), u64>,
    holds: BTreeMap<HoldReason, u64>,
    hooks: BTreeMap<HookOutcome, u64>,
    notified: u64,
}

#[derive(Debug, Clone, Default)]
struct BreakerSeries {
    snapshot: Snapshot,
    trips: u64,
    would_trip: u64,
    contested: u64,
}

/// What is known at the moment of asking rather than told when it happens.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProcessState {
    pub(crate) leads: bool,
    /// Seconds since the pod watch showed a sign of life; `None` while there is no watch.
    pub(crate) watch_age: Option<f64>,
    /// As `watch_age`, of the watch of CircuitBreakers.
    pub(crate) breaker_watch_age: Option<f64>,
    pub(crate) traffic: RequestMetrics,
}

impl Metrics {
    fn facts(&self) -> MutexGuard<'_, Counters> {
        self.0.lock()
    }

    /// Counts an event of a breaker.
    pub(crate) fn event(&self, name: &BreakerName, event: &BreakerEvent) {
        let mut facts = self.facts();
        match event {
            BreakerEvent::Restart(restart) => {
                let key = (restart.cause, restart.counts);
                *facts.restarts.entry(key).or_default() += u64::from(restart.times);
            }
            BreakerEvent::Held(held) => *facts.holds.entry(held.reason).or_default() += 1,
            BreakerEvent::Hook { answer, .. } => *facts.hooks.entry(*answer).or_default() += 1,
            BreakerEvent::Notified { .. } => facts.notified += 1,
            _ => {}
        }
        let breaker = facts.series(name);
        match event {
            BreakerEvent::WouldTrip(_) => breaker.would_trip += 1,
            BreakerEvent::Scaled { already: false, .. } => breaker.trips += 1,
            BreakerEvent::Contested { .. } => breaker.contested += 1,
            _ => {}
        }
    }

    /// Takes over what a breaker is at this moment.
    pub(crate) fn snapshot(&self, name: &BreakerName, snapshot: &Snapshot) {
        self.facts().series(name).snapshot = snapshot.clone();
    }

    /// A breaker is not watched here any more.
    pub(crate) fn gone(&self, name: &BreakerName) {
        self.facts().breakers.remove(name);
    }

    /// None is watched here any more: another one leads.
    pub(crate) fn all_gone(&self) {
        self.facts().breakers.clear();
    }

    /// In Prometheus' text format 0.0.4.
    pub(crate) fn page(&self, now: ProcessState) -> String {
        let mut registry = Registry::with_prefix("bigredbutton");
        registry.register_collector(Box::new(Exposition { facts: self.facts().clone(), now }));
        let mut page = String::new();
        // A String takes whatever is written to it.
        let _ = prometheus_text::encode(&mut page, &registry);
        page
    }
}

impl Counters {
    fn series(&mut self, name: &BreakerName) -> &mut BreakerSeries {
        self.breakers.entry(name.clone()).or_default()
    }
}

/// All facts of one moment.
#[derive(Debug)]
struct Exposition {
    facts: Counters,
    now: ProcessState,
}

type Labels<'a, const N: usize> = [(&'a str, &'a str); N];

/// Families, one after the other: each its descriptor, then its series.
struct Families<'a, 'b>(&'a mut DescriptorEncoder<'b>);

impl Families<'_, '_> {
    fn gauge<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels<'l, N>, f64)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in series {
            metric.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    fn counter<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels<'l, N>, u64)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in series {
            metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&value, None)?;
        }
        Ok(())
    }
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

impl Collector for Exposition {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let mut families = Families(&mut encoder);
        self.process(&mut families)?;
        self.events(&mut families)?;
        self.breakers(&mut families)
    }
}

impl Exposition {
    fn process(&self, families: &mut Families) -> fmt::Result {
        let ProcessState { leads, watch_age, breaker_watch_age, traffic } = &self.now;
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        families.gauge("build_info", "Always 1; the label is the version", [(version, 1.0)])?;
        families.gauge("leader", "1 on the replica that leads, 0 on a standby", [([], flag(*leads))])?;
        families.gauge(
            "watch_age_seconds",
            "Seconds since the last sign of life of the pod watch; absent without a watch",
            watch_age.map(|age| ([], age)),
        )?;
        families.gauge(
            "breaker_watch_age_seconds",
            "Seconds since the last sign of life of the watch of CircuitBreakers; absent without a watch",
            breaker_watch_age.map(|age| ([], age)),
        )?;
        families.counter(
            "pod_relists",
            "Listings of pods; more than one for each start means that watches break",
            [([], traffic.pod_relists)],
        )?;
        let errors: Vec<_> =
            traffic.errors.iter().map(|((verb, code), n)| (*verb, code.clone(), *n)).collect();
        families.counter(
            "api_errors",
            "Failed requests to the API server, by verb and HTTP status; <error> means no answer, 409 is routine",
            errors.iter().map(|(verb, code, n)| ([("verb", *verb), ("code", code.as_str())], *n)),
        )
    }

    fn events(&self, families: &mut Families) -> fmt::Result {
        let Counters { restarts, holds, hooks, notified, .. } = &self.facts;
        let restarts_of = |cause: Cause, counts| {
            let n = restarts.get(&(cause, counts)).copied().unwrap_or_default();
            ([("cause", cause.as_str()), ("counted", if counts { "true" } else { "false" })], n)
        };
        families.counter(
            "restarts",
            "Observed container restarts, by cause and by whether they count towards a trip",
            Cause::ALL.into_iter().flat_map(|cause| [true, false].map(|counts| restarts_of(cause, counts))),
        )?;
        families.counter(
            "trips_held",
            "Trips that were held, by reason",
            // Counted from zero, so that the first one shows as an increase.
            HoldReason::ALL.map(|reason| {
                ([("reason", reason.as_str())], holds.get(&reason).copied().unwrap_or_default())
            }),
        )?;
        families.counter(
            "hook_answers",
            "Answers of the hook before a trip: proceed, hold, or failed",
            HookOutcome::ALL.map(|answer| {
                ([("answer", answer.as_str())], hooks.get(&answer).copied().unwrap_or_default())
            }),
        )?;
        families.counter("notifications", "Notifications that were acknowledged", [([], *notified)])
    }

    fn breakers(&self, families: &mut Families) -> fmt::Result {
        let breakers = &self.facts.breakers;
        fn labels(name: &BreakerName) -> Labels<'_, 2> {
            [("namespace", &name.namespace), ("name", &name.name)]
        }
        let gauge =
            |of: fn(&BreakerSeries) -> f64| breakers.iter().map(move |(name, b)| (labels(name), of(b)));
        let counter =
            |of: fn(&BreakerSeries) -> u64| breakers.iter().map(move |(name, b)| (labels(name), of(b)));
        families.gauge("breakers", "Watched CircuitBreakers", [([], breakers.len() as f64)])?;
        families.gauge(
            "breaker_phase",
            "1 for the phase of the breaker, 0 for the other phases",
            breakers.iter().flat_map(|(name, breaker)| {
                let [namespace, name] = labels(name);
                Phase::ALL.map(|phase| {
                    ([namespace, name, ("phase", phase.as_str())], flag(breaker.snapshot.phase == phase))
                })
            }),
        )?;
        families.gauge(
            "breaker_counted_restarts",
            "Counted restarts inside the breaker's window",
            gauge(|b| f64::from(b.snapshot.counts.counted)),
        )?;
        families.gauge(
            "breaker_restart_threshold",
            "Counted restarts above which the breaker trips",
            gauge(|b| f64::from(b.snapshot.counts.threshold)),
        )?;
        families.gauge(
            "breaker_peer_restarts",
            "Restarts inside the breaker's window by the peer that they name: the 10 most frequent, and other",
            breakers.iter().flat_map(|(name, breaker)| {
                let [namespace, name] = labels(name);
                let by_peer = breaker.snapshot.by_peer.iter();
                by_peer.map(move |(peer, n)| ([namespace, name, ("peer", peer.as_str())], f64::from(*n)))
            }),
        )?;
        families.gauge(
            "breaker_held",
            "1 while a trip is held",
            gauge(|b| flag(b.snapshot.hold.is_some())),
        )?;
        families.counter("trips", "Trips: the breaker scaled its workload to zero", counter(|b| b.trips))?;
        families.counter(
            "dry_run_trips",
            "Trips that a breaker in a dry run would have made",
            counter(|b| b.would_trip),
        )?;
        families.counter(
            "external_scale_ups",
            "Scale-ups of the workload by others while the breaker was open",
            counter(|b| b.contested),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn swype() -> BreakerName {
        BreakerName { namespace: "sre".into(), name: "swype".into() }
    }

    fn value(page: &str, series: &str) -> Option<f64> {
        let line = page.lines().find(|line| line.strip_prefix(series).is_some_and(|v| v.starts_with(' ')))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    #[test]
    fn emitted_events_are_counted() {
        let metrics = Metrics::default();
        metrics.snapshot(&swype(), &Snapshot::default());
        metrics.event(&swype(), &BreakerEvent::Contested { by: "argocd".into(), replicas: 2 });
        metrics.snapshot(&swype(), &Snapshot { phase: Phase::Open, ..Snapshot::default() });
        let traffic = RequestMetrics { errors: [(("patch", "409".into()), 2)].into(), pod_relists: 1 };
        let page = metrics.page(ProcessState {
            leads: true,
            watch_age: Some(1.5),
            breaker_watch_age: Some(2.5),
            traffic,
        });
        for (series, want) in [
            ("bigredbutton_leader", 1.0),
            ("bigredbutton_watch_age_seconds", 1.5),
            ("bigredbutton_breaker_watch_age_seconds", 2.5),
            ("bigredbutton_pod_relists_total", 1.0),
            (r#"bigredbutton_api_errors_total{verb="patch",code="409"}"#, 2.0),
            (r#"bigredbutton_breaker_phase{namespace="sre",name="swype",phase="Open"}"#, 1.0),
            (r#"bigredbutton_breaker_phase{namespace="sre",name="swype",phase="Closed"}"#, 0.0),
            (r#"bigredbutton_external_scale_ups_total{namespace="sre",name="swype"}"#, 1.0),
            (r#"bigredbutton_restarts_total{cause="network",counted="true"}"#, 0.0),
            (r#"bigredbutton_trips_held_total{reason="guard"}"#, 0.0),
        ] {
            assert_eq!(value(&page, series), Some(want), "{series}\n{page}");
        }
    }

    #[test]
    fn restarts_by_peer_have_a_series_for_each_peer_of_the_snapshot_only() {
        let metrics = Metrics::default();
        let by_peer = |peer: &str| Snapshot { by_peer: [(peer.to_owned(), 3)].into(), ..Snapshot::default() };
        metrics.snapshot(&swype(), &by_peer("redis:6379"));
        metrics.snapshot(&swype(), &by_peer("swype-gateway:443"));
        let page = metrics.page(ProcessState::default());
        let series = |peer| {
            format!(r#"bigredbutton_breaker_peer_restarts{{namespace="sre",name="swype",peer="{peer}"}}"#)
        };
        assert_eq!(value(&page, &series("swype-gateway:443")), Some(3.0), "{page}");
        assert_eq!(value(&page, &series("redis:6379")), None, "{page}");
    }

    #[test]
    fn a_breaker_that_goes_takes_its_series_with_it() {
        let metrics = Metrics::default();
        metrics.snapshot(&swype(), &Snapshot { phase: Phase::Open, ..Snapshot::default() });
        metrics.gone(&swype());
        let page = metrics.page(ProcessState::default());
        assert!(!page.contains("swype"), "{page}");
        assert_eq!(value(&page, "bigredbutton_watch_age_seconds"), None);
        assert_eq!(value(&page, "bigredbutton_leader"), Some(0.0));
    }

    /// `promtool check metrics` reads the same sample, in tests/peers.
    #[test]
    fn every_metric_there_is() {
        let metrics = Metrics::default();
        let by_peer = [("swype-gateway:443".into(), 3), ("other".into(), 1)].into();
        metrics.snapshot(&swype(), &Snapshot { phase: Phase::Open, by_peer, ..Snapshot::default() });
        let traffic = RequestMetrics {
            errors: [(("patch", "409".into()), 2), (("watch", "<error>".into()), 1)].into(),
            pod_relists: 1,
        };
        insta::assert_snapshot!(metrics.page(ProcessState {
            leads: true,
            watch_age: Some(1.5),
            breaker_watch_age: Some(2.5),
            traffic
        }));
    }

    /// Names of the families, as Prometheus stores them.
    fn families() -> Vec<String> {
        let page = Metrics::default().page(ProcessState::default());
        let names = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
        names.map(str::to_owned).collect()
    }

    #[test]
    fn every_metric_that_the_dashboard_and_the_alerts_ask_for_exists_and_each_is_asked_for() {
        let known = families();
        let read = |path: &str| {
            let path = format!("{}/../deploy/monitoring/{path}", env!("CARGO_MANIFEST_DIR"));
            std::fs::read_to_string(path).unwrap()
        };
        let (dashboard, rules) = (read("dashboard.json"), read("rules.yml"));
        let asked = |text: &str| {
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            words.filter(|word| word.starts_with("bigredbutton_")).map(str::to_owned).collect::<Vec<_>>()
        };
        for (file, text) in
            [("dashboard.json", &dashboard), ("rules.yml", &rules), ("tests", &read("rules-test.yml"))]
        {
            for name in asked(text) {
                assert!(known.contains(&name), "{file} asks for {name}; there are {known:?}");
            }
        }
        for name in known {
            assert!(asked(&dashboard).contains(&name), "the dashboard does not show {name}");
        }
    }

    #[test]
    fn the_dashboard_is_laid_out_as_grafana_wants_it() {
        let text = include_str!("../../../deploy/monitoring/dashboard.json");
        let dashboard: serde_json::Value = serde_json::from_str(text).unwrap();
        assert!(dashboard["schemaVersion"].as_u64() >= Some(36) && dashboard["uid"].is_string());
        let panels = dashboard["panels"].as_array().unwrap();
        let mut taken = std::collections::BTreeSet::new();
        for (n, panel) in panels.iter().enumerate() {
            let title = panel["title"].as_str().unwrap();
            assert_eq!(panel["id"].as_u64(), Some(n as u64 + 1), "{title}");
            assert!(matches!(panel["type"].as_str(), Some("stat" | "timeseries" | "table")), "{title}");
            assert!(panel["description"].as_str().is_some_and(|text| !text.is_empty()), "{title}");
            let place = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
            let [x, y, w, h] = place;
            assert!(x + w <= 24, "{title} is wider than the grid");
            for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                assert!(taken.insert(cell), "{title} lies over another panel");
            }
            let targets = panel["targets"].as_array().unwrap();
            let mut ids: Vec<_> = targets.iter().map(|target| target["refId"].as_str().unwrap()).collect();
            ids.dedup();
            assert_eq!(ids.len(), targets.len(), "{title}");
            for target in targets {
                assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
            }
        }
        let variables = dashboard["templating"]["list"].as_array().unwrap();
        let names: Vec<_> = variables.iter().map(|variable| variable["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["datasource", "job", "namespace"]);
    }
}
