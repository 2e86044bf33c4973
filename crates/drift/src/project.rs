//! The project's own document and overlays, or those that the command line names.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use suprsend_codegen::{Problems, Project};

/// The document to compare the code with.
#[derive(Args)]
pub(crate) struct Input {
    /// Document to use instead of the project's own.
    ///
    /// Limits: 64 megabytes, 128 levels of nesting, and two million values after YAML's aliases and overlays are applied.
    #[arg(long, value_name = "FILE")]
    spec: Option<PathBuf>,
    /// Overlay to apply to it instead of the project's own; may be repeated, applied in the order given.
    #[arg(long, value_name = "FILE", requires = "spec")]
    overlay: Vec<PathBuf>,
    /// Apply no overlay to it.
    #[arg(long, requires = "spec", conflicts_with = "overlay")]
    no_overlay: bool,
}

impl Input {
    /// Reads the document and its overlays.
    pub(crate) fn open(&self, root: &Path) -> Result<Project, Problems> {
        let own = Project::open(root)?;
        let Some(spec) = &self.spec else {
            return Ok(own);
        };
        let overlays =
            if self.no_overlay || !self.overlay.is_empty() { &self.overlay } else { &own.files()[1..] };
        Project::from_files(root, spec, overlays)
    }
}

/// Returns the SDK's default base URL, from the constant in its source, if there is an SDK.
pub(crate) fn base_url(root: &Path) -> Option<String> {
    let text = fs::read_to_string(root.join("crates/suprsend/src/config.rs")).ok()?;
    let file = syn::parse_file(&text).ok()?;
    file.items.iter().find_map(|item| match item {
        syn::Item::Const(item) if item.ident == "DEFAULT_BASE_URL" => match &*item.expr {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    })
}
