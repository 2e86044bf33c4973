//! Compares `oneOf` and `anyOf`, matching their variants.

use std::collections::BTreeSet;

use suprsend_codegen::Pointer;

use super::{Context, Pair, named};
use crate::spec::diff::{
    change::{Kind, Level, Side},
    document::{Document, Place},
    view::{Union, View},
};

/// The maximum number of variant pairs whose similarity is computed.
const TRIED: usize = 10_000;

impl<'a> Context<'_, 'a> {
    /// Handles a union that replaces something else, or the reverse. Returns whether it did.
    pub(super) fn becomes_union(&mut self) -> bool {
        let (old, new) = (self.old, self.new);
        match (old.unions.as_slice(), new.unions.as_slice()) {
            ([], [union]) if new.types.is_none() && !old.is_any() => {
                let message = format!("a union of {} variants stands for the one type", union.variants.len());
                self.add(Level::Breaking, Kind::UnionAdded, (Side::New, &union.pointer), message);
                let pair = self.pair;
                if let Some(variant) = counterpart(self.documents.new, old, union) {
                    self.variant(pair.old.clone(), vec![variant]);
                } else {
                    let message = "no variant of the union is what there was";
                    self.add(Level::Breaking, Kind::TypeChanged, (Side::New, &union.pointer), message);
                }
                true
            }
            ([union], []) if old.types.is_none() && !new.is_any() => {
                let message = format!("one type stands for the union of {} variants", union.variants.len());
                self.add(Level::Breaking, Kind::UnionRemoved, (Side::Old, &union.pointer), message);
                let pair = self.pair;
                if let Some(variant) = counterpart(self.documents.old, new, union) {
                    self.variant(vec![variant], pair.new.clone());
                }
                true
            }
            _ => false,
        }
    }

    /// Compares unions on both sides, or a union next to other declarations of the schema.
    pub(super) fn unions(&mut self) {
        let (old, new) = (&self.old.unions, &self.new.unions);
        if old.len() == new.len() {
            for (old, new) in old.iter().zip(new) {
                self.union(old, new);
            }
            return;
        }
        if let Some(union) = new.get(old.len()) {
            let message = "one of several has to apply beside the rest";
            self.add(Level::Breaking, Kind::UnionAdded, (Side::New, &union.pointer), message);
        }
        if let Some(union) = old.get(new.len()) {
            let message = "none of several has to apply any more";
            self.add(Level::Breaking, Kind::UnionRemoved, (Side::Old, &union.pointer), message);
        }
    }

    fn union(&mut self, old: &Union<'a>, new: &Union<'a>) {
        if old.keyword != new.keyword {
            let message = format!("`{}` became `{}`", old.keyword, new.keyword);
            self.add(Level::Breaking, Kind::UnionKindChanged, (Side::New, &new.pointer), message);
        }
        let Matched { pairs, gone, come } = self.matched(&old.variants, &new.variants);
        for (old, new) in pairs {
            self.variant(vec![old], vec![new]);
        }
        for variant in come {
            let level = self.level(Level::Additive, Level::Breaking);
            let message =
                format!("{} came; the Rust enum gains a variant", shown(self.documents.new, &variant));
            self.add(level, Kind::VariantAdded, (Side::New, &variant.pointer), message);
        }
        for variant in gone {
            let message = format!("{} went", shown(self.documents.old, &variant));
            self.add(Level::Breaking, Kind::VariantRemoved, (Side::Old, &variant.pointer), message);
        }
    }

    fn variant(&mut self, old: Vec<Place<'a>>, new: Vec<Place<'a>>) {
        let place = |schemas: &[Place<'a>]| schemas.first().map(|it| it.pointer.clone()).unwrap_or_default();
        let places: (Pointer, Pointer) = (place(&old), place(&new));
        self.queue.push(Pair { old, new, way: self.pair.way, places, optional: (false, false) });
    }

    /// Finds the old counterpart of every variant: one with the same name, or else with the same members, or else the most similar one.
    fn matched(&self, old: &[Place<'a>], new: &[Place<'a>]) -> Matched<'a> {
        let views = |document: Document<'a>, all: &[Place<'a>]| -> Vec<_> {
            let view = |it: &Place<'a>| (it.clone(), View::new(document, std::slice::from_ref(it)));
            all.iter().map(view).collect()
        };
        let mut gone = views(self.documents.old, old);
        let mut come = views(self.documents.new, new);
        let mut pairs = Vec::new();
        let name = |document, place: &Place<'a>| named(document, place).map(|(_, name)| name);
        take(&mut gone, &mut come, &mut pairs, |one, other| {
            let name_of_old = name(self.documents.old, &one.0);
            name_of_old.is_some() && name_of_old == name(self.documents.new, &other.0)
        });
        take(&mut gone, &mut come, &mut pairs, |one, other| shape(&one.1) == shape(&other.1));
        if gone.len() * come.len() <= TRIED {
            let mut scored: Vec<(f64, usize, usize)> = Vec::new();
            for (index, (_, one)) in gone.iter().enumerate() {
                for (at, (_, other)) in come.iter().enumerate() {
                    scored.push((likeness(one, other), index, at));
                }
            }
            scored.retain(|(score, ..)| *score >= 0.5);
            scored.sort_by(|one, other| other.0.total_cmp(&one.0));
            let (mut left, mut right) = (BTreeSet::new(), BTreeSet::new());
            for (_, index, at) in scored {
                if !left.contains(&index) && !right.contains(&at) {
                    left.insert(index);
                    right.insert(at);
                    pairs.push((gone[index].0.clone(), come[at].0.clone()));
                }
            }
            gone = keep(gone, &left);
            come = keep(come, &right);
        }
        let places = |all: Vec<(Place<'a>, View<'a>)>| all.into_iter().map(|(place, _)| place).collect();
        Matched { pairs, gone: places(gone), come: places(come) }
    }
}

struct Matched<'a> {
    pairs: Vec<(Place<'a>, Place<'a>)>,
    gone: Vec<Place<'a>>,
    come: Vec<Place<'a>>,
}

type Variant<'a> = (Place<'a>, View<'a>);

/// Moves matching variants into `pairs`.
fn take<'a>(
    gone: &mut Vec<Variant<'a>>,
    come: &mut Vec<Variant<'a>>,
    pairs: &mut Vec<(Place<'a>, Place<'a>)>,
    belong: impl Fn(&Variant<'a>, &Variant<'a>) -> bool,
) {
    gone.retain(|one| {
        let Some(index) = come.iter().position(|other| belong(one, other)) else {
            return true;
        };
        pairs.push((one.0.clone(), come.remove(index).0));
        false
    });
}

fn keep<T>(all: Vec<T>, without: &BTreeSet<usize>) -> Vec<T> {
    all.into_iter().enumerate().filter(|(index, _)| !without.contains(index)).map(|(_, it)| it).collect()
}

/// Returns what is visible of a schema without looking into its parts.
fn shape<'v>(view: &'v View<'_>) -> impl PartialEq + use<'v> {
    (
        &view.types,
        view.properties.keys().collect::<Vec<_>>(),
        view.required.keys().collect::<Vec<_>>(),
        view.values.as_ref().map(|(_, values)| values),
        view.format.as_ref().map(|(_, format)| format),
    )
}

/// Returns the variant that has most in common with what replaced the union.
fn counterpart<'a>(document: Document<'a>, single: &View<'a>, union: &Union<'a>) -> Option<Place<'a>> {
    let views = union.variants.iter().map(|variant| View::new(document, std::slice::from_ref(variant)));
    let scored = views.map(|view| likeness(single, &view)).zip(&union.variants);
    let best = scored.max_by(|one, other| one.0.total_cmp(&other.0))?;
    (best.0 > 0.0).then(|| best.1.clone())
}

/// Returns how much two schemas have in common, between 0 and 1.
fn likeness(one: &View<'_>, other: &View<'_>) -> f64 {
    let shared = match (&one.types, &other.types) {
        (Some(one), Some(other)) => !one.is_disjoint(other),
        _ => one.types == other.types,
    };
    if !shared {
        return 0.0;
    }
    let names =
        |view: &View<'_>| view.properties.keys().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let (one, other) = (names(one), names(other));
    let all = one.union(&other).count();
    if all == 0 {
        return 0.6;
    }
    #[allow(clippy::cast_precision_loss, reason = "there are not that many properties")]
    let share = one.intersection(&other).count() as f64 / all as f64;
    share.max(0.1)
}

fn shown<'a>(document: Document<'a>, place: &Place<'a>) -> String {
    named(document, place).map_or("a variant".to_owned(), |(_, name)| format!("`{name}`"))
}
