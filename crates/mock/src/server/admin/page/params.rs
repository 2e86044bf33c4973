//! The query of a page or a form, and links that preserve it.

use std::collections::BTreeMap;

/// Names and values in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// Parses a query or a form. Empty values are dropped: a browser sends them for fields that nobody filled in.
    pub(super) fn read(text: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(text).into_owned();
        Self(pairs.filter(|(_, value)| !value.trim().is_empty()).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns a text without surrounding whitespace; empty if there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default().trim()
    }

    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.trim().parse().ok()
    }

    pub(super) fn all(&self, name: &'static str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns whether to show sensitive values.
    pub(super) fn reveals(&self) -> bool {
        self.get("reveal").is_some()
    }

    /// Returns a copy without these names.
    pub(super) fn without(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(name, _)| !names.contains(&name.as_str())).cloned().collect())
    }

    /// Returns a copy in which this value replaces those of the same name.
    pub(super) fn with(&self, name: &str, value: impl Into<String>) -> Self {
        let mut params = self.without(&[name]);
        params.0.push((name.to_owned(), value.into()));
        params
    }

    /// Adds a value to those of the same name.
    pub(super) fn and(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    /// Returns a copy with only the parameters that are kept on every page.
    pub(super) fn carried(&self) -> Self {
        Self(self.0.iter().filter(|(name, _)| name == "reveal").cloned().collect())
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns a link to a path with this query.
    pub(super) fn link(&self, path: &str) -> String {
        if self.0.is_empty() {
            return path.to_owned();
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish();
        format!("{path}?{query}")
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Params {
    fn from(pairs: [(&str, &str); N]) -> Self {
        let pairs: BTreeMap<_, _> = pairs.into();
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_the_query_and_escape_it() {
        let params = Params::read(b"q=a%26b&status=&operation=x&reveal=1");
        assert_eq!((params.get("q"), params.get("status")), (Some("a&b"), None));
        assert_eq!(params.with("q", "é=1").link("/p"), "/p?operation=x&reveal=1&q=%C3%A9%3D1");
        assert_eq!(params.carried().link("/p"), "/p?reveal=1");
        assert_eq!(Params::default().link("/p"), "/p");
    }
}
