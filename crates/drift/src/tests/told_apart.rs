//! Compares enums that the generator decodes by JSON type, and structs that it decodes by a macro, with the same types with serde's derive.

use std::{collections::HashMap, fmt::Debug};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use suprsend_api::{types as api, union::present as api_present};

use super::sample::types as sample;

macro_rules! derived {
    ($($name:ident { $($variant:ident($ty:ty)),* $(,)? })*) => {
        $(
            #[derive(Debug, Deserialize, Serialize)]
            #[serde(untagged)]
            enum $name { $($variant($ty)),* }
        )*
    };
}

derived! {
    Measure { Boolean(bool), Number(f64), Circle(sample::Circle) }
    Reach { String(String), Array(Vec<i64>), Tally(sample::Tally) }
    Union { String(String), Integer(i64), Array(Vec<String>) }
    ChannelValue { String(String), Object(serde_json::Map<String, Value>) }
    ApiErrorDetail { String(String), Array(Vec<Value>), Object(serde_json::Map<String, Value>) }
    ApiErrorStatus { String(String), Integer(i64) }
}

#[derive(Debug, Deserialize, Serialize)]
struct Circle {
    radius: f64,
}

#[derive(Debug, Deserialize, Serialize)]
struct Tally {
    sum: i64,
    #[serde(flatten)]
    extra: HashMap<String, i64>,
}

/// With every kind of member.
#[derive(Debug, Deserialize, Serialize)]
struct Members {
    #[serde(rename = "radius")]
    size: Option<f64>,
    #[serde(default)]
    sum: i64,
    #[serde(default, deserialize_with = "api_present", skip_serializing_if = "Option::is_none")]
    a: Option<Value>,
    r#type: Option<bool>,
}

#[derive(Debug, Serialize)]
struct MembersByMacro {
    #[serde(rename = "radius")]
    size: Option<f64>,
    sum: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    a: Option<Value>,
    r#type: Option<bool>,
}

suprsend_api::deserialize!(MembersByMacro { optional size "radius", optional sum, present a, optional r#type "type" });

/// Of which a member must be there, but may be null.
#[derive(Debug, Deserialize, Serialize)]
struct Insisting {
    #[serde(deserialize_with = "::std::option::Option::deserialize")]
    radius: Option<f64>,
}

#[derive(Debug, Serialize)]
struct InsistingByMacro {
    radius: Option<f64>,
}

suprsend_api::deserialize!(InsistingByMacro { required radius });

/// Known fields are decoded directly, flattened ones from serde's buffer.
#[derive(Debug, Deserialize, Serialize)]
struct Holder<T> {
    known: Option<T>,
    #[serde(flatten)]
    rest: HashMap<String, T>,
}

/// Decoded from serde's buffer by reference.
#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged)]
enum Either<T> {
    Number(u8),
    This(T),
}

/// The tag is looked up in serde's buffer, and the rest is decoded from it.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "known")]
enum Tagged<T> {
    #[serde(rename = "x")]
    This { other: T },
}

#[derive(Debug, Deserialize, Serialize)]
struct Flat<T> {
    #[serde(flatten)]
    all: T,
}

const TEXTS: &[&str] = &[
    r#""""#,
    r#""text""#,
    r#""\u00e9\n\ud83d\ude00""#,
    r#""\ud800""#,
    r#""x"#,
    "0",
    "-0",
    "7",
    "-7",
    "255",
    "256",
    "1.0",
    "1.5",
    "1e3",
    "1e400",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "true",
    "false",
    "null",
    "tru",
    "[]",
    "[1]",
    "[1.5]",
    "[1,2]",
    r#"["a"]"#,
    r#"["a",1]"#,
    "[null]",
    "[[]]",
    "[1",
    "[1,]",
    "{}",
    r#"{"radius":1}"#,
    r#"{"radius":1.5,"more":[1,{"a":null}]}"#,
    r#"{"radius":"1"}"#,
    r#"{"radius":1,"radius":2}"#,
    r#"{"sum":1}"#,
    r#"{"sum":1,"a":2,"b":-3}"#,
    r#"{"sum":1,"a":"2"}"#,
    r#"{"sum":1.5}"#,
    r#"{"a":1,"a":2}"#,
    r#"{"a":{"b":[1,2.5,"c",null,true]}}"#,
    r#"{"a":1"#,
    r#"{"a":1e400}"#,
    r#"{"1":1}"#,
    "",
    " ",
    "1 2",
    r#"{"Circle":{"radius":1}}"#,
    r#"{"radius":null}"#,
    r#"{"a":null,"type":true}"#,
    r#"{"a":1,"\u0061":1}"#,
    r#"{"sum":null}"#,
];

/// Decodes a text and encodes the result again.
fn read<T: DeserializeOwned + Serialize>(text: &str) -> Vec<Option<Value>> {
    let value = || serde_json::from_str::<Value>(text).ok();
    let read = [
        serde_json::from_str::<T>(text).ok(),
        serde_json::from_slice(text.as_bytes()).ok(),
        serde_json::from_reader(text.as_bytes()).ok(),
        value().and_then(|value| T::deserialize(value).ok()),
        value().and_then(|value| T::deserialize(&value).ok()),
    ];
    read.iter().map(|read| read.as_ref().map(|read| serde_json::to_value(read).unwrap())).collect()
}

/// Decodes each text by itself and inside of what serde buffers.
fn all<T: DeserializeOwned + Serialize>(name: &str) -> Vec<(String, Vec<Option<Value>>)> {
    let mut all = Vec::new();
    for text in TEXTS {
        let object = format!(r#"{{"known":{text},"other":{text}}}"#);
        let tagged = format!(r#"{{"other":{text},"known":"x"}}"#);
        for (form, read) in [
            ("", read::<T>(text)),
            ("optional", read::<Option<T>>(text)),
            ("a field, and flattened", read::<Holder<T>>(&object)),
            ("a variant", read::<Either<T>>(text)),
            ("a variant of several values", read::<Either<Vec<Holder<T>>>>(&format!("[{object}]"))),
            ("tagged", read::<Tagged<T>>(&tagged)),
            ("flattened itself", read::<Flat<T>>(text)),
            ("flattened itself, if it is there", read::<Flat<Option<T>>>(text)),
        ] {
            all.push((format!("{name} {form}: {text}"), read));
        }
    }
    all
}

fn same<Own, Derived>(name: &str)
where
    Own: DeserializeOwned + Serialize,
    Derived: DeserializeOwned + Serialize,
{
    same_of::<Own, Derived>(name, |_| true);
}

/// Compares what is decoded from the texts that are selected.
fn same_of<Own, Derived>(name: &str, selected: fn(&str) -> bool)
where
    Own: DeserializeOwned + Serialize,
    Derived: DeserializeOwned + Serialize,
{
    let selected = |(name, _): &(String, _)| selected(name.rsplit(": ").next().unwrap_or_default());
    let of = |all: Vec<_>| all.into_iter().filter(selected).collect::<Vec<_>>();
    let (own, derived) = (of(all::<Own>(name)), of(all::<Derived>(name)));
    assert!(derived.iter().any(|(_, read)| read.iter().all(Option::is_some)));
    assert!(derived.iter().any(|(_, read)| read.iter().all(Option::is_none)));
    for (own, derived) in own.iter().zip(&derived) {
        assert_eq!(own, derived);
    }
}

#[test]
fn what_is_told_apart_is_read_as_the_derive_reads_it() {
    same::<sample::ItemMeasure, Measure>("Measure");
    same::<sample::ItemReach, Reach>("Reach");
    same::<sample::ItemUnion, Union>("Union");
    same::<api::ChannelValue, ChannelValue>("ChannelValue");
    same::<api::ApiErrorDetail, ApiErrorDetail>("ApiErrorDetail");
    same::<api::ApiErrorStatus, ApiErrorStatus>("ApiErrorStatus");
}

#[test]
fn what_a_macro_reads_is_read_as_the_derive_reads_it() {
    // The derive also reads a list of the values.
    let objects = |text: &str| !text.starts_with('[');
    same_of::<sample::Circle, Circle>("Circle", objects);
    same_of::<MembersByMacro, Members>("Members", objects);
    same_of::<InsistingByMacro, Insisting>("Insisting", objects);
    same::<sample::Tally, Tally>("Tally");
    assert!(serde_json::from_str::<sample::Circle>("[1.5]").is_err());
}

/// Shows that the enums above are decoded by the generator's code: the derive's error messages do not occur.
#[test]
fn what_is_told_apart_says_what_is_wrong() {
    fn reason<T: DeserializeOwned + Debug>() -> String {
        serde_json::from_str::<T>("null").unwrap_err().to_string()
    }
    assert_eq!(reason::<Measure>(), "data did not match any variant of untagged enum Measure");
    for (reason, expected) in [
        (reason::<sample::ItemMeasure>(), "a boolean, a number or an object"),
        (reason::<sample::ItemReach>(), "a text, a list or an object"),
        (reason::<sample::ItemUnion>(), "a text, an integer or a list"),
        (reason::<api::ChannelValue>(), "a text or an object"),
        (reason::<api::ApiErrorDetail>(), "a text, a list or an object"),
        (reason::<api::ApiErrorStatus>(), "a text or an integer"),
    ] {
        assert_eq!(reason, format!("invalid type: null, expected {expected} at line 1 column 4"));
    }
}
