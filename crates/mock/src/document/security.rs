//! The credentials that an operation requires.

use std::collections::BTreeSet;

use serde_json::Value;

/// A way to send credentials.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Credential {
    /// `Authorization: <scheme> <key>`.
    Authorization { scheme: String },
    /// A separate header that contains the key.
    Header { name: String },
}

impl Credential {
    /// Returns the name of the header that contains the plain key, in lowercase for comparison in HTTP.
    pub(crate) fn header(&self) -> Option<String> {
        match self {
            Self::Header { name } => Some(name.to_ascii_lowercase()),
            Self::Authorization { .. } => None,
        }
    }
}

/// Returns the alternative credentials that the document declares for an operation; none if it requires no credentials.
pub(crate) fn credentials(document: &Value, operation: &Value) -> BTreeSet<Credential> {
    let requirements = operation.get("security").or_else(|| document.get("security"));
    let requirements = requirements.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let is_open = |requirement: &Value| requirement.as_object().is_none_or(serde_json::Map::is_empty);
    if requirements.iter().any(is_open) {
        return BTreeSet::new();
    }
    let names = requirements.iter().filter_map(Value::as_object).flat_map(|requirement| requirement.keys());
    names
        .filter_map(|name| document.get("components")?.get("securitySchemes")?.get(name))
        .filter_map(credential)
        .collect()
}

fn credential(scheme: &Value) -> Option<Credential> {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str);
    let authorization = |scheme: &str| Some(Credential::Authorization { scheme: scheme.to_owned() });
    match (text("type")?, text("in"), text("name")) {
        ("http", _, _) => authorization(text("scheme")?),
        ("oauth2" | "openIdConnect", _, _) => authorization("bearer"),
        ("apiKey", Some("header"), Some(name)) if name.eq_ignore_ascii_case("authorization") => {
            authorization("bearer")
        }
        // SuprSend's document puts `ServiceToken <token>` in place of a header name: it means a scheme of the header Authorization.
        ("apiKey", Some("header"), Some(name)) => match name.split_once(' ') {
            Some((scheme, _)) => authorization(scheme),
            None => Some(Credential::Header { name: name.to_owned() }),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn schemes_become_headers() {
        let document = json!({
            "security": [{"Bearer": []}],
            "components": {"securitySchemes": {
                "Bearer": {"type": "http", "scheme": "bearer"},
                "Service": {"type": "apiKey", "in": "header", "name": "ServiceToken <token>"},
                "Own": {"type": "apiKey", "in": "header", "name": "X-Key"},
            }}
        });
        let of = |operation: Value| credentials(&document, &operation).into_iter().collect::<Vec<_>>();
        let scheme = |scheme: &str| Credential::Authorization { scheme: scheme.into() };
        assert_eq!(of(json!({})), [scheme("bearer")], "the document's own requirement holds");
        assert_eq!(of(json!({"security": [{"Service": []}]})), [scheme("ServiceToken")]);
        assert_eq!(of(json!({"security": [{"Own": []}]})), [Credential::Header { name: "X-Key".into() }]);
        assert_eq!(of(json!({"security": []})), []);
        assert_eq!(
            of(json!({"security": [{}, {"Bearer": []}]})),
            [],
            "an empty requirement asks for nothing"
        );
    }
}
