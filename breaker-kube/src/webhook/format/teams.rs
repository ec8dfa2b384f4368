//! The message of a Teams workflow webhook: one Adaptive Card.
//!
//! Its texts are text runs, in which Teams reads no Markdown: a quoted log line cannot make a link.

use serde::Serialize;

use super::alert::{Alert, AlertSeverity};

/// Teams takes messages of at most 28 KB. These leave room for the characters that JSON escapes.
const MAX_TEXT_LEN: usize = 4000;
const MAX_FACT_LEN: usize = 1000;

/// How the answer of a connector begins that could not deliver, although its status is 200.
const NOT_DELIVERED: &[u8] = b"Webhook message delivery failed";

#[derive(Debug, Serialize)]
pub(super) struct TeamsMessage {
    #[serde(rename = "type")]
    kind: &'static str,
    attachments: [CardAttachment; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CardAttachment {
    content_type: &'static str,
    content: AdaptiveCard,
}

#[derive(Debug, Serialize)]
struct AdaptiveCard {
    #[serde(rename = "$schema")]
    schema: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    version: &'static str,
    body: Vec<RichTextBlock>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type")]
struct RichTextBlock {
    inlines: Vec<TextRun>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type")]
struct TextRun {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    color: Option<&'static str>,
}

impl TextRun {
    fn plain(text: String) -> Self {
        Self { text, weight: None, size: None, color: None }
    }

    fn bold(text: String) -> Self {
        Self { weight: Some("Bolder"), ..Self::plain(text) }
    }
}

pub(super) fn message(alert: &Alert<'_>) -> TeamsMessage {
    let color = match alert.severity() {
        AlertSeverity::Critical => "Attention",
        AlertSeverity::Warning => "Warning",
        AlertSeverity::Info => "Good",
    };
    let title = TextRun { size: Some("Large"), color: Some(color), ..TextRun::bold(alert.title()) };
    let text = TextRun::plain(alert.text(MAX_TEXT_LEN));
    let facts = alert.facts(MAX_FACT_LEN).into_iter();
    let facts = facts.map(|(name, value)| vec![TextRun::bold(format!("{name}: ")), TextRun::plain(value)]);
    let blocks = [vec![title], vec![text]].into_iter().chain(facts);
    TeamsMessage {
        kind: "message",
        attachments: [CardAttachment {
            content_type: "application/vnd.microsoft.card.adaptive",
            content: AdaptiveCard {
                schema: "http://adaptivecards.io/schemas/adaptive-card.json",
                kind: "AdaptiveCard",
                version: "1.4",
                body: blocks.map(|inlines| RichTextBlock { inlines }).collect(),
            },
        }],
    }
}

/// A connector of Office 365 answers 200 and an error in words when Teams has not taken the
/// message.
pub(in crate::webhook) fn refusal(body: &[u8]) -> Option<&'static str> {
    body.starts_with(NOT_DELIVERED).then_some("it answered 200 and that the delivery failed")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::alert::{long_event, posted, test_event};
    use super::*;

    #[test]
    fn a_trip_is_one_adaptive_card_without_markdown() {
        let message = posted(&test_event("tripped"), message);
        assert_eq!(message["type"], "message");
        let attachment = &message["attachments"][0];
        assert_eq!(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
        let card = &attachment["content"];
        assert_eq!((&card["type"], &card["version"]), (&json!("AdaptiveCard"), &json!("1.4")));
        let title = json!({"type": "TextRun", "text": "Circuit breaker open, scaled to 0: sre/deployment/swype-app",
                           "weight": "Bolder", "size": "Large", "color": "Attention"});
        assert_eq!(card["body"][0], json!({"type": "RichTextBlock", "inlines": [title]}));
        let peer = json!([{"type": "TextRun", "text": "Peer: ", "weight": "Bolder"},
                          {"type": "TextRun", "text": "swype-gateway:443"}]);
        assert_eq!(card["body"][6]["inlines"], peer);
        let blocks = card["body"].as_array().unwrap();
        assert!(blocks.iter().all(|block| block["type"] == "RichTextBlock"), "no block reads Markdown");
    }

    #[test]
    fn a_long_message_stays_below_28_kb() {
        let bytes = posted(&long_event("tripped"), message).to_string();
        assert!((4_000..28_000).contains(&bytes.len()), "{}", bytes.len());
    }

    #[test]
    fn an_answer_of_200_can_be_a_refusal() {
        let failed =
            b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429";
        assert!(refusal(failed).is_some());
        assert!(refusal(b"1").is_none() && refusal(b"").is_none());
    }
}
