//! A real Prometheus.

use std::fs;
use std::process::Command;

use crate::http;
use crate::program::Program;

/// A running `prometheus`.
pub(crate) struct Prometheus(Program);

impl Prometheus {
    /// Starts one replica that evaluates `rules` every second, pushes to `receivers` and scrapes
    /// `targets`.
    pub(crate) fn start(replica: &str, rules: &str, receivers: &[&str], targets: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let file = |name: &str| dir.path().join(name);
        let list = |addresses: &[&str]| format!("[{{targets: [{}]}}]", addresses.join(", "));
        let (receivers, targets) = (list(receivers), list(targets));
        let config = format!(
            "
            global: {{evaluation_interval: 1s, scrape_interval: 1s, external_labels: {{replica: {replica}}}}}
            rule_files: [rules.yml]
            alerting: {{alertmanagers: [{{static_configs: {receivers}}}]}}
            scrape_configs: [{{job_name: shop, static_configs: {targets}}}]
            "
        );
        fs::write(file("prometheus.yml"), config).expect("written");
        fs::write(file("rules.yml"), rules).expect("written");
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", file("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", file("data").display()))
            // It discovers its Alertmanagers 5 s after its start; alerts of before then are sent
            // again.
            .args(["--rules.alert.resend-delay=2s", "--web.listen-address=127.0.0.1:0"]);
        Self(Program::start(command, dir))
    }

    /// The body of `GET /api/v1/alerts`.
    pub(crate) fn alerts(&self) -> Vec<u8> {
        http::get(&self.0.address, "/api/v1/alerts")
    }
}
