//! The HTTP endpoints of a controller.

use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::Watcher;

/// `/metrics`, `/healthz` and `/readyz` of a controller with `--bind-address`.
pub struct ControllerEndpoints {
    address: String,
}

impl ControllerEndpoints {
    /// Waits until the controller prints the address that it serves them at.
    pub async fn wait_for(controller: &mut Watcher) -> Self {
        let note = controller.wait_for("note").await;
        let message = note["message"].as_str().expect("a message");
        Self { address: message.rsplit("http://").next().expect("an address").to_owned() }
    }

    /// Status and body of `GET path`.
    ///
    /// # Panics
    /// When there is no response.
    pub async fn get(&self, path: &str) -> (u16, String) {
        let client = Client::builder(TokioExecutor::new()).build_http::<Empty<&[u8]>>();
        let uri = format!("http://{}{path}", self.address).parse().expect("an address");
        let answer = client.get(uri).await.expect("an answer");
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }

    /// Value of one series of `/metrics`; `None` if it is not exported.
    pub async fn metric(&self, series: &str) -> Option<f64> {
        let (_, page) = self.get("/metrics").await;
        let line = page.lines().find(|line| line.strip_prefix(series).is_some_and(|v| v.starts_with(' ')))?;
        line.rsplit(' ').next()?.parse().ok()
    }
}
