//! The serializer that inspects a value.

use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple},
    ser::{SerializeTupleStruct, SerializeTupleVariant},
};
use serde_json::Value;
use suprsend_api::rules::{Group, Schema, Type};

use super::{
    DEPTH,
    inside::Inside,
    json,
    name::Name,
    number::Number,
    run::{Mode, Path, Run, Stop},
    scalar, several,
};

/// A schema without rules.
pub(super) static ANY: Schema = Schema::new(&[]);

/// The names by which `serde_json` passes values that other serializers do not know: numbers of arbitrary precision, and raw JSON.
const PRECISE: &str = "$serde_json::private::Number";
const RAW: &str = "$serde_json::private::RawValue";

/// The maximum number of wrappers (`Some`, structs with one field) around a value and those that contain it.
const WRAPPERS: u16 = 16 * DEPTH;

/// The schema and the path of a value. It is small, so it is passed in registers.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) schema: &'static Schema,
    pub(super) path: &'a Path<'a>,
}

impl At<'_> {
    /// Returns the same value with another schema.
    pub(super) fn by(self, schema: &'static Schema) -> Self {
        Self { schema, ..self }
    }
}

/// The kind of value that was seen.
pub(super) enum Seen {
    /// A value of the wrong type. No other rule applies.
    Unfit,
    /// A scalar, whose own keywords were checked.
    Scalar,
    /// An array or an object, whose own keywords were checked.
    Container,
    /// A value whose parts cannot be inspected again separately. No rule was checked.
    Opaque,
}

/// A value with its type erased, so that the rest is compiled once.
pub(super) trait Subject {
    /// Inspects the value.
    fn look(&self, run: &mut Run<'_>, at: At<'_>) -> Result<Seen, Stop>;

    /// Returns the value as JSON, for the few rules that need it. It was inspected before, so it is not nested too deep.
    fn to_value(&self) -> Option<Value>;
}

/// A value as a [`Subject`].
pub(super) struct Of<'a, T: ?Sized>(pub(super) &'a T);

impl<T: Serialize + ?Sized> Subject for Of<'_, T> {
    fn look(&self, run: &mut Run<'_>, at: At<'_>) -> Result<Seen, Stop> {
        self.0.serialize(Look { run, at })
    }

    fn to_value(&self) -> Option<Value> {
        // Converted through text: the code that serializes it is compiled anyway, to send the value.
        serde_json::from_slice(&serde_json::to_vec(self.0).ok()?).ok()
    }
}

/// Validates a value against all rules of a schema.
pub(super) fn judge(run: &mut Run<'_>, at: At<'_>, subject: &dyn Subject) -> Result<(), Stop> {
    if run.mode() == Mode::Secrets && at.schema.has(Group::Mark) {
        return run.sensitive(|run| by_rules(run, at, subject));
    }
    by_rules(run, at, subject)
}

fn by_rules(run: &mut Run<'_>, at: At<'_>, subject: &dyn Subject) -> Result<(), Stop> {
    if !run.spend(at.schema) {
        return Ok(());
    }
    match subject.look(run, at)? {
        Seen::Unfit => return Ok(()),
        Seen::Container if at.schema.has(Group::Whole) => json::judge(run, at, subject)?,
        Seen::Container | Seen::Scalar => {}
        Seen::Opaque => {
            let value = subject.to_value();
            return value.map_or(Ok(()), |value| run.again(|run| judge(run, at, &Of(&value))));
        }
    }
    if at.schema.has(Group::Combination) { several::judge(run, at, subject) } else { Ok(()) }
}

/// Inspects one value.
pub(super) struct Look<'a, 'r> {
    run: &'a mut Run<'r>,
    at: At<'a>,
}

impl<'a, 'r> Look<'a, 'r> {
    fn number(self, number: Number) -> Result<Seen, Stop> {
        scalar::number(self.run, self.at, number)
    }

    fn integer(self, number: impl Into<i128>) -> Result<Seen, Stop> {
        self.number(Number::Integer(number.into()))
    }

    /// Validates a float by its shortest text, which is the text that is sent.
    fn float(self, number: f64) -> Result<Seen, Stop> {
        if number.is_finite() {
            return self.number(Number::Float(number));
        }
        self.run.fault(self.at.path, "is not a finite number, and JSON has no other");
        Ok(Seen::Unfit)
    }

    fn within<T: Serialize + ?Sized>(self, value: &T) -> Result<Seen, Stop> {
        if self.run.wrappers == WRAPPERS {
            return self.too_deep();
        }
        self.run.wrappers += 1;
        let seen = value.serialize(Look { run: self.run, at: self.at });
        self.run.wrappers -= 1;
        seen
    }

    fn too_deep<T>(self) -> Result<T, Stop> {
        self.run.fault(self.at.path, &format!("is nested deeper than {DEPTH} levels"));
        Err(Stop::Known)
    }

    fn open(self, kind: Type) -> Result<Inside<'a, 'r>, Stop> {
        if self.run.depth == DEPTH { self.too_deep() } else { Inside::open(self.run, self.at, kind) }
    }

    /// Opens a named variant: an object with one member, which is a container.
    fn variant(self, kind: Type) -> Result<Variant<'a, 'r>, Stop> {
        if self.run.depth + 1 >= DEPTH {
            return self.too_deep();
        }
        self.run.depth += 1;
        // The path lacks the name, which would have to be stored here. It is used only to report values that are not JSON.
        Ok(Variant(Inside::open(self.run, self.at.by(&ANY), kind)?))
    }
}

/// The content of a named variant. Its rules are checked later, for the whole value.
pub(super) struct Variant<'a, 'r>(Inside<'a, 'r>);

impl Variant<'_, '_> {
    fn close(mut self) -> Result<Seen, Stop> {
        self.0.leave();
        self.0.close()?;
        Ok(Seen::Opaque)
    }
}

impl<'a, 'r> Serializer for Look<'a, 'r> {
    type Ok = Seen;
    type Error = Stop;
    type SerializeSeq = Inside<'a, 'r>;
    type SerializeTuple = Inside<'a, 'r>;
    type SerializeTupleStruct = Inside<'a, 'r>;
    type SerializeTupleVariant = Variant<'a, 'r>;
    type SerializeMap = Inside<'a, 'r>;
    type SerializeStruct = Fields<'a, 'r>;
    type SerializeStructVariant = Variant<'a, 'r>;

    fn serialize_bool(self, value: bool) -> Result<Seen, Stop> {
        scalar::boolean(self.run, self.at, value)
    }

    fn serialize_i8(self, number: i8) -> Result<Seen, Stop> {
        self.integer(number)
    }

    fn serialize_i16(self, number: i16) -> Result<Seen, Stop> {
        self.integer(number)
    }

    fn serialize_i32(self, number: i32) -> Result<Seen, Stop> {
        self.integer(number)
    }

    fn serialize_i64(self, number: i64) -> Result<Seen, Stop> {
        self.integer(number)
    }

    fn serialize_i128(self, number: i128) -> Result<Seen, Stop> {
        self.integer(number)
    }

    fn serialize_u8(self, number: u8) -> Result<Seen, Stop> {
        self.integer(number)
    }

    fn serialize_u16(self, number: u16) -> Result<Seen, Stop> {
        self.integer(number)
    }

    fn serialize_u32(self, number: u32) -> Result<Seen, Stop> {
        self.integer(number)
    }

    fn serialize_u64(self, number: u64) -> Result<Seen, Stop> {
        self.integer(number)
    }

    fn serialize_u128(self, number: u128) -> Result<Seen, Stop> {
        let text = number.to_string();
        self.number(Number::parse(&text).unwrap_or(Number::Integer(i128::MAX)))
    }

    fn serialize_f32(self, number: f32) -> Result<Seen, Stop> {
        // The number as written: `0.1f32` is 0.1, not the double nearest to its bits.
        let shortest = number.to_string().parse().unwrap_or(f64::NAN);
        self.float(if number.is_finite() { shortest } else { f64::NAN })
    }

    fn serialize_f64(self, number: f64) -> Result<Seen, Stop> {
        self.float(number)
    }

    fn serialize_char(self, value: char) -> Result<Seen, Stop> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, text: &str) -> Result<Seen, Stop> {
        scalar::text(self.run, self.at, text)
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<Seen, Stop> {
        bytes.serialize(self)
    }

    fn serialize_none(self) -> Result<Seen, Stop> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Seen, Stop> {
        self.within(value)
    }

    fn serialize_unit(self) -> Result<Seen, Stop> {
        scalar::null(self.run, self.at)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Seen, Stop> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<Seen, Stop> {
        self.serialize_str(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Seen, Stop> {
        self.within(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        name: &'static str,
        value: &T,
    ) -> Result<Seen, Stop> {
        let mut inside = self.open(Type::Object)?;
        inside.member(name, &Of(value))?;
        inside.close()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Stop> {
        self.open(Type::Array)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Stop> {
        self.open(Type::Array)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Stop> {
        self.open(Type::Array)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Stop> {
        self.variant(Type::Array)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Stop> {
        self.open(Type::Object)
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self::SerializeStruct, Stop> {
        match name {
            PRECISE | RAW => Ok(Fields::Text(self, String::new(), name == RAW)),
            _ => self.open(Type::Object).map(Fields::Inside),
        }
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Stop> {
        self.variant(Type::Object)
    }
}

/// The fields of a struct, or the text that `serde_json` passes as a struct.
pub(super) enum Fields<'a, 'r> {
    Inside(Inside<'a, 'r>),
    /// The text, and whether it is JSON rather than a number.
    Text(Look<'a, 'r>, String, bool),
}

impl SerializeStruct for Fields<'_, '_> {
    type Ok = Seen;
    type Error = Stop;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Stop> {
        match self {
            Self::Inside(inside) => inside.member(name, &Of(value)),
            Self::Text(_, text, _) => {
                if let Some(Value::String(value)) = Of(value).to_value() {
                    *text = value;
                }
                Ok(())
            }
        }
    }

    fn end(self) -> Result<Seen, Stop> {
        match self {
            Self::Inside(inside) => inside.close(),
            Self::Text(_, text, true) => {
                let readable = serde_json::from_str::<Value>(&text).is_ok();
                if readable { Ok(Seen::Opaque) } else { Err(Stop::Unwritable) }
            }
            Self::Text(look, text, false) => match Number::parse(&text) {
                Some(number) => look.number(number),
                None => Err(Stop::Unwritable),
            },
        }
    }
}

impl SerializeSeq for Inside<'_, '_> {
    type Ok = Seen;
    type Error = Stop;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        self.item(&Of(value))
    }

    fn end(self) -> Result<Seen, Stop> {
        self.close()
    }
}

impl SerializeTuple for Inside<'_, '_> {
    type Ok = Seen;
    type Error = Stop;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        self.item(&Of(value))
    }

    fn end(self) -> Result<Seen, Stop> {
        self.close()
    }
}

impl SerializeTupleStruct for Inside<'_, '_> {
    type Ok = Seen;
    type Error = Stop;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        self.item(&Of(value))
    }

    fn end(self) -> Result<Seen, Stop> {
        self.close()
    }
}

impl SerializeTupleVariant for Variant<'_, '_> {
    type Ok = Seen;
    type Error = Stop;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        self.0.item(&Of(value))
    }

    fn end(self) -> Result<Seen, Stop> {
        self.close()
    }
}

impl SerializeStructVariant for Variant<'_, '_> {
    type Ok = Seen;
    type Error = Stop;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Stop> {
        self.0.member(name, &Of(value))
    }

    fn end(self) -> Result<Seen, Stop> {
        self.close()
    }
}

impl SerializeMap for Inside<'_, '_> {
    type Ok = Seen;
    type Error = Stop;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), Stop> {
        let mut written = None;
        name.serialize(Name(keep(&mut written)))?;
        self.name(written);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        let name = self.take_name().ok_or(Stop::Unwritable)?;
        self.member(&name, &Of(value))
    }

    fn serialize_entry<K: Serialize + ?Sized, T: Serialize + ?Sized>(
        &mut self,
        name: &K,
        value: &T,
    ) -> Result<(), Stop> {
        name.serialize(Name(member(self, &Of(value))))
    }

    fn end(self) -> Result<Seen, Stop> {
        self.close()
    }
}

/// Processes the name of a member: one closure for all types of names and values.
fn member<'i>(
    inside: &'i mut Inside<'_, '_>,
    value: &'i dyn Subject,
) -> impl FnOnce(&str) -> Result<(), Stop> {
    move |name| inside.member(name, value)
}

fn keep(name: &mut Option<String>) -> impl FnOnce(&str) -> Result<(), Stop> {
    move |text| {
        *name = Some(text.to_owned());
        Ok(())
    }
}
