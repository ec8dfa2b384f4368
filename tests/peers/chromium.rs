//! A real browser that opens one page and can reach nothing but this test.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::eventually;
use crate::http::Receiver;
use crate::program::Process;

/// A site that does not exist. Every request of the browser goes to the proxy, whatever its host.
const SITE: &str = "http://triage.test/";

/// Hosts that Chromium contacts in the background.
const BACKGROUND_HOSTS: [&str; 5] = [
    "clients2.google.com",
    "update.googleapis.com",
    "accounts.google.com",
    "redirector.gvt1.com",
    "www.google.com",
];

/// The result of opening a page.
pub(crate) struct Visit {
    /// The facts that `harness.html` collected.
    pub(crate) facts: Value,
    /// Lines of the console, including violations of the page's content security policy.
    pub(crate) console: Vec<String>,
    /// Requests for anything but the page.
    pub(crate) asked: Vec<String>,
}

impl Visit {
    /// Opens the page in a frame.
    ///
    /// # Panics
    /// When the browser exits without having loaded it.
    pub(crate) fn open(html: Vec<u8>) -> Self {
        Self::with(html, Scheme::Light)
    }

    /// Opens the page in a frame, for a reader who prefers these colors.
    ///
    /// # Panics
    /// When the browser exits without having loaded it.
    pub(crate) fn with(html: Vec<u8>, scheme: Scheme) -> Self {
        let proxy = Receiver::responding(move |request| {
            match request.target.strip_prefix(SITE)? {
                "" => Some(("text/html; charset=utf-8", include_bytes!("harness.html").to_vec())),
                // Without a charset, as from a file: the page itself must declare its encoding.
                "report" => Some(("text/html", html.clone())),
                "facts" => Some(("text/plain", Vec::new())),
                _ => None,
            }
        });
        let dir = tempfile::tempdir().expect("a directory");
        let log = dir.path().join("log");
        let mut command = chromium(dir.path(), scheme);
        command
            .arg(format!("--proxy-server={}", proxy.address()))
            // Loopback addresses go through the proxy as well.
            .arg("--proxy-bypass-list=<-loopback>")
            .args(["--enable-logging=stderr", "--v=0"])
            // Five seconds of virtual time, which pass as fast as the page is idle.
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
        let asked = asked.filter(|target| !ours.contains(target) && !is_background_request(target)).collect();
        Self { facts, console, asked }
    }

    /// A list among the facts, as text.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.facts[name].as_array().expect("a list").iter().map(text).collect()
    }

    /// A text among the facts.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.facts[name].as_str().expect("a text")
    }
}

/// The colors that a reader prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

/// The browser without a window, with its profile in a directory of the test.
fn chromium(dir: &Path, scheme: Scheme) -> Command {
    let mut command = Command::new("chromium");
    command
        // Chromium's sandbox refuses root; here it opens nothing but pages of this test.
        .args(["--headless", "--no-sandbox", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--disable-extensions", "--disable-features=NetworkTimeServiceQuerying"])
        .arg(format!("--blink-settings=preferredColorScheme={}", u8::from(scheme == Scheme::Light)))
        .arg(format!("--user-data-dir={}", dir.join("profile").display()));
    command
}

/// Writes a picture of the page in a window of this size as PNG. Returns how long that took.
///
/// # Panics
/// When the browser writes none.
pub(crate) fn picture(html: &[u8], scheme: Scheme, (width, height): (u32, u32), png: &Path) -> Duration {
    let dir = tempfile::tempdir().expect("a directory");
    let page = dir.path().join("page.html");
    fs::write(&page, html).expect("written");
    let mut command = chromium(dir.path(), scheme);
    command
        .arg(format!("--window-size={width},{height}"))
        .arg("--hide-scrollbars")
        .arg(format!("--screenshot={}", png.display()))
        .arg(format!("file://{}", page.display()));
    let start = Instant::now();
    let mut browser = Process::start(&mut command, &dir.path().join("log"));
    eventually("the browser has drawn the page", || browser.0.try_wait().expect("a status"));
    let took = start.elapsed();
    let bytes = fs::read(png).expect("a picture");
    let size = [16, 20].map(|at| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes")));
    assert_eq!(size, [width, height], "{}", png.display());
    took
}

/// Whether the target is `http://HOST/..`, or `HOST:443` for HTTPS, of a background host.
fn is_background_request(target: &str) -> bool {
    let host = target.strip_prefix("http://").unwrap_or(target);
    BACKGROUND_HOSTS.contains(&host.split(['/', ':']).next().unwrap_or_default())
}
