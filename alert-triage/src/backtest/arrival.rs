//! Records in the order in which they arrived.

use jiff::Timestamp;

use crate::ledger::Engine;
use crate::record::Record;
use crate::source_position::SourcePosition;

/// A record and the time at which it arrived.
#[derive(Debug)]
pub(super) struct Arrival {
    /// `None` if neither this record nor an earlier one of its source has a time.
    pub(super) at: Option<Timestamp>,
    pub(super) position: SourcePosition,
    pub(super) record: Record<'static>,
    /// Index among the records of that position.
    pub(super) index: u32,
}

/// Takes the records out of a recording engine, in the order of their arrival.
pub(super) fn arrivals(engine: &mut Engine) -> Vec<Arrival> {
    let mut arrivals: Vec<Arrival> = Vec::new();
    let mut before: Option<(SourcePosition, Option<Timestamp>, u32)> = None;
    for (position, record) in engine.take_records() {
        let same_source = before.filter(|(known, ..)| known.source() == position.source());
        // A record without a time arrives with the record before it.
        let at = record.newest().or(same_source.and_then(|(_, at, _)| at));
        let index = before.filter(|(known, ..)| *known == position).map_or(0, |(.., index)| index + 1);
        before = Some((position, at, index));
        arrivals.push(Arrival { at, position, record, index });
    }
    arrivals.sort_by_key(|arrival| arrival.at);
    arrivals
}
