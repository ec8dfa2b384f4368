//! The pod that this process runs in, from its environment.

use breaker_kube::fleet::OwnPod;

/// Kubernetes sets it in every container.
const IN_CLUSTER: &str = "KUBERNETES_SERVICE_HOST";

/// The pod of this process: `POD_NAME` in the namespace `POD_NAMESPACE`, as the downward API sets
/// them. In a container, the default name is the host name, which is the pod's name unless the pod
/// uses the network of its node. `namespace` is the default namespace.
pub(crate) fn own_pod(variable: impl Fn(&str) -> Option<String>, namespace: &str) -> Option<OwnPod> {
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let host_name = || variable(IN_CLUSTER).and_then(|_| variable("HOSTNAME"));
    let name = variable("POD_NAME").or_else(host_name)?;
    Some(OwnPod { namespace: variable("POD_NAMESPACE").unwrap_or_else(|| namespace.to_owned()), name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_pod_is_named_by_the_downward_api_or_by_the_host_name_of_a_container() {
        type Pairs = &'static [(&'static str, &'static str)];
        let cases: [(Pairs, Option<(&str, &str)>); 6] = [
            (
                &[("POD_NAME", "brb-1"), ("POD_NAMESPACE", "ops"), ("HOSTNAME", "node-7")],
                Some(("ops", "brb-1")),
            ),
            (&[("POD_NAME", "brb-1")], Some(("default-of-the-account", "brb-1"))),
            (&[("HOSTNAME", "brb-2"), (IN_CLUSTER, "10.0.0.1")], Some(("default-of-the-account", "brb-2"))),
            (&[("HOSTNAME", "laptop")], None),
            (&[("POD_NAME", ""), (IN_CLUSTER, "10.0.0.1")], None),
            (&[], None),
        ];
        for (variables, want) in cases {
            let of =
                |name: &str| variables.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).into());
            let found = own_pod(of, "default-of-the-account");
            let want =
                want.map(|(namespace, name)| OwnPod { namespace: namespace.into(), name: name.into() });
            assert_eq!(found, want, "{variables:?}");
        }
    }
}
