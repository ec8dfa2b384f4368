//! Statements above stacks that are longer than a termination message.

mod common;

use breaker_core::classify::EvidenceSource;
use breaker_core::pod::Terminated;
use breaker_core::sim::Health;
use breaker_core::{Cause, Classifier, Termination};
use common::Watch;
use proptest::prelude::*;

/// A frame of each runtime.
fn frame(runtime: usize, n: usize) -> String {
    match runtime {
        0 => format!(
            "\tat com.acme.payments.client.internal.RetryingInvoker$Chain.proceed(RetryingInvoker.java:{n})\n"
        ),
        1 => format!(
            "    at Socket.<anonymous> (/app/node_modules/@acme/payments-client/lib/transport.js:{n}:17)\n"
        ),
        _ => format!(
            "github.com/acme/payments/internal/transport.(*Client).do(0xc000126000, {{0x7f3c, 0x{n:x}}})\n\t/src/internal/transport/client.go:{n} +0x1d4\n"
        ),
    }
}

fn stack(runtime: usize, frames: usize) -> String {
    (1..=frames).map(|n| frame(runtime, n)).collect()
}

const JVM: &str = "Exception in thread \"main\" java.net.ConnectException: Connection refused: swype-gateway/10.96.0.7:443\n";

#[test]
fn a_jvm_stack_of_200_frames_is_understood_under_both_termination_message_policies() {
    let log = format!("INFO charging payment 4711\n{JVM}{}", stack(0, 200));
    for (policy, health) in [
        ("FallbackToLogsOnError", Health::dies("").with_log(&log)),
        ("File", Health::dies(&log).in_log_only()),
    ] {
        let watch = Watch::with_replicas(1);
        watch.sim.after_secs(5, move |world| world.set_health(health));
        let seen = watch.until_tripped();
        assert!(seen.tripped(), "{policy}: {:?}", seen.lines);
        let restarts = seen.lines_with("network:refused swype-app");
        assert!(restarts.len() == 4 && restarts[0].contains("Connection refused"), "{policy}: {restarts:?}");
    }
}

/// What is above the cut can also show that the network was not the cause.
#[test]
fn a_message_that_was_cut_inside_a_stack_does_not_decide_against_its_log() {
    let bug = "Exception in thread \"main\" java.lang.NullPointerException: Cannot invoke \"Rate.value()\"\n";
    let stack = stack(0, 40);
    let log =
        format!("{bug}{stack}\tSuppressed: java.io.IOException: telemetry: Connection refused\n{stack}");
    let watch = Watch::with_replicas(1);
    watch.sim.after_secs(5, move |world| world.set_health(Health::dies("").with_log(&log)));
    let seen = watch.for_minutes(30);
    assert!(seen.lines_with("tripping").is_empty(), "{:?}", seen.lines);
    assert!(!seen.lines_with("application swype-app").is_empty(), "{:?}", seen.lines);
}

/// The events of the pod are read after the log, and change nothing of what the log says.
#[test]
fn a_message_that_was_cut_inside_a_stack_does_not_hide_a_failure_of_the_network() {
    let stack = stack(0, 40);
    let log = format!(
        "{JVM}{stack}\tSuppressed: java.lang.NullPointerException: Cannot invoke \"Rate.value()\"\n{stack}"
    );
    let watch = Watch::with_replicas(1);
    watch.sim.after_secs(5, move |world| world.set_health(Health::dies("").with_log(&log)));
    let seen = watch.until_tripped();
    assert!(seen.tripped(), "{:?}", seen.lines);
}

/// A message that is whole and decides needs no log.
#[test]
fn the_log_of_a_message_that_is_not_cut_is_not_read() {
    let watch = Watch::with_replicas(1);
    let health = Health::dies(common::REFUSED);
    watch.sim.with(|world| {
        (0..100)
            .for_each(|_| world.fault(breaker_core::sim::Fault::Forbid(breaker_core::sim::Call::LogTail)));
    });
    watch.sim.after_secs(5, move |world| world.set_health(health));
    let seen = watch.until_tripped();
    assert!(seen.tripped() && seen.lines_with("warning").is_empty(), "{:?}", seen.lines);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// Law: a stack below a statement changes neither its verdict nor its place, however long the
    /// stack is.
    #[test]
    fn the_length_of_a_stack_changes_no_verdict(
        statement in prop::sample::select(vec![
            JVM,
            "Unhandled exception: Error: connect ECONNREFUSED 10.96.0.7:443\n",
            "panic: dial tcp 10.96.0.7:443: i/o timeout\n",
            "Exception in thread \"main\" java.lang.NullPointerException: Cannot invoke \"Rate.value()\"\n",
            "fatal: getaddrinfo ENOTFOUND swype-gateway.sre\n",
        ]),
        runtime in 0usize..3,
        frames in 17usize..1200,
        noise in 0usize..40,
    ) {
        let before: String = (0..noise).map(|n| format!("INFO payment {n} charged\n")).collect();
        let classifier = Classifier::default();
        let explain = |frames: usize| {
            let log = format!("{before}{statement}{}", stack(runtime, frames));
            let terminated = Terminated { exit_code: 1, reason: "Error".into(), ..Terminated::default() };
            classifier.explain(&Termination::new(terminated, log))
        };
        let short = explain(17);
        prop_assert_ne!(short.verdict.cause, Cause::Unknown);
        prop_assert_eq!(short.place, Some(EvidenceSource::Log(noise + 1)));
        prop_assert_eq!(explain(frames), short);
    }
}
