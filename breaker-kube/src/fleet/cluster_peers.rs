//! What belongs to the cluster itself: the API server, the Services of the system, and the nodes.
//! The outage guard must not take one of them for a dependency that has failed.

use std::fmt::Debug;
use std::net::IpAddr;
use std::time::Duration;

use breaker_core::ClusterError;
use breaker_core::guard::ClusterPeers;
use k8s_openapi::api::core::v1::{Node, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{ListParams, ObjectList};
use kube::{Api, Resource};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::client::KubeClient;
use crate::request::ApiRequest;
use crate::watch::PAGE_SIZE;

/// How long an answer is used. Addresses of nodes and of API servers change rarely.
pub(super) const MAX_AGE: Duration = Duration::from_secs(600);

/// Time between two attempts.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(10);

/// The Service of the API server, and its namespace.
const API_SERVER: (&str, &str) = ("default", "kubernetes");

/// Stands for all namespaces in the sentence of a refusal.
const EVERYWHERE: &str = "(all)";

/// The namespace of the cluster's DNS.
const SYSTEM_NAMESPACE: &str = "kube-system";

/// Reads what belongs to the cluster.
///
/// # Errors
/// The sentence for a person when one part of it cannot be read: then an address may be anything.
pub(super) async fn look_up(kube: &KubeClient) -> Result<ClusterPeers, String> {
    read(kube).await.map_err(|error| error.with_fix())
}

async fn read(kube: &KubeClient) -> Result<ClusterPeers, ClusterError> {
    let client = || kube.client.clone();
    let (namespace, name) = API_SERVER;
    let named = ListParams::default().fields(&format!("metadata.name={name}"));
    let of_service = ListParams::default().labels(&format!("kubernetes.io/service-name={name}"));
    let all = ListParams::default();
    let services = |namespace| Api::<SystemService>::namespaced(client(), namespace);
    let slices: Api<AddressSlice> = Api::namespaced(client(), namespace);
    let nodes: Api<PartialNode> = Api::all(client());

    let mut found = kube.api_server_hosts.clone();
    for service in list("services", namespace, services(namespace), named).await? {
        found.extend(service.spec.cluster_ips.unwrap_or_default());
    }
    for service in list("services", SYSTEM_NAMESPACE, services(SYSTEM_NAMESPACE), all.clone()).await? {
        found.extend(service.spec.cluster_ips.unwrap_or_default());
    }
    for slice in list("endpointslices.discovery.k8s.io", namespace, slices, of_service).await? {
        let endpoints = slice.endpoints.unwrap_or_default().into_iter();
        found.extend(endpoints.flat_map(|endpoint| endpoint.addresses.unwrap_or_default()));
    }
    for node in list("nodes", EVERYWHERE, nodes, all).await? {
        found.extend(node.metadata.name);
        found.extend(node.status.addresses.unwrap_or_default().into_iter().map(|address| address.address));
    }
    let address = |text: &String| text.trim_matches(['[', ']']).parse::<IpAddr>().ok();
    let names = found.iter().filter(|text| address(text).is_none()).map(String::as_str);
    Ok(ClusterPeers::new(found.iter().filter_map(address), names))
}

/// All objects of `api`, in pages.
async fn list<K>(
    resource: &str,
    namespace: &str,
    api: Api<K>,
    params: ListParams,
) -> Result<Vec<K>, ClusterError>
where
    K: Clone + DeserializeOwned + Debug,
{
    let request = ApiRequest {
        action: format!("reading the {resource} of the cluster itself"),
        verb: "list",
        resource: resource.into(),
        namespace: namespace.into(),
        object: format!("namespace {namespace}"),
    };
    let mut params = params.limit(PAGE_SIZE);
    let mut objects = Vec::new();
    loop {
        let ObjectList { items, metadata, .. } = request.send(api.list(&params)).await?;
        objects.extend(items);
        match metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(objects),
        }
    }
}

/// A Service, decoded to its addresses.
#[derive(Debug, Clone, Default, Deserialize, Resource)]
#[resource(inherit = Service)]
#[serde(default)]
struct SystemService {
    metadata: ObjectMeta,
    spec: ServiceSpec,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ServiceSpec {
    /// `None` in it stands for a headless Service and is not an address.
    #[serde(rename = "clusterIPs")]
    cluster_ips: Option<Vec<String>>,
}

/// An EndpointSlice, decoded to its addresses.
#[derive(Debug, Clone, Default, Deserialize, Resource)]
#[resource(inherit = EndpointSlice)]
#[serde(default)]
struct AddressSlice {
    metadata: ObjectMeta,
    endpoints: Option<Vec<SliceAddresses>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct SliceAddresses {
    addresses: Option<Vec<String>>,
}

/// A Node, decoded to its name and addresses. A whole Node lists its images, too.
#[derive(Debug, Clone, Default, Deserialize, Resource)]
#[resource(inherit = Node)]
#[serde(default)]
struct PartialNode {
    metadata: ObjectMeta,
    status: NodeStatus,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct NodeStatus {
    addresses: Option<Vec<NodeAddress>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct NodeAddress {
    address: String,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::test_server::{TestServer, status};

    fn page(items: Value, next: &str) -> (u16, String) {
        let metadata = json!({"continue": next});
        (200, json!({"kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items}).to_string())
    }

    fn answer(path: &str) -> (u16, String) {
        let service = |ips: &[&str]| json!([{"metadata": {"name": "s"}, "spec": {"clusterIPs": ips}}]);
        let node = |name: &str, ip: &str| {
            let addresses =
                json!([{"type": "InternalIP", "address": ip}, {"type": "Hostname", "address": name}]);
            json!([{"metadata": {"name": name}, "status": {"addresses": addresses}}])
        };
        match path {
            path if path.starts_with("/api/v1/namespaces/default/services?") => {
                assert!(path.contains("metadata.name%3Dkubernetes"), "{path}");
                page(service(&["10.96.0.1", "fd00::1"]), "")
            }
            path if path.starts_with("/api/v1/namespaces/kube-system/services?") => {
                page(service(&["10.96.0.10", "None"]), "")
            }
            path if path.contains("/namespaces/default/endpointslices?") => {
                page(json!([{"metadata": {}, "endpoints": [{"addresses": ["172.18.0.2"]}, {}]}]), "")
            }
            path if path.starts_with("/api/v1/nodes?") && !path.contains("continue=more") => {
                page(node("node-1", "192.168.7.20"), "more")
            }
            path if path.starts_with("/api/v1/nodes?") => page(node("node-2", "192.168.7.21"), ""),
            path => panic!("{path}"),
        }
    }

    #[tokio::test]
    async fn the_api_server_the_system_services_and_every_node_belong_to_the_cluster() {
        let server = TestServer::new(|request, _| answer(&request.path));
        let mut kube = server.kube();
        kube.api_server_hosts = vec!["api.k8s.example.com".into(), "203.0.113.9".into()];
        let cluster = look_up(&kube).await.unwrap();
        for (peer, own) in [
            ("10.96.0.1:443", true),
            ("[fd00::1]:443", true),
            ("10.96.0.10:9153", true),
            ("172.18.0.2:443", true),
            ("192.168.7.20:30443", true),
            ("node-2:9100", true),
            ("192.168.7.21:30443", true),
            ("api.k8s.example.com:443", true),
            ("203.0.113.9:443", true),
            ("10.96.0.7:8080", false),
            ("swype-gateway:443", false),
        ] {
            assert_eq!(cluster.contains(peer, "sre"), own, "{peer}");
        }
        assert_eq!(server.requests(), 5);
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_named_with_the_missing_right() {
        for lost in ["/namespaces/default/services", "/kube-system/", "/endpointslices", "/nodes"] {
            let server = TestServer::new(move |request, _| match request.path.contains(lost) {
                true => (
                    403,
                    status(
                        403,
                        "User \"u\" cannot list resource \"nodes\" in API group \"\" at the cluster scope",
                    ),
                ),
                false => answer(&request.path),
            });
            let why = look_up(&server.kube()).await.unwrap_err();
            assert!(
                why.contains(
                    "missing rule: - {apiGroups: [\"\"], resources: [\"nodes\"], verbs: [\"list\"]}"
                ),
                "{why}"
            );
        }
    }
}
