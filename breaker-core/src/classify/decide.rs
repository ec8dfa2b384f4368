//! Which words decide: the fatal statement and its innermost cause, not any line about a socket.
//!
//! Blocks are asked from the last one backwards. Goodbyes and hints are passed over. A statement that
//! names its cause decides. One that only says that something was given up (a *symptom*, or "… failed")
//! sends the question to the words before it, until a line says that things went on. Past an error that
//! no rule explains, nothing can be network any more: what came before it was survived.

use super::block::{Block, blocks};
use super::line::{self, Level};
use super::rule::Says;
use super::table::{Hits, Table};
use crate::Cause;

/// The row that decided, and the words it decided on.
#[derive(Debug, Clone)]
pub(super) struct Decision<'t> {
    pub(super) row: u16,
    pub(super) says: Says,
    pub(super) level: Level,
    pub(super) line: &'t str,
    /// Where the row's words begin in the folded line.
    pub(super) at: usize,
}

/// Lines without a rule that may follow an error before it stops being the last word.
const PASSABLE: usize = 4;

/// The decision on cleaned last words; `None` when no rule explains them.
pub(super) fn decide<'t>(table: &Table, text: &'t str) -> Option<Decision<'t>> {
    let asked: Vec<Asked<'t>> = blocks(text).into_iter().map(|block| ask(table, block)).collect();
    let whole = asked.iter().filter_map(|a| a.whole.as_ref()).min_by_key(|d| d.row);
    match whole {
        Some(whole) => Some(whole.clone()),
        None => walk(table, &asked),
    }
}

/// A block with what the table says of it.
struct Asked<'t> {
    level: Level,
    head: String,
    whole: Option<Decision<'t>>,
    best: Option<Decision<'t>>,
}

fn ask<'t>(table: &Table, block: Block<'t>) -> Asked<'t> {
    let hits: Vec<Hits> = block.words.iter().map(|w| table.hits(&w.folded)).collect();
    let level = block.level;
    let decision = |says: Says| {
        let found = hits.iter().zip(&block.words).filter_map(|(hits, words)| {
            hits.of(says).map(|(row, at)| Decision { row, says, level, line: words.line, at })
        });
        match says {
            Says::Whole => found.min_by_key(|d| d.row),
            _ => found.into_iter().next(),
        }
    };
    Asked {
        whole: decision(Says::Whole),
        best: [Says::Cause, Says::Symptom, Says::Hint].into_iter().find_map(decision),
        level,
        head: block.head,
    }
}

/// How far the question has been passed back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Looking {
    /// For the statement itself.
    ForStatement,
    /// For the reason of an effect: "… failed", "giving up".
    ForReason,
    /// For the reason of a symptom a rule knows: a client that has stopped retrying.
    ForRetries,
}

fn walk<'t>(table: &Table, asked: &[Asked<'t>]) -> Option<Decision<'t>> {
    let mut looking = Looking::ForStatement;
    let mut fallback: Option<Decision<'t>> = None;
    let mut passed = 0;
    let mut unexplained = false;
    for block in asked.iter().rev() {
        let recovery = line::is_recovery(&block.head);
        let reachable = match block.level {
            Level::Fatal | Level::Error => true,
            Level::Plain => passed == 0 || looking != Looking::ForStatement,
            Level::Warn => match looking {
                Looking::ForRetries => true,
                Looking::ForReason => !recovery,
                Looking::ForStatement => passed == 0 && !recovery,
            },
            Level::Info => false,
        };
        if let Some(decision) = block.best.as_ref().filter(|_| reachable) {
            let network = table.row(decision.row).cause == Cause::Network;
            match decision.says {
                _ if network && unexplained => return fallback,
                Says::Symptom => {
                    fallback.get_or_insert_with(|| decision.clone());
                    looking = Looking::ForRetries;
                }
                Says::Hint if fallback.is_some() => {}
                Says::Hint if line::is_effect(&block.head) => {
                    fallback = Some(decision.clone());
                    looking = Looking::ForReason;
                }
                _ => return Some(decision.clone()),
            }
            continue;
        }
        if line::is_chatter(&block.head) && block.level != Level::Fatal {
            if looking == Looking::ForStatement && line::is_effect(&block.head) {
                looking = Looking::ForReason;
            }
            continue;
        }
        match block.level {
            Level::Fatal | Level::Error if block.best.is_none() => {
                if line::is_effect(&block.head) {
                    looking = if looking == Looking::ForRetries { looking } else { Looking::ForReason };
                } else if looking == Looking::ForStatement {
                    unexplained = true;
                }
            }
            Level::Plain if block.best.is_none() && line::is_effect(&block.head) && !recovery => {
                if looking == Looking::ForStatement {
                    looking = Looking::ForReason;
                }
            }
            _ if recovery && looking != Looking::ForRetries => break,
            Level::Plain | Level::Info | Level::Warn | Level::Error | Level::Fatal => {
                passed += 1;
                if looking == Looking::ForStatement && passed > PASSABLE {
                    break;
                }
            }
        }
    }
    fallback
}
