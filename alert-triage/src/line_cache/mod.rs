//! A cache of plain lines, compared byte for byte: most lines of a stream repeat, and need not be
//! parsed again.

mod cache;
mod line_count;
mod slice;

pub(crate) use self::cache::LineCache;
pub(crate) use self::line_count::LineCount;
pub(crate) use self::slice::{LineBatch, LineSlice};
