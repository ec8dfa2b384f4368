//! The heuristics.

/// Heuristics in code. Each can be disabled by its id, like a row.
pub(crate) const HEURISTICS: [(&str, &str); 17] = [
    ("identity/pod", "a pod's workload stands for the pod and its instance"),
    (
        "identity/exporter",
        "beside a deployment, the pod, container and job of an exporter do not say where it is",
    ),
    ("severity/alias", "without severity, priority, level, criticality, urgency or importance says it"),
    ("severity/name", "Down, Outage, Unavailable, DataLoss, Corrupt, Violated in a name are critical"),
    ("ladder/name", "X < VeryX < CriticallyX"),
    ("ladder/severity", "one name: info < warning < error < critical"),
    ("transient/name", "XTransientFailure is the transient form of XFailure"),
    ("informational/name", "a watchdog or a heartbeat is not a fault"),
    ("flapping", "4 closed episodes within 1 h, until quiet for 30 min"),
    ("sustained", "a transient that stood for 1 h is judged as its lasting form"),
    ("recurring", "a transient seen 3 times"),
    ("silent", "an event that came in a regular rhythm has been silent for 10 of its intervals"),
    ("gone-from-source", "a newer snapshot of the same source does not contain it: obsolete"),
    ("ttl", "not seen for the TTL: obsolete"),
    ("pattern", "one transient in several scopes is one ticket"),
    (
        "instances",
        "firing alerts of one name in one scope, namespace, service, job and workload are one incident",
    ),
    ("group", "one alert standing in 3 scopes is one notification"),
];
