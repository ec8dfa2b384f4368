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
const TAIL_LINES: i64 = 500;

/// Lines that are requested next when these are more than [`MAX_READ`] bytes.
const FEWER_TAIL_LINES: [i64; 3] = [50, 5, 1];

/// Bytes that are read of one answer. The API's `limitBytes` would cut off the end of the log.
const MAX_READ: usize = 256 * 1024;

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
    let mut log = read_lines(kube, of, previous, TAIL_LINES).await?;
    for lines in FEWER_TAIL_LINES {
        // What was read of a longer answer is its beginning, not the end of the log.
        if log.as_ref().is_none_or(|log| log.len() < MAX_READ) {
            break;
        }
        log = read_lines(kube, of, previous, lines).await?;
    }
    Ok(log)
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

/// The lines with a timestamp between start and end of the instance, without their timestamps.
fn lines_of_instance(log: &[u8], started: Option<Timestamp>, finished: Option<Timestamp>) -> String {
    let text = String::from_utf8_lossy(log);
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        let Some((timestamp, content)) = line.split_once(' ') else { continue };
        let Ok(at) = timestamp.parse::<Timestamp>() else { continue };
        // The start is in whole seconds, rounded down: no line of the instance comes before it.
        let after_start = started.is_none_or(|started| at >= started);
        let before_end = finished.is_none_or(|finished| at.duration_since(finished) <= TIMESTAMP_TOLERANCE);
        if after_start && before_end {
            kept.push_str(content);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_server::TestServer;

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
    fn a_line_that_is_not_utf_8_is_kept() {
        assert!(!lines_of_instance(b"2026-11-23T17:45:11.5Z \xff\xfe end\n", None, None).is_empty());
    }

    fn request() -> LogTailRequest {
        LogTailRequest {
            namespace: "sre".into(),
            pod: "swype-app-abc-1".into(),
            node: "node-a".into(),
            container: "swype".into(),
            terminated: breaker_core::pod::Terminated::default(),
            current: true,
        }
    }

    /// The kubelet sends the lines that were asked for, and the beginning of a longer answer is not
    /// the end of the log.
    #[tokio::test]
    async fn the_end_of_a_log_is_read_however_long_its_lines_are() {
        for (line_len, read) in [(200, 500), (2_000, 50), (20_000, 5), (200_000, 1)] {
            let server = TestServer::new(move |request, _| {
                let asked = request.path.split(['?', '&']).find_map(|part| part.strip_prefix("tailLines="));
                let asked: usize = asked.expect("a number of lines").parse().expect("a number");
                let line = |n| format!("2026-11-23T17:45:11.5Z {n} {}\n", "x".repeat(line_len));
                (200, (1000 - asked..1000).map(line).collect())
            });
            let Ok(LogTail::Text(text)) = tail(&server.kube(), &request()).await else { panic!("no log") };
            let first = text.lines().next().and_then(|line| line.split(' ').next());
            let expected = (1000 - read).to_string();
            assert_eq!(first, Some(expected.as_str()), "{line_len} bytes a line");
            assert!(text.lines().next_back().is_some_and(|line| line.starts_with("999 ")));
        }
    }
}
