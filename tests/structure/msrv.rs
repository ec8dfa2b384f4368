//! The minimum supported Rust version: no dependency may ask for a newer one.

use std::process::Command;

use serde_json::Value;

/// Major and minor version of `1.91` or `1.91.0`.
fn version(text: &str) -> (u32, u32) {
    let mut parts = text.split('.').map(|part| part.parse().expect("a number"));
    (parts.next().expect("a major version"), parts.next().unwrap_or(0))
}

/// `cargo metadata` for this machine's platform, whose dependencies are downloaded when tests run.
fn metadata() -> Value {
    let rustc = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let rustc = String::from_utf8(rustc.stdout).expect("text");
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let args = ["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host];
    let cargo = Command::new(env!("CARGO"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    serde_json::from_slice(&cargo.stdout).expect("JSON")
}

#[test]
fn no_dependency_needs_a_newer_rust_than_the_workspace_promises() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let ours = packages.iter().find(|package| package["name"] == "breaker-core").expect("our crate");
    let ours = version(ours["rust_version"].as_str().expect("rust-version is set"));
    let newer = packages.iter().filter_map(|package| {
        let needs = package["rust_version"].as_str()?;
        (version(needs) > ours)
            .then(|| format!("{} {} needs Rust {needs}", package["name"], package["version"]))
    });
    let newer: Vec<_> = newer.collect();
    assert!(newer.is_empty(), "rust-version is {ours:?}: {}", newer.join(", "));
}
