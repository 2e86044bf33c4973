//! Compares a schema of the document with the schema of a Rust type, walking both in parallel.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Compared, Pair, apart, rules, spot};
use crate::{
    code::squeezed,
    finding::{Difference, Kind},
    pointer::Pointer,
    schema::{Constraints, Dangling, Form, How, Node, Schemas, Type, Unknown, View},
};

/// The role of a value in the place where it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The value must always exist.
    Plain,
    /// Null is left out when it is written.
    OmitsNull,
    /// An empty list or map is left out when it is written.
    OmitsEmpty,
    /// The body of a response, whose type may cover several statuses.
    Response,
    /// The same, if a success may have no body, which is null for the type.
    ResponseOrNothing,
}

/// The direction of values: sent or received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Direction {
    /// Rules check what the types do not.
    Request,
    Response,
}

/// The place of a comparison in the code.
#[derive(Debug, Clone)]
pub(super) struct Rust {
    pub(super) spot: String,
    pub(super) owner: Option<String>,
    /// Whether `Debug` leaves out the value.
    pub(super) hides: bool,
}

/// Finished comparisons: the document's place, the name of the type, and the direction.
type Seen = BTreeSet<(String, String, Direction)>;

pub(super) struct Comparer<'a> {
    document: Schemas<'a>,
    code: Schemas<'a>,
    seen: Seen,
    pub(super) direction: Direction,
    /// The places of schemas and of rules that have been compared.
    pub(super) compared_rules: BTreeSet<(Pointer, Pointer)>,
    pub(super) compared: Compared<'a>,
}

/// The number of differences at which two types count as entirely different.
const ALL_DIFFERENT: usize = 1000;

impl<'a> Comparer<'a> {
    pub(super) fn new(document: Schemas<'a>, code: Schemas<'a>) -> Self {
        let compared_rules = BTreeSet::new();
        Self {
            document,
            code,
            seen: Seen::new(),
            direction: Direction::Response,
            compared_rules,
            compared: Compared::default(),
        }
    }

    pub(super) fn count(&mut self, class: &'static str) {
        *self.compared.counts.entry(class).or_default() += 1;
    }

    pub(super) fn differ(
        &mut self,
        kind: Kind,
        pointer: Pointer,
        place: Pointer,
        rust: &Rust,
        document: Value,
        code: Value,
    ) {
        let Rust { spot, owner, .. } = rust.clone();
        let difference = Difference { kind, pointer, place, rust: spot, owner, document, code };
        self.compared.differences.push(difference);
    }

    /// Records a difference for which another part of the code compensates: rules check what the type of a request does not, and an open
    /// enum accepts values that the document does not list. It is known and is not reported.
    fn excuse(&mut self, kind: Kind, pointer: Pointer) {
        self.compared.excused.insert((kind, pointer));
    }

    /// Returns a type that an operation uses, by its key.
    pub(super) fn root(&self, key: &str) -> Option<Node<'a>> {
        self.code.node(&Pointer::root().child("roots").child(key), &Pointer::root())
    }

    pub(super) fn document(&self) -> Schemas<'a> {
        self.document
    }

    pub(super) fn code_view(&self, code: &Node<'a>) -> Result<View<'a>, Dangling> {
        self.code.view(code)
    }

    pub(super) fn compare(
        &mut self,
        document: &Node<'a>,
        code: &Node<'a>,
        rust: &Rust,
        role: Role,
    ) -> Result<(), Dangling> {
        let (d, c) = (self.document.view(document)?, self.code.view(code)?);
        self.nullability(document, &d, &c, rust, role);
        let mut rust = rust.clone();
        // Null has already been handled.
        let node = document;
        let (document, code) = (&d.node, &c.node);
        let name = code.reference().and_then(|reference| reference.strip_prefix("#/$defs/"));
        let definition =
            name.and_then(|name| Pointer::root().child("$defs").child(name).get(self.code.root()));
        let hides = definition.map_or(&Value::Null, |definition| &definition["x-rust"]["hides"]);
        self.printed(node, &d, &rust, hides)?;
        if let Some(name) = name {
            let identity = self.document.identity(document)?;
            let pair = |direction| (identity.clone(), name.to_owned(), direction);
            if !self.seen.insert(pair(self.direction)) {
                return Ok(());
            }
            let both = [Direction::Request, Direction::Response]
                .into_iter()
                .all(|way| self.seen.contains(&pair(way)));
            if !both {
                self.compared.pairs.push(Pair { name: name.to_owned(), node: document.clone() });
            }
            let spot = definition.map(spot).unwrap_or_default();
            rust = Rust { spot, owner: Some(name.to_owned()), hides: *hides == Value::Bool(true) };
        }
        self.count("schemas");
        if matches!(role, Role::Response | Role::ResponseOrNothing)
            && let Some(variant) = self.shared(document, code, &d, &c, &rust)?
        {
            return self.compare(document, &variant, &rust, Role::Plain);
        }
        if self.types_differ(document, &d, &c, &rust)? {
            return Ok(());
        }
        if d.inferred && !c.inferred {
            let place = document.place.child("type");
            let code = json!(self.describe(&c)?);
            self.differ(Kind::TypeInferred, d.pointer.child("type"), place, &rust, Value::Null, code);
        }
        let stated = self.stated(node, &d)?;
        let checked = self.code.constraints(code)?;
        self.constraints(document, &d, &c, (&stated, &checked), &rust);
        self.forms(document, code, &d, &c, &stated, &rust)
    }

    /// Checks that `Debug` leaves out everything that the document marks as sensitive. `hides` is the part that the `Debug` of the value's
    /// named type leaves out.
    fn printed(&mut self, node: &Node<'a>, d: &View<'a>, rust: &Rust, hides: &Value) -> Result<(), Dangling> {
        let is_marked = self.document.is_sensitive(node)? || self.document.is_sensitive(&d.node)?;
        if is_marked && !rust.hides && *hides != Value::Bool(true) {
            self.prints(&d.pointer, &node.place, rust);
        }
        Ok(())
    }

    fn prints(&mut self, pointer: &Pointer, place: &Pointer, rust: &Rust) {
        let (pointer, place) = (pointer.clone(), place.child("x-sensitive"));
        self.differ(Kind::Printed, pointer, place, rust, json!("sensitive"), json!("printed"));
    }

    /// Returns the keywords of a node, including those next to an alternative to null.
    fn stated(&self, node: &Node<'a>, d: &View<'a>) -> Result<Constraints, Dangling> {
        let mut stated = self.document.constraints(&d.node)?;
        if d.node.pointer() != node.pointer() {
            stated.extend(self.document.constraints(node)?);
        }
        Ok(stated)
    }

    fn nullability(&mut self, document: &Node<'a>, d: &View<'a>, c: &View<'a>, rust: &Rust, role: Role) {
        let pointer = d.pointer.child("type");
        let place = document.place.child("type");
        match role {
            Role::OmitsNull if d.nullable => {
                self.differ(Kind::NullOmitted, pointer, place, rust, json!("null"), json!("absent"));
            }
            Role::OmitsNull => {}
            Role::ResponseOrNothing if c.nullable => {}
            Role::ResponseOrNothing => {
                let says = (json!("a success without a body"), json!("null refused"));
                self.differ(Kind::Nullable, pointer, place, rust, says.0, says.1);
            }
            _ if d.nullable != c.nullable => {
                let says = |nullable: bool| json!(if nullable { "null allowed" } else { "null refused" });
                self.differ(Kind::Nullable, pointer, place, rust, says(d.nullable), says(c.nullable));
            }
            _ => {}
        }
        if role == Role::OmitsEmpty {
            let (document, at) = (document.place.clone(), d.pointer.clone());
            self.differ(Kind::EmptyOmitted, at, document, rust, json!("empty"), json!("absent"));
        }
    }

    /// Returns the types of instances that a view allows, apart from null. `None` stands for any.
    fn types(schemas: Schemas<'a>, view: &View<'a>) -> Result<Option<BTreeSet<Type>>, Dangling> {
        Ok(match &view.form {
            Form::Anything => None,
            Form::Nothing => Some(BTreeSet::new()),
            Form::Scalar { of, .. } => Some(BTreeSet::from([*of])),
            Form::Array { .. } => Some(BTreeSet::from([Type::Array])),
            Form::Object { .. } => Some(BTreeSet::from([Type::Object])),
            Form::Union { variants, .. } => {
                let mut all = BTreeSet::new();
                for variant in variants {
                    let view = schemas.view(variant)?;
                    let Some(types) = Self::types(schemas, &view)? else { return Ok(None) };
                    all.extend(types);
                }
                Some(all)
            }
        })
    }

    /// Reports types of instances that differ. In this case, nothing below them can be equal.
    fn types_differ(
        &mut self,
        document: &Node<'a>,
        d: &View<'a>,
        c: &View<'a>,
        rust: &Rust,
    ) -> Result<bool, Dangling> {
        let differ = Self::types(self.document, d)? != Self::types(self.code, c)?;
        if differ {
            let says = (describe(self.document, d)?.into(), self.describe(c)?.into());
            let (pointer, place) = (d.pointer.child("type"), document.place.child("type"));
            self.differ(Kind::Type, pointer, place, rust, says.0, says.1);
        }
        Ok(differ)
    }

    fn describe(&self, code: &View<'a>) -> Result<String, Dangling> {
        describe(self.code, code)
    }

    fn forms(
        &mut self,
        document: &Node<'a>,
        code: &Node<'a>,
        d: &View<'a>,
        c: &View<'a>,
        constraints: &Constraints,
        rust: &Rust,
    ) -> Result<(), Dangling> {
        match (&d.form, &c.form) {
            (Form::Scalar { of, format: stated, values: listed }, Form::Scalar { format, values, .. }) => {
                let formats = (stated.as_deref(), format.as_deref());
                self.format(document, d, *of, formats, constraints, rust);
                if code.keyword(self.code, "x-open").is_some() && listed == values {
                    self.excuse(Kind::EnumUnchecked, d.pointer.child("enum"));
                    self.excuse(Kind::EnumUnchecked, d.pointer.child("const"));
                } else if *of == Type::String && listed == values && code.keyword(self.code, "enum").is_some()
                {
                    let (pointer, place) = (d.pointer.child("enum"), document.place.child("enum"));
                    self.differ(
                        Kind::EnumClosed,
                        pointer,
                        place,
                        rust,
                        json!(listed),
                        json!("no other value is read"),
                    );
                }
                if listed != values {
                    let unnamed = |listed| *of == Type::Boolean || without_names(listed);
                    let unnamed = values.is_none() && listed.as_ref().is_some_and(unnamed);
                    let kind = if unnamed { Kind::EnumUnchecked } else { Kind::Enum };
                    let says = |values: &Option<BTreeSet<String>>| json!(values);
                    let (pointer, place) = (d.pointer.child("enum"), document.place.child("enum"));
                    if self.direction == Direction::Request && kind == Kind::EnumUnchecked {
                        self.excuse(kind, d.pointer.child("const"));
                        self.excuse(kind, pointer);
                        return Ok(());
                    }
                    if unnamed {
                        self.excuse(kind, d.pointer.child("const"));
                    }
                    self.differ(kind, pointer, place, rust, says(listed), says(values));
                }
                Ok(())
            }
            (Form::Array { items: stated, tuple }, Form::Array { items, .. }) => {
                let Some(items) = items else { return Ok(()) };
                if !tuple.is_empty() {
                    return self.tuple(document, d, tuple, items, rust);
                }
                if let Some(stated) = stated {
                    self.compare(stated, items, rust, Role::Plain)
                } else {
                    let code = self.code.view(items)?;
                    if !matches!(code.form, Form::Anything) {
                        let (pointer, place) = (d.pointer.child("items"), document.place.child("items"));
                        let code = json!(self.describe(&code)?);
                        self.differ(Kind::Type, pointer, place, rust, json!("anything"), code);
                    }
                    Ok(())
                }
            }
            (
                Form::Object { properties: stated, required, unknown: others },
                Form::Object { properties, required: read, unknown },
            ) => {
                let same = stated.keys().filter(|name| properties.contains_key(*name)).count();
                if same == 0 && stated.len() > 1 && properties.len() > 1 {
                    return self.altogether(document, d, c, rust);
                }
                let notes = code.keyword(self.code, "x-rust").unwrap_or(&Value::Null);
                let of_rest = Rust { hides: rust.hides || hides(notes, &notes["rest"]), ..rust.clone() };
                self.unknown(document, d, others, unknown, &of_rest)?;
                let object = Object { node: code, properties, read };
                self.properties(document, d, stated, required, &object, rust)
            }
            (Form::Union { how, variants: stated }, Form::Union { how: own, variants }) => {
                let at = if *how == How::Types {
                    d.pointer.child("type")
                } else {
                    stated.first().and_then(|first| first.pointer().parent()).unwrap_or_default()
                };
                let place = document.place.child(how.word());
                if *own == How::Kept {
                    let tag = constraints.get("discriminator").map(|(_, tag)| tag.clone());
                    let all = self.flattened(stated, &tag.into_iter().collect::<Vec<_>>(), 0)?;
                    let (stated, tags): (Vec<Node<'a>>, Vec<Vec<Value>>) = all.into_iter().unzip();
                    let union = Union { at, place, how: *how, stated: &stated };
                    return self.union(union, &tags, code, *own, variants, rust);
                }
                self.union(Union { at, place, how: *how, stated }, &[], code, *own, variants, rust)
            }
            (Form::Union { .. }, _) | (_, Form::Union { .. }) => self.altogether(document, d, c, rust),
            _ => Ok(()),
        }
    }

    /// Reports two types that have nothing in common as a single finding.
    fn altogether(
        &mut self,
        document: &Node<'a>,
        d: &View<'a>,
        c: &View<'a>,
        rust: &Rust,
    ) -> Result<(), Dangling> {
        let says = (describe(self.document, d)?.into(), self.describe(c)?.into());
        self.differ(Kind::Alternatives, d.pointer.clone(), document.place.clone(), rust, says.0, says.1);
        Ok(())
    }

    fn format(
        &mut self,
        document: &Node<'a>,
        d: &View<'a>,
        of: Type,
        (stated, format): (Option<&str>, Option<&str>),
        constraints: &Constraints,
        rust: &Rust,
    ) {
        let (pointer, place) = (d.pointer.child("format"), document.place.child("format"));
        if format == Some("date-time") && stated == format {
            let code = json!("in UTC, without needless digits");
            let (at, place) = (d.pointer.clone(), document.place.clone());
            self.differ(Kind::TimeRewritten, at, place, rust, json!("as given"), code);
        }
        if stated == format {
            return;
        }
        let kind = match (stated, format) {
            (Some(stated), None) if of == Type::String && !CARRIED.contains(&stated) => Kind::FormatUnchecked,
            (stated, Some(format)) if of != Type::String && wide_enough(stated, format, constraints) => {
                Kind::Width
            }
            _ => Kind::Format,
        };
        if self.direction == Direction::Request && kind == Kind::FormatUnchecked {
            return self.excuse(kind, pointer);
        }
        self.differ(kind, pointer, place, rust, json!(stated), json!(format));
    }

    /// Compares tuples: items with positional schemas are any of these schemas in the code.
    fn tuple(
        &mut self,
        document: &Node<'a>,
        d: &View<'a>,
        tuple: &[Node<'a>],
        items: &Node<'a>,
        rust: &Rust,
    ) -> Result<(), Dangling> {
        let (pointer, place) = (d.pointer.child("prefixItems"), document.place.child("prefixItems"));
        let c = self.code.view(items)?;
        let mut stated = Vec::new();
        for node in tuple {
            stated.push(describe(self.document, &self.document.view(node)?)?);
        }
        let says = json!(self.describe(&c)?);
        self.differ(Kind::Tuple, pointer.clone(), place.clone(), rust, json!(stated), says);
        if let Form::Union { variants, how } = &c.form {
            let union = Union { at: pointer, place, how: How::AnyOf, stated: tuple };
            self.union(union, &[], items, *how, variants, rust)
        } else {
            for node in tuple {
                self.compare(node, items, rust, Role::Plain)?;
            }
            Ok(())
        }
    }

    fn unknown(
        &mut self,
        document: &Node<'a>,
        d: &View<'a>,
        stated: &Unknown<'a>,
        unknown: &Unknown<'a>,
        rust: &Rust,
    ) -> Result<(), Dangling> {
        let keyword = "additionalProperties";
        let (pointer, place) = (d.pointer.child(keyword), document.place.child(keyword));
        // Members of one type are compared with their schema.
        if matches!(stated, Unknown::Any) && !rust.hides && self.document.is_rest_sensitive(document)? {
            self.prints(&pointer, &place, rust);
        }
        let word = |unknown: &Unknown<'a>, unstated: &str| match unknown {
            Unknown::Unstated => unstated.to_owned(),
            Unknown::Any => "any".to_owned(),
            Unknown::Of(_) => "of one type".to_owned(),
            Unknown::Refused => "refused".to_owned(),
        };
        let kind = match (stated, unknown) {
            (Unknown::Of(stated), Unknown::Of(of)) => {
                return self.compare(stated, of, rust, Role::Plain);
            }
            (Unknown::Any, Unknown::Any) | (Unknown::Refused, Unknown::Refused) => return Ok(()),
            (Unknown::Unstated, Unknown::Unstated | Unknown::Any) => Kind::UnknownKeysUnstated,
            (Unknown::Refused, Unknown::Unstated) => Kind::UnknownKeysIgnored,
            _ => Kind::UnknownKeys,
        };
        if self.direction == Direction::Request && kind == Kind::UnknownKeysIgnored {
            self.excuse(kind, pointer);
            return Ok(());
        }
        let says = (json!(word(stated, "not stated")), json!(word(unknown, "ignored")));
        self.differ(kind, pointer, place, rust, says.0, says.1);
        Ok(())
    }

    fn properties(
        &mut self,
        document: &Node<'a>,
        d: &View<'a>,
        stated: &BTreeMap<String, Node<'a>>,
        required: &BTreeSet<String>,
        code: &Object<'_, 'a>,
        rust: &Rust,
    ) -> Result<(), Dangling> {
        let sent: BTreeSet<&str> = code
            .node
            .keyword(self.code, "x-sent")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let whole = code.node.keyword(self.code, "x-rust").unwrap_or(&Value::Null);
        let notes = &whole["fields"];
        let names: BTreeSet<&String> = stated.keys().chain(code.properties.keys()).collect();
        for name in names {
            self.count("properties");
            let note = notes.get(name);
            let spot = note.and_then(|note| note["spot"].as_str()).unwrap_or(&rust.spot).to_owned();
            let hides = rust.hides || note.is_some_and(|note| hides(whole, &note["field"]));
            let at = Rust { spot, owner: rust.owner.clone(), hides };
            let (one, other) = match (stated.get(name), code.properties.get(name)) {
                (Some(one), Some(other)) => (one, other),
                (Some(one), None) => {
                    let says = describe(self.document, &self.document.view(one)?)?;
                    let (pointer, place) = (one.pointer(), one.place.clone());
                    self.differ(
                        Kind::PropertyMissing,
                        pointer,
                        place,
                        rust,
                        json!({name: says}),
                        Value::Null,
                    );
                    continue;
                }
                (None, other) => {
                    let says = other.map(|other| self.describe(&self.code.view(other)?)).transpose()?;
                    let pointer = d.pointer.child("properties").child(name);
                    let place = document.place.child("properties").child(name);
                    self.differ(Kind::PropertyExtra, pointer, place, &at, Value::Null, json!({name: says}));
                    continue;
                }
            };
            let omits = note.and_then(|note| note["omits"].as_str());
            let role = match omits {
                Some("null") => Role::OmitsNull,
                Some("empty") => Role::OmitsEmpty,
                _ => Role::Plain,
            };
            let facts = Presence {
                stated: required.contains(name),
                read: code.read.contains(name),
                sent: sent.contains(name.as_str()),
            };
            self.presence(document, d, name, one, other, facts, &at)?;
            self.compare(one, other, &at, role)?;
        }
        for name in required.iter().filter(|name| !stated.contains_key(*name)) {
            // The code cannot require a property that has no name there.
            let says = json!(format!("`{name}` has to be there"));
            let (pointer, place) =
                (d.pointer.child("required"), document.place.child("required").child(name));
            self.differ(Kind::Required, pointer, place, rust, says, Value::Null);
        }
        Ok(())
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "both sides of one member, which no other code wants together"
    )]
    fn presence(
        &mut self,
        document: &Node<'a>,
        d: &View<'a>,
        name: &str,
        one: &Node<'a>,
        other: &Node<'a>,
        facts: Presence,
        rust: &Rust,
    ) -> Result<(), Dangling> {
        let kind = match facts {
            Presence { stated: true, read: true, sent: true }
            | Presence { stated: false, read: false, sent: false } => return Ok(()),
            Presence { stated: true, read: false, sent: true }
                if self.document.view(one)?.nullable && self.code.view(other)?.nullable =>
            {
                Kind::AbsentIsNull
            }
            _ => Kind::Required,
        };
        let stated = if facts.stated { "required" } else { "optional" };
        let read = if facts.read { "required when read" } else { "optional when read" };
        let sent = if facts.sent { "always written" } else { "left out where absent" };
        let (pointer, place) = (d.pointer.child("required"), document.place.child("required").child(name));
        self.differ(kind, pointer, place, rust, json!(stated), json!(format!("{read}, {sent}")));
        Ok(())
    }

    fn constraints(
        &mut self,
        document: &Node<'a>,
        d: &View<'a>,
        c: &View<'a>,
        (stated, checked): (&Constraints, &Constraints),
        rust: &Rust,
    ) {
        let keywords: BTreeSet<&String> = stated.keys().chain(checked.keys()).collect();
        for keyword in keywords {
            self.count("constraints");
            let stated = stated.get(keyword);
            let checked = checked.get(keyword).map(|(_, value)| value);
            let kind = match (stated.map(|(_, value)| value), checked) {
                (Some(stated), Some(checked)) if stated == checked => continue,
                (Some(_), None) => Kind::Constraint,
                (None, Some(checked))
                    if implied(keyword, checked, c) || is_tuple_length(keyword, checked, d) =>
                {
                    continue;
                }
                (Some(stated), Some(checked)) if looser(keyword, stated, checked) => Kind::Constraint,
                _ => Kind::ConstraintExtra,
            };
            let pointer = stated.map_or_else(|| d.pointer.child(keyword), |(pointer, _)| pointer.clone());
            let place = document.place.child(keyword);
            if self.direction == Direction::Request && kind == Kind::Constraint && rules::carry(keyword) {
                self.excuse(kind, pointer);
                continue;
            }
            let says = stated.map_or(Value::Null, |(_, value)| value.clone());
            self.differ(kind, pointer, place, rust, says, checked.cloned().unwrap_or_default());
        }
    }

    fn union(
        &mut self,
        union: Union<'_, 'a>,
        tags: &[Vec<Value>],
        code: &Node<'a>,
        own: How,
        variants: &[Node<'a>],
        rust: &Rust,
    ) -> Result<(), Dangling> {
        let names = self.names(code, variants.len());
        let kind = match own {
            How::AnyOf => Some(Kind::FirstMatch),
            How::SideBySide => Some(Kind::SideBySide),
            How::Kept => Some(Kind::AlternativesKept),
            How::OneOf | How::Types => None,
        };
        let word = union.how.word();
        if let Some(kind) = kind {
            self.differ(kind, union.at.clone(), union.place.clone(), rust, json!(word), json!(names));
        }
        for (index, one) in variants.iter().enumerate() {
            for (later, other) in variants.iter().enumerate().skip(index + 1) {
                let lost = self.taken(own, one, other)?;
                if !lost.is_empty() {
                    let place = union.place.child(format!("{} and {}", names[index], names[later]));
                    let says = json!(format!("{} takes what is of {}", names[index], names[later]));
                    self.differ(Kind::Lost, union.at.clone(), place, rust, json!(lost), says);
                }
            }
        }
        let pairs = self.matched(union.stated, variants)?;
        let alike = pairs.iter().filter(|(_, _, cost)| *cost == 0).count();
        let most = union.stated.len().max(variants.len());
        if 2 * alike < most && most > 2 {
            let says = |schemas: Schemas<'a>, nodes: &[Node<'a>]| -> Result<Value, Dangling> {
                let views = nodes.iter().map(|node| schemas.view(node)).collect::<Result<Vec<_>, _>>()?;
                let said = views.iter().map(|view| describe(schemas, view)).collect::<Result<Vec<_>, _>>()?;
                Ok(json!(said))
            };
            let says = (says(self.document, union.stated)?, says(self.code, variants)?);
            self.differ(Kind::Alternatives, union.at, union.place, rust, says.0, says.1);
            return Ok(());
        }
        for (index, stated) in union.stated.iter().enumerate() {
            self.count("variants");
            let Some((_, to, _)) = pairs.iter().find(|(from, _, _)| *from == index) else {
                let says = describe(self.document, &self.document.view(stated)?)?;
                let (pointer, place) = (stated.pointer(), stated.place.clone());
                self.differ(Kind::VariantMissing, pointer, place, rust, json!(says), Value::Null);
                continue;
            };
            // The order of alternatives is irrelevant in a document, so the code's order determines their place.
            let place = if union.how == How::Types { stated.place.clone() } else { union.place.element(*to) };
            let spot = code
                .keyword(self.code, "x-rust")
                .and_then(|notes| notes["spots"].get(*to)?.as_str())
                .unwrap_or(&rust.spot);
            let rust = Rust { spot: spot.to_owned(), ..rust.clone() };
            self.compare(&stated.at(place), &variants[*to], &rust, Role::Plain)?;
        }
        if own == How::Kept {
            self.kept(union.stated, (&union.at, &union.place), code, rust)?;
            self.told_apart(&union, tags, code, &pairs, &names, rust)?;
        }
        for (index, variant) in variants.iter().enumerate() {
            if pairs.iter().all(|(_, to, _)| *to != index) {
                let says = self.describe(&self.code.view(variant)?)?;
                let place = union.place.child(names.get(index).map_or("", String::as_str));
                self.differ(
                    Kind::VariantExtra,
                    union.at.clone(),
                    place,
                    rust,
                    Value::Null,
                    json!({ &names[index]: says }),
                );
            }
        }
        Ok(())
    }

    /// Checks that `Debug` leaves out a value that stays JSON, if an alternative contains something sensitive.
    fn kept(
        &mut self,
        stated: &[Node<'a>],
        (at, place): (&Pointer, &Pointer),
        code: &Node<'a>,
        rust: &Rust,
    ) -> Result<(), Dangling> {
        let notes = code.keyword(self.code, "x-rust").unwrap_or(&Value::Null);
        let hides = rust.hides || code.keyword(self.code, "x-kept").is_some_and(|kept| hides(notes, kept));
        let mut contains = false;
        for stated in stated {
            contains |= self.document.contains_sensitive(stated)?;
        }
        if contains && !hides {
            self.prints(at, place, rust);
        }
        Ok(())
    }

    /// Returns the alternatives of a union, with nested ones flattened, each with the discriminators above it.
    fn flattened(
        &self,
        stated: &[Node<'a>],
        tags: &[Value],
        depth: usize,
    ) -> Result<Vec<(Node<'a>, Vec<Value>)>, Dangling> {
        let mut all: Vec<(Node<'a>, Vec<Value>)> = Vec::new();
        for one in stated {
            let view = self.document.view(one)?;
            let types = Self::types(self.document, &view)?;
            let compound =
                types.is_none_or(|types| types.contains(&Type::Array) || types.contains(&Type::Object));
            match &view.form {
                Form::Union { variants, .. } if compound && depth < 8 => {
                    let own = self.stated(one, &view)?.remove("discriminator").map(|(_, tag)| tag);
                    let tags: Vec<Value> = tags.iter().cloned().chain(own).collect();
                    all.extend(self.flattened(variants, &tags, depth + 1)?);
                }
                _ => all.push((one.clone(), tags.to_vec())),
            }
        }
        let mut seen = BTreeSet::new();
        let mut distinct = Vec::new();
        for (one, tags) in all {
            if seen.insert(self.document.identity(&one)?) {
                distinct.push((one, tags));
            }
        }
        Ok(distinct)
    }

    /// Compares the conditions that the deserialization of a union tests with those that the document declares.
    fn told_apart(
        &mut self,
        union: &Union<'_, 'a>,
        tags: &[Vec<Value>],
        code: &Node<'a>,
        pairs: &[(usize, usize, usize)],
        names: &[String],
        rust: &Rust,
    ) -> Result<(), Dangling> {
        let stated = apart::stated(self.document, union.stated, tags)?;
        for (from, to, _) in pairs {
            self.count("alternatives told apart");
            let asked = apart::asked(self.code, code, *to);
            if stated[*from] != asked {
                let place = union.place.child(&names[*to]);
                let says = (json!(stated[*from]), json!(asked));
                self.differ(Kind::ToldApart, union.at.clone(), place, rust, says.0, says.1);
            }
        }
        Ok(())
    }

    /// Returns the properties of an alternative that are lost because an earlier one takes its instances, or what it needs of them.
    fn taken(&self, own: How, one: &Node<'a>, other: &Node<'a>) -> Result<Vec<String>, Dangling> {
        let (first, second) = (self.code.view(one)?, self.code.view(other)?);
        let (
            Form::Object { properties, required, unknown },
            Form::Object { properties: others, required: needs, .. },
        ) = (&first.form, &second.form)
        else {
            return Ok(Vec::new());
        };
        let mut shared = Vec::new();
        for (name, node) in properties {
            if let Some(other) = others.get(name) {
                shared.push((name, self.overlap(node, other)?));
            }
        }
        let only_there = || others.keys().filter(|name| !properties.contains_key(*name)).cloned();
        let fits = required.iter().all(|name| others.contains_key(name))
            && shared.iter().all(|(name, overlap)| *overlap || !required.contains(*name));
        Ok(match own {
            How::AnyOf if fits && matches!(unknown, Unknown::Unstated) => only_there().collect(),
            // Input that the first one consumes is not available to later ones.
            How::SideBySide if shared.iter().any(|(name, _)| needs.contains(*name)) => only_there().collect(),
            How::SideBySide => {
                let refuses = required.iter().any(|name| !others.contains_key(name));
                shared
                    .into_iter()
                    .filter(|(_, overlap)| refuses || !overlap)
                    .map(|(name, _)| name.clone())
                    .collect()
            }
            _ => Vec::new(),
        })
    }

    /// Returns whether some value may match both.
    fn overlap(&self, one: &Node<'a>, other: &Node<'a>) -> Result<bool, Dangling> {
        let (first, second) = (self.code.view(one)?, self.code.view(other)?);
        if let (Form::Scalar { values: Some(some), .. }, Form::Scalar { values: Some(others), .. }) =
            (&first.form, &second.form)
        {
            let open = |node: &Node<'a>| node.keyword(self.code, "x-open").is_some();
            return Ok(open(one) || open(other) || some.intersection(others).next().is_some());
        }
        let types = (Self::types(self.code, &first)?, Self::types(self.code, &second)?);
        Ok(match types {
            (Some(some), Some(others)) => some.intersection(&others).next().is_some(),
            _ => true,
        })
    }

    /// Returns the names of an enum's variants.
    fn names(&self, code: &Node<'a>, count: usize) -> Vec<String> {
        let notes = code.keyword(self.code, "x-rust").map(|notes| &notes["variants"]);
        let name = |index: usize| notes.and_then(|notes| notes.get(index)?.as_str()).map(str::to_owned);
        (0..count).map(|index| name(index).unwrap_or_else(|| index.to_string())).collect()
    }

    /// Matches alternatives of the document with those of the code: those that differ least, with the number of differences.
    fn matched(
        &self,
        stated: &[Node<'a>],
        variants: &[Node<'a>],
    ) -> Result<Vec<(usize, usize, usize)>, Dangling> {
        let ours: Vec<String> =
            stated.iter().map(|node| signature(self.document, node)).collect::<Result<_, _>>()?;
        let theirs: Vec<String> =
            variants.iter().map(|node| signature(self.code, node)).collect::<Result<_, _>>()?;
        let mut pairs: Vec<(usize, usize, usize)> = Vec::new();
        for (from, one) in ours.iter().enumerate() {
            // If only one on each side is possible, no trial is needed.
            let alike: Vec<usize> = (0..theirs.len()).filter(|to| theirs[*to] == *one).collect();
            if let [to] = alike[..]
                && ours.iter().filter(|other| *other == one).count() == 1
            {
                pairs.push((from, to, 0));
            }
        }
        let mut costs = Vec::new();
        for (from, one) in stated.iter().enumerate() {
            for (to, other) in variants.iter().enumerate() {
                if !pairs.iter().any(|(known, taken, _)| *known == from || *taken == to) {
                    costs.push((from, to, self.cost(one, other, &self.seen)?));
                }
            }
        }
        costs.sort_by_key(|(from, to, cost)| (*cost, *from, *to));
        for (from, to, cost) in costs {
            let taken = pairs.iter().any(|(one, other, _)| *one == from || *other == to);
            if !taken && cost < ALL_DIFFERENT {
                pairs.push((from, to, cost));
            }
        }
        Ok(pairs)
    }

    /// Returns the number of differences between two schemas that no rule accepts, beyond what has been seen.
    fn cost(&self, document: &Node<'a>, code: &Node<'a>, seen: &Seen) -> Result<usize, Dangling> {
        let types = (
            Self::types(self.document, &self.document.view(document)?)?,
            Self::types(self.code, &self.code.view(code)?)?,
        );
        if types.0 != types.1 {
            return Ok(ALL_DIFFERENT);
        }
        let mut trial =
            Self { seen: seen.clone(), direction: self.direction, ..Self::new(self.document, self.code) };
        let rust = Rust { spot: String::new(), owner: None, hides: true };
        trial.compare(document, code, &rust, Role::Plain)?;
        let hard = |difference: &&Difference| difference.kind.rule().is_none();
        Ok(trial.compared.differences.iter().filter(hard).count())
    }

    /// Returns the alternative for this response, if the responses of several statuses share a type.
    fn shared(
        &mut self,
        document: &Node<'a>,
        code: &Node<'a>,
        d: &View<'a>,
        c: &View<'a>,
        rust: &Rust,
    ) -> Result<Option<Node<'a>>, Dangling> {
        let Form::Union { how: own, variants } = &c.form else { return Ok(None) };
        // The type itself has just been recorded as seen, which must not count here.
        let name = rust.owner.clone().unwrap_or_default();
        let mut seen = self.seen.clone();
        seen.remove(&(self.document.identity(document)?, name, self.direction));
        let whole = self.cost(document, code, &seen)?;
        let mut best: Option<(usize, usize)> = None;
        // A single schema is not a set of alternatives, so it must match one of them if possible.
        let limit = if matches!(d.form, Form::Union { .. }) { whole } else { ALL_DIFFERENT };
        for (index, variant) in variants.iter().enumerate() {
            let cost = self.cost(document, variant, &seen)?;
            if cost < limit && best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, index));
            }
        }
        let Some((_, index)) = best else { return Ok(None) };
        let names = self.names(code, variants.len());
        let says = json!({"taken": &names[index], "tried": names});
        let place = document.place.clone();
        self.differ(
            Kind::ResponseShared,
            d.pointer.clone(),
            place.clone(),
            rust,
            json!("a body of its own"),
            says,
        );
        if *own == How::Kept {
            let says = (json!("a body of its own"), json!(names));
            self.kept(std::slice::from_ref(document), (&d.pointer, &place), code, rust)?;
            self.differ(Kind::AlternativesKept, d.pointer.clone(), place, rust, says.0, says.1);
        }
        Ok(variants.get(index).cloned())
    }
}

/// Returns whether the `Debug` of a type leaves out a field or a variant, by the notes on the type.
fn hides(notes: &Value, member: &Value) -> bool {
    let hidden = &notes["hides"];
    *hidden == Value::Bool(true) || hidden.as_array().is_some_and(|hidden| hidden.contains(member))
}

/// The alternatives of the document.
struct Union<'p, 'a> {
    at: Pointer,
    place: Pointer,
    how: How,
    stated: &'p [Node<'a>],
}

/// An object of the code.
struct Object<'p, 'a> {
    node: &'p Node<'a>,
    properties: &'p BTreeMap<String, Node<'a>>,
    /// The members that are required for deserialization.
    read: &'p BTreeSet<String>,
}

/// Whether a property must exist: as declared, when decoded, when encoded.
#[derive(Clone, Copy)]
struct Presence {
    stated: bool,
    read: bool,
    sent: bool,
}

/// Returns whether some of the values, as JSON, have no distinct Rust names.
fn without_names(values: &BTreeSet<String>) -> bool {
    let names: BTreeSet<String> = values.iter().map(|value| squeezed(value)).collect();
    names.len() < values.len() || names.contains("")
}

/// Formats for which generated code has Rust types, so that a plain string loses something. A UUID would need an additional crate.
const CARRIED: [&str; 5] = ["date", "date-time", "ip", "ipv4", "ipv6"];

/// Returns the range of an integer format.
fn range(format: &str) -> Option<(i128, i128)> {
    Some(match format {
        "int8" => (i8::MIN.into(), i8::MAX.into()),
        "int16" => (i16::MIN.into(), i16::MAX.into()),
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "int64" => (i64::MIN.into(), i64::MAX.into()),
        "uint8" => (0, u8::MAX.into()),
        "uint16" => (0, u16::MAX.into()),
        "uint32" => (0, u32::MAX.into()),
        "uint64" => (0, u64::MAX.into()),
        _ => return None,
    })
}

/// Returns whether a number with this format can hold all values that the document allows.
fn wide_enough(stated: Option<&str>, format: &str, constraints: &Constraints) -> bool {
    if format == "double" {
        return stated.is_none();
    }
    let Some((low, high)) = range(format) else { return false };
    let bound = |keyword: &str| constraints.get(keyword).and_then(|(_, value)| value.as_i64());
    let least = bound("minimum").map_or(i64::MIN.into(), i128::from);
    let most = bound("maximum").map_or(i64::MAX.into(), i128::from);
    stated.and_then(range).is_none() && low <= least && high >= most
}

/// Returns whether a bound follows from the width of a number.
fn implied(keyword: &str, checked: &Value, c: &View<'_>) -> bool {
    let Form::Scalar { format: Some(format), .. } = &c.form else { return false };
    let bound = checked.as_i64().map(i128::from);
    match (keyword, range(format)) {
        ("minimum", Some((low, _))) => bound == Some(low),
        ("maximum", Some((_, high))) => bound == Some(high),
        _ => false,
    }
}

/// Returns whether a length follows from positional items, if there are no others.
fn is_tuple_length(keyword: &str, checked: &Value, d: &View<'_>) -> bool {
    let Form::Array { items, tuple } = &d.form else { return false };
    let closed = items.as_ref().is_some_and(Node::is_never);
    keyword == "maxItems" && closed && checked.as_u64() == u64::try_from(tuple.len()).ok()
}

/// Returns whether the code allows everything that the document allows, and more.
fn looser(keyword: &str, stated: &Value, checked: &Value) -> bool {
    match (keyword, stated.as_f64(), checked.as_f64()) {
        ("minimum", Some(stated), Some(checked)) => checked <= stated,
        ("maximum", Some(stated), Some(checked)) => checked >= stated,
        _ => false,
    }
}

/// Returns what obviously distinguishes alternatives: types, property names and required properties of an object.
fn signature(schemas: Schemas<'_>, node: &Node<'_>) -> Result<String, Dangling> {
    let view = schemas.view(node)?;
    Ok(match &view.form {
        Form::Object { properties, required, .. } => {
            format!("object {:?} {required:?}", properties.keys().collect::<Vec<_>>())
        }
        _ => describe(schemas, &view)?,
    })
}

/// Describes a view in a few words.
fn describe(schemas: Schemas<'_>, view: &View<'_>) -> Result<String, Dangling> {
    describe_to(schemas, view, 3)
}

/// Describes a view down to this depth.
fn describe_to(schemas: Schemas<'_>, view: &View<'_>, depth: usize) -> Result<String, Dangling> {
    if depth == 0 {
        return Ok("...".to_owned());
    }
    let mut text = match &view.form {
        Form::Anything => return Ok("anything".to_owned()),
        Form::Nothing => "nothing".to_owned(),
        Form::Scalar { of, format, values } => {
            let format = format.as_ref().map(|format| format!(" ({format})")).unwrap_or_default();
            let values = values
                .as_ref()
                .map(|values| format!(" of {}", values.iter().cloned().collect::<Vec<_>>().join(", ")));
            format!("{}{format}{}", of.word(), values.unwrap_or_default())
        }
        Form::Array { items: None, .. } => "array".to_owned(),
        Form::Array { items: Some(items), .. } => {
            format!("array of {}", describe_to(schemas, &schemas.view(items)?, depth - 1)?)
        }
        Form::Object { properties, .. } if properties.is_empty() => "object".to_owned(),
        Form::Object { properties, .. } => {
            let names: Vec<&str> = properties.keys().map(String::as_str).collect();
            format!("object {{{}}}", names.join(", "))
        }
        Form::Union { variants, .. } => {
            let mut said = Vec::new();
            for variant in variants {
                said.push(describe_to(schemas, &schemas.view(variant)?, depth - 1)?);
            }
            said.join(" or ")
        }
    };
    if view.nullable {
        text.push_str(" or null");
    }
    Ok(text)
}
