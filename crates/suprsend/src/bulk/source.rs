//! Sources of calls: iterators and streams alike.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;

/// A source that [`send_all`](crate::Client::send_all) accepts: any iterator or [`Stream`] of [entries](super::Entry).
///
/// `Kind` distinguishes the two and is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither an iterator nor a stream of calls",
    label = "expected an iterator or a `Stream`",
    note = "pass several calls as an array, a `Vec` or an iterator; a single call is sent by `.await`"
)]
pub trait Source<Kind> {
    /// The type of an item of the source.
    type Entry;
    /// The stream that the source converts to.
    type Stream: Stream<Item = Self::Entry>;

    /// Converts the source to a stream.
    fn into_stream(self) -> Self::Stream;
}

/// A marker for sources that are [`Stream`]s.
#[derive(Debug)]
pub struct Streamed;

impl<S: Stream> Source<Streamed> for S {
    type Entry = S::Item;
    type Stream = S;

    fn into_stream(self) -> S {
        self
    }
}

/// A marker for sources that are iterators, and the stream that such a source converts to.
#[derive(Debug)]
pub struct Iterated<I>(I);

impl<I: IntoIterator> Source<Iterated<I>> for I {
    type Entry = I::Item;
    type Stream = Iterated<I::IntoIter>;

    fn into_stream(self) -> Self::Stream {
        Iterated(self.into_iter())
    }
}

/// Sound because an iterator is not polled, so nothing needs to stay in place.
impl<I> Unpin for Iterated<I> {}

impl<I: Iterator> Stream for Iterated<I> {
    type Item = I::Item;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<I::Item>> {
        Poll::Ready(self.get_mut().0.next())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}
