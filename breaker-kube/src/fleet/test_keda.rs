//! [`Keda`]: KEDA with one ScaledObject, behind the API server of
//! [`TestCluster`](super::test_cluster::TestCluster).

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use crate::test_server::status;

/// Sees the method of a request before it is carried out, and may change the annotation.
type BeforeRequest = Box<dyn FnMut(&str, &mut Option<String>) + Send>;

/// KEDA with one ScaledObject for the Deployment of the same name.
#[derive(Default)]
pub(super) struct Keda {
    /// `None`: the cluster has no KEDA.
    pub(super) target: Option<String>,
    /// The annotation `paused-replicas`.
    pub(super) paused: Option<String>,
    /// Answers to the next requests, instead of what they ask for.
    pub(super) answers: VecDeque<(u16, String)>,
    /// Requests that are carried out before those.
    pub(super) right_before_answers: usize,
    pub(super) before: Option<BeforeRequest>,
    /// What lists show instead of the annotation, as lists from the past do.
    pub(super) listed: Option<Option<String>>,
    /// Requests for ScaledObjects.
    pub(super) requests: usize,
    version: u64,
}

impl Keda {
    fn object(&self, name: &str, paused: &Option<String>) -> Value {
        let annotations = paused.iter().map(|value| ("autoscaling.keda.sh/paused-replicas", value));
        json!({
            "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
            "metadata": {"name": name, "namespace": "sre", "resourceVersion": self.version.to_string(),
                         "annotations": annotations.collect::<BTreeMap<_, _>>()},
            "spec": {"scaleTargetRef": {"name": name}},
        })
    }

    /// The answer to a request instead of what it asks for.
    fn answer(&mut self) -> Option<(u16, String)> {
        if self.right_before_answers > 0 {
            self.right_before_answers -= 1;
            return None;
        }
        self.answers.pop_front()
    }

    /// The kinds of KEDA's group.
    pub(super) fn discover(&mut self) -> (u16, String) {
        if let Some(answer) = self.answer() {
            return answer;
        }
        let kinds = json!({"kind": "APIResourceList", "groupVersion": "keda.sh/v1alpha1", "resources": []});
        match self.target {
            Some(_) => (200, kinds.to_string()),
            None => (404, "404 page not found".into()),
        }
    }

    pub(super) fn carry_out(&mut self, method: &str, is_list: bool, body: &Value) -> (u16, String) {
        self.requests += 1;
        if let Some(answer) = self.answer() {
            return answer;
        }
        let Some(name) = self.target.clone() else { return (404, "404 page not found".into()) };
        let known = self.paused.clone();
        if let Some(before) = &mut self.before {
            before(method, &mut self.paused);
        }
        self.version += u64::from(known != self.paused);
        if method == "PATCH" {
            let version = self.version.to_string();
            if body["metadata"]["resourceVersion"] != version {
                return (409, status(409, "the object has been modified"));
            }
            let value = &body["metadata"]["annotations"]["autoscaling.keda.sh/paused-replicas"];
            self.paused = value.as_str().map(str::to_owned);
            self.version += 1;
        }
        let object = if is_list {
            let item = self.object(&name, self.listed.as_ref().unwrap_or(&self.paused));
            json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObjectList", "metadata": {}, "items": [item]})
        } else {
            self.object(&name, &self.paused)
        };
        (200, object.to_string())
    }
}
