use breaker_core::Policy;
use breaker_core::guard::CommonPeerMode;
use breaker_core::policy::{CauseSet, MinFailingPods, Mode, Recovery, Unobserved};
use breaker_core::state::Override;
use breaker_core::webhook::{BeforeTrip, Endpoint, Hooks, NotifyFormat, OnFailure};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::CircuitBreakerSpec;

fn spec(more: Value) -> CircuitBreakerSpec {
    let mut spec = json!({"targetRef": {"kind": "Deployment", "name": "swype-app"}});
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    CircuitBreakerSpec::read(&spec).unwrap()
}

#[test]
fn a_spec_of_a_target_alone_has_the_default_policy_and_the_one_node_rule() {
    let parsed = spec(json!({})).parse("sre").unwrap();
    assert_eq!(parsed.target.to_string(), "sre/deployment/swype-app");
    assert_eq!(parsed.policy, Policy { one_node: true, ..Policy::default() });
    assert_eq!(parsed.override_, Override::Auto);
    assert_eq!(parsed.common_peer, None);
}

#[test]
fn a_spec_says_what_happens_under_the_outage_guard_or_leaves_it_to_the_controller() {
    for (guard, want) in [
        (json!({}), None),
        (json!({"commonPeer": "Hold"}), Some(CommonPeerMode::Hold)),
        (json!({"commonPeer": "Trip"}), Some(CommonPeerMode::Trip)),
    ] {
        assert_eq!(spec(json!({"outageGuard": guard})).parse("sre").unwrap().common_peer, want);
    }
    let unknown =
        json!({"targetRef": {"kind": "Deployment", "name": "a"}, "outageGuard": {"commonPeer": "Proceed"}});
    assert!(CircuitBreakerSpec::read(&unknown).is_err());
}

#[test]
fn every_field_of_a_spec_is_parsed() {
    let parsed = spec(json!({
        "trip": {"causes": ["Network", "Oom"], "peers": ["swype-*", "*:443"], "maxRestarts": 5, "window": "1h30m", "minFailingPods": 2, "unobserved": "Ignore"},
        "recovery": {"mode": "HalfOpen", "cooldown": "90s", "maxCooldown": "1h", "probeReplicas": 2, "probeFor": "10m"},
        "mode": "Observe",
        "override": "Disabled",
        "hooks": {
            "beforeTrip": {"url": "https://payments/rollback", "secretRef": {"name": "hook"}, "timeout": "20s", "onFailure": "Hold"},
            "notify": [{"url": "https://chat/alerts"}],
        },
    }))
    .parse("sre")
    .unwrap();
    assert_eq!(
        parsed.policy,
        Policy {
            causes: "network,oom".parse().unwrap(),
            peers: "swype-*,*:443".parse().unwrap(),
            max_restarts: 5,
            window: "90m".parse().unwrap(),
            min_failing_pods: MinFailingPods::Pods(2),
            one_node: true,
            unobserved: Unobserved::Ignore,
            recovery: Recovery::HalfOpen {
                cooldown: SignedDuration::from_secs(90),
                max_cooldown: SignedDuration::from_hours(1),
                probe_replicas: 2,
                probe_for: SignedDuration::from_mins(10),
            },
            mode: Mode::Observe,
            hooks: Hooks {
                before_trip: Some(BeforeTrip {
                    to: Endpoint {
                        secret: Some("sre/hook/key".into()),
                        ..Endpoint::new("https://payments/rollback")
                    },
                    timeout: SignedDuration::from_secs(20),
                    on_failure: OnFailure::Hold,
                }),
                notify: vec![Endpoint::new("https://chat/alerts")],
            },
        }
    );
    assert_eq!(parsed.override_, Override::Disabled);
    let any = spec(json!({"trip": {"causes": ["Network", "Any"]}})).parse("sre").unwrap();
    assert_eq!(any.policy.causes, CauseSet::ANY);
}

#[test]
fn a_receiver_has_a_format_with_the_url_or_the_secret_that_it_needs() {
    let parsed = |notify: Value| spec(json!({"hooks": {"notify": [notify]}})).parse("sre");
    let secret = |name: &str| Some(format!("sre/{name}/key"));
    for (notify, format, url, secret) in [
        (
            json!({"url": "https://x", "secretRef": {"name": "hook"}}),
            NotifyFormat::CloudEvents,
            "https://x",
            secret("hook"),
        ),
        (json!({"format": "Slack", "secretRef": {"name": "chat"}}), NotifyFormat::Slack, "", secret("chat")),
        (json!({"format": "Teams", "url": "https://flow"}), NotifyFormat::Teams, "https://flow", None),
        (
            json!({"format": "PagerDuty", "secretRef": {"name": "pager"}}),
            NotifyFormat::PagerDuty,
            "",
            secret("pager"),
        ),
        (
            json!({"format": "Alertmanager", "url": "http://am:9093"}),
            NotifyFormat::Alertmanager,
            "http://am:9093",
            None,
        ),
    ] {
        let want = Endpoint { format, secret, ..Endpoint::new(url) };
        assert_eq!(parsed(notify).unwrap().policy.hooks.notify, [want]);
    }
    for notify in [
        json!({}),
        json!({"format": "Slack"}),
        json!({"format": "PagerDuty", "url": "https://events.pagerduty.com/v2/enqueue"}),
        json!({"format": "Alertmanager", "secretRef": {"name": "token"}}),
        // Who may write a CircuitBreaker does not read Secrets by it.
        json!({"format": "PagerDuty", "url": "https://other.example/v2", "secretRef": {"name": "pager"}}),
        json!({"format": "Alertmanager", "url": "http://am:9093", "secretRef": {"name": "token"}}),
    ] {
        assert_eq!(parsed(notify).unwrap_err().field, "spec.hooks.notify");
    }
}

#[test]
fn a_target_is_found_by_group_and_kind() {
    for (api_version, kind, want) in [
        ("apps/v1", "StatefulSet", "statefulset/x"),
        ("v1", "ReplicationController", "replicationcontroller/x"),
        ("argoproj.io/v1alpha1", "Rollout", "rollout.argoproj.io/x"),
    ] {
        let target = json!({"apiVersion": api_version, "kind": kind, "name": "x"});
        assert_eq!(spec(json!({"targetRef": target})).parse("sre").unwrap().target.slash(), want);
    }
}

#[test]
fn an_error_names_the_field() {
    for (more, field) in [
        (json!({"targetRef": {"kind": "", "name": "x"}}), "spec.targetRef.kind: "),
        (json!({"targetRef": {"kind": "Deployment", "name": ""}}), "spec.targetRef.name: "),
        (json!({"trip": {"causes": []}}), "spec.trip.causes: "),
        (json!({"trip": {"peers": ["swype gateway"]}}), "spec.trip.peers: "),
        (json!({"trip": {"window": "soon"}}), "spec.trip.window: "),
        (json!({"trip": {"minFailingPods": 0}}), "spec.trip.minFailingPods: "),
        (json!({"trip": {"minFailingPods": "101%"}}), "spec.trip.minFailingPods: "),
        (json!({"recovery": {"mode": "HalfOpen", "cooldown": "2h"}}), "spec.recovery.cooldown: "),
        (json!({"recovery": {"mode": "HalfOpen", "probeFor": "-1s"}}), "spec.recovery.probeFor: "),
    ] {
        let error = spec(more).parse("sre").unwrap_err().to_string();
        assert!(error.starts_with(field), "{error}");
    }
    let shape = json!({"targetRef": {"kind": "Deployment", "name": "x"}, "mode": "Perhaps"});
    let error = CircuitBreakerSpec::read(&shape).unwrap_err().to_string();
    assert!(error.contains("Perhaps") && error.contains("Observe"), "{error}");
}
