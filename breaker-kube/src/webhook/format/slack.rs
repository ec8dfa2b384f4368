//! The message of a Slack incoming webhook: `text` for notifications, and `blocks`.
//!
//! Everything but `text` is of the type `plain_text`, in which a quoted log line can neither
//! mention a channel nor make a link.

use serde::Serialize;

use super::alert::Alert;

/// Slack's limits: of a header, of the text of a section, and of each of its fields.
const MAX_HEADER_LEN: usize = 150;
const MAX_TEXT_LEN: usize = 3000;
const MAX_FIELD_LEN: usize = 2000;

#[derive(Debug, Serialize)]
pub(super) struct SlackMessage {
    text: String,
    blocks: Vec<SlackBlock>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum SlackBlock {
    Header {
        text: PlainText,
    },
    Section {
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<PlainText>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        fields: Vec<PlainText>,
    },
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "plain_text")]
struct PlainText {
    text: String,
    emoji: bool,
}

impl PlainText {
    fn new(text: &str, max_len: usize) -> Self {
        Self { text: crate::text::truncate(text, max_len), emoji: false }
    }
}

pub(super) fn message(alert: &Alert<'_>) -> SlackMessage {
    let title = alert.title();
    let fields = alert.facts(MAX_FIELD_LEN - 40).into_iter();
    SlackMessage {
        text: escaped(&format!("{title}: {}", alert.text(MAX_TEXT_LEN / 2)), MAX_TEXT_LEN),
        blocks: vec![
            SlackBlock::Header { text: PlainText::new(&title, MAX_HEADER_LEN) },
            SlackBlock::Section {
                text: Some(PlainText::new(&alert.text(MAX_TEXT_LEN), MAX_TEXT_LEN)),
                fields: Vec::new(),
            },
            SlackBlock::Section {
                text: None,
                fields: fields
                    .map(|(name, value)| PlainText::new(&format!("{name}: {value}"), MAX_FIELD_LEN))
                    .collect(),
            },
        ],
    }
}

/// The text with the three characters escaped that control Slack's markup. It is cut before an
/// escape, never inside of one.
fn escaped(text: &str, max_len: usize) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        let mut buffer = [0; 4];
        let next = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            other => other.encode_utf8(&mut buffer),
        };
        if escaped.len() + next.len() + '…'.len_utf8() > max_len {
            escaped.push('…');
            break;
        }
        escaped.push_str(next);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::alert::{long_event, posted, test_event};
    use super::*;

    #[test]
    fn a_trip_is_a_text_with_a_header_a_section_and_fields() {
        let message = posted(&test_event("tripped"), message);
        assert_eq!(
            message["text"],
            "Circuit breaker open, scaled to 0: sre/deployment/swype-app: Scaled to 0 (was 2)"
        );
        let plain = |text: &str| json!({"type": "plain_text", "text": text, "emoji": false});
        let header = "Circuit breaker open, scaled to 0: sre/deployment/swype-app";
        assert_eq!(message["blocks"][0], json!({"type": "header", "text": plain(header)}));
        assert_eq!(message["blocks"][1], json!({"type": "section", "text": plain("Scaled to 0 (was 2)")}));
        assert_eq!(message["blocks"][2]["type"], "section");
        assert_eq!(message["blocks"][2]["fields"][4], plain("Peer: swype-gateway:443"));
    }

    /// The limits of Slack's documentation: 3,000 characters in a text, 150 in a header, ten
    /// fields of 2,000.
    #[test]
    fn a_long_message_is_cut_to_the_limits_and_between_characters() {
        let message = posted(&long_event("tripped"), message);
        let len = |text: &Value| text.as_str().unwrap().chars().count();
        assert!(len(&message["text"]) <= 3000);
        assert!(len(&message["blocks"][0]["text"]["text"]) <= 150);
        assert!((1000..=3000).contains(&len(&message["blocks"][1]["text"]["text"])));
        let fields = message["blocks"][2]["fields"].as_array().unwrap();
        assert!((1..=10).contains(&fields.len()));
        assert!(fields.iter().all(|field| len(&field["text"]) <= 2000));
        assert!(message["blocks"][1]["text"]["text"].as_str().unwrap().ends_with('…'));
    }

    #[test]
    fn a_log_line_mentions_nobody() {
        let mut event = test_event("held");
        event.data.message = "<!channel> & <https://evil.example|click>".into();
        let message = posted(&event, message);
        assert!(
            message["text"]
                .as_str()
                .unwrap()
                .ends_with("&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;")
        );
        for end in 3..40 {
            let cut = escaped("a<b>c&d<e>f", end);
            assert!(cut.len() <= end && !cut.contains('<'), "{cut}");
            let rest = cut.replace("&lt;", "").replace("&gt;", "").replace("&amp;", "");
            assert!(!rest.contains('&'), "{cut}");
        }
    }
}
