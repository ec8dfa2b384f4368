//! [`StatusWriter`]: the status of one breaker on the API server.
//!
//! The status is the only place of the Record. So each write carries the whole status and the
//! `resourceVersion` that was read last. A change of spec or metadata changes that version too:
//! after a 409 the object is read again, and only another Record is a conflict for the breaker.
//!
//! A status or Record that cannot be read is carried over untouched; only conditions are added.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use breaker_core::backoff::Backoff;
use breaker_core::cluster::StoredRecord;
use breaker_core::state::{Override, State};
use breaker_core::{Clock, ClusterError, Record};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::ObjectReference;
use kube::api::{Patch, PatchParams};
use kube::{Api, Resource};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Notify, watch};

use super::newer_breakers::NewerBreakers;
use super::partial_breaker::PartialBreaker;
use super::request_limits::RequestLimits;
use super::requested::{Observed, Requested};
use super::status::StatusModel;
use crate::client::KubeClient;
use crate::crd::{BreakerName, CircuitBreaker, CircuitBreakerStatus};
use crate::request::{ApiRequest, FIELD_MANAGER};

/// Attempts to write while others change spec or metadata.
const MAX_ATTEMPTS: u32 = 5;

/// Delays before a breaker is read again.
const CONFIRM_BACKOFF: Backoff = Backoff::new(SignedDuration::from_secs(1), SignedDuration::from_secs(60));

/// The status of one breaker, here and on the API server.
pub(crate) struct StatusWriter {
    pub(crate) name: BreakerName,
    pub(crate) uid: String,
    api: Api<PartialBreaker>,
    clock: Arc<dyn Clock>,
    local: Mutex<Local>,
    /// Held while the status is written or read.
    write_lock: tokio::sync::Mutex<()>,
    /// The model was changed after the last write.
    dirty: Notify,
    /// The stored Record has changed.
    stored: Notify,
    requested: watch::Sender<Requested>,
    newer: Arc<NewerBreakers>,
}

/// What is known here.
struct Local {
    model: StatusModel,
    resource_version: String,
    /// The Record as stored, in JSON.
    record: Option<String>,
    /// The stored status, if it or its Record cannot be read.
    unreadable: Option<UnreadableStatus>,
    /// Hash of the status as last written or read.
    written: u64,
}

impl StatusWriter {
    pub(crate) fn new(kube: &KubeClient, newer: &Arc<NewerBreakers>, breaker: &PartialBreaker) -> Self {
        let name = breaker.name();
        let written = hash(&breaker.status);
        let (status, unreadable) = parse(&breaker.status);
        let record = record_in(&breaker.status);
        Self {
            api: Api::namespaced(kube.client.clone(), &name.namespace),
            uid: breaker.uid().to_owned(),
            name,
            clock: Arc::clone(&kube.clock),
            local: Mutex::new(Local {
                model: StatusModel::new(status, breaker.metadata.generation),
                resource_version: breaker.metadata.resource_version.clone().unwrap_or_default(),
                record,
                unreadable,
                written,
            }),
            write_lock: tokio::sync::Mutex::default(),
            dirty: Notify::new(),
            stored: Notify::new(),
            requested: watch::Sender::new(Requested::new(breaker)),
            newer: Arc::clone(newer),
        }
    }

    /// With the Lease of the controller, which each status names.
    pub(crate) fn with_lease(mut self, lease: Option<String>) -> Self {
        self.local.get_mut().model.lease = lease;
        self
    }

    /// The CircuitBreaker, as an Event about it names it.
    pub(crate) fn reference(&self) -> ObjectReference {
        ObjectReference {
            api_version: Some(CircuitBreaker::api_version(&()).into_owned()),
            kind: Some(CircuitBreaker::kind(&()).into_owned()),
            namespace: Some(self.name.namespace.clone()),
            name: Some(self.name.name.clone()),
            uid: Some(self.uid.clone()),
            ..ObjectReference::default()
        }
    }

    /// Takes in the breaker as the watch shows it. A newer version is the one to write over, if it
    /// has the Record that is known here. One that replaces an unreadable status is read first.
    pub(crate) fn observe(&self, breaker: &PartialBreaker) -> Observed {
        let mut local = self.local.lock();
        let order = local.order(breaker);
        let mut observed = Observed::Old;
        self.requested.send_modify(|requested| observed = requested.observe(breaker, order.is_lt()));
        if observed == Observed::Latest {
            local.model.generation = breaker.metadata.generation;
        }
        if order.is_gt() && local.unreadable.is_none() && record_in(&breaker.status) == local.record {
            local.resource_version = breaker.metadata.resource_version.clone().unwrap_or_default();
        }
        observed
    }

    /// Returns once the fleet follows what the breaker asks for now, as far as that is known: the
    /// argument of [`Self::outdated`].
    pub(crate) async fn followed_epoch(&self) -> u64 {
        let mut requested = self.requested.subscribe();
        let followed = requested.wait_for(Requested::is_followed).await.map(|requested| *requested);
        // The sender is part of this writer, so it exists.
        followed.map_or(0, |requested| requested.epoch())
    }

    /// Returns once a read has shown that the breaker asks for something else than was followed
    /// when [`Self::followed_epoch`] returned `epoch`.
    pub(crate) async fn outdated(&self, epoch: u64) {
        let _ = self.requested.subscribe().wait_for(|requested| requested.epoch() != epoch).await;
    }

    /// Whether [`Self::outdated`] would return at once.
    pub(crate) fn is_outdated(&self, epoch: u64) -> bool {
        self.requested.borrow().epoch() != epoch
    }

    /// Reads the breaker until it is known what it asks for now, or that it is gone.
    pub(crate) async fn confirm(&self, limits: &RequestLimits) {
        let mut failures = 0;
        loop {
            let permit = limits.status().await;
            if !self.load().await.is_err_and(|error| error.is_retryable()) {
                return;
            }
            drop(permit);
            tokio::time::sleep(CONFIRM_BACKOFF.delay(failures).unsigned_abs()).await;
            failures = failures.saturating_add(1);
        }
    }

    /// Changes the model. The status is written soon.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut StatusModel) -> T) -> T {
        let result = change(&mut self.local.lock().model);
        self.dirty.notify_one();
        result
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&StatusModel) -> T) -> T {
        read(&self.local.lock().model)
    }

    /// The Record that is known here; `None` also if it cannot be read.
    pub(crate) fn record(&self) -> Option<Record> {
        self.known_record().ok().flatten().map(|stored| stored.record)
    }

    /// Returns once the model was changed.
    pub(crate) async fn changed(&self) {
        self.dirty.notified().await;
    }

    /// Returns once another Record is stored.
    pub(crate) async fn record_changed(&self) {
        self.stored.notified().await;
    }

    /// Whether the override `ForcedOpen` was carried out and its trip is over, by the stored
    /// Record.
    pub(crate) fn press_is_over(&self) -> bool {
        let Ok(Some(StoredRecord { record, .. })) = self.known_record() else { return false };
        record.state == State::Closed && record.handled.override_ == Some(Override::ForcedOpen)
    }

    /// Sets `spec.override` to `Auto` if the press is over and the fleet follows the latest version
    /// of the breaker. Over that version only, so that a newer change of a person stays.
    pub(crate) async fn return_override(&self) -> Result<(), ClusterError> {
        let _lock = self.write_lock.lock().await;
        if !self.press_is_over() || !self.requested.borrow().is_followed() {
            return Ok(());
        }
        let version = self.local.lock().resource_version.clone();
        let patch =
            json!({"metadata": {"resourceVersion": version}, "spec": {"override": Override::Auto.as_str()}});
        let params = PatchParams { field_manager: Some(FIELD_MANAGER.into()), ..PatchParams::default() };
        let patch = Patch::Merge(&patch);
        let request = ApiRequest {
            action: format!("setting spec.override of CircuitBreaker {} to Auto", self.name),
            ..self.request("writing", "patch", "circuitbreakers")
        };
        let stored = request.send(self.api.patch(&self.name.name, &params, &patch)).await?;
        if stored.uid() != self.uid {
            return Err(request.unclear("the CircuitBreaker has another uid or none"));
        }
        self.local.lock().resource_version = stored.metadata.resource_version.clone().unwrap_or_default();
        self.requested.send_modify(|requested| requested.wrote(&stored));
        Ok(())
    }

    /// The Record that is known here, with its version.
    pub(crate) fn known_record(&self) -> Result<Option<StoredRecord>, ClusterError> {
        let local = self.local.lock();
        local.check_readable(|| self.location())?;
        let stored = local.record.as_deref().map(|json| self.stored(json)).transpose()?;
        Ok(stored.map(|mut stored| {
            local.model.add_handled(&mut stored.record);
            stored
        }))
    }

    /// The Record that the API server has now.
    pub(crate) async fn load(&self) -> Result<Option<StoredRecord>, ClusterError> {
        let _lock = self.write_lock.lock().await;
        self.refresh().await?;
        self.known_record()
    }

    /// Stores the Record over the version `over`, with the whole status. Returns its version.
    pub(crate) async fn save(&self, record: &Record, over: Option<&str>) -> Result<String, ClusterError> {
        let _lock = self.write_lock.lock().await;
        {
            let local = self.local.lock();
            if local.record.as_deref().map(version_of).as_deref() != over {
                return Err(ClusterError::Conflict(self.location()));
            }
            local.check_readable(|| self.location())?;
        }
        let stored = serde_json::to_value(record)
            .map_err(|error| ClusterError::BadRecord { place: self.location(), source: error.into() })?;
        self.write(Some((record, stored)), true).await?;
        Ok(self.local.lock().record.as_deref().map(version_of).unwrap_or_default())
    }

    /// Stores the Record over the one that is known here.
    pub(crate) async fn replace(&self, record: &Record) -> Result<(), ClusterError> {
        let over = self.known_record()?.map(|stored| stored.version);
        self.save(record, over.as_deref()).await.map(drop)
    }

    /// Writes the status with the known Record, if it differs from the one that was written last.
    pub(crate) async fn write_if_changed(&self) -> Result<(), ClusterError> {
        let _lock = self.write_lock.lock().await;
        let record: Option<Record> = self.record();
        let stored = self.local.lock().record.as_deref().and_then(|json| serde_json::from_str(json).ok());
        self.write(record.as_ref().zip(stored), false).await
    }

    /// Writes the status. `decided`: the Record is new, and was decided for what is followed now.
    async fn write(&self, record: Option<(&Record, Value)>, decided: bool) -> Result<(), ClusterError> {
        let epoch = self.requested.borrow().epoch();
        let json = record.as_ref().map(|(_, stored)| stored.to_string());
        for _ in 0..MAX_ATTEMPTS {
            let (written, json, status, hash, version) = {
                let mut local = self.local.lock();
                let now = self.clock.now();
                let (body, json, status) = match local.unreadable.is_some() {
                    true => (local.unreadable_status(now), local.record.clone(), None),
                    false => {
                        let status = local.model.compose(record.clone(), now);
                        (json!(status), json.clone(), Some(status))
                    }
                };
                let hash = hash(&body);
                if hash == local.written && json == local.record {
                    return Ok(());
                }
                (body, json, status, hash, local.resource_version.clone())
            };
            let body = json!({
                "apiVersion": CircuitBreaker::api_version(&()),
                "kind": CircuitBreaker::kind(&()),
                "metadata": {"name": self.name.name, "resourceVersion": version},
                "status": written,
            });
            let params = PatchParams::apply(FIELD_MANAGER).force();
            let patch = Patch::Apply(&body);
            let call = self.api.patch_status(&self.name.name, &params, &patch);
            let request = self.request("writing", "patch", "circuitbreakers/status");
            match request.send(call).await {
                Ok(stored) if stored.uid() != self.uid => {
                    return Err(request.unclear("the CircuitBreaker has another uid or none"));
                }
                Ok(stored) => {
                    let mut local = self.local.lock();
                    local.resource_version = stored.metadata.resource_version.unwrap_or_default();
                    let is_new = local.record != json;
                    (local.record, local.written) = (json, hash);
                    if let Some(status) = status {
                        local.model.written(status);
                    }
                    if is_new {
                        self.stored.notify_one();
                    }
                    return Ok(());
                }
                Err(ClusterError::Conflict(_)) => {
                    if !self.refresh().await? || (decided && self.is_outdated(epoch)) {
                        return Err(ClusterError::Conflict(self.location()));
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(ClusterError::Conflict(self.location()))
    }

    /// Reads the breaker. Returns whether its Record is the one that is known here.
    async fn refresh(&self) -> Result<bool, ClusterError> {
        let request = self.request("reading", "get", "circuitbreakers");
        let mut late = 0;
        let (found, is_older, mut local) = loop {
            let known = self.local.lock().resource_version.clone();
            let found = request.send(self.api.get(&self.name.name)).await?;
            if found.uid().is_empty() {
                return Err(request.unclear("the CircuitBreaker has no uid"));
            }
            if found.uid() != self.uid {
                return Err(ClusterError::NotFound(format!("CircuitBreaker {}", self.name)));
            }
            let local = self.local.lock();
            let is_older = local.order(&found).is_lt();
            // The watch has shown a newer version while the answer was under way. It was right when
            // it was sent, and must not undo what the watch has shown.
            if !is_older || local.resource_version == known {
                break (found, is_older, local);
            }
            late += 1;
            if late == MAX_ATTEMPTS {
                return Err(request.unclear("each answer is older than what the watch shows meanwhile"));
            }
        };
        local.resource_version = found.metadata.resource_version.clone().unwrap_or_default();
        let record = record_in(&found.status);
        let (status, unreadable) = parse(&found.status);
        let is_same = record == local.record && unreadable.is_some() == local.unreadable.is_some();
        local.unreadable = unreadable;
        if !is_same {
            local.record = record;
            local.written = hash(&found.status);
            local.model.found(&status);
            self.stored.notify_one();
        }
        let mut is_new = false;
        self.requested.send_modify(|requested| is_new = requested.read(&found, is_older));
        if is_new {
            self.newer.push(found);
        }
        Ok(is_same)
    }

    fn stored(&self, json: &str) -> Result<StoredRecord, ClusterError> {
        let record = serde_json::from_str(json)
            .map_err(|error| ClusterError::BadRecord { place: self.location(), source: error.into() })?;
        Ok(StoredRecord { record, version: version_of(json) })
    }

    fn location(&self) -> String {
        format!("the status of CircuitBreaker {}", self.name)
    }

    fn request(&self, doing: &str, verb: &'static str, resource: &str) -> ApiRequest {
        ApiRequest {
            action: format!("{doing} {}", self.location()),
            verb,
            resource: format!("{resource}.{}", CircuitBreaker::group(&())),
            namespace: self.name.namespace.clone(),
            object: format!("CircuitBreaker {}", self.name),
        }
    }
}

/// The Record of a status, in JSON. `serde_json` prints keys in order, so equal Records have equal
/// texts.
fn record_in(status: &Value) -> Option<String> {
    status.get("record").map(Value::to_string)
}

/// The version of a Record: a hash of its text. The `resourceVersion` would not do, because it
/// changes with every other field of the object.
fn version_of(json: &str) -> String {
    let mut hasher = DefaultHasher::new();
    json.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn hash(status: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    status.to_string().hash(&mut hasher);
    hasher.finish()
}

/// The status as decoded; one of another shape is empty and unreadable.
fn parse(status: &Value) -> (CircuitBreakerStatus, Option<UnreadableStatus>) {
    if status.is_null() {
        return (CircuitBreakerStatus::default(), None);
    }
    let decoded = serde_json::from_value::<CircuitBreakerStatus>(status.clone());
    let error = match &decoded {
        Ok(decoded) => decoded.record.as_ref().and_then(|record| Record::deserialize(record).err()),
        Err(error) => Some(serde::de::Error::custom(error)),
    };
    let unreadable = error.map(|error| UnreadableStatus { status: status.clone(), why: error.to_string() });
    (decoded.unwrap_or_default(), unreadable)
}

/// A stored status that cannot be read, or whose Record cannot be read.
struct UnreadableStatus {
    status: Value,
    why: String,
}

impl Local {
    /// Whether the breaker is older or newer than the version that is known here.
    fn order(&self, breaker: &PartialBreaker) -> Ordering {
        let version = breaker.metadata.resource_version.as_deref().unwrap_or_default();
        match (version.parse::<u64>(), self.resource_version.parse::<u64>()) {
            (Ok(version), Ok(known)) => version.cmp(&known),
            _ => Ordering::Equal,
        }
    }

    fn check_readable(&self, location: impl FnOnce() -> String) -> Result<(), ClusterError> {
        let Some(UnreadableStatus { why, .. }) = &self.unreadable else { return Ok(()) };
        let fix = "correct it, or delete status.record to start from scratch";
        Err(ClusterError::BadRecord { place: location(), source: format!("{why}; {fix}").into() })
    }

    /// The unreadable status as stored, with the present conditions that need no Record.
    fn unreadable_status(&mut self, now: Timestamp) -> Value {
        let mut status = self.unreadable.as_ref().map_or(Value::Null, |found| found.status.clone());
        let mut conditions = match status["conditions"].take() {
            Value::Array(conditions) => conditions,
            _ => Vec::new(),
        };
        for condition in self.model.conditions_without_record(now) {
            conditions.retain(|stored| stored["type"] != condition.kind);
            conditions.push(json!(condition));
        }
        status["conditions"] = conditions.into();
        status
    }
}

#[cfg(test)]
mod tests;
