//! Path templates such as `/v1/user/{distinct_id}/`.

use std::cmp::Reverse;

use percent_encoding::percent_decode_str;

/// A path of the document, in segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Segment>);

/// The part between two slashes: fixed text and parameters, but never two adjacent parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Segment(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// Fixed bytes, percent-decoded.
    Fixed(Vec<u8>),
    Parameter(String),
}

/// The reason why a path does not match although it has the template's form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotText {
    /// The parameter whose bytes are not UTF-8.
    pub(crate) parameter: String,
}

impl Template {
    /// Parses a key of `paths`. Text after `#` distinguishes operations with the same path and method, and is not part of the path.
    pub(crate) fn new(path: &str) -> Result<Self, String> {
        let path = path.split('#').next().unwrap_or_default();
        path.split('/').map(Segment::new).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the names of the parameters in order.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|segment| &segment.0).filter_map(|piece| match piece {
            Piece::Parameter(name) => Some(name.as_str()),
            Piece::Fixed(_) => None,
        })
    }

    /// Returns the rank for matching: templates with fewer parameterized segments and more fixed text come first.
    pub(crate) fn rank(&self) -> impl Ord + use<> {
        let with_parameters = self.0.iter().filter(|segment| segment.has_parameters()).count();
        let fixed: usize = self.0.iter().map(Segment::fixed).sum();
        let shape: Vec<_> = self.0.iter().map(|it| (it.has_parameters(), Reverse(it.fixed()))).collect();
        (with_parameters, Reverse(fixed), shape)
    }

    /// Returns the decoded parameters if a request's path matches, segment by segment. A trailing slash is a segment of its own.
    ///
    /// A parameter takes at least one character. `%2F` is a slash in its value.
    pub(crate) fn matches(&self, path: &str) -> Option<Result<Vec<(String, String)>, NotText>> {
        let mut parameters = Vec::new();
        let mut parts = path.split('/');
        for Segment(pieces) in &self.0 {
            let part: Vec<u8> = percent_decode_str(parts.next()?).collect();
            if !take(pieces, &part, &mut parameters) {
                return None;
            }
        }
        if parts.next().is_some() {
            return None;
        }
        let text = |(name, value): (&str, Vec<u8>)| match String::from_utf8(value) {
            Ok(text) => Ok((name.to_owned(), text)),
            Err(_) => Err(NotText { parameter: name.to_owned() }),
        };
        Some(parameters.into_iter().map(text).collect())
    }
}

/// Returns whether the pieces match the text. Each parameter takes as little as possible.
fn take<'a>(pieces: &'a [Piece], text: &[u8], parameters: &mut Vec<(&'a str, Vec<u8>)>) -> bool {
    match pieces {
        [] => text.is_empty(),
        [Piece::Fixed(fixed), rest @ ..] => {
            text.strip_prefix(fixed.as_slice()).is_some_and(|text| take(rest, text, parameters))
        }
        [Piece::Parameter(name), rest @ ..] => {
            let known = parameters.len();
            let first = if rest.is_empty() { text.len().max(1) } else { 1 };
            (first..=text.len()).any(|end| {
                parameters.truncate(known);
                parameters.push((name, text[..end].to_vec()));
                take(rest, &text[end..], parameters)
            })
        }
    }
}

impl Segment {
    fn new(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (fixed, after) =
                rest.split_once('{').map_or((rest, None), |(fixed, after)| (fixed, Some(after)));
            if !fixed.is_empty() {
                pieces.push(Piece::Fixed(percent_decode_str(fixed).collect()));
            }
            let Some(after) = after else { break };
            let Some((name, after)) = after.split_once('}') else {
                return Err(format!("`{text}` has a `{{` without its `}}`"));
            };
            if matches!(pieces.last(), Some(Piece::Parameter(_))) {
                return Err(format!("`{text}` has two parameters with nothing between them"));
            }
            pieces.push(Piece::Parameter(name.to_owned()));
            rest = after;
        }
        Ok(Self(pieces))
    }

    fn has_parameters(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Parameter(_)))
    }

    /// Returns the length of the fixed text.
    fn fixed(&self) -> usize {
        let length = |piece: &Piece| if let Piece::Fixed(text) = piece { text.len() } else { 0 };
        self.0.iter().map(length).sum()
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
        assert_eq!(parameters("/a%20b/{id}", "/a%20b/7"), Some(vec!["id=7".into()]));
        assert_eq!(parameters("/é/{id}", "/%C3%A9/7"), Some(vec!["id=7".into()]));
    }

    #[test]
    fn several_parameters_of_a_segment_share_it() {
        let compare = "/compare/{base}...{head}";
        let found = parameters(compare, "/compare/main...a.b....c");
        assert_eq!(found, Some(vec!["base=main".into(), "head=a.b....c".into()]));
        assert_eq!(parameters(compare, "/compare/...x"), None, "a parameter is not empty");
        assert_eq!(parameters(compare, "/compare/x..."), None);
        assert_eq!(
            parameters("/{a}-{b}.{c}", "/x-y-z.w"),
            Some(vec!["a=x".into(), "b=y-z".into(), "c=w".into()])
        );
    }

    #[test]
    fn a_fragment_is_no_part_of_the_path() {
        assert_eq!(parameters("/trigger/{id}/#many", "/trigger/1/"), Some(vec!["id=1".into()]));
    }

    #[test]
    fn bytes_that_are_not_text_name_their_parameter() {
        let template = Template::new("/v1/user/{distinct_id}/").expect("a template");
        let found = template.matches("/v1/user/%FF/");
        assert_eq!(found, Some(Err(NotText { parameter: "distinct_id".into() })));
    }

    #[test]
    fn f28_the_template_with_more_fixed_text_is_tried_first() {
        let ascending = [
            ["/v1/user/bulk/", "/v1/user/{id}/"],
            ["/jobs/{id}:run", "/jobs/{id}"],
            ["/jobs/{id}:run-now", "/jobs/{id}:run"],
            ["/test.{format}", "/{name}"],
            ["/v1/{a}/search", "/v1/{a}/{b}"],
            ["/v1/test/test", "/v1/{a}/search"],
            ["/{a}/search/x", "/test/{b}/{c}"],
            ["/test/{b}/c", "/{a}/test/c"],
            ["/{base}...{head}", "/{basehead}"],
        ];
        for [first, second] in ascending {
            let [one, other] = [first, second].map(|path| Template::new(path).expect("a template").rank());
            assert!(one < other, "{first} {second}");
        }
    }

    #[test]
    fn a_template_that_cannot_be_matched_is_refused() {
        assert!(Template::new("/v1/{a}{b}/").is_err());
        assert!(Template::new("/v1/{a/").is_err());
    }
}
