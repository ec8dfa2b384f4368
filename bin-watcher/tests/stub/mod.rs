//! The few answers of an API server that a watcher needs to start, on a loopback port. Just enough HTTP/1.1.

#![allow(dead_code)] // each test file uses its part

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// What this API server does differently.
#[derive(Clone, Default)]
pub(crate) struct Manners {
    /// Paths that contain one of these are answered with 403.
    pub(crate) forbid: Vec<&'static str>,
    /// No Deployment there.
    pub(crate) no_target: bool,
    /// Its scale names no pods.
    pub(crate) no_selector: bool,
}

pub(crate) struct Stub {
    dir: tempfile::TempDir,
    asked: Arc<Mutex<Vec<String>>>,
    kept: Arc<Mutex<Kept>>,
}

/// What it keeps: the target's replicas and the Record, each with its version.
struct Kept {
    replicas: u32,
    version: u64,
    record: Option<Value>,
}

impl Stub {
    pub(crate) fn new(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        kubeconfig(&dir.path().join("config"), &format!("http://{}", listener.local_addr().unwrap()));
        let kept = Arc::new(Mutex::new(Kept { replicas: 2, version: 7, record: None }));
        let (heard, keeps) = (Arc::clone(&asked), Arc::clone(&kept));
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (manners, heard, keeps) = (manners.clone(), Arc::clone(&heard), Arc::clone(&keeps));
                std::thread::spawn(move || serve(connection, &manners, &heard, &keeps));
            }
        });
        Self { dir, asked, kept }
    }

    /// `spec.replicas` of the target.
    pub(crate) fn replicas(&self) -> u32 {
        self.kept.lock().unwrap().replicas
    }

    /// The same, for somebody who wants to know later.
    pub(crate) fn replicas_later(&self) -> impl Fn() -> u32 + Send + Sync + 'static {
        let kept = Arc::clone(&self.kept);
        move || kept.lock().unwrap().replicas
    }

    /// The Record in its ConfigMap, null while there is none.
    pub(crate) fn record(&self) -> Value {
        let kept = self.kept.lock().unwrap();
        let json = kept.record.as_ref().and_then(|map| map["data"]["record.json"].as_str());
        json.map_or(Value::Null, |json| serde_json::from_str(json).unwrap())
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.dir.path().join("config")
    }

    /// `METHOD /path` of each request so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

pub(crate) fn kubeconfig(path: &Path, server: &str) {
    let config = format!(
        "{{apiVersion: v1, kind: Config, current-context: here, \
           clusters: [{{name: c, cluster: {{server: '{server}'}}}}], \
           users: [{{name: u, user: {{token: t}}}}], \
           contexts: [{{name: here, context: {{cluster: c, user: u, namespace: sre}}}}]}}"
    );
    std::fs::write(path, config).unwrap();
}

fn serve(
    connection: TcpStream,
    manners: &Manners,
    heard: &Mutex<Vec<String>>,
    kept: &Mutex<Kept>,
) -> Option<()> {
    let mut reader = BufReader::new(connection.try_clone().ok()?);
    let mut out = connection;
    loop {
        let mut first = String::new();
        reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
        let (mut length, mut line) = (0, String::new());
        while reader.read_line(&mut line).is_ok() && !line.trim().is_empty() {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let mut words = first.split(' ');
        let (method, target) = (words.next()?, words.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        heard.lock().unwrap().push(format!("{method} {path}"));
        if query.contains("watch=") && !manners.forbid.iter().any(|part| path.contains(part)) {
            return watch(out, query);
        }
        let (status, answer) = answer(method, path, &body, manners, &mut kept.lock().unwrap());
        let answer = answer.to_string();
        write!(
            out,
            "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{answer}",
            answer.len()
        )
        .ok()?;
    }
}

/// No pods, and none to come.
fn watch(mut out: TcpStream, query: &str) -> Option<()> {
    write!(out, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        .ok()?;
    if query.contains("sendInitialEvents=true") {
        let end = json!({"type": "BOOKMARK", "object": {"kind": "Pod", "apiVersion": "v1", "metadata": {
            "resourceVersion": "1", "annotations": {"k8s.io/initial-events-end": "true"}}}});
        let end = format!("{end}\n");
        write!(out, "{:x}\r\n{end}\r\n", end.len()).ok()?;
    }
    std::thread::sleep(Duration::from_secs(60));
    None
}

fn answer(method: &str, path: &str, body: &[u8], manners: &Manners, kept: &mut Kept) -> (u16, Value) {
    if manners.forbid.iter().any(|part| path.contains(part)) {
        return status(403, "Forbidden", "User \"u\" may not");
    }
    let deployment = "/apis/apps/v1/namespaces/sre/deployments/swype-app";
    match (method, path.strip_prefix(deployment)) {
        (_, Some(_)) if manners.no_target => {
            status(404, "NotFound", "deployments.apps \"swype-app\" not found")
        }
        ("GET" | "PATCH", Some("/scale")) => {
            if method == "PATCH" {
                let patch: Value = serde_json::from_slice(body).unwrap_or_default();
                if patch["metadata"]["resourceVersion"].as_str() != Some(&*kept.version.to_string()) {
                    return status(409, "Conflict", "the object has been modified");
                }
                kept.replicas = patch["spec"]["replicas"].as_u64().unwrap_or(0) as u32;
                kept.version += 1;
            }
            let selector = if manners.no_selector { "" } else { "app=swype-app" };
            (
                200,
                json!({"kind": "Scale", "apiVersion": "autoscaling/v1",
                "metadata": {"name": "swype-app", "namespace": "sre", "uid": "u1",
                "resourceVersion": kept.version.to_string()},
                "spec": {"replicas": kept.replicas}, "status": {"replicas": kept.replicas, "selector": selector}}),
            )
        }
        ("GET", _) if path.ends_with("/pods") => (
            200,
            json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []}),
        ),
        ("GET", _) if path.contains("/configmaps/") && kept.record.is_some() => {
            (200, kept.record.clone().unwrap_or_default())
        }
        ("POST" | "PATCH", _) if path.contains("/configmaps") => {
            let mut map: Value = serde_json::from_slice(body).unwrap_or_default();
            let stored = kept.record.as_ref().map(|map| map["metadata"]["resourceVersion"].clone());
            if stored != map["metadata"].get("resourceVersion").filter(|version| !version.is_null()).cloned()
            {
                return status(409, "Conflict", "the object has been modified");
            }
            kept.version += 1;
            map["metadata"]["resourceVersion"] = kept.version.to_string().into();
            kept.record = Some(map.clone());
            (201, map)
        }
        ("POST", _) if path.ends_with("/events") => (201, serde_json::from_slice(body).unwrap_or_default()),
        ("POST", _) if path.ends_with("accessreviews") => {
            let mut review: Value = serde_json::from_slice(body).unwrap_or_default();
            review["status"] = json!({"allowed": true});
            (201, review)
        }
        // Of a kind that is not served a real one says no more.
        _ if path.starts_with("/apis/bigredbutton.dev/") => (404, json!("404 page not found")),
        _ => status(404, "NotFound", "not found"),
    }
}

fn status(code: u16, reason: &str, message: &str) -> (u16, Value) {
    (
        code,
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code}),
    )
}
