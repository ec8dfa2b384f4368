//! `watcher explain` on what people have: descriptions, objects, events and logs, as kubectl and
//! docker print them.

mod binary;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use binary::text;
use serde_json::Value;

fn capture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures").join(name)
}

fn explain(input: &[u8]) -> Output {
    binary::explain(&["-", "-o", "jsonl"], input)
}

/// The id of each answer, its cause with its kind, and its peer.
fn answers(output: &Output) -> Vec<(String, String, String)> {
    let of = |line: &str| {
        let answer: Value = serde_json::from_str(line).expect("an object a line");
        let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
        let cause = match text("kind") {
            kind if kind.is_empty() => text("cause"),
            kind => format!("{}:{kind}", text("cause")),
        };
        (text("id"), cause, text("peer"))
    };
    text(&output.stdout).lines().map(of).collect()
}

#[test]
fn each_ended_container_of_a_capture_has_one_answer() {
    for (name, want) in [
        (
            "describe-pod.txt",
            &[
                ("sre/swype-app-6d4f9c7b5-x2x9q/migrate exit 0 at 2026-11-29T08:20:13Z", "completed", ""),
                (
                    "sre/swype-app-6d4f9c7b5-x2x9q/swype exit 2 at 2026-11-29T08:24:03Z",
                    "network:refused",
                    "swype-gateway.pay:443",
                ),
            ][..],
        ),
        (
            "describe-pods.txt",
            &[
                ("shop/probed-7d8f9c6b5-q2w4r/app exit 1 at 2026-11-29T08:10:03Z", "probe", ""),
                ("shop/puller-5b6c7d8f9-z7x5c/app", "image", ""),
                ("shop/worker-6f7d8c9b5-k4l2m", "eviction", ""),
            ],
        ),
        (
            "pod.json",
            &[
                (
                    "sre/swype-app-6d4f9c7b5-x2x9q/swype exit 1 at 2026-11-29T08:23:11Z",
                    "network:dns",
                    "swype-gateway.pay",
                ),
                ("sre/swype-app-6d4f9c7b5-x2x9q/swype exit 137 at 2026-11-29T08:24:03Z", "oom", ""),
            ],
        ),
        (
            "pods.yaml",
            &[
                ("sre/ledger-0/db exit 1 at 2026-11-29T08:24:03Z", "network:timeout", "db.pay:5432"),
                ("sre/api-5d6f7c8b9-h2j4k/api", "config", ""),
                ("sre/api-5d6f7c8b9-h2j4k/proxy", "unknown", ""),
            ],
        ),
        (
            "events.txt",
            &[
                ("sre/api-5d6f7c8b9-h2j4k", "network:sandbox", ""),
                ("sre/probed-7d8f9c6b5-q2w4r", "probe", ""),
                ("sre/worker-6f7d8c9b5-k4l2m", "storage", ""),
            ],
        ),
        ("events.json", &[("shop/puller-5b6c7d8f9-z7x5c", "image", "")]),
        (
            "docker-inspect.json",
            &[
                ("cache exit 137 at 2026-11-29T08:24:03Z", "oom", ""),
                ("api exit 127", "config", ""),
                ("migrate exit 0 at 2026-11-29T08:21:00Z", "completed", ""),
                ("lost", "unknown", ""),
            ],
        ),
        (
            "prefixed.log",
            &[
                ("swype-app-6d4f9c7b5-x2x9q/swype", "network:refused", "swype-gateway.pay:443"),
                ("ledger-0/db", "storage", ""),
            ],
        ),
        (
            "stern.log",
            &[
                ("swype-app-6d4f9c7b5-x2x9q/swype", "network:refused", "10.96.0.12:443"),
                ("swype-app-6d4f9c7b5-m4n6p/swype", "application", ""),
            ],
        ),
    ] {
        let read = std::fs::read(capture(name)).expect("a capture");
        // As a file, through a pipe, and with the line ends of Windows.
        let windows = String::from_utf8_lossy(&read).replace('\n', "\r\n");
        let path = capture(name);
        let file = binary::start_explain(&[path.to_str().expect("a path"), "-o", "jsonl"])
            .wait_with_output()
            .expect("it ends");
        for output in [file, explain(&read), explain(windows.as_bytes())] {
            assert!(output.status.success(), "{name}: {}", text(&output.stderr));
            let want: Vec<_> = want
                .iter()
                .map(|(id, cause, peer)| (id.to_string(), cause.to_string(), peer.to_string()))
                .collect();
            assert_eq!(answers(&output), want, "{name}");
        }
    }
}

/// Words of a status, an annotation or an environment variable are not those of a process.
#[test]
fn fields_of_a_status_are_never_read_as_a_log() {
    let described = "\
Name:         a-6d4f9c7b5-x2x9q
Namespace:    sre
Annotations:  note: panic: dial tcp 10.0.0.1:443: connect: connection refused
Containers:
  app:
    State:          Waiting
      Reason:       CrashLoopBackOff
      Message:      dial tcp 10.0.0.1:443: connect: connection refused
    Last State:     Terminated
      Reason:       Error
      Exit Code:    1
    Environment:
      HINT:  FATAL: dial tcp 10.0.0.1:443: connect: connection refused
Events:
  Type     Reason   Age  From     Message
  ----     ------   ---  ----     -------
  Warning  BackOff  1s   kubelet  dial tcp 10.0.0.1:443: connect: connection refused
";
    let json = serde_json::json!({
        "kind": "Pod",
        "metadata": {"name": "a", "annotations": {"note": "connection refused"}},
        "status": {
            "message": "dial tcp 10.0.0.1:443: connect: connection refused",
            "containerStatuses": [{"name": "app", "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}}],
        },
    });
    for input in [described.to_owned(), json.to_string(), serde_json::to_string_pretty(&json).expect("JSON")]
    {
        let answers = answers(&explain(input.as_bytes()));
        assert!(matches!(&answers[..], [(_, cause, _)] if cause == "unknown"), "{answers:?}");
    }
}

/// Parts of a description, of a status and of a table, as people cut them out.
#[test]
fn a_part_of_a_capture_is_explained_by_its_fields() {
    let described = "  swype:
    Container ID:   containerd://b2
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       Error
      Message:      dial tcp 10.0.0.1:443: connect: connection refused
      Exit Code:    1
    Ready:          False
    Environment:
      HINT:  FATAL: out of memory
";
    let state = "terminated:\n  exitCode: 137\n  reason: OOMKilled\n  containerID: containerd://b2\n";
    let nested = |key: &str| format!("{key}:\n  {}", state.replace('\n', "\n  "));
    let terminated = r#"{"containerID":"containerd://b2","exitCode":137,"reason":"OOMKilled","finishedAt":"2026-11-29T08:24:03Z"}"#;
    let state_json = format!(r#"{{"terminated":{terminated}}}"#);
    let status =
        format!(r#"{{"name":"swype","restartCount":4,"lastState":{state_json},"state":{{"running":{{}}}}}}"#);
    let pretty = |json: &str| {
        serde_json::to_string_pretty(&serde_json::from_str::<Value>(json).expect("JSON")).expect("JSON")
    };
    let inspected = r#"{"status":{"id":"b2","metadata":{"attempt":3,"name":"swype"},"state":"CONTAINER_EXITED",
        "exitCode":137,"reason":"OOMKilled","message":"","finishedAt":"2026-11-29T08:24:03.5Z",
        "labels":{"io.kubernetes.container.name":"swype","io.kubernetes.pod.name":"a-1","io.kubernetes.pod.namespace":"sre"}}}"#;
    let restarting = r#"[{"Id":"b2","Name":"/swype","RestartCount":7,"State":{"Status":"restarting","Running":true,
        "Restarting":true,"OOMKilled":false,"ExitCode":0,"Error":"","FinishedAt":"2026-11-29T08:24:03.5Z"}}]"#;
    let events = "5m12s       Normal    Pulled      pod/a-1   Container image is present\n\
        2s (x4 over 1m)   Warning   FailedCreatePodSandBox   pod/b-1   Failed to create pod sandbox: network: dial unix\n\
        3m          Normal    Killing     pod/a-1   Container app failed liveness probe, will be restarted\n";
    let pods = "NAME     READY   STATUS             RESTARTS      AGE\n\
        a-1      0/1     OOMKilled          3 (2m ago)    5h\n\
        b-1      0/1     CrashLoopBackOff   7 (2m ago)    5h\n\
        c-1      0/1     ImagePullBackOff   0             5h\n\
        d-1      1/1     Running            0             5h\n\
        e-1      0/1     Evicted            0             5h\n";
    let at = " at 2026-11-29T08:24:03Z";
    let oom = |id: &str| vec![(format!("{id} exit 137"), "oom")];
    let refused = |id: &str| vec![(format!("{id} exit 1"), "network:refused")];
    let flat: String = described.lines().skip(2).map(|line| format!("{}\n", line.trim_start())).collect();
    let cut = |from: &str| described[described.find(from).expect("it has this")..].to_owned();
    for (input, want) in [
        (described.to_owned(), refused("swype")),
        (format!("Containers:\n{described}"), refused("swype")),
        (cut("    Last State:"), refused("container")),
        (cut("Last State:"), refused("container")),
        (flat, refused("container")),
        (state.to_owned(), oom("container")),
        (nested("state"), oom("container")),
        (nested("lastState"), oom("container")),
        (format!("    {}", nested("lastState").replace('\n', "\n    ")), oom("container")),
        (
            format!(
                "# pods of Sunday\n# the second one\nstatus:\n  containerStatuses:\n  - name: swype\n    {}",
                nested("state").replace('\n', "\n    ")
            ),
            oom("swype"),
        ),
        (
            format!(
                "- containerID: containerd://b2\n  name: swype\n  {}",
                nested("lastState").replace('\n', "\n  ")
            ),
            oom("swype"),
        ),
        (terminated.to_owned(), vec![(format!("container exit 137{at}"), "oom")]),
        (pretty(terminated), vec![(format!("container exit 137{at}"), "oom")]),
        (state_json.clone(), vec![(format!("container exit 137{at}"), "oom")]),
        (format!("{state_json} {state_json}"), vec![(format!("container exit 137{at}"), "oom"); 2]),
        (pretty(&state_json), vec![(format!("container exit 137{at}"), "oom")]),
        (status.clone(), vec![(format!("swype exit 137{at}"), "oom")]),
        (pretty(&status), vec![(format!("swype exit 137{at}"), "oom")]),
        (format!("[{status},{status}]"), vec![(format!("swype exit 137{at}"), "oom"); 2]),
        (
            format!(r#"{{"phase":"Running","containerStatuses":[{status}]}}"#),
            vec![(format!("swype exit 137{at}"), "oom")],
        ),
        (inspected.to_owned(), vec![(format!("sre/a-1/swype exit 137{at}"), "oom")]),
        (restarting.to_owned(), vec![(format!("swype exit 0{at}"), "completed")]),
        (events.to_owned(), vec![("a-1".to_owned(), "probe"), ("b-1".to_owned(), "network:sandbox")]),
        (
            pods.to_owned(),
            vec![
                ("a-1".to_owned(), "oom"),
                ("b-1".to_owned(), "unknown"),
                ("c-1".to_owned(), "image"),
                ("e-1".to_owned(), "eviction"),
            ],
        ),
    ] {
        let output = explain(input.as_bytes());
        let found: Vec<_> = answers(&output).into_iter().map(|(id, cause, _)| (id, cause)).collect();
        let want: Vec<_> = want.into_iter().map(|(id, cause)| (id, cause.to_owned())).collect();
        assert_eq!(found, want, "{input}\n{}", text(&output.stderr));
    }
}

/// Records and sentences that begin like a part of a capture.
#[test]
fn a_log_that_begins_like_a_part_of_a_capture_is_a_log() {
    let refused = "FATAL dial tcp 10.0.0.1:443: connect: connection refused\n";
    for first in [
        "State: Terminated unexpectedly\n",
        "status: 3 of 4 are up\n",
        "# starting\n",
        "spec: v2\n",
        "{\"state\": {\"running\": 3}, \"level\": \"info\"}\n",
        "{\"exitCode\": 1, \"msg\": \"child ended\"}\n",
        "5m  Warning  pool  a  is slow\n",
        "NAME   READY\n",
    ] {
        let output = explain(format!("{first}{refused}").as_bytes());
        let want = ("log".to_owned(), "network:refused".to_owned(), "10.0.0.1:443".to_owned());
        assert_eq!(answers(&output), [want], "{first}{}", text(&output.stderr));
    }
}

/// An evicted pod keeps the statuses of its containers, which the kubelet killed.
#[test]
fn the_containers_of_an_evicted_pod_were_evicted_unless_they_say_why_they_ended() {
    let ended = |name: &str, exit_code: i32, reason: &str, message: &str| serde_json::json!({"name": name, "state": {"terminated": {"exitCode": exit_code, "reason": reason, "message": message}}});
    let pod = serde_json::json!({
        "kind": "Pod",
        "metadata": {"name": "a-1", "namespace": "sre"},
        "status": {
            "phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory.",
            "containerStatuses": [
                ended("killed", 137, "Error", ""),
                ended("stopped", 143, "Error", ""),
                ended("lost", 137, "ContainerStatusUnknown", "The container could not be located when the pod was terminated"),
                ended("big", 137, "OOMKilled", ""),
                ended("done", 0, "Completed", ""),
            ],
        },
    });
    let causes: Vec<_> = answers(&explain(pod.to_string().as_bytes()))
        .into_iter()
        .map(|(id, cause, _)| (id.replace("sre/a-1/", ""), cause))
        .collect();
    let want = [
        ("killed exit 137", "eviction"),
        ("stopped exit 143", "eviction"),
        ("lost exit 137", "eviction"),
        ("big exit 137", "oom"),
        ("done exit 0", "completed"),
    ]
    .map(|(id, cause)| (id.to_owned(), cause.to_owned()));
    assert_eq!(causes, want);
}

#[test]
fn a_name_in_a_capture_cannot_change_how_the_answer_is_shown() {
    let state = r#"{"Status": "exited", "Running": false, "ExitCode": 1}"#;
    let input = format!("[{{\"Id\": \"b2\", \"Name\": \"/a\\u202e\\u001b[31m\\nb\", \"State\": {state}}}]");
    let output = explain(input.as_bytes());
    assert_eq!(answers(&output)[0].0, "a [31m b exit 1");
}

#[test]
fn yaml_of_fifteen_megabytes_is_read() {
    let pods = std::fs::read_to_string(capture("pods.yaml")).expect("a capture");
    let (head, items) = pods.split_once("items:\n").expect("a list");
    let field = "      f:status: {f:conditions: {'k:{\"type\":\"Ready\"}': {f:type: {}, f:status: {}}}}\n";
    let idle: String = (0..)
        .map(|n| format!("- kind: Pod\n  metadata:\n    name: idle-{n}\n    managedFields:\n    -\n{field}"))
        .take(15_000_000 / (field.len() + 70))
        .collect();
    let output = explain(format!("{head}items:\n{idle}{items}").as_bytes());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout).lines().count(), 3);
}

#[test]
fn an_object_that_is_cut_off_or_is_of_another_kind_is_not_taken_for_a_log() {
    let deployment =
        r#"{"kind": "Deployment", "metadata": {"name": "a"}, "status": {"message": "connection refused"}}"#;
    let service = "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n";
    let no_items = "{\n  \"items\": [],\n  \"kind\": \"List\"\n}\n";
    for input in [deployment.replace(": {", ":\n {"), service.into(), no_items.into()] {
        let output = explain(input.as_bytes());
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
        assert!(text(&output.stderr).contains("standard input holds no pod"), "{}", text(&output.stderr));
    }
    let read = |name: &str| std::fs::read_to_string(capture(name)).expect("a capture");
    let one_line = serde_json::from_str::<Value>(&read("pod.json")).expect("JSON").to_string();
    for (whole, cut_at) in [
        (read("pod.json"), "\"namespace\""),
        (read("pod.json"), "\"finishedAt\""),
        (one_line, "\"finishedAt\""),
        (read("events.json"), "\"kind\": \"Event\""),
        (read("docker-inspect.json"), "\"ExitCode\""),
    ] {
        let (input, _) = whole.split_once(cut_at).expect("the capture has it");
        let output = explain(input.as_bytes());
        let stderr = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{cut_at}: {stderr}");
        assert!(stderr.contains("standard input holds no pod"), "{cut_at}: {stderr}");
        let place = format!("line {} column", input.lines().count());
        let warning = stderr.lines().find(|line| line.contains("is not valid JSON to its end: EOF"));
        assert!(warning.is_some_and(|warning| warning.contains(&place)), "{cut_at}: {stderr}");
    }
    let pods = read("pod.json");
    let running = pods.replace("\"terminated\"", "\"running\"");
    let output = binary::start_explain(&["-"]);
    let mut output = output;
    output.stdin.take().expect("a pipe").write_all(running.as_bytes()).expect("it reads");
    let output = output.wait_with_output().expect("it ends");
    assert_eq!(text(&output.stdout), "no container in standard input has terminated\n");
}

#[test]
fn what_stands_before_the_cut_is_explained_with_a_warning() {
    let whole = std::fs::read_to_string(capture("docker-inspect.json")).expect("a capture");
    let at = whole.match_indices("\"ExitCode\"").nth(1).expect("a second container").0;
    let output = explain(&whole.as_bytes()[..at]);
    let causes: Vec<_> =
        answers(&output).into_iter().map(|(id, cause, _)| format!("{id}: {cause}")).collect();
    assert_eq!(causes, ["cache exit 137 at 2026-11-29T08:24:03Z: oom"]);
    let stderr = text(&output.stderr);
    assert!(output.status.success() && stderr.contains("not valid JSON to its end: EOF"), "{stderr}");
}

#[test]
fn a_log_that_begins_like_a_prefixed_one_is_a_log() {
    for log in [
        "worker-3 failed to connect to db:5432: connection refused\n",
        "worker-3 began\nworker-4 failed to connect to db:5432: connection refused\n",
        "thread-1 | ERROR connect to db:5432: connection refused\n",
    ] {
        let want = ("log".to_owned(), "network:refused".to_owned(), "db:5432".to_owned());
        assert_eq!(answers(&explain(log.as_bytes())), [want], "{log}");
    }
}

#[test]
fn a_log_that_begins_like_json_is_a_log() {
    for (log, cause) in [
        ("{\n  code: 'ECONNREFUSED',\n}\nError: connect ECONNREFUSED 10.96.0.7:443\n", "network:refused"),
        (
            "[main] INFO up\n[main] FATAL dial tcp 10.96.0.7:443: connect: connection refused\n",
            "network:refused",
        ),
        (
            "{\"level\":\"info\",\"msg\":\"up\"}\n{\"level\":\"fatal\",\"msg\":\"dial tcp 10.96.0.7:443: connect: connection refused\"}\n",
            "network:refused",
        ),
        (
            "{\n  \"level\": \"fatal\",\n  \"msg\": \"dial tcp 10.96.0.7:443: connect: connection refused\"\n}\n",
            "network:refused",
        ),
    ] {
        let answers = answers(&explain(log.as_bytes()));
        assert!(matches!(&answers[..], [(id, got, _)] if id == "log" && got == cause), "{log}: {answers:?}");
    }
}

/// The highest memory of a process so far, in MiB.
fn peak_memory(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("its status");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("its peak");
    line.split_whitespace().nth(1).expect("a number").parse::<u64>().expect("a number") / 1024
}

const MAX_MEMORY: u64 = 64;

#[test]
fn a_log_of_300_megabytes_needs_no_more_memory_than_a_short_one() {
    let filler = format!("2026-11-29T08:24:01Z INFO payment charged {}\n", "x".repeat(900));
    let json = format!("{{\"level\":\"info\",\"msg\":\"{}\"}}\n", "x".repeat(900));
    let endless_line = "x".repeat(1000);
    for filler in [filler, json, endless_line] {
        let mut child = binary::start_explain(&["-", "-o", "jsonl"]);
        let mut pipe = child.stdin.take().expect("a pipe");
        let block = filler.repeat(1000);
        for _ in 0..300_000_000 / block.len() {
            pipe.write_all(block.as_bytes()).expect("it reads");
        }
        pipe.write_all(b"\nError: connect ECONNREFUSED 10.96.0.12:443\n").expect("it reads");
        let memory = peak_memory(&child);
        drop(pipe);
        let output = child.wait_with_output().expect("it ends");
        assert!(memory < MAX_MEMORY, "{memory} MiB");
        let answers = answers(&output);
        assert!(matches!(&answers[..], [(_, cause, _)] if cause == "network:refused"), "{answers:?}");
    }
}

#[test]
fn a_pipe_that_never_ends_is_read_in_constant_memory() {
    let mut source = Command::new("yes")
        .arg("[pod/swype-app-6d4f9c7b5-x2x9q/swype] INFO payment charged")
        .stdout(Stdio::piped())
        .spawn()
        .expect("yes starts");
    let lines = source.stdout.take().expect("a pipe");
    let mut child = Command::new(env!("CARGO_BIN_EXE_watcher"))
        .args(["explain", "-"])
        .stdin(lines)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    std::thread::sleep(std::time::Duration::from_secs(3));
    let memory = peak_memory(&child);
    let _ = (source.kill(), source.wait());
    let mut stdout = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut stdout).expect("text");
    assert!(child.wait().expect("it ends").success());
    assert!(memory < MAX_MEMORY, "{memory} MiB");
    assert!(stdout.starts_with("swype-app-6d4f9c7b5-x2x9q/swype: unknown"), "{stdout}");
}
