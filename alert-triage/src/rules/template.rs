//! Line templates such as `Zone {zone}: {alert}`.

use std::sync::OnceLock;

use regex::Regex;

use crate::fault::Fault;

/// A line template: literals and captures.
///
/// One blank in the template matches any run of blanks, and none after punctuation. A capture ends
/// at the next literal; a literal that a blank follows in the template must be followed by a blank
/// or the end in the line. `{_}` ignores what it matches. `{alert}` is one identifier; after it
/// comes nothing or blank-separated text.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    shown: String,
    parts: Vec<TemplatePart>,
    /// Made when a line is read that the template does not match as it is written.
    relaxed: OnceLock<Option<Regex>>,
}

#[derive(Debug, Clone, PartialEq)]
enum TemplatePart {
    /// The text, and whether a blank follows.
    Literal(String, bool),
    Capture(String),
}

/// What a template found in a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TemplateMatch<'l> {
    pub(crate) alert: &'l str,
    /// All captures but `{alert}`, in the template's order.
    pub(crate) captures: Vec<(usize, &'l str)>,
    pub(crate) text: &'l str,
}

impl Template {
    pub(crate) fn parse(template: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = template.trim();
        let bad = |what: &str| format!("template `{template}` {what}");
        while !rest.is_empty() {
            if let Some(open) = rest.strip_prefix('{') {
                let (name, after) = open.split_once('}').ok_or_else(|| bad("has a `{` without its `}`"))?;
                if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                    return Err(bad("has a capture that is not a label name: use letters, digits and _"));
                }
                if name != "_"
                    && parts.iter().any(|part| matches!(part, TemplatePart::Capture(known) if known == name))
                {
                    return Err(bad(&format!("captures {{{name}}} twice")));
                }
                if matches!(parts.last(), Some(TemplatePart::Capture(_))) && !rest_was_parted(&parts) {
                    return Err(bad("has two captures with nothing between them"));
                }
                parts.push(TemplatePart::Capture(name.to_owned()));
                rest = after;
                let trimmed = rest.trim_start();
                if trimmed.len() < rest.len() && trimmed.starts_with('{') {
                    parts.push(TemplatePart::Literal(String::new(), true));
                }
                rest = trimmed;
            } else {
                let end = rest.find(['{', ' ', '\t']).unwrap_or(rest.len());
                let (literal, after) = rest.split_at(end);
                let trimmed = after.trim_start();
                parts.push(TemplatePart::Literal(literal.to_owned(), trimmed.len() < after.len()));
                rest = trimmed;
            }
        }
        if !parts.iter().any(|part| matches!(part, TemplatePart::Capture(name) if name == "alert")) {
            return Err(bad("has no {alert}"));
        }
        Ok(Self { shown: template.trim().to_owned(), parts, relaxed: OnceLock::new() })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.shown
    }

    /// A line that the template matches.
    pub(crate) fn sample(&self) -> String {
        let mut line = String::new();
        for (at, part) in self.parts.iter().enumerate() {
            match part {
                TemplatePart::Literal(literal, blank) => {
                    line.push_str(literal);
                    if *blank {
                        line.push(' ');
                    }
                }
                TemplatePart::Capture(name) => {
                    match name.as_str() {
                        "alert" => line.push_str("X1"),
                        "status" => line.push_str("firing"),
                        "severity" => line.push_str("error"),
                        "time" => line.push_str("2026-11-23T06:51:59Z"),
                        _ => line.push_str("x1"),
                    }
                    // A word or a bracket that follows needs a blank before it.
                    let next = self.parts.get(at + 1);
                    let opens = |c: char| c.is_alphanumeric() || matches!(c, '(' | '[' | '<');
                    if matches!(next, Some(TemplatePart::Literal(word, _)) if word.starts_with(opens)) {
                        line.push(' ');
                    }
                }
            }
        }
        line.trim_end().to_owned()
    }

    pub(crate) fn begins_with(&self, capture: &str) -> bool {
        matches!(self.parts.first(), Some(TemplatePart::Capture(name)) if name == capture)
    }

    /// Whether the template matches any line that begins with a word.
    pub(crate) fn is_catch_all(&self) -> bool {
        !self
            .parts
            .iter()
            .any(|part| matches!(part, TemplatePart::Literal(literal, _) if !literal.is_empty()))
    }

    /// Whether it has a capture with this name.
    pub(crate) fn captures(&self, wanted: &str) -> bool {
        self.capture_names().any(|name| name == wanted)
    }

    pub(crate) fn capture_names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            TemplatePart::Capture(name) => Some(name.as_str()),
            TemplatePart::Literal(..) => None,
        })
    }

    /// The name of a capture.
    pub(crate) fn name(&self, part: usize) -> &str {
        match &self.parts[part] {
            TemplatePart::Capture(name) => name,
            TemplatePart::Literal(..) => "",
        }
    }

    /// Matches a line without outer blanks. `found` is reused from line to line.
    pub(crate) fn match_line<'l>(&self, line: &'l str, found: &mut TemplateMatch<'l>) -> Result<(), Fault> {
        found.captures.clear();
        (found.alert, found.text) = ("", "");
        let mut rest = line;
        for (at, part) in self.parts.iter().enumerate() {
            match part {
                TemplatePart::Literal(literal, _) if literal.is_empty() => {}
                TemplatePart::Literal(literal, blank) => {
                    let after =
                        rest.strip_prefix(literal.as_str()).filter(|after| parted(after, literal, *blank));
                    rest = after.ok_or_else(|| self.fault_at(at, literal))?.trim_start();
                }
                TemplatePart::Capture(name) => {
                    let is_last = at + 1 == self.parts.len();
                    let value;
                    if name == "alert" {
                        let end = match self.parts.get(at + 1) {
                            Some(TemplatePart::Literal(literal, _)) if !literal.is_empty() => rest
                                .find([' ', '\t'])
                                .unwrap_or(rest.len())
                                .min(rest.find(literal.as_str()).unwrap_or(rest.len())),
                            _ => rest.find(char::is_whitespace).unwrap_or(rest.len()),
                        };
                        (value, rest) = (&rest[..end], rest[end..].trim_start());
                        if value.is_empty() {
                            return Err(Fault::NoAlert { template: self.shown.clone() });
                        }
                        if !is_name(value) {
                            return Err(Fault::NotAName);
                        }
                        found.alert = value;
                        if is_last {
                            found.text = rest;
                            rest = "";
                        }
                        continue;
                    }
                    let (before, after) = match self.parts.get(at + 1) {
                        Some(TemplatePart::Literal(literal, _)) if literal.is_empty() => {
                            rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()))
                        }
                        Some(TemplatePart::Literal(literal, blank)) => find(rest, literal, *blank)
                            .map(|found| rest.split_at(found))
                            .ok_or_else(|| Fault::NoLiteral {
                                literal: literal.clone(),
                                template: self.shown.clone(),
                            })?,
                        _ => (rest, ""),
                    };
                    value = before.trim();
                    rest = after.trim_start();
                    if value.is_empty() {
                        return Err(Fault::EmptyField { field: name.clone(), template: self.shown.clone() });
                    }
                    if value.contains('\t') {
                        return Err(Fault::Control('\t'));
                    }
                    found.captures.push((at, value));
                }
            }
        }
        if !rest.is_empty() {
            // The template ends in a literal or another capture; the rest of the line is text.
            found.text = rest;
        }
        Ok(())
    }

    /// Matches a line with tolerance: words in any case, a dash, a bar or another mark for a colon,
    /// quotes and brackets around values.
    pub(crate) fn match_relaxed<'l>(&self, line: &'l str, found: &mut TemplateMatch<'l>) -> Option<()> {
        // Without a literal word nothing shows that the line is meant.
        let has_word = self.parts.iter().any(|part| {
            matches!(part, TemplatePart::Literal(literal, _) if literal.chars().any(char::is_alphabetic))
        });
        if !has_word {
            return None;
        }
        let regex = self.relaxed.get_or_init(|| Regex::new(&self.relaxed_pattern()).ok()).as_ref()?;
        let groups = regex.captures(line)?;
        found.captures.clear();
        (found.alert, found.text) = ("", groups.name("rest").map_or("", |rest| rest.as_str()));
        for (at, part) in self.parts.iter().enumerate() {
            let TemplatePart::Capture(name) = part else { continue };
            let value = groups.name(&format!("c{at}"))?.as_str();
            match name.as_str() {
                "alert" => found.alert = value,
                _ => found.captures.push((at, value)),
            }
        }
        is_name(found.alert).then_some(())
    }

    fn relaxed_pattern(&self) -> String {
        const OPEN: &str = r##"[\s"'“”„‘’«‹`*_(\[]*"##;
        const BEHIND: &str = r##"[\s:="'“”„‘’«‹`*_(\[-]+"##;
        const CLOSE: &str = r##"[\s"'“”’»›`*_)\]]*"##;
        // A dash needs blanks around it, since names contain dashes. A closing bracket parts as
        // well.
        const COLON: &str =
            r##"(?:\s*["'”’»›`*_)\]]*\s*[:：=|,;→][>*_]*|["'”’»›`*_)\]]*\s+(?:[-–—]+>?|=>)|[)\]])"##;
        let mut pattern = "(?i)^".to_owned();
        for (at, part) in self.parts.iter().enumerate() {
            match part {
                TemplatePart::Literal(literal, _) if literal.is_empty() => pattern.push_str(r"\s+"),
                TemplatePart::Literal(literal, _) if literal == ":" => {
                    pattern.push_str(COLON);
                    pattern.push_str(OPEN);
                }
                TemplatePart::Literal(literal, _) => {
                    if at > 0 {
                        pattern.push_str(CLOSE);
                    }
                    pattern.push_str(&regex::escape(literal));
                    // A word ends where anything but a letter follows.
                    pattern.push_str(if literal.ends_with(char::is_alphanumeric) { BEHIND } else { OPEN });
                }
                TemplatePart::Capture(name) if name == "alert" => {
                    pattern.push_str(&format!(r"(?P<c{at}>\p{{L}}[\p{{L}}\p{{N}}_.-]*[\p{{L}}\p{{N}}_])"));
                }
                TemplatePart::Capture(_) => {
                    pattern.push_str(&format!(r"(?P<c{at}>[\p{{L}}\p{{N}}][\p{{L}}\p{{N}}_./-]*?)"));
                }
            }
        }
        pattern.push_str(CLOSE);
        pattern.push_str(r"(?:[.,;!]?\s+(?P<rest>.*?)|[.,;!]+)?\s*$");
        pattern
    }

    fn fault_at(&self, part: usize, literal: &str) -> Fault {
        if part == 0 {
            Fault::NoTemplate { literal: literal.to_owned(), template: self.shown.clone() }
        } else {
            Fault::NoLiteral { literal: literal.to_owned(), template: self.shown.clone() }
        }
    }
}

fn rest_was_parted(parts: &[TemplatePart]) -> bool {
    matches!(parts.last(), Some(TemplatePart::Literal(..)))
}

/// Whether the literal ends here: a blank of the template must be a blank in the line unless the
/// literal ends in punctuation, and a word must not continue.
fn parted(after: &str, literal: &str, blank: bool) -> bool {
    if after.is_empty() || after.starts_with(char::is_whitespace) {
        return true;
    }
    let word = literal.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    match blank {
        true => word && !after.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.')),
        false => true,
    }
}

fn find(text: &str, literal: &str, blank: bool) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = text[from..].find(literal) {
        let at = from + found;
        let after = &text[at + literal.len()..];
        if !blank || after.is_empty() || after.starts_with(char::is_whitespace) {
            return Some(at);
        }
        from = at + literal.chars().next().map_or(1, char::len_utf8);
    }
    None
}

fn is_name(word: &str) -> bool {
    let ascii = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    if word.bytes().all(ascii) {
        return word.bytes().any(|b| b.is_ascii_alphanumeric());
    }
    word.chars().any(char::is_alphanumeric)
        && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill<'l>(template: &str, line: &'l str) -> Result<(&'l str, Vec<&'l str>, &'l str), Fault> {
        let template = Template::parse(template).unwrap();
        let mut found = TemplateMatch::default();
        template.match_line(line, &mut found)?;
        Ok((found.alert, found.captures.iter().map(|(_, value)| *value).collect(), found.text))
    }

    #[test]
    fn other_shapes_are_read() {
        for (template, line, want) in [
            ("{severity} {alert} on {host}", "WARN DiskFull on db1", ("DiskFull", vec!["WARN", "db1"], "")),
            ("[{zone}] {alert}", "[AB] X1 slow", ("X1", vec!["AB"], "slow")),
            ("ticket {ticket}: {alert} ({zone})", "ticket 4711: X1 (AB)", ("X1", vec!["4711", "AB"], "")),
            ("{alert}", "X1 and more", ("X1", vec![], "and more")),
            ("{zone}/{alert}", "AB/X1", ("X1", vec!["AB"], "")),
        ] {
            assert_eq!(fill(template, line), Ok(want), "{template}");
        }
    }

    #[test]
    fn a_sample_has_the_shape() {
        for shape in [
            "Zone {zone}: {alert}",
            "{severity} {alert} on {host}",
            "[{zone}] {alert}",
            "ticket {ticket}: {alert} ({zone})",
            "{zone}/{alert}",
            "{status} {alert}",
        ] {
            let template = Template::parse(shape).unwrap();
            assert_eq!(
                template.match_line(&template.sample(), &mut TemplateMatch::default()),
                Ok(()),
                "{shape}"
            );
        }
    }

    #[test]
    fn bad_templates_are_refused() {
        for template in [
            "",
            "Zone {zone}",
            "{alert",
            "{a b} {alert}",
            "{alert}{zone}",
            "{zone} {zone} {alert}",
            "{} {alert}",
        ] {
            assert!(Template::parse(template).is_err(), "{template}");
        }
    }
}
