//! Lists that come a page at a time: single pages, all pages, or all that is on them.
//!
//! Sending the call of a list returns one page. [`Pages`] and [`Items`] are streams; with the blocking client they are iterators. They
//! ask for a page when it is wanted and keep no more than one, so a list may be of any length.

use std::{
    collections::HashSet,
    fmt,
    future::poll_fn,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
    vec,
};

use futures_core::Stream;
use serde::Serialize;
use suprsend_api::{CursorPaged, Inspector, OffsetPaged, Page, Paged, Parameter, Position, rules::Schema};

use crate::{
    call::{Call, Sending},
    client::{AsClient, Client},
    error::{Error, PagingError},
    response::Response,
};

impl<O: Paged, C> Call<O, C> {
    /// Limits the number of items of a page, to at least 1. The API has a default and a greatest number of its own.
    pub fn limit(mut self, items: u32) -> Self {
        if items == 0 {
            self.violations_mut().add("limit", "is zero: a page holds one result at least");
        }
        self.operation_mut().set_limit(items.into());
        self
    }
}

impl<O: CursorPaged, C> Call<O, C> {
    /// Begins after the page whose `meta.after` this is, to go on where reading stopped.
    pub fn after(mut self, cursor: impl Into<String>) -> Self {
        self.operation_mut().go_to(Position::After(cursor.into()));
        self
    }

    /// Begins before the page whose `meta.before` this is, and goes backwards from there.
    pub fn before(mut self, cursor: impl Into<String>) -> Self {
        self.operation_mut().go_to(Position::Before(cursor.into()));
        self
    }
}

impl<O: OffsetPaged, C> Call<O, C> {
    /// Leaves out this number of items at the beginning of the list.
    pub fn offset(mut self, items: u32) -> Self {
        self.operation_mut().go_to(Position::Offset(items.into()));
        self
    }
}

impl<O: Paged, C: AsClient> Call<O, C> {
    /// Returns all pages, from the one on that the call is for.
    pub fn pages(self) -> Pages<O, C> {
        let mut start = Start::default();
        self.operation().inspect(&mut start);
        Pages {
            call: self,
            read: start.cursor.into_iter().collect(),
            backwards: start.backwards,
            offset: start.offset,
            state: State::Ready,
        }
    }

    /// Returns all items, from the page on that the call is for.
    pub fn items(self) -> Items<O, C> {
        Items { pages: self.pages(), rest: Vec::new().into_iter() }
    }
}

impl<O: Paged> Call<O> {
    /// Returns one page: the first one, or the one that the call is for. Sending the call does the same.
    ///
    /// # Errors
    ///
    /// The same as for [sending](Self::send) the call.
    pub async fn page(self) -> Result<Response<O::Response>, Error> {
        self.run().await
    }
}

/// Finds out which page an operation asks for.
#[derive(Default)]
struct Start {
    cursor: Option<String>,
    backwards: bool,
    offset: i64,
}

impl Inspector for Start {
    fn parameter<T: Serialize + ?Sized>(&mut self, parameter: &'static Parameter, value: &T) {
        let text = || Some(serde_json::to_value(value).ok()?.as_str()?.to_owned());
        match parameter.name {
            "after" => self.cursor = text(),
            "before" => (self.cursor, self.backwards) = (text(), true),
            "offset" => {
                self.offset =
                    serde_json::to_value(value).ok().and_then(|value| value.as_i64()).unwrap_or_default();
            }
            _ => {}
        }
    }

    fn body<T: Serialize + ?Sized>(&mut self, _: &'static Schema, _: &T) {}
}

/// The pages of a list, one after another, empty ones included. After an error there are none.
#[must_use = "pages are asked for when they are wanted"]
pub struct Pages<O: Paged, C = Client> {
    call: Call<O, C>,
    /// The cursors of the pages that were asked for.
    read: HashSet<String>,
    backwards: bool,
    /// How many items of the list come before the page that is asked for.
    offset: i64,
    state: State<Response<O::Response>>,
}

enum State<R> {
    /// For the next page.
    Ready,
    Waiting(Sending<R>),
    Failed(Error),
    Done,
}

/// What comes after a page.
enum Next {
    Page(Position),
    End,
    /// The page is one that was read already.
    Repeated,
    /// The list goes on, and nobody says where.
    Unknown,
}

impl<O: Paged, C: AsClient> Pages<O, C> {
    /// Takes what came for the page that was asked for, and finds out where the next one is.
    fn arrived(
        &mut self,
        result: Result<Response<O::Response>, Error>,
    ) -> Result<Response<O::Response>, Error> {
        let page = result?;
        let next = self.next_of(O::page(&page), O::items(&page).len());
        self.state = match next {
            Next::Page(position) => {
                self.call.operation_mut().go_to(position);
                State::Ready
            }
            Next::End => State::Done,
            Next::Repeated => State::Failed(PagingError::repeated(page.request_id()).into()),
            Next::Unknown => State::Failed(PagingError::without_cursor(page.request_id()).into()),
        };
        Ok(page)
    }

    /// Finds out what comes after a page with this many items.
    fn next_of(&mut self, page: Page<'_>, items: usize) -> Next {
        let (goes_on, cursor) =
            if self.backwards { (page.has_prev, page.before) } else { (page.has_next, page.after) };
        match (goes_on, cursor.filter(|cursor| !cursor.is_empty())) {
            (Some(false), _) => Next::End,
            (_, Some(cursor)) if !self.read.insert(cursor.to_owned()) => Next::Repeated,
            (_, Some(cursor)) if self.backwards => Next::Page(Position::Before(cursor.to_owned())),
            (_, Some(cursor)) => Next::Page(Position::After(cursor.to_owned())),
            (Some(true), None) => Next::Unknown,
            (None, None) => self.next_by_offset(page, items),
        }
    }

    /// An offset is what it is by the items that came, not by those that were asked for: a page may hold fewer.
    fn next_by_offset(&mut self, page: Page<'_>, items: usize) -> Next {
        // A list by cursors that says nothing is at its end.
        let is_by_offset = page.offset.is_some() || (page.count.is_some() && page.limit.is_some());
        if !is_by_offset || items == 0 {
            return Next::End;
        }
        if page.offset.is_some_and(|offset| offset != self.offset) {
            return Next::Repeated;
        }
        self.offset = self.offset.saturating_add(i64::try_from(items).unwrap_or(i64::MAX));
        if page.count.is_some_and(|count| self.offset >= count) {
            return Next::End;
        }
        Next::Page(Position::Offset(self.offset))
    }

    /// Asks for the next page, if there is one.
    pub(crate) fn poll_page(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Response<O::Response>, Error>>> {
        loop {
            match mem::replace(&mut self.state, State::Done) {
                State::Ready => {
                    self.state = State::Waiting(Box::pin(self.call.clone().run()));
                }
                State::Waiting(mut page) => {
                    let Poll::Ready(result) = page.as_mut().poll(context) else {
                        self.state = State::Waiting(page);
                        return Poll::Pending;
                    };
                    return Poll::Ready(Some(self.arrived(result)));
                }
                State::Failed(error) => return Poll::Ready(Some(Err(error))),
                State::Done => return Poll::Ready(None),
            }
        }
    }

    /// Returns whether there are no more pages.
    #[cfg(feature = "blocking")]
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Ends the list.
    #[cfg(feature = "blocking")]
    pub(crate) fn end(&mut self) {
        self.state = State::Done;
    }

    #[cfg(feature = "blocking")]
    pub(crate) fn client(&self) -> &C {
        self.call.client()
    }
}

impl<O: Paged> Pages<O> {
    /// Returns the next page. Cancel safe: if the future is dropped, the next call resumes where it left off.
    pub async fn next(&mut self) -> Option<Result<Response<O::Response>, Error>> {
        poll_fn(|context| self.poll_page(context)).await
    }
}

/// Nothing in it is pinned but what is in a box.
impl<O: Paged, C> Unpin for Pages<O, C> {}

impl<O: Paged> Stream for Pages<O> {
    type Item = Result<Response<O::Response>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_page(context)
    }
}

/// What is on the pages of a list, one after another. After an error there is nothing.
#[must_use = "pages are asked for when they are wanted"]
pub struct Items<O: Paged, C = Client> {
    pages: Pages<O, C>,
    /// What is left of the last page.
    rest: vec::IntoIter<O::Item>,
}

impl<O: Paged, C: AsClient> Items<O, C> {
    /// Returns the next item of the page at hand, and asks for the next page where that has none.
    pub(crate) fn poll_item(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<O::Item, Error>>> {
        loop {
            if let Some(item) = self.rest.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(self.pages.poll_page(context)) {
                Some(Ok(page)) => self.turn_to(page),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }

    /// Makes this the page at hand.
    pub(crate) fn turn_to(&mut self, page: Response<O::Response>) {
        self.rest = O::into_items(page.into_inner()).into_iter();
    }

    /// Returns the next item of the page at hand.
    #[cfg(feature = "blocking")]
    pub(crate) fn at_hand(&mut self) -> Option<O::Item> {
        self.rest.next()
    }

    #[cfg(feature = "blocking")]
    pub(crate) fn pages_mut(&mut self) -> &mut Pages<O, C> {
        &mut self.pages
    }
}

impl<O: Paged> Items<O> {
    /// Returns the next item. Cancel safe: if the future is dropped, the next call resumes where it left off.
    pub async fn next(&mut self) -> Option<Result<O::Item, Error>> {
        poll_fn(|context| self.poll_item(context)).await
    }
}

/// Nothing in it is pinned but what is in a box.
impl<O: Paged, C> Unpin for Items<O, C> {}

impl<O: Paged> Stream for Items<O> {
    type Item = Result<O::Item, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_item(context)
    }
}

/// Shows of its operation what that shows of itself.
impl<O: Paged + fmt::Debug, C> fmt::Debug for Pages<O, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("operation", self.call.operation()).finish_non_exhaustive()
    }
}

impl<O: Paged + fmt::Debug, C> fmt::Debug for Items<O, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("operation", self.pages.call.operation()).finish_non_exhaustive()
    }
}
