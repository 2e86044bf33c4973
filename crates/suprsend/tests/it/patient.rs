//! A runtime whose paused clock lets the network catch up: `#[tokio::test(start_paused = true, crate = "crate::patient")]`.
//!
//! A paused clock jumps to the next timer as soon as nothing is to do, and what is on its way between two sockets is nothing that
//! tokio knows of. Linux mostly delivers it before the sender goes on; other systems, and Linux on some settings or under load, a
//! moment later, when the clock has jumped to the end of a timeout.

pub(crate) use tokio::pin;

pub(crate) mod runtime {
    use std::{thread, time::Duration};

    /// How long what was sent may take to arrive, in real time. A test has some dozens of such waits.
    const PATIENCE: Duration = Duration::from_millis(1);

    /// Stands in for tokio's builder where `tokio::test` makes a runtime.
    pub(crate) struct Builder;

    impl Builder {
        pub(crate) fn new_current_thread() -> tokio::runtime::Builder {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            // Before it looks for what has arrived, and lets the clock jump if nothing has.
            builder.on_thread_park(|| thread::sleep(PATIENCE));
            builder
        }
    }
}
