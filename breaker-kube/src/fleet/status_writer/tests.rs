use std::time::Duration;

use http::{Request, Response};
use kube::Client;
use kube::client::Body;

use super::*;
use crate::fleet::status::ConditionState;
use crate::test_server::{StoppedClock, TestServer};

type Server = tower_test::mock::Handle<Request<Body>, Response<Body>>;

fn record(episode: u64) -> Record {
    Record { target_uid: "t".into(), episode, ..Record::default() }
}

fn breaker(version: &str, record: &Record) -> Value {
    json!({
        "apiVersion": "bigredbutton.dev/v1alpha1",
        "kind": "CircuitBreaker",
        "metadata": {"name": "swype", "namespace": "sre", "uid": "u", "resourceVersion": version},
        "spec": {},
        "status": {"record": record},
    })
}

fn partial(version: &str, record: &Record) -> PartialBreaker {
    serde_json::from_value(breaker(version, record)).unwrap()
}

/// A writer that knows version 7 with the first episode, and its API server.
fn writer() -> (StatusWriter, Server) {
    writer_with(json!({"record": record(1)}))
}

/// A writer that knows version 7 with this status, and its API server.
fn writer_with(status: Value) -> (StatusWriter, Server) {
    let (service, server) = tower_test::mock::pair();
    let clock: Arc<dyn Clock> = Arc::new(StoppedClock);
    let mut breaker = breaker("7", &record(1));
    breaker["status"] = status;
    let breaker = serde_json::from_value(breaker).unwrap();
    let kube = KubeClient::from_client(Client::new(service, "sre"), clock);
    (StatusWriter::new(&kube, &Arc::default(), &breaker), server)
}

/// Answers one request. Returns its method and the version in its body.
async fn answer(server: &mut Server, code: u16, body: Value) -> (String, Value) {
    let (request, respond) = server.next_request().await.expect("a request");
    let method = request.method().to_string();
    let sent = request.into_body().collect_bytes().await.unwrap();
    let sent: Value = serde_json::from_slice(&sent).unwrap_or_default();
    let answer = Response::builder().status(code).body(Body::from(serde_json::to_vec(&body).unwrap()));
    respond.send_response(answer.unwrap());
    (method, sent["metadata"]["resourceVersion"].clone())
}

fn conflict() -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Conflict", "code": 409, "message": "x"})
}

fn over_of(status: &Value) -> Option<String> {
    record_in(status).as_deref().map(version_of)
}

fn over(writer: &StatusWriter) -> Option<String> {
    writer.known_record().unwrap().map(|stored| stored.version)
}

#[tokio::test]
async fn a_spec_that_was_edited_costs_one_more_attempt_and_is_not_a_conflict() {
    let (writer, mut server) = writer();
    let (known, next) = (over(&writer), record(2));
    let serve = async {
        let first = answer(&mut server, 409, conflict()).await;
        let refresh = answer(&mut server, 200, breaker("9", &record(1))).await;
        let again = answer(&mut server, 200, breaker("10", &next)).await;
        (first, refresh.0, again)
    };
    let (saved, (first, refresh, again)) = tokio::join!(writer.save(&next, known.as_deref()), serve);
    assert_eq!(first, ("PATCH".into(), json!("7")));
    assert_eq!(refresh, "GET");
    assert_eq!(again, ("PATCH".into(), json!("9")));
    assert_eq!(Some(saved.unwrap()), over(&writer));
    // Nothing has changed, so nothing is sent: a request would wait for an answer.
    tokio::time::timeout(Duration::from_secs(5), writer.write_if_changed()).await.unwrap().unwrap();
}

#[tokio::test]
async fn another_record_is_a_conflict_and_is_known_then() {
    let (writer, mut server) = writer();
    let (known, ours, theirs) = (over(&writer), record(2), record(5));
    let serve = async {
        answer(&mut server, 409, conflict()).await;
        let mut theirs = breaker("9", &theirs);
        theirs["status"]["paused"] = json!({"scaledObject": "so", "before": "3", "ours": "0", "set": true});
        answer(&mut server, 200, theirs).await;
    };
    let (saved, ()) = tokio::join!(writer.save(&ours, known.as_deref()), serve);
    assert!(matches!(saved, Err(ClusterError::Conflict(_))), "{saved:?}");
    assert_eq!(writer.record().unwrap().episode, 5);
    let paused = writer.read(|model| model.paused.clone()).expect("the pause of the other controller");
    assert_eq!(paused.before.as_deref(), Some("3"));
    // A write over the former Record is refused without a request.
    let again = writer.save(&record(2), known.as_deref()).await;
    assert!(matches!(again, Err(ClusterError::Conflict(_))), "{again:?}");
}

#[tokio::test]
async fn a_newer_version_is_written_over_only_when_its_record_is_the_known_one() {
    for (observed, want) in
        [(partial("8", &record(1)), "8"), (partial("8", &record(5)), "7"), (partial("6", &record(1)), "7")]
    {
        let (writer, mut server) = writer();
        writer.observe(&observed);
        let (known, next) = (over(&writer), record(2));
        let serve = answer(&mut server, 200, breaker("10", &next));
        let (saved, sent) = tokio::join!(writer.save(&next, known.as_deref()), serve);
        assert!(saved.is_ok());
        assert_eq!(sent.1, json!(want));
    }
}

#[tokio::test]
async fn a_namesake_of_a_deleted_breaker_is_not_written() {
    let (writer, mut server) = writer();
    let mut other = breaker("9", &record(1));
    other["metadata"]["uid"] = json!("another");
    let (known, ours) = (over(&writer), record(2));
    let serve = async {
        answer(&mut server, 409, conflict()).await;
        answer(&mut server, 200, other).await;
    };
    let (saved, ()) = tokio::join!(writer.save(&ours, known.as_deref()), serve);
    assert!(matches!(saved, Err(ClusterError::NotFound(_))), "{saved:?}");
}

/// A writer of a breaker with this status, and the status of each write that its API server
/// received.
fn writer_of(status: Value) -> (StatusWriter, Arc<Mutex<Vec<Value>>>) {
    let stored = Arc::new(Mutex::new(json!({
        "apiVersion": "bigredbutton.dev/v1alpha1", "kind": "CircuitBreaker", "spec": {},
        "metadata": {"name": "swype", "namespace": "sre", "uid": "u", "resourceVersion": "7"},
        "status": status,
    })));
    let written = Arc::new(Mutex::new(Vec::new()));
    let breaker: PartialBreaker = serde_json::from_value(stored.lock().clone()).unwrap();
    let log = Arc::clone(&written);
    let server = TestServer::new(move |received, _| {
        let mut stored = stored.lock();
        if received.method == "PATCH" {
            stored["status"] = received.body["status"].clone();
            log.lock().push(received.body["status"].clone());
        }
        (200, stored.to_string())
    });
    (StatusWriter::new(&server.kube(), &Arc::default(), &breaker), written)
}

#[tokio::test]
async fn a_status_or_record_that_cannot_be_read_is_carried_over_in_every_write() {
    let bad_record = json!({"state": {"phase": "Nonsense"}, "targetUid": "t"});
    for unreadable in [
        json!({"phase": "Open", "originalReplicas": 3, "record": bad_record,
               "conditions": [{"type": "Tripped", "status": "True", "reason": "Open", "message": "m",
                               "lastTransitionTime": "2026-01-02T03:04:05Z"}]}),
        json!({"phase": "Open", "originalReplicas": "three", "record": record(1)}),
        json!({"phase": "Open", "conditions": 5, "record": bad_record}),
    ] {
        let (writer, written) = writer_of(unreadable.clone());
        assert!(matches!(writer.known_record(), Err(ClusterError::BadRecord { .. })));
        assert!(matches!(writer.load().await, Err(ClusterError::BadRecord { .. })));
        for message in ["first", "second"] {
            writer.change(|model| {
                model.ready = ConditionState::new(false, "BadRecord", message);
            });
            writer.write_if_changed().await.unwrap();
        }
        let refused = writer.save(&record(2), over_of(&unreadable).as_deref()).await;
        assert!(matches!(refused, Err(ClusterError::BadRecord { .. })), "{refused:?}");
        let written = written.lock();
        assert_eq!(written.len(), 2, "{written:?}");
        for status in written.iter() {
            let condition = |kind: &str| {
                let conditions = status["conditions"].as_array().unwrap().iter();
                conditions
                    .filter(|found| found["type"] == kind)
                    .map(|found| found["reason"].clone())
                    .collect::<Vec<_>>()
            };
            assert_eq!(condition("Ready"), ["BadRecord"]);
            assert_eq!(condition("Held"), ["NotHeld"]);
            let (mut kept, mut was) = (status.clone(), unreadable.clone());
            if was["conditions"].is_array() {
                assert_eq!(condition("Tripped"), ["Open"]);
            }
            for status in [&mut kept, &mut was] {
                status.as_object_mut().unwrap().remove("conditions");
            }
            assert_eq!(kept, was);
        }
    }
}

#[tokio::test]
async fn a_breaker_starts_from_scratch_once_its_unreadable_record_is_deleted() {
    let (writer, mut server) = writer_with(json!({"record": {"state": 5}}));
    assert!(writer.known_record().is_err());
    let mut cleared = breaker("9", &record(1));
    cleared["status"] = Value::Null;
    let serve = answer(&mut server, 200, cleared);
    let (loaded, _) = tokio::join!(writer.load(), serve);
    assert_eq!(loaded.unwrap(), None);
    let next = record(1);
    let serve = answer(&mut server, 200, breaker("10", &next));
    let (saved, sent) = tokio::join!(writer.save(&next, None), serve);
    assert_eq!((saved.is_ok(), sent.1), (true, json!("9")));
}
