//! Arbitrary bytes as alerts in every format: no panic, no lost record, and the same report for the
//! input in one part and in two.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../alert-triage/tests/common/any_bytes.rs"]
mod any_bytes;

fuzz_target!(|data: (u16, &[u8])| any_bytes::hold(data.1, usize::from(data.0)));
