//! A place as the JSONPath (RFC 9535) that selects it.

use serde_json::Value;
use suprsend_codegen::Pointer;

/// The query that selects this place of the document.
pub(in crate::spec) fn of(document: &Value, place: &Pointer) -> String {
    let mut query = "$".to_owned();
    let mut here = Some(document);
    for token in place.tokens() {
        let step = match here {
            Some(Value::Array(_)) => format!("[{token}]"),
            _ if is_name(&token) => format!(".{token}"),
            _ => format!("['{}']", token.replace('\\', "\\\\").replace('\'', "\\'")),
        };
        query.push_str(&step);
        here = here.and_then(|here| match here {
            Value::Array(items) => items.get(token.parse::<usize>().ok()?),
            other => other.get(&token),
        });
    }
    query
}

fn is_name(token: &str) -> bool {
    let first = token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    first && token.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_query_selects_the_place_it_was_made_of() {
        let document = json!({"paths": {"/a/{b}": {"get": [{"it's": {"200": {"x-y": {"$k\\": 1}}}}]}}});
        let place = Pointer::root().child("paths").child("/a/{b}").child("get").child(0);
        let place = place.child("it's").child("200").child("x-y").child("$k\\");
        assert_eq!(of(&document, &place), r"$.paths['/a/{b}'].get[0]['it\'s']['200']['x-y']['$k\\']");
    }
}
