//! A Role with given rights, and its binding, as YAML that can be applied.

use std::collections::BTreeMap;

use k8s_openapi::Resource;
use k8s_openapi::api::rbac::v1::{
    self as rbac, ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef,
};
use kube::api::ObjectMeta;
use serde::Serialize;

use super::permission::Permission;

/// Name of the Role and of its binding.
const ROLE_NAME: &str = "bigredbutton-missing-rights";

/// Whom a Role is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// A user by the name that the API server knows.
    User(String),
    /// A service account.
    ServiceAccount {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

impl Subject {
    /// The subject of a user name: `system:serviceaccount:NAMESPACE:NAME` is a service account.
    pub fn new(user: &str) -> Self {
        let account = user.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
        match account {
            Some((namespace, name)) => {
                Self::ServiceAccount { namespace: namespace.into(), name: name.into() }
            }
            None => Self::User(user.into()),
        }
    }

    fn in_binding(&self) -> rbac::Subject {
        match self.clone() {
            Self::User(name) => rbac::Subject {
                api_group: Some(RoleBinding::GROUP.into()),
                kind: "User".into(),
                name,
                namespace: None,
            },
            Self::ServiceAccount { namespace, name } => rbac::Subject {
                api_group: None,
                kind: "ServiceAccount".into(),
                name,
                namespace: Some(namespace),
            },
        }
    }
}

/// API group, resource and object of a right.
type ObjectKey<'a> = (&'a str, &'a str, Option<&'a str>);

/// API group, object and verbs of a rule.
type RuleKey<'a> = (&'a str, Option<&'a str>, Vec<&'a str>);

/// One Role for each namespace, or a ClusterRole, each with its binding.
pub(super) fn manifest<'a>(rights: impl Iterator<Item = &'a Permission>, subject: &Subject) -> String {
    let mut scopes: BTreeMap<Option<&str>, Vec<&Permission>> = BTreeMap::new();
    for right in rights {
        scopes.entry(right.namespace.as_deref()).or_default().push(right);
    }
    let documents = scopes.into_iter().flat_map(|(namespace, rights)| {
        let metadata = ObjectMeta {
            name: Some(ROLE_NAME.into()),
            namespace: namespace.map(str::to_owned),
            ..ObjectMeta::default()
        };
        let subjects = Some(vec![subject.in_binding()]);
        let role_ref = |kind: &str| RoleRef {
            api_group: RoleBinding::GROUP.into(),
            kind: kind.into(),
            name: ROLE_NAME.into(),
        };
        let rules = Some(rules(&rights));
        match namespace {
            Some(_) => {
                let role_ref = role_ref(Role::KIND);
                [
                    document(&Role { metadata: metadata.clone(), rules }),
                    document(&RoleBinding { metadata, role_ref, subjects }),
                ]
            }
            None => {
                let role_ref = role_ref(ClusterRole::KIND);
                [
                    document(&ClusterRole { metadata: metadata.clone(), rules, aggregation_rule: None }),
                    document(&ClusterRoleBinding { metadata, role_ref, subjects }),
                ]
            }
        }
    });
    documents.collect::<Vec<_>>().join("---\n")
}

fn document(object: &impl Serialize) -> String {
    serde_saphyr::to_string(object).expect("an object of Kubernetes can be written as YAML")
}

/// The rules, with resources of the same group and verbs in one.
fn rules(rights: &[&Permission]) -> Vec<PolicyRule> {
    let mut verbs: Vec<(ObjectKey<'_>, Vec<&str>)> = Vec::new();
    for right in rights {
        let (resource, group) = right.parts();
        let key = (group, resource, right.name.as_deref());
        match verbs.iter_mut().find(|(known, _)| *known == key) {
            Some((_, verbs)) => verbs.push(right.verb),
            None => verbs.push((key, vec![right.verb])),
        }
    }
    let mut merged: Vec<(RuleKey<'_>, Vec<&str>)> = Vec::new();
    for ((group, resource, name), verbs) in verbs {
        let key = (group, name, verbs);
        match merged.iter_mut().find(|(known, _)| *known == key) {
            Some((_, resources)) => resources.push(resource),
            None => merged.push((key, vec![resource])),
        }
    }
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let rule = |((group, name, verbs), resources): (RuleKey<'_>, Vec<&str>)| PolicyRule {
        api_groups: Some(owned(vec![group])),
        resources: Some(owned(resources)),
        resource_names: name.map(|name| owned(vec![name])),
        verbs: owned(verbs),
        non_resource_urls: None,
    };
    merged.into_iter().map(rule).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::access::permission::Place;

    #[test]
    fn rights_become_few_rules_bound_to_whom_they_are_missing() {
        let sre = Place::namespace("sre");
        let rights = [
            sre.right("get", "deployments/scale.apps"),
            sre.right("list", "pods"),
            sre.right("watch", "pods"),
            sre.right("patch", "deployments/scale.apps"),
            sre.right("get", "pods/log"),
            sre.right("get", "configmaps"),
            Place::namespace("ops").right("get", "leases.coordination.k8s.io").of("leader"),
            Place::EVERYWHERE.right("list", "pods"),
        ];
        let subject = Subject::new("on-call@x: y");
        let yaml = manifest(rights.iter(), &subject);
        let documents: Vec<Value> = serde_saphyr::from_multiple(&yaml).unwrap();
        let rule = |group: &str, resources: &[&str], verbs: &[&str]| json!({"apiGroups": [group], "resources": resources, "verbs": verbs});
        let mut leases = rule("coordination.k8s.io", &["leases"], &["get"]);
        leases["resourceNames"] = json!(["leader"]);
        let sre = [
            rule("apps", &["deployments/scale"], &["get", "patch"]),
            rule("", &["pods"], &["list", "watch"]),
            rule("", &["pods/log", "configmaps"], &["get"]),
        ];
        let scopes = [
            ("ClusterRole", Value::Null, json!([rule("", &["pods"], &["list"])])),
            ("Role", json!("ops"), json!([leases])),
            ("Role", json!("sre"), json!(sre)),
        ];
        assert_eq!(documents.len(), 2 * scopes.len(), "{yaml}");
        for ((kind, namespace, rules), pair) in scopes.into_iter().zip(documents.chunks(2)) {
            let (role, binding) = (&pair[0], &pair[1]);
            assert_eq!((&role["kind"], &role["rules"]), (&json!(kind), &rules), "{yaml}");
            assert_eq!(binding["kind"], format!("{kind}Binding"));
            let group = "rbac.authorization.k8s.io";
            let name = "bigredbutton-missing-rights";
            assert_eq!(binding["roleRef"], json!({"apiGroup": group, "kind": kind, "name": name}));
            let user = json!([{"apiGroup": group, "kind": "User", "name": "on-call@x: y"}]);
            assert_eq!(binding["subjects"], user);
            for document in pair {
                assert_eq!(document["apiVersion"], "rbac.authorization.k8s.io/v1");
                assert_eq!(document["metadata"]["name"], name);
                assert_eq!(document["metadata"]["namespace"], namespace);
            }
        }
    }

    #[test]
    fn a_service_account_is_bound_as_one() {
        let subject = Subject::new("system:serviceaccount:sre:watcher");
        let bound = serde_json::to_value(subject.in_binding()).unwrap();
        assert_eq!(bound, json!({"kind": "ServiceAccount", "name": "watcher", "namespace": "sre"}));
        assert_eq!(Subject::new("system:node:n1"), Subject::User("system:node:n1".into()));
    }
}
