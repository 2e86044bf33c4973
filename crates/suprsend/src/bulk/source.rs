//! Where upserts come from: iterators and streams alike.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;

use crate::{Client, UpsertUser};

/// What [`Users::upsert_all`](crate::users::Users::upsert_all) takes: any iterator or [`Stream`] of upserts.
///
/// `Kind` is there to tell the two apart, and is inferred.
pub trait UpsertSource<Kind> {
    /// The stream that it is made into.
    type Upserts: Stream<Item = UpsertUser<Client>>;

    /// Makes it into a stream.
    fn into_upserts(self) -> Self::Upserts;
}

/// The kind of a source that is a [`Stream`].
#[derive(Debug)]
pub struct Streamed;

impl<S: Stream<Item = UpsertUser<Client>>> UpsertSource<Streamed> for S {
    type Upserts = S;

    fn into_upserts(self) -> S {
        self
    }
}

/// The kind of a source that is an iterator, and the stream that it is made into.
#[derive(Debug)]
pub struct Iterated<I>(I);

impl<I: IntoIterator<Item = UpsertUser<Client>>> UpsertSource<Iterated<I>> for I {
    type Upserts = Iterated<I::IntoIter>;

    fn into_upserts(self) -> Self::Upserts {
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
