//! A stub of the API server on a loopback port, with the endpoints that a watcher needs to start.

#![allow(dead_code)] // each test file uses its part

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// Deviations of the stub from a healthy API server.
#[derive(Clone, Default)]
pub(crate) struct StubBehavior {
    /// Paths that contain one of these are answered with 403.
    pub(crate) forbid: Vec<&'static str>,
    /// `VERB RESOURCE` of the rights that access reviews deny, such as `patch deployments/scale`.
    pub(crate) missing_rights: Vec<&'static str>,
    /// The Deployment does not exist.
    pub(crate) no_target: bool,
    /// The scale of the Deployment has no selector.
    pub(crate) no_selector: bool,
}

pub(crate) struct Stub {
    dir: tempfile::TempDir,
    requests: Arc<Mutex<Vec<String>>>,
    state: Arc<Mutex<StubState>>,
}

/// The stored objects: the target's replicas and the Record, with the last resource version.
struct StubState {
    replicas: u32,
    version: u64,
    record: Option<Value>,
}

impl Stub {
    pub(crate) fn new(behavior: StubBehavior) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        kubeconfig(&dir.path().join("config"), &format!("http://{}", listener.local_addr().unwrap()));
        let state = Arc::new(Mutex::new(StubState { replicas: 2, version: 7, record: None }));
        let (log, objects) = (Arc::clone(&requests), Arc::clone(&state));
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (behavior, log, objects) = (behavior.clone(), Arc::clone(&log), Arc::clone(&objects));
                std::thread::spawn(move || serve(connection, &behavior, &log, &objects));
            }
        });
        Self { dir, requests, state }
    }

    /// `spec.replicas` of the target.
    pub(crate) fn replicas(&self) -> u32 {
        self.state.lock().unwrap().replicas
    }

    /// A function that reads [`replicas`](Self::replicas) when it is called.
    pub(crate) fn replicas_reader(&self) -> impl Fn() -> u32 + Send + Sync + 'static {
        let state = Arc::clone(&self.state);
        move || state.lock().unwrap().replicas
    }

    /// The Record in its ConfigMap, null while there is none.
    pub(crate) fn record(&self) -> Value {
        let state = self.state.lock().unwrap();
        let json = state.record.as_ref().and_then(|map| map["data"]["record.json"].as_str());
        json.map_or(Value::Null, |json| serde_json::from_str(json).unwrap())
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.dir.path().join("config")
    }

    /// `METHOD /path` of each request so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
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
    behavior: &StubBehavior,
    requests: &Mutex<Vec<String>>,
    state: &Mutex<StubState>,
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
        requests.lock().unwrap().push(format!("{method} {path}"));
        if query.contains("watch=") && !behavior.forbid.iter().any(|part| path.contains(part)) {
            return watch(out, query);
        }
        let (status, answer) = answer(method, path, &body, behavior, &mut state.lock().unwrap());
        let answer = match answer {
            Value::String(text) => text,
            json => json.to_string(),
        };
        write!(
            out,
            "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{answer}",
            answer.len()
        )
        .ok()?;
    }
}

/// A watch without pods.
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

fn answer(
    method: &str,
    path: &str,
    body: &[u8],
    behavior: &StubBehavior,
    state: &mut StubState,
) -> (u16, Value) {
    if behavior.forbid.iter().any(|part| path.contains(part)) {
        return status(403, "Forbidden", &refused_by_rbac(method, path));
    }
    let deployment = "/apis/apps/v1/namespaces/sre/deployments/swype-app";
    match (method, path.strip_prefix(deployment)) {
        (_, Some(_)) if behavior.no_target => {
            status(404, "NotFound", "deployments.apps \"swype-app\" not found")
        }
        ("GET" | "PATCH", Some("/scale")) => {
            if method == "PATCH" {
                let patch: Value = serde_json::from_slice(body).unwrap_or_default();
                if patch["metadata"]["resourceVersion"].as_str() != Some(&*state.version.to_string()) {
                    return status(409, "Conflict", "the object has been modified");
                }
                state.replicas = patch["spec"]["replicas"].as_u64().unwrap_or(0) as u32;
                state.version += 1;
            }
            let selector = if behavior.no_selector { "" } else { "app=swype-app" };
            (
                200,
                json!({"kind": "Scale", "apiVersion": "autoscaling/v1",
                "metadata": {"name": "swype-app", "namespace": "sre", "uid": "u1",
                "resourceVersion": state.version.to_string()},
                "spec": {"replicas": state.replicas}, "status": {"replicas": state.replicas, "selector": selector}}),
            )
        }
        ("GET", _) if path.ends_with("/pods") => (
            200,
            json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []}),
        ),
        ("GET", _) if path.contains("/configmaps/") && state.record.is_some() => {
            (200, state.record.clone().unwrap_or_default())
        }
        ("POST" | "PATCH", _) if path.contains("/configmaps") => {
            let mut map: Value = serde_json::from_slice(body).unwrap_or_default();
            let stored = state.record.as_ref().map(|map| map["metadata"]["resourceVersion"].clone());
            if stored != map["metadata"].get("resourceVersion").filter(|version| !version.is_null()).cloned()
            {
                return status(409, "Conflict", "the object has been modified");
            }
            state.version += 1;
            map["metadata"]["resourceVersion"] = state.version.to_string().into();
            state.record = Some(map.clone());
            (201, map)
        }
        ("POST", _) if path.ends_with("/events") => (201, serde_json::from_slice(body).unwrap_or_default()),
        ("POST", _) if path.ends_with("accessreviews") => {
            let mut review: Value = serde_json::from_slice(body).unwrap_or_default();
            let asked = &review["spec"]["resourceAttributes"];
            let word = |field: &str| asked[field].as_str().unwrap_or_default();
            let slash = if word("subresource").is_empty() { "" } else { "/" };
            let right = format!("{} {}{slash}{}", word("verb"), word("resource"), word("subresource"));
            review["status"] = json!({"allowed": !behavior.missing_rights.contains(&&*right)});
            (201, review)
        }
        ("POST", _) if path.ends_with("selfsubjectreviews") => {
            let mut review: Value = serde_json::from_slice(body).unwrap_or_default();
            review["status"] = json!({"userInfo": {"username": "jane"}});
            (201, review)
        }
        // A real API server says no more about a kind that it does not serve.
        _ if path.starts_with("/apis/bigredbutton.dev/") => (404, json!("404 page not found")),
        _ => status(404, "NotFound", "not found"),
    }
}

/// The sentence of the RBAC authorizer for a path such as
/// `/apis/apps/v1/namespaces/sre/deployments/swype-app/scale`.
fn refused_by_rbac(method: &str, path: &str) -> String {
    let parts: Vec<_> = path.trim_start_matches('/').split('/').collect();
    let group = if parts[0] == "apis" { parts[1] } else { "" };
    let resource =
        parts.iter().skip_while(|part| **part != "namespaces").skip(2).copied().collect::<Vec<_>>();
    let (verb, resource) = match (method, &resource[..]) {
        ("GET", [kind]) => ("list", (*kind).to_owned()),
        ("GET", [kind, _]) => ("get", (*kind).to_owned()),
        ("GET", [kind, _, subresource]) => ("get", format!("{kind}/{subresource}")),
        ("POST", [kind, ..]) => ("create", (*kind).to_owned()),
        (_, [kind, _, subresource]) => ("patch", format!("{kind}/{subresource}")),
        (_, kind) => ("patch", kind.first().copied().unwrap_or_default().to_owned()),
    };
    format!(
        "User \"u\" cannot {verb} resource \"{resource}\" in API group \"{group}\" in the namespace \"sre\""
    )
}

fn status(code: u16, reason: &str, message: &str) -> (u16, Value) {
    (
        code,
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code}),
    )
}
