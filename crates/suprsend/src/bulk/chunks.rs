//! Splits a source into portions and makes a call for each.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;

use super::packing::Packer;

/// Calls that each cover several items of a source. `weigh` returns the size of an item in the body, in bytes; `call` makes the call for a
/// portion.
pub(crate) struct Chunks<S, T, W, F> {
    /// `None` when it is exhausted.
    source: Option<Pin<Box<S>>>,
    packer: Packer<T>,
    weigh: W,
    call: F,
}

/// The limits of a portion.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portion {
    /// The maximum number of items.
    pub(crate) most: usize,
    /// The maximum size of the body, in bytes.
    pub(crate) limit: usize,
    /// The size of the body without the items, in bytes.
    pub(crate) envelope: usize,
}

impl<S, T, W, F> Chunks<S, T, W, F> {
    pub(crate) fn new(source: S, portion: Portion, weigh: W, call: F) -> Self {
        let packer = Packer::new(portion.most, portion.limit, portion.envelope);
        Self { source: Some(Box::pin(source)), packer, weigh, call }
    }
}

/// Sound because the only pinned data is boxed.
impl<S, T, W, F> Unpin for Chunks<S, T, W, F> {}

impl<S, T, W, F, Made> Stream for Chunks<S, T, W, F>
where
    S: Stream<Item: Into<T>>,
    W: FnMut(&T) -> usize,
    F: FnMut(Vec<T>) -> Made,
{
    type Item = Made;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Made>> {
        let this = self.get_mut();
        while let Some(source) = &mut this.source {
            match source.as_mut().poll_next(context) {
                Poll::Ready(Some(item)) => {
                    let item = item.into();
                    let bytes = (this.weigh)(&item);
                    let before = this.packer.add(item, bytes);
                    let ready = before.or_else(|| this.packer.take_full());
                    if let Some(items) = ready {
                        return Poll::Ready(Some((this.call)(items)));
                    }
                }
                Poll::Ready(None) => this.source = None,
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(this.packer.take().map(|items| (this.call)(items)))
    }
}
