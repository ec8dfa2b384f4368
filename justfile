# just and cargo-deny may be in the cache of the tests instead of the PATH.
export PATH := env("PATH") + ":" + env("XDG_CACHE_HOME", home_directory() / ".cache") / "big-red-button/tools/bin"

# list the recipes
[private]
default:
    @just --list --unsorted --justfile {{ quote(justfile()) }}

# compile everything, tests and examples included
check:
    cargo check --workspace --all-targets

# format all crates in place
fmt:
    cargo fmt --all

# fail if a crate is not formatted
fmt-check:
    cargo fmt --all --check

# clippy, every warning an error
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# clippy for the tests of tiers 2 and 3, which other builds leave out
lint-tiers:
    cargo clippy -p bigredbutton-tests --all-targets --features node,peers -- -D warnings

# shellcheck for all shell scripts
shellcheck:
    shellcheck -x .ci/run .ci/msrv .ci/packages tests/cluster/run tests/cluster/cluster tests/peers/run docs/ticketing-toil/post-alerta docs/ticketing-toil/post-sample docs/ticketing-toil/try-alertmanager
    shellcheck -s bash tests/terminations/clients/*/setup.sh tests/terminations/clients/servers/serve

# compile the libraries with the fewest and with all features
features:
    cargo check -q -p breaker-core --no-default-features
    cargo check -q -p breaker-core --all-features
    cargo check -q -p alert-triage --no-default-features
    cargo check -q -p alert-triage --all-features

# build the API docs, every warning an error
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features

# tier 1: needs no cluster, no root, no network but loopback
test:
    cargo test --workspace

# check the minimum supported Rust version
msrv:
    .ci/msrv

# pack the library crates and test them outside the repository
packages:
    .ci/packages

# an outage, the trip and the reset on an in-memory cluster
demo:
    cargo run --release --bin watcher -- demo

# draw docs/demo.svg, the picture of the README, from the demo
demo-svg:
    docs/make-demo-svg

# the incidents of the sample alert stream
triage-demo:
    cargo run --release --bin triage -- docs/samples/upcommerce.log

# licenses, banned crates and sources of all dependencies; fetches crates, no advisories
deny:
    cargo fetch -q --locked
    cargo deny --offline check licenses bans sources

# known vulnerabilities of all dependencies; fetches the advisory database
advisories:
    cargo deny check advisories

# tier 2: a real control plane; TEST_CLUSTER=existing uses the one of KUBECONFIG
cluster-test:
    tests/cluster/run tier2

# tier 2: seeded faults between watcher and the API server, audited; BRB_CHAOS_SEED=N repeats one schedule
chaos count="200" first="1":
    BRB_CHAOS_COUNT={{ count }} BRB_CHAOS_FIRST={{ first }} tests/cluster/run chaos

# tier 2 of triage: a real Alertmanager, Prometheus and browser, installed from Debian if missing
peers-test *arguments:
    tests/peers/run {{ arguments }}

# tier 3: a real node, whose containers really terminate; needs root
node-test:
    tests/cluster/run tier3

# trip latency against a baseline loop, and memory with 2,000 watched pods, on a real control plane
bench-latency:
    tests/cluster/run bench

# cost of 1,000 breakers over 10,000 pods: memory, CPU, requests, trip latency; 'small' for a tenth
bench-fleet *size:
    tests/cluster/run bench-fleet {{ size }}

# a verdict against a plain aho-corasick scan of the same words, and the worst inputs
bench-classify:
    cargo bench -p breaker-core --bench classify

# a triage against a plain counting loop, mawk and sort; memory; a cardinality bomb
bench-triage *parts:
    cargo bench -p bin-triage --bench triage -- {{ parts }}

# arbitrary bytes for the classifier, the rules parser and triage; needs nightly and cargo-fuzz
fuzz seconds="600":
    cd fuzz && cargo +nightly fuzz run classifier -- -max_total_time={{ seconds }} -max_len=6000 -timeout=2
    cd fuzz && cargo +nightly fuzz run rules -- -max_total_time={{ seconds }} -max_len=4096 -timeout=5
    cd fuzz && cargo +nightly fuzz run triage -- -max_total_time={{ seconds }} -max_len=16384 -timeout=5

# run real clients into failures and record their logs; needs root and the package registries
terminations *options:
    tests/terminations/produce {{ options }}

# everything that must pass before a merge
ci:
    .ci/run
