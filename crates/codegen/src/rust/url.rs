//! The URLs of requests, made by the sender.
//!
//! progenitor joins the base URL and the path as text, which is parsed for every request from the scheme to the last segment. A sender
//! can parse the base URL once and set the path.

use syn::{
    Block, Expr, ExprField, File, Lit, LitStr, Member, Stmt, Token, parse_quote,
    punctuated::Punctuated,
    visit_mut::{self, VisitMut},
};

use super::mend::sends;

/// `format!("{}/a/{}", client.baseurl, ..)` becomes `client.inner.url(client, format_args!("/a/{}", ..))?`.
///
/// In every operation, or progenitor's output has changed its form.
pub(super) fn made_by_sender(file: &mut File) -> Result<(), String> {
    let mut pass = BySender::default();
    pass.visit_file_mut(file);
    if pass.operations == pass.made {
        return Ok(());
    }
    Err(format!(
        "progenitor generated {} operations, of which {} join base URL and path as expected; another version than expected?",
        pass.operations, pass.made
    ))
}

#[derive(Default)]
struct BySender {
    operations: usize,
    made: usize,
}

impl VisitMut for BySender {
    fn visit_block_mut(&mut self, block: &mut Block) {
        visit_mut::visit_block_mut(self, block);
        if !sends(block) {
            return;
        }
        let mut count = 0;
        for stmt in &mut block.stmts {
            if let Stmt::Local(local) = stmt
                && let Some(init) = &mut local.init
                && let Some(made) = made(&init.expr)
            {
                *init.expr = made;
                count += 1;
            }
        }
        self.operations += 1;
        self.made += usize::from(count == 1);
    }
}

/// What stands in place of a base URL and a path that are joined.
fn made(joined: &Expr) -> Option<Expr> {
    let Expr::Macro(call) = joined else { return None };
    if !call.mac.path.is_ident("format") {
        return None;
    }
    let arguments = call.mac.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated).ok()?;
    let mut arguments = arguments.into_iter();
    let (Some(Expr::Lit(template)), Some(Expr::Field(base))) = (arguments.next(), arguments.next()) else {
        return None;
    };
    let Lit::Str(template) = template.lit else { return None };
    let ExprField { base: client, member: Member::Named(member), .. } = base else { return None };
    if member != "baseurl" {
        return None;
    }
    let path = LitStr::new(template.value().strip_prefix("{}")?, template.span());
    Some(parse_quote!(#client.inner.url(#client, format_args!(#path #(, #arguments)*))?))
}

#[cfg(test)]
mod tests {
    use quote::ToTokens;

    use super::*;

    fn operation(url: &str) -> File {
        let text = format!(
            "fn send() {{ {url} let info = OperationInfo {{ operation_id: \"a\" }}; }}
             fn other() {{ let text = format!(\"{{}}/\", client.baseurl); }}"
        );
        syn::parse_str(&text).unwrap()
    }

    #[test]
    fn the_sender_is_given_the_path() {
        for (joined, made) in [
            (
                r#"let url = format!("{}/a/{}/b/", client.baseurl, encode_path(&x.to_string()),);"#,
                r#"let url = client.inner.url(client, format_args!("/a/{}/b/", encode_path(&x.to_string())))?;"#,
            ),
            (
                r#"let _url = format!("{}/a", _client.baseurl,);"#,
                r#"let _url = _client.inner.url(_client, format_args!("/a"))?;"#,
            ),
        ] {
            let mut file = operation(joined);
            made_by_sender(&mut file).unwrap();
            assert_eq!(file.to_token_stream().to_string(), operation(made).to_token_stream().to_string());
        }
    }

    #[test]
    fn another_form_is_not_passed_over() {
        for joined in [
            "",
            r#"let url = format!("/a{}", client.baseurl);"#,
            r#"let url = format!("{}/a", client.base);"#,
            r#"let url = concat!("{}/a", client.baseurl);"#,
            r#"let url = format!("{}/a", client.baseurl); let url = format!("{}/b", client.baseurl);"#,
        ] {
            let reason = made_by_sender(&mut operation(joined)).unwrap_err();
            assert!(reason.starts_with("progenitor generated 1 operations, "), "{joined}: {reason}");
        }
    }
}
