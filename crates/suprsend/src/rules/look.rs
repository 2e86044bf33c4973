//! The serializer that looks at a value.

use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple},
    ser::{SerializeTupleStruct, SerializeTupleVariant},
};
use serde_json::Value;
use suprsend_api::rules::{Rule, Schema, Type};

use super::{
    DEPTH,
    inside::Inside,
    json,
    name::Name,
    number::{self, Number},
    run::{Mode, Path, Run, Stop},
    scalar, several,
};

/// A schema without rules.
pub(super) static ANY: Schema = Schema(&[]);

/// The names by which `serde_json` passes what no other serializer knows: numbers of any precision, and JSON that is written
/// already.
const PRECISE: &str = "$serde_json::private::Number";
const RAW: &str = "$serde_json::private::RawValue";

/// The most wrappers (`Some`, structs with one field) around a value.
const WRAPPERS: u8 = 16;

/// What a value is judged by, and where it is.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) schema: &'static Schema,
    pub(super) path: &'a Path<'a>,
    /// How many arrays and objects the value is in.
    depth: u16,
    wrappers: u8,
    /// Whether the value, or one that it is in, is sensitive. Known only where secrets are looked for.
    pub(super) is_sensitive: bool,
}

impl<'a> At<'a> {
    pub(super) fn root(schema: &'static Schema, path: &'a Path<'a>) -> Self {
        Self { schema, path, depth: 0, wrappers: 0, is_sensitive: false }
    }

    /// The same value by another schema.
    pub(super) fn by(self, schema: &'static Schema) -> Self {
        Self { schema, ..self }
    }

    /// A value in this one.
    pub(super) fn below(self, schema: &'static Schema, path: &'a Path<'a>) -> Self {
        Self { schema, path, depth: self.depth + 1, wrappers: 0, ..self }
    }
}

/// What a value was.
pub(super) enum Seen {
    /// Nothing that any other rule has to be asked about.
    Unfit,
    /// A scalar, which its own keywords were asked about.
    Scalar,
    /// An array or an object, which its own keywords were asked about.
    Container,
    /// Something whose parts cannot be looked at again by themselves. No rule was asked.
    Opaque,
}

/// A value without its type, so that the rest is compiled once.
pub(super) trait Subject {
    /// Looks at the value.
    fn look(&self, run: &mut Run<'_>, at: At<'_>) -> Result<Seen, Stop>;

    /// The value as JSON, for the few rules that need it. It has been looked at, so it is not too deep.
    fn to_value(&self) -> Option<Value>;
}

/// A value as a [`Subject`].
pub(super) struct Of<'a, T: ?Sized>(pub(super) &'a T);

impl<T: Serialize + ?Sized> Subject for Of<'_, T> {
    fn look(&self, run: &mut Run<'_>, at: At<'_>) -> Result<Seen, Stop> {
        self.0.serialize(Look { run, at })
    }

    fn to_value(&self) -> Option<Value> {
        // By way of text: the code that writes it is compiled anyway, to send the value.
        serde_json::from_slice(&serde_json::to_vec(self.0).ok()?).ok()
    }
}

/// Judges a value by all rules of a schema.
pub(super) fn judge(run: &mut Run<'_>, mut at: At<'_>, subject: &dyn Subject) -> Result<(), Stop> {
    if run.mode() == Mode::Secrets && at.schema.0.iter().any(|rule| matches!(rule, Rule::Sensitive)) {
        at.is_sensitive = true;
    }
    let rules = at.schema.0;
    if !run.is_first() && ((rules.is_empty() && !at.is_sensitive) || !run.spend()) {
        return Ok(());
    }
    match subject.look(run, at)? {
        Seen::Unfit => return Ok(()),
        Seen::Scalar => {}
        Seen::Container => json::judge(run, at, subject)?,
        Seen::Opaque => {
            let value = subject.to_value();
            return value.map_or(Ok(()), |value| run.again(|run| judge(run, at, &Of(&value))));
        }
    }
    if rules.iter().any(several::is_combination) { several::judge(run, at, subject) } else { Ok(()) }
}

/// Looks at one value.
pub(super) struct Look<'a, 'r> {
    run: &'a mut Run<'r>,
    at: At<'a>,
}

impl<'a, 'r> Look<'a, 'r> {
    fn number(self, number: Number, bytes: usize) -> Result<Seen, Stop> {
        self.run.count(bytes);
        scalar::number(self.run, self.at, number)
    }

    fn integer(self, number: impl Into<i128>) -> Result<Seen, Stop> {
        let number = number.into();
        self.number(Number::Integer(number), number::digits(number))
    }

    /// A float with its shortest text, which is what is sent.
    fn float(self, number: f64, written: &impl Serialize) -> Result<Seen, Stop> {
        if number.is_finite() {
            return self.number(Number::Float(number), number::written(written));
        }
        self.run.count("null".len());
        self.run.fault(self.at.path, "is not a finite number, and JSON has no other");
        Ok(Seen::Unfit)
    }

    fn within<T: Serialize + ?Sized>(mut self, value: &T) -> Result<Seen, Stop> {
        self.at.wrappers += 1;
        if self.at.wrappers > WRAPPERS { self.too_deep() } else { value.serialize(self) }
    }

    fn too_deep<T>(self) -> Result<T, Stop> {
        self.run.fault(self.at.path, &format!("is nested deeper than {DEPTH} levels"));
        Err(Stop::Known)
    }

    fn open(self, kind: Type) -> Result<Inside<'a, 'r>, Stop> {
        if self.at.depth >= DEPTH { self.too_deep() } else { Inside::open(self.run, self.at, kind) }
    }

    /// Opens a variant with a name: an object with one member, which is a container.
    fn variant(self, name: &'static str, kind: Type) -> Result<Variant<'a, 'r>, Stop> {
        if self.at.depth + 1 >= DEPTH {
            return self.too_deep();
        }
        self.run.count(scalar::quoted(name) + "{:}".len());
        // The path lacks the name, which would have to live here. Only what is no JSON at all is reported by it.
        let at = At { depth: self.at.depth + 1, ..self.at }.by(&ANY);
        Ok(Variant(Inside::open(self.run, at, kind)?))
    }
}

/// What a variant with a name holds. Its rules are asked later, of the whole.
pub(super) struct Variant<'a, 'r>(Inside<'a, 'r>);

impl Variant<'_, '_> {
    fn close(self) -> Result<Seen, Stop> {
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
        self.run.count(if value { "true".len() } else { "false".len() });
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
        let bytes = text.len();
        self.number(Number::parse(&text).unwrap_or(Number::Integer(i128::MAX)), bytes)
    }

    fn serialize_f32(self, number: f32) -> Result<Seen, Stop> {
        // As it is written: `0.1f32` is 0.1, not the nearest double of its bits.
        let shortest = number.to_string().parse().unwrap_or(f64::NAN);
        self.float(if number.is_finite() { shortest } else { f64::NAN }, &number)
    }

    fn serialize_f64(self, number: f64) -> Result<Seen, Stop> {
        self.float(number, &number)
    }

    fn serialize_char(self, value: char) -> Result<Seen, Stop> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, text: &str) -> Result<Seen, Stop> {
        if self.run.is_first() {
            self.run.count(scalar::quoted(text));
        }
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
        self.run.count("null".len());
        scalar::null(self.run, self.at)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Seen, Stop> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<Seen, Stop> {
        self.serialize_str(name)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<Seen, Stop> {
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
        name: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Stop> {
        self.variant(name, Type::Array)
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
        name: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Stop> {
        self.variant(name, Type::Object)
    }
}

/// The fields of a struct, or the text that `serde_json` passes as one.
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
            Self::Text(look, text, true) => {
                look.run.count(text.len());
                let readable = serde_json::from_str::<Value>(&text).is_ok();
                if readable { Ok(Seen::Opaque) } else { Err(Stop::Unwritable) }
            }
            Self::Text(look, text, false) => match Number::parse(&text) {
                Some(number) => look.number(number, text.len()),
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
        self.name = written;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        let name = self.name.take().ok_or(Stop::Unwritable)?;
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

/// What is done with the name of a member: one closure for all types of names and values.
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
