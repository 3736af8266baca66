//! How many rows of a listing are asked for at once: what the answers before were like decides it.

use std::time::Duration;

/// Rows that can be asked for at once. Each divides those after it, but for the last: pages are counted in units of
/// their size, so from wherever a listing has come to, one of these goes on without showing a row again.
const SIZES: [usize; 10] = [1, 5, 25, 125, 250, 500, 1000, 2000, 4000, SIZE_MAX];
/// The most that Clockify gives (Clockify help, "How to retrieve more than 50 results via API").
pub(super) const SIZE_MAX: usize = 5000;
/// Where rows carry others along, nobody knows how much one of them holds.
pub(super) const SIZE_CARRYING: usize = 500;
/// How long an answer may take before the next is asked to be smaller.
const SLOW: Duration = Duration::from_secs(20);
/// How long an answer may take so that the next may be larger.
const QUICK: Duration = Duration::from_secs(8);

/// Where a listing is, and how much of it is asked for next.
#[derive(Debug)]
pub(super) struct Paging {
    /// Rows that were asked for so far.
    offset: usize,
    /// Rows that seem right for one answer.
    wanted: usize,
    /// The size of all pages so far, where they had one.
    only: Option<usize>,
    /// Bytes that one answer may have.
    bytes_max: usize,
    /// True once the service gave less than was asked for, so that what it counts by is not known.
    pinned: bool,
}

impl Paging {
    pub(super) fn new(first: usize, bytes_max: usize) -> Self {
        Self { offset: 0, wanted: first, only: None, bytes_max, pinned: false }
    }

    /// The size of the next page: the largest that goes on from here.
    pub(super) fn size(&self) -> usize {
        let fits = |size: &usize| *size <= self.wanted && self.offset.is_multiple_of(*size);
        SIZES.into_iter().rev().find(fits).unwrap_or(1)
    }

    /// The number of the next page.
    pub(super) fn number(&self) -> usize {
        self.offset / self.size() + 1
    }

    /// Asks for less in place of a page that was too large. False where there is no less.
    pub(super) fn shrink(&mut self) -> bool {
        // Nobody knows by how much it was too large, and each attempt downloads a lot.
        let part = (self.size() / 4).max(1);
        match SIZES.into_iter().rev().find(|size| *size <= part && *size < self.size()) {
            Some(smaller) if !self.pinned => self.wanted = smaller,
            _ => return false,
        }
        true
    }

    /// Goes on after a page with so many rows and bytes. False where nobody can tell any more what the next page shows:
    /// the service gives fewer rows than were asked for, and sizes have changed before.
    pub(super) fn advance(&mut self, rows: usize, bytes: usize, took: Duration) -> bool {
        let size = self.size();
        self.pinned |= rows < size;
        let is_only = self.only.is_none_or(|only| only == size) && (self.offset == 0 || self.only.is_some());
        self.only = is_only.then_some(size);
        self.offset += size;
        if self.pinned {
            self.wanted = size;
            return is_only;
        }
        if bytes > self.bytes_max / 4 * 3 || took > SLOW {
            self.wanted = (size / 2).max(1);
        } else if bytes <= self.bytes_max / 6 && took <= QUICK {
            // The next size may be five times this one.
            self.wanted = SIZES.into_iter().find(|larger| *larger > size).unwrap_or(size);
        } else {
            self.wanted = size;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_TIME: Duration = Duration::ZERO;

    /// Walks through so many rows that weigh so much, and says which pages it took.
    fn pages(first: usize, rows: usize, row_bytes: usize, bytes_max: usize) -> Vec<(usize, usize)> {
        let (mut paging, mut pages, mut read) = (Paging::new(first, bytes_max), Vec::new(), 0);
        while read < rows {
            let (size, number) = (paging.size(), paging.number());
            assert_eq!((number - 1) * size, read, "no row twice, and none left out");
            pages.push((number, size));
            if size * row_bytes > bytes_max {
                assert!(paging.shrink());
                continue;
            }
            read += size;
            assert!(paging.advance(size, size * row_bytes, NO_TIME));
        }
        pages
    }

    #[test]
    fn pages_grow_while_they_are_light_and_never_show_a_row_twice() {
        assert_eq!(pages(500, 500, 300, 24 << 20), [(1, 500)]);
        let grown = [(1, 500), (2, 500), (2, 1000), (2, 2000), (2, 4000), (3, 4000)];
        assert_eq!(pages(500, 9000, 300, 24 << 20), grown);
        assert_eq!(pages(5000, 12_000, 300, 24 << 20), [(1, 5000), (2, 5000), (3, 5000)]);
    }

    #[test]
    fn a_page_that_is_too_large_is_asked_for_in_parts_from_where_it_began() {
        let light_first = pages(5000, 6000, 8 << 10, 24 << 20);
        assert_eq!(light_first, [(1, 5000), (1, 1000), (2, 1000), (3, 1000), (4, 1000), (5, 1000), (6, 1000)]);
        let heavy: Vec<usize> = pages(500, 3, 20 << 20, 24 << 20).into_iter().map(|(_, size)| size).collect();
        assert_eq!(heavy, [500, 125, 25, 5, 1, 1, 1]);
    }

    #[test]
    fn the_smallest_page_has_no_smaller_one() {
        let mut paging = Paging::new(5, 24 << 20);
        assert!(paging.shrink() && !paging.shrink());
    }

    #[test]
    fn a_slow_answer_makes_the_next_smaller() {
        let mut paging = Paging::new(500, 24 << 20);
        assert!(paging.advance(500, 1000, Duration::from_secs(30)));
        assert_eq!((paging.number(), paging.size()), (3, 250));
    }

    #[test]
    fn where_the_service_gives_less_than_was_asked_for_pages_keep_their_size() {
        let mut paging = Paging::new(500, 24 << 20);
        assert!(paging.advance(200, 1000, NO_TIME) && paging.advance(200, 1000, NO_TIME));
        assert_eq!((paging.number(), paging.size(), paging.shrink()), (3, 500, false));
        let mut paging = Paging::new(500, 24 << 20);
        assert!(paging.advance(500, 1000, NO_TIME) && paging.advance(500, 1000, NO_TIME));
        assert_eq!(paging.size(), 1000);
        assert!(!paging.advance(700, 1000, NO_TIME), "what it counts by is not known");
    }
}
