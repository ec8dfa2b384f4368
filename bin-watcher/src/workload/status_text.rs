//! The status as text: one fact a line.

use std::fmt;

use breaker_core::printable::one_line;
use breaker_core::snapshot::list_peers;
use breaker_core::state::Override;
use breaker_core::text::plural;
use jiff::{SignedDuration, Timestamp};

use crate::workload::status::{RecordState, Status};

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fact = |name: &str, text: &str| writeln!(f, "{name:<11}{}", one_line(text));
        fact("Target", &self.target)?;
        fact("Phase", &self.phase_line())?;
        match self.override_ {
            Override::Auto => {}
            Override::ForcedOpen => fact("Override", "ForcedOpen: tripped on request")?,
            Override::Disabled => fact("Override", "Disabled: restarts are counted, trips are not made")?,
        }
        fact("Replicas", &self.replicas_line())?;
        if let Some(because) = &self.because {
            fact("Why", &because.to_string())?;
        }
        fact("Counted", &self.counted_line())?;
        if !self.count.by_peer.is_empty() {
            fact("Peers", &list_peers(&self.count.by_peer))?;
        }
        if self.unexamined > 0 {
            let more = plural(self.unexamined as u64, "termination");
            fact("", &format!("{more} not examined yet; `watcher run` examines them"))?;
        }
        if let Some(from) = self.counts_from {
            fact("", &format!("since {from:.0}{}", self.ago(from)))?;
        }
        if let Some(contested) = &self.contested {
            let at = contested.at;
            fact("Contested", &format!("scaled up by {} at {at:.0}{}", contested.by, self.ago(at)))?;
        }
        if self.trips_last_hour > 0 {
            fact("Trips", &format!("{} in the last hour", self.trips_last_hour))?;
        }
        for (at, restart) in self.newest.iter().enumerate() {
            fact(if at == 0 { "Newest" } else { "" }, &restart.to_string())?;
        }
        if let Some(row) = &self.rule_to_add {
            fact("Rule", &format!("for --rules, with the cause that fits: {row}"))?;
        }
        for (at, notice) in self.undelivered.iter().enumerate() {
            let receivers = plural(notice.receivers as u64, "receiver");
            let ago = self.ago(notice.at);
            let line = format!("{} of {:.0}{ago}, to {receivers}", notice.what, notice.at);
            fact(if at == 0 { "Unsent" } else { "" }, &line)?;
        }
        match &self.record {
            RecordState::Stored => {}
            RecordState::None => fact("Record", "none stored")?,
            RecordState::OfANamesake => fact("Record", "of a deleted workload with this name; not used")?,
            RecordState::Unreadable(why) => fact("Record", why)?,
        }
        match &self.undo {
            Some(command) => fact("To undo", command),
            None => Ok(()),
        }
    }
}

impl Status {
    fn phase_line(&self) -> String {
        match self.since {
            Some(since) => format!("{} since {since:.0}{}", self.phase, self.ago(since)),
            None => self.phase.to_string(),
        }
    }

    fn replicas_line(&self) -> String {
        let now = format!("{}, {}", self.replicas, plural(self.pods as u64, "pod"));
        match self.gives_back {
            Some(replicas) => format!("{now}; a reset restores {}", plural(replicas, "replica")),
            None => now,
        }
    }

    fn counted_line(&self) -> String {
        let counts = self.count();
        match counts.need {
            0 => "0, no pods".into(),
            _ => format!("{}, {}", counts.with_causes(&self.count.by_cause), counts.failing_pods()),
        }
    }

    /// ` (9m 5s ago)`; empty for a time in the future, which another machine's clock can set.
    fn ago(&self, at: Timestamp) -> String {
        let Ok(now) = self.time.parse::<Timestamp>() else { return String::new() };
        let passed = SignedDuration::from_secs(now.duration_since(at).as_secs());
        if passed.is_negative() { String::new() } else { format!(" ({passed:#} ago)") }
    }
}
