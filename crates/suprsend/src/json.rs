//! Converts any value that serializes to JSON, without the losses of `serde_json::to_value`: NaN would become null, `0.1_f32` would become
//! 0.10000000149011612, and an infinitely nested value would overflow the stack.

use std::fmt;

use serde::{Serialize, Serializer, ser};
use serde_json::{Map, Value, value::Serializer as Plain};

use crate::error::Violations;

/// The maximum nesting of a value. Responses that are nested deeper than 127 levels cannot be read, and they contain a value some levels
/// further in.
const DEPTH: usize = 100;

/// The prefix of the names by which serde_json's own types are recognised.
const PRIVATE: &str = "$serde_json::private::";

/// Converts a value to JSON. If that fails, the reason is added to the violations, for the member with this path. The path is formatted only
/// then.
pub(crate) fn to_value(
    path: fmt::Arguments<'_>,
    value: impl Serialize,
    violations: &mut Violations,
) -> Option<Value> {
    match value.serialize(Writer { depth: 0 }) {
        Ok(value) => Some(value),
        Err(fault) => {
            violations.add(format!("{path}{}", fault.path).trim_start_matches('.'), fault.reason);
            None
        }
    }
}

/// The reason why a value cannot be converted, and the place in it.
#[derive(Debug)]
struct Fault {
    path: String,
    reason: &'static str,
}

impl Fault {
    fn new(reason: &'static str) -> Self {
        Self { path: String::new(), reason }
    }

    fn within(mut self, place: impl fmt::Display) -> Self {
        self.path.insert_str(0, &place.to_string());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)
    }
}

impl std::error::Error for Fault {}

/// Drops the messages of `Serialize` implementations, which may quote values. The errors of serde_json itself say no more than this.
impl ser::Error for Fault {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::new("cannot be written as JSON")
    }
}

#[derive(Clone, Copy)]
struct Writer {
    depth: usize,
}

impl Writer {
    fn deeper(self) -> Result<Self, Fault> {
        if self.depth < DEPTH {
            Ok(Self { depth: self.depth + 1 })
        } else {
            Err(Fault::new("is nested too deep: at most 100 levels are accepted"))
        }
    }

    fn number(number: f64) -> Result<Value, Fault> {
        if number.is_finite() { Ok(number.into()) } else { Err(Fault::new("is not a number in JSON")) }
    }
}

/// A list or an object in progress.
struct Inside {
    writer: Writer,
    list: Vec<Value>,
    members: Map<String, Value>,
    name: String,
    /// The enum variant that the value belongs to.
    variant: Option<&'static str>,
}

impl Inside {
    fn new(writer: Writer, variant: Option<&'static str>) -> Result<Self, Fault> {
        let (list, members) = (Vec::new(), Map::new());
        Ok(Self { writer: writer.deeper()?, list, members, name: String::new(), variant })
    }

    fn item(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Fault> {
        let index = self.list.len();
        self.list
            .push(value.serialize(self.writer).map_err(|fault| fault.within(format_args!("[{index}]")))?);
        Ok(())
    }

    fn member(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<(), Fault> {
        let value = value.serialize(self.writer).map_err(|fault| fault.within(format_args!(".{name}")))?;
        self.members.insert(name.to_owned(), value);
        Ok(())
    }

    fn wrapped(variant: Option<&'static str>, value: Value) -> Value {
        match variant {
            Some(variant) => Value::Object(Map::from_iter([(variant.to_owned(), value)])),
            None => value,
        }
    }

    fn finish_list(self) -> Value {
        Self::wrapped(self.variant, Value::Array(self.list))
    }

    fn finish_object(mut self) -> Result<Value, Fault> {
        let private = self.members.iter().find(|(name, _)| name.starts_with(PRIVATE));
        if let Some((_, Value::String(text))) = private {
            return serde_json::from_str(text).map_err(ser::Error::custom);
        }
        Ok(Self::wrapped(self.variant.take(), Value::Object(self.members)))
    }
}

macro_rules! plain {
    ($($method:ident($($type:ty),*)),* $(,)?) => {
        $(fn $method(self, value: $($type)*) -> Result<Value, Fault> {
            Plain.$method(value).map_err(ser::Error::custom)
        })*
    };
}

impl Serializer for Writer {
    type Ok = Value;
    type Error = Fault;
    type SerializeSeq = Inside;
    type SerializeTuple = Inside;
    type SerializeTupleStruct = Inside;
    type SerializeTupleVariant = Inside;
    type SerializeMap = Inside;
    type SerializeStruct = Inside;
    type SerializeStructVariant = Inside;

    plain! {
        serialize_bool(bool), serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64),
        serialize_i128(i128), serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64),
        serialize_u128(u128), serialize_char(char), serialize_str(&str), serialize_bytes(&[u8]),
        serialize_unit_struct(&'static str),
    }

    fn serialize_f32(self, number: f32) -> Result<Value, Fault> {
        // As people write it, without the digits that the wider type adds.
        Self::number(number.to_string().parse().unwrap_or(number.into()))
    }

    fn serialize_f64(self, number: f64) -> Result<Value, Fault> {
        Self::number(number)
    }

    fn serialize_none(self) -> Result<Value, Fault> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Fault> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Fault> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<Value, Fault> {
        Ok(name.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Value, Fault> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, Fault> {
        let value =
            value.serialize(self.deeper()?).map_err(|fault| fault.within(format_args!(".{variant}")))?;
        Ok(Inside::wrapped(Some(variant), value))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Inside, Fault> {
        Inside::new(self, None)
    }

    fn serialize_tuple(self, _: usize) -> Result<Inside, Fault> {
        Inside::new(self, None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Inside, Fault> {
        Inside::new(self, None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Inside, Fault> {
        Inside::new(self, Some(variant))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Inside, Fault> {
        Inside::new(self, None)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Inside, Fault> {
        Inside::new(self, None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Inside, Fault> {
        Inside::new(self, Some(variant))
    }
}

macro_rules! lists {
    ($($trait:ident::$method:ident),* $(,)?) => {
        $(impl ser::$trait for Inside {
            type Ok = Value;
            type Error = Fault;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
                self.item(value)
            }

            fn end(self) -> Result<Value, Fault> {
                Ok(self.finish_list())
            }
        })*
    };
}

lists! {
    SerializeSeq::serialize_element, SerializeTuple::serialize_element, SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field,
}

macro_rules! structs {
    ($($trait:ident),* $(,)?) => {
        $(impl ser::$trait for Inside {
            type Ok = Value;
            type Error = Fault;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Fault> {
                self.member(name, value)
            }

            fn end(self) -> Result<Value, Fault> {
                self.finish_object()
            }
        })*
    };
}

structs! { SerializeStruct, SerializeStructVariant }

impl ser::SerializeMap for Inside {
    type Ok = Value;
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), Fault> {
        self.name = match name.serialize(self.writer)? {
            Value::String(name) => name,
            name @ (Value::Number(_) | Value::Bool(_)) => name.to_string(),
            _ => return Err(Fault::new("has a member whose name is not a text")),
        };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let name = std::mem::take(&mut self.name);
        self.member(&name, value)
    }

    fn end(self) -> Result<Value, Fault> {
        self.finish_object()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn written(value: impl Serialize) -> Result<Value, String> {
        let mut violations = Violations::default();
        match to_value(format_args!("plan"), value, &mut violations) {
            Some(value) => Ok(value),
            None => Err(violations.finish().unwrap_err().to_string()),
        }
    }

    #[derive(Serialize)]
    enum Shape {
        Unit,
        New(u8),
        Tuple(u8, f32),
        Struct { inner: Option<Vec<f64>> },
    }

    #[test]
    fn values_are_written_as_serde_json_writes_them() {
        let shapes =
            [Shape::Unit, Shape::New(1), Shape::Tuple(1, 0.1), Shape::Struct { inner: Some(vec![1.5]) }];
        let expected = json!(["Unit", {"New": 1}, {"Tuple": [1, 0.1]}, {"Struct": {"inner": [1.5]}}]);
        assert_eq!(written(shapes), Ok(expected));
        assert_eq!(written(BTreeMap::from([(1, true), (2, false)])), Ok(json!({"1": true, "2": false})));
        assert_eq!(
            written(("a", 'b', (), None::<u8>, [1_u8; 2], i64::MIN)),
            Ok(json!(["a", "b", null, null, [1, 1], i64::MIN]))
        );
    }

    #[test]
    fn what_json_cannot_express_is_refused_with_its_path() {
        assert_eq!(written(f64::NAN).unwrap_err(), "invalid input: plan is not a number in JSON");
        let inner = Shape::Struct { inner: Some(vec![0.0, f64::INFINITY]) };
        assert_eq!(written(inner).unwrap_err(), "invalid input: plan.inner[1] is not a number in JSON");
        let pairs = BTreeMap::from([((1, 2), 3)]);
        assert_eq!(written(pairs).unwrap_err(), "invalid input: plan has a member whose name is not a text");
    }

    #[test]
    fn what_is_nested_too_deep_is_refused() {
        let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
        written(nested(DEPTH)).unwrap();
        assert!(written(nested(DEPTH + 1)).unwrap_err().contains("is nested too deep"));
        assert!(written(Endless).unwrap_err().contains("is nested too deep"));
    }

    /// A list that contains itself.
    struct Endless;

    impl Serialize for Endless {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq([Self])
        }
    }

    proptest! {
        #[test]
        fn a_number_stays_what_it_is(number in any::<f64>(), short in any::<f32>()) {
            prop_assume!(number.is_finite() && short.is_finite());
            prop_assert_eq!(written(number), Ok(json!(number)));
            let value = written(short).unwrap();
            #[allow(clippy::cast_possible_truncation, reason = "it was one")]
            let read = value.as_f64().unwrap() as f32;
            prop_assert_eq!(read.to_bits(), short.to_bits());
        }
    }
}
