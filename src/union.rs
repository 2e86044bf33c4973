//! Deserializes unions: values of one of several types, with no tag that serde knows.
//!
//! A union is decoded as the first of its variants that keeps every member that any variant keeps. A value that no variant keeps
//! completely, or that none can decode, stays JSON. So no member that the OpenAPI document declares is lost, whichever variant is chosen.

use std::{collections::BTreeSet, fmt, mem::discriminant};

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::{Result as JsonResult, Value};

/// A variant of the union `T`.
pub struct Variant<T> {
    fits: fn(&Value) -> bool,
    tagged: fn(&Value) -> bool,
    read: fn(&Value) -> JsonResult<T>,
}

impl<T> Variant<T> {
    /// Creates a variant that is decoded by this function.
    pub const fn new(read: fn(&Value) -> JsonResult<T>) -> Self {
        Self { fits: |_| true, tagged: |_| true, read }
    }

    /// Accepts only values that pass a check of what the variant's type cannot express: a constant, the bounds of a number.
    pub const fn when(mut self, fits: fn(&Value) -> bool) -> Self {
        self.fits = fits;
        self
    }

    /// Accepts only values with the tag. The schema alone lets others pass, so their members count: a value with the tag of one variant and
    /// the members of another stays JSON.
    pub const fn tagged(mut self, tagged: fn(&Value) -> bool) -> Self {
        self.tagged = tagged;
        self
    }
}

impl<T> fmt::Debug for Variant<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variant").finish_non_exhaustive()
    }
}

/// Deserializes a union. The variants are in order of preference; `other` holds an object or a list that matches none of them.
///
/// # Errors
///
/// Fails if the value is neither an object nor a list, and no variant can decode it.
pub fn read<'de, D, T>(deserializer: D, variants: &[Variant<T>], other: fn(Value) -> T) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Serialize,
{
    let value = Value::deserialize(deserializer)?;
    let mut read: Vec<(T, BTreeSet<String>)> = Vec::new();
    let mut by_all: Option<BTreeSet<String>> = None;
    for variant in variants.iter().filter(|variant| (variant.fits)(&value)) {
        let Ok(one) = (variant.read)(&value) else { continue };
        let Ok(written) = serde_json::to_value(&one) else { continue };
        // serde also reads a struct from a list of its members.
        if discriminant(&value) != discriminant(&written) {
            continue;
        }
        let mut lost = BTreeSet::new();
        compare(&value, Some(&written), "", &mut lost);
        let tagged = (variant.tagged)(&value);
        if tagged && lost.is_empty() {
            return Ok(one);
        }
        by_all = Some(by_all.map_or_else(|| lost.clone(), |by_all| &by_all & &lost));
        if tagged {
            read.push((one, lost));
        }
    }
    if let Some((one, _)) = read.into_iter().find(|(_, lost)| Some(lost) == by_all.as_ref()) {
        return Ok(one);
    }
    match value {
        Value::Array(_) | Value::Object(_) => Ok(other(value)),
        _ => Err(D::Error::custom("the value fits no variant of the union")),
    }
}

/// Deserializes a member that distinguishes null from absent: any value, including null, is `Some`.
///
/// # Errors
///
/// Fails if the value does not have the type.
pub fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Collects the paths of members that were read and are not written. Null and an empty list or map count as absent.
fn compare(read: &Value, written: Option<&Value>, place: &str, lost: &mut BTreeSet<String>) {
    match (read, written) {
        (Value::Object(members), Some(Value::Object(written))) => {
            for (name, member) in members {
                compare(member, written.get(name), &format!("{place}/{name}"), lost);
            }
        }
        (Value::Array(items), Some(Value::Array(written))) => {
            for (index, item) in items.iter().enumerate() {
                compare(item, written.get(index), &format!("{place}/{index}"), lost);
            }
        }
        (Value::Null, _) | (_, Some(_)) => {}
        (Value::Object(members), None) if members.is_empty() => {}
        (Value::Array(items), None) if items.is_empty() => {}
        (_, None) => {
            lost.insert(place.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Van {
        kind: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        load: Option<Map<String, Value>>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tags: Vec<String>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Bike {
        kind: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        gears: Option<i64>,
    }

    #[derive(Debug, PartialEq, Serialize)]
    #[serde(untagged)]
    enum Vehicle {
        Van(Van),
        Bike(Bike),
        Name(String),
        Other(Value),
    }

    fn vehicle(value: &Value) -> Option<Vehicle> {
        let variants = [
            Variant::new(|value| Van::deserialize(value).map(Vehicle::Van)),
            Variant::new(|value| Bike::deserialize(value).map(Vehicle::Bike)),
            Variant::new(|value| String::deserialize(value).map(Vehicle::Name)),
        ];
        read(value, &variants, Vehicle::Other).ok()
    }

    fn variant(value: &Value) -> &'static str {
        match vehicle(value) {
            Some(Vehicle::Van(_)) => "van",
            Some(Vehicle::Bike(_)) => "bike",
            Some(Vehicle::Name(_)) => "name",
            Some(Vehicle::Other(_)) => "other",
            None => "none",
        }
    }

    #[test]
    fn the_first_variant_that_keeps_what_any_keeps() {
        for (value, expected) in [
            (json!({"kind": "x"}), "van"),
            (json!({"kind": "x", "gears": 3}), "bike"),
            (json!({"kind": "x", "load": {"kg": 3}}), "van"),
            // A member that no variant declares does not affect the choice.
            (json!({"kind": "x", "gears": 3, "color": "red"}), "bike"),
            (json!({"kind": "x", "color": "red"}), "van"),
            // Null and an empty list are written as absent members.
            (json!({"kind": "x", "load": null, "tags": []}), "van"),
            // Each variant declares a member that the other loses.
            (json!({"kind": "x", "gears": 3, "tags": ["a"]}), "other"),
            (json!({"gears": 3}), "other"),
            (json!([]), "other"),
            (json!(["x"]), "other"),
            (json!("x"), "name"),
            (json!(3), "none"),
            (json!(null), "none"),
        ] {
            assert_eq!(variant(&value), expected, "{value}");
        }
    }

    #[test]
    fn a_value_that_is_kept_as_json_is_written_as_it_came() {
        let value = json!({"gears": [1, {"a": null}]});
        assert_eq!(serde_json::to_value(vehicle(&value).unwrap()).unwrap(), value);
    }

    #[test]
    fn a_tag_goes_before_the_members() {
        let read = |value: Value| {
            let variants = [
                Variant::new(|value| Van::deserialize(value).map(Vehicle::Van))
                    .tagged(|value| value["kind"] == "van"),
                Variant::new(|value| Bike::deserialize(value).map(Vehicle::Bike))
                    .tagged(|value| value["kind"] == "bike"),
            ];
            read(value, &variants, Vehicle::Other).unwrap()
        };
        assert!(matches!(read(json!({"kind": "bike"})), Vehicle::Bike(_)));
        assert!(matches!(read(json!({"kind": "bike", "color": "red"})), Vehicle::Bike(_)));
        assert!(matches!(read(json!({"kind": "bus"})), Vehicle::Other(_)));
        assert!(matches!(read(json!({"kind": "van", "gears": 3})), Vehicle::Other(_)));
    }

    #[test]
    fn what_does_not_fit_a_variant_is_none_of_its_values() {
        let read = |value: Value| {
            let variants = [
                Variant::new(|value| Van::deserialize(value).map(Vehicle::Van))
                    .when(|value| value["kind"] == "van"),
                Variant::new(|value| Bike::deserialize(value).map(Vehicle::Bike))
                    .when(|value| value["kind"] == "bike"),
            ];
            read(value, &variants, Vehicle::Other).unwrap()
        };
        assert!(matches!(read(json!({"kind": "bike"})), Vehicle::Bike(_)));
        assert!(matches!(read(json!({"kind": "bus"})), Vehicle::Other(_)));
        // A van with a member that vans do not have.
        assert!(matches!(read(json!({"kind": "van", "gears": 3})), Vehicle::Van(_)));
    }
}
