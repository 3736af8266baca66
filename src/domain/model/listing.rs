//! Rows of one kind, and whether they are all there are: absence is concluded from nothing else.

use super::{Object, ObjectId, Page, PageId};
use crate::domain::text::Shown;

/// Rows that can be found by their id.
pub trait Identified {
    /// The id's type.
    type Id: Copy + Ord;
    /// The row's id.
    fn id(&self) -> Self::Id;
}

/// Rows that one listing may hold. A run holds what it read in several forms, and has to stay small whatever a service
/// sends.
const ROWS_MAX: usize = 2_000_000;
/// Bytes of text in a row that count as ordinary.
const ORDINARY_TEXT: usize = 256;
/// Bytes of text beyond what is ordinary that one listing may hold.
const LONG_TEXT_MAX: usize = 16 << 20;

/// What the rows of one listing weigh so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weight {
    rows: usize,
    /// Bytes of text beyond what is ordinary.
    long_text: usize,
}

impl Weight {
    /// Adds a row with so many bytes of text.
    ///
    /// # Errors
    /// Why no more rows are read.
    pub fn add(&mut self, text: usize) -> Result<(), String> {
        self.rows += 1;
        self.long_text = self.long_text.saturating_add(text.saturating_sub(ORDINARY_TEXT));
        if self.rows <= ROWS_MAX && self.long_text <= LONG_TEXT_MAX {
            return Ok(());
        }
        Err("the listing holds more rows, or longer texts, than can be kept in memory".to_owned())
    }
}

impl Identified for Page {
    type Id = PageId;
    fn id(&self) -> PageId {
        self.id
    }
}

impl Page {
    /// Bytes of text that it holds.
    pub fn text(&self) -> usize {
        self.title.exact().len() + self.values.text()
    }
}

impl Object {
    /// Bytes of text that it holds.
    pub fn text(&self) -> usize {
        self.name.exact().len() + self.values.text()
    }
}

impl Identified for Object {
    type Id = ObjectId;
    fn id(&self) -> ObjectId {
        self.id
    }
}

/// Marks a [`Listing`] that is known to show everything there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Complete(());

/// Marks a [`Listing`] that may lack rows, and says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    /// For people, e.g. `the query stopped at 10,000 rows`.
    pub because: Shown,
}

/// Rows of one kind, sorted by id. Absence can be asked of `Listing<T, Complete>` alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing<T, C = Complete> {
    rows: Vec<T>,
    completeness: C,
}

impl<T: Identified, C> Listing<T, C> {
    /// The rows, sorted by id.
    pub fn rows(&self) -> &[T] {
        &self.rows
    }

    /// The row with this id.
    pub fn get(&self, id: T::Id) -> Option<&T> {
        self.rows.binary_search_by_key(&id, Identified::id).ok().map(|at| &self.rows[at])
    }
}

impl<T, C> Listing<T, C> {
    /// The rows, sorted by id.
    pub fn into_rows(self) -> Vec<T> {
        self.rows
    }
}

impl<T: Identified> Listing<T, Complete> {
    /// True when there is no such row: the one way to conclude that something is absent.
    pub fn lacks(&self, id: T::Id) -> bool {
        self.get(id).is_none()
    }
}

/// What a walk through a service's pages of rows ended with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched<T> {
    /// Everything there is.
    Complete(Listing<T, Complete>),
    /// Perhaps not everything.
    Partial(Listing<T, Partial>),
}

impl<T: Identified> Fetched<T> {
    /// The rows, sorted by id.
    pub fn rows(&self) -> &[T] {
        match self {
            Self::Complete(listing) => listing.rows(),
            Self::Partial(listing) => listing.rows(),
        }
    }

    /// The row with this id.
    pub fn get(&self, id: T::Id) -> Option<&T> {
        match self {
            Self::Complete(listing) => listing.get(id),
            Self::Partial(listing) => listing.get(id),
        }
    }

    /// The listing, if it is known to be complete.
    pub fn complete(&self) -> Option<&Listing<T, Complete>> {
        match self {
            Self::Complete(listing) => Some(listing),
            Self::Partial(_) => None,
        }
    }

    /// Why the listing may lack rows.
    pub fn incomplete_because(&self) -> Option<&Shown> {
        match self {
            Self::Complete(_) => None,
            Self::Partial(listing) => Some(&listing.completeness.because),
        }
    }

    /// Changes rows in place; ids stay.
    pub fn update(&mut self, change: impl FnMut(&mut T)) {
        match self {
            Self::Complete(listing) => listing.rows.iter_mut().for_each(change),
            Self::Partial(listing) => listing.rows.iter_mut().for_each(change),
        }
    }

    /// The same rows with more of them, e.g. pages that were fetched one by one; completeness stays as it was.
    #[must_use]
    pub fn with(self, more: impl IntoIterator<Item = T>) -> Self {
        fn merge<T: Identified, C>(mut listing: Listing<T, C>, more: impl IntoIterator<Item = T>) -> Listing<T, C> {
            listing.rows.extend(more);
            listing.rows.sort_by_key(Identified::id);
            listing.rows.dedup_by_key(|row| row.id());
            listing
        }
        match self {
            Self::Complete(listing) => Self::Complete(merge(listing, more)),
            Self::Partial(listing) => Self::Partial(merge(listing, more)),
        }
    }
}

impl<T: Identified> Default for Fetched<T> {
    fn default() -> Self {
        Walk::default().finish()
    }
}

/// Collects the pages of one listing and judges whether it is whole.
#[derive(Debug)]
pub struct Walk<T> {
    rows: Vec<T>,
    spoiled: Option<Shown>,
}

impl<T> Default for Walk<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), spoiled: None }
    }
}

impl<T: Identified> Walk<T> {
    /// Adds the rows of one page. A row that came before, as when rows moved while we read, is kept once.
    pub fn add(&mut self, rows: impl IntoIterator<Item = T>) {
        self.rows.extend(rows);
    }

    /// Rows so far, repeated ones counted again.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True before the first row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Says that rows may be missing, and why; the first reason stays.
    pub fn spoil(&mut self, because: impl Into<Shown>) {
        self.spoiled.get_or_insert_with(|| because.into());
    }

    /// Ends the walk. Call it only where the service said that there are no more pages; otherwise [`Walk::spoil`] it
    /// first.
    pub fn finish(mut self) -> Fetched<T> {
        // A stable sort would take half as much room again.
        self.rows.sort_unstable_by_key(Identified::id);
        self.rows.dedup_by_key(|row| row.id());
        self.rows.shrink_to_fit();
        match self.spoiled {
            None => Fetched::Complete(Listing { rows: self.rows, completeness: Complete(()) }),
            Some(because) => Fetched::Partial(Listing { rows: self.rows, completeness: Partial { because } }),
        }
    }
}
