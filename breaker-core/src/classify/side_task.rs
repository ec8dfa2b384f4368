//! Side tasks: telemetry, clean-up, notification. Their failure explains no end.
//!
//! An exporter flushes when its process ends, and a service deregisters. If they fail then, their
//! message is the last one, after the statement that ended the process.

use super::block::Block;
use super::level::Level;
use super::rule::Strength;
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

/// Marks the blocks that say why the side task failed that the block directly above reports.
///
/// The end of the process, which a crash is, has its own reason.
pub(super) fn mark_reasons(read: &Read<'_>, blocks: &mut [Block]) {
    for n in 1..blocks.len() {
        let [above, block] = [&blocks[n - 1], &blocks[n]];
        let blank = |line: usize| read.text.written(line).trim().is_empty();
        let adjacent = || above.lines.iter().max().is_some_and(|last| (last + 1..block.head).all(blank));
        let reports = read.seen[above.head].effect.is_some() || above.classes.has(WordClass::Trouble);
        let announces = read.text.written(above.head).trim_end().ends_with(':');
        let has_reason = || {
            let says = [WordClass::Failure, WordClass::NamedFailure].iter().any(|c| above.classes.has(*c));
            says || above.lines.iter().any(|line| read.seen[*line].first_hit(Strength::Cause).is_some())
        };
        blocks[n].is_reason_of_side_task = reports
            && block.level <= above.level.clamp(Level::Plain, Level::Error)
            && adjacent()
            && (announces || !has_reason())
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
    use super::super::Classifier;

    fn label(text: &str) -> String {
        Classifier::default().read(text).label()
    }

    #[test]
    fn the_reason_of_a_failed_side_task_may_be_a_statement_of_its_own() {
        let reason = "dial tcp 10.43.7.21:443: connect: connection refused";
        for report in ["Error releasing the lock of the ledger", "ERROR [ElasticAPM] no server:"] {
            assert_eq!(label(&format!("{report}\n{reason}\n")), "unknown", "{report}");
            // A crash has its own reason, and so has a later statement.
            assert_eq!(label(&format!("{report}\npanic: {reason}\n")), "network:refused", "{report}");
            assert_eq!(label(&format!("{report}\nledger opened\n{reason}\n")), "network:refused", "{report}");
        }
        let named = "Error releasing the lock of the ledger: i/o timeout";
        assert_eq!(label(&format!("{named}\nERROR {reason}\n")), "network:refused");
    }
}
