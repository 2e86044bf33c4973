//! The string formats that are validated.

use std::net::{Ipv4Addr, Ipv6Addr};

use email_address::{EmailAddress, Options};
use iri_string::types::{UriReferenceStr, UriStr};
use reqwest::Url;
use suprsend_api::rules::Format;

/// Returns whether a text has the format. Unknown formats are accepted.
pub(super) fn is_valid(format: Format, text: &str) -> bool {
    match format {
        Format::Date => is_date(text.as_bytes()),
        Format::DateTime => text
            .split_once(['T', 't'])
            .is_some_and(|(date, time)| is_date(date.as_bytes()) && is_time(time.as_bytes())),
        Format::Email => is_email(text),
        Format::Hostname => is_host_name(text),
        Format::Ipv4 => text.parse::<Ipv4Addr>().is_ok(),
        Format::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
        Format::Time => is_time(text.as_bytes()),
        Format::Uri => UriStr::new(text).is_ok(),
        Format::UriReference => UriReferenceStr::new(text).is_ok(),
        Format::Uuid => is_uuid(text.as_bytes()),
        _ => true,
    }
}

/// JSON Schema's `email` is a mailbox as defined by RFC 5321: ASCII, with a host name or an address in brackets as its domain.
/// email_address validates the local part; it also accepts international mailboxes and names such as `Jane <jane@example.com>`, which the
/// format does not.
fn is_email(text: &str) -> bool {
    // A domain contains no `@`. It is short, so this is faster than `rsplit_once`.
    let Some(at) = text.bytes().rposition(|byte| byte == b'@') else { return false };
    let (local, domain) = (&text[..at], &text[at + 1..]);
    (is_host_name(domain) || is_address_literal(domain)) && (is_usual(local) || is_local(local))
}

/// Returns whether a local part is valid. email_address rejects the empty one in quotes.
fn is_local(local: &str) -> bool {
    let options = Options::default().without_display_text();
    let parses = || EmailAddress::parse_with_options(&format!("{local}@localhost"), options).is_ok();
    local == "\"\"" || (local.is_ascii() && parses())
}

/// Returns whether a local part is certainly valid: nearly all are, and this takes a tenth of the time. RFC 5321, 4.1.2 and 4.5.3.1.1.
fn is_usual(local: &str) -> bool {
    let mut before = b'.';
    local.len() <= 64
        && local.bytes().chain([b'.']).all(|byte| {
            // A dot must follow an atom.
            let is_right = match byte {
                b'.' => before != b'.',
                byte => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'-'),
            };
            before = byte;
            is_right
        })
}

/// RFC 5321, 4.1.3: `[127.0.0.1]` or `[IPv6:::1]`.
fn is_address_literal(domain: &str) -> bool {
    let Some(address) = domain.strip_prefix('[').and_then(|domain| domain.strip_suffix(']')) else {
        return false;
    };
    match address.split_at_checked("IPv6:".len()) {
        Some((tag, address)) if tag.eq_ignore_ascii_case("IPv6:") => address.parse::<Ipv6Addr>().is_ok(),
        _ => address.parse::<Ipv4Addr>().is_ok(),
    }
}

/// The maximum length of a host name in bytes: RFC 1035, 2.3.4, without the length and the root that it counts.
const HOST_NAME: usize = 253;

/// RFC 1123, 2.1: labels of letters, digits and inner hyphens, at most 63 each.
fn is_host_name(text: &str) -> bool {
    let (mut length, mut before, mut has_mark) = (0, b'.', false);
    let is_right = text.bytes().chain([b'.']).all(|byte| {
        let is_right = match byte {
            b'.' => (1..=63).contains(&length) && before != b'-',
            b'-' => length > 0,
            byte => byte.is_ascii_alphanumeric(),
        };
        has_mark |= length == 3 && byte == b'-' && before == b'-';
        length = if byte == b'.' { 0 } else { length + 1 };
        before = byte;
        is_right
    });
    text.len() <= HOST_NAME && is_right && (!has_mark || text.split('.').all(is_decodable))
}

/// RFC 5891, 4.2.3.1: two hyphens after two letters mark an encoded label. Only one kind exists, and what follows its `xn--` must decode.
fn is_decodable(label: &str) -> bool {
    let is_marked = label.get(..4).is_some_and(|mark| mark.eq_ignore_ascii_case("xn--"));
    label.get(2..4) != Some("--") || (is_marked && Url::parse(&format!("http://{label}/")).is_ok())
}

/// RFC 3339, 5.6: `full-date`.
fn is_date(text: &[u8]) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return false };
    let (Some(year), Some(month), Some(day)) =
        (number(&[*y1, *y2, *y3, *y4]), number(&[*m1, *m2]), number(&[*d1, *d2]))
    else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u16::from(leap),
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// RFC 3339, 5.6: `full-time`. A leap second is the last second of a day in UTC.
fn is_time(text: &[u8]) -> bool {
    let [h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = text else { return false };
    let (Some(hour), Some(minute), Some(second)) =
        (number(&[*h1, *h2]), number(&[*m1, *m2]), number(&[*s1, *s2]))
    else {
        return false;
    };
    let rest = match rest {
        [b'.', fraction @ ..] => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return false;
            }
            &fraction[digits..]
        }
        rest => rest,
    };
    // The number of minutes to add to get UTC.
    let offset = match rest {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => match (number(&[*h1, *h2]), number(&[*m1, *m2])) {
            (Some(hour @ 0..=23), Some(minute @ 0..=59)) => {
                let minutes = i32::from(hour) * 60 + i32::from(minute);
                Some(if *sign == b'+' { -minutes } else { minutes })
            }
            _ => None,
        },
        _ => None,
    };
    let Some(offset) = offset else { return false };
    let in_utc = (i32::from(hour) * 60 + i32::from(minute) + offset).rem_euclid(24 * 60);
    hour < 24 && minute < 60 && (second < 60 || (second == 60 && in_utc == 24 * 60 - 1))
}

fn number(digits: &[u8]) -> Option<u16> {
    digits
        .iter()
        .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u16::from(byte - b'0')))
}

/// RFC 4122, 3.
fn is_uuid(text: &[u8]) -> bool {
    let is_right = |(index, byte): (usize, &u8)| match index {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.iter().enumerate().all(is_right)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::LazyLock};

    use jsonschema::Validator;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// The validators of the crate that the mock server uses.
    static JUDGES: LazyLock<BTreeMap<&str, Validator>> = LazyLock::new(|| {
        let names = [
            "date",
            "date-time",
            "email",
            "hostname",
            "ipv4",
            "ipv6",
            "time",
            "uri",
            "uri-reference",
            "uuid",
        ];
        let judge =
            |name| jsonschema::options().should_validate_formats(true).build(&json!({"format": name}));
        names.into_iter().map(|name| (name, judge(name).unwrap())).collect()
    });

    #[track_caller]
    fn agree(name: &str, format: Format, text: &str) {
        let theirs = JUDGES[name].is_valid(&Value::from(text));
        assert_eq!(is_valid(format, text), theirs, "{name}: {text:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn an_address_is_what_the_hub_takes(
            local in "([aZ0_+.-]{0,70}|[a@. \"é\\\\!]{0,6}|\"[a \\\\\"@.]{0,4}\")",
            domain in "(([aZ0-]{1,40}\\.){0,9}[aZ0-]{1,40}|[a@.é\\[]{0,6}|\\[(ipv6:|IPv6:)?[0-9:.]{0,9}\\])",
        ) {
            let text = format!("{local}@{domain}");
            agree("email", Format::Email, &text);
        }

        #[test]
        fn times_are_what_the_hub_takes(
            date in "([0-9]{4}-[01][0-9]-[0-3][0-9]|20[0-9]{2}-02-29|[0-9-]{8,11})",
            time in "([0-2][0-9]:[0-5][0-9]:[0-6][0-9](\\.[0-9]{0,3})?(Z|z|[+-][0-2][0-9]:[0-6][0-9])?|23:59:60Z|[0-2][0-9]:59:60[+-][0-2][0-9]:00)",
            between in "[Tt ]",
        ) {
            agree("date", Format::Date, &date);
            agree("time", Format::Time, &time);
            agree("date-time", Format::DateTime, &format!("{date}{between}{time}"));
        }

        #[test]
        fn others_are_what_the_hub_takes(
            uri in "([a-z]{0,5}:)?(//[a-z0-9.:@\\[\\]-]{0,8})?[/a-z%0-9?#.:~ é]{0,8}",
            address in "([0-9]{1,3}\\.){2,4}[0-9]{1,3}|[0-9a-f:.]{0,20}",
            uuid in "[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-g]{11,12}",
            host in "([a-zA-Z0-9-]{1,20}\\.){0,13}[a-z0-9-]{0,64}",
        ) {
            agree("uri", Format::Uri, &uri);
            agree("uri-reference", Format::UriReference, &uri);
            agree("ipv4", Format::Ipv4, &address);
            agree("ipv6", Format::Ipv6, &address);
            agree("uuid", Format::Uuid, &uuid);
            agree("hostname", Format::Hostname, &host);
        }
    }

    #[test]
    fn emails() {
        let good = [
            "jane@example.com",
            "j@e",
            "jane.doe+tag@sub.example.co.uk",
            "o'hara@example.com",
            "\"jane doe\"@example.com",
            "\"\"@example.com",
            "jane@xn--bcher-kva.example",
            "1@2.3",
            "jane@[127.0.0.1]",
            "jane@[IPv6:::1]",
            "jane@[ipv6:2001:db8::1]",
        ];
        for text in good {
            assert!(is_valid(Format::Email, text), "{text}");
            agree("email", Format::Email, text);
        }
        let bad = [
            "",
            "jane",
            "jane@",
            "@example.com",
            "jane@@example.com",
            "jane @example.com",
            "jane@exa mple.com",
            "jane@example..com",
            ".jane@example.com",
            "jane.@example.com",
            "jane@-example.com",
            "jane@exam_ple.com",
            "jäne@example.com",
            "jane@bücher.example",
            "jane@ab--cd.example",
            "jane@xn--.example",
            "jane@example.com\n",
            "jane@example.com,joe@example.com",
            "jane@[127.0.0.1",
            "jane@[127.0.0.256]",
            "jane@[::1]",
        ];
        for text in bad {
            assert!(!is_valid(Format::Email, text), "{text}");
            agree("email", Format::Email, text);
        }
        // A mailbox has no name before it, although the mock server accepts one.
        assert!(!is_valid(Format::Email, "Jane <jane@example.com>"));
        let long = format!("jane@{}.com", "x".repeat(64));
        assert!(!is_valid(Format::Email, &long));
    }

    #[test]
    fn uris() {
        for text in
            ["https://example.com", "http://[::1]:80/a?b#c", "urn:x:y", "mailto:a@b", "https://e.com/%20"]
        {
            assert!(is_valid(Format::Uri, text), "{text}");
        }
        for text in [
            "",
            "example.com",
            "//example.com",
            "/a",
            "https://exa mple.com",
            "https://e.com/%2",
            "https://é.com",
        ] {
            assert!(!is_valid(Format::Uri, text), "{text}");
        }
        assert!(is_valid(Format::UriReference, "/a"));
        assert!(!is_valid(Format::UriReference, "/a b"));
    }

    #[test]
    fn times() {
        for text in [
            "2025-04-04T21:37:36Z",
            "2024-02-29t00:00:00.5+02:00",
            "2016-12-31T23:59:60Z",
            "1990-12-31T15:59:60-08:00",
        ] {
            assert!(is_valid(Format::DateTime, text), "{text}");
        }
        for text in [
            "2025-04-04",
            "2025-02-29T00:00:00Z",
            "2025-04-04T24:00:00Z",
            "2025-04-04T21:37:36",
            "2025-04-04T21:37:60Z",
        ] {
            assert!(!is_valid(Format::DateTime, text), "{text}");
        }
    }
}
