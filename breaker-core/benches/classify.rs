//! The time of a verdict, as a ratio to a plain `aho-corasick` scan of the same texts for the same
//! phrases.
//!
//! The texts are the log tails of the corpus, each repeated to 2,048 bytes and then to 16 KiB, the
//! most that a verdict reads. Both sides take turns within every round, so that a busy machine
//! slows both. The report shows the median ratio of the rounds.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aho_corasick::AhoCorasick;
use breaker_core::pod::Terminated;
use breaker_core::{Classifier, Termination};
use serde_json::Value;

/// The size of a log tail, in bytes, as the kubelet keeps it.
const TAIL_BYTES: usize = 2048;
/// The sizes of the texts, in bytes, with the maximum ratio for each.
const SIZES: [(usize, f64); 2] = [(TAIL_BYTES, 4.0), (16 * 1024, 5.0)];
const ROUNDS: usize = 40;

fn main() {
    let phrases = phrases();
    let plain = AhoCorasick::builder().ascii_case_insensitive(true).build(&phrases).expect("phrases compile");
    let classifier = Classifier::default();
    println!("{} phrases, {ROUNDS} rounds", phrases.len());
    let ratios = SIZES.map(|(bytes, limit)| ratio(&plain, &classifier, bytes, limit) <= limit);
    let growth = steepest_growth(&classifier);
    if ratios.contains(&false) || growth > MAX_GROWTH {
        std::process::exit(1);
    }
}

/// The median ratio for texts of this size.
fn ratio(plain: &AhoCorasick, classifier: &Classifier, bytes: usize, limit: f64) -> f64 {
    let tails = log_tails(bytes);
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
    let slowest = each.iter().map(|(a, b)| b.as_secs_f64() / a.as_secs_f64()).fold(0.0, f64::max);
    let micros = |of: fn(&(Duration, Duration)) -> Duration| {
        each.iter().map(of).sum::<Duration>().as_secs_f64() * 1e6 / tails.len() as f64
    };
    println!("{} log tails of {bytes} bytes", tails.len());
    println!("plain scan  {:>8.1} us", micros(|(a, _)| *a));
    println!("verdict     {:>8.1} us", micros(|(_, b)| *b));
    println!(
        "ratio       {ratio:>8.2}   (limit {limit}; lowest round {:.2}, highest {:.2}, slowest text {slowest:.2})",
        ratios[0],
        ratios[ROUNDS - 1]
    );
    ratio
}

/// The maximum growth of the time when the text doubles: 2 is linear, the rest is noise.
const MAX_GROWTH: f64 = 3.0;

/// The steepest growth of the time from half to full size, over the slowest known texts.
fn steepest_growth(classifier: &Classifier) -> f64 {
    let slow: [(&str, &str); 6] = [
        ("starts of long phrases, no rest", "failed to connect to cannot reach could not connect "),
        ("literals that wake a regex", "status 4 error 5 os error connect to a:b: "),
        ("words of every list", "error fail retry connected shutdown lost warning: "),
        ("one letter a line", "x\n"),
        ("frames", "\tat a.b.C(D.java:1)\nCaused by: e: f\n"),
        ("almost secrets", "token password= Authorization: a://b:c "),
    ];
    let repeated = |unit: &str, bytes: usize| {
        let text = unit.repeat(bytes / unit.len() + 1);
        text[text.len() - bytes..].to_owned()
    };
    // A whole record at both sizes: without its beginning, it is one long line.
    let record = |bytes: usize| {
        let stack = "Caused by: x\\n\\tat y\\n";
        format!("{{\"level\":\"error\",\"s\":\"{}\"}}", stack.repeat(bytes / stack.len()))
    };
    let all = slow
        .iter()
        .map(|(name, unit)| (*name, [TAIL_BYTES, 2 * TAIL_BYTES].map(|bytes| repeated(unit, bytes))));
    let all = all.chain([("a stack in JSON", [TAIL_BYTES, 2 * TAIL_BYTES].map(record))]);
    println!("\n{:<34}{:>10}{:>10}{:>8}", "slow texts", "2 KiB us", "4 KiB us", "growth");
    let mut steepest = 0.0_f64;
    for (name, texts) in all {
        let [half, full] = texts.map(|text| {
            let terminated = Terminated { exit_code: 1, ..Terminated::default() };
            let words = Termination::new(terminated, text);
            let runs = (0..200).map(|_| timed(|| classifier.classify(&words)));
            runs.min().unwrap_or_default().as_secs_f64() * 1e6
        });
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

fn log_tails(bytes: usize) -> Vec<Termination> {
    let corpus = include_str!("../tests/corpus/terminations-dev.jsonl");
    let cases = corpus.lines().map(|line| serde_json::from_str::<Value>(line).expect("a case a line"));
    cases.filter_map(|case| long(case["logTail"].as_str()?, bytes)).collect()
}

/// The end of copies of `text`, with this number of bytes; `None` for a text below 200 bytes.
fn long(text: &str, bytes: usize) -> Option<Termination> {
    if text.len() < 200 {
        return None;
    }
    let copies = text.repeat(bytes / text.len() + 1);
    let mut start = copies.len() - bytes;
    while !copies.is_char_boundary(start) {
        start += 1;
    }
    let terminated = Terminated { exit_code: 1, reason: "Error".into(), ..Terminated::default() };
    Some(Termination::new(terminated, &copies[start..]))
}
