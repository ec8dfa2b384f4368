//! Side tasks: telemetry, clean-up, notification. Their failure explains no end.
//!
//! An exporter flushes when its process ends, and a service deregisters. If they fail then, their
//! message is the last one, after the statement that ended the process.

use super::block::Block;
use super::level::Level;
use super::table::Read;
use super::words::{Word, WordClass};

/// Whether a statement is about a side task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SideTask {
    No,
    /// It names what side tasks and other programs use, such as a port.
    Maybe,
    Yes,
}

/// How a statement begins that is only the reason of the one above it. "Caused by: " joins a block.
const REASONS: [&str; 3] = ["error message: ", "reason: ", "details: "];

/// Marks the blocks that say why the side task failed that the block directly above reports: it
/// ends with a colon, or the block begins with a word for a reason.
///
/// Any other statement is one of its own, since in an outage telemetry fails as well as the
/// service. So is a crash.
pub(super) fn mark_reasons(read: &Read<'_>, blocks: &mut [Block]) {
    for n in 1..blocks.len() {
        let [above, block] = [&blocks[n - 1], &blocks[n]];
        let blank = |line: usize| read.text.written(line).trim().is_empty();
        let adjacent = || above.lines.iter().max().is_some_and(|last| (last + 1..block.head).all(blank));
        let announced = || read.text.written(above.head).trim_end().ends_with(':');
        let labelled = || REASONS.iter().any(|label| read.text.folded(block.head).starts_with(label));
        blocks[n].is_reason_of_side_task = block.level <= above.level.clamp(Level::Plain, Level::Error)
            && (announced() || labelled())
            && adjacent()
            && of(read, above) == SideTask::Yes;
    }
}

/// Whether the block is the failure of a side task, with this folded first line.
///
/// A side task that fails while the process starts, or that is logged as fatal, ends the process.
pub(super) fn of(read: &Read<'_>, block: &Block) -> SideTask {
    let head = read.text.folded(block.head);
    // A process that will try again does not end here.
    if block.classes.has(WordClass::Startup) && !block.classes.has(WordClass::Retry) {
        return SideTask::No;
    }
    // A thread that is not the main thread ends alone.
    let own_thread = head.starts_with("exception in thread") && !head.contains("main");
    let survived = block.level < Level::Fatal || own_thread;
    let anywhere = |class| [block.classes, block.frame_classes].iter().any(|classes| classes.has(class));
    // PHP names the file in the statement itself.
    let frames = anywhere(WordClass::SideTaskFrame);
    let hinted = anywhere(WordClass::SideTaskHint);
    // OpenTelemetry for Node.js prints the error object alone.
    let frames = frames || hinted && head.starts_with("{\"stack\":");
    let named = || block.classes.has(WordClass::SideTask) || is_composed(read, block);
    // A warning claims less than an error.
    let weak = || block.level <= Level::Warn && block.classes.has(WordClass::SideTaskHint);
    if block.is_reason_of_side_task || frames || survived && (named() || weak()) {
        SideTask::Yes
    } else if survived && block.classes.has(WordClass::SideTaskHint) {
        SideTask::Maybe
    } else {
        SideTask::No
    }
}

/// The maximum distance between an action and its object, in bytes.
const MAX_DISTANCE: usize = 40;

/// Whether a line of the block joins an action of side tasks with its object: "posting the usage",
/// "lock not released".
fn is_composed(read: &Read<'_>, block: &Block) -> bool {
    let has = |class: WordClass| block.classes.has(class);
    has(WordClass::SideAction)
        && has(WordClass::SideObject)
        && block.lines.iter().any(|line| joins(read.text.folded(*line), &read.words(*line)))
}

fn joins(line: &str, words: &[Word]) -> bool {
    let of =
        |class: WordClass| words.iter().filter(move |word| word.class == class && !word.is_parameter(line));
    of(WordClass::SideObject).any(|object| {
        of(WordClass::SideAction).any(|action| {
            let apart = action.end <= object.start || object.end <= action.start;
            let gap = object.start.saturating_sub(action.end).max(action.start.saturating_sub(object.end));
            apart && gap <= MAX_DISTANCE
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::label;

    #[test]
    fn the_reason_of_a_failed_side_task_may_be_a_statement_of_its_own() {
        let refused = "dial tcp 10.43.7.21:443: connect: connection refused";
        let lock = "Error releasing the lock of the ledger";
        for text in [
            format!("{lock}\n\nError message: {refused}\n"),
            format!("ERROR [ElasticAPM] no server:\n{refused}\n"),
        ] {
            assert_eq!(label(&text), "unknown", "{text}");
        }
        // In an outage telemetry fails as well as the service.
        for text in [
            format!("{lock}\n{refused}\n"),
            format!("{lock}\nERROR {refused}\n"),
            format!("{lock}:\npanic: {refused}\n"),
            format!("{lock}:\nledger opened\n{refused}\n"),
        ] {
            assert_eq!(label(&text), "network:refused", "{text}");
        }
    }
}
