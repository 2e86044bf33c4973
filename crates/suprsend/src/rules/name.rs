//! Names of members, which `serde_json` writes as strings whatever their type.

use std::fmt::Display;

use serde::{
    Serialize, Serializer,
    ser::{Error, Impossible},
};

use super::run::Stop;

/// Passes a name on as a string.
pub(super) struct Name<F>(pub(super) F);

impl<F: FnOnce(&str) -> Result<(), Stop>> Name<F> {
    fn text(self, name: &str) -> Result<(), Stop> {
        (self.0)(name)
    }

    fn display(self, name: impl Display) -> Result<(), Stop> {
        self.text(&name.to_string())
    }
}

fn no_name<T>() -> Result<T, Stop> {
    Err(Stop::custom("a name has to be text"))
}

impl<F: FnOnce(&str) -> Result<(), Stop>> Serializer for Name<F> {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Impossible<(), Stop>;
    type SerializeTuple = Impossible<(), Stop>;
    type SerializeTupleStruct = Impossible<(), Stop>;
    type SerializeTupleVariant = Impossible<(), Stop>;
    type SerializeMap = Impossible<(), Stop>;
    type SerializeStruct = Impossible<(), Stop>;
    type SerializeStructVariant = Impossible<(), Stop>;

    fn serialize_bool(self, name: bool) -> Result<(), Stop> {
        self.display(name)
    }

    fn serialize_i8(self, name: i8) -> Result<(), Stop> {
        self.display(name)
    }

    fn serialize_i16(self, name: i16) -> Result<(), Stop> {
        self.display(name)
    }

    fn serialize_i32(self, name: i32) -> Result<(), Stop> {
        self.display(name)
    }

    fn serialize_i64(self, name: i64) -> Result<(), Stop> {
        self.display(name)
    }

    fn serialize_i128(self, name: i128) -> Result<(), Stop> {
        self.display(name)
    }

    fn serialize_u8(self, name: u8) -> Result<(), Stop> {
        self.display(name)
    }

    fn serialize_u16(self, name: u16) -> Result<(), Stop> {
        self.display(name)
    }

    fn serialize_u32(self, name: u32) -> Result<(), Stop> {
        self.display(name)
    }

    fn serialize_u64(self, name: u64) -> Result<(), Stop> {
        self.display(name)
    }

    fn serialize_u128(self, name: u128) -> Result<(), Stop> {
        self.display(name)
    }

    fn serialize_f32(self, name: f32) -> Result<(), Stop> {
        self.serialize_f64(name.into())
    }

    fn serialize_f64(self, name: f64) -> Result<(), Stop> {
        if name.is_finite() { self.display(serde_json::Value::from(name)) } else { no_name() }
    }

    fn serialize_char(self, name: char) -> Result<(), Stop> {
        self.text(name.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, name: &str) -> Result<(), Stop> {
        self.text(name)
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Stop> {
        no_name()
    }

    fn serialize_none(self) -> Result<(), Stop> {
        no_name()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, name: &T) -> Result<(), Stop> {
        name.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Stop> {
        no_name()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Stop> {
        no_name()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<(), Stop> {
        self.text(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, name: &T) -> Result<(), Stop> {
        name.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Stop> {
        no_name()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Stop> {
        no_name()
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Stop> {
        no_name()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Stop> {
        no_name()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Stop> {
        no_name()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Stop> {
        no_name()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Stop> {
        no_name()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Stop> {
        no_name()
    }
}
