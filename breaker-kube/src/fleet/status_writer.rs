//! The page of one breaker: its sheet, and the status on the API server that it is written to.
//!
//! The status is the Record's only home, so each write carries the whole of it and the `resourceVersion` that was
//! last seen. What others change in spec or metadata moves that version too: a 409 is looked at, and only when the
//! *Record* is another one is it a conflict for the breaker.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use breaker_core::cluster::Stored;
use breaker_core::state::State;
use breaker_core::{BreakerEvent, Clock, ClusterError, Record};
use jiff::Timestamp;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::resource::PartialBreaker;
use super::status::{StatusModel, by_cause};
use crate::crd::BreakerName;
use crate::crd::CircuitBreakerStatus;
use crate::request::{ApiRequest, FIELD_MANAGER};

/// Spec and metadata do not change so often in a row.
const MAX_RETRIES: u32 = 5;

/// One breaker's status, here and on the API server.
pub(crate) struct StatusWriter {
    pub(crate) name: BreakerName,
    pub(crate) uid: String,
    api: Api<PartialBreaker>,
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
    /// One write at a time.
    turn: tokio::sync::Mutex<()>,
    soon: Notify,
}

struct Inner {
    sheet: StatusModel,
    resource_version: String,
    /// The Record as stored, in JSON.
    record: Option<String>,
    /// Hash of the status as last written or read.
    written: u64,
}

impl StatusWriter {
    pub(crate) fn new(client: &Client, clock: &Arc<dyn Clock>, breaker: &PartialBreaker) -> Self {
        let name = breaker.name();
        // What an older or a newer controller wrote otherwise is written again.
        let status: CircuitBreakerStatus = serde_json::from_value(breaker.status.clone()).unwrap_or_default();
        let written = hash(&status);
        let record = status.record.as_ref().map(Value::to_string);
        let mut sheet = StatusModel::of(status, breaker.metadata.generation);
        let known: Option<Record> = record.as_deref().and_then(|json| serde_json::from_str(json).ok());
        if let Some(known) = known {
            if known.state == State::Closed {
                sheet.by_cause = by_cause(&known);
            }
            sheet.about = Some((known.target_uid.clone(), known.counts_from));
        }
        Self {
            api: Api::namespaced(client.clone(), &name.namespace),
            uid: breaker.uid().to_owned(),
            name,
            clock: Arc::clone(clock),
            inner: Mutex::new(Inner {
                sheet,
                resource_version: breaker.metadata.resource_version.clone().unwrap_or_default(),
                record,
                written,
            }),
            turn: tokio::sync::Mutex::default(),
            soon: Notify::new(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The watch showed the breaker again. A newer version with the Record that is known here is the one to write over.
    pub(crate) fn seen(&self, breaker: &PartialBreaker) {
        let mut inner = self.inner();
        inner.sheet.generation = breaker.metadata.generation;
        let version = breaker.metadata.resource_version.clone().unwrap_or_default();
        let newer = match (version.parse::<u64>(), inner.resource_version.parse::<u64>()) {
            (Ok(seen), Ok(known)) => seen > known,
            _ => false,
        };
        if newer && record_in(&breaker.status) == inner.record {
            inner.resource_version = version;
        }
    }

    /// Changes what the status says; it is written soon.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut StatusModel) -> T) -> T {
        let done = change(&mut self.inner().sheet);
        self.soon.notify_one();
        done
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&StatusModel) -> T) -> T {
        look(&self.inner().sheet)
    }

    /// Takes in what the breaker told.
    pub(crate) fn told(&self, notice: &BreakerEvent) {
        if self.inner().sheet.told(notice) {
            self.soon.notify_one();
        }
    }

    /// The Record as last known.
    pub(crate) fn record(&self) -> Option<Record> {
        self.inner().record.as_deref().and_then(|json| serde_json::from_str(json).ok())
    }

    /// Returns when the status should be written.
    pub(crate) async fn changed(&self) {
        self.soon.notified().await;
    }

    /// The Record that is known here, without asking.
    pub(crate) fn known_record(&self) -> Result<Option<Stored>, ClusterError> {
        let inner = self.inner();
        inner.record.as_deref().map(|json| self.stored(json)).transpose()
    }

    /// The Record that is stored now.
    pub(crate) async fn load(&self) -> Result<Option<Stored>, ClusterError> {
        let _turn = self.turn.lock().await;
        self.look().await?;
        self.known_record()
    }

    /// Stores the Record over the one of `over`, with the whole status.
    pub(crate) async fn save(&self, record: &Record, over: Option<&str>) -> Result<String, ClusterError> {
        let _turn = self.turn.lock().await;
        if self.inner().record.as_deref().map(version_of).as_deref() != over {
            return Err(ClusterError::Conflict(self.place()));
        }
        let stored = serde_json::to_value(record)
            .map_err(|error| ClusterError::BadRecord { place: self.place(), source: error.into() })?;
        self.write(Some((record, stored))).await?;
        Ok(self.inner().record.as_deref().map(version_of).unwrap_or_default())
    }

    /// Stores the Record over whatever is known here.
    pub(crate) async fn replace(&self, record: &Record) -> Result<(), ClusterError> {
        let over = self.known_record()?.map(|stored| stored.version);
        self.save(record, over.as_deref()).await.map(drop)
    }

    /// Writes the status with the Record that is stored, if it says anything new.
    pub(crate) async fn write_if_new(&self) -> Result<(), ClusterError> {
        let _turn = self.turn.lock().await;
        let record: Option<Record> = self.record();
        let stored = record.as_ref().and_then(|record| serde_json::to_value(record).ok());
        self.write(record.as_ref().zip(stored)).await
    }

    async fn write(&self, record: Option<(&Record, Value)>) -> Result<(), ClusterError> {
        let json = record.as_ref().map(|(_, stored)| stored.to_string());
        let (status, new) = {
            let mut inner = self.inner();
            let status = inner.sheet.status(record, self.clock.now());
            let new = hash(&status);
            if new == inner.written && json == inner.record {
                return Ok(());
            }
            (status, new)
        };
        for _ in 0..MAX_RETRIES {
            let body = json!({
                "apiVersion": "bigredbutton.dev/v1alpha1",
                "kind": "CircuitBreaker",
                "metadata": {"name": self.name.name, "resourceVersion": self.inner().resource_version},
                "status": status,
            });
            let params = PatchParams::apply(FIELD_MANAGER).force();
            let patch = Patch::Apply(&body);
            let call = self.api.patch_status(&self.name.name, &params, &patch);
            match self.step("writing", "patch", "circuitbreakers/status").send(call).await {
                Ok(now) => {
                    let mut inner = self.inner();
                    inner.resource_version = now.metadata.resource_version.unwrap_or_default();
                    (inner.record, inner.written) = (json, new);
                    return Ok(());
                }
                Err(ClusterError::Conflict(_)) => {
                    if !self.look().await? {
                        return Err(ClusterError::Conflict(self.place()));
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(ClusterError::Conflict(self.place()))
    }

    /// Reads the breaker; answers whether its Record is the one known here.
    async fn look(&self) -> Result<bool, ClusterError> {
        let step = self.step("reading", "get", "circuitbreakers");
        let found = step.send(self.api.get(&self.name.name)).await?;
        if found.uid() != self.uid {
            return Err(ClusterError::NotFound(format!("CircuitBreaker {}", self.name)));
        }
        let mut inner = self.inner();
        inner.resource_version = found.metadata.resource_version.clone().unwrap_or_default();
        let record = record_in(&found.status);
        let same = record == inner.record;
        if !same {
            inner.record = record;
            let status: CircuitBreakerStatus = serde_json::from_value(found.status).unwrap_or_default();
            inner.written = hash(&status);
        }
        Ok(same)
    }

    fn stored(&self, json: &str) -> Result<Stored, ClusterError> {
        let record = serde_json::from_str(json).map_err(|error| ClusterError::BadRecord {
            place: self.place(),
            source: format!("{error}; delete and create the CircuitBreaker to start from scratch").into(),
        })?;
        Ok(Stored { record, version: version_of(json) })
    }

    fn place(&self) -> String {
        format!("the status of CircuitBreaker {}", self.name)
    }

    fn step(&self, doing: &str, verb: &'static str, resource: &str) -> ApiRequest {
        ApiRequest {
            action: format!("{doing} {}", self.place()),
            verb,
            resource: format!("{resource}.bigredbutton.dev"),
            namespace: self.name.namespace.clone(),
            object: format!("CircuitBreaker {}", self.name),
        }
    }
}

/// Keys in order, as `serde_json` prints them: equal Records have equal text.
fn record_in(status: &Value) -> Option<String> {
    status.get("record").map(Value::to_string)
}

/// What the breaker knows as the version: other fields of the object may change under it.
fn version_of(json: &str) -> String {
    let mut hasher = DefaultHasher::new();
    json.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn hash(status: &CircuitBreakerStatus) -> u64 {
    let mut hasher = DefaultHasher::new();
    serde_json::to_string(status).unwrap_or_default().hash(&mut hasher);
    hasher.finish()
}

/// When `at` was, for a name that two controllers would choose alike.
pub(crate) fn stamp(at: Timestamp) -> String {
    at.as_second().to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use async_trait::async_trait;
    use http::{Request, Response};
    use kube::client::Body;

    use super::*;

    type Server = tower_test::mock::Handle<Request<Body>, Response<Body>>;

    struct Stopped;

    #[async_trait]
    impl Clock for Stopped {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        async fn sleep_until(&self, _: Timestamp) {}
    }

    fn record(episode: u64) -> Record {
        Record { target_uid: "t".into(), episode, ..Record::default() }
    }

    fn breaker(version: &str, record: &Record) -> Value {
        json!({
            "apiVersion": "bigredbutton.dev/v1alpha1",
            "kind": "CircuitBreaker",
            "metadata": {"name": "swype", "namespace": "sre", "uid": "u", "resourceVersion": version},
            "spec": {},
            "status": {"record": record},
        })
    }

    fn slim(version: &str, record: &Record) -> PartialBreaker {
        serde_json::from_value(breaker(version, record)).unwrap()
    }

    /// A page that knows version 7 with the first episode, and the API server it speaks to.
    fn page() -> (StatusWriter, Server) {
        let (service, server) = tower_test::mock::pair();
        let clock: Arc<dyn Clock> = Arc::new(Stopped);
        (StatusWriter::new(&Client::new(service, "sre"), &clock, &slim("7", &record(1))), server)
    }

    /// Answers one request; tells its method and the version it was to be written over.
    async fn answer(server: &mut Server, code: u16, body: Value) -> (String, Value) {
        let (request, respond) = server.next_request().await.expect("a request");
        let method = request.method().to_string();
        let sent = request.into_body().collect_bytes().await.unwrap();
        let sent: Value = serde_json::from_slice(&sent).unwrap_or_default();
        let answer = Response::builder().status(code).body(Body::from(serde_json::to_vec(&body).unwrap()));
        respond.send_response(answer.unwrap());
        (method, sent["metadata"]["resourceVersion"].clone())
    }

    fn conflict() -> Value {
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Conflict", "code": 409, "message": "x"})
    }

    fn over(page: &StatusWriter) -> Option<String> {
        page.known_record().unwrap().map(|stored| stored.version)
    }

    #[tokio::test]
    async fn a_spec_edited_meanwhile_costs_one_more_try_and_no_conflict() {
        let (page, mut server) = page();
        let (known, next) = (over(&page), record(2));
        let serve = async {
            let first = answer(&mut server, 409, conflict()).await;
            let look = answer(&mut server, 200, breaker("9", &record(1))).await;
            let again = answer(&mut server, 200, breaker("10", &next)).await;
            (first, look.0, again)
        };
        let (saved, (first, look, again)) = tokio::join!(page.save(&next, known.as_deref()), serve);
        assert_eq!(first, ("PATCH".into(), json!("7")));
        assert_eq!(look, "GET");
        assert_eq!(again, ("PATCH".into(), json!("9")));
        assert_eq!(Some(saved.unwrap()), over(&page));
        // Nothing new: nothing is sent, or this would wait for an answer.
        tokio::time::timeout(Duration::from_secs(5), page.write_if_new()).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn another_record_is_a_conflict_and_theirs_is_known_then() {
        let (page, mut server) = page();
        let (known, ours, theirs) = (over(&page), record(2), record(5));
        let serve = async {
            answer(&mut server, 409, conflict()).await;
            answer(&mut server, 200, breaker("9", &theirs)).await;
        };
        let (saved, ()) = tokio::join!(page.save(&ours, known.as_deref()), serve);
        assert!(matches!(saved, Err(ClusterError::Conflict(_))), "{saved:?}");
        assert_eq!(page.record().unwrap().episode, 5);
        // Who still thinks of the former one is refused without a request.
        let again = page.save(&record(2), known.as_deref()).await;
        assert!(matches!(again, Err(ClusterError::Conflict(_))), "{again:?}");
    }

    #[tokio::test]
    async fn a_newer_version_is_written_over_only_when_its_record_is_the_known_one() {
        for (seen, want) in
            [(slim("8", &record(1)), "8"), (slim("8", &record(5)), "7"), (slim("6", &record(1)), "7")]
        {
            let (page, mut server) = page();
            page.seen(&seen);
            let (known, next) = (over(&page), record(2));
            let serve = answer(&mut server, 200, breaker("10", &next));
            let (saved, sent) = tokio::join!(page.save(&next, known.as_deref()), serve);
            assert!(saved.is_ok());
            assert_eq!(sent.1, json!(want));
        }
    }

    #[tokio::test]
    async fn a_namesake_of_a_deleted_breaker_is_not_written_to() {
        let (page, mut server) = page();
        let mut other = breaker("9", &record(1));
        other["metadata"]["uid"] = json!("another");
        let (known, ours) = (over(&page), record(2));
        let serve = async {
            answer(&mut server, 409, conflict()).await;
            answer(&mut server, 200, other).await;
        };
        let (saved, ()) = tokio::join!(page.save(&ours, known.as_deref()), serve);
        assert!(matches!(saved, Err(ClusterError::NotFound(_))), "{saved:?}");
    }
}
