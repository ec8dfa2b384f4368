//! Label selectors in the syntax of `scale.status.selector`: `app=swype,tier in (a,b),!canary`.

use std::collections::BTreeSet;

use kube::core::{Expression, Selector};

/// Parses a selector; `None` when the text is not one that an API server writes.
pub(crate) fn parse(text: &str) -> Option<Vec<Expression>> {
    split(text).into_iter().map(|part| expression(part.trim())).collect()
}

/// A selector that matches when all expressions do.
pub(crate) fn all_of(expressions: &[Expression]) -> Selector {
    expressions.iter().cloned().collect()
}

/// The parts between commas. A comma inside parentheses does not separate.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0;
    text.split(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    })
    .collect()
}

fn expression(text: &str) -> Option<Expression> {
    if let Some(rest) = text.strip_suffix(')') {
        let (head, values) = rest.split_once('(')?;
        let values: BTreeSet<String> = values.split(',').map(|value| value.trim().to_owned()).collect();
        return match head.split_whitespace().collect::<Vec<_>>()[..] {
            [key, "in"] => Some(Expression::In(key.into(), values)),
            [key, "notin"] => Some(Expression::NotIn(key.into(), values)),
            _ => None,
        };
    }
    if let Some((key, value)) = text.split_once("!=") {
        return Some(Expression::NotEqual(label_key(key)?, value.trim().into()));
    }
    if let Some((key, value)) = text.split_once('=') {
        let value = value.strip_prefix('=').unwrap_or(value);
        return Some(Expression::Equal(label_key(key)?, value.trim().into()));
    }
    match text.strip_prefix('!') {
        Some(key) => Some(Expression::DoesNotExist(label_key(key)?)),
        None => Some(Expression::Exists(label_key(text)?)),
    }
}

fn label_key(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && !text.contains(char::is_whitespace)).then(|| text.into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kube::core::SelectorExt;

    use super::*;

    fn matches(text: &str, labels: &[(&str, &str)]) -> bool {
        let labels: BTreeMap<_, _> = labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        all_of(&parse(text).unwrap()).matches(&labels)
    }

    #[test]
    fn every_form_that_an_api_server_writes_matches() {
        for (text, labels, want) in [
            ("app=swype", &[("app", "swype"), ("tier", "a")][..], true),
            ("app==swype", &[("app", "swype")], true),
            ("app=swype,tier=b", &[("app", "swype"), ("tier", "a")], false),
            ("app in (swype,ledger),tier=a", &[("app", "ledger"), ("tier", "a")], true),
            ("app in (swype,ledger)", &[("app", "other")], false),
            ("app notin (swype, ledger)", &[("app", "ledger")], false),
            ("app notin (swype)", &[], true),
            ("app!=swype", &[("app", "swype")], false),
            ("app", &[("app", "")], true),
            ("!app", &[("app", "x")], false),
            ("app=", &[("app", "")], true),
        ] {
            assert_eq!(matches(text, labels), want, "{text} on {labels:?}");
        }
    }

    #[test]
    fn a_text_that_is_not_a_selector_is_refused() {
        for text in ["", ",", "app in swype)", "app within (a)", "=x", "a b"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
