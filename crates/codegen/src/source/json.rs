//! Parses JSON (RFC 8259).
//!
//! YAML parsers accept most of it, but not all: JSON escapes a character beyond U+FFFF as two surrogates, and YAML does not allow keys of
//! more than 1,024 characters.

use serde_json::Value;

use super::{
    number,
    tree::{Refusal, Tree},
};

/// The reason why there is no value.
pub(super) enum Stop {
    /// The text is not JSON, but may be YAML.
    Syntax,
    /// The text is JSON, but something would be lost; with the number of bytes before that.
    Refused(Refusal, usize),
}

pub(super) fn read(text: &str) -> Result<Value, Stop> {
    let mut reader = Reader { text, at: 0, tree: Tree::new() };
    loop {
        reader.value()?;
        if reader.is_complete()? {
            return reader.tree.whole().ok_or(Stop::Syntax);
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    tree: Tree,
}

impl Reader<'_> {
    /// Reads a value without parts, or opens a list or an object and continues with its first part.
    fn value(&mut self) -> Result<(), Stop> {
        loop {
            let value = match self.peek() {
                Some(b'{') => {
                    self.at += 1;
                    self.accept(Tree::open_object)?;
                    if self.peek() == Some(b'}') {
                        return Ok(());
                    }
                    self.key()?;
                    continue;
                }
                Some(b'[') => {
                    self.at += 1;
                    self.accept(Tree::open_list)?;
                    if self.peek() == Some(b']') {
                        return Ok(());
                    }
                    continue;
                }
                Some(b'"') => self.string()?.into(),
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(_) => self.word()?,
                None => return Err(Stop::Syntax),
            };
            return self.accept(|tree| {
                tree.spend(1)?;
                tree.put(value)
            });
        }
    }

    /// Closes what ends here. Returns whether the whole value is complete; if not, a value comes next.
    fn is_complete(&mut self) -> Result<bool, Stop> {
        loop {
            let next = self.peek();
            if self.tree.depth() == 0 {
                return if next.is_none() { Ok(true) } else { Err(Stop::Syntax) };
            }
            let in_object = self.tree.wants_key();
            self.at += 1;
            match next {
                Some(b'}') if in_object => {}
                Some(b']') if !in_object => {}
                Some(b',') => {
                    if in_object {
                        self.key()?;
                    }
                    return Ok(false);
                }
                _ => return Err(Stop::Syntax),
            }
            self.accept(|tree| {
                let value = tree.close();
                tree.put(value)
            })?;
        }
    }

    fn key(&mut self) -> Result<(), Stop> {
        if self.peek() != Some(b'"') {
            return Err(Stop::Syntax);
        }
        let key = self.string()?;
        self.accept(|tree| tree.key(key))?;
        self.expect(b':')
    }

    /// Reads a string; its opening quote comes next.
    fn string(&mut self) -> Result<String, Stop> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.find(|c| c == '"' || c == '\\' || c < ' ').ok_or(Stop::Syntax)?;
            text.push_str(&rest[..plain]);
            self.at += plain + 1;
            match rest.as_bytes()[plain] {
                b'"' => return Ok(text),
                b'\\' => text.push(self.escaped()?),
                _ => return Err(Stop::Syntax),
            }
        }
    }

    /// Reads an escape sequence after its backslash.
    fn escaped(&mut self) -> Result<char, Stop> {
        let escape = self.text.as_bytes().get(self.at).ok_or(Stop::Syntax)?;
        self.at += 1;
        Ok(match escape {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let mut units = vec![self.unit()?];
                if (0xD800..0xDC00).contains(&units[0]) && self.text[self.at..].starts_with("\\u") {
                    self.at += 2;
                    units.push(self.unit()?);
                }
                let chars: Result<Vec<char>, _> = char::decode_utf16(units).collect();
                let Ok([c]) = chars.as_deref() else {
                    let reason = "half of a character, a surrogate without the other one,";
                    let remedy = "write both halves, or the character itself";
                    return Err(self.refused(self.tree.refuse(reason, remedy)));
                };
                *c
            }
            _ => return Err(Stop::Syntax),
        })
    }

    /// Reads four hexadecimal digits.
    fn unit(&mut self) -> Result<u16, Stop> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(Stop::Syntax)?;
        self.at += 4;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(Stop::Syntax);
        }
        u16::from_str_radix(digits, 16).map_err(|_| Stop::Syntax)
    }

    fn number(&mut self) -> Result<Value, Stop> {
        let rest = &self.text[self.at..];
        let end =
            rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c))).unwrap_or(rest.len());
        let text = &rest[..end];
        if !is_number(text) {
            return Err(Stop::Syntax);
        }
        let read = number::decimal(text).ok_or(Stop::Syntax)?;
        let number = read.map_err(|nearest| self.refused(self.tree.inexact(text, nearest)))?;
        self.at += end;
        Ok(Value::Number(number))
    }

    fn word(&mut self) -> Result<Value, Stop> {
        let rest = &self.text[self.at..];
        for (word, value) in
            [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)]
        {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(Stop::Syntax)
    }

    /// Returns the next byte that is not whitespace.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at..];
        let spaces = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.at += spaces;
        rest.get(spaces).copied()
    }

    fn expect(&mut self, byte: u8) -> Result<(), Stop> {
        if self.peek() != Some(byte) {
            return Err(Stop::Syntax);
        }
        self.at += 1;
        Ok(())
    }

    fn accept(&mut self, step: impl FnOnce(&mut Tree) -> Result<(), Refusal>) -> Result<(), Stop> {
        step(&mut self.tree).map_err(|refusal| self.refused(refusal))
    }

    fn refused(&self, refusal: Refusal) -> Stop {
        Stop::Refused(refusal, self.at)
    }
}

/// Returns whether a text is a JSON number. JSON allows neither `01` nor `1.` nor `.5`, and YAML takes the first for a string.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let mantissa = digits.split(['e', 'E']).next().unwrap_or_default();
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let leading = whole.len() > 1 && whole.starts_with('0');
    !whole.is_empty()
        && !leading
        && !whole.starts_with('+')
        && fraction.is_none_or(|fraction| !fraction.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Stop, read};

    fn parse(text: &str) -> Option<Value> {
        read(text).ok()
    }

    #[test]
    fn what_serde_json_reads_is_read_alike() {
        for text in [
            "{}",
            "[]",
            " [ ] ",
            "{\"a\": [1, -2.5, true, false, null, \"b\"], \"c\": {\"d\": {}}}",
            "\"\"",
            "0",
            "-0.5e3",
            "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\ud83d\\ude00\"",
            "[[],[[]],{}]",
            "\"é😀\u{7f}\"",
            "\"\\uD834\\uDD1E\"",
        ] {
            assert_eq!(parse(text), Some(serde_json::from_str(text).expect(text)), "{text}");
        }
    }

    #[test]
    fn what_is_no_json_is_left_to_yaml() {
        for text in [
            "",
            "{",
            "}",
            "[1,]",
            "{\"a\":1,}",
            "{a: 1}",
            "[1 2]",
            "{} {}",
            "01",
            "1.",
            ".5",
            "+1",
            "--1",
            "1e",
            "tru",
            "\"\n\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u+123\"",
            "'a'",
            "[}",
            "{]",
            "{\"a\"}",
            "{\"a\":}",
            "nulll",
            "\"",
            "{\"a\":1]",
            "[1}",
        ] {
            assert!(matches!(read(text), Err(Stop::Syntax)), "{text}");
            assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_would_be_lost_is_refused() {
        for (text, part) in [
            ("{\"a\": {\"b\": 1, \"b\": 2}}", "`b` stands twice at /a"),
            ("[0, \"\\ud83d\"]", "half of a character, a surrogate without the other one, at /1"),
            ("[\"\\ude00\\ud83d\"]", "half of a character"),
            ("[\"\\ud83d\\u0041\"]", "half of a character"),
            ("{\"a\": 12345678901234567890123}", "at /a"),
        ] {
            let Err(Stop::Refused(refusal, at)) = read(text) else { panic!("{text} was read") };
            assert!(refusal.reason.contains(part), "{text}: {}", refusal.reason);
            assert!(at <= text.len());
        }
        // YAML's merge key is an ordinary name here.
        assert_eq!(parse("{\"<<\": {\"a\": 1}}"), Some(json!({"<<": {"a": 1}})));
    }

    proptest::proptest! {
        #[test]
        fn random_text_is_read_as_serde_json_reads_it(text in "([\\[\\]{},:\"\\\\ \n]|\"a\"|\"b\":|1|-|0|\\.5|e3|true|null|u00e9|\\\\ud83d|\\\\ude00|é){0,16}") {
            // Here it is the integer zero, as it is to a schema; there it is a number with a sign.
            proptest::prop_assume!(!text.contains("-0"));
            let theirs = serde_json::from_str::<Value>(&text);
            match read(&text) {
                Ok(value) => proptest::prop_assert_eq!(value, theirs.expect("ours was read")),
                Err(Stop::Syntax) => proptest::prop_assert!(theirs.is_err(), "{} is JSON", text),
                Err(Stop::Refused(..)) => {}
            }
        }
    }
}
