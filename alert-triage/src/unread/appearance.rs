/// What an input looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Appearance {
    /// A short stable word.
    pub(crate) kind: &'static str,
    /// The continuation of "it …", with the fix.
    pub(crate) sentence: String,
}

impl Appearance {
    pub(super) fn new(kind: &'static str, sentence: impl Into<String>) -> Self {
        Self { kind, sentence: sentence.into() }
    }
}
