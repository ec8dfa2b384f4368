//! What would change an incident. Each change is applied to a copy of the related alerts, which are
//! then evaluated again.

mod alerts;
mod changes;
mod counterfactual;
mod endings;
mod rules;
mod simulation;
mod time;

pub(super) use self::changes::what_ifs;
pub use self::counterfactual::{Counterfactual, WhatIf};
