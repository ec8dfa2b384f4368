//! A real browser that opens one page, and cannot reach anything but this test.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::eventually;
use crate::http::Receiver;
use crate::program::Process;

/// A site that exists nowhere. Each request of the browser goes to our proxy, whatever host it names.
const SITE: &str = "http://triage.test/";

/// What Chromium asks of its maker on its own account.
const OF_ITS_OWN: [&str; 5] = [
    "clients2.google.com",
    "update.googleapis.com",
    "accounts.google.com",
    "redirector.gvt1.com",
    "www.google.com",
];

/// What became of a page.
pub(crate) struct Visit {
    /// What the stand around it saw; `stand.html` says what that is.
    pub(crate) facts: Value,
    /// The console's lines, warnings about the page's own policy among them.
    pub(crate) console: Vec<String>,
    /// All that was asked for besides the page.
    pub(crate) asked: Vec<String>,
}

impl Visit {
    /// Opens the page in a frame.
    ///
    /// # Panics
    /// When the browser ends without having seen it.
    pub(crate) fn to(html: Vec<u8>) -> Self {
        let proxy = Receiver::answering(move |request| {
            match request.target.strip_prefix(SITE)? {
                "" => Some(("text/html; charset=utf-8", include_bytes!("stand.html").to_vec())),
                // As from a file: the page itself must say what it is written in.
                "report" => Some(("text/html", html.clone())),
                "facts" => Some(("text/plain", Vec::new())),
                _ => None,
            }
        });
        let dir = tempfile::tempdir().expect("a directory");
        let log = dir.path().join("log");
        let mut command = Command::new("chromium");
        command
            // Chromium's sandbox refuses root; here it opens nothing but pages of this test.
            .args([
                "--headless",
                "--no-sandbox",
                "--no-first-run",
                "--disable-gpu",
                "--disable-dev-shm-usage",
            ])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--disable-extensions", "--disable-features=NetworkTimeServiceQuerying"])
            .arg(format!("--user-data-dir={}", dir.path().join("profile").display()))
            .arg(format!("--proxy-server={}", proxy.address()))
            // Loopback too: nothing goes past the proxy.
            .arg("--proxy-bypass-list=<-loopback>")
            .args(["--enable-logging=stderr", "--v=0"])
            // Five seconds of the page's own time, which pass as fast as it has nothing to do.
            .args(["--virtual-time-budget=5000", "--dump-dom", SITE]);
        let mut browser = Process::start(&mut command, &log);
        eventually("the browser has seen the page", || browser.0.try_wait().expect("a status"));
        let log = fs::read_to_string(&log).unwrap_or_default();
        let console = log.lines().filter(|line| line.contains(":CONSOLE:")).map(str::to_owned).collect();
        let requests = proxy.requests();
        let facts = requests.iter().find(|request| request.target == format!("{SITE}facts"));
        let facts = facts.unwrap_or_else(|| panic!("the browser ended early:\n{log}"));
        let facts = serde_json::from_slice(&facts.body).expect("JSON");
        let ours = ["", "report", "facts"].map(|path| format!("{SITE}{path}"));
        let asked = requests.into_iter().map(|request| request.target);
        let asked = asked.filter(|target| !ours.contains(target) && !is_its_own(target)).collect();
        Self { facts, console, asked }
    }

    /// A list of the facts, as text.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.facts[name].as_array().expect("a list").iter().map(text).collect()
    }

    /// A text of the facts.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.facts[name].as_str().expect("a text")
    }
}

/// `http://HOST/…`, or `HOST:443` of what it would have encrypted.
fn is_its_own(target: &str) -> bool {
    let host = target.strip_prefix("http://").unwrap_or(target);
    OF_ITS_OWN.contains(&host.split(['/', ':']).next().unwrap_or_default())
}
