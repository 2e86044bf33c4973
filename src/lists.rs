//! Lists that come a page at a time, whatever is in them.

use crate::types::{
    CursorMeta, ListSubscription, ListSubscriptionList, ObjectSubscription, ObjectSubscriptionList, User,
    UserList,
};

/// A page of a list whose next page is asked for with a cursor.
pub trait CursorList {
    /// What the list is of.
    type Item;

    /// Where the page stands in the list.
    fn meta(&self) -> &CursorMeta;

    /// What is on the page; it may be nothing, even if there are further pages.
    fn results(&self) -> &[Self::Item];

    /// What is on the page.
    fn into_results(self) -> Vec<Self::Item>;
}

macro_rules! cursor_lists {
    ($($list:ident of $item:ident),* $(,)?) => {
        $(impl CursorList for $list {
            type Item = $item;

            fn meta(&self) -> &CursorMeta {
                &self.meta
            }

            fn results(&self) -> &[$item] {
                &self.results
            }

            fn into_results(self) -> Vec<$item> {
                self.results
            }
        })*
    };
}

cursor_lists! {
    UserList of User,
    ObjectSubscriptionList of ObjectSubscription,
    ListSubscriptionList of ListSubscription,
}
