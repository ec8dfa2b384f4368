//! Typed indices of alerts, scopes, incidents and groups, and the lists that they index.
//!
//! An index is a `NonZeroU32`, so an `Option` of it takes 4 bytes as well.

use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::ops::{Deref, Index, IndexMut};

/// A position in an [`IndexedList`].
pub(crate) trait ListIndex: Copy {
    fn new(position: usize) -> Self;
    fn position(self) -> usize;
}

macro_rules! list_index {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(NonZeroU32);

        impl ListIndex for $name {
            fn new(position: usize) -> Self {
                Self(NonZeroU32::MIN.saturating_add(position as u32))
            }

            fn position(self) -> usize {
                self.0.get() as usize - 1
            }
        }
    )*};
}

list_index! {
    /// An alert of an [`Evaluation`](super::Evaluation).
    AlertIx;
    /// A scope in [`Scopes`](super::scopes::Scopes).
    ScopeIx;
    /// An incident of an [`Evaluation`](super::Evaluation), in the order of the report.
    IncidentIx;
    /// A group of an [`Evaluation`](super::Evaluation), in the order of the report.
    GroupIx;
}

impl ScopeIx {
    /// The index as bytes, for keys.
    pub(super) fn bytes(self) -> [u8; 4] {
        self.0.get().to_le_bytes()
    }
}

/// A list that is indexed by one type of index.
#[derive(Debug)]
pub(crate) struct IndexedList<I, T>(Vec<T>, PhantomData<I>);

impl<I: ListIndex, T> IndexedList<I, T> {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity), PhantomData)
    }

    pub(crate) fn push(&mut self, item: T) {
        self.0.push(item);
    }

    /// All indices in ascending order.
    pub(crate) fn indices(&self) -> impl ExactSizeIterator<Item = I> + use<I, T> {
        indices(self.0.len())
    }

    /// All items with their indices.
    pub(crate) fn enumerate(&self) -> impl Iterator<Item = (I, &T)> {
        self.0.iter().enumerate().map(|(position, item)| (I::new(position), item))
    }

    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.0.iter_mut()
    }
}

/// The first `len` indices.
pub(crate) fn indices<I: ListIndex>(len: usize) -> impl ExactSizeIterator<Item = I> {
    (0..len).map(I::new)
}

impl<I, T> From<Vec<T>> for IndexedList<I, T> {
    fn from(items: Vec<T>) -> Self {
        Self(items, PhantomData)
    }
}

impl<I, T> Default for IndexedList<I, T> {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl<I, T> Deref for IndexedList<I, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<I: ListIndex, T> Index<I> for IndexedList<I, T> {
    type Output = T;

    fn index(&self, index: I) -> &T {
        &self.0[index.position()]
    }
}

impl<I: ListIndex, T> IndexMut<I> for IndexedList<I, T> {
    fn index_mut(&mut self, index: I) -> &mut T {
        &mut self.0[index.position()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_optional_index_takes_four_bytes() {
        assert_eq!(size_of::<Option<AlertIx>>(), 4);
    }

    #[test]
    fn a_list_is_indexed_by_its_indices() {
        let list: IndexedList<ScopeIx, char> = vec!['a', 'b'].into();
        let found: Vec<char> = list.indices().map(|at| list[at]).collect();
        assert_eq!(found, ['a', 'b']);
        assert!(list.enumerate().all(|(at, item)| list[at] == *item));
    }
}
