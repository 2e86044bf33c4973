//! Reads which values the `Debug` of a type leaves out.

use serde_json::{Value, json};
use syn::{ImplItem, Item, ItemImpl};

use super::{regular::plain, tokens::text};

/// Returns what hand-written `Debug` leaves out: `true` for everything, or the names of fields or variants. Returns `None` if its form is
/// unknown.
pub(super) fn hidden(item: &Item, debug: &ItemImpl) -> Option<Value> {
    let fmt = debug.items.iter().find_map(|item| match item {
        ImplItem::Fn(function) if function.sig.ident == "fmt" => Some(plain(&text(&function.block))),
        _ => None,
    })?;
    let (name, members) = members(item)?;
    if fmt == format!("f.write_str(\"{name}([redacted])\")") {
        return Some(true.into());
    }
    let (start, end) = match item {
        Item::Struct(_) => (format!("f.debug_struct(\"{name}\")"), ".finish()"),
        _ => ("match self".to_owned(), ""),
    };
    let mut rest = fmt.strip_prefix(&start)?.strip_suffix(end)?;
    let mut hidden = Vec::new();
    for member in &members {
        let [shown, left_out] = forms(item, member).map(|form| plain(&form));
        if let Some(next) = rest.strip_prefix(&left_out) {
            hidden.push(member);
            rest = next;
        } else {
            rest = rest.strip_prefix(&shown)?;
        }
    }
    let all = hidden.len() == members.len();
    rest.is_empty().then(|| if all { true.into() } else { json!(hidden) })
}

/// Returns the name of a type and those of its fields or variants.
fn members(item: &Item) -> Option<(String, Vec<String>)> {
    match item {
        Item::Struct(item) => {
            let fields = item.fields.iter().filter_map(|field| Some(field.ident.as_ref()?.to_string()));
            Some((item.ident.to_string(), fields.collect()))
        }
        Item::Enum(item) => {
            let variants = item.variants.iter().map(|variant| variant.ident.to_string());
            Some((item.ident.to_string(), variants.collect()))
        }
        _ => None,
    }
}

/// Returns the code that prints a field or a variant, and the code that leaves its value out.
fn forms(item: &Item, member: &str) -> [String; 2] {
    match item {
        Item::Struct(_) => [
            format!(".field(\"{member}\",&self.{member})"),
            format!(".field(\"{member}\",&format_args!(\"[redacted]\"))"),
        ],
        _ => [
            format!("Self::{member}(value)=>f.debug_tuple(\"{member}\").field(value).finish()"),
            format!("Self::{member}(_)=>f.write_str(\"{member}([redacted])\")"),
        ],
    }
}
