//! A Role with given rights, and its binding, as YAML that can be applied.

use std::collections::BTreeMap;
use std::fmt::Write;

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

    fn yaml(&self) -> String {
        match self {
            Self::User(name) => {
                format!("{{kind: User, name: {}, apiGroup: rbac.authorization.k8s.io}}", quoted(name))
            }
            Self::ServiceAccount { namespace, name } => {
                format!("{{kind: ServiceAccount, name: {}, namespace: {}}}", quoted(name), quoted(namespace))
            }
        }
    }
}

/// A JSON string, which is valid in a YAML flow too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
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
    let mut yaml = String::new();
    for (namespace, rights) in scopes {
        let kind = if namespace.is_some() { "Role" } else { "ClusterRole" };
        let place = namespace.map_or(String::new(), |name| format!(", namespace: {}", quoted(name)));
        let metadata = format!("metadata: {{name: {ROLE_NAME}{place}}}");
        let api = "apiVersion: rbac.authorization.k8s.io/v1";
        let separator = if yaml.is_empty() { "" } else { "---\n" };
        let _ = write!(yaml, "{separator}{api}\nkind: {kind}\n{metadata}\nrules:\n{}", rules(&rights));
        let _ = write!(
            yaml,
            "---\n{api}\nkind: {kind}Binding\n{metadata}\nroleRef: {{apiGroup: rbac.authorization.k8s.io, kind: \
             {kind}, name: {ROLE_NAME}}}\nsubjects:\n- {}\n",
            subject.yaml()
        );
    }
    yaml
}

/// The rules, with resources of the same group and verbs in one.
fn rules(rights: &[&Permission]) -> String {
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
    merged.iter().fold(String::new(), |mut yaml, ((group, name, verbs), resources)| {
        let names = name.map_or(String::new(), |name| format!(", resourceNames: [{}]", quoted(name)));
        let (resources, verbs) = (resources.join(", "), verbs.join(", "));
        let _ = writeln!(
            yaml,
            "- {{apiGroups: [{}], resources: [{resources}]{names}, verbs: [{verbs}]}}",
            quoted(group)
        );
        yaml
    })
}

#[cfg(test)]
mod tests {
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
        let want = r#"apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: bigredbutton-missing-rights}
rules:
- {apiGroups: [""], resources: [pods], verbs: [list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: bigredbutton-missing-rights}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: bigredbutton-missing-rights}
subjects:
- {kind: User, name: "jane@x: y", apiGroup: rbac.authorization.k8s.io}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: bigredbutton-missing-rights, namespace: "ops"}
rules:
- {apiGroups: ["coordination.k8s.io"], resources: [leases], resourceNames: ["leader"], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: bigredbutton-missing-rights, namespace: "ops"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: bigredbutton-missing-rights}
subjects:
- {kind: User, name: "jane@x: y", apiGroup: rbac.authorization.k8s.io}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: bigredbutton-missing-rights, namespace: "sre"}
rules:
- {apiGroups: ["apps"], resources: [deployments/scale], verbs: [get, patch]}
- {apiGroups: [""], resources: [pods], verbs: [list, watch]}
- {apiGroups: [""], resources: [pods/log, configmaps], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: bigredbutton-missing-rights, namespace: "sre"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: bigredbutton-missing-rights}
subjects:
- {kind: User, name: "jane@x: y", apiGroup: rbac.authorization.k8s.io}
"#;
        assert_eq!(manifest(rights.iter(), &Subject::new("jane@x: y")), want);
    }

    #[test]
    fn a_service_account_is_bound_as_one() {
        let subject = Subject::new("system:serviceaccount:sre:watcher");
        assert_eq!(subject.yaml(), r#"{kind: ServiceAccount, name: "watcher", namespace: "sre"}"#);
        assert_eq!(Subject::new("system:node:n1"), Subject::User("system:node:n1".into()));
    }
}
