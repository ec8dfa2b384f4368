//! Time and memory of `triage`, compared with a loop that only counts: `just bench-triage`.
//!
//! The benchmark runs the real binary as a child process on generated inputs. The contenders run in
//! turns within every round, so that a busy machine slows all of them. The result is the median of
//! the rounds' ratios. The counting loop's time is that of its loop alone; `triage` is measured
//! from start to exit. No time is asserted: each bar is printed next to the measurement.
//!
//! `cargo bench -p bin-triage --bench triage -- lines jsonl bomb` runs the named parts, or all
//! parts if none is named.

mod bomb;
mod inputs;
mod run;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use self::inputs::{Choice, Lines};
use self::run::{Cost, count, counted, mawk, sort, triage};

const SIZE: u64 = 200_000_000;
const ROUNDS: usize = 9;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let [mode, file] = args.as_slice()
        && mode == "count"
    {
        count(Path::new(file));
        return ExitCode::SUCCESS;
    }
    let is_wanted = |part: &str| args.is_empty() || args.iter().any(|arg| arg == part);
    if let Some(unknown) = args.iter().find(|arg| !["lines", "jsonl", "bomb"].contains(&arg.as_str())) {
        eprintln!("`{unknown}` is not a part of this benchmark: name lines, jsonl or bomb");
        return ExitCode::from(2);
    }
    if is_wanted("lines") {
        for (distinct, choice) in [
            (50_000, Choice::Uniform),
            (50_000, Choice::Zipf),
            (1_000, Choice::Uniform),
            (1_000, Choice::Zipf),
        ] {
            lines(distinct, choice);
        }
    }
    if is_wanted("jsonl") {
        jsonl(1_000);
        jsonl(50_000);
    }
    if is_wanted("bomb") {
        bomb::drop();
    }
    ExitCode::SUCCESS
}

/// The directory of the inputs, which are kept for the next run.
fn made(name: &str, make: impl FnOnce(&Path) -> std::io::Result<()>) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if !path.exists() {
        let unfinished = path.with_extension("unfinished");
        make(&unfinished)
            .and_then(|()| std::fs::rename(&unfinished, &path))
            .expect("the target directory can be written");
    }
    path
}

fn lines(distinct: usize, choice: Choice) {
    let shape = Lines { distinct, choice };
    let input = made(&format!("bench-{distinct}-{choice}.log"), |path| shape.write(path, SIZE));
    println!("\n{} MB of lines, {distinct} distinct, {choice} choice, {ROUNDS} rounds", SIZE / 1_000_000);
    let (mut plain, mut two, mut one, mut awk) = (vec![], vec![], vec![], vec![]);
    // The first round warms the cache.
    for round in 0..=ROUNDS {
        let costs = (counted(&input), triage(&input, 2), triage(&input, 1), mawk(&input));
        if round > 0 {
            plain.push(costs.0);
            two.push(costs.1);
            one.push(costs.2);
            awk.extend(costs.3);
        }
    }
    println!("{:<28}{:>10}{:>18}{:>12}{:>12}", "", "wall", "lowest..highest", "CPU", "peak MB");
    let row = |name: &str, costs: &[Cost]| {
        let wall = ratios(costs, &plain, |cost| cost.wall);
        let cpu = ratios(costs, &plain, |cost| cost.cpu);
        let range = format!("{:.2}..{:.2}", wall[0], wall[wall.len() - 1]);
        println!("{name:<28}{:>9.2}x{range:>18}{:>11.2}x{:>12.1}", median(&wall), median(&cpu), peak(costs));
        median(&wall)
    };
    row("HashMap over fs::read", &plain);
    let wall = row("triage --threads 2", &two);
    row("triage --threads 1", &one);
    if awk.is_empty() {
        println!("{:<28}{:>10}", "mawk", "not installed");
    } else {
        row("mawk, whole lines", &awk);
    }
    match sort(&input) {
        // It takes long and is far from any bar, so it runs once.
        Some(cost) => {
            row("sort | uniq -c, once", &[cost]);
        }
        None => println!("{:<28}{:>10}", "sort | uniq -c", "not installed"),
    }
    bar("wall, --threads 2", wall, "<=", 0.4, "x");
    bar("peak memory, --threads 2", peak(&two), "<=", 64.0, " MB");
}

fn jsonl(distinct: usize) {
    let input = made(&format!("bench-{distinct}.jsonl"), |path| inputs::jsonl(path, SIZE, distinct));
    println!("\n{} MB of JSONL, {distinct} distinct, {ROUNDS} rounds", SIZE / 1_000_000);
    triage(&input, 1);
    let (mut one, mut two) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        one.push(triage(&input, 1));
        two.push(triage(&input, 2));
    }
    let mut rate = 0.0;
    for (name, costs) in [("--threads 2", &two), ("--threads 1", &one)] {
        let mut rates: Vec<f64> = costs.iter().map(|cost| SIZE as f64 / 1e6 / cost.cpu).collect();
        rates.sort_by(f64::total_cmp);
        rate = median(&rates);
        println!("triage {name:<21}{rate:>6.0} MB a second of CPU, peak {:.1} MB", peak(costs));
    }
    bar("per core, --threads 1", rate, ">=", 250.0, " MB/s");
}

/// The sorted ratios of all rounds. A single cost is compared with every round.
fn ratios(costs: &[Cost], plain: &[Cost], of: fn(&Cost) -> f64) -> Vec<f64> {
    let mut ratios: Vec<f64> =
        plain.iter().zip(costs.iter().cycle()).map(|(plain, cost)| of(cost) / of(plain)).collect();
    ratios.sort_by(f64::total_cmp);
    ratios
}

fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}

fn peak(costs: &[Cost]) -> f64 {
    costs.iter().map(|cost| cost.peak).fold(0.0, f64::max)
}

fn bar(what: &str, measured: f64, relation: &str, bar: f64, unit: &str) {
    let is_met = if relation == "<=" { measured <= bar } else { measured >= bar };
    println!(
        "{what}: {measured:.2}{unit}, bar {relation} {bar}{unit}: {}",
        if is_met { "met" } else { "NOT MET" }
    );
}
