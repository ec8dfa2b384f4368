//! Paths into JSON: RFC 9535, with a fast way for plain members.

use serde_json::Value;
use serde_json_path::JsonPath;

/// A compiled path.
#[derive(Debug, Clone)]
pub(crate) enum FieldPath {
    /// Names and indices only, as in `$.labels.alertname`.
    Members(Vec<Step>),
    /// Any other JSONPath.
    Query(JsonPath),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
    /// `[*]`, only in `each`.
    All,
}

impl FieldPath {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let query = JsonPath::parse(text).map_err(|error| {
            format!("`{text}` is not a JSONPath (RFC 9535), {error}: write $.field, or $.list[0].field")
        })?;
        Ok(match steps(text).filter(|steps| !steps.contains(&Step::All)) {
            Some(steps) => FieldPath::Members(steps),
            None => FieldPath::Query(query),
        })
    }

    /// The first value that the path selects and that is not null.
    pub(super) fn first<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        match self {
            FieldPath::Members(steps) => {
                let step = |value: &'v Value, step: &Step| match step {
                    Step::Key(key) => value.get(key),
                    Step::Index(index) => value.get(index),
                    Step::All => None,
                };
                steps.iter().try_fold(value, step).filter(|value| !value.is_null())
            }
            FieldPath::Query(path) => path.query(value).all().into_iter().find(|value| !value.is_null()),
        }
    }

    /// The member of the document that the path goes through; `None` if it may go through any.
    pub(super) fn first_key(&self) -> Option<&str> {
        match self {
            FieldPath::Members(steps) => match steps.first()? {
                Step::Key(key) => Some(key),
                Step::Index(_) | Step::All => None,
            },
            FieldPath::Query(_) => None,
        }
    }

    /// The member that the other path selects inside what this one selects.
    pub(super) fn member_of<'p>(&self, other: &'p FieldPath) -> Option<&'p str> {
        match (self, other) {
            (FieldPath::Members(outer), FieldPath::Members(inner)) => {
                match inner.strip_prefix(outer.as_slice())? {
                    [Step::Key(key), ..] => Some(key),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// The steps of a path of names, indices and `[*]`; `None` for any other path.
pub(super) fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(name) = rest.strip_prefix('.') {
            let is_name = |c: char| c.is_alphanumeric() || c == '_';
            let end = name.find(|c| !is_name(c)).unwrap_or(name.len());
            if end == 0 {
                return None;
            }
            steps.push(Step::Key(name[..end].to_owned()));
            rest = &name[end..];
            continue;
        }
        let (inside, behind) = rest.strip_prefix('[')?.split_once(']')?;
        let quoted = |mark: char| inside.strip_prefix(mark)?.strip_suffix(mark);
        steps.push(match inside {
            "*" => Step::All,
            _ => match quoted('\'').or_else(|| quoted('"')) {
                Some(key) if !key.contains(['\'', '"', '\\']) => Step::Key(key.to_owned()),
                Some(_) => return None,
                None => Step::Index(inside.parse().ok()?),
            },
        });
        rest = behind;
    }
    Some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn plain_paths_and_queries_select_the_same() {
        let value = json!({"a": {"b": [1, {"c d": "x"}], "n": null}, "kind": {"name": "k", "is": true}});
        for (path, is_plain, want) in [
            ("$", true, Some(value.clone())),
            ("$.a.b[0]", true, Some(json!(1))),
            ("$.a['b'][1]['c d']", true, Some(json!("x"))),
            ("$.a.n", true, None),
            ("$.a.b[7]", true, None),
            ("$.a.b[-1]['c d']", false, Some(json!("x"))),
            ("$..['c d']", false, Some(json!("x"))),
            ("$[?@.is == true].name", false, Some(json!("k"))),
        ] {
            let compiled = FieldPath::parse(path).unwrap();
            assert_eq!(matches!(compiled, FieldPath::Members(_)), is_plain, "{path}");
            assert_eq!(compiled.first(&value).cloned(), want, "{path}");
        }
        assert!(FieldPath::parse("$.a[").is_err());
        assert!(FieldPath::parse("a.b").is_err());
    }
}
