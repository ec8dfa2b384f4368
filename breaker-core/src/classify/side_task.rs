//! Side tasks: telemetry, clean-up, notification. Their failure explains no end.
//!
//! An exporter flushes when its process ends, and a service deregisters. If they fail then, their
//! message is the last one, after the statement that ended the process.

use super::block::Block;
use super::level::Level;
use super::words::WordClass;

/// Whether a statement is about a side task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SideTask {
    No,
    /// It names what side tasks and other programs use, such as a port.
    Maybe,
    Yes,
}

/// Whether the block is the failure of a side task, with this folded first line.
///
/// A side task that fails while the process starts, or that is logged as fatal, ends the process.
pub(super) fn of(block: &Block, head: &str) -> SideTask {
    // A process that will try again does not end here.
    if block.classes.has(WordClass::Startup) && !block.classes.has(WordClass::Retry) {
        return SideTask::No;
    }
    // A thread that is not the main thread ends alone.
    let own_thread = head.starts_with("exception in thread") && !head.contains("main");
    let survived = block.level < Level::Fatal || own_thread;
    let frames = block.frame_classes.has(WordClass::SideTaskFrame);
    let hinted =
        [block.classes, block.frame_classes].iter().any(|classes| classes.has(WordClass::SideTaskHint));
    // OpenTelemetry for Node.js prints the error object alone.
    let frames = frames || hinted && head.starts_with("{\"stack\":");
    if frames || survived && block.classes.has(WordClass::SideTask) {
        SideTask::Yes
    } else if survived && block.classes.has(WordClass::SideTaskHint) {
        SideTask::Maybe
    } else {
        SideTask::No
    }
}
