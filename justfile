# cargo-deny may live beside the other tools of the tests instead of in the PATH.
export PATH := env("PATH") + ":" + env("XDG_CACHE_HOME", home_directory() / ".cache") / "big-red-button/tools/bin"

# list the recipes
[private]
default:
    @just --list --unsorted --justfile {{ quote(justfile()) }}

# does it compile, tests and examples included
check:
    cargo check --workspace --all-targets

# format all crates in place
fmt:
    cargo fmt --all

# clippy, every warning an error
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# build the API docs, every warning an error
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --workspace

# tier 1: needs no cluster, no root, no network but loopback
test:
    cargo test --workspace

# an outage and its undoing on an in-memory cluster
demo:
    cargo run --release --bin watcher -- demo

# licences, banned crates and sources of all dependencies; works offline
deny:
    cargo deny check licenses bans sources

# known vulnerabilities of all dependencies; fetches the advisory database, so needs the network
advisories:
    cargo deny check advisories

# tier 2: a real control plane; TEST_CLUSTER=existing uses the one of KUBECONFIG
cluster-test:
    tests/cluster/run tier2

# tier 2 of triage: a real Alertmanager, Prometheus and browser, installed from Debian where they are missing
peers-test *arguments:
    tests/peers/run {{ arguments }}

# tier 3: a real node, whose containers really die; needs root
node-test:
    tests/cluster/run tier3

# trip latency against the bare loop, and memory with 2,000 watched pods, on a real control plane
bench-latency:
    tests/cluster/run bench

# what 1,000 breakers over 10,000 pods cost on a real control plane: memory, CPU, requests, trip latency; 'small' for a tenth
bench-fleet *size:
    tests/cluster/run bench-fleet {{ size }}

# a verdict against a plain aho-corasick scan of the same words, and the worst inputs
bench-classify:
    cargo bench -p breaker-core --bench classify

# a triage against a plain counting loop, mawk and sort; memory; a cardinality bomb
bench-triage *parts:
    cargo bench -p bin-triage --bench triage -- {{ parts }}

# ten minutes of arbitrary bytes for the classifier, for the rules parser and for triage; needs nightly and cargo-fuzz
fuzz seconds="600":
    cd fuzz && cargo +nightly fuzz run classifier -- -max_total_time={{ seconds }} -max_len=6000 -timeout=2
    cd fuzz && cargo +nightly fuzz run rules -- -max_total_time={{ seconds }} -max_len=4096 -timeout=5
    cd fuzz && cargo +nightly fuzz run triage -- -max_total_time={{ seconds }} -max_len=16384 -timeout=5

# really run clients into failures and keep their last words; needs root and the package registries
terminations *options:
    tests/terminations/produce {{ options }}

# all that must hold before a merge
ci:
    bash .ci/run
