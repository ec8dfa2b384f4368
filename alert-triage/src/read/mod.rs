//! From bytes to records: the formats, and telling them apart.
//!
//! | format | name | labels | severity | state | times | key |
//! |---|---|---|---|---|---|---|
//! | lines | `{alert}` of the template | other captures | capture `{severity}` | capture `{status}`, else an event | leading time | - |
//! | JSONL | `labels.alertname`, else `alertname`, `alert`, `name` | `labels`, else the well-known ones of the object | label | `status`, `state`, else an event | `startsAt`, `endsAt`, else `timestamp`, `time`, `ts` | labels and `startsAt` |
//! | Alertmanager webhook v4 | `labels.alertname` | `labels` | label | the alert's `status` | `startsAt`, `endsAt` | labels and `startsAt` |
//! | Grafana webhook | the same | the same | label | the alert's `status` | `startsAt`, `endsAt` | `fingerprint`, labels and `startsAt` |
//! | Alertmanager API v2, GET | the same | the same | label | active; silenced, inhibited by `status` | `startsAt`, `updatedAt`; `endsAt` is a time-out | labels and `startsAt` |
//! | Alertmanager API v2, POST | the same | the same | label | firing until `endsAt` | `startsAt`, `endsAt` | labels and `startsAt` |
//! | Prometheus `/api/v1/alerts` | the same | the same | label | `state`: pending, firing | `activeAt` | labels and `activeAt` |
//! | PagerDuty Events v2 | `payload.class`, else `summary` by the line templates, else `summary` | well-known ones of `custom_details`; `component`, `group`, `source` | `payload.severity` | `event_action` | `payload.timestamp` | `dedup_key` |
//! | CloudEvents | `data.alertname`, else `subject` | of `data` | of `data` | `data.status`, else the end of `type` | `data.startsAt`, else `time` | labels and time |
//! | syslog (RFC 5424, RFC 3164) | message by the line templates, else MSGID, else the app's name | captures; `host`, `app` | of the priority, unless captured | an event | of the header | - |

mod alert;
mod detect;
mod input;
mod json;
mod line;
mod lines;
mod object;
mod syslog;
mod template;
mod time;
