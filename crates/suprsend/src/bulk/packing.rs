//! Packs several items into one request, within the limits of a request.

use std::mem;

/// Groups items into packs, in their order. A pack exceeds neither its maximum number of items nor its maximum size.
#[derive(Debug)]
pub(super) struct Packer<T> {
    /// The maximum number of items in a pack.
    most: usize,
    /// The maximum size of a pack in bytes: its items, and the commas between them.
    room: usize,
    items: Vec<T>,
    bytes: usize,
}

impl<T> Packer<T> {
    /// Creates packs for a list in a body of at most `limit` bytes, `envelope` of which surround the items.
    pub(super) fn new(most: usize, limit: usize, envelope: usize) -> Self {
        Self { most: most.max(1), room: limit.saturating_sub(envelope), items: Vec::new(), bytes: 0 }
    }

    /// Returns whether an item of this size fits into the open pack.
    pub(super) fn fits(&self, bytes: usize) -> bool {
        self.items.is_empty() || (self.items.len() < self.most && self.bytes + 1 + bytes <= self.room)
    }

    /// Adds an item of this size, which must be within the limit by itself. If it does not fit into the open pack, closes that pack and
    /// returns it.
    pub(super) fn add(&mut self, item: T, bytes: usize) -> Option<Vec<T>> {
        let before = if self.fits(bytes) { None } else { self.take() };
        self.bytes += if self.items.is_empty() { bytes } else { bytes + 1 };
        self.items.push(item);
        before
    }

    /// Closes the pack if no further item fits, however small.
    pub(super) fn take_full(&mut self) -> Option<Vec<T>> {
        if self.items.len() >= self.most { self.take() } else { None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Closes the pack if it is not empty.
    pub(super) fn take(&mut self) -> Option<Vec<T>> {
        self.bytes = 0;
        let items = mem::take(&mut self.items);
        (!items.is_empty()).then_some(items)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_pack_is_over_a_limit_and_no_item_is_lost_or_moved(
            most in 1_usize..12,
            sizes in prop::collection::vec(0_usize..60, 0..200),
        ) {
            const LIMIT: usize = 100;
            const ENVELOPE: usize = 10;
            let mut packer = Packer::new(most, LIMIT, ENVELOPE);
            let mut packs = Vec::new();
            for (index, size) in sizes.iter().enumerate() {
                packs.extend(packer.add((index, *size), *size));
                packs.extend(packer.take_full());
            }
            packs.extend(packer.take());
            prop_assert!(packer.is_empty());

            for pack in &packs {
                let bytes: usize = pack.iter().map(|(_, size)| size).sum();
                prop_assert!(!pack.is_empty() && pack.len() <= most);
                prop_assert!(bytes + pack.len() - 1 + ENVELOPE <= LIMIT);
            }
            // No pack had room for the first item of the next.
            for pair in packs.windows(2) {
                let bytes: usize = pair[0].iter().map(|(_, size)| size + 1).sum();
                prop_assert!(pair[0].len() == most || bytes + pair[1][0].1 + ENVELOPE > LIMIT);
            }
            let order: Vec<_> = packs.concat().into_iter().map(|(index, _)| index).collect();
            prop_assert_eq!(order, (0..sizes.len()).collect::<Vec<_>>());
        }
    }
}
