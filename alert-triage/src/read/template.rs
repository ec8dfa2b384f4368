//! Which template matches a line.

use super::line_record::text;
use crate::rules::{Rules, TemplateMatch};
use crate::time::{self, TimeReader};

impl Rules {
    /// The id of the template that matches a plain line. The line may have a leading time and outer
    /// blanks.
    ///
    /// ```
    /// use alert_triage::Rules;
    ///
    /// let rules = Rules::builtin();
    /// assert_eq!(rules.template(b"2026-11-23T06:51:59Z Zone AB: LLMModelStale"), Some("line/zone"));
    /// assert_eq!(rules.template(b"nonsense"), None);
    /// ```
    pub fn template(&self, line: &[u8]) -> Option<&str> {
        let text = shape(line)?;
        let mut found = TemplateMatch::default();
        let fits =
            self.table().templates.iter().find(|(_, template)| template.match_line(text, &mut found).is_ok());
        fits.map(|(id, _)| id.as_str())
    }
}

/// A plain line without its leading time; `None` if it is blank or not text.
fn shape(line: &[u8]) -> Option<&str> {
    let text = text(line).ok().filter(|text| !text.is_empty())?;
    Some(match TimeReader::default().leading(text) {
        time::Leading::None => text,
        time::Leading::At(_, rest) | time::Leading::Yearless(rest) => rest,
    })
}
