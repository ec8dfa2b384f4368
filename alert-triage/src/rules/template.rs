//! Line templates such as `Zone {zone}: {alert}`.

use crate::fault::Fault;

/// A line's shape: literal words and captures.
///
/// One blank in the template stands for any run of blanks, none included where punctuation already parts two things.
/// A capture reaches to the first place where the next literal stands (a literal that a blank follows in the
/// template must be followed by a blank or the end in the line). `{alert}` is one identifier; behind it may stand
/// nothing or blank-separated text.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    shown: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    /// And whether a blank follows.
    Literal(String, bool),
    Capture(String),
}

/// What a template found; borrowed from the line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Filled<'l> {
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
                    return Err(bad("has a capture that is no label name: use letters, digits and _"));
                }
                if parts.iter().any(|part| matches!(part, Part::Capture(known) if known == name)) {
                    return Err(bad(&format!("captures {{{name}}} twice")));
                }
                if matches!(parts.last(), Some(Part::Capture(_))) && !rest_was_parted(&parts) {
                    return Err(bad("has two captures with nothing between them"));
                }
                parts.push(Part::Capture(name.to_owned()));
                rest = after;
                let trimmed = rest.trim_start();
                if trimmed.len() < rest.len() && trimmed.starts_with('{') {
                    parts.push(Part::Literal(String::new(), true));
                }
                rest = trimmed;
            } else {
                let end = rest.find(['{', ' ', '\t']).unwrap_or(rest.len());
                let (literal, after) = rest.split_at(end);
                let trimmed = after.trim_start();
                parts.push(Part::Literal(literal.to_owned(), trimmed.len() < after.len()));
                rest = trimmed;
            }
        }
        if !parts.iter().any(|part| matches!(part, Part::Capture(name) if name == "alert")) {
            return Err(bad("has no {alert}"));
        }
        Ok(Self { shown: template.trim().to_owned(), parts })
    }

    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// A line of this shape.
    pub(crate) fn sample(&self) -> String {
        let mut line = String::new();
        for (at, part) in self.parts.iter().enumerate() {
            match part {
                Part::Literal(literal, blank) => {
                    line.push_str(literal);
                    if *blank {
                        line.push(' ');
                    }
                }
                Part::Capture(name) => {
                    match name.as_str() {
                        "alert" => line.push_str("X1"),
                        "status" => line.push_str("firing"),
                        "severity" => line.push_str("error"),
                        "time" => line.push_str("2026-11-23T06:51:59Z"),
                        _ => line.push_str("x1"),
                    }
                    // A word or a bracket that follows has a blank before it.
                    let next = self.parts.get(at + 1);
                    let opens = |c: char| c.is_alphanumeric() || matches!(c, '(' | '[' | '<');
                    if matches!(next, Some(Part::Literal(word, _)) if word.starts_with(opens)) {
                        line.push(' ');
                    }
                }
            }
        }
        line.trim_end().to_owned()
    }

    pub(crate) fn begins_with(&self, capture: &str) -> bool {
        matches!(self.parts.first(), Some(Part::Capture(name)) if name == capture)
    }

    /// Takes any line that begins with a word.
    pub(crate) fn is_catch_all(&self) -> bool {
        !self.parts.iter().any(|part| matches!(part, Part::Literal(literal, _) if !literal.is_empty()))
    }

    /// The name of a capture.
    pub(crate) fn name(&self, part: usize) -> &str {
        match &self.parts[part] {
            Part::Capture(name) => name,
            Part::Literal(..) => "",
        }
    }

    /// `line` has no outer blanks. `filled` keeps its buffer from line to line.
    pub(crate) fn fill<'l>(&self, line: &'l str, filled: &mut Filled<'l>) -> Result<(), Fault> {
        filled.captures.clear();
        (filled.alert, filled.text) = ("", "");
        let mut rest = line;
        for (at, part) in self.parts.iter().enumerate() {
            match part {
                Part::Literal(literal, _) if literal.is_empty() => {}
                Part::Literal(literal, blank) => {
                    let after =
                        rest.strip_prefix(literal.as_str()).filter(|after| parted(after, literal, *blank));
                    rest = after.ok_or_else(|| self.fault_at(at, literal))?.trim_start();
                }
                Part::Capture(name) => {
                    let is_last = at + 1 == self.parts.len();
                    let value;
                    if name == "alert" {
                        let end = match self.parts.get(at + 1) {
                            Some(Part::Literal(literal, _)) if !literal.is_empty() => rest
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
                        filled.alert = value;
                        if is_last {
                            filled.text = rest;
                            rest = "";
                        }
                        continue;
                    }
                    let (before, after) = match self.parts.get(at + 1) {
                        Some(Part::Literal(literal, _)) if literal.is_empty() => {
                            rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()))
                        }
                        Some(Part::Literal(literal, blank)) => find(rest, literal, *blank)
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
                    filled.captures.push((at, value));
                }
            }
        }
        if !rest.is_empty() {
            // The template ends in a literal or another capture; what stands behind is text.
            filled.text = rest;
        }
        Ok(())
    }

    fn fault_at(&self, part: usize, literal: &str) -> Fault {
        if part == 0 {
            Fault::NoTemplate { literal: literal.to_owned(), template: self.shown.clone() }
        } else {
            Fault::NoLiteral { literal: literal.to_owned(), template: self.shown.clone() }
        }
    }
}

fn rest_was_parted(parts: &[Part]) -> bool {
    matches!(parts.last(), Some(Part::Literal(..)))
}

/// A blank of the template must be one in the line, unless the literal's own end parts what follows; and a word must
/// not go on.
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
        let mut filled = Filled::default();
        template.fill(line, &mut filled)?;
        Ok((filled.alert, filled.captures.iter().map(|(_, value)| *value).collect(), filled.text))
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
            assert_eq!(template.fill(&template.sample(), &mut Filled::default()), Ok(()), "{shape}");
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
