//! The breaker: a pure state machine over a ledger of restarts and a cache of pods.
//!
//! Every input may change the ledger, the cache or the state, and may cause actions. An action that
//! changes the cluster waits until the Record that names it is stored:
//!
//! ```text
//! trips -> SaveRecord(Tripping) -> RecordSaved -> check -> WriteScale(0)
//!       -> ScaleWritten -> SaveRecord(Open)
//! with a hook: RecordSaved -> ReadScale -> CallHook -> HookAnswered -> ReadScale -> check
//!       -> WriteScale(0)
//! ```
//!
//! The check is in `scale.rs`, the only place that writes 0: the Record with this trip is stored,
//! the pods are known as of now and still ask for the trip, and the replicas are those of the
//! Record. After an answer that is not understood the scale or the Record is read again, and the
//! breaker goes on from what is there.

mod clock_skew;
mod clock_step;
mod commands;
mod contest;
mod decide;
mod episode;
mod hold;
mod holds;
mod hook;
mod hook_calls;
mod machine;
mod notify;
mod outbox;
mod owner_requests;
mod pods;
mod publish;
mod record_saves;
mod recover;
mod requests;
mod restarts;
mod retries;
mod retry;
mod save;
mod scale;
mod scale_reads;
mod target_events;
mod trip;
mod watch_state;

pub use self::machine::Breaker;
