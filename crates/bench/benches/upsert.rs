//! What one upsert takes apart from sending it, with the allocations counted: `cargo bench -p suprsend-bench`.

use divan::{AllocProfiler, Bencher, black_box};
use serde_json::Value;
use suprsend::{
    Client,
    types::{SlackChannel, User as Profile},
    users::UpsertUser,
};
use suprsend_bench::{contenders::handwritten, contenders::sdk, server, workload::User};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// A client that sends nothing.
fn client() -> Client {
    sdk::client("http://127.0.0.1:9").expect("the settings are right")
}

fn usual(client: &Client) -> UpsertUser<Client> {
    sdk::upsert(client, User::new(1))
}

/// With a channel that has variants, which cannot be checked the quick way.
fn with_slack(client: &Client) -> UpsertUser<Client> {
    usual(client).slack(SlackChannel::email("jane@example.com", "xoxb-token"))
}

#[divan::bench]
fn build(bencher: Bencher) {
    let client = client();
    bencher.with_inputs(|| User::new(1)).bench_values(|user| sdk::upsert(&client, user));
}

#[divan::bench]
fn check(bencher: Bencher) {
    let upsert = usual(&client());
    bencher.bench(|| black_box(&upsert).check());
}

#[divan::bench]
fn check_with_slack(bencher: Bencher) {
    let upsert = with_slack(&client());
    bencher.bench(|| black_box(&upsert).check());
}

#[divan::bench]
fn serialize(bencher: Bencher) {
    let upsert = usual(&client());
    bencher.bench(|| serde_json::to_vec(black_box(&upsert)));
}

#[divan::bench]
fn serialize_with_slack(bencher: Bencher) {
    let upsert = with_slack(&client());
    bencher.bench(|| serde_json::to_vec(black_box(&upsert)));
}

/// The response that the benchmark's server gives, as each of these types.
#[divan::bench(types = [Profile, handwritten::Profile, Value])]
fn decode<T: serde::de::DeserializeOwned>(bencher: Bencher) {
    let response = server::example().expect("the document has an example");
    bencher.bench(|| {
        serde_json::from_str::<T>(black_box(&response)).expect("the response is what it should be")
    });
}
