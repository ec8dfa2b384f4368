//! [`EvidenceLanes`]: how many reads of logs and Events of a fleet run at the same time.
//!
//! ```text
//! log read ──▶ lane of the node ──▶ lane of the breaker ──▶ permit of the fleet ──▶ API server
//!                 until the end        for at most SLOW_AFTER
//! ```
//!
//! A kubelet that does not answer holds its own lane. After [`SLOW_AFTER`] its reads no longer
//! count for the breaker and the fleet, so the reads of other nodes go on.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

/// Reads that may run at the same time, for the whole fleet, without the slow ones.
const MAX_CONCURRENT_READS: usize = 16;

/// Log reads from one node at the same time.
const MAX_READS_PER_NODE: usize = 4;

/// Log reads of one breaker at the same time, without the slow ones.
const MAX_READS_PER_BREAKER: usize = 2;

/// From this age on a log read is slow. A kubelet answers within milliseconds.
const SLOW_AFTER: Duration = Duration::from_millis(500);

pub(crate) struct EvidenceLanes {
    fleet: Semaphore,
    /// The lanes of the nodes that are being read.
    nodes: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// The lane of one breaker.
pub(crate) struct BreakerLane(Semaphore);

impl Default for BreakerLane {
    fn default() -> Self {
        Self(Semaphore::new(MAX_READS_PER_BREAKER))
    }
}

impl Default for EvidenceLanes {
    fn default() -> Self {
        Self { fleet: Semaphore::new(MAX_CONCURRENT_READS), nodes: Mutex::default() }
    }
}

impl EvidenceLanes {
    /// A permit for a request that the API server answers by itself.
    pub(crate) async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        self.fleet.acquire().await.ok()
    }

    /// Runs `read`, which the kubelet of `node` answers.
    pub(crate) async fn log<T>(&self, breaker: &BreakerLane, node: &str, read: impl Future<Output = T>) -> T {
        let _lane = self.node(node).await;
        let fast = (breaker.0.acquire().await.ok(), self.permit().await);
        let mut read = pin!(read);
        if let Ok(answer) = tokio::time::timeout(SLOW_AFTER, &mut read).await {
            return answer;
        }
        drop(fast);
        read.await
    }

    async fn node(&self, node: &str) -> NodeLane<'_> {
        let lane = {
            let mut nodes = self.nodes.lock();
            let lane = nodes.entry(node.to_owned());
            Arc::clone(lane.or_insert_with(|| Arc::new(Semaphore::new(MAX_READS_PER_NODE))))
        };
        let mut held = NodeLane { lanes: self, node: node.to_owned(), permit: None };
        held.permit = lane.acquire_owned().await.ok();
        held
    }
}

/// A place in the lane of a node, or the wait for one.
struct NodeLane<'a> {
    lanes: &'a EvidenceLanes,
    node: String,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for NodeLane<'_> {
    fn drop(&mut self) {
        self.permit = None;
        let mut nodes = self.lanes.nodes.lock();
        if nodes.get(&self.node).is_some_and(|lane| Arc::strong_count(lane) == 1) {
            nodes.remove(&self.node);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use futures::future::join_all;

    use super::*;

    #[tokio::test]
    async fn reads_from_nodes_that_do_not_answer_delay_no_read_from_another_node() {
        let lanes = EvidenceLanes::default();
        let slow: Vec<_> = (0..30).map(|_| BreakerLane::default()).collect();
        // Thirty breakers with two pods each, on six nodes whose kubelets do not answer.
        let stuck = (0..60).map(|n| {
            let lanes = &lanes;
            let breaker = &slow[n / 2];
            async move { lanes.log(breaker, &format!("dead-{}", n % 6), pending::<()>()).await }
        });
        let healthy = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let breakers = std::array::from_fn::<_, 4, _>(|_| BreakerLane::default());
            join_all(breakers.iter().map(|breaker| lanes.log(breaker, "alive", async { 7 }))).await
        };
        tokio::select! {
            _ = join_all(stuck) => unreachable!("a dead kubelet does not answer"),
            answers = tokio::time::timeout(Duration::from_secs(3), healthy) => {
                assert_eq!(answers.expect("the evidence comes in time"), [7; 4]);
            }
        }
        assert!(lanes.nodes.lock().is_empty(), "a lane stays after its reads");
        assert_eq!(lanes.fleet.available_permits(), MAX_CONCURRENT_READS);
    }

    #[tokio::test]
    async fn a_slow_node_does_not_delay_the_other_pods_of_its_breaker() {
        let (lanes, breaker) = (EvidenceLanes::default(), BreakerLane::default());
        let stuck = join_all((0..10).map(|_| lanes.log(&breaker, "dead", pending::<()>())));
        let healthy = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            lanes.log(&breaker, "alive", async { 7 }).await
        };
        tokio::select! {
            _ = stuck => unreachable!("a dead kubelet does not answer"),
            answer = tokio::time::timeout(Duration::from_secs(3), healthy) => assert_eq!(answer, Ok(7)),
        }
    }
}
