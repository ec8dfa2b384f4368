//! Prints the cause of a termination, from the end of a log.
//!
//! `cargo run --example classify_log < app.log`

use std::io::Read;

use breaker_core::Classifier;

fn main() -> std::io::Result<()> {
    let mut log = String::new();
    std::io::stdin().read_to_string(&mut log)?;
    let verdict = Classifier::default().read(&log);
    println!("{} (rule {}): {}", verdict.label(), verdict.rule, verdict.quote);
    Ok(())
}
