//! Decodes untagged enums without buffering if the JSON type alone determines the variant.
//!
//! serde's derive for such an enum copies the value into a buffer and tries one variant after another, creating and dropping an error for
//! each that does not match. If no two variants accept the same JSON type, a visitor passes the value on to the one that accepts it.
//!
//! The syntax tree must prove what a variant accepts, and the enum must have no attributes but `untagged`; all others are left unchanged.
//! From JSON, and from serde's buffer of it, both decode the same. They differ in the error for a value that does not match, and in that
//! ignored members of a struct are validated no more strictly than in any other struct.

use std::collections::BTreeMap;

use quote::{ToTokens, format_ident, quote};
use syn::{
    Attribute, Fields, GenericArgument, Ident, ImplItemFn, Item, ItemEnum, ItemImpl, ItemMod, ItemStruct,
    Meta, PathArguments, Type, parse_quote,
};

use super::{derives, drop_derive, invoked};

/// Replaces the derived deserialization of such enums.
pub(super) fn read_once(module: &mut ItemMod) {
    let Some((_, items)) = &mut module.content else { return };
    let structs = structs(items);
    let mut done = Vec::new();
    for mut item in std::mem::take(items) {
        let mut reading = None;
        if let Item::Enum(item) = &mut item
            && let Some(variants) = told_apart(item, &structs)
        {
            reading = Some(Item::Impl(reading_of(&item.ident, &variants)));
            drop_derive(&mut item.attrs, "Deserialize");
        }
        done.push(item);
        done.extend(reading);
    }
    *items = done;
}

/// The JSON types, with integers separate from other numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Boolean,
    Integer,
    Number,
    List,
    Object,
}

impl Kind {
    /// Returns whether a value may be of both kinds.
    fn meets(self, other: Self) -> bool {
        let number = |kind| matches!(kind, Self::Integer | Self::Number);
        self == other || (number(self) && number(other))
    }

    fn words(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::List => "a list",
            Self::Object => "an object",
        }
    }

    /// Returns the methods of a visitor that receive such a value, each with the argument and the deserializer that passes it on.
    fn visits(self) -> Vec<(&'static str, Argument, &'static str)> {
        let plain = |ty| Argument::Plain(Box::new(ty));
        match self {
            // An owned string is passed to this as well: it is copied, as it was from the buffer.
            Self::Text => vec![("visit_str", plain(parse_quote!(&str)), "StrDeserializer")],
            Self::Boolean => vec![("visit_bool", plain(parse_quote!(bool)), "BoolDeserializer")],
            Self::Integer => vec![
                ("visit_i64", plain(parse_quote!(i64)), "I64Deserializer"),
                ("visit_u64", plain(parse_quote!(u64)), "U64Deserializer"),
            ],
            Self::Number => {
                let mut visits = Self::Integer.visits();
                visits.push(("visit_f64", plain(parse_quote!(f64)), "F64Deserializer"));
                visits
            }
            Self::List => vec![("visit_seq", Argument::Access("SeqAccess"), "SeqAccessDeserializer")],
            Self::Object => vec![("visit_map", Argument::Access("MapAccess"), "MapAccessDeserializer")],
        }
    }
}

/// The argument of a visitor's method.
enum Argument {
    Plain(Box<Type>),
    /// The elements one by one, through this trait.
    Access(&'static str),
}

/// Returns the variants with the types that each accepts, if these are distinct.
fn told_apart(item: &ItemEnum, structs: &BTreeMap<String, Vec<Kind>>) -> Option<Vec<(Ident, Vec<Kind>)>> {
    // `untagged` also affects the derived serialization, and would have no target without it.
    let both = ["Deserialize", "Serialize"].iter().all(|name| derives(&item.attrs, name));
    if !both || !item.generics.params.is_empty() || said_to_serde(&item.attrs) != ["untagged"] {
        return None;
    }
    let mut variants: Vec<(Ident, Vec<Kind>)> = Vec::new();
    for variant in &item.variants {
        let Fields::Unnamed(fields) = &variant.fields else { return None };
        let field = fields.unnamed.first().filter(|_| fields.unnamed.len() == 1)?;
        if !said_to_serde(&variant.attrs).is_empty() || !said_to_serde(&field.attrs).is_empty() {
            return None;
        }
        let kinds = kinds_of(&field.ty, structs)?;
        let mut taken = variants.iter().flat_map(|(_, kinds)| kinds);
        if taken.any(|taken| kinds.iter().any(|kind| kind.meets(*taken))) {
            return None;
        }
        variants.push((variant.ident.clone(), kinds));
    }
    (!variants.is_empty()).then_some(variants)
}

/// Returns the JSON types that a Rust type accepts, if that is certain.
fn kinds_of(ty: &Type, structs: &BTreeMap<String, Vec<Kind>>) -> Option<Vec<Kind>> {
    let Type::Path(path) = ty else { return None };
    if path.qself.is_some() {
        return None;
    }
    let names: Vec<String> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let arguments: Vec<&Type> = match &path.path.segments.last()?.arguments {
        PathArguments::None => Vec::new(),
        PathArguments::AngleBracketed(list) => {
            let types = list.args.iter().map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            });
            types.collect::<Option<_>>()?
        }
        PathArguments::Parenthesized(_) => return None,
    };
    let kind = match (path.path.leading_colon.is_some(), names.as_slice(), arguments.as_slice()) {
        (true, ["std", "string", "String"], []) => Kind::Text,
        (false, ["bool"], []) => Kind::Boolean,
        (false, ["i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64"], []) => Kind::Integer,
        (false, ["f32" | "f64"], []) => Kind::Number,
        (true, ["std", "vec", "Vec"], [_]) => Kind::List,
        // The buffer does not parse a string as a key of another type, so these would accept more than before.
        (true, ["serde_json", "Map"] | ["std", "collections", "HashMap" | "BTreeMap"], [key, _])
            if kinds_of(key, structs)? == [Kind::Text] =>
        {
            Kind::Object
        }
        (true, ["std", "boxed", "Box"], [inner]) => return kinds_of(inner, structs),
        (false, [name], []) => return structs.get(*name).cloned(),
        _ => return None,
    };
    Some(vec![kind])
}

/// Returns the types that structs accept, as far as that is certain: structs with named fields and derived deserialization without
/// conversions.
fn structs(items: &[Item]) -> BTreeMap<String, Vec<Kind>> {
    let structs = items.iter().filter_map(|item| match item {
        Item::Struct(item) => Some((item.ident.to_string(), kinds_of_struct(item)?)),
        // It reads objects only.
        item => Some((invoked(item, "deserialize")?, vec![Kind::Object])),
    });
    structs.collect()
}

fn kinds_of_struct(item: &ItemStruct) -> Option<Vec<Kind>> {
    let Fields::Named(fields) = &item.fields else { return None };
    let plain = said_to_serde(&item.attrs).iter().all(|said| said == "deny_unknown_fields");
    if !plain || !item.generics.params.is_empty() || !derives(&item.attrs, "Deserialize") {
        return None;
    }
    let flattens = |field: &syn::Field| said_to_serde(&field.attrs).iter().any(|said| said == "flatten");
    // Without a flattened field, serde also accepts a list of the fields' values.
    Some(if fields.named.iter().any(flattens) { vec![Kind::Object] } else { vec![Kind::Object, Kind::List] })
}

/// Returns the individual names in serde's attributes. An attribute in an unknown form counts as one.
fn said_to_serde(attrs: &[Attribute]) -> Vec<String> {
    let mut said = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        match attr.parse_args_with(syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated) {
            Ok(metas) => said.extend(metas.iter().map(|meta| meta.path().to_token_stream().to_string())),
            Err(_) => said.push(attr.to_token_stream().to_string()),
        }
    }
    said
}

/// Generates the deserialization. The names begin with underscores because no generated type's name does.
fn reading_of(ident: &Ident, variants: &[(Ident, Vec<Kind>)]) -> ItemImpl {
    let kinds: Vec<&str> = variants.iter().flat_map(|(_, kinds)| kinds).map(|kind| kind.words()).collect();
    let expected = match kinds.as_slice() {
        [one] => (*one).to_owned(),
        [more @ .., last] => format!("{} or {last}", more.join(", ")),
        [] => String::new(),
    };
    let visits =
        variants.iter().flat_map(|(variant, kinds)| kinds.iter().map(move |kind| (variant, kind))).flat_map(
            |(variant, kind)| kind.visits().into_iter().map(move |visit| visit_of(ident, variant, visit)),
        );
    parse_quote! {
        impl<'de> ::serde::Deserialize<'de> for #ident {
            fn deserialize<__D: ::serde::Deserializer<'de>>(
                deserializer: __D,
            ) -> ::std::result::Result<Self, __D::Error> {
                struct __Visitor;
                impl<'de> ::serde::de::Visitor<'de> for __Visitor {
                    type Value = #ident;
                    fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.write_str(#expected)
                    }
                    #(#visits)*
                }
                deserializer.deserialize_any(__Visitor)
            }
        }
    }
}

/// Generates the visitor's method that creates the variant from its argument.
fn visit_of(
    ident: &Ident,
    variant: &Ident,
    (method, argument, deserializer): (&str, Argument, &str),
) -> ImplItemFn {
    let (method, deserializer) = (format_ident!("{method}"), format_ident!("{deserializer}"));
    let body = quote! {
        ::serde::Deserialize::deserialize(::serde::de::value::#deserializer::new(value)).map(#ident::#variant)
    };
    match argument {
        Argument::Plain(ty) => parse_quote! {
            fn #method<__E: ::serde::de::Error>(self, value: #ty) -> ::std::result::Result<Self::Value, __E> {
                #body
            }
        },
        Argument::Access(name) => {
            let name = format_ident!("{name}");
            parse_quote! {
                fn #method<__A: ::serde::de::#name<'de>>(
                    self,
                    value: __A,
                ) -> ::std::result::Result<Self::Value, __A::Error> {
                    #body
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the enum with these variants among other types, and its generated implementation.
    fn mended(item: &str) -> (ItemEnum, Option<ItemImpl>) {
        let mut module: ItemMod = syn::parse_str(&format!(
            "pub mod types {{
                {item}
                #[derive(::serde::Deserialize, ::serde::Serialize)]
                pub struct Closed {{ pub a: i64 }}
                #[derive(::serde::Deserialize, ::serde::Serialize)]
                #[serde(deny_unknown_fields)]
                pub struct Strict {{ #[serde(rename = \"A\", default)] pub a: i64 }}
                #[derive(::serde::Deserialize, ::serde::Serialize)]
                pub struct Open {{ #[serde(flatten)] pub extra: ::serde_json::Map<::std::string::String, ::serde_json::Value> }}
                #[derive(::serde::Deserialize, ::serde::Serialize)]
                #[serde(try_from = \"i64\")]
                pub struct Converted {{ pub a: i64 }}
                #[derive(::serde::Serialize)]
                pub struct ByHand {{ pub a: i64 }}
                #[derive(::serde::Deserialize, ::serde::Serialize)]
                #[serde(transparent)]
                pub struct Name(pub ::std::string::String);
                #[derive(::serde::Deserialize, ::serde::Serialize)]
                pub enum Word {{ #[serde(rename = \"a\")] A }}
            }}"
        ))
        .unwrap();
        read_once(&mut module);
        let mut items = module.content.unwrap().1.into_iter();
        let Some(Item::Enum(item)) = items.next() else { panic!("the enum comes first") };
        let reading = items.find_map(|item| match item {
            Item::Impl(reading) => Some(reading),
            _ => None,
        });
        (item, reading)
    }

    fn untagged(variants: &str) -> String {
        format!(
            "#[derive(::serde::Deserialize, ::serde::Serialize, ::rkyv::Deserialize, Clone)] #[serde(untagged)] pub enum Any {{ {variants} }}"
        )
    }

    /// Returns the methods of the visitor, each with the variant that it creates.
    fn visits(reading: &ItemImpl) -> Vec<String> {
        let text = reading.to_token_stream().to_string().replace(' ', "");
        let methods = text.split("fnvisit_").skip(1).map(|method| {
            let name = method.split('<').next().unwrap();
            let variant = method.split("map(Any::").nth(1).unwrap().split(')').next().unwrap();
            format!("{name}:{variant}")
        });
        methods.collect()
    }

    #[test]
    fn the_json_type_tells_the_variant() {
        let map = "::serde_json::Map<::std::string::String, ::serde_json::Value>";
        for (variants, expected) in [
            (format!("Text(::std::string::String), Object({map})"), vec!["str:Text", "map:Object"]),
            (
                "Flag(bool), Count(u8), List(::std::vec::Vec<Name>)".to_owned(),
                vec!["bool:Flag", "i64:Count", "u64:Count", "seq:List"],
            ),
            (
                "Number(f32), Boxed(::std::boxed::Box<Open>), List(::std::vec::Vec<Any>)".to_owned(),
                vec!["i64:Number", "u64:Number", "f64:Number", "map:Boxed", "seq:List"],
            ),
            (
                "Text(::std::string::String), Closed(Closed)".to_owned(),
                vec!["str:Text", "map:Closed", "seq:Closed"],
            ),
            ("Strict(Strict), Flag(bool)".to_owned(), vec!["map:Strict", "seq:Strict", "bool:Flag"]),
            ("Map(::std::collections::HashMap<::std::string::String, i64>)".to_owned(), vec!["map:Map"]),
        ] {
            let (item, reading) = mended(&untagged(&variants));
            let reading = reading.unwrap_or_else(|| panic!("{variants}"));
            assert_eq!(visits(&reading), expected, "{variants}");
            assert_eq!(
                item.attrs[0],
                parse_quote!(#[derive(::serde::Serialize, ::rkyv::Deserialize, Clone)])
            );
            assert_eq!(said_to_serde(&item.attrs), ["untagged"], "{variants}");
        }
    }

    #[test]
    fn what_is_not_told_apart_for_certain_is_left() {
        let text = "Text(::std::string::String)";
        for variants in [
            // The same JSON type twice.
            "Integer(i64), Number(f64)",
            "One(Open), Other(Open)",
            "Map(::std::collections::BTreeMap<::std::string::String, i64>), Open(Open)",
            // A struct is also decoded from a list of its values.
            "Closed(Closed), List(::std::vec::Vec<i64>)",
            // Types that accept several JSON types, or that the syntax tree does not reveal.
            "Any(::serde_json::Value)",
            "Flag(::std::option::Option<bool>)",
            "Name(Name)",
            "Word(Word)",
            "Converted(Converted)",
            "ByHand(ByHand)",
            "Unknown(Unknown)",
            "Time(::chrono::DateTime<::chrono::offset::Utc>)",
            "Id(::uuid::Uuid)",
            "Positive(::std::num::NonZeroU64)",
            "Array([i64; 2])",
            "Pair((i64, bool))",
            "Map(::std::collections::HashMap<i64, i64>)",
            "Elsewhere(other::Open)",
            "Bare(String)",
            // Forms of variants.
            "Unit",
            "Named { a: i64 }",
            "Two(i64, i64)",
            "Empty()",
            // Attributes of serde.
            "#[serde(rename = \"x\")] Flag(bool)",
            "#[serde(skip)] Flag(bool)",
            "Flag(#[serde(with = \"x\")] bool)",
        ] {
            for variants in
                [variants.to_owned(), format!("{variants}, {text}"), format!("{text}, {variants}")]
            {
                let (item, reading) = mended(&untagged(&variants));
                assert!(reading.is_none(), "{variants}");
                assert!(derives(&item.attrs, "Deserialize"), "{variants}");
            }
        }
    }

    #[test]
    fn an_enum_of_another_form_is_left() {
        let derive = "#[derive(::serde::Deserialize, ::serde::Serialize)]";
        for item in [
            format!("{derive} pub enum Any {{ Flag(bool) }}"),
            format!("{derive} #[serde(tag = \"t\")] pub enum Any {{ Open(Open) }}"),
            format!("{derive} #[serde(untagged, deny_unknown_fields)] pub enum Any {{ Flag(bool) }}"),
            format!(
                "{derive} #[serde(untagged)] #[serde(try_from = \"bool\")] pub enum Any {{ Flag(bool) }}"
            ),
            format!("{derive} #[serde(untagged)] pub enum Any<T> {{ Flag(bool), T(T) }}"),
            format!("{derive} #[serde(untagged)] pub enum Any {{}}"),
            "#[derive(::serde::Serialize)] #[serde(untagged)] pub enum Any { Flag(bool) }".to_owned(),
            "#[derive(::serde::Deserialize)] #[serde(untagged)] pub enum Any { Flag(bool) }".to_owned(),
        ] {
            let (_, reading) = mended(&item);
            assert!(reading.is_none(), "{item}");
        }
    }
}
