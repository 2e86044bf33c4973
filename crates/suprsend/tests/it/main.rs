//! Tests of the SDK over real sockets: against the hub, and against a server that misbehaves to order.

#[cfg(feature = "blocking")]
mod blocking;
mod bulk;
mod canaries;
mod client;
#[cfg(feature = "management")]
mod dashboard;
mod faults;
mod import;
mod interim;
mod keys;
mod life_cycle;
#[cfg(unix)]
mod links;
mod lists;
mod lives;
#[cfg(feature = "management")]
mod management;
mod operations;
mod paging;
mod patient;
#[cfg(feature = "management")]
mod promote;
mod properties;
mod records;
mod report;
mod rows;
mod runtimes;
mod sending;
mod server;
mod throttle;
#[cfg(feature = "rustls")]
mod tls;
#[cfg(feature = "token")]
mod token;
#[cfg(feature = "tracing")]
mod tracing;
mod users;
mod verdicts;
