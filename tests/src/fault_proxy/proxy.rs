//! [`FaultProxy`]: forwards requests to the API server and injects faults.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use futures::{StreamExt, TryStreamExt};
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, BodyStream, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::client::Body;
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::sleep;

use super::fault::{Fault, Injection, Moment};
use super::injected_fault::InjectedFault;
use super::request_class::RequestClass;
use super::rule::FaultRule;
use super::schedule::FaultSchedule;
use super::watch_body::{Chunks, closed, with_fault};
use crate::Cluster;

type Answer = Response<UnsyncBoxBody<Bytes, io::Error>>;

/// A proxy in front of the API server that injects the faults of its rules and of its schedule.
///
/// A request that it has received reaches the API server also when the client is gone, unless its
/// fault forbids that.
pub struct FaultProxy {
    state: Arc<ProxyState>,
    /// A kubeconfig whose server is this proxy.
    pub kubeconfig: PathBuf,
    _directory: TempDir,
}

struct ProxyState {
    client: Client,
    started: Instant,
    schedule: Option<FaultSchedule>,
    /// No fault is injected any more.
    quiet: watch::Sender<bool>,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    rules: Vec<FaultRule>,
    /// Requests so far, by class.
    numbers: HashMap<RequestClass, u32>,
    injected: Vec<InjectedFault>,
    /// The first answer to each list, by its address without versions.
    lists: HashMap<String, Bytes>,
}

impl FaultProxy {
    /// Starts a proxy that injects the faults of `schedule`, if there is one.
    ///
    /// # Panics
    /// When the kubeconfig does not have the shape of the test cluster's.
    pub async fn start(cluster: &Cluster, schedule: Option<FaultSchedule>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (directory, kubeconfig) = cluster.kubeconfig_of_proxy(address);
        let state = Arc::new(ProxyState {
            client: cluster.client.clone(),
            started: Instant::now(),
            schedule,
            quiet: watch::Sender::new(false),
            log: Mutex::default(),
        });
        tokio::spawn(serve(listener, Arc::clone(&state)));
        Self { state, kubeconfig, _directory: directory }
    }

    /// Adds a rule. The first rule that applies to a request decides, before the schedule.
    pub fn add(&self, rule: FaultRule) {
        self.state.log.lock().rules.push(rule);
    }

    /// Removes all rules.
    pub fn clear(&self) {
        self.state.log.lock().rules.clear();
    }

    /// Injects no fault from now on.
    pub fn be_quiet(&self) {
        self.state.quiet.send_replace(true);
    }

    /// The number of requests so far.
    pub fn requests(&self) -> u32 {
        self.state.log.lock().numbers.values().sum()
    }

    /// The faults that were injected so far.
    pub fn injected(&self) -> Vec<InjectedFault> {
        self.state.log.lock().injected.clone()
    }
}

async fn serve(listener: TcpListener, state: Arc<ProxyState>) {
    while let Ok((near, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| answer(Arc::clone(&state), request));
            let _closed = http1::Builder::new().serve_connection(TokioIo::new(near), service).await;
        });
    }
}

async fn answer(state: Arc<ProxyState>, request: Request<Incoming>) -> Result<Answer, io::Error> {
    let (mut head, body) = request.into_parts();
    head.headers.remove("host");
    let bytes = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let request = Request::from_parts(head, bytes);
    // A task of its own, so that the request goes on when the client closes its connection.
    tokio::spawn(async move { state.answer(request).await }).await.map_err(io::Error::other)?
}

impl ProxyState {
    async fn answer(&self, request: Request<Bytes>) -> Result<Answer, io::Error> {
        let (class, namespace) = RequestClass::parse(request.method(), request.uri());
        let Some(Injection { fault, moment }) = self.injection(&class, namespace.as_deref()) else {
            return self.forward(request, &class).await;
        };
        let is_before = moment == Moment::BeforeForwarding;
        match fault {
            Fault::Delay(time) if is_before => {
                sleep(time).await;
                self.forward(request, &class).await
            }
            Fault::Delay(time) => {
                let answer = self.forward(request, &class).await;
                sleep(time).await;
                answer
            }
            Fault::Drop => {
                if !is_before {
                    self.forward(request, &class).await?;
                }
                Err(closed())
            }
            Fault::Answer(bad) => {
                if !is_before {
                    self.forward(request, &class).await?;
                }
                Ok(bad.response().map(whole))
            }
            Fault::Cut => {
                let (head, body) = self.forward(request, &class).await?.into_parts();
                let bytes = body.collect().await?.to_bytes();
                let half = bytes.slice(..bytes.len() / 2);
                let chunks = futures::stream::iter([Ok(half), Err(closed())]).boxed();
                Ok(Response::from_parts(head, streamed(chunks)))
            }
            Fault::StaleList => {
                let known = self.log.lock().lists.get(&list_key(&request)).cloned();
                let (mut head, body) = self.forward(request, &class).await?.into_parts();
                let Some(known) = known else { return Ok(Response::from_parts(head, body)) };
                head.headers.remove("content-length");
                Ok(Response::from_parts(head, whole(known)))
            }
            Fault::ExpiredWatch { .. }
            | Fault::SilentWatch { .. }
            | Fault::CutWatch { .. }
            | Fault::LateWatch { .. } => {
                let (head, body) = self.forward(request, &class).await?.into_parts();
                let chunks = with_fault(chunks(body), fault, self.quiet.subscribe());
                Ok(Response::from_parts(head, streamed(chunks)))
            }
        }
    }

    /// Counts the request. The fault that happens to it, which is logged.
    fn injection(&self, class: &RequestClass, namespace: Option<&str>) -> Option<Injection> {
        let quiet = *self.quiet.borrow();
        let log = &mut *self.log.lock();
        let number = log.numbers.entry(class.clone()).or_default();
        *number += 1;
        let number = *number;
        if quiet {
            return None;
        }
        // Each rule counts the requests of its class, also those that another rule decides.
        let by_rule: Vec<_> = log.rules.iter_mut().filter_map(|rule| rule.take(class, namespace)).collect();
        let scheduled = || self.schedule.as_ref()?.injection(class, number);
        let injection = by_rule.into_iter().next().or_else(scheduled)?;
        let at = self.started.elapsed();
        log.injected.push(InjectedFault { at, class: class.clone(), number, injection: injection.clone() });
        Some(injection)
    }

    async fn forward(&self, request: Request<Bytes>, class: &RequestClass) -> Result<Answer, io::Error> {
        let key = (class.verb == "list").then(|| list_key(&request));
        // kube gives up after its own timeouts; a watch that is silent for longer is closed.
        let sent = self.client.send(request.map(Body::from)).await.map_err(io::Error::other)?;
        let (mut head, body) = sent.into_parts();
        head.headers.remove("transfer-encoding");
        let Some(key) = key.filter(|_| head.status.is_success()) else {
            return Ok(Response::from_parts(head, body.map_err(io::Error::other).boxed_unsync()));
        };
        let bytes = body.collect().await.map_err(io::Error::other)?.to_bytes();
        self.log.lock().lists.entry(key).or_insert_with(|| bytes.clone());
        Ok(Response::from_parts(head, whole(bytes)))
    }
}

/// The address of a list without what differs from one list to the next.
fn list_key(request: &Request<Bytes>) -> String {
    let query = request.uri().query().unwrap_or_default();
    let stays = |part: &&str| !part.starts_with("resourceVersion");
    format!("{}?{}", request.uri().path(), query.split('&').filter(stays).collect::<Vec<_>>().join("&"))
}

fn whole(bytes: Bytes) -> UnsyncBoxBody<Bytes, io::Error> {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

fn streamed(chunks: Chunks) -> UnsyncBoxBody<Bytes, io::Error> {
    StreamBody::new(chunks.map_ok(Frame::data)).boxed_unsync()
}

fn chunks(body: UnsyncBoxBody<Bytes, io::Error>) -> Chunks {
    let frames = BodyStream::new(body);
    frames.try_filter_map(|frame| async move { Ok(frame.into_data().ok()) }).boxed()
}
