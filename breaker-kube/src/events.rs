//! Kubernetes Events: list those of a pod, publish one about an object.

use breaker_core::cluster::KubernetesEvent;
use breaker_core::pod::PodEvent;
use breaker_core::{ClusterError, WorkloadRef};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event as CoreEvent, ObjectReference};
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::ListParams;
use kube::{Api, Resource};
use serde::Deserialize;

use crate::client::KubeClient;
use crate::request::{ApiRequest, post_params};
use crate::text::truncate;

const REPORTER: &str = "bigredbutton.dev/watcher";

/// The longest note that events.k8s.io accepts, in bytes.
const MAX_NOTE_LEN: usize = 1024;

/// The Events about a pod.
pub(crate) async fn list_for_pod(
    kube: &KubeClient,
    namespace: &str,
    pod_uid: &str,
) -> Result<Vec<PodEvent>, ClusterError> {
    let api: Api<PartialEvent> = Api::namespaced(kube.client.clone(), namespace);
    let request = ApiRequest {
        action: "listing the pod's events".into(),
        verb: "list",
        resource: "events".into(),
        namespace: namespace.into(),
        object: format!("namespace {namespace}"),
    };
    let params = ListParams::default().fields(&format!("involvedObject.uid={pod_uid}"));
    let events = request.send(api.list(&params)).await?;
    Ok(events.items.into_iter().map(PodEvent::from).collect())
}

/// Publishes an Event about a workload.
pub(crate) async fn publish(
    kube: &KubeClient,
    target: &WorkloadRef,
    event: &KubernetesEvent,
) -> Result<(), ClusterError> {
    let kind = kube.kinds.resolve(&kube.client, target).await?;
    let regarding = ObjectReference {
        api_version: Some(kind.api_version),
        kind: Some(kind.kind),
        namespace: Some(target.namespace.clone()),
        name: Some(target.name.clone()),
        uid: Some(event.uid.clone()),
        ..ObjectReference::default()
    };
    publish_regarding(kube, regarding, event).await
}

/// Publishes an Event about any object of a namespace. A note that is too long is cut.
///
/// An Event of this name that exists already counts as published: perhaps another watcher was
/// first.
pub(crate) async fn publish_regarding(
    kube: &KubeClient,
    regarding: ObjectReference,
    event: &KubernetesEvent,
) -> Result<(), ClusterError> {
    let namespace = regarding.namespace.clone().unwrap_or_default();
    let name = format!("{namespace}/{}", regarding.name.as_deref().unwrap_or_default());
    let event = Event {
        metadata: ObjectMeta { name: Some(event.key.clone()), ..ObjectMeta::default() },
        event_time: Some(MicroTime(kube.clock.now())),
        type_: Some(if event.warning { "Warning" } else { "Normal" }.into()),
        reason: Some(event.reason.clone()),
        action: Some(event.action.clone()),
        note: Some(truncate(&event.note, MAX_NOTE_LEN)),
        regarding: Some(regarding),
        reporting_controller: Some(REPORTER.into()),
        reporting_instance: Some("watcher".into()),
        ..Event::default()
    };
    let request = ApiRequest {
        action: format!("publishing an Event on {name}"),
        verb: "create",
        resource: "events.events.k8s.io".into(),
        namespace: namespace.clone(),
        object: "the Event".into(),
    };
    let api: Api<Event> = Api::namespaced(kube.client.clone(), &namespace);
    match request.send(api.create(&post_params(), &event)).await {
        Ok(_) | Err(ClusterError::Conflict(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A core/v1 Event, decoded to the fields that are used.
#[derive(Debug, Clone, Default, Deserialize, Resource)]
#[resource(inherit = CoreEvent)]
#[serde(default, rename_all = "camelCase")]
struct PartialEvent {
    #[serde(skip)]
    metadata: ObjectMeta,
    reason: Option<String>,
    message: Option<String>,
    involved_object: InvolvedObject,
    last_timestamp: Option<Timestamp>,
    event_time: Option<Timestamp>,
    series: Option<EventSeries>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct InvolvedObject {
    field_path: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct EventSeries {
    last_observed_time: Option<Timestamp>,
}

impl From<PartialEvent> for PodEvent {
    fn from(event: PartialEvent) -> Self {
        let series = event.series.and_then(|series| series.last_observed_time);
        Self {
            reason: event.reason.unwrap_or_default(),
            message: event.message.unwrap_or_default(),
            field_path: event.involved_object.field_path.unwrap_or_default(),
            at: series.max(event.last_timestamp).max(event.event_time),
        }
    }
}
