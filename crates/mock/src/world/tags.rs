//! Filters of categories by their tags.

use serde_json::Value;

/// Returns whether tags match a filter of tags, `and`, `or`, `not` and `exists`.
pub(super) fn has_tags(tags: &Value, filter: &Value) -> bool {
    let known = tags.as_array().map_or(&[][..], Vec::as_slice);
    let all = |filters: &Value, any: bool| {
        let mut filters = filters.as_array().into_iter().flatten().map(|filter| has_tags(tags, filter));
        if any { filters.any(|it| it) } else { filters.all(|it| it) }
    };
    match filter {
        Value::Object(filter) => filter.iter().all(|(word, value)| match word.as_str() {
            "and" => all(value, false),
            "or" => all(value, true),
            "not" => !has_tags(tags, value),
            "exists" => known.is_empty() != (*value == true),
            _ => false,
        }),
        tag => known.contains(tag),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tags_are_combined() {
        let tags = json!(["a", "b"]);
        for (filter, fits) in [
            (json!("a"), true),
            (json!("c"), false),
            (json!({"and": ["a", "b"]}), true),
            (json!({"or": [{"and": ["a", "c"]}, "b"]}), true),
            (json!({"not": "a"}), false),
            (json!({"exists": true}), true),
            (json!({"exists": false}), false),
        ] {
            assert_eq!(has_tags(&tags, &filter), fits, "{filter}");
        }
        assert!(has_tags(&Value::Null, &json!({"exists": false})));
    }
}
