//! Decides whether a body is read, and chooses the media type for which Rust is generated, if there are several.

/// The name that progenitor decodes.
pub(crate) const JSON: &str = "application/json";

/// The media types that progenitor can send, by preference.
const SENT: [&str; 5] =
    [JSON, "application/x-www-form-urlencoded", "application/octet-stream", "text/plain", "text/x-markdown"];

/// Returns the media type to send, among those that a request body declares, or `None` if none of them can be sent.
pub fn sent_as<'n>(names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let rank = |name: &str| SENT.iter().position(|sent| *sent == essence(name));
    let ranked = names.into_iter().filter_map(|name| Some((rank(name)?, name)));
    ranked.min_by_key(|(rank, _)| *rank).map(|(_, name)| name)
}

/// Returns the media type to read, among those that a response body declares: JSON, or else a type based on JSON, or else the first.
pub fn read_as<'n>(names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let rank = |name: &str| if essence(name) == JSON { 0 } else { 1 + u8::from(!is_json(name)) };
    names.into_iter().min_by_key(|name| rank(name))
}

/// Returns whether HTTP allows content in a response (RFC 9110, 9.3.2, 15.3.5 and 15.3.6), whatever the document declares.
pub fn allows_content(method: &str, status: &str) -> bool {
    method != "head" && !matches!(status, "204" | "205")
}

/// Returns whether a success, or one of its range, comes without content. `read` tells whether a body is declared and read.
pub fn may_lack_content(status: &str, read: bool) -> bool {
    status == "2XX" || (status.starts_with('2') && !read)
}

/// Returns whether responses with this media type are decoded. Any other is a stream of bytes.
pub fn is_json(name: &str) -> bool {
    let essence = essence(name);
    essence == JSON || essence.ends_with("+json")
}

/// Returns a media type without its parameters, in lowercase.
pub fn essence(media_type: &str) -> String {
    let essence = media_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_does_not_hang_on_the_order() {
        for (names, sent, read) in [
            (&["multipart/form-data", "application/octet-stream"][..], Some(1), Some(0)),
            (&["text/plain", "application/octet-stream"], Some(1), Some(0)),
            (&["application/problem+json", "Application/JSON; charset=utf-8"], Some(1), Some(1)),
            (&["application/xml", "application/hal+json"], None, Some(1)),
            (&[], None, None),
        ] {
            let name = |index: Option<usize>| index.map(|index| names[index]);
            assert_eq!(sent_as(names.iter().copied()), name(sent), "{names:?}");
            assert_eq!(read_as(names.iter().copied()), name(read), "{names:?}");
        }
    }
}
