//! The time of a verdict, as a ratio to a plain `aho-corasick` scan of the same texts for the same
//! phrases.
//!
//! The texts are the log tails of the corpus, each repeated to 2,048 bytes. Both sides take turns
//! within every round, so that a busy machine slows both. The report shows the ratio of each round.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aho_corasick::AhoCorasick;
use breaker_core::pod::Terminated;
use breaker_core::{Classifier, Termination};
use serde_json::Value;

/// The size of a log tail, in bytes, as the kubelet keeps it.
const TAIL_BYTES: usize = 2048;
const ROUNDS: usize = 40;
const MAX_RATIO: f64 = 4.0;

fn main() {
    let tails = log_tails();
    let phrases = phrases();
    let plain = AhoCorasick::builder().ascii_case_insensitive(true).build(&phrases).expect("phrases compile");
    let classifier = Classifier::default();
    let scan = |words: &Termination| plain.find_iter(&words.log_tail).count();
    let classify = |words: &Termination| classifier.classify(words).rule.len();

    let mut ratios = Vec::new();
    let mut each: Vec<(Duration, Duration)> = vec![(Duration::MAX, Duration::MAX); tails.len()];
    for _ in 0..ROUNDS {
        let (mut scans, mut verdicts) = (Duration::ZERO, Duration::ZERO);
        for (words, best) in tails.iter().zip(&mut each) {
            let (a, b) = (timed(|| scan(words)), timed(|| classify(words)));
            scans += a;
            verdicts += b;
            *best = (best.0.min(a), best.1.min(b));
        }
        ratios.push(verdicts.as_secs_f64() / scans.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    let ratio = ratios[ROUNDS / 2];
    let mut single: Vec<f64> = each.iter().map(|(a, b)| b.as_secs_f64() / a.as_secs_f64()).collect();
    single.sort_by(f64::total_cmp);
    let micros = |of: fn(&(Duration, Duration)) -> Duration| {
        each.iter().map(of).sum::<Duration>().as_secs_f64() * 1e6 / tails.len() as f64
    };
    println!("{} log tails of {TAIL_BYTES} bytes, {} phrases, {ROUNDS} rounds", tails.len(), phrases.len());
    println!("plain scan  {:>8.1} us", micros(|(a, _)| *a));
    println!("verdict     {:>8.1} us", micros(|(_, b)| *b));
    println!(
        "ratio       {ratio:>8.2}   (limit {MAX_RATIO}; lowest round {:.2}, highest {:.2})",
        ratios[0],
        ratios[ROUNDS - 1]
    );
    println!("slowest single text {:.2}", single[single.len() - 1]);
    let growth = steepest_growth(&classifier);
    if ratio > MAX_RATIO || growth > MAX_GROWTH {
        std::process::exit(1);
    }
}

/// The maximum growth of the time when the text doubles: 2 is linear, the rest is noise.
const MAX_GROWTH: f64 = 3.0;

/// The steepest growth of the time from half to full size, over the slowest known texts.
fn steepest_growth(classifier: &Classifier) -> f64 {
    let slow: [(&str, String); 7] = [
        (
            "starts of long phrases, no rest",
            "failed to connect to cannot reach could not connect ".repeat(400),
        ),
        ("literals that wake a regex", "status 4 error 5 os error connect to a:b: ".repeat(400)),
        ("words of every list", "error fail retry connected shutdown lost warning: ".repeat(400)),
        ("one letter a line", "x\n".repeat(10_000)),
        ("frames", "\tat a.b.C(D.java:1)\nCaused by: e: f\n".repeat(400)),
        (
            "a stack in JSON",
            format!("{{\"level\":\"error\",\"s\":\"{}\"}}", "Caused by: x\\n\\tat y\\n".repeat(170)),
        ),
        ("almost secrets", "token password= Authorization: a://b:c ".repeat(400)),
    ];
    println!("\n{:<34}{:>10}{:>10}{:>8}", "slow texts", "2 KiB us", "4 KiB us", "growth");
    let mut steepest = 0.0_f64;
    for (name, text) in slow {
        let micros = |bytes: usize| {
            // The end of the text is kept, so that JSON keeps its closing brace.
            let from = text.len().saturating_sub(bytes);
            let terminated = Terminated { exit_code: 1, ..Terminated::default() };
            let words = Termination::new(terminated, &text[from..]);
            (0..200).map(|_| timed(|| classifier.classify(&words))).min().unwrap_or_default().as_secs_f64()
                * 1e6
        };
        let (half, full) = (micros(TAIL_BYTES), micros(2 * TAIL_BYTES));
        println!("{name:<34}{half:>10.1}{full:>10.1}{:>8.2}", full / half);
        steepest = steepest.max(full / half);
    }
    steepest
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let from = Instant::now();
    black_box(work());
    from.elapsed()
}

/// Every phrase of the rules, split at ` ... `, which matches anything.
fn phrases() -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Row {
        #[serde(default)]
        phrases: Vec<String>,
    }
    let rows: Vec<Row> = serde_saphyr::from_str(include_str!("../src/classify/rules.yaml")).expect("rules");
    let parts = rows.iter().flat_map(|row| &row.phrases).flat_map(|phrase| phrase.split("..."));
    let mut parts: Vec<String> =
        parts.map(|part| part.trim().to_lowercase()).filter(|p| !p.is_empty()).collect();
    parts.sort();
    parts.dedup();
    parts
}

fn log_tails() -> Vec<Termination> {
    let corpus = include_str!("../tests/corpus/terminations-dev.jsonl");
    let cases = corpus.lines().map(|line| serde_json::from_str::<Value>(line).expect("a case a line"));
    cases.filter_map(|case| long(case["logTail"].as_str()?)).collect()
}

/// The end of copies of `text`, `TAIL_BYTES` bytes long; `None` for a text below 200 bytes.
fn long(text: &str) -> Option<Termination> {
    if text.len() < 200 {
        return None;
    }
    let copies = text.repeat(TAIL_BYTES / text.len() + 1);
    let mut start = copies.len() - TAIL_BYTES;
    while !copies.is_char_boundary(start) {
        start += 1;
    }
    let terminated = Terminated { exit_code: 1, reason: "Error".into(), ..Terminated::default() };
    Some(Termination::new(terminated, &copies[start..]))
}
