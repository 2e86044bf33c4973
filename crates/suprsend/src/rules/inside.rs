//! Arrays and objects, judged while they are looked at.

use suprsend_api::rules::{Rule, Schema, Type};

use super::{
    json,
    look::{ANY, At, Of, Seen, Subject, judge},
    run::{Mode, Path, Run, Stop},
    scalar,
};

/// An array or an object that is being looked at.
pub(super) struct Inside<'a, 'r> {
    run: &'a mut Run<'r>,
    at: At<'a>,
    kind: Type,
    /// Whether the value has the right type; else no rule concerns it.
    is_fit: bool,
    /// How many items or members there were.
    count: usize,
    /// Which members that are required there were.
    found: Bits,
    /// How many items fit `contains`.
    contained: u32,
    /// The items, where they have to be unique.
    items: Vec<serde_json::Value>,
    /// The name of the member whose value comes next, where it comes by itself.
    pub(super) name: Option<String>,
}

impl<'a, 'r> Inside<'a, 'r> {
    pub(super) fn open(run: &'a mut Run<'r>, at: At<'a>, kind: Type) -> Result<Self, Stop> {
        let is_fit = scalar::is_typed(run, at, kind)?;
        run.count("[]".len());
        Ok(Self {
            run,
            at: if is_fit { at } else { at.by(&ANY) },
            kind,
            is_fit,
            count: 0,
            found: Bits::default(),
            contained: 0,
            items: Vec::new(),
            name: None,
        })
    }

    /// Looks at the next item of an array.
    pub(super) fn item(&mut self, value: &dyn Subject) -> Result<(), Stop> {
        let path = Path::Item(self.at.path, self.count);
        self.separate();
        let (mut prefix, mut rest) = (0, None);
        let mut judged = false;
        for rule in self.at.schema.0 {
            match rule {
                Rule::PrefixItems(schemas) => {
                    prefix = schemas.len();
                    if let Some(schema) = schemas.get(self.count - 1) {
                        self.below(schema, &path, value, &mut judged)?;
                    }
                }
                Rule::Items(schema) => rest = Some(*schema),
                _ => {}
            }
        }
        let schema = rest.filter(|_| self.count > prefix).unwrap_or(&ANY);
        if !judged {
            self.below(schema, &path, value, &mut judged)?;
        }
        for rule in self.at.schema.0 {
            match rule {
                Rule::Contains(schema, ..) if self.run.mode() == Mode::Secrets => {
                    self.below(schema, &path, value, &mut judged)?;
                }
                Rule::Contains(schema, ..) => {
                    let at = self.at.below(schema, &path);
                    let fits = self.run.fits(Mode::Test, |run| judge(run, at, value));
                    self.contained += u32::from(fits);
                }
                Rule::UniqueItems => self.items.extend(value.to_value()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Looks at the next member of an object.
    pub(super) fn member(&mut self, name: &str, value: &dyn Subject) -> Result<(), Stop> {
        let path = Path::Member(self.at.path, name);
        self.separate();
        if self.run.is_first() {
            self.run.count(scalar::quoted(name) + ":".len());
        }
        let (mut judged, mut is_named, mut rest) = (false, false, &ANY);
        let mut required = 0;
        for rule in self.at.schema.0 {
            match rule {
                Rule::Required(names) => {
                    let places = names.iter().enumerate().filter(|(_, required)| **required == name);
                    places.for_each(|(index, _)| self.found.set(required + index));
                    required += names.len();
                }
                Rule::Properties(list) => {
                    if let Some((_, schema)) = list.iter().find(|(property, _)| *property == name) {
                        is_named = true;
                        self.below(schema, &path, value, &mut judged)?;
                    }
                }
                Rule::PatternProperties(list) => {
                    for (_, schema) in list.iter().filter(|(pattern, _)| pattern.is_match(name)) {
                        is_named = true;
                        self.below(schema, &path, value, &mut judged)?;
                    }
                }
                Rule::AdditionalProperties(schema) => rest = *schema,
                Rule::PropertyNames(schema) => {
                    let at = self.at.below(schema, &path);
                    if !self.run.fits(Mode::Test, |run| judge(run, at, &Of(name))) {
                        self.run.broken(&path, rule)?;
                    }
                }
                _ => {}
            }
        }
        if !is_named {
            self.below(rest, &path, value, &mut judged)?;
        }
        Ok(())
    }

    fn separate(&mut self) {
        self.run.count(usize::from(self.count > 0));
        self.count += 1;
    }

    /// Judges an item or a member. Its bytes count once, however many schemas it has.
    fn below(
        &mut self,
        schema: &'static Schema,
        path: &Path<'_>,
        value: &dyn Subject,
        judged: &mut bool,
    ) -> Result<(), Stop> {
        let at = self.at.below(schema, path);
        let is_second = std::mem::replace(judged, true);
        match self.run.mode() {
            Mode::Tag => Ok(()),
            Mode::Meant => self.run.part(Mode::Tag, |run| judge(run, at, value)),
            _ if is_second => self.run.again(|run| judge(run, at, value)),
            _ => judge(self.run, at, value),
        }
    }

    /// Judges what is known when the end is reached.
    pub(super) fn close(self) -> Result<Seen, Stop> {
        let Self { run, at, kind, is_fit, found, contained, mut items, .. } = self;
        let (count, is_array) = (self.count as u64, kind == Type::Array);
        let mut required = 0;
        for rule in at.schema.0 {
            let is_broken = match rule {
                Rule::MinItems(least) => is_array && count < *least,
                Rule::MaxItems(most) => is_array && count > *most,
                Rule::UniqueItems => json::has_equals(&mut items),
                Rule::Contains(_, least, most) => is_array && !(*least..=*most).contains(&contained),
                Rule::MinProperties(least) => !is_array && count < *least,
                Rule::MaxProperties(most) => !is_array && count > *most,
                Rule::Required(names) if !is_array => {
                    for (index, name) in names.iter().enumerate() {
                        if !found.has(required + index) {
                            run.broken(&Path::Member(at.path, name), rule)?;
                        }
                    }
                    required += names.len();
                    false
                }
                _ => false,
            };
            if is_broken {
                run.broken(at.path, rule)?;
            }
        }
        Ok(if is_fit { Seen::Container } else { Seen::Unfit })
    }
}

/// A set of small numbers, without allocation up to 64.
#[derive(Default)]
struct Bits {
    few: u64,
    more: Vec<usize>,
}

impl Bits {
    fn set(&mut self, index: usize) {
        if index < 64 {
            self.few |= 1 << index;
        } else {
            self.more.push(index);
        }
    }

    fn has(&self, index: usize) -> bool {
        if index < 64 { self.few & (1 << index) != 0 } else { self.more.contains(&index) }
    }
}
