//! What an input looks like of which nothing could be read.

mod appearance;
mod binary;
mod describe;
mod error_answer;
mod json;
mod partial_json;
mod text;

pub(crate) use self::describe::describe;
pub(crate) use self::error_answer::error_answer;
pub(crate) use self::partial_json::first_value;
