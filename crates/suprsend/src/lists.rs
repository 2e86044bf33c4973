//! Replacing a whole list, which the OpenAPI document cannot express.

use std::{
    fmt,
    future::IntoFuture,
    sync::{Arc, atomic::Ordering},
};

use futures_core::Stream;
use futures_util::stream::poll_fn;
use suprsend_api::types::SubscriberList;
use tokio::{runtime::Handle, sync::oneshot, task::JoinHandle};

#[cfg(feature = "blocking")]
use crate::blocking;
use crate::{
    bulk::{Chunks, Portion, SendAll, Source},
    call::Sending,
    checks::BODY_BYTES,
    client::{AsClient, Client},
    error::{ConfigError, Error},
    response::Response,
    retry::{self, RetryPolicy},
    values::{self, Id},
};

pub use crate::resources::{Lists, ListsDrafts};

/// The number of users added to a draft in one request. The document declares no limit.
const PORTION: usize = 1000;

impl<C: AsClient> Lists<C> {
    /// Replaces all users of a list with these, atomically.
    ///
    /// Takes any iterator or `Stream` of ids. They are added to a draft, 1000 in a request and several requests at a time. Then the draft
    /// goes live; until then, the old list stays in use. Users that do not exist are skipped. Without any id, the list becomes empty.
    /// Returns the list as it is afterwards.
    ///
    /// If anything fails, or the future is dropped, the draft is deleted and the list stays unchanged. This cannot be guaranteed if the
    /// response to the start of the draft is lost, or if nothing can be sent any more. If the response to the last request is lost, the
    /// call finds out whether the list was replaced. After a drop, a task of the runtime that polled the future deletes the draft.
    ///
    /// ```no_run
    /// # async fn example(client: suprsend::Client, subscribers: Vec<String>) -> Result<(), suprsend::Error> {
    /// let list = client.lists().replace("newsletter", subscribers).await?;
    /// println!("{} users", list.subscribers_count.unwrap_or_default());
    /// # Ok(())
    /// # }
    /// ```
    pub fn replace<Kind, S>(&self, list_id: impl fmt::Display, distinct_ids: S) -> ReplaceList<S::Stream, C>
    where
        S: Source<Kind, Entry: Into<Id>>,
    {
        ReplaceList {
            client: self.client.clone(),
            list_id: values::text(list_id),
            distinct_ids: distinct_ids.into_stream(),
        }
    }
}

/// A replacement of a list, returned by [`Lists::replace`] and ready to be sent. Await it, or use `send`.
#[must_use = "a list is replaced when this is awaited, or by `send`"]
pub struct ReplaceList<S, C = Client> {
    client: C,
    list_id: String,
    distinct_ids: S,
}

impl<S: Stream<Item: Into<Id>>, C: AsClient> ReplaceList<S, C> {
    /// Replaces the list, with a client of either kind.
    async fn run(self) -> Result<Response<SubscriberList>, Error> {
        let Self { client, list_id, distinct_ids } = self;
        let client = client.as_client();
        let draft = Draft::start(client.lists(), list_id).await?;
        let mut distinct_ids = Box::pin(distinct_ids);
        let distinct_ids = poll_fn(move |context| C::polling(|| distinct_ids.as_mut().poll_next(context)));
        match draft.fill(client, distinct_ids).await {
            Ok(()) => draft.finish().await,
            Err(error) => {
                // The first error is reported, not an error of deleting the draft.
                let _ = draft.delete().await;
                Err(error)
            }
        }
    }
}

impl<S: Stream<Item: Into<Id>>> ReplaceList<S> {
    /// Replaces the list. Awaiting this does the same.
    ///
    /// # Errors
    ///
    /// The first error of any of the requests. The draft is then deleted, and the list stays unchanged.
    pub async fn send(self) -> Result<Response<SubscriberList>, Error> {
        self.run().await
    }
}

impl<S: Stream<Item: Into<Id>> + Send + 'static> IntoFuture for ReplaceList<S> {
    type Output = Result<Response<SubscriberList>, Error>;
    type IntoFuture = Sending<Response<SubscriberList>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

#[cfg(feature = "blocking")]
impl<S: Stream<Item: Into<Id>>> ReplaceList<S, blocking::Client> {
    /// Replaces the list and blocks until the result is known.
    ///
    /// # Errors
    ///
    /// The first error of any of the requests. The draft is then deleted, and the list stays unchanged. Inside an async task,
    /// [`Error::Config`].
    pub fn send(self) -> Result<Response<SubscriberList>, Error> {
        let client = self.client.clone();
        client.wait(self.run())?
    }
}

/// Leaves out the ids, which identify people.
impl<S, C> fmt::Debug for ReplaceList<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplaceList").finish_non_exhaustive()
    }
}

/// A draft that is deleted on drop, unless it went live.
struct Draft {
    lists: Lists,
    list_id: String,
    version_id: String,
    runtime: Handle,
}

impl Draft {
    /// Starts a draft in its own task: if the future is dropped, the task still knows which draft to delete.
    async fn start(lists: Lists, list_id: String) -> Result<Self, Error> {
        let missing =
            || ConfigError::new("runtime", "is missing: calls have to be awaited in a tokio runtime");
        let runtime = Handle::try_current().map_err(|_| missing())?;
        let (sender, started) = oneshot::channel();
        let handle = runtime.clone();
        runtime.spawn(async move {
            let draft = lists.drafts(&list_id).start().send().await;
            let draft = draft.map(|draft| {
                let version_id = draft.into_inner().version_id;
                Self { lists, list_id, version_id, runtime: handle }
            });
            // If nobody is waiting any more, this drops the draft.
            drop(sender.send(draft));
        });
        started.await.map_err(|_| missing())?
    }

    fn drafts(&self) -> ListsDrafts {
        self.lists.drafts(&self.list_id)
    }

    async fn fill(&self, client: &Client, distinct_ids: impl Stream<Item: Into<Id>>) -> Result<(), Error> {
        let (drafts, version_id) = (self.drafts(), self.version_id.clone());
        // The member `distinct_ids`, including the braces around it.
        let portion = Portion { most: PORTION, limit: BODY_BYTES, envelope: 32 };
        let weigh = |id: &Id| serde_json::to_string(id.as_str()).map_or(0, |json| json.len());
        let add = move |ids: Vec<Id>| drafts.add(&version_id, ids.into_iter().map(String::from));
        let mut added = SendAll::new(client, Chunks::new(distinct_ids, portion, weigh, add));
        while let Some(outcome) = added.next().await {
            outcome.result?;
        }
        Ok(())
    }

    /// Makes the draft live. If the response to a successful attempt is lost, finds out that it was.
    async fn finish(self) -> Result<Response<SubscriberList>, Error> {
        // The attempts that the API may have processed.
        let uncertain = Arc::default();
        let finish = self.drafts().finish(&self.version_id).count_uncertain(&uncertain);
        let error = match finish.send().await {
            Ok(list) => {
                self.keep();
                return Ok(list);
            }
            Err(error) => error,
        };
        let may_be_live = match &error {
            Error::NotFound(error) => error.may_be_done(),
            Error::UndecodableResponse(_) => true,
            error => {
                let was_processed = !retry::was_not_processed(error);
                // A final refusal says nothing about an attempt before it.
                let earlier = uncertain.load(Ordering::Relaxed) > u32::from(was_processed);
                earlier || (error.is_retryable() && was_processed)
            }
        };
        // Only a single attempt to delete tells anything: a second one may miss what the first has deleted.
        let delete = || self.drafts().delete(&self.version_id).retry(RetryPolicy::off()).send();
        if may_be_live && matches!(delete().await, Err(Error::NotFound(_))) {
            let (list, lists) = (self.list_id.clone(), self.lists.clone());
            self.keep();
            return lists.get(list).send().await;
        }
        // As far as anything can still be sent.
        let _ = self.delete().await;
        Err(error)
    }

    /// Deletes the draft, even if nobody waits for it any more.
    async fn delete(self) -> Result<(), Error> {
        let deleting = self.start_to_delete();
        self.keep();
        // The deletion ends early only if the runtime shuts down.
        deleting.await.unwrap_or(Ok(()))
    }

    fn start_to_delete(&self) -> JoinHandle<Result<(), Error>> {
        let delete = self.drafts().delete(&self.version_id);
        self.runtime.spawn(async move { delete.send().await.map(drop) })
    }

    /// Keeps the draft from being deleted on drop.
    fn keep(mut self) {
        self.version_id.clear();
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.version_id.is_empty() {
            drop(self.start_to_delete());
        }
    }
}
