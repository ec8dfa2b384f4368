//! What the cluster knows of a peer: the endpoints of the Service that it names.
//!
//! The answers explain a verdict and decide nothing, so a failure is silence: no right, no such
//! Service, no answer. Each Service is read at most once a minute.

use std::collections::{HashMap, HashSet};

use breaker_core::cluster::{PeerService, ServiceAddress};
use breaker_core::{Clock, ClusterError};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::ListParams;
use kube::{Api, Client, Resource};
use parking_lot::Mutex;
use serde::Deserialize;

use crate::request::ApiRequest;

/// How long an answer is used before the Service is read again.
const MAX_AGE: SignedDuration = SignedDuration::from_mins(1);

/// The number of Services whose answers are kept. Further ones are not read while all of these are
/// younger than [`MAX_AGE`].
const MAX_KEPT: usize = 256;

/// The label of an EndpointSlice with the name of its Service.
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// The annotation of an EndpointSlice with the time of the change that it shows.
const CHANGED_AT: &str = "endpoints.kubernetes.io/last-change-trigger-time";

type Answer = Shared<BoxFuture<'static, Option<PeerService>>>;

/// The namespace of the pod that asks, for a ClusterIP: without the right to list the Services of
/// all namespaces, only those of its own namespace are searched.
type Key = (Option<String>, ServiceAddress);

/// The Services that were asked for in the last minute. A request that one caller gives up is
/// continued by the next one.
#[derive(Default)]
pub(crate) struct PeerCache(Mutex<HashMap<Key, (SignedDuration, Answer)>>);

impl PeerCache {
    /// The Service at `address`, for a pod of `namespace`; `None` if it is not known.
    pub(crate) async fn find(
        &self,
        client: &Client,
        clock: &dyn Clock,
        namespace: &str,
        address: &ServiceAddress,
    ) -> Option<PeerService> {
        self.answer(client, clock.elapsed(), namespace, address)?.await
    }

    /// The answer to the newest request for this Service; `None` if the cache is full.
    fn answer(
        &self,
        client: &Client,
        now: SignedDuration,
        namespace: &str,
        address: &ServiceAddress,
    ) -> Option<Answer> {
        let searched = matches!(address, ServiceAddress::ClusterIp(_)).then(|| namespace.to_owned());
        let key = (searched, address.clone());
        let mut kept = self.0.lock();
        if let Some((asked_at, answer)) = kept.get(&key)
            && now - *asked_at < MAX_AGE
        {
            return Some(answer.clone());
        }
        if kept.len() >= MAX_KEPT {
            kept.retain(|_, (asked_at, _)| now - *asked_at < MAX_AGE);
        }
        if kept.len() >= MAX_KEPT {
            return None;
        }
        let (client, namespace, asked) = (client.clone(), namespace.to_owned(), address.clone());
        let answer = async move {
            read(&client, &namespace, asked).await.unwrap_or_else(|error| {
                tracing::debug!("{}", error.chain());
                None
            })
        };
        let answer = answer.boxed().shared();
        kept.insert(key, (now, answer.clone()));
        Some(answer)
    }
}

async fn read(
    client: &Client,
    own_namespace: &str,
    address: ServiceAddress,
) -> Result<Option<PeerService>, ClusterError> {
    let (namespace, name) = match address {
        ServiceAddress::Name { namespace, name } => (namespace, name),
        ServiceAddress::ClusterIp(ip) => {
            let ip = ip.to_string();
            let found = match service_with_ip(client, None, &ip).await {
                // A right in one namespace only.
                Err(ClusterError::Forbidden { .. }) => {
                    service_with_ip(client, Some(own_namespace), &ip).await
                }
                answer => answer,
            };
            match found? {
                Some(found) => found,
                None => return Ok(None),
            }
        }
    };
    let request = request("endpointslices.discovery.k8s.io", &namespace);
    let api: Api<PartialSlice> = Api::namespaced(client.clone(), &namespace);
    let params = ListParams::default().labels(&format!("{SERVICE_NAME}={name}"));
    let slices = request.send(api.list(&params)).await?.items;
    Ok((!slices.is_empty()).then(|| summarize(namespace, name, &slices)))
}

/// Namespace and name of the Service with this ClusterIP.
async fn service_with_ip(
    client: &Client,
    namespace: Option<&str>,
    ip: &str,
) -> Result<Option<(String, String)>, ClusterError> {
    let api: Api<PartialService> = match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let params = ListParams::default().fields(&format!("spec.clusterIP={ip}"));
    let found = request("services", namespace.unwrap_or_default()).send(api.list(&params)).await?;
    let metadata = found.items.into_iter().next().map(|service| service.metadata);
    Ok(metadata.and_then(|metadata| Some((metadata.namespace?, metadata.name?))))
}

fn request(resource: &str, namespace: &str) -> ApiRequest {
    ApiRequest {
        action: format!("looking up a peer in {resource}"),
        verb: "list",
        resource: resource.into(),
        namespace: namespace.into(),
        object: format!("namespace {namespace}"),
    }
}

/// The endpoints of all slices. A pod with an IPv4 and an IPv6 address is one endpoint.
fn summarize(namespace: String, name: String, slices: &[PartialSlice]) -> PeerService {
    let mut all = HashSet::new();
    let mut ready = HashSet::new();
    for endpoint in slices.iter().flat_map(|slice| slice.endpoints.iter().flatten()) {
        let pod = endpoint.target_ref.as_ref().and_then(|pod| pod.uid.as_deref());
        let Some(id) = pod.or_else(|| endpoint.addresses.as_ref()?.first().map(String::as_str)) else {
            continue;
        };
        all.insert(id);
        // Unknown means ready, by the API.
        if endpoint.conditions.as_ref().and_then(|conditions| conditions.ready).unwrap_or(true) {
            ready.insert(id);
        }
    }
    let count = |endpoints: HashSet<&str>| u32::try_from(endpoints.len()).unwrap_or(u32::MAX);
    PeerService {
        namespace,
        name,
        ready: count(ready),
        total: count(all),
        changed_at: slices.iter().filter_map(changed_at).max(),
    }
}

/// When the endpoints of a slice last changed.
fn changed_at(slice: &PartialSlice) -> Option<Timestamp> {
    let metadata = &slice.metadata;
    let annotation = metadata.annotations.as_ref().and_then(|annotations| annotations.get(CHANGED_AT));
    let by_annotation = annotation.and_then(|at| at.parse::<Timestamp>().ok());
    let written = || metadata.managed_fields.iter().flatten().filter_map(|entry| entry.time.as_ref()).max();
    by_annotation.or_else(|| written().or(metadata.creation_timestamp.as_ref()).map(|time| time.0))
}

/// A Service, decoded to its metadata.
#[derive(Debug, Clone, Default, Deserialize, Resource)]
#[resource(inherit = Service)]
#[serde(default)]
struct PartialService {
    metadata: ObjectMeta,
}

/// An EndpointSlice, decoded to the fields that are used.
#[derive(Debug, Clone, Default, Deserialize, Resource)]
#[resource(inherit = EndpointSlice)]
#[serde(default)]
struct PartialSlice {
    metadata: ObjectMeta,
    endpoints: Option<Vec<PartialEndpoint>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PartialEndpoint {
    addresses: Option<Vec<String>>,
    conditions: Option<EndpointConditions>,
    target_ref: Option<EndpointTarget>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct EndpointConditions {
    ready: Option<bool>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct EndpointTarget {
    uid: Option<String>,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::client::KubeClient;
    use crate::test_server::{TestServer, TokioClock, status};

    async fn find(kube: &KubeClient, namespace: &str, address: &ServiceAddress) -> Option<PeerService> {
        kube.peers.find(&kube.client, &*kube.clock, namespace, address).await
    }

    fn slice(endpoints: &[(&str, Value)], changed_at: &str) -> Value {
        let endpoints: Vec<_> = endpoints
            .iter()
            .map(|(pod, ready)| {
                json!({"addresses": ["10.0.0.7"], "conditions": {"ready": ready}, "targetRef": {"uid": pod}})
            })
            .collect();
        json!({"metadata": {"name": "x", "annotations": {CHANGED_AT: changed_at}}, "endpoints": endpoints})
    }

    fn list(items: &[Value]) -> (u16, String) {
        let list = json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items});
        (200, list.to_string())
    }

    fn by_name() -> ServiceAddress {
        ServiceAddress::Name { namespace: "pay".into(), name: "swype-gateway".into() }
    }

    #[tokio::test]
    async fn endpoints_of_all_slices_are_counted_once_each() {
        let server = TestServer::new(|request, _| {
            assert!(
                request.path.starts_with("/apis/discovery.k8s.io/v1/namespaces/pay/endpointslices?")
                    && request.path.contains("swype-gateway"),
                "{}",
                request.path
            );
            let ipv4 = [("a", json!(true)), ("b", json!(false)), ("c", Value::Null)];
            let ipv6 = [("a", json!(true)), ("b", json!(false)), ("d", json!(true))];
            list(&[
                slice(&ipv4, "2026-11-29T08:24:00Z"),
                slice(&ipv6, "2026-11-29T08:25:00Z"),
                json!({"metadata": {}, "endpoints": null}),
            ])
        });
        let found = find(&server.kube(), "sre", &by_name()).await.unwrap();
        let (namespace, name) = ("pay".into(), "swype-gateway".into());
        let changed_at = "2026-11-29T08:25:00Z".parse().ok();
        assert_eq!(found, PeerService { namespace, name, ready: 3, total: 4, changed_at });
    }

    #[tokio::test]
    async fn a_cluster_ip_is_looked_up_everywhere_or_in_the_own_namespace() {
        for (everywhere, requests) in [(true, 2), (false, 3)] {
            let server = TestServer::new(move |request, _| match request.path.as_str() {
                path if path.starts_with("/api/v1/services?") && !everywhere => (403, status(403, "no")),
                path if path.contains("/services?") => {
                    assert!(path.contains("spec.clusterIP%3D10.96.0.12"), "{path}");
                    list(&[json!({"metadata": {"name": "swype-gateway", "namespace": "sre"}})])
                }
                _ => list(&[slice(&[], "2026-11-29T08:24:00Z")]),
            });
            let address = ServiceAddress::ClusterIp("10.96.0.12".parse().unwrap());
            let found = find(&server.kube(), "sre", &address).await.unwrap();
            assert_eq!((found.namespace.as_str(), found.name.as_str()), ("sre", "swype-gateway"));
            assert_eq!((found.ready, found.total, server.requests()), (0, 0, requests));
        }
    }

    #[tokio::test]
    async fn every_failure_is_silence() {
        for (code, body) in [
            (403, status(403, "endpointslices is forbidden")),
            (404, "404 page not found".into()),
            (400, status(400, "field label not supported: spec.clusterIP")),
            (502, "<html>".into()),
            (200, "{}".into()),
            list(&[]),
        ] {
            let server = TestServer::new(move |_, _| (code, body.clone()));
            for address in [by_name(), ServiceAddress::ClusterIp("10.96.0.12".parse().unwrap())] {
                assert_eq!(find(&server.kube(), "sre", &address).await, None, "{code} {address:?}");
            }
        }
    }

    /// Law: however many pods die, a Service is read once a minute at most.
    #[tokio::test(start_paused = true)]
    async fn a_service_is_read_once_a_minute_at_most() {
        let server = TestServer::new(|_, number| {
            let ready: Vec<_> = (0..number).map(|_| ("a", json!(true))).collect();
            list(&[slice(&ready, "2026-11-29T08:24:00Z")])
        });
        let kube = server.kube_with_clock(Arc::new(TokioClock::new()));
        // A caller that gives up at once leaves its request to the next one.
        let address = by_name();
        assert!(futures::poll!(std::pin::pin!(find(&kube, "sre", &address))).is_pending());
        for second in 0..240_usize {
            let all = [(); 3].map(|()| find(&kube, "sre", &address));
            for found in futures::future::join_all(all).await {
                assert_eq!(found.map(|found| found.ready), Some(u32::from(second >= 60)), "{second} s");
            }
            assert_eq!(server.requests(), second / 60 + 1, "{second} s");
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    }

    #[tokio::test]
    async fn the_answers_kept_are_bounded() {
        let server = TestServer::new(|_, _| list(&[slice(&[], "2026-11-29T08:24:00Z")]));
        let kube = server.kube();
        for n in 0..2 * MAX_KEPT {
            let address = ServiceAddress::Name { namespace: "pay".into(), name: format!("s-{n}") };
            assert_eq!(find(&kube, "sre", &address).await.is_some(), n < MAX_KEPT, "{n}");
        }
        assert_eq!((kube.peers.0.lock().len(), server.requests()), (MAX_KEPT, MAX_KEPT));
    }
}
