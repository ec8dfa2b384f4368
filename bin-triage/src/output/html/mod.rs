//! One self-contained HTML page: no script, nothing fetched, readable in print and on a phone.

mod page;
mod scale;
mod timeline;

pub(super) use self::page::write;
