//! How an input is read: its format, and each record as it was understood. For people who describe
//! a format, and for the examples of formats.

mod examples;
mod listed_format;
mod reading;

pub use self::examples::ExampleFailure;
pub use self::listed_format::ListedFormat;
pub use self::reading::Reading;
