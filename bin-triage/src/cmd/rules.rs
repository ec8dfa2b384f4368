//! `triage rules`: the rules and heuristics in effect, by id.

use std::io;
use std::process::ExitCode;

use alert_triage::{Rules, printable};

use crate::args::RulesArgs;
use crate::output::print;
use crate::user_file;

pub(crate) fn run(args: &RulesArgs) -> anyhow::Result<ExitCode> {
    if args.builtin {
        print(|out| out.write_all(Rules::builtin_yaml().as_bytes()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let rules = user_file::rules(args.rules.as_deref())?;
    let file = args.rules.as_ref().map(|path| printable(path.display().to_string())).unwrap_or_default();
    let listed = rules.ids();
    let width = listed.iter().map(|row| printable(&row.id).chars().count()).max().unwrap_or(0);
    print(|out| {
        let mut section = "";
        for row in &listed {
            if row.section != section {
                let gap = if section.is_empty() { "" } else { "\n" };
                writeln!(out, "{gap}{}", row.section)?;
                section = row.section;
            }
            let origin = row.line.map_or(String::new(), |line| format!("  [{file}:{line}]"));
            writeln!(out, "  {:width$}  {}{origin}", printable(&row.id), printable(&row.what))?;
        }
        io::Result::Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}
