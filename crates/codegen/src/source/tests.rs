use serde_json::json;

use super::*;

fn parse(text: &str) -> Result<Value, String> {
    Source::new("doc.yaml", text).parse().map_err(|problems| problems.to_string())
}

#[test]
fn yaml_and_json_give_the_same_value_in_the_order_of_the_text() {
    let yaml = parse("b: [1, -2, 1.5]\n200: no\na: 2020-01-01\n").unwrap();
    assert_eq!(yaml, json!({"b": [1, -2, 1.5], "200": "no", "a": "2020-01-01"}));
    assert_eq!(yaml.as_object().unwrap().keys().next().unwrap(), "b");
    assert_eq!(parse("{\"b\": 1}").unwrap(), json!({"b": 1}));
}

#[test]
fn what_json_would_lose_is_an_error_with_its_place() {
    for (text, part) in [
        ("a: 1\na: 2\n", "`a` stands twice at /"),
        ("x: {200: a, '200': b}\n", "`200` stands twice at /x"),
        ("x:\n  - .nan\n", "at /x/0"),
        ("x: !secret y\n", "tag `!secret` at /x"),
        ("a: [\n", "doc.yaml:2: not readable"),
        ("? [1]\n: x\n", "no plain scalar"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.contains(part), "{text:?} gave {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn a_text_without_end_is_an_error() {
    let error = parse(&" ".repeat(crate::TEXT + 1)).unwrap_err();
    assert!(error.contains("it has more than 67108864 bytes"), "{error}");
}

#[test]
fn a_bomb_and_a_pit_are_errors() {
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for level in 1..12 {
        let below = format!("*a{},", level - 1).repeat(9);
        let line = format!("a{level}: &a{level} [{below}]\n");
        bomb.push_str(&line);
    }
    assert!(parse(&bomb).unwrap_err().contains("more than 2000000 values"));
    assert!(parse(&"[".repeat(100_000)).unwrap_err().contains("more than 128 levels"));
}

/// Every text is parsed, or rejected with a reason, and nothing in it vanishes.
#[allow(clippy::needless_pass_by_value, reason = "values are written where they are compared")]
fn same(yaml: &str, expected: Value) {
    assert_eq!(parse(yaml).unwrap_or_else(|problems| panic!("{yaml}\n{problems}")), expected, "{yaml}");
}

fn refused(text: &str, part: &str) {
    let error = parse(text).expect_err(text);
    assert!(error.contains(part), "{text:?} gave {error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn f09_merge_keys_are_merged_as_yaml_1_1_says() {
    // In flow and block style, one map and several, at the root and below a list.
    same("b: &b {x: 1}\na: {<<: *b, y: 2}", json!({"b": {"x": 1}, "a": {"x": 1, "y": 2}}));
    same("b: &b\n  x: 1\na:\n  <<: *b\n  y: 2\n", json!({"b": {"x": 1}, "a": {"x": 1, "y": 2}}));
    same("<<: {x: 1}\ny: 2\n", json!({"x": 1, "y": 2}));
    same("- &b {x: 1}\n- {<<: *b}\n- <<: *b\n", json!([{"x": 1}, {"x": 1}, {"x": 1}]));
    same("!!merge <<: {x: 1}\n", json!({"x": 1}));
    // An object's own members take precedence, wherever `<<` is; of several maps, the first does.
    same("b: &b {x: 1, z: 1}\na: {x: 2, <<: *b}", json!({"b": {"x": 1, "z": 1}, "a": {"x": 2, "z": 1}}));
    same("a: {<<: [{x: 1}, {x: 2, y: 3}], z: 4}", json!({"a": {"x": 1, "y": 3, "z": 4}}));
    same("a: {<<: []}", json!({"a": {}}));
    // A merged map may itself have merged others, which makes no difference.
    same(
        "one: &one {x: 1}\ntwo: &two {<<: *one, y: 2}\nthree: {<<: *two, y: 3}",
        json!({"one": {"x": 1}, "two": {"x": 1, "y": 2}, "three": {"x": 1, "y": 3}}),
    );
    // A merged value has an anchor itself, and so has one that merges.
    same("a: {<<: &b {x: 1}}\nc: *b", json!({"a": {"x": 1}, "c": {"x": 1}}));
    same("a: &a {<<: {x: 1}}\nc: *a", json!({"a": {"x": 1}, "c": {"x": 1}}));
    // Merged members take the position of `<<`.
    let merged = parse("a: {p: 0, <<: {x: 1, y: 2}, q: 0}").unwrap();
    assert_eq!(merged["a"].as_object().unwrap().keys().collect::<Vec<_>>(), ["p", "x", "y", "q"]);
}

#[test]
fn f09_what_is_no_merge_key_is_a_key() {
    same("{\"<<\": 1}", json!({"<<": 1}));
    same("'<<': {x: 1}", json!({"<<": {"x": 1}}));
    same("!!str <<: {x: 1}", json!({"<<": {"x": 1}}));
    same("a: <<", json!({"a": "<<"}));
    same("[<<]", json!(["<<"]));
}

#[test]
fn f09_what_cannot_be_merged_is_refused_by_name() {
    refused(
        "a: {<<: 1}",
        "doc.yaml:1: the merge key `<<` has a value that is neither a map nor a list of maps at /a/<<; ",
    );
    refused("a:\n  <<:\n", "the merge key `<<` has a value");
    refused("a: {<<: [1]}", "the merge key `<<` has a value");
    refused("a: {<<: [[{x: 1}]]}", "the merge key `<<` has a value");
    refused("a: {<<: {x: 1}, <<: {y: 1}}", "the merge key `<<` stands twice at /a");
    refused("a: &a {<<: *a}", "an alias of what it stands in at /a/<<");
    refused("a: &m <<\n*m : {x: 1}", "the merge key `<<` as an alias");
}

#[test]
fn f10_a_byte_order_mark_is_skipped() {
    same("\u{feff}a: 1", json!({"a": 1}));
    same("\u{feff}{\"a\": 1}", json!({"a": 1}));
    same("\u{feff}---\na: 1", json!({"a": 1}));
    // As JSON, which differs from YAML in some respects.
    same("\u{feff}{\"a\": \"\\ud83d\\ude00\"}", json!({"a": "😀"}));
    same("\u{feff}# a comment\n\na: '\u{feff}1'", json!({"a": "\u{feff}1"}));
    refused("a: \u{feff}1", "doc.yaml:1: not readable as YAML or JSON: a byte order mark");
    refused("\u{feff}a: 1\na: 2", "doc.yaml:2: the key `a` stands twice");
}

#[test]
fn f20_numbers_are_read_exactly_or_refused() {
    for text in ["a: 9007199254740993", "{\"a\": 9007199254740993}", "a: 0x20000000000001"] {
        same(text, json!({"a": 9_007_199_254_740_993_u64}));
    }
    same("a: 18446744073709551615\nb: -9223372036854775808", json!({"a": u64::MAX, "b": i64::MIN}));
    same("[1e30, 1.50, 007, '1e999', 1_000]", json!([1e30, 1.5, "007", "1e999", "1_000"]));
    for number in
        ["12345678901234567890123", "0.30000000000000000001", "9007199254740993.0", "1e999", "1e-999"]
    {
        for text in [format!("a: [{number}]"), format!("{{\"a\": [{number}]}}")] {
            refused(&text, &format!("doc.yaml:1: the number `{number}`, which would be read as "));
        }
    }
    refused("a: 0xFFFFFFFFFFFFFFFFF", "the number `0xFFFFFFFFFFFFFFFFF`");
    refused("a: -.inf", "`-.inf`, which is not a JSON number, at /a");
}

#[test]
fn f20_keys_are_the_text_that_is_written() {
    same(
        "{1.10: a, 1.1: b, 0x1: c, true: d, ~: e, 12345678901234567890123: f}",
        json!({
            "1.10": "a", "1.1": "b", "0x1": "c", "true": "d", "~": "e", "12345678901234567890123": "f",
        }),
    );
}

#[test]
fn p16_json_with_surrogate_pairs_is_read() {
    same("{\"a\": \"\\ud83d\\ude00\", \"\\uD83D\\uDE00\": 1}", json!({"a": "😀", "😀": 1}));
    refused("{\"a\": \"\\ud83d\"}", "half of a character, a surrogate without the other one, at /a");
    let long = format!("{{\"{}\": 1}}", "k".repeat(5_000));
    assert!(parse(&long).is_ok());
}

/// Whatever its content, a text is either rejected at once or parsed in time proportional to its size.
#[test]
fn p16_a_large_text_takes_no_longer_than_its_size() {
    const SIZE: usize = 1 << 18;
    let begun = std::time::Instant::now();
    for (unit, front) in [
        ("[", "a: "),
        ("{", ""),
        ("[", ""),
        ("{a: ", ""),
        ("{\"a\":", ""),
        ("[{\"a\":[", ""),
        ("- ", ""),
        ("? ", ""),
        (": ", ""),
        ("]", ""),
        ("}", ""),
        (" ", ""),
        ("\n", ""),
        ("\t", ""),
        ("#", ""),
        ("#\n", ""),
        ("a", ""),
        ("a\n", ""),
        ("a ", "\""),
        ("\\", "\""),
        ("'", ""),
        ("b\n ", "a: |\n "),
        ("---\n", ""),
        ("%a\n", ""),
        (",", "["),
        (":", ""),
        ("&a ", ""),
        ("&a", ""),
        ("*a ", ""),
        ("!a ", ""),
        ("!", ""),
        ("9", "a: "),
        ("9", "["),
        ("0", "a: 0."),
        ("\u{feff}", ""),
        ("<<: ", ""),
        ("é", "a: "),
        ("|\n", ""),
        ("\r", ""),
        ("\0", ""),
    ] {
        let text = format!("{front}{}", unit.repeat(SIZE / unit.len()));
        if let Err(error) = parse(&text) {
            assert!(error.len() < 500, "{unit:?}: {} characters of error", error.len());
        }
    }
    // With limits that are reached early, most take no time; the rest take some tenths of a second each in a debug build.
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}

#[test]
fn p16_a_pit_is_refused_at_once() {
    let begun = std::time::Instant::now();
    for text in [
        format!("a: {}", "[".repeat(1_000_000)),
        "{\"a\":".repeat(1_000_000),
        "- ".repeat(1_000_000),
        "[".repeat(1_000_000),
    ] {
        refused(&text, "it nests more than 128 levels deep");
    }
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    // 128 levels are accepted; an alias may not lead deeper.
    assert!(parse(&format!("{}1{}", "[".repeat(128), "]".repeat(128))).is_ok());
    assert!(parse(&format!("{}1", "- ".repeat(128))).is_ok());
    refused(&format!("{}1{}", "[".repeat(129), "]".repeat(129)), "more than 128 levels");
    refused(&format!("{}1", "- ".repeat(129)), "more than 128 levels");
    refused(
        &format!("- &a {}1{}\n- {}*a{}", "[".repeat(100), "]".repeat(100), "[".repeat(100), "]".repeat(100)),
        "more than 128 levels",
    );
}

#[test]
fn anchors_within_anchors_are_no_bomb() {
    let mut text: String = (0..100).map(|level| format!("&a{level} [")).collect::<Vec<_>>().concat();
    text.push_str(&"1,".repeat(200_000));
    text.push_str(&"]".repeat(100));
    refused(&text, "more than 2000000 values, aliases written out,");
}

#[test]
fn tags_of_the_core_schema_say_what_a_scalar_is() {
    same(
        "[!!str 1, !!int 1, !!float 1.5, !!bool true, !!null ~, ! 1]",
        json!(["1", 1, 1.5, true, null, "1"]),
    );
    same("!!map {a: !!seq [1]}", json!({"a": [1]}));
    refused("a: !!binary aGk=", "the YAML tag `!!binary` at /a");
    refused("a: !!set {b}", "the YAML tag `!!set` at /a");
    refused("a: !!int b", "the YAML tag `!!int` at /a");
    refused("a: !!timestamp 2020-01-01", "the YAML tag `!!timestamp` at /a");
}

#[test]
fn one_document_is_read() {
    refused("", "doc.yaml:1: there is nothing in it; ");
    refused("# nothing\n", "there is nothing in it");
    refused("a: 1\n---\nb: 2\n", "doc.yaml:2: a second document");
    same("---\na: 1\n...\n", json!({"a": 1}));
    same("%YAML 1.2\n---\na: 1\n", json!({"a": 1}));
}
