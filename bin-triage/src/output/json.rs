//! For machines: one document, or one object a line.

use std::io::{self, IsTerminal as _, Write};
use std::num::NonZeroUsize;
use std::sync::mpsc;
use std::thread;

use alert_triage::{Report, Run};

/// Members that are written at once; half a megabyte of text.
const MEMBERS: usize = 512;

/// Texts that a thread may be ahead of whoever writes them down.
const AHEAD: usize = 2;

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
    let before = serde_json::to_vec(&before)?;
    // Two objects become one, with the incidents between them.
    to.write_all(before.strip_suffix(b"}").unwrap_or(&before))?;
    to.write_all(b",\"incidents\":[")?;
    thread::scope(|scope| {
        let texts: Vec<_> = (0..threads.get())
            .map(|number| {
                let (send, texts) = mpsc::sync_channel(AHEAD);
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
                // One incident of very many members is never held whole.
                write(report, run, to)?;
            }
        }
        io::Result::Ok(())
    })?;
    to.write_all(b"]")?;
    // A group may be of a million scopes: it is not held whole either.
    serde_json::to_writer(GoingOn { to: &mut *to, is_open: false }, &behind)?;
    writeln!(to)
}

/// Writes an object as the rest of one: a comma takes the place of its first brace.
struct GoingOn<'w, W> {
    to: &'w mut W,
    is_open: bool,
}

impl<W: Write> Write for GoingOn<'_, W> {
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

fn is_small(run: &Run) -> bool {
    run.members <= MEMBERS
}

fn text(report: &Report<'_>, run: &Run) -> io::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(run.members * 1_280);
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
