//! The ways to upsert a user that are compared. Each has a file of its own.

pub mod generated;
pub mod handwritten;
pub mod hyper;
pub mod sdk;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// The key that all contenders send. The server does not look at it.
pub const KEY: &str = "benchmark-key-0123456789abcdef";

/// The UID of the workspace, which records of users have.
pub const WORKSPACE: &str = "benchmark-workspace-0123456789";

/// A way to upsert users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contender {
    /// A bare hyper client with a body that is written by hand; the response is read, and not decoded.
    Hyper,
    /// reqwest with types and calls written by hand.
    Handwritten,
    /// The client that is generated from the document.
    Generated,
    /// The SDK, an upsert at a time.
    Sdk,
    /// reqwest with types and calls written by hand: a trigger for each user instead of an upsert.
    HandwrittenTrigger,
    /// The SDK, a trigger at a time.
    SdkTrigger,
    /// The SDK's stream of upserts.
    UpsertAll,
    /// The SDK's stream of upserts as records, 400 in a request.
    IngestAll,
    /// The SDK's stream of triggers, 100 in a request: a trigger for each user instead of an upsert.
    TriggerAll,
    /// SuprSend's own SDK for Node.
    Node,
    /// SuprSend's own SDK for Python.
    Python,
    /// The bulk edits of users in SuprSend's own SDK for Node, 400 in a request.
    NodeUsers,
    /// The bulk triggers of SuprSend's own SDK for Node, 100 in a request.
    NodeTriggers,
    /// The bulk edits of users in SuprSend's own SDK for Python, 400 in a request.
    PythonUsers,
    /// The bulk triggers of SuprSend's own SDK for Python, 100 in a request.
    PythonTriggers,
}

impl Contender {
    /// Those written in Rust, in the order of the tables.
    pub const RUST: [Self; 5] = [Self::Hyper, Self::Handwritten, Self::Generated, Self::Sdk, Self::UpsertAll];
    /// Those that trigger a workflow, a recipient at a time.
    pub const TRIGGERS: [Self; 2] = [Self::HandwrittenTrigger, Self::SdkTrigger];
    /// The ways to send many, in the order of their table.
    pub const MANY: [Self; 3] = [Self::UpsertAll, Self::IngestAll, Self::TriggerAll];
    /// SuprSend's own SDKs.
    pub const PEERS: [Self; 2] = [Self::Node, Self::Python];
    /// The ways of SuprSend's own SDKs to send many.
    pub const BULK_PEERS: [Self; 4] =
        [Self::NodeUsers, Self::NodeTriggers, Self::PythonUsers, Self::PythonTriggers];

    /// What the tables call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Hyper => "bare hyper",
            Self::Handwritten => "hand-written reqwest",
            Self::Generated => "generated client",
            Self::Sdk => "SDK",
            Self::HandwrittenTrigger => "hand-written reqwest, trigger",
            Self::SdkTrigger => "SDK, trigger",
            Self::UpsertAll => "SDK, upsert_all",
            Self::IngestAll => "SDK, ingest_all",
            Self::TriggerAll => "SDK, trigger_all",
            Self::Node => "official Node SDK",
            Self::Python => "official Python SDK",
            Self::NodeUsers => "official Node SDK, bulk users",
            Self::NodeTriggers => "official Node SDK, bulk trigger",
            Self::PythonUsers => "official Python SDK, bulk users",
            Self::PythonTriggers => "official Python SDK, bulk trigger",
        }
    }
}
