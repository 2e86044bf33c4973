//! Lists that come a page at a time: single pages, all pages, or all that is on them.
//!
//! [`Pages`] and [`Items`] are streams; with the blocking client they are iterators. They ask for a page when it is wanted and keep
//! no more than one, so a list may be of any length.

use std::{
    collections::HashSet,
    fmt,
    future::{Future, poll_fn},
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    vec,
};

use futures_core::Stream;
use suprsend_api::CursorList;

use crate::{
    Client, Error, Response,
    call::{Options, option_methods},
    error::{PagingError, Violations},
    pending::Sending,
};

/// Which page is asked for.
#[derive(Clone, Default)]
pub(crate) struct Query {
    pub(crate) limit: Option<u32>,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

impl Query {
    fn cursor(&self) -> Option<&String> {
        self.before.as_ref().or(self.after.as_ref())
    }
}

/// A list that is read a page at a time; `L` is a page of it.
#[derive(Clone)]
#[must_use = "a list is read by `page`, `pages` or `items`"]
pub struct List<C, L> {
    client: C,
    options: Options,
    violations: Violations,
    query: Query,
    fetch: Arc<dyn Fn(Client, Options, Query) -> Sending<Response<L>> + Send + Sync>,
}

impl<C, L> List<C, L> {
    pub(crate) fn new<F>(
        client: C,
        violations: Violations,
        fetch: impl Fn(Client, Options, Query) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Response<L>, Error>> + Send + 'static,
    {
        let fetch = Arc::new(move |client, options, query| {
            Box::pin(fetch(client, options, query)) as Sending<Response<L>>
        });
        Self { client, options: Options::default(), violations, query: Query::default(), fetch }
    }

    /// How many results a page holds at most, at least 1. The API has a default and a greatest number of its own.
    pub fn limit(mut self, results: u32) -> Self {
        if results == 0 {
            self.violations.add("limit", "is zero: a page holds one result at least");
        }
        self.query.limit = Some(results);
        self
    }

    /// Begins after the page whose `meta.after` this is, to go on where reading stopped.
    pub fn after(mut self, cursor: impl Into<String>) -> Self {
        (self.query.after, self.query.before) = (Some(cursor.into()), None);
        self
    }

    /// Begins before the page whose `meta.before` this is, and goes backwards from there.
    pub fn before(mut self, cursor: impl Into<String>) -> Self {
        (self.query.after, self.query.before) = (None, Some(cursor.into()));
        self
    }

    option_methods!(options, violations);

    /// All pages from here on.
    pub fn pages(self) -> Pages<C, L> {
        Pages { list: self, read: HashSet::new(), state: State::Ready }
    }

    /// All that is on the pages from here on.
    pub fn items(self) -> Items<C, L>
    where
        L: CursorList,
    {
        Items { pages: self.pages(), rest: Vec::new().into_iter() }
    }

    fn fetch(&self, client: &Client) -> Sending<Response<L>>
    where
        L: 'static,
    {
        match self.violations.clone().finish() {
            Ok(()) => (self.fetch)(client.clone(), self.options.clone(), self.query.clone()),
            Err(error) => Box::pin(async { Err(error.into()) }),
        }
    }
}

impl<L: 'static> List<Client, L> {
    /// One page: the first one, or the one that [`after`](Self::after) or [`before`](Self::before) asks for.
    pub async fn page(self) -> Result<Response<L>, Error> {
        self.fetch(&self.client).await
    }
}

#[cfg(feature = "blocking")]
impl<L: 'static> List<crate::blocking::Client, L> {
    /// One page: the first one, or the one that [`after`](Self::after) or [`before`](Self::before) asks for.
    pub fn page(self) -> Result<Response<L>, Error> {
        self.client.wait(self.fetch(self.client.inner()))
    }
}

/// The pages of a list, one after another, empty ones included. After an error there are none.
#[must_use = "pages are asked for when they are wanted"]
pub struct Pages<C, L> {
    list: List<C, L>,
    /// The cursors of the pages that were asked for.
    read: HashSet<String>,
    state: State<L>,
}

enum State<L> {
    /// For the next page.
    Ready,
    Waiting(Sending<Response<L>>),
    Failed(Error),
    Done,
}

impl<C, L: CursorList> Pages<C, L> {
    /// Takes what came for the page that was asked for, and finds out where the next one is.
    fn arrived(&mut self, result: Result<Response<L>, Error>) -> Result<Response<L>, Error> {
        let page = result?;
        let (meta, query) = (page.meta(), &mut self.list.query);
        self.read.extend(query.cursor().cloned());
        let (goes_on, cursor, next) = match query.before {
            Some(_) => (meta.has_prev, &meta.before, &mut query.before),
            None => (meta.has_next, &meta.after, &mut query.after),
        };
        let cursor = cursor.as_ref().filter(|cursor| !cursor.is_empty());
        self.state = match (goes_on, cursor) {
            (Some(false), _) | (None, None) => State::Done,
            (_, Some(cursor)) if self.read.contains(cursor) => {
                State::Failed(PagingError::repeated(page.request_id()).into())
            }
            (_, Some(cursor)) => {
                *next = Some(cursor.clone());
                State::Ready
            }
            (Some(true), None) => State::Failed(PagingError::without_cursor(page.request_id()).into()),
        };
        Ok(page)
    }

    fn poll_with(
        &mut self,
        client: impl Fn(&C) -> &Client,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Response<L>, Error>>>
    where
        L: 'static,
    {
        loop {
            match mem::replace(&mut self.state, State::Done) {
                State::Ready => self.state = State::Waiting(self.list.fetch(client(&self.list.client))),
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
}

impl<L: CursorList + 'static> Pages<Client, L> {
    /// The next page. To stop waiting for it does no harm: the next call goes on waiting.
    pub async fn next(&mut self) -> Option<Result<Response<L>, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<L: CursorList + 'static> Stream for Pages<Client, L> {
    type Item = Result<Response<L>, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_with(|client| client, context)
    }
}

#[cfg(feature = "blocking")]
impl<L: CursorList + 'static> Iterator for Pages<crate::blocking::Client, L> {
    type Item = Result<Response<L>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if matches!(self.state, State::Done) {
            return None;
        }
        let client = self.list.client.clone();
        let page = poll_fn(|context| {
            self.poll_with(crate::blocking::Client::inner, context)
                .map(|page| Ok::<_, Error>(page.transpose()))
        });
        match client.wait(page) {
            Ok(page) => page.transpose(),
            // Nothing was asked for, because it cannot be waited for here.
            Err(error) => {
                self.state = State::Done;
                Some(Err(error))
            }
        }
    }
}

/// What is on the pages of a list, one after another. After an error there is nothing.
#[must_use = "pages are asked for when they are wanted"]
pub struct Items<C, L: CursorList> {
    pages: Pages<C, L>,
    /// What is left of the last page.
    rest: vec::IntoIter<L::Item>,
}

impl<L> Items<Client, L>
where
    L: CursorList<Item: Unpin> + 'static,
{
    /// The next item. To stop waiting for it does no harm: the next call goes on waiting.
    pub async fn next(&mut self) -> Option<Result<L::Item, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<L> Stream for Items<Client, L>
where
    L: CursorList<Item: Unpin> + 'static,
{
    type Item = Result<L::Item, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(item) = self.rest.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(Pin::new(&mut self.pages).poll_next(context)) {
                Some(Ok(page)) => self.rest = page.into_inner().into_results().into_iter(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

#[cfg(feature = "blocking")]
impl<L: CursorList + 'static> Iterator for Items<crate::blocking::Client, L> {
    type Item = Result<L::Item, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.rest.next() {
                return Some(Ok(item));
            }
            match self.pages.next()? {
                Ok(page) => self.rest = page.into_inner().into_results().into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// Leaves out whose list it is.
impl<C, L> fmt::Debug for List<C, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List").field("limit", &self.query.limit).finish_non_exhaustive()
    }
}

impl<C, L> fmt::Debug for Pages<C, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("list", &self.list).finish_non_exhaustive()
    }
}

impl<C, L: CursorList> fmt::Debug for Items<C, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("list", &self.pages.list).finish_non_exhaustive()
    }
}
