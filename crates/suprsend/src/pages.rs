//! Paginated lists: single pages, all pages, or all items on them.
//!
//! Sending the call of a list returns one page. [`Pages`] and [`Items`] are streams; with the blocking client they are iterators. They are
//! lazy and keep no more than one page in memory, so a list may be of any length.

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
    /// Limits the number of items of a page. Must be at least 1. The API has its own default and maximum.
    pub fn limit(mut self, items: u32) -> Self {
        if items == 0 {
            self.violations_mut().add("limit", "is zero: a page holds one result at least");
        }
        self.operation_mut().set_limit(items.into());
        self
    }
}

impl<O: CursorPaged, C> Call<O, C> {
    /// Starts after the page with this `meta.after`, to resume where reading stopped.
    pub fn after(mut self, cursor: impl Into<String>) -> Self {
        self.operation_mut().go_to(Position::After(cursor.into()));
        self
    }

    /// Starts before the page with this `meta.before`, and goes backwards from there.
    pub fn before(mut self, cursor: impl Into<String>) -> Self {
        self.operation_mut().go_to(Position::Before(cursor.into()));
        self
    }
}

impl<O: OffsetPaged, C> Call<O, C> {
    /// Skips this number of items at the beginning of the list.
    pub fn offset(mut self, items: u32) -> Self {
        self.operation_mut().go_to(Position::Offset(items.into()));
        self
    }
}

impl<O: Paged, C: AsClient> Call<O, C> {
    /// Returns all pages, starting with the one that the call selects.
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

    /// Returns all items, starting with the page that the call selects.
    pub fn items(self) -> Items<O, C> {
        Items { pages: self.pages(), rest: Vec::new().into_iter() }
    }
}

impl<O: Paged> Call<O> {
    /// Returns one page: the first one, or the one that the call selects. Sending the call does the same.
    ///
    /// # Errors
    ///
    /// The same as for [sending](Self::send) the call.
    pub async fn page(self) -> Result<Response<O::Response>, Error> {
        self.run().await
    }
}

/// Finds out which page an operation selects.
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

/// The pages of a list, one after another, including empty ones. It ends after an error.
#[must_use = "pages are asked for when they are wanted"]
pub struct Pages<O: Paged, C = Client> {
    call: Call<O, C>,
    /// The cursors of the pages that were requested.
    read: HashSet<String>,
    backwards: bool,
    /// The number of items of the list before the requested page.
    offset: i64,
    state: State<Response<O::Response>>,
}

enum State<R> {
    /// Ready to request the next page.
    Ready,
    Waiting(Sending<R>),
    Failed(Error),
    Done,
}

/// The continuation of a list after a page.
enum Next {
    Page(Position),
    End,
    /// The next page was already read.
    Repeated,
    /// The list goes on, but the response does not say where.
    Unknown,
}

impl<O: Paged, C: AsClient> Pages<O, C> {
    /// Processes the result of the current page and determines the next one.
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

    /// Determines what follows a page with this many items.
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

    /// Computes the next offset from the items received, not from those requested: a page may contain fewer.
    fn next_by_offset(&mut self, page: Page<'_>, items: usize) -> Next {
        // A list with cursors ends if the response does not mention another page.
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

    /// Requests the next page, if there is one.
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

/// Sound because the only pinned data is boxed.
impl<O: Paged, C> Unpin for Pages<O, C> {}

impl<O: Paged> Stream for Pages<O> {
    type Item = Result<Response<O::Response>, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_page(context)
    }
}

/// The items on the pages of a list, one after another. It ends after an error.
#[must_use = "pages are asked for when they are wanted"]
pub struct Items<O: Paged, C = Client> {
    pages: Pages<O, C>,
    /// The remaining items of the last page.
    rest: vec::IntoIter<O::Item>,
}

impl<O: Paged, C: AsClient> Items<O, C> {
    /// Returns the next item of the current page, and requests the next page when the current one is exhausted.
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

    /// Makes this the current page.
    pub(crate) fn turn_to(&mut self, page: Response<O::Response>) {
        self.rest = O::into_items(page.into_inner()).into_iter();
    }

    /// Returns the next item of the current page.
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

/// Sound because the only pinned data is boxed.
impl<O: Paged, C> Unpin for Items<O, C> {}

impl<O: Paged> Stream for Items<O> {
    type Item = Result<O::Item, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_item(context)
    }
}

/// Shows the operation's own `Debug` output.
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
