//! JSON Pointers (RFC 6901), with which all reports and errors name places in the document.

use std::fmt;

use serde_json::Value;

/// A place in a document, written as a JSON Pointer such as `/paths/~1v1~1user/post`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pointer(String);

impl Pointer {
    /// Returns the pointer to the whole document.
    pub fn root() -> Self {
        Self::default()
    }

    /// Parses the fragment of a `$ref` (`#/components/schemas/User`). Returns `None` unless it points into the same document.
    pub fn from_reference(reference: &str) -> Option<Self> {
        let fragment = reference.strip_prefix('#')?;
        if fragment.is_empty() || fragment.starts_with('/') {
            Some(Self(percent_decode(fragment)?))
        } else {
            None
        }
    }

    /// Creates a pointer from text that already is a JSON Pointer.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the pointer to a member or an array element below this one.
    pub fn child(&self, token: impl fmt::Display) -> Self {
        let token = token.to_string().replace('~', "~0").replace('/', "~1");
        Self(format!("{}/{token}", self.0))
    }

    /// Returns the pointer that `below` names relative to this one.
    pub fn join(&self, below: &Self) -> Self {
        Self(format!("{}{}", self.0, below.0))
    }

    /// Returns the unescaped steps from the root.
    pub fn tokens(&self) -> Vec<String> {
        self.0.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~")).collect()
    }

    /// Returns the last step, unescaped; empty for the root.
    pub fn last(&self) -> String {
        self.tokens().pop().unwrap_or_default()
    }

    /// Returns the pointer one step up, or `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let (parent, _) = self.0.rsplit_once('/')?;
        Some(Self(parent.to_owned()))
    }

    /// Returns whether `other` is this place or is below it.
    pub fn contains(&self, other: &Self) -> bool {
        other.0.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Returns the value at this place.
    pub fn get<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        document.pointer(&self.0)
    }

    /// Returns a mutable reference to the value at this place.
    pub fn get_mut<'a>(&self, document: &'a mut Value) -> Option<&'a mut Value> {
        document.pointer_mut(&self.0)
    }

    /// Returns the pointer as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "/" } else { &self.0 })
    }
}

/// Decodes percent-encoding (`%7Bdistinct_id%7D`), which the fragment of a `$ref` may contain because it is a URI.
fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_escaped_and_back() {
        let pointer = Pointer::root().child("paths").child("/v1/~user/{id}/");
        assert_eq!(pointer.as_str(), "/paths/~1v1~1~0user~1{id}~1");
        assert_eq!(pointer.tokens(), ["paths", "/v1/~user/{id}/"]);
        assert_eq!(pointer.last(), "/v1/~user/{id}/");
    }

    #[test]
    fn a_reference_may_be_percent_encoded() {
        let pointer = Pointer::from_reference("#/paths/~1u~1%7Bid%7D/get").unwrap();
        assert_eq!(pointer.tokens(), ["paths", "/u/{id}", "get"]);
        assert_eq!(Pointer::from_reference("other.yaml#/a"), None);
        assert_eq!(Pointer::from_reference("#anchor"), None);
        assert_eq!(Pointer::from_reference("#/a%"), None);
    }

    #[test]
    fn containment_is_by_whole_steps() {
        let parent = Pointer::from_text("/a/b");
        assert!(parent.contains(&Pointer::from_text("/a/b/c")));
        assert!(parent.contains(&parent));
        assert!(!parent.contains(&Pointer::from_text("/a/bc")));
    }
}
