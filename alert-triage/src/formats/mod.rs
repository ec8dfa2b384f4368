//! Formats that are described by data: built-in rows and those of a rules file.

mod apply;
mod builtin;
mod field;
mod field_path;
mod format_row;
mod label_fields;
mod label_text;
mod located;
mod mapped_format;
mod text_blocks;
mod text_rows;

pub(crate) use self::apply::{Applied, apply};
pub(crate) use self::builtin::{FORMATS, builtin, builtin_ids, builtin_json, builtin_lines};
pub(crate) use self::format_row::{FormatRow, Shape};
pub(crate) use self::label_fields::is_label;
pub(crate) use self::located::Located;
pub(crate) use self::mapped_format::MappedFormat;
pub(crate) use self::text_blocks::{Block, blocks};
pub(crate) use self::text_rows::{columns, logfmt, table};
