//! Finds schemas that the generator would merge without end. This cannot be caught: the stack of the process overflows.
//!
//! typify merges the parts of an `allOf` into one type, and a schema with the alternatives next to it. To do so, it merges what both
//! declare about one property, through references. If this leads back to two schemas that it is already merging, it does not stop. This
//! check follows the same path, and stops.

use std::collections::HashMap;

use serde_json::Value;

use crate::Pointer;

/// Rejects an adapted document with such a schema.
pub(super) fn check(document: &Value) -> Result<(), String> {
    let mut way = Way { document, seen: HashMap::new() };
    let schemas = Pointer::from_text("/components/schemas");
    let Some(Value::Object(members)) = schemas.get(document) else {
        return Ok(());
    };
    for name in members.keys() {
        way.schema(&schemas.child(name))?;
    }
    Ok(())
}

/// A schema, or its keywords without its parts.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Side {
    Whole(Pointer),
    Beside(Pointer),
}

impl Side {
    fn place(&self) -> &Pointer {
        let (Self::Whole(place) | Self::Beside(place)) = self;
        place
    }
}

struct Way<'a> {
    document: &'a Value,
    /// The pairs that were followed, with the smaller side first, and whether they were completed.
    seen: HashMap<(Side, Side), bool>,
}

impl Way<'_> {
    /// Checks everything that is merged in a schema and below it. Components are checked separately.
    fn schema(&mut self, place: &Pointer) -> Result<(), String> {
        self.within(place)?;
        for keyword in ["allOf", "anyOf", "oneOf"] {
            for part in self.list(place, keyword) {
                self.schema(&part)?;
            }
        }
        let below = self.properties(place).into_iter().map(|(_, place)| place);
        let others = ["additionalProperties", "items"].map(|keyword| place.child(keyword));
        for below in below.chain(others) {
            if below.get(self.document).is_some() {
                self.schema(&below)?;
            }
        }
        Ok(())
    }

    /// Checks everything that is merged into one schema: the parts of `allOf` with each other, and the keywords next to parts with each.
    fn within(&mut self, place: &Pointer) -> Result<(), String> {
        let every = self.list(place, "allOf");
        for (index, one) in every.iter().enumerate() {
            for other in &every[index + 1..] {
                self.merge(Side::Whole(one.clone()), Side::Whole(other.clone()))?;
            }
        }
        let beside = ["additionalProperties", "items", "properties", "required", "type"];
        let says_more = beside.iter().any(|keyword| place.child(keyword).get(self.document).is_some());
        let alternatives = ["anyOf", "oneOf"].into_iter().flat_map(|keyword| self.list(place, keyword));
        for part in every.iter().cloned().chain(alternatives).filter(|_| says_more).collect::<Vec<_>>() {
            self.merge(Side::Beside(place.clone()), Side::Whole(part))?;
        }
        let alternatives = ["anyOf", "oneOf"].into_iter().flat_map(|keyword| self.list(place, keyword));
        for part in alternatives.collect::<Vec<_>>() {
            for one in &every {
                self.merge(Side::Whole(one.clone()), Side::Whole(part.clone()))?;
            }
        }
        Ok(())
    }

    fn merge(&mut self, one: Side, other: Side) -> Result<(), String> {
        let (one, other) = (self.resolve(one), self.resolve(other));
        // Two references to the same schema are that schema; any other two are merged, even if they are equal.
        if one.place() == other.place() {
            return Ok(());
        }
        let pair = if one < other { (one, other) } else { (other, one) };
        match self.seen.get(&pair) {
            Some(true) => return Ok(()),
            Some(false) => {
                return Err("its parts lead back to themselves, and merging them would never end".to_owned());
            }
            None => self.seen.insert(pair.clone(), false),
        };
        for (one, other) in [(&pair.0, &pair.1), (&pair.1, &pair.0)] {
            if let Side::Whole(place) = one {
                self.within(place)?;
                for keyword in ["allOf", "anyOf", "oneOf"] {
                    for part in self.list(place, keyword) {
                        self.merge(Side::Whole(part), other.clone())?;
                    }
                }
            }
            for (name, property) in self.properties(one.place()) {
                let named = other.place().child("properties").child(&name);
                let unnamed = other.place().child("additionalProperties");
                let rival = [named, unnamed].into_iter().find(|rival| rival.get(self.document).is_some());
                if let Some(rival) = rival {
                    self.merge(Side::Whole(property), Side::Whole(rival))?;
                }
            }
        }
        for keyword in ["additionalProperties", "items"] {
            let (one, other) = (pair.0.place().child(keyword), pair.1.place().child(keyword));
            if one.get(self.document).is_some() && other.get(self.document).is_some() {
                self.merge(Side::Whole(one), Side::Whole(other))?;
            }
        }
        self.seen.insert(pair, true);
        Ok(())
    }

    /// Returns the target of a reference. Lint has rejected circles.
    fn resolve(&self, side: Side) -> Side {
        let Side::Whole(mut place) = side else { return side };
        while let Some(target) = place
            .get(self.document)
            .and_then(|schema| schema.get("$ref")?.as_str())
            .and_then(Pointer::from_reference)
        {
            place = target;
        }
        Side::Whole(place)
    }

    fn list(&self, place: &Pointer, keyword: &str) -> Vec<Pointer> {
        let list = place.child(keyword);
        let count = list.get(self.document).and_then(Value::as_array).map_or(0, Vec::len);
        (0..count).map(|index| list.child(index)).collect()
    }

    fn properties(&self, place: &Pointer) -> Vec<(String, Pointer)> {
        let map = place.child("properties");
        let members = map.get(self.document).and_then(Value::as_object);
        members.into_iter().flatten().map(|(name, _)| (name.clone(), map.child(name))).collect()
    }
}
