//! Deserializes generated structs and enums.
//!
//! serde's derive generates about 200 lines for a struct, since it also reads lists, numbered members and values that were buffered. Of the
//! time that it took to compile the generated code, most went there. These macros implement what the API needs: objects, and texts.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

/// Implements `Deserialize` for a struct, which is read from an object.
///
/// Each member is `required` or `optional` (the default if it is absent), or `present` (null counts as a value). Its name is that of the
/// field, unless a literal follows. All other members become part of the map after `rest`; without one they are ignored.
#[doc(hidden)]
#[macro_export]
macro_rules! deserialize {
    ($name:ident { $($how:ident $field:ident $($wire:literal)?),* } $($rest:ident)?) => {
        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> ::std::result::Result<Self, D::Error> {
                $crate::deserialize!(@object deserializer $($rest)?)
            }
        }

        impl<'de> $crate::de::Members<'de> for $name {
            const NAME: &'static str = ::std::stringify!($name);
            const NAMES: &'static [&'static str] = &[$($crate::deserialize!(@name $field $($wire)?)),*];

            fn read<A: ::serde::de::MapAccess<'de>>(mut members: A) -> ::std::result::Result<Self, A::Error> {
                $(let mut $field = ::std::option::Option::None;)*
                $(let mut $rest = ::std::default::Default::default();)?
                while let ::std::option::Option::Some(name) = $crate::de::name(&mut members)? {
                    // A single `?`, since each costs the compiler as much as ten lines.
                    let read = match &*name {
                        $($crate::deserialize!(@name $field $($wire)?) => {
                            $crate::de::$how::read(&mut $field, &name, &mut members)
                        })*
                        _ => $crate::deserialize!(@other name members $($rest)?),
                    };
                    read?;
                }
                ::std::result::Result::Ok(Self {
                    $($field: $crate::deserialize!(@value $how $field $($wire)?),)*
                    $($rest,)?
                })
            }
        }
    };
    (@name $field:ident) => { ::std::stringify!($field) };
    (@name $field:ident $wire:literal) => { $wire };
    (@object $deserializer:ident) => { $crate::de::object($deserializer) };
    (@object $deserializer:ident $rest:ident) => { $crate::de::open_object($deserializer) };
    (@other $name:ident $members:ident) => { $crate::de::ignore(&mut $members) };
    (@other $name:ident $members:ident $rest:ident) => { $crate::de::keep(&mut $rest, $name, &mut $members) };
    (@value required $field:ident $($wire:literal)?) => {
        $crate::de::required::value($field, $crate::deserialize!(@name $field $($wire)?))?
    };
    (@value $how:ident $field:ident $($wire:literal)?) => { $field.unwrap_or_default() };
}

/// A struct that [`deserialize!`](crate::deserialize) implements.
pub trait Members<'de>: Sized {
    /// The name of the struct, for errors.
    const NAME: &'static str;
    /// The members that are named.
    const NAMES: &'static [&'static str];

    /// Reads the members.
    ///
    /// # Errors
    ///
    /// Fails if a member has another type, is there twice, or is required and missing.
    fn read<A: MapAccess<'de>>(members: A) -> Result<Self, A::Error>;
}

struct Object<T>(PhantomData<T>);

impl<'de, T: Members<'de>> Visitor<'de> for Object<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("struct ")?;
        f.write_str(T::NAME)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
        T::read(members)
    }
}

/// Reads an object of which the named members count.
///
/// # Errors
///
/// Fails if it is no object, and as [`Members::read`] does.
pub fn object<'de, T: Members<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_struct(T::NAME, T::NAMES, Object(PhantomData))
}

/// Reads an object of which all members count.
///
/// # Errors
///
/// As [`object`].
pub fn open_object<'de, T: Members<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(Object(PhantomData))
}

/// The name of a member, which is copied only if it cannot be borrowed.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Name<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Borrowed(name)))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Name<'de>, E> {
        self.visit_string(name.to_owned())
    }

    fn visit_string<E: Error>(self, name: String) -> Result<Name<'de>, E> {
        Ok(Name(Cow::Owned(name)))
    }
}

/// Reads the name of the next member.
///
/// # Errors
///
/// Fails if the input does.
pub fn name<'de, A: MapAccess<'de>>(members: &mut A) -> Result<Option<Cow<'de, str>>, A::Error> {
    Ok(members.next_key::<Name<'de>>()?.map(|Name(name)| name))
}

/// Skips the value of a member.
///
/// # Errors
///
/// Fails if the input does.
pub fn ignore<'de, A: MapAccess<'de>>(members: &mut A) -> Result<(), A::Error> {
    members.next_value::<IgnoredAny>().map(drop)
}

/// Keeps a member that the struct does not name.
///
/// # Errors
///
/// Fails if its value has another type.
pub fn keep<'de, V, R, A>(rest: &mut R, name: Cow<'de, str>, members: &mut A) -> Result<(), A::Error>
where
    V: Deserialize<'de>,
    R: Extend<(String, V)>,
    A: MapAccess<'de>,
{
    let value = members.next_value()?;
    rest.extend([(name.into_owned(), value)]);
    Ok(())
}

/// Reads a string, of which any value is accepted.
///
/// # Errors
///
/// Fails if it is no string.
pub fn text<'de, T: for<'a> From<&'a str>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_str(Text(PhantomData))
}

struct Text<T>(PhantomData<T>);

impl<T: for<'a> From<&'a str>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        Ok(T::from(text))
    }
}

/// Members that must exist.
pub mod required {
    use super::{Deserialize, Error, MapAccess};

    /// Reads the value of a member that was not there before.
    ///
    /// # Errors
    ///
    /// Fails if the value has another type, or the member is there twice.
    pub fn read<'de, T, A>(member: &mut Option<T>, name: &str, members: &mut A) -> Result<(), A::Error>
    where
        T: Deserialize<'de>,
        A: MapAccess<'de>,
    {
        if member.is_some() {
            return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
        }
        *member = Some(members.next_value()?);
        Ok(())
    }

    /// Returns the value of a member.
    ///
    /// # Errors
    ///
    /// Fails if there is none.
    pub fn value<T, E: Error>(member: Option<T>, name: &'static str) -> Result<T, E> {
        member.ok_or_else(|| E::missing_field(name))
    }
}

/// Members that may be absent.
pub mod optional {
    pub use super::required::read;
}

/// Members that may be absent, where null is a value and not the same as absence.
pub mod present {
    use super::{Deserialize, MapAccess, required};

    /// Reads the value of a member that was not there before.
    ///
    /// # Errors
    ///
    /// As [`required::read`].
    pub fn read<'de, T, A>(
        member: &mut Option<Option<T>>,
        name: &str,
        members: &mut A,
    ) -> Result<(), A::Error>
    where
        T: Deserialize<'de>,
        A: MapAccess<'de>,
    {
        let mut value = member.take().flatten();
        required::read(&mut value, name, members)?;
        *member = Some(value);
        Ok(())
    }
}

#[cfg(test)]
#[allow(
    unreachable_pub,
    reason = "the macro of an open enum writes a public method, as generated code needs it"
)]
mod tests {
    use serde_json::{Map, Value, from_reader, from_str, from_value, json};

    #[derive(Debug, Default, PartialEq)]
    struct One {
        id: i64,
        r#type: Option<String>,
        list: Vec<bool>,
        note: Option<Value>,
        // The names of the macro's own variables.
        name: Option<bool>,
        members: Option<bool>,
        extra: Map<String, Value>,
    }

    crate::deserialize!(One { required id, optional r#type "type", optional list, present note, optional name, optional members } extra);

    #[derive(Debug, PartialEq)]
    struct Closed {
        a: i64,
        b: Option<i64>,
    }

    crate::deserialize!(Closed { required a "$a", optional b });

    #[derive(Debug, Default, PartialEq)]
    struct Empty {}

    crate::deserialize!(Empty {});

    #[derive(Debug, PartialEq)]
    enum Word {
        Now,
        Other(String),
    }

    crate::open_enum!(Word { Now "now" } Other);

    #[test]
    fn each_member_goes_to_its_field() {
        let text = r#"{"id": 1, "type": "t", "list": [true], "note": 2, "name": true, "members": false, "x": {"y": 1}, "\u0069\u0064d": null}"#;
        let expected = One {
            id: 1,
            r#type: Some("t".to_owned()),
            list: vec![true],
            note: Some(json!(2)),
            name: Some(true),
            members: Some(false),
            extra: json!({"x": {"y": 1}, "idd": null}).as_object().unwrap().clone(),
        };
        assert_eq!(from_str::<One>(text).unwrap(), expected);
        assert_eq!(from_reader::<_, One>(text.as_bytes()).unwrap(), expected);
        assert_eq!(from_value::<One>(from_str(text).unwrap()).unwrap(), expected);
    }

    #[test]
    fn null_is_absence_only_where_it_is_no_value() {
        let one: One = from_str(r#"{"id": 1, "type": null, "note": null}"#).unwrap();
        assert_eq!(one, One { id: 1, note: Some(Value::Null), ..One::default() });
        let one: One = from_str(r#"{"id": 1}"#).unwrap();
        assert_eq!(one, One { id: 1, ..One::default() });
    }

    #[test]
    fn members_without_a_field_are_ignored_where_nothing_keeps_them() {
        assert_eq!(from_str::<Closed>(r#"{"$a": 1, "a": 2, "c": [{}]}"#).unwrap(), Closed { a: 1, b: None });
        assert_eq!(from_str::<Empty>(r#"{"a": 2}"#).unwrap(), Empty {});
    }

    #[test]
    fn errors_name_the_member() {
        let of = |text: &str| from_str::<Closed>(text).unwrap_err().to_string();
        assert!(of("{}").starts_with("missing field `$a`"), "{}", of("{}"));
        assert!(of(r#"{"b": 1, "b": 2, "$a": 1}"#).starts_with("duplicate field `b`"));
        assert!(
            of("[1, 2]").starts_with("invalid type: sequence, expected struct Closed"),
            "{}",
            of("[1, 2]")
        );
        assert!(of(r#"{"$a": "x"}"#).starts_with("invalid type: string \"x\", expected i64"));
        let twice = from_str::<One>(r#"{"id": 1, "note": null, "note": null}"#).unwrap_err().to_string();
        assert!(twice.starts_with("duplicate field `note`"), "{twice}");
        let of = |text: &str| from_str::<Word>(text).unwrap_err().to_string();
        assert!(of("1").starts_with("invalid type: integer `1`, expected a string"), "{}", of("1"));
    }

    #[test]
    fn an_open_enum_keeps_what_is_not_listed() {
        assert_eq!(from_str::<Word>("\"now\"").unwrap(), Word::Now);
        assert_eq!(from_value::<Word>(json!("then")).unwrap(), Word::Other("then".to_owned()));
        assert_eq!([Word::from("now").to_string(), Word::from("x".to_owned()).to_string()], ["now", "x"]);
    }
}
