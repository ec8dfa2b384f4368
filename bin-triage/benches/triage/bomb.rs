//! Fifty million distinct lines through a pipe, with one critical alert among them.

use std::fmt;
use std::io::{self, BufWriter, Write};

use crate::inputs::zone;
use crate::run::{Cost, fed};

/// What differs between the lines.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// An id in each name.
    Names,
    /// One alert, a scope for each line.
    Zones,
    /// One transient, a scope for each line: all of them are one incident.
    Transients,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Shape::Names => "each of another name",
            Shape::Zones => "one alert, each in another zone",
            Shape::Transients => "one transient, each in another zone",
        })
    }
}

/// The critical alert, the only one of its zone.
const PLANTED: &str = "Zone planted: TooFewEndpointsRegistered";

impl Shape {
    fn write(self, lines: usize, to: &mut dyn Write) -> io::Result<()> {
        let mut to = BufWriter::with_capacity(1 << 20, to);
        for number in 0..lines {
            if number == lines / 2 {
                writeln!(to, "{PLANTED}")?;
            }
            match self {
                Shape::Names => writeln!(to, "Zone {}: Job{number}Lagging", zone(number % 40)),
                Shape::Zones => writeln!(to, "Zone {}: DiskFilling", zone(number)),
                Shape::Transients => {
                    writeln!(to, "Zone {}: EndpointRegistrationTransientFailure", zone(number))
                }
            }?;
        }
        to.flush()
    }
}

pub(crate) fn drop() {
    let mut worst: f64 = 0.0;
    for (shape, lines) in
        [(Shape::Names, 50_000_000), (Shape::Zones, 3_000_000), (Shape::Transients, 3_000_000)]
    {
        println!("\n{lines} distinct lines through a pipe, {shape}; {PLANTED:?} among them");
        for (output, threads) in [("table", 2), ("json", 2)] {
            let (Cost { wall, cpu, peak }, printed) = fed(output, threads, |to| shape.write(lines, to));
            worst = worst.max(peak);
            println!("triage -o {output:<8}{wall:>6.0} s, CPU {cpu:.0} s, peak {peak:.1} MB");
            if output == "table" {
                let says = |what: &str, is_said: bool| {
                    println!("  {what}: {}", if is_said { "yes" } else { "NO" });
                    assert!(is_said, "the report does not say it:\n{printed}");
                };
                let first = printed.lines().find(|line| line.contains("P1")).unwrap_or_default();
                says("the planted alert is the page", first.contains("TooFewEndpointsRegistered"));
                says("it says what was folded into overflow", printed.contains("overflow"));
            }
        }
    }
    crate::bar("peak memory, any shape", worst, "<=", 512.0, " MB");
}
