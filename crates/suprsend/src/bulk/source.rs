//! Where calls come from: iterators and streams alike.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;

/// What [`send_all`](crate::Client::send_all) takes: any iterator or [`Stream`] of [entries](super::Entry).
///
/// `Kind` tells the two apart, and is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither an iterator nor a stream of calls",
    label = "expected an iterator or a `Stream`",
    note = "pass several calls as an array, a `Vec` or an iterator; a single call is sent by `.await`"
)]
pub trait Source<Kind> {
    /// What the source holds.
    type Entry;
    /// The stream that it is made into.
    type Stream: Stream<Item = Self::Entry>;

    /// Makes it into a stream.
    fn into_stream(self) -> Self::Stream;
}

/// The kind of a source that is a [`Stream`].
#[derive(Debug)]
pub struct Streamed;

impl<S: Stream> Source<Streamed> for S {
    type Entry = S::Item;
    type Stream = S;

    fn into_stream(self) -> S {
        self
    }
}

/// The kind of a source that is an iterator, and the stream that it is made into.
#[derive(Debug)]
pub struct Iterated<I>(I);

impl<I: IntoIterator> Source<Iterated<I>> for I {
    type Entry = I::Item;
    type Stream = Iterated<I::IntoIter>;

    fn into_stream(self) -> Self::Stream {
        Iterated(self.into_iter())
    }
}

/// An iterator is not polled, so there is nothing that has to stay where it is.
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
