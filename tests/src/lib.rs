//! Laws and scenarios across the crates.
