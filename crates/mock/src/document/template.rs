//! Path templates such as `/v1/user/{distinct_id}/`.

use percent_encoding::percent_decode_str;

/// A path of the document, in segments.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Template(Vec<Segment>);

/// The order is the order of matching: fixed text comes before a parameter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Fixed(String),
    /// A parameter, with the fixed text around it.
    Parameter {
        name: String,
        before: String,
        after: String,
    },
}

/// Why a path that has the template's form does not match it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotText {
    /// The parameter whose bytes are not UTF-8.
    pub(crate) parameter: String,
}

impl Template {
    /// Reads a key of `paths`.
    pub(crate) fn new(path: &str) -> Result<Self, String> {
        path.split('/').map(Segment::new).collect::<Result<_, _>>().map(Self)
    }

    /// The decoded parameters if a request's path matches: segment by segment, a trailing slash being a segment of its own.
    ///
    /// A parameter takes at least one character, and `%2F` in it is a slash of its value.
    pub(crate) fn matches(&self, path: &str) -> Option<Result<Vec<(String, String)>, NotText>> {
        let mut parameters = Vec::new();
        let mut parts = path.split('/');
        for segment in &self.0 {
            let part = parts.next()?;
            match segment {
                Segment::Fixed(text) => {
                    if !percent_decode_str(part).eq(text.bytes()) {
                        return None;
                    }
                }
                Segment::Parameter { name, before, after } => {
                    let part = part.strip_prefix(before.as_str())?.strip_suffix(after.as_str())?;
                    if part.is_empty() {
                        return None;
                    }
                    parameters.push((name, part));
                }
            }
        }
        if parts.next().is_some() {
            return None;
        }
        let decode = |(name, part): (&String, &str)| match percent_decode_str(part).decode_utf8() {
            Ok(text) => Ok((name.clone(), text.into_owned())),
            Err(_) => Err(NotText { parameter: name.clone() }),
        };
        Some(parameters.into_iter().map(decode).collect())
    }
}

impl Segment {
    fn new(text: &str) -> Result<Self, String> {
        let Some((before, rest)) = text.split_once('{') else {
            return Ok(Self::Fixed(text.to_owned()));
        };
        match rest.split_once('}') {
            Some((name, after)) if !after.contains('{') => Ok(Self::Parameter {
                name: name.to_owned(),
                before: before.to_owned(),
                after: after.to_owned(),
            }),
            Some(_) => Err(format!("`{text}` has more than one parameter between two slashes")),
            None => Err(format!("`{text}` has a `{{` without its `}}`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(template: &str, path: &str) -> Option<Vec<String>> {
        let template = Template::new(template).expect("a template");
        let values = template.matches(path)?.expect("text");
        Some(values.into_iter().map(|(name, value)| format!("{name}={value}")).collect())
    }

    #[test]
    fn a_parameter_is_decoded_and_takes_one_segment() {
        let user = "/v1/user/{distinct_id}/";
        assert_eq!(parameters(user, "/v1/user/a%2Fb%20%C3%A4/"), Some(vec!["distinct_id=a/b ä".into()]));
        assert_eq!(parameters(user, "/v1/user/a/b/"), None);
        assert_eq!(parameters(user, "/v1/user/a"), None, "the trailing slash is part of the path");
        assert_eq!(parameters(user, "/v1/user//"), None, "a parameter is not empty");
    }

    #[test]
    fn text_around_a_parameter_is_kept() {
        assert_eq!(parameters("/v1/{id}:archive", "/v1/7:archive"), Some(vec!["id=7".into()]));
        assert_eq!(parameters("/v1/{id}:archive", "/v1/7"), None);
    }

    #[test]
    fn bytes_that_are_not_text_name_their_parameter() {
        let template = Template::new("/v1/user/{distinct_id}/").expect("a template");
        let found = template.matches("/v1/user/%FF/");
        assert_eq!(found, Some(Err(NotText { parameter: "distinct_id".into() })));
    }

    #[test]
    fn fixed_text_is_tried_first() {
        let [fixed, open] = ["/v1/user/bulk/", "/v1/user/{id}/"].map(Template::new);
        assert!(fixed < open);
    }

    #[test]
    fn a_template_that_cannot_be_matched_is_refused() {
        assert!(Template::new("/v1/{a}{b}/").is_err());
        assert!(Template::new("/v1/{a/").is_err());
    }
}
