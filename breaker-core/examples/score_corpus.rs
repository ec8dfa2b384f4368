//! Scores the classifier on labelled terminations, one JSON object a line.
//!
//! `cargo run --example score_corpus < corpus.jsonl`

#[path = "../tests/common/corpus.rs"]
mod corpus;

use std::io::Read;

use breaker_core::Classifier;
use corpus::{Score, cases};

fn main() -> std::io::Result<()> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let score = Score::new(&Classifier::default(), &cases(&text));
    score.misses.iter().for_each(|miss| println!("{miss}"));
    score.print("standard input");
    println!("called network and are not: {}", score.false_alarms.join(", "));
    Ok(())
}
