//! Changes of the workload and of its Record.

use jiff::SignedDuration;

use super::health::Health;
use super::journal::ChangeKind;
use super::storage::{Backup, RecordSlot, Storage};
use super::world::{Sent, World};
use crate::cluster::{PodWatchEvent, Scale, StoredRecord};
use crate::{ClusterError, Record};

impl World {
    /// `spec.replicas` of the workload.
    pub fn replicas(&self) -> u32 {
        self.storage.replicas
    }

    /// Every scale written by the client, in order.
    pub fn scales_written(&self) -> &[u32] {
        &self.scales_written
    }

    /// The stored Record, if there is one that can be read.
    pub fn record(&self) -> Option<&Record> {
        self.storage.record()
    }

    /// Scales the workload, as another client.
    pub fn scale_by_hand(&mut self, replicas: u32, manager: &str) {
        self.note(ChangeKind::ScaledByOther(replicas), self.sent_now());
        self.scaled(replicas, manager);
    }

    /// Starts a roll-out: new pods have another revision and this health; the old pods stay.
    pub fn roll_out(&mut self, revision: &str, pods: u32, health: Health) {
        for pod in self.pods.values_mut() {
            pod.health.get_or_insert(self.health.clone());
        }
        self.revision = revision.into();
        self.health = health;
        for _ in 0..pods {
            self.create_pod();
        }
    }

    /// Changes the selector of the workload. Its pods get the labels that match it.
    pub fn set_selector(&mut self, selector: &str) {
        let before = std::mem::replace(&mut self.storage.selector, selector.into());
        self.storage.version += 1;
        let pods: Vec<_> = self.pods.values_mut().filter(|pod| pod.selector == before).collect();
        let mut changed = Vec::new();
        for pod in pods {
            pod.selector = selector.into();
            changed.push((pod.report.uid.clone(), pod.shown()));
        }
        for (uid, shown) in changed {
            // A watch shows a pod that no longer matches its selector as deleted.
            self.watches.send(&before, PodWatchEvent::Deleted(uid));
            self.watches.send(selector, PodWatchEvent::Applied(shown));
        }
    }

    /// Deletes the workload with all its pods; `Some` uid creates a namesake at once.
    pub fn delete_target(&mut self, namesake: Option<&str>) {
        let replicas = self.storage.replicas;
        let selector = self.storage.selector.clone();
        self.replace_target(namesake.unwrap_or_default(), replicas, &selector);
    }

    /// Deletes the workload with all its pods and creates a namesake with this selector.
    pub fn replace_target(&mut self, uid: &str, replicas: u32, selector: &str) {
        self.note(ChangeKind::Replaced, self.sent_now());
        self.remove_all();
        let storage = &mut self.storage;
        (storage.uid, storage.replicas, storage.selector) = (uid.into(), replicas, selector.into());
        storage.version += 1;
        if self.exists() {
            self.reconcile();
        }
    }

    /// Damages the stored Record: it cannot be parsed. Without a Record nothing happens.
    pub fn damage_record(&mut self) {
        self.touch_record(|slot| slot.damaged = true);
    }

    /// Mends the stored Record: it is as before it was damaged.
    pub fn mend_record(&mut self) {
        if self.storage.record.as_ref().is_some_and(|slot| slot.damaged) {
            self.touch_record(|slot| slot.damaged = false);
        }
    }

    fn touch_record(&mut self, touch: impl FnOnce(&mut RecordSlot)) {
        self.note(ChangeKind::RecordTouched, self.sent_now());
        if let Some(slot) = &mut self.storage.record {
            touch(slot);
            slot.version += 1;
        }
    }

    /// A backup of what the cluster stores: the workload, its pods and its Record.
    pub fn backup(&self) -> Backup {
        Backup { storage: self.storage.clone(), pods: self.pods.values().cloned().collect() }
    }

    /// Restores a backup: the storage goes back in time, versions fall, and the watches start
    /// again. Containers that ran when the backup was taken run again.
    ///
    /// ```
    /// use breaker_core::sim::Sim;
    /// use breaker_core::{ClusterClient, WorkloadRef};
    ///
    /// let sim = Sim::new(WorkloadRef::deployment("sre", "swype-app"), 1);
    /// let backup = sim.with(|world| world.backup());
    /// sim.with(|world| world.scale_by_hand(5, "kubectl"));
    /// sim.with(|world| world.restore(&backup));
    /// let scale = sim.run(sim.read_scale(sim.target())).unwrap().unwrap();
    /// assert_eq!((scale.replicas, scale.resource_version.as_str()), (1, "1"));
    /// ```
    pub fn restore(&mut self, backup: &Backup) {
        self.note(ChangeKind::WentBack, self.sent_now());
        self.break_watch(SignedDuration::from_secs(1));
        self.storage = backup.storage.clone();
        self.restore_pods(&backup.pods);
    }

    pub(super) fn exists(&self) -> bool {
        !self.storage.uid.is_empty()
    }

    pub(super) fn scale(&self) -> Result<Scale, ClusterError> {
        if !self.exists() {
            return Err(ClusterError::NotFound(self.target().to_string()));
        }
        let Storage { uid, version, replicas, selector, .. } = &self.storage;
        Ok(Scale {
            uid: uid.clone(),
            resource_version: version.to_string(),
            replicas: *replicas,
            selector: selector.clone(),
        })
    }

    pub(super) fn write_scale(
        &mut self,
        seen: &Scale,
        replicas: u32,
        sent: Sent,
    ) -> Result<Scale, ClusterError> {
        if self.scale()?.resource_version != seen.resource_version {
            return Err(ClusterError::Conflict(self.target().to_string()));
        }
        self.note(ChangeKind::Scaled(replicas), sent);
        self.scales_written.push(replicas);
        self.scaled(replicas, "bigredbutton");
        self.scale()
    }

    fn scaled(&mut self, replicas: u32, manager: &str) {
        self.storage.manager = manager.into();
        self.storage.replicas = replicas;
        self.storage.version += 1;
        self.reconcile();
    }

    pub(super) fn load_record(&mut self) -> Result<Option<StoredRecord>, ClusterError> {
        let Some(slot) = self.storage.record.clone() else { return Ok(None) };
        if slot.damaged {
            self.note(ChangeKind::FoundDamaged, self.sent_now());
            let place = format!("the record of {}", self.target());
            return Err(ClusterError::BadRecord {
                place,
                source: "expected value at line 1 column 2".into(),
            });
        }
        Ok(Some(StoredRecord { record: slot.record, version: slot.version.to_string() }))
    }

    pub(super) fn save_record(
        &mut self,
        record: Record,
        over: Option<&str>,
        sent: Sent,
    ) -> Result<String, ClusterError> {
        let stored = self.storage.record.as_ref().map(|slot| slot.version);
        if stored.map(|version| version.to_string()).as_deref() != over {
            return Err(ClusterError::Conflict(format!("the record of {}", self.target())));
        }
        let version = stored.unwrap_or(0) + 1;
        self.note(ChangeKind::Recorded(Box::new(record.clone())), sent);
        self.storage.record = Some(RecordSlot { record, version, damaged: false });
        Ok(version.to_string())
    }
}
