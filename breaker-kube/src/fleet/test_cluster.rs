//! [`TestCluster`]: CircuitBreakers and Deployments of one namespace behind an API server for
//! tests, which can go silent at any request.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use breaker_core::{BreakerEvent, Snapshot, WorkloadRef};
use bytes::Bytes;
use futures::channel::mpsc;
use futures::stream::{self, StreamExt};
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{Full, StreamBody};
use hyper::body::Frame;
use jiff::Timestamp;
use kube::Client;
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::controller::Fleet;
use super::observer::FleetObserver;
use super::options::{FleetOptions, OwnPod};
use super::test_keda::Keda;
use crate::client::KubeClient;
use crate::crd::BreakerName;
use crate::test_server::{TokioClock, status};

/// Changes that a new watch may still ask for.
const MAX_CHANGES: usize = 64;

type AnyBody = UnsyncBoxBody<Bytes, Infallible>;

/// Where the API server goes silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// It answers every request.
    Never,
    /// The request with this number is not carried out.
    Before(usize),
    /// The request with this number is carried out and not answered.
    After(usize),
    /// The request with this number is carried out, and the answer is that it took too long. The
    /// requests after it are answered.
    Lost(usize),
}

/// Checks each status of a CircuitBreaker that is stored: its name and the status.
type StatusCheck = dyn Fn(&str, &Value) + Send + Sync;

#[derive(Clone)]
pub(super) struct TestCluster {
    world: Arc<Mutex<World>>,
    check: Arc<StatusCheck>,
}

pub(super) struct World {
    version: u64,
    breakers: BTreeMap<String, Value>,
    /// Replicas by Deployment.
    deployments: BTreeMap<String, u64>,
    /// Each scale that was written: the Deployment and its replicas.
    scales: Vec<(String, u64)>,
    /// Each message of a fleet, with the name of its CircuitBreaker.
    messages: Vec<String>,
    /// The pod of the fleet itself, or the code of an error.
    own_pod: Result<Value, u16>,
    keda: Keda,
    /// The answer to requests for a scale with this method, instead of what they ask for.
    scale_answer: Option<(&'static str, u16, String)>,
    /// The field of the status that the CustomResourceDefinition does not have.
    unknown_field: Option<&'static str>,
    /// The right to change the spec of a CircuitBreaker is missing.
    forbids_spec: bool,
    /// Requests for a scale that had that answer.
    scale_answers: usize,
    /// The last changes of CircuitBreakers, as lines of a watch, with their versions.
    changes: VecDeque<(u64, String)>,
    old_list: Option<OldList>,
    watches: Vec<mpsc::UnboundedSender<String>>,
    requests: usize,
    cut: Cut,
    edit: Option<(At, Edit)>,
    /// How long after a request was carried out its answer comes, by the number of the request.
    latency: Box<Latency>,
}

/// A moment in the requests of a fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// Before the request with this number is carried out.
    Before(usize),
    /// After it was carried out, before it is answered.
    After(usize),
}

/// How late the answer of the request with this number comes.
type Latency = dyn Fn(usize) -> Duration + Send;

type Edit = Box<dyn FnOnce(&mut World) + Send>;

/// The lists of CircuitBreakers come from the past.
#[derive(Debug, Clone, Copy)]
pub(super) struct OldList {
    /// The version of the lists.
    pub(super) version: u64,
    /// How late a watch shows what has changed since then.
    pub(super) watch_delay: Duration,
}

impl TestCluster {
    pub(super) fn new(check: impl Fn(&str, &Value) + Send + Sync + 'static) -> Self {
        let world = World {
            version: 100,
            breakers: BTreeMap::new(),
            deployments: BTreeMap::new(),
            scales: Vec::new(),
            messages: Vec::new(),
            own_pod: Err(404),
            keda: Keda::default(),
            scale_answer: None,
            unknown_field: None,
            forbids_spec: false,
            scale_answers: 0,
            changes: VecDeque::new(),
            old_list: None,
            watches: Vec::new(),
            requests: 0,
            cut: Cut::Never,
            edit: None,
            latency: Box::new(|_| Duration::ZERO),
        };
        Self { world: Arc::new(Mutex::new(world)), check: Arc::new(check) }
    }

    pub(super) fn add_deployment(&self, name: &str, replicas: u64) {
        self.world.lock().deployments.insert(name.into(), replicas);
    }

    /// Adds a CircuitBreaker of the Deployment `target`. The later it is added, the younger it is.
    pub(super) fn add_breaker(&self, name: &str, target: &str, change: impl FnOnce(&mut Value)) {
        self.world.lock().add_breaker(name, target, change);
    }

    pub(super) fn edit_breaker(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut world = self.world.lock();
        let mut breaker = world.breakers[name].clone();
        change(&mut breaker);
        world.put(name, breaker);
    }

    /// Changes the CircuitBreaker at this moment of the next run.
    pub(super) fn edit_breaker_at(
        &self,
        at: At,
        name: &str,
        change: impl FnOnce(&mut Value) + Send + 'static,
    ) {
        let name = name.to_owned();
        let edit: Edit = Box::new(move |world| {
            let mut breaker = world.breakers[&name].clone();
            change(&mut breaker);
            world.put(&name, breaker);
        });
        self.world.lock().edit = Some((at, edit));
    }

    /// Adds a CircuitBreaker, as [`Self::add_breaker`] does, at this moment of the next run.
    pub(super) fn add_breaker_at(
        &self,
        at: At,
        name: &'static str,
        target: &'static str,
        change: impl FnOnce(&mut Value) + Send + 'static,
    ) {
        let edit: Edit = Box::new(move |world| world.add_breaker(name, target, change));
        self.world.lock().edit = Some((at, edit));
    }

    /// How long after a request was carried out its answer comes, by the number of the request.
    pub(super) fn set_latency(&self, latency: impl Fn(usize) -> Duration + Send + 'static) {
        self.world.lock().latency = Box::new(latency);
    }

    /// Gives this answer, a code and a sentence, to requests for a scale with this method.
    pub(super) fn answer_scales(&self, answer: Option<(&'static str, u16, String)>) {
        self.world.lock().scale_answer = answer;
    }

    /// The CustomResourceDefinition does not have this field of the status.
    pub(super) fn set_unknown_field(&self, field: Option<&'static str>) {
        self.world.lock().unknown_field = field;
    }

    /// The fleet has no right to change the spec of a CircuitBreaker.
    pub(super) fn set_forbids_spec(&self, forbids: bool) {
        self.world.lock().forbids_spec = forbids;
    }

    /// How many requests had that answer.
    pub(super) fn scale_answers(&self) -> usize {
        self.world.lock().scale_answers
    }

    /// The pod of the fleet itself, or the code of the error that a list of it has.
    pub(super) fn set_own_pod(&self, pod: Result<Value, u16>) {
        self.world.lock().own_pod = pod;
    }

    pub(super) fn keda<T>(&self, use_it: impl FnOnce(&mut Keda) -> T) -> T {
        use_it(&mut self.world.lock().keda)
    }

    pub(super) fn remove_breaker(&self, name: &str) {
        let mut world = self.world.lock();
        if let Some(breaker) = world.breakers.remove(name) {
            world.version += 1;
            world.changed("DELETED", &breaker);
        }
    }

    /// Whether lists of CircuitBreakers come from the past.
    pub(super) fn set_old_list(&self, old_list: Option<OldList>) {
        self.world.lock().old_list = old_list;
    }

    /// The storage of the CircuitBreakers goes back to how it was.
    pub(super) fn go_back(&self, version: u64) {
        let mut world = self.world.lock();
        let breakers = world.breakers_at(version);
        let named = breakers.into_iter().map(|breaker| {
            let name = breaker["metadata"]["name"].as_str().expect("a name").to_owned();
            (name, breaker)
        });
        world.breakers = named.collect();
        world.changes.retain(|(of, _)| *of <= version);
        world.version = version;
    }

    /// The versions that the CircuitBreakers had.
    pub(super) fn versions(&self) -> Vec<u64> {
        self.world.lock().changes.iter().map(|(version, _)| *version).collect()
    }

    pub(super) fn breaker(&self, name: &str) -> Value {
        self.world.lock().breakers[name].clone()
    }

    pub(super) fn replicas(&self, deployment: &str) -> u64 {
        self.world.lock().deployments[deployment]
    }

    pub(super) fn scales(&self) -> Vec<(String, u64)> {
        self.world.lock().scales.clone()
    }

    pub(super) fn forget_messages(&self) {
        self.world.lock().messages = Vec::new();
    }

    pub(super) fn messages(&self) -> Vec<String> {
        self.world.lock().messages.clone()
    }

    /// Runs a fleet of its own for `time`, with an API server that goes silent at `cut`, then kills
    /// it. Returns the number of requests.
    pub(super) async fn run(&self, cut: Cut, time: Duration) -> usize {
        {
            let mut world = self.world.lock();
            (world.requests, world.cut) = (0, cut);
        }
        let kube = self.kube();
        let own_pod = Some(OwnPod { namespace: "sre".into(), name: "own".into() });
        let fleet = Fleet::new(kube, FleetOptions { own_pod, ..FleetOptions::default() }, self.observer());
        let ended = tokio::time::timeout(time, fleet.run()).await;
        assert!(ended.is_err(), "the fleet ended: {ended:?}");
        self.world.lock().requests
    }

    pub(super) fn kube(&self) -> KubeClient {
        KubeClient::from_client(self.client(), Arc::new(TokioClock::new()))
    }

    pub(super) fn observer(&self) -> Arc<dyn FleetObserver> {
        Arc::new(Messages(Arc::clone(&self.world)))
    }

    fn client(&self) -> Client {
        let cluster = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let cluster = cluster.clone();
            async move { Ok::<_, Infallible>(cluster.serve(request).await) }
        });
        Client::new(service, "sre")
    }

    async fn serve(&self, request: Request<Body>) -> Response<AnyBody> {
        let (method, uri) = (request.method().to_string(), request.uri().clone());
        let body = request.into_body().collect_bytes().await.expect("a body");
        let body = serde_json::from_slice(&body).unwrap_or_default();
        if uri.query().is_some_and(|query| query.contains("watch=true")) {
            let delay = self.world.lock().old_list.map_or(Duration::ZERO, |old| old.watch_delay);
            let late = stream::once(tokio::time::sleep(delay)).filter_map(|()| async { None });
            let lines = late.chain(self.watch(&uri));
            let events = lines.map(|line| Ok::<_, Infallible>(Frame::data(Bytes::from(line))));
            return Response::new(AnyBody::new(StreamBody::new(events)));
        }
        let is_own_pod = uri.query().is_some_and(|query| query.contains("fieldSelector=metadata.name"));
        let path = if is_own_pod { "own-pod" } else { uri.path() };
        let (number, answer) = self.answer(&method, path, &body);
        let Some((code, text)) = answer else { return std::future::pending().await };
        let latency = (self.world.lock().latency)(number);
        if latency > Duration::ZERO {
            tokio::time::sleep(latency).await;
        }
        let body = AnyBody::new(Full::new(Bytes::from(text)));
        Response::builder().status(code).body(body).expect("a response")
    }

    /// The changes of the CircuitBreakers since the version of the request. Pods do not change.
    fn watch(&self, uri: &http::Uri) -> mpsc::UnboundedReceiver<String> {
        let (sender, receiver) = mpsc::unbounded();
        let mut world = self.world.lock();
        if uri.path().ends_with("/circuitbreakers") {
            let version = uri.query().and_then(|query| query.split_once("resourceVersion=")?.1.parse().ok());
            let seen: u64 = version.expect("a version at the end of the address");
            for (_, line) in world.changes.iter().filter(|(version, _)| *version > seen) {
                let _ = sender.unbounded_send(line.clone());
            }
        }
        world.watches.retain(|watch| !watch.is_closed());
        world.watches.push(sender);
        receiver
    }

    /// The number of the request and its answer; `None`: no answer comes.
    fn answer(&self, method: &str, path: &str, body: &Value) -> (usize, Option<(u16, String)>) {
        let mut world = self.world.lock();
        let number = world.requests;
        world.requests += 1;
        let (is_carried_out, is_answered) = match world.cut {
            Cut::Never | Cut::Lost(_) => (true, true),
            Cut::Before(cut) => (number < cut, number < cut),
            Cut::After(cut) => (number <= cut, number < cut),
        };
        world.edit_at(At::Before(number));
        let answer = is_carried_out.then(|| world.carry_out(method, path, body, &*self.check));
        world.edit_at(At::After(number));
        let answer = match world.cut {
            Cut::Lost(lost) if number == lost => Some((408, status(408, "timeout"))),
            _ => answer,
        };
        (number, answer.filter(|_| is_answered))
    }
}

impl World {
    fn edit_at(&mut self, at: At) {
        if let Some((_, edit)) = self.edit.take_if(|(planned, _)| *planned == at) {
            edit(self);
        }
    }

    fn add_breaker(&mut self, name: &str, target: &str, change: impl FnOnce(&mut Value)) {
        let age = self.breakers.len();
        let mut breaker = json!({
            "apiVersion": "bigredbutton.dev/v1alpha1",
            "kind": "CircuitBreaker",
            "metadata": {"name": name, "namespace": "sre", "uid": format!("uid-{name}"), "generation": 1,
                         "creationTimestamp": format!("1970-01-01T00:{age:02}:00Z")},
            "spec": {"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}},
            "status": null,
        });
        change(&mut breaker);
        self.put(name, breaker);
    }

    fn put(&mut self, name: &str, mut breaker: Value) {
        self.version += 1;
        breaker["metadata"]["resourceVersion"] = self.version.to_string().into();
        let is_new = !self.breakers.contains_key(name);
        self.changed(if is_new { "ADDED" } else { "MODIFIED" }, &breaker);
        self.breakers.insert(name.into(), breaker);
    }

    fn changed(&mut self, kind: &str, breaker: &Value) {
        let line = json!({"type": kind, "object": breaker}).to_string() + "\n";
        self.watches.retain(|watch| watch.unbounded_send(line.clone()).is_ok());
        self.changes.push_back((self.version, line));
        if self.changes.len() > MAX_CHANGES {
            self.changes.pop_front();
        }
    }

    fn carry_out(&mut self, method: &str, path: &str, body: &Value, check: &StatusCheck) -> (u16, String) {
        let parts: Vec<_> = path.trim_matches('/').split('/').collect();
        match (method, &parts[..]) {
            ("GET", ["apis", "bigredbutton.dev", _, "circuitbreakers"]) => {
                let (items, version) = match self.old_list {
                    Some(old) => (self.breakers_at(old.version), old.version),
                    None => (self.breakers.values().cloned().collect(), self.version),
                };
                (200, list_at("CircuitBreakerList", json!(items), version))
            }
            ("GET", ["apis", "keda.sh", _]) => self.keda.discover(),
            ("GET", [.., "circuitbreakers", name]) => match self.breakers.get(*name) {
                Some(breaker) => (200, breaker.to_string()),
                None => (404, status(404, "not found")),
            },
            ("PATCH", [.., "circuitbreakers", name]) => self.patch_spec(name, body),
            ("PATCH", [.., "circuitbreakers", name, "status"]) => self.patch_status(name, body, check),
            (_, [.., "deployments", name, "scale"]) => self.scale(method, name, body),
            ("GET", ["own-pod"]) => match &self.own_pod {
                Ok(pod) => (200, self.list("PodList", json!([pod]))),
                Err(404) => (200, self.list("PodList", json!([]))),
                Err(code) => (*code, status(*code, "refused")),
            },
            ("GET", [.., "pods"]) => (200, self.list("PodList", json!([]))),
            ("GET", [.., "horizontalpodautoscalers"]) => (200, self.list("List", json!([]))),
            (_, [.., "scaledobjects"]) => self.keda.carry_out(method, true, body),
            (_, [.., "scaledobjects", _]) => self.keda.carry_out(method, false, body),
            ("POST", [.., "events"]) => (201, body.to_string()),
            _ => (404, status(404, path)),
        }
    }

    fn list(&self, kind: &str, items: Value) -> String {
        list_at(kind, items, self.version)
    }

    /// The CircuitBreakers as they were.
    fn breakers_at(&self, version: u64) -> Vec<Value> {
        let mut breakers = BTreeMap::new();
        for (_, line) in self.changes.iter().filter(|(of, _)| *of <= version) {
            let mut change: Value = serde_json::from_str(line).expect("a change");
            let breaker = change["object"].take();
            breakers.insert(breaker["metadata"]["name"].to_string(), breaker);
        }
        breakers.into_values().collect()
    }

    /// Only the override is ever written.
    fn patch_spec(&mut self, name: &str, body: &Value) -> (u16, String) {
        let Some(mut breaker) = self.breakers.get(name).cloned() else {
            return (404, status(404, "not found"));
        };
        if self.forbids_spec {
            let what = "resource \"circuitbreakers\" in API group \"bigredbutton.dev\"";
            return (403, status(403, &format!("User \"u\" cannot patch {what} in the namespace \"sre\"")));
        }
        if breaker["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"] {
            return (409, status(409, "the object has been modified"));
        }
        breaker["spec"]["override"] = body["spec"]["override"].clone();
        if breaker != self.breakers[name] {
            self.put(name, breaker);
        }
        (200, self.breakers[name].to_string())
    }

    fn patch_status(&mut self, name: &str, body: &Value, check: &StatusCheck) -> (u16, String) {
        let Some(mut breaker) = self.breakers.get(name).cloned() else {
            return (404, status(404, "not found"));
        };
        if breaker["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"] {
            return (409, status(409, "the object has been modified"));
        }
        if let Some(field) = self.unknown_field.filter(|field| !body["status"][*field].is_null()) {
            let message = format!(
                "failed to create typed patch object (sre/{name}; bigredbutton.dev/v1alpha1, \
                 Kind=CircuitBreaker): .status.{field}: field not declared in schema"
            );
            return (500, status(500, &message));
        }
        breaker["status"] = body["status"].clone();
        check(name, &breaker["status"]);
        self.put(name, breaker);
        (200, self.breakers[name].to_string())
    }

    fn scale(&mut self, method: &str, name: &str, body: &Value) -> (u16, String) {
        if let Some((_, code, message)) = self.scale_answer.as_ref().filter(|(of, ..)| *of == method) {
            self.scale_answers += 1;
            return (*code, status(*code, message));
        }
        let Some(mut replicas) = self.deployments.get(name).copied() else {
            return (404, status(404, "not found"));
        };
        if method == "PATCH" {
            replicas = body["spec"]["replicas"].as_u64().expect("replicas");
            self.deployments.insert(name.into(), replicas);
            self.scales.push((name.into(), replicas));
        }
        let scale = json!({
            "apiVersion": "autoscaling/v1", "kind": "Scale",
            "metadata": {"name": name, "namespace": "sre", "uid": format!("uid-of-{name}"),
                         "resourceVersion": "1"},
            "spec": {"replicas": replicas},
            "status": {"replicas": replicas, "selector": format!("app={name}")},
        });
        (200, scale.to_string())
    }
}

fn list_at(kind: &str, items: Value, version: u64) -> String {
    let metadata = json!({"resourceVersion": version.to_string()});
    json!({"apiVersion": "v1", "kind": kind, "metadata": metadata, "items": items}).to_string()
}

/// Keeps the messages of a fleet.
struct Messages(Arc<Mutex<World>>);

impl FleetObserver for Messages {
    fn event(&self, breaker: &BreakerName, _: &WorkloadRef, _: Timestamp, event: &BreakerEvent) {
        self.0.lock().messages.push(format!("{breaker}: {event}"));
    }

    fn snapshot(&self, _: &BreakerName, _: &Snapshot) {}

    fn gone(&self, _: &BreakerName) {}

    fn fleet_event(&self, breaker: Option<&BreakerName>, _: Timestamp, message: &str) {
        let breaker = breaker.map_or_else(|| "fleet".into(), ToString::to_string);
        self.0.lock().messages.push(format!("{breaker}: {message}"));
    }
}
