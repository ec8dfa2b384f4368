//! The pages that a controller serves.

use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::Watcher;

/// `/metrics`, `/healthz` and `/readyz` of a controller with `--listen`.
pub struct Pages {
    address: String,
}

impl Pages {
    /// Waits until the controller tells where it serves them.
    pub async fn of(controller: &mut Watcher) -> Self {
        let told = controller.until("note").await;
        let message = told["message"].as_str().expect("a message");
        Self { address: message.rsplit("http://").next().expect("an address").to_owned() }
    }

    /// Status and body.
    ///
    /// # Panics
    /// Without an answer.
    pub async fn get(&self, path: &str) -> (u16, String) {
        let client = Client::builder(TokioExecutor::new()).build_http::<Empty<&[u8]>>();
        let uri = format!("http://{}{path}", self.address).parse().expect("an address");
        let answer = client.get(uri).await.expect("an answer");
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }

    /// Value of one series of `/metrics`.
    pub async fn metric(&self, series: &str) -> Option<f64> {
        let (_, page) = self.get("/metrics").await;
        let line = page.lines().find(|line| line.strip_prefix(series).is_some_and(|v| v.starts_with(' ')))?;
        line.rsplit(' ').next()?.parse().ok()
    }
}
