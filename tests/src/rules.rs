//! The RBAC rules that `watcher` needs in a namespace.

use serde_json::{Value, json};

/// The rules that `watcher run` needs, the scale first.
pub fn run_rules() -> Vec<Value> {
    vec![
        json!({"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["get", "patch"]}),
        json!({"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]}),
        json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}),
        json!({"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]}),
        json!({"apiGroups": [""], "resources": ["events"], "verbs": ["list"]}),
        json!({"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "create", "patch"]}),
        json!({"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]}),
    ]
}

/// The rules that `watcher controller` needs without leader election.
pub fn controller_rules() -> Vec<Value> {
    let group = ["bigredbutton.dev"];
    let breakers = [
        json!({"apiGroups": group, "resources": ["circuitbreakers"], "verbs": ["get", "list", "patch", "watch"]}),
        json!({"apiGroups": group, "resources": ["circuitbreakers/status"], "verbs": ["patch"]}),
    ];
    run_rules().into_iter().chain(breakers).collect()
}
