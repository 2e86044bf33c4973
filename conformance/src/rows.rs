//! The rows of the table.

mod calls;
mod examples;
mod life_cycle;
mod lowered;
mod prism;
mod schemathesis;
mod upserts;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{tools::Tools, users::User};

/// A client and what it runs against.
#[derive(Clone, Copy)]
pub(crate) enum Row {
    OurSdk,
    PythonSignature,
    PythonApiKey,
    Node,
    PythonCalls,
    NodeCalls,
    Schemathesis,
    Prism,
    Lowered,
}

impl Row {
    pub(crate) const ALL: [Self; 9] = [
        Self::OurSdk,
        Self::PythonSignature,
        Self::PythonApiKey,
        Self::Node,
        Self::PythonCalls,
        Self::NodeCalls,
        Self::Schemathesis,
        Self::Prism,
        Self::Lowered,
    ];

    pub(crate) fn title(self, tools: &Tools) -> String {
        match self {
            Self::OurSdk | Self::Prism => "suprsend, the SDK of this repository".to_owned(),
            Self::PythonSignature => format!("{}, signature", tools.python_package("suprsend-py-sdk")),
            Self::PythonApiKey => format!("{}, API key", tools.python_package("suprsend-py-sdk")),
            Self::Node => format!("{}, signature", tools.node_package("@suprsend/node-sdk")),
            Self::PythonCalls => format!("{}, every method", tools.python_package("suprsend-py-sdk")),
            Self::NodeCalls => format!("{}, every method", tools.node_package("@suprsend/node-sdk")),
            Self::Schemathesis => tools.python_package("schemathesis"),
            Self::Lowered => tools.python_package("openapi-spec-validator"),
        }
    }

    pub(crate) fn against(self) -> &'static str {
        match self {
            Self::Prism => "Prism",
            Self::Lowered => "lowering",
            _ => "the hub",
        }
    }

    /// Runs the row; what it shows in a few words.
    pub(crate) async fn run(self, tools: &Tools, users: &[User]) -> Result<String> {
        match self {
            Self::OurSdk => upserts::ours(users).await,
            Self::PythonSignature => {
                upserts::official(tools.python().args(["python_sdk.py", "signature"]), users).await
            }
            Self::PythonApiKey => {
                upserts::official(tools.python().args(["python_sdk.py", "api-key"]), users).await
            }
            Self::Node => upserts::official(tools.node().arg("node_sdk.mjs"), users).await,
            Self::PythonCalls => calls::compare(tools.python().arg("calls.py"), "python").await,
            Self::NodeCalls => calls::compare(tools.node().arg("calls.mjs"), "node").await,
            Self::Schemathesis => schemathesis::run(tools).await,
            Self::Prism => prism::run(tools, users).await,
            Self::Lowered => lowered::run(tools).await,
        }
    }
}

/// The corrected document for the tools of others. They know one operation a path and method, so those that a fragment distinguishes
/// are left out.
fn document_of_others() -> Result<Value> {
    let mut document: Value =
        serde_json::from_str(suprsend_api::DOCUMENT).context("the document is not JSON")?;
    let paths = document["paths"].as_object_mut().context("the document has no paths")?;
    paths.retain(|path, _| !path.contains('#'));
    Ok(document)
}
