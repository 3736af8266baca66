//! Reading a large data source in lanes, each through the pages of a stretch of creation times, which no edit moves.
//!
//! Where lanes meet is kept of the last reading. Any such times part all pages in the same way, whatever was created or
//! deleted since: what has changed only makes lanes longer or shorter.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The most lanes of a data source: the budget of requests is what limits more.
const LANES_MAX: usize = 4;

/// Where one lane ends and the next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seam {
    /// When the newest page was created before it.
    pub newest_before: Timestamp,
    /// When the oldest page was created from it on.
    pub from: Timestamp,
}

/// One lane. Together the lanes of a data source have each time once; a single one has all times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lane {
    /// Where it begins.
    pub start: Option<Seam>,
    /// Where it ends.
    pub end: Option<Seam>,
}

/// Where lanes of about the same length meet, each with at least so many pages: by the times at which these were
/// created. Fewer, where many were created at once.
pub fn seams(mut created: Vec<Timestamp>, lane_min: usize) -> Vec<Seam> {
    created.sort_unstable();
    let lanes = (created.len() / lane_min.max(1)).min(LANES_MAX);
    let mut seams: Vec<Seam> = Vec::new();
    for lane in 1..lanes {
        let from = created[created.len() * lane / lanes];
        let first = created.partition_point(|other| *other < from);
        if first > 0 && seams.last().is_none_or(|before| before.from < from) {
            seams.push(Seam { newest_before: created[first - 1], from });
        }
    }
    seams
}

/// The lanes that meet at these seams, the oldest pages first.
pub fn lanes(seams: &[Seam]) -> Vec<Lane> {
    let starts = std::iter::once(None).chain(seams.iter().copied().map(Some));
    let ends = seams.iter().copied().map(Some).chain([None]);
    starts.zip(ends).map(|(start, end)| Lane { start, end }).collect()
}

impl Lane {
    /// True for what is in this lane and no other.
    pub fn holds(&self, created: Timestamp) -> bool {
        self.start.is_none_or(|seam| seam.from <= created) && self.end.is_none_or(|seam| created < seam.from)
    }

    /// True where what it showed reaches from seam to seam, so that nothing between lanes can have been left out: from
    /// the oldest to the newest of its pages.
    pub fn is_filled(&self, oldest: Option<Timestamp>, newest: Option<Timestamp>) -> bool {
        self.start.is_none_or(|seam| oldest == Some(seam.from))
            && self.end.is_none_or(|seam| newest >= Some(seam.newest_before))
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + 60 * minute).expect("a time")
    }

    fn froms(minutes: &[i64], lane_min: usize) -> Vec<Timestamp> {
        seams(minutes.iter().copied().map(at).collect(), lane_min).iter().map(|seam| seam.from).collect()
    }

    #[test]
    fn a_small_data_source_has_one_lane_and_a_large_one_four_of_one_length() {
        let minutes: Vec<i64> = (0..100).collect();
        assert_eq!(froms(&minutes[..19], 10), []);
        assert_eq!(froms(&minutes[..20], 10), [at(10)]);
        assert_eq!(froms(&minutes, 10), [at(25), at(50), at(75)]);
        assert_eq!(froms(&[7; 100], 10), [], "all were created at once");
        assert_eq!(froms(&[], 10), []);
    }

    #[test]
    fn a_lane_that_does_not_reach_to_its_seams_has_left_something_out() {
        let [first, second]: [Lane; 2] = lanes(&seams((0..20).map(at).collect(), 10)).try_into().expect("two lanes");
        let filled = |lane: &Lane, oldest, newest| lane.is_filled(Some(at(oldest)), Some(at(newest)));
        assert!(filled(&first, 3, 9) && filled(&second, 10, 12), "the first and the last pages may be gone");
        assert!(!filled(&first, 0, 8) && !filled(&second, 11, 19));
        assert!(!first.is_filled(None, None) && !second.is_filled(None, None));
        assert!(Lane::default().is_filled(None, None));
    }

    proptest! {
        /// Whatever was created or deleted since, each page is in exactly one lane.
        #[test]
        fn each_time_is_in_one_lane(
            before in vec(0..50_i64, 0..200),
            now in vec(-100..100_i64, 0..200),
            lane_min in 0..40_usize,
        ) {
            let lanes = lanes(&seams(before.iter().copied().map(at).collect(), lane_min));
            for minute in now {
                prop_assert_eq!(lanes.iter().filter(|lane| lane.holds(at(minute))).count(), 1);
            }
            for lane in &lanes {
                let shown: Vec<i64> = before.iter().copied().filter(|minute| lane.holds(at(*minute))).collect();
                let (oldest, newest) = (shown.iter().min(), shown.iter().max());
                prop_assert!(lane.is_filled(oldest.copied().map(at), newest.copied().map(at)));
                prop_assert!(lanes.len() == 1 || !shown.is_empty());
            }
        }
    }
}
