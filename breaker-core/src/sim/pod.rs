//! A pod of the world.

use jiff::{SignedDuration, Timestamp};

use super::health::Health;
use crate::pod::{ContainerReport, ContainerState, PodEvent, PodReport};

/// A field of a pod that a client cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// `restartCount` of the container: the whole container is left out.
    RestartCount,
    /// `lastState` of the container.
    LastState,
    /// `state.running.startedAt` of the container.
    StartedAt,
    /// `metadata.creationTimestamp`.
    Created,
}

/// One pod of the world, with its one container.
#[derive(Debug, Clone)]
pub(super) struct Pod {
    /// As it is.
    pub(super) report: PodReport,
    /// The selector that its labels match.
    pub(super) selector: String,
    /// Its own health, when it differs from the others'.
    pub(super) health: Option<Health>,
    pub(super) number: u32,
    pub(super) instance: u32,
    pub(super) backoff: SignedDuration,
    pub(super) started_at: Timestamp,
    pub(super) log: Vec<(u32, String)>,
    pub(super) events: Vec<PodEvent>,
    pub(super) oddity: Option<Oddity>,
}

impl Pod {
    /// The first back-off of the kubelet.
    pub(super) const BACKOFF: SignedDuration = SignedDuration::from_secs(10);

    pub(super) fn container(&mut self) -> &mut ContainerReport {
        &mut self.report.containers[0]
    }

    pub(super) fn runs(&self) -> bool {
        matches!(self.report.containers[0].state, ContainerState::Running { .. })
    }

    /// As a client decodes it.
    pub(super) fn shown(&self) -> PodReport {
        let mut report = self.report.clone();
        let Some(oddity) = self.oddity else { return report };
        let container = "status.containerStatuses[0]";
        let odd = match oddity {
            Oddity::RestartCount => {
                report.containers.clear();
                format!("{container}.restartCount is -1")
            }
            Oddity::LastState => {
                report.containers[0].last = None;
                format!("{container}.lastState is \"x\"")
            }
            Oddity::StartedAt => {
                if let ContainerState::Running { started_at } = &mut report.containers[0].state {
                    *started_at = None;
                }
                format!("{container}.state.running.startedAt is 7")
            }
            Oddity::Created => {
                report.created = Timestamp::default();
                "metadata.creationTimestamp is true".into()
            }
        };
        report.odd.push(odd);
        report
    }
}

/// Twelve hexadecimal digits: pod and instance.
pub(super) fn container_id(pod: u32, instance: u32) -> String {
    format!("containerd://{pod:06x}{instance:06x}")
}

/// The instance that [`container_id`] names.
pub(super) fn instance_of(container_id: &str) -> Option<u32> {
    u32::from_str_radix(container_id.get("containerd://".len() + 6..)?, 16).ok()
}
