//! Last words: the end of the log that a dead container wrote.
//!
//! The kubelet keeps the log of the current instance and of the one before. Which of the two the dead
//! instance is changes within milliseconds, so each line's stamp decides whether it belongs.

use breaker_core::ClusterError;
use breaker_core::cluster::{LogTail, LogTailRequest};
use futures::AsyncReadExt;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::LogParams;

use crate::KubeClient;
use crate::request::ApiRequest;

const TAIL_LINES: i64 = 80;
const MIN_TAIL_LINES: i64 = 5;

/// `limitBytes` would cut off the end, so reading stops here instead.
const MAX_READ: usize = 256 * 1024;

/// The kubelet's own limit for a termination message taken from the log.
const MAX_KEPT: usize = 2048;

/// A process is seen to end a little after its last line.
const TIMESTAMP_TOLERANCE: SignedDuration = SignedDuration::from_secs(1);

/// The kubelet says this with status 200.
const LOG_UNAVAILABLE: &str = "unable to retrieve container logs";

impl KubeClient {
    pub(crate) async fn last_words_of(&self, of: &LogTailRequest) -> Result<LogTail, ClusterError> {
        let previous = !of.current;
        let mut answered = false;
        for previous in [previous, !previous] {
            if let Some(log) = self.log(of, previous).await? {
                answered = true;
                let words = words(&log, of.death.started_at, of.death.finished_at);
                if !words.is_empty() {
                    return Ok(LogTail::Said(words));
                }
            }
        }
        Ok(if answered { LogTail::Said(String::new()) } else { LogTail::Gone })
    }

    /// The log's end; `None` when the kubelet does not have it.
    async fn log(&self, of: &LogTailRequest, previous: bool) -> Result<Option<Vec<u8>>, ClusterError> {
        let (log, whole) = match self.log_tail(of, previous, TAIL_LINES).await? {
            Some(tail) => tail,
            None => return Ok(None),
        };
        if whole {
            return Ok(Some(log));
        }
        Ok(self.log_tail(of, previous, MIN_TAIL_LINES).await?.map(|(log, _)| log))
    }

    /// At most [`MAX_READ`] bytes, and whether that was all.
    async fn log_tail(
        &self,
        of: &LogTailRequest,
        previous: bool,
        lines: i64,
    ) -> Result<Option<(Vec<u8>, bool)>, ClusterError> {
        let api: Api<Pod> = Api::namespaced(self.client.clone(), &of.namespace);
        let params = LogParams {
            container: Some(of.container.clone()),
            previous,
            tail_lines: Some(lines),
            timestamps: true,
            ..LogParams::default()
        };
        let step = ApiRequest {
            doing: format!("reading the log of {}/{}", of.pod, of.container),
            verb: "get",
            resource: "pods/log".into(),
            namespace: of.namespace.clone(),
            object: format!("the log of {}/{}", of.pod, of.container),
        };
        let reading = async {
            let stream = std::pin::pin!(api.log_stream(&of.pod, &params).await?);
            let mut log = Vec::new();
            let mut limited = stream.take(MAX_READ as u64);
            limited.read_to_end(&mut log).await.map_err(kube::Error::ReadEvents)?;
            Ok(log)
        };
        match step.attempt(reading).await {
            Ok(log) if log.starts_with(LOG_UNAVAILABLE.as_bytes()) => Ok(None),
            Ok(log) => {
                let whole = log.len() < MAX_READ;
                Ok(Some((log, whole)))
            }
            // 400: no such instance any more, or not yet.
            Err(ClusterError::NotFound(_)) => Ok(None),
            Err(ClusterError::Refused { source, .. }) if source.to_string().starts_with("400") => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The lines stamped within the instance's life, without their stamps, cut to the last [`MAX_KEPT`] bytes.
fn words(log: &[u8], started: Option<Timestamp>, finished: Option<Timestamp>) -> String {
    let text = String::from_utf8_lossy(log);
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        let Some((stamp, said)) = line.split_once(' ') else { continue };
        let Ok(at) = stamp.parse::<Timestamp>() else { continue };
        // A start is given in whole seconds, cut off: lines cannot come before it.
        let after_start = started.is_none_or(|started| at >= started);
        let before_end = finished.is_none_or(|finished| at <= finished + TIMESTAMP_TOLERANCE);
        if after_start && before_end {
            kept.push_str(said);
        }
    }
    let cut = kept.ceil_char_boundary(kept.len().saturating_sub(MAX_KEPT));
    kept.drain(..cut);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<Timestamp> {
        Some(text.parse().unwrap())
    }

    const LOG: &str = "\
2026-11-23T17:45:10.999999999Z the one before
2026-11-23T17:45:11.000000001Z start
2026-11-23T17:45:20.601550458Z curl: (28) Failed to connect
2026-11-23T17:45:21.500000000Z the successor
no stamp at all
";

    #[test]
    fn only_lines_of_its_own_life_are_its_words() {
        for (case, started, finished, want) in [
            (
                "its life",
                at("2026-11-23T17:45:11Z"),
                at("2026-11-23T17:45:20Z"),
                "start\ncurl: (28) Failed to connect\n",
            ),
            ("another's", at("2026-11-23T17:46:00Z"), at("2026-11-23T17:46:20Z"), ""),
            ("no times", None, None, "the one before\nstart\ncurl: (28) Failed to connect\nthe successor\n"),
        ] {
            assert_eq!(words(LOG.as_bytes(), started, finished), want, "{case}");
        }
    }

    #[test]
    fn the_end_is_kept_and_cut_between_characters() {
        let line = format!("2026-11-23T17:45:11.5Z {}end\n", "é".repeat(3000));
        let words = words(line.as_bytes(), None, None);
        assert!(words.len() <= MAX_KEPT && words.ends_with("éend\n"));
        assert!(!super::words(b"2026-11-23T17:45:11.5Z \xff\xfe end\n", None, None).is_empty());
    }
}
