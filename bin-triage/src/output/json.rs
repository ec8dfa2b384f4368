//! For machines: one document, or one object a line.

use std::io::{self, IsTerminal as _, Write};
use std::num::NonZeroUsize;
use std::thread;

use alert_triage::{Report, Run};

/// Members that are written at once; some megabytes of text.
const MEMBERS: usize = 4_096;

/// `triage/v1`, complete. Indented for eyes; on one line for programs, which is half the bytes.
pub(super) fn document(report: &Report<'_>, threads: NonZeroUsize, to: &mut impl Write) -> io::Result<()> {
    if io::stdout().is_terminal() {
        serde_json::to_writer_pretty(&mut *to, report)?;
        return writeln!(to);
    }
    let runs = report.runs(MEMBERS);
    if threads.get() == 1 || runs.len() < 2 {
        serde_json::to_writer(&mut *to, report)?;
        return writeln!(to);
    }
    let (before, behind) = report.frame();
    let (before, behind) = (serde_json::to_vec(&before)?, serde_json::to_vec(&behind)?);
    // Two objects become one, with the incidents between them.
    to.write_all(before.strip_suffix(b"}").unwrap_or(&before))?;
    to.write_all(b",\"incidents\":[")?;
    let mut is_first = true;
    for round in runs.chunks(threads.get()) {
        let texts = thread::scope(|scope| {
            let small = |run: &&Run| run.members <= MEMBERS;
            let threads: Vec<_> = round
                .iter()
                .map(|run| Some(run).filter(small).map(|run| scope.spawn(|| text(report, run))))
                .collect();
            let text = |thread: thread::ScopedJoinHandle<'_, io::Result<Vec<u8>>>| {
                thread.join().unwrap_or_else(|_| Err(io::Error::other("a writing thread failed")))
            };
            threads.into_iter().map(|thread| thread.map(text).transpose()).collect::<io::Result<Vec<_>>>()
        })?;
        for (run, text) in round.iter().zip(texts) {
            if !std::mem::take(&mut is_first) {
                to.write_all(b",")?;
            }
            match text {
                Some(text) => to.write_all(&text)?,
                // One incident of very many members is never held whole.
                None => write(report, run, to)?,
            }
        }
    }
    to.write_all(b"],")?;
    to.write_all(behind.strip_prefix(b"{").unwrap_or(&behind))?;
    writeln!(to)
}

fn text(report: &Report<'_>, run: &Run) -> io::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(run.members * 1_024);
    write(report, run, &mut text)?;
    Ok(text)
}

/// The incidents, with commas between them.
fn write(report: &Report<'_>, run: &Run, to: &mut impl Write) -> io::Result<()> {
    for (number, incident) in report.incidents_in(run.incidents.clone()).enumerate() {
        if number > 0 {
            to.write_all(b",")?;
        }
        serde_json::to_writer(&mut *to, &incident)?;
    }
    Ok(())
}

/// One incident a line, then one line for the rest; `type` tells them apart.
pub(super) fn lines(report: &Report<'_>, to: &mut impl Write) -> io::Result<()> {
    for part in report.parts() {
        serde_json::to_writer(&mut *to, &part)?;
        writeln!(to)?;
    }
    Ok(())
}
