//! JSON: one document, or one object per line.

use std::io::{self, IsTerminal as _, Write};
use std::num::NonZeroUsize;
use std::sync::mpsc;
use std::thread;

use alert_triage::Report;
use alert_triage::report::IncidentRun;

/// Members of a run, which one thread writes at once; half a megabyte of text.
const MAX_RUN_MEMBERS: usize = 512;

/// Texts that each thread may have ready before the writer takes them.
const MAX_QUEUED: usize = 2;

/// Writes `triage/v1`: indented on a terminal, else on one line, which is half the bytes.
pub(super) fn write_document(
    report: &Report<'_>,
    threads: NonZeroUsize,
    to: &mut impl Write,
) -> io::Result<()> {
    if io::stdout().is_terminal() {
        serde_json::to_writer_pretty(&mut *to, report)?;
        return writeln!(to);
    }
    let runs = report.runs(MAX_RUN_MEMBERS);
    if threads.get() == 1 || runs.len() < 2 {
        serde_json::to_writer(&mut *to, report)?;
        return writeln!(to);
    }
    let (before, after) = report.frame();
    let before = serde_json::to_vec(&before)?;
    // The two objects become one, with the incidents between them.
    to.write_all(before.strip_suffix(b"}").unwrap_or(&before))?;
    to.write_all(b",\"incidents\":[")?;
    thread::scope(|scope| {
        let texts: Vec<_> = (0..threads.get())
            .map(|number| {
                let (send, texts) = mpsc::sync_channel(MAX_QUEUED);
                let own = runs.iter().skip(number).step_by(threads.get()).filter(|run| is_small(run));
                scope.spawn(move || own.map(|run| text(report, run)).try_for_each(|text| send.send(text)));
                texts
            })
            .collect();
        for (number, run) in runs.iter().enumerate() {
            if number > 0 {
                to.write_all(b",")?;
            }
            if is_small(run) {
                let text = texts[number % threads.get()].recv();
                to.write_all(&text.map_err(|_| io::Error::other("a writing thread failed"))??)?;
            } else {
                // An incident of very many members is never in memory as one text.
                write(report, run, to)?;
            }
        }
        io::Result::Ok(())
    })?;
    to.write_all(b"]")?;
    // A group may have a million scopes, so this is not in memory as one text either.
    serde_json::to_writer(ObjectTail { to: &mut *to, is_open: false }, &after)?;
    writeln!(to)
}

/// Writes an object as the rest of another one: a comma replaces its opening brace.
struct ObjectTail<'w, W> {
    to: &'w mut W,
    is_open: bool,
}

impl<W: Write> Write for ObjectTail<'_, W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if text.is_empty() || std::mem::replace(&mut self.is_open, true) {
            return self.to.write(text);
        }
        self.to.write_all(b",")?;
        Ok(1)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn is_small(run: &IncidentRun) -> bool {
    run.members <= MAX_RUN_MEMBERS
}

fn text(report: &Report<'_>, run: &IncidentRun) -> io::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(run.members * 1_280);
    write(report, run, &mut text)?;
    Ok(text)
}

/// Writes the incidents of a run, with commas between them.
fn write(report: &Report<'_>, run: &IncidentRun, to: &mut impl Write) -> io::Result<()> {
    for (number, incident) in report.incidents_in(run.incidents.clone()).enumerate() {
        if number > 0 {
            to.write_all(b",")?;
        }
        serde_json::to_writer(&mut *to, &incident)?;
    }
    Ok(())
}

/// Writes one incident per line, then one line with the rest; `type` distinguishes them.
pub(super) fn write_lines(report: &Report<'_>, to: &mut impl Write) -> io::Result<()> {
    for part in report.parts() {
        serde_json::to_writer(&mut *to, &part)?;
        writeln!(to)?;
    }
    Ok(())
}
