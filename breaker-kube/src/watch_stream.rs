//! [`WatchStream`]: kube's watcher of objects, listed again now and then and when the storage went
//! back.
//!
//! kube continues a watch from the last version that it has seen. After the API server's storage
//! was restored from a backup, that version lies in the future: the API server accepts such a watch
//! and sends nothing until it gets there. Two things find that out: once a minute, when a watch is
//! accepted, the version of a list of at most one object; and a whole list every half hour.

use std::fmt::Debug;
use std::hash::{BuildHasher, RandomState};
use std::marker::PhantomData;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use kube::api::ListParams;
use kube::core::NamespaceResourceScope;
use kube::runtime::watcher::Event;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until};

use crate::client::KubeClient;
use crate::request::ApiRequest;
use crate::watch;
use crate::watch_liveness::{is_watch_of, version_of};

/// Time between two lists of all objects.
const RELIST_INTERVAL: Duration = Duration::from_secs(30 * 60);

/// Longest random delay of such a list, so that many watchers do not list at the same time.
const RELIST_JITTER: Duration = Duration::from_secs(5 * 60);

/// Time before a list that failed is tried again; the watch goes on meanwhile.
const RELIST_RETRY: Duration = Duration::from_secs(60);

/// Shortest time between two checks of the version, a little less than the time of one watch.
const CHECK_INTERVAL: Duration = Duration::from_secs(50);

/// An event of a [`WatchStream`].
#[derive(Debug)]
pub(crate) enum WatchStreamEvent<K> {
    /// Objects were listed or have changed.
    Objects(Box<Event<K>>),
    /// The API server accepted the watch.
    Accepted,
    /// The objects cannot be listed or watched, for this reason; it is tried again.
    Failed(String),
}

type Events<K> = BoxStream<'static, watcher::Result<Event<K>>>;

/// An object of a namespace, decoded to the fields that are used.
pub(crate) trait Watched:
    Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned + Send + 'static
{
}

impl<K> Watched for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + 'static
{
}

/// The objects of a scope that match a selector.
struct Objects<K> {
    kube: KubeClient,
    namespace: Option<String>,
    selector: Option<String>,
    kind: PhantomData<fn() -> K>,
}

impl<K> Clone for Objects<K> {
    fn clone(&self) -> Self {
        let Self { kube, namespace, selector, kind } = self;
        Self { kube: kube.clone(), namespace: namespace.clone(), selector: selector.clone(), kind: *kind }
    }
}

impl<K: Watched> Objects<K> {
    fn api(&self) -> Api<K> {
        match &self.namespace {
            Some(namespace) => Api::namespaced(self.kube.client.clone(), namespace),
            None => Api::all(self.kube.client.clone()),
        }
    }

    fn watch(&self) -> Events<K> {
        let config = watch::config();
        let config = match &self.selector {
            Some(selector) => config.labels(selector),
            None => config,
        };
        watcher(self.api(), config).backoff(watch::backoff()).boxed()
    }

    /// Whether the objects that are stored now are older than `version`.
    async fn went_back(self, version: u64) -> bool {
        let params = ListParams { label_selector: self.selector.clone(), ..ListParams::default() };
        let plural = K::plural(&());
        let request = ApiRequest {
            action: format!("reading the version of the {plural}"),
            verb: "list",
            resource: plural.to_string(),
            namespace: self.namespace.clone().unwrap_or_else(|| "(all)".into()),
            object: plural.to_string(),
        };
        let stored = match request.send(self.api().list(&params.limit(1))).await {
            Ok(list) => list.metadata.resource_version.and_then(|stored| stored.parse::<u64>().ok()),
            Err(_) => None,
        };
        stored.is_some_and(|stored| stored < version)
    }
}

/// The stream's state.
struct WatchStream<K> {
    objects: Objects<K>,
    /// The path of the watch requests.
    path: String,
    current: Events<K>,
    /// A watcher that takes the place of `current` once it has listed all objects. Until then
    /// `current` waits, so that no older event follows a list.
    next: Option<Events<K>>,
    addresses: Receiver<String>,
    /// The check of the version that is under way.
    check: Option<BoxFuture<'static, bool>>,
    /// When the next accepted watch is checked.
    check_at: Instant,
    relist_at: Instant,
    random: RandomState,
}

/// Watches the objects that `selector` matches in `namespace`; `None` is every object, or all
/// namespaces. The stream does not end.
pub(crate) fn watch_objects<K: Watched>(
    kube: &KubeClient,
    namespace: Option<&str>,
    selector: Option<&str>,
) -> BoxStream<'static, WatchStreamEvent<K>> {
    let objects: Objects<K> = Objects {
        kube: kube.clone(),
        namespace: namespace.map(str::to_owned),
        selector: selector.map(str::to_owned),
        kind: PhantomData,
    };
    let random = RandomState::new();
    let stream = WatchStream {
        path: K::url_path(&(), namespace),
        current: objects.watch(),
        next: None,
        addresses: kube.watch_liveness.subscribe(),
        check: None,
        check_at: Instant::now() + CHECK_INTERVAL,
        relist_at: relist_at(&random),
        objects,
        random,
    };
    stream::unfold(stream, |mut stream| async move {
        let event = stream.next().await?;
        Some((event, stream))
    })
    .boxed()
}

impl<K: Watched> WatchStream<K> {
    async fn next(&mut self) -> Option<WatchStreamEvent<K>> {
        loop {
            tokio::select! {
                event = next_of(&mut self.next) => match event {
                    Some(Ok(event)) => {
                        if matches!(event, Event::InitDone) {
                            self.current = self.next.take()?;
                            self.relist_at = relist_at(&self.random);
                        }
                        return Some(WatchStreamEvent::Objects(Box::new(event)));
                    }
                    Some(Err(_)) | None => {
                        self.next = None;
                        self.relist_at = Instant::now() + RELIST_RETRY;
                    }
                },
                event = self.current.next(), if self.next.is_none() => match event? {
                    Ok(event) => return Some(WatchStreamEvent::Objects(Box::new(event))),
                    Err(error) => {
                        self.check_at = Instant::now();
                        return Some(WatchStreamEvent::Failed(watch::describe(&error)));
                    }
                },
                address = self.addresses.recv() => match address {
                    Ok(address) => {
                        if is_watch_of(&address, &self.path, self.objects.selector.as_deref()) {
                            self.accepted(&address);
                            return Some(WatchStreamEvent::Accepted);
                        }
                    }
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                },
                went_back = answer_of(&mut self.check) => {
                    self.check = None;
                    if went_back {
                        tracing::warn!(
                            "the storage of the API server went back; the {} are listed again",
                            K::plural(&())
                        );
                        self.next = Some(self.objects.watch());
                    }
                }
                () = sleep_until(self.relist_at), if self.next.is_none() => {
                    self.next = Some(self.objects.watch());
                }
            }
        }
    }

    fn accepted(&mut self, address: &str) {
        let now = Instant::now();
        if now < self.check_at || self.check.is_some() {
            return;
        }
        let Some(version) = version_of(address) else { return };
        self.check_at = now + CHECK_INTERVAL;
        self.check = Some(Box::pin(self.objects.clone().went_back(version)));
    }
}

fn relist_at(random: &RandomState) -> Instant {
    let now = Instant::now();
    let jitter = random.hash_one(now) % RELIST_JITTER.as_secs();
    now + RELIST_INTERVAL + Duration::from_secs(jitter)
}

async fn next_of<K>(events: &mut Option<Events<K>>) -> Option<watcher::Result<Event<K>>> {
    match events {
        Some(events) => events.next().await,
        None => std::future::pending().await,
    }
}

async fn answer_of(check: &mut Option<BoxFuture<'static, bool>>) -> bool {
    match check {
        Some(check) => check.await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;

    use http::{Request, Response};
    use kube::Client;
    use kube::client::Body;
    use parking_lot::Mutex;
    use serde_json::{Value, json};
    use tower::Layer;

    use super::*;
    use crate::partial_pod::PartialPod;
    use crate::request_layer::ObserveLayer;
    use crate::test_server::{StoppedClock, status};
    use crate::watch_liveness::WatchLiveness;

    const MINUTE: Duration = Duration::from_secs(60);

    /// An API server with one pod. It ends each watch after a minute.
    #[derive(Clone)]
    struct Server {
        /// The version of what is stored.
        version: Arc<Mutex<u64>>,
        /// The answer to a list of all pods, if it is not the pod.
        list: Arc<Mutex<Option<(u16, String)>>>,
        /// The answer to a watch, if it is not an empty one.
        watch: Arc<Mutex<Option<(u16, String)>>>,
    }

    impl Server {
        fn new() -> Self {
            Self { version: Arc::new(Mutex::new(3000)), list: Arc::default(), watch: Arc::default() }
        }

        fn pods(&self) -> Value {
            let version = self.version.lock().to_string();
            let pod =
                json!({"metadata": {"name": "a", "namespace": "sre", "uid": "a", "resourceVersion": "1"}});
            json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": version}, "items": [pod]})
        }

        async fn answer(&self, query: &str) -> (u16, String) {
            if query.contains("watch=true") {
                let answer = self.watch.lock().clone();
                if answer.is_none() {
                    tokio::time::sleep(MINUTE).await;
                }
                return answer.unwrap_or((200, String::new()));
            }
            let answer = if query.contains("limit=1&") || query.ends_with("limit=1") {
                None
            } else {
                self.list.lock().clone()
            };
            answer.unwrap_or_else(|| (200, self.pods().to_string()))
        }

        fn stream(&self) -> BoxStream<'static, WatchStreamEvent<PartialPod>> {
            let server = self.clone();
            let service = tower::service_fn(move |request: Request<Body>| {
                let server = server.clone();
                async move {
                    let (code, body) = server.answer(request.uri().query().unwrap_or_default()).await;
                    let response = Response::builder().status(code).body(Body::from(body.into_bytes()));
                    Ok::<_, Infallible>(response.expect("a response"))
                }
            });
            let watch_liveness = WatchLiveness::default();
            let client = Client::new(ObserveLayer(watch_liveness.clone()).layer(service), "sre");
            let kube = KubeClient::from_client(client, Arc::new(StoppedClock));
            watch_objects(&KubeClient { watch_liveness, ..kube }, Some("sre"), Some("app=a"))
        }
    }

    /// What the stream shows within this time: `list`, `accepted`, or the failure.
    async fn shown(
        stream: &mut BoxStream<'static, WatchStreamEvent<PartialPod>>,
        within: Duration,
    ) -> Vec<String> {
        let end = Instant::now() + within;
        let mut shown = Vec::new();
        while let Ok(Some(event)) = tokio::time::timeout_at(end, stream.next()).await {
            match event {
                WatchStreamEvent::Objects(event) if matches!(*event, Event::InitDone) => {
                    shown.push("list".into())
                }
                WatchStreamEvent::Objects(_) => {}
                WatchStreamEvent::Accepted => shown.push("accepted".into()),
                WatchStreamEvent::Failed(why) => shown.push(why),
            }
        }
        shown
    }

    fn count(shown: &[String], what: &str) -> usize {
        shown.iter().filter(|shown| *shown == what).count()
    }

    #[tokio::test(start_paused = true)]
    async fn pods_are_listed_again_when_the_storage_went_back() {
        let server = Server::new();
        let mut stream = server.stream();
        let before = shown(&mut stream, 10 * MINUTE).await;
        assert_eq!(count(&before, "list"), 1, "{before:?}");
        *server.version.lock() = 1000;
        let after = shown(&mut stream, 3 * MINUTE).await;
        assert_eq!(count(&after, "list"), 1, "{after:?}");
        *server.version.lock() = 2000;
        let later = shown(&mut stream, 10 * MINUTE).await;
        assert_eq!(count(&later, "list"), 0, "{later:?}");
        assert!(count(&later, "accepted") >= 9, "{later:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn pods_are_listed_again_after_half_an_hour_and_the_watch_goes_on_while_that_fails() {
        let server = Server::new();
        let mut stream = server.stream();
        let first = shown(&mut stream, 29 * MINUTE).await;
        assert_eq!(count(&first, "list"), 1, "{first:?}");
        *server.list.lock() = Some((500, status(500, "the store is slow")));
        let failing = shown(&mut stream, 10 * MINUTE).await;
        assert_eq!(count(&failing, "list"), 0, "{failing:?}");
        assert!(failing.iter().all(|shown| shown == "accepted") && failing.len() >= 9, "{failing:?}");
        *server.list.lock() = None;
        let again = shown(&mut stream, 5 * MINUTE).await;
        assert_eq!(count(&again, "list"), 1, "{again:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_one_plain_sentence() {
        let gateway = "<html>\n<head><title>502 Bad Gateway</title></head></html>";
        let forbidden =
            "pods is forbidden: User \"w\" cannot list resource \"pods\" in the namespace \"sre\"";
        for (code, body, want) in [
            (403, status(403, forbidden), format!("the list failed: {forbidden} (403)")),
            (404, status(404, "page not found"), "the list failed: page not found (404)".into()),
            (200, "{not json".into(), String::new()),
            (502, gateway.into(), String::new()),
        ] {
            let server = Server::new();
            *server.list.lock() = Some((code, body));
            let shown = shown(&mut server.stream(), Duration::from_secs(1)).await;
            let first = shown.first().expect("a failure");
            assert!(want.is_empty() || *first == want, "{first}");
            assert!(first.starts_with("the list failed: "), "{first}");
            assert!(
                !first.contains("Status {") && !first.contains("Some(") && !first.contains('\n'),
                "{first}"
            );
        }
        let server = Server::new();
        *server.watch.lock() = Some((404, status(404, "the server could not find the requested resource")));
        let shown = shown(&mut server.stream(), Duration::from_secs(1)).await;
        let want = "the watch did not start: the server could not find the requested resource (404)";
        assert!(shown.contains(&want.to_owned()), "{shown:?}");
    }
}
