//! Which template takes a line.

use super::{lines, time};
use crate::rules::{Filled, Rules};

impl Rules {
    /// The id of the template that takes a plain line, as one stands in a file: leading time and outer blanks may be there.
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
        let mut filled = Filled::default();
        let fits =
            self.table().templates.iter().find(|(_, template)| template.fill(text, &mut filled).is_ok());
        fits.map(|(id, _)| id.as_str())
    }
}

/// A plain line as templates meet it; none if it is blank or no text.
fn shape(line: &[u8]) -> Option<&str> {
    let text = lines::text(line).ok().filter(|text| !text.is_empty())?;
    Some(match time::leading(text, None) {
        time::Leading::None => text,
        time::Leading::At(_, rest) | time::Leading::Yearless(rest) => rest,
    })
}
