//! The end of the log that a terminated container wrote.
//!
//! The kubelet keeps the log of the current instance of a container and of the previous one. Which
//! of the two terminated changes within milliseconds, so the timestamp of each line decides whether
//! it belongs to the instance.

use breaker_core::ClusterError;
use breaker_core::cluster::{LogTail, LogTailRequest};
use futures::AsyncReadExt;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::LogParams;

use crate::client::KubeClient;
use crate::request::{ApiRequest, is_status};

/// Lines that are requested first.
const TAIL_LINES: i64 = 80;

/// Lines that are requested when [`TAIL_LINES`] are more than [`MAX_READ`] bytes.
const MIN_TAIL_LINES: i64 = 5;

/// Bytes that are read of one answer. The API's `limitBytes` would cut off the end of the log.
const MAX_READ: usize = 256 * 1024;

/// Bytes that are kept, from the end: the kubelet's limit for a termination message from the log.
const MAX_KEPT: usize = 2048;

/// How long after its last line a process may be seen to terminate.
const TIMESTAMP_TOLERANCE: SignedDuration = SignedDuration::from_secs(1);

/// How the kubelet's answer begins, with status 200, when it does not have the log.
const LOG_UNAVAILABLE: &str = "unable to retrieve container logs";

/// The end of the log of a terminated instance, from the log where the instance is expected, else
/// from the other one.
pub(crate) async fn tail(kube: &KubeClient, of: &LogTailRequest) -> Result<LogTail, ClusterError> {
    let mut answered = false;
    for previous in [!of.current, of.current] {
        if let Some(log) = read(kube, of, previous).await? {
            answered = true;
            let text = lines_of_instance(&log, of.terminated.started_at, of.terminated.finished_at);
            if !text.is_empty() {
                return Ok(LogTail::Text(text));
            }
        }
    }
    Ok(if answered { LogTail::Text(String::new()) } else { LogTail::Gone })
}

/// The end of the log; `None` when the kubelet does not have it.
async fn read(
    kube: &KubeClient,
    of: &LogTailRequest,
    previous: bool,
) -> Result<Option<Vec<u8>>, ClusterError> {
    match read_lines(kube, of, previous, TAIL_LINES).await? {
        Some(log) if log.len() >= MAX_READ => read_lines(kube, of, previous, MIN_TAIL_LINES).await,
        log => Ok(log),
    }
}

/// At most [`MAX_READ`] bytes of the last `lines` lines.
async fn read_lines(
    kube: &KubeClient,
    of: &LogTailRequest,
    previous: bool,
    lines: i64,
) -> Result<Option<Vec<u8>>, ClusterError> {
    let api: Api<Pod> = Api::namespaced(kube.client.clone(), &of.namespace);
    let params = LogParams {
        container: Some(of.container.clone()),
        previous,
        tail_lines: Some(lines),
        timestamps: true,
        ..LogParams::default()
    };
    let request = ApiRequest {
        action: format!("reading the log of {}/{}", of.pod, of.container),
        verb: "get",
        resource: "pods/log".into(),
        namespace: of.namespace.clone(),
        object: format!("the log of {}/{}", of.pod, of.container),
    };
    let reading = async {
        let stream = match api.log_stream(&of.pod, &params).await {
            // There is no such instance any more, or not yet.
            Err(kube::Error::Api(status)) if is_status(&status) && status.code == 400 => return Ok(None),
            stream => stream?,
        };
        let stream = std::pin::pin!(stream);
        let mut log = Vec::new();
        let mut limited = stream.take(MAX_READ as u64);
        limited.read_to_end(&mut log).await.map_err(kube::Error::ReadEvents)?;
        Ok(Some(log))
    };
    match request.send(reading).await {
        Ok(Some(log)) if log.starts_with(LOG_UNAVAILABLE.as_bytes()) => Ok(None),
        Err(ClusterError::NotFound(_)) => Ok(None),
        answer => answer,
    }
}

/// The lines with a timestamp between start and end of the instance, without their timestamps, cut
/// to the last [`MAX_KEPT`] bytes.
fn lines_of_instance(log: &[u8], started: Option<Timestamp>, finished: Option<Timestamp>) -> String {
    let text = String::from_utf8_lossy(log);
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        let Some((timestamp, content)) = line.split_once(' ') else { continue };
        let Ok(at) = timestamp.parse::<Timestamp>() else { continue };
        // The start is in whole seconds, rounded down: no line of the instance comes before it.
        let after_start = started.is_none_or(|started| at >= started);
        let before_end = finished.is_none_or(|finished| at <= finished + TIMESTAMP_TOLERANCE);
        if after_start && before_end {
            kept.push_str(content);
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
without a timestamp
";

    #[test]
    fn only_the_lines_of_the_instance_are_kept() {
        for (case, started, finished, want) in [
            (
                "the instance",
                at("2026-11-23T17:45:11Z"),
                at("2026-11-23T17:45:20Z"),
                "start\ncurl: (28) Failed to connect\n",
            ),
            ("another instance", at("2026-11-23T17:46:00Z"), at("2026-11-23T17:46:20Z"), ""),
            ("no times", None, None, "the one before\nstart\ncurl: (28) Failed to connect\nthe successor\n"),
        ] {
            assert_eq!(lines_of_instance(LOG.as_bytes(), started, finished), want, "{case}");
        }
    }

    #[test]
    fn the_end_of_the_log_is_kept_and_cut_between_characters() {
        let line = format!("2026-11-23T17:45:11.5Z {}end\n", "é".repeat(3000));
        let text = lines_of_instance(line.as_bytes(), None, None);
        assert!(text.len() <= MAX_KEPT && text.ends_with("éend\n"));
        assert!(!lines_of_instance(b"2026-11-23T17:45:11.5Z \xff\xfe end\n", None, None).is_empty());
    }
}
