//! Places in a document: JSON Pointers.

use std::fmt;

use serde_json::Value;

/// A JSON Pointer.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pointer(String);

impl Pointer {
    pub(crate) fn root() -> Self {
        Self::default()
    }

    pub(crate) fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the place that a reference into the same document names.
    pub(crate) fn from_reference(reference: &str) -> Option<Self> {
        let fragment = reference.strip_prefix('#')?;
        let text = percent_encoding::percent_decode_str(fragment).decode_utf8().ok()?;
        (text.is_empty() || text.starts_with('/')).then(|| Self(text.into_owned()))
    }

    pub(crate) fn child(&self, token: impl AsRef<str>) -> Self {
        let token = token.as_ref();
        let mut text = String::with_capacity(self.0.len() + token.len() + 1);
        text.push_str(&self.0);
        text.push('/');
        if token.contains('~') || token.contains('/') {
            text.push_str(&token.replace('~', "~0").replace('/', "~1"));
        } else {
            text.push_str(token);
        }
        Self(text)
    }

    /// Returns the pointer to an element of a list.
    pub(crate) fn element(&self, index: usize) -> Self {
        self.child(index.to_string())
    }

    /// Returns the place that this pointer names below `start`.
    pub(crate) fn below(&self, start: &Self) -> Self {
        Self(format!("{start}{self}"))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether `other` is this place or is somewhere in it.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        other.0.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    pub(crate) fn parent(&self) -> Option<Self> {
        self.0.rfind('/').map(|end| Self(self.0[..end].to_owned()))
    }

    /// Returns the last token, unescaped; empty for the whole document.
    pub(crate) fn last(&self) -> String {
        let last = self.0.rsplit_once('/').map_or("", |(_, last)| last);
        last.replace("~1", "/").replace("~0", "~")
    }

    /// Returns all tokens, unescaped.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.0.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~")).collect()
    }

    pub(crate) fn get<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        document.pointer(&self.0)
    }

    pub(crate) fn get_mut<'a>(&self, document: &'a mut Value) -> Option<&'a mut Value> {
        document.pointer_mut(&self.0)
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
