//! The output of `kubectl describe pod`, or a part of it that somebody cut out.

use breaker_core::pod::{PodEvent, Terminated};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::capture::{Capture, ContainerStatus, field_path_of};
use super::case::UNKNOWN_EXIT_CODE;
use super::table::Columns;

/// The longest text of several lines that is kept, in bytes: Kubernetes keeps 12 KiB of all
/// messages of a pod. Behind it the end of the text is missing, and the lines are read as any
/// other.
const MAX_TEXT_LEN: usize = 12 * 1024;

/// Whether a text begins as a described pod does, or as a part of one: with its containers, with
/// one container, or with a state.
pub(crate) fn is_described(first_lines: &str) -> bool {
    let mut lines = first_lines.lines().filter(|line| !line.trim().is_empty());
    let (Some(first), second) = (lines.next(), lines.next().unwrap_or_default()) else { return false };
    let has = |line: &str, key: &str| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(' '));
    if has(first, "Name:") && has(second, "Namespace:") || is_state_line(first) {
        return true;
    }
    let ends_in_colon = |line: &str| line.trim_end().ends_with(':') && !line.trim().contains(' ');
    let is_list = ["Containers:", "Init Containers:"].contains(&first.trim_end());
    let is_container = ends_in_colon(first);
    is_list && second.starts_with("  ") && ends_in_colon(second)
        || is_container && (has(second.trim_start(), "Container ID:") || is_state_line(second))
}

/// `State:          Running`, `    Last State:     Terminated`.
fn is_state_line(line: &str) -> bool {
    let Some((key, value)) = line.trim().split_once(':') else { return false };
    matches!(key, "State" | "Last State") && matches!(value.trim(), "Running" | "Waiting" | "Terminated")
}

/// Reads described pods, line by line.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pod: Option<Pod>,
    section: Section,
    state: State,
    /// How far the line of the state is indented, in bytes.
    state_indentation: usize,
    /// Whether the lines continue a termination message.
    in_message: bool,
    events: Option<Columns>,
}

#[derive(Debug, Default)]
struct Pod {
    name: String,
    namespace: String,
    node: String,
    reason: String,
    message: String,
    containers: Vec<ContainerStatus>,
    events: Vec<PodEvent>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Section {
    #[default]
    Pod,
    Containers,
    Events,
    Other,
}

/// The state block that is being read.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    None,
    Waiting,
    Terminated,
    LastTerminated,
}

impl Reader {
    pub(crate) fn line(&mut self, line: &str, capture: &mut Capture) {
        if self.in_message && self.continues_message(line) {
            return;
        }
        let indentation = indentation(line);
        let (key, value) = line.trim().split_once(':').unwrap_or((line.trim(), ""));
        let value = value.trim();
        // A part that was cut out can have lost its indentation.
        let has_lost_it = self.state != State::None && self.state_indentation == 0;
        if is_state_line(line) && self.section != Section::Other {
            return self.begin_state(key, value, indentation);
        }
        if has_lost_it && FIELDS.contains(&key) {
            return self.state_field(key, value);
        }
        if indentation == 0 && !line.trim().is_empty() && line.contains(':') {
            return self.top_level(key, value, capture);
        }
        if indentation == 2 && line.trim_end().ends_with(':') && self.in_containers() {
            self.state = State::None;
            let container = ContainerStatus { name: key.into(), ..ContainerStatus::default() };
            return self.pod.get_or_insert_default().containers.push(container);
        }
        if self.section == Section::Events {
            self.event(line);
        } else if self.state != State::None && indentation > self.state_indentation {
            self.state_field(key, value);
        } else if line.contains(':') {
            self.state = State::None;
        }
    }

    /// Whether the lines are those of containers. A part without a beginning is one of containers.
    fn in_containers(&self) -> bool {
        self.section == Section::Containers || self.pod.is_none()
    }

    /// Adds the pod that was read last.
    pub(crate) fn finish(&mut self, capture: &mut Capture) {
        let Some(pod) = self.pod.take() else { return };
        capture.pod(&pod.namespace, &pod.name, &pod.node, pod.containers);
        if !pod.reason.is_empty() {
            capture.ended_pod(&pod.namespace, &pod.name, &pod.reason, &pod.message);
        }
        for event in pod.events {
            capture.event(&pod.namespace, &pod.name, event);
        }
    }

    fn top_level(&mut self, key: &str, value: &str, capture: &mut Capture) {
        self.section = match key {
            "Init Containers" | "Containers" | "Ephemeral Containers" => Section::Containers,
            "Events" => Section::Events,
            "Conditions" | "Volumes" | "Labels" | "Annotations" => Section::Other,
            _ => Section::Pod,
        };
        (self.state, self.events) = (State::None, None);
        if key == "Name" {
            self.finish(capture);
            self.pod = Some(Pod { name: value.into(), ..Pod::default() });
        }
        let Some(pod) = &mut self.pod else { return };
        match key {
            "Namespace" => pod.namespace = value.into(),
            // `NAME/ADDRESS`.
            "Node" => pod.node = value.split('/').next().unwrap_or_default().into(),
            "Reason" => pod.reason = value.into(),
            "Message" => pod.message = value.into(),
            _ => {}
        }
    }

    fn container(&mut self) -> Option<&mut ContainerStatus> {
        self.pod.as_mut()?.containers.last_mut()
    }

    fn begin_state(&mut self, key: &str, value: &str, indentation: usize) {
        self.state = match (key, value) {
            ("State", "Waiting") => State::Waiting,
            ("State", "Terminated") => State::Terminated,
            ("Last State", "Terminated") => State::LastTerminated,
            _ => State::None,
        };
        self.state_indentation = indentation;
        let state = self.state;
        let containers = &mut self.pod.get_or_insert_default().containers;
        if containers.is_empty() {
            containers.push(ContainerStatus::default());
        }
        let Some(container) = self.container() else { return };
        let ended = || Some(Terminated { exit_code: UNKNOWN_EXIT_CODE, ..Terminated::default() });
        match state {
            State::Terminated => container.terminated = ended(),
            State::LastTerminated => container.last = ended(),
            State::Waiting | State::None => {}
        }
    }

    fn terminated(&mut self) -> Option<&mut Terminated> {
        let state = self.state;
        let container = self.container()?;
        match state {
            State::Terminated => container.terminated.as_mut(),
            State::LastTerminated => container.last.as_mut(),
            State::Waiting | State::None => None,
        }
    }

    fn state_field(&mut self, key: &str, value: &str) {
        if self.state == State::Waiting {
            if let ("Reason", Some(container)) = (key, self.container()) {
                container.waiting = value.into();
            }
            return;
        }
        self.in_message = key == "Message" && self.state != State::None;
        let Some(terminated) = self.terminated() else { return };
        match key {
            "Reason" => terminated.reason = value.into(),
            "Message" => terminated.message = value.into(),
            "Exit Code" => terminated.exit_code = value.parse().unwrap_or(UNKNOWN_EXIT_CODE),
            "Signal" => terminated.signal = value.parse().ok(),
            "Started" => terminated.started_at = time(value),
            "Finished" => terminated.finished_at = time(value),
            _ => {}
        }
    }

    /// Takes a further line of a termination message. kubectl prints it as it is, and the exit code
    /// behind it.
    fn continues_message(&mut self, line: &str) -> bool {
        let ended = ["Exit Code:", "Signal:", "Started:", "Finished:"];
        let is_field = ended.iter().any(|key| line.trim_start().starts_with(key));
        let is_nested = indentation(line) == self.state_indentation + 2;
        if is_field && (is_nested || self.state_indentation == 0) {
            self.in_message = false;
            return false;
        }
        self.in_message =
            self.terminated().is_some_and(|terminated| append_line(&mut terminated.message, line));
        self.in_message
    }

    fn event(&mut self, line: &str) {
        let text = line.trim();
        if text.is_empty() || text.starts_with("----") {
            return;
        }
        let Some(columns) = &self.events else {
            self.events = Columns::of_header(line);
            return;
        };
        let [kind, reason, message] = ["Type", "Reason", "Message"].map(|name| columns.cell(line, name));
        let Some(pod) = &mut self.pod else { return };
        if matches!(kind, "Normal" | "Warning") {
            let field_path = field_path_of(message);
            let (reason, message) = (reason.into(), message.into());
            pod.events.push(PodEvent { reason, message, field_path, at: None });
        } else if let Some(event) = pod.events.last_mut() {
            append_line(&mut event.message, text);
        }
    }
}

/// The fields of a state.
const FIELDS: [&str; 6] = ["Reason", "Message", "Exit Code", "Signal", "Started", "Finished"];

/// How far a line is indented, in bytes.
fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Appends a line, unless the text is longer than [`MAX_TEXT_LEN`] with it.
fn append_line(text: &mut String, line: &str) -> bool {
    let fits = text.len() + line.len() < MAX_TEXT_LEN;
    if fits {
        text.push('\n');
        text.push_str(line);
    }
    fits
}

/// `Sun, 29 Nov 2026 08:24:03 +0000`.
fn time(value: &str) -> Option<Timestamp> {
    let at = rfc2822::parse(value).ok()?.timestamp();
    (at.as_second() > 0).then_some(at)
}

#[cfg(test)]
mod tests {
    use breaker_core::Classifier;

    use super::*;

    const BEGINNING: &str = "\
Name:         a-6d4f9c7b5-x2x9q
Namespace:    sre
Containers:
  app:
    Last State:     Terminated
      Reason:       Error
      Message:      began
";

    #[test]
    fn a_message_without_an_end_is_bounded() {
        let (mut reader, mut capture) = (Reader::default(), Capture::default());
        for line in BEGINNING.lines().chain(std::iter::repeat_n("the message goes on", 100_000)) {
            reader.line(line, &mut capture);
        }
        let message = &reader.terminated().expect("a state").message;
        assert!(message.starts_with("began\nthe message") && message.len() <= MAX_TEXT_LEN);
    }

    #[test]
    fn a_pod_behind_a_message_without_an_end_is_read() {
        let (mut reader, mut capture) = (Reader::default(), Capture::default());
        let filler = std::iter::repeat_n("the message goes on", 1000);
        for line in BEGINNING.lines().chain(filler).chain(BEGINNING.lines()) {
            reader.line(line, &mut capture);
        }
        reader.finish(&mut capture);
        assert_eq!(capture.explain(&Classifier::default()).len(), 2);
    }

    #[test]
    fn the_message_of_an_event_is_bounded() {
        let (mut reader, mut capture) = (Reader::default(), Capture::default());
        let events = "Events:\n  Type     Reason   Message\n  Warning  BackOff  began\n";
        let head = "Name:  a\nNamespace:  sre\n".lines().chain(events.lines());
        for line in head.chain(std::iter::repeat_n("  it goes on", 100_000)) {
            reader.line(line, &mut capture);
        }
        let events = &reader.pod.as_ref().expect("a pod").events;
        assert_eq!(events.len(), 1);
        assert!(
            events[0].message.starts_with("began\nit goes on") && events[0].message.len() <= MAX_TEXT_LEN
        );
    }
}
