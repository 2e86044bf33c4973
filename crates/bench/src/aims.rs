//! What should hold, as ratios of what was measured in one run.

use crate::{
    contenders::Contender::{
        self, Handwritten, HandwrittenTrigger, Hyper, Node, Python, Sdk, SdkTrigger, UpsertAll,
    },
    results::{Aim, Build, Scale, Upserts, median},
    turns::CONCURRENCIES,
};

/// The ratios, beside what they should be.
pub fn judge(upserts: &[Upserts], scale: &[Scale], builds: &[Build]) -> Vec<Aim> {
    let mut aims = Vec::new();
    for concurrency in CONCURRENCIES {
        let cpu = |one, other| ratio(upserts, concurrency, one, other, Upserts::cpu);
        let throughput = |one, other| ratio(upserts, concurrency, one, other, Upserts::throughput);
        let at = |what: &str| format!("{what}, at {concurrency}");
        aims.extend([
            cpu(Sdk, Handwritten)
                .map(|ratio| Aim::at_most(at("CPU: SDK / hand-written reqwest"), ratio, 1.05)),
            cpu(SdkTrigger, HandwrittenTrigger)
                .map(|ratio| Aim::at_most(at("CPU: a trigger of the SDK / hand-written"), ratio, 1.05)),
            cpu(Sdk, Hyper).map(|ratio| Aim::at_most(at("CPU: SDK / bare hyper"), ratio, 1.50)),
            throughput(UpsertAll, Handwritten)
                .map(|ratio| Aim::at_least(at("throughput: upsert_all / hand-written reqwest"), ratio, 0.95)),
            cpu(Node, Sdk).map(|ratio| Aim::at_least(at("CPU: official Node SDK / SDK"), ratio, 30.0)),
            cpu(Python, Sdk).map(|ratio| Aim::at_least(at("CPU: official Python SDK / SDK"), ratio, 50.0)),
        ]);
    }
    if let (Some(least), Some(most)) = (scale.first(), scale.last()) {
        let what = format!("peak memory: {} users / {} users", most.users, least.users);
        aims.push(Some(Aim::at_most(what, most.peak_mib / least.peak_mib, 1.10)));
        aims.push(Some(Aim::at_most(
            format!("peak memory of {} users, MiB", most.users),
            most.peak_mib,
            64.0,
        )));
    }
    if let [by_hand, sdk, ..] = builds {
        let ratio = sdk.cpu_seconds.zip(by_hand.cpu_seconds).map(|(sdk, by_hand)| sdk / by_hand);
        aims.push(
            ratio.map(|ratio| Aim::at_most("building: suprsend / hand-written, CPU time", ratio, 1.10)),
        );
        #[allow(clippy::cast_precision_loss, reason = "sizes of files")]
        let size = |row: &Build| row.stripped_bytes.map(|bytes| bytes as f64);
        let ratio = size(sdk).zip(size(by_hand)).map(|(sdk, by_hand)| sdk / by_hand);
        aims.push(ratio.map(|ratio| Aim::at_most("binary: suprsend / hand-written, stripped", ratio, 1.15)));
    }
    aims.into_iter().flatten().collect()
}

/// The median of the ratios in each turn, so that what disturbs a turn disturbs both.
fn ratio(
    upserts: &[Upserts],
    concurrency: usize,
    one: Contender,
    other: Contender,
    values: fn(&Upserts) -> Vec<f64>,
) -> Option<f64> {
    let row = |contender| {
        upserts.iter().find(|row| row.contender == contender && row.concurrency == concurrency).map(values)
    };
    Some(median(row(one)?.iter().zip(row(other)?).map(|(one, other)| one / other)))
}

impl Upserts {
    fn cpu(&self) -> Vec<f64> {
        self.samples.iter().map(crate::client::Sample::cpu_us_per_request).collect()
    }

    fn throughput(&self) -> Vec<f64> {
        self.samples.iter().map(crate::client::Sample::requests_per_second).collect()
    }
}
