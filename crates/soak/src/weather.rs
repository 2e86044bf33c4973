//! Makes a hub misbehave while a stream is sent to it.

use std::time::Duration;

use anyhow::{Error, Result};
use rand::{RngExt, rngs::StdRng};
use serde_json::json;
use suprsend_mock::{Fault, Hub};

use crate::share;

/// The faults of a round, one after another.
pub(crate) struct Weather(Vec<Vec<Fault>>);

/// After this number of outcomes the next faults take the place of those before.
const SPELL: u64 = 40;

impl Weather {
    /// No faults.
    pub(crate) fn calm() -> Self {
        Self(Vec::new())
    }

    /// Several spells, each with some kinds of faults at once.
    pub(crate) fn random(random: &mut StdRng) -> Self {
        let spells = random.random_range(1..5);
        Self((0..spells).map(|_| (0..random.random_range(0..3)).map(|_| fault(random)).collect()).collect())
    }

    pub(crate) fn begin(&self, hub: &Hub) -> Result<()> {
        self.turn(hub, 0)
    }

    /// Changes it, if it is time, after this number of outcomes.
    pub(crate) fn change(&self, hub: &Hub, outcomes: u64) -> Result<()> {
        if outcomes.is_multiple_of(SPELL) { self.turn(hub, outcomes / SPELL) } else { Ok(()) }
    }

    fn turn(&self, hub: &Hub, spell: u64) -> Result<()> {
        hub.clear_faults();
        let faults = usize::try_from(spell).ok().and_then(|spell| self.0.get(spell));
        for fault in faults.into_iter().flatten() {
            hub.inject(fault.clone()).map_err(|refused| Error::msg(refused.to_string()))?;
        }
        Ok(())
    }
}

/// Something that passes, for some of the requests or all of them.
fn fault(random: &mut StdRng) -> Fault {
    let fault = match random.random_range(0..12) {
        0 => Fault::status(500),
        1 => Fault::status(503),
        2 => Fault::status(429),
        3 => Fault::status(429).retry_after(Duration::ZERO),
        4 => Fault::status(429).retry_after(Duration::from_secs(1)),
        5 => Fault::status(503).header("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"),
        6 => Fault::status(502).header("content-type", "text/html").body("<html>\u{202e}bad gateway</html>"),
        7 => Fault::reset(),
        8 => Fault::lost(),
        9 => Fault::truncated(),
        // Longer than an attempt may take, and shorter.
        10 => Fault::delay(Duration::from_millis(random.random_range(1..300))),
        // It says yes, and it says it half; or it echoes what was sent.
        _ if random.random_bool(0.5) => Fault::status(200).body("{\"distinct_id\": "),
        _ => Fault::status(500)
            .body(json!({"message": format!("{}: no", crate::TOKEN), "error_code": crate::KEY})),
    };
    fault.share(if random.random_bool(0.2) { 1.0 } else { share(random) })
}
