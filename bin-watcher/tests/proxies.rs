//! The cluster and the receivers of hooks behind a proxy, and a kubeconfig whose credential plugin
//! is missing.

mod binary;
mod proxy;
mod receiver;
mod stub;

use std::process::{Command, Output};

use binary::{refused, text};
use proxy::ConnectProxy;
use stub::{Stub, StubBehavior};

fn watcher(stub: &Stub, args: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_watcher"))
        .args(args)
        .arg("--kubeconfig")
        .arg(stub.kubeconfig())
        .env_clear()
        .env("HOME", "/nonexistent")
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

const STATUS: [&str; 3] = ["status", "--deployment", "swype-app"];

fn edit_kubeconfig(stub: &Stub, from: &str, to: &str) {
    let config = std::fs::read_to_string(stub.kubeconfig()).unwrap();
    assert!(config.contains(from), "{config}");
    std::fs::write(stub.kubeconfig(), config.replace(from, to)).unwrap();
}

#[test]
fn the_api_server_is_reached_through_the_proxy_that_the_environment_names() {
    for (variable, user) in
        [("HTTP_PROXY", ""), ("http_proxy", "jane:x%40y@"), ("ALL_PROXY", ""), ("all_proxy", "")]
    {
        let (stub, proxy) = (Stub::new(StubBehavior::default()), ConnectProxy::start(None));
        let url = format!("http://{user}{}", proxy.address());
        let output = watcher(&stub, &STATUS, &[(variable, &url)]);
        assert_eq!(output.status.code(), Some(0), "{variable}: {}", text(&output.stderr));
        let asked = proxy.asked();
        assert!(!asked.is_empty() && asked[0].starts_with("CONNECT 127.0.0.1:"), "{variable}: {asked:?}");
        // jane:x@y
        let has_user = asked[0].to_lowercase().contains("proxy-authorization: basic amfuztp4qhk=");
        assert_eq!(has_user, !user.is_empty(), "{asked:?}");
    }
}

#[test]
fn a_server_that_no_proxy_names_is_reached_directly() {
    for no_proxy in ["127.0.0.1", "10.0.0.0/8, 127.0.0.0/8", "*"] {
        let stub = Stub::new(StubBehavior::default());
        let variables = [
            ("HTTP_PROXY", "http://127.0.0.1:1"),
            ("HTTPS_PROXY", "http://127.0.0.1:1"),
            ("NO_PROXY", no_proxy),
        ];
        let output = watcher(&stub, &STATUS, &variables);
        assert_eq!(output.status.code(), Some(0), "{no_proxy}: {}", text(&output.stderr));
    }
}

/// What answers does not speak TLS: that the tunnel is asked for is what counts.
#[test]
fn https_proxy_is_for_servers_with_tls_only() {
    let (stub, proxy) = (Stub::new(StubBehavior::default()), ConnectProxy::start(None));
    let url = format!("http://{}", proxy.address());
    let variables = [("HTTPS_PROXY", &*url)];
    assert_eq!(watcher(&stub, &STATUS, &variables).status.code(), Some(0));
    assert!(proxy.asked().is_empty(), "{:?}", proxy.asked());
    edit_kubeconfig(&stub, "http://", "https://");
    refused("no TLS", &watcher(&stub, &STATUS, &variables), 5);
    assert!(proxy.asked()[0].starts_with("CONNECT 127.0.0.1:"), "{:?}", proxy.asked());
}

#[test]
fn proxy_url_of_the_kubeconfig_comes_first() {
    let (stub, proxy) = (Stub::new(StubBehavior::default()), ConnectProxy::start(None));
    let with_proxy = format!("{{proxy-url: 'http://{}', server:", proxy.address());
    edit_kubeconfig(&stub, "{server:", &with_proxy);
    let variables = [("HTTP_PROXY", "http://127.0.0.1:1"), ("NO_PROXY", "127.0.0.1")];
    let output = watcher(&stub, &STATUS, &variables);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(!proxy.asked().is_empty());
}

#[test]
fn a_proxy_that_cannot_be_used_is_named() {
    let stub = Stub::new(StubBehavior::default());
    let variables = [("HTTP_PROXY", "ftp://jane:secret@proxy.example:21")];
    let stderr = refused("scheme", &watcher(&stub, &STATUS, &variables), 2);
    assert!(stderr.contains("the proxy proxy.example:21 cannot be used"), "{stderr}");
    let stderr = refused("closed", &watcher(&stub, &STATUS, &[("HTTP_PROXY", "127.0.0.1:1")]), 5);
    assert!(stderr.contains("API server"), "{stderr}");
}

#[test]
fn a_missing_credential_plugin_is_named_with_its_hint() {
    for (more, hint) in [
        ("", "install it, or add its directory to PATH"),
        (", installHint: 'brew install kube-login'", "brew install kube-login"),
    ] {
        let stub = Stub::new(StubBehavior::default());
        let exec = format!(
            "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: kube-login-x, \
             interactiveMode: Never{more}}}}}"
        );
        edit_kubeconfig(&stub, "{token: t}", &exec);
        let stderr = refused("plugin", &watcher(&stub, &STATUS, &[]), 2);
        assert!(stderr.contains("the credential plugin kube-login-x of the kubeconfig"), "{stderr}");
        assert!(stderr.contains(hint), "{stderr}");
    }
}

/// Only the proxy knows the receiver's name.
#[test]
fn a_hook_is_called_through_the_proxy() {
    let receiver = receiver::Receiver::new(Vec::new(), || 0);
    let proxy = ConnectProxy::start(Some(receiver.address.to_string()));
    let stub = Stub::new(StubBehavior::default());
    let url = format!("http://{}", proxy.address());
    let args = ["trip", "--deployment", "swype-app", "--before-trip", "http://rollback.invalid/before-trip"];
    let output = watcher(&stub, &args, &[("HTTP_PROXY", &url), ("NO_PROXY", "127.0.0.1")]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(proxy.asked()[0].starts_with("CONNECT rollback.invalid:80 "), "{:?}", proxy.asked());
    assert_eq!(stub.replicas(), 0);
}
