//! Pages are kept as they were read, so that the next run asks only for those that were edited since.
//!
//! What was edited is found by Notion's own clock and word: a page's time of its last edit, floored to the minute. That
//! says nothing of what went to the trash, moved elsewhere or was shared no more, nor of formulas and rollups, whose
//! values move without their page. These wait for a full pass, and so does whatever looks odd.

use std::{borrow::Cow, collections::BTreeSet, fmt};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    lanes::Seam,
    model::{Fetched, Page, PageId, Problem, Walk},
};

/// Edits may be found this much later than they were made.
const LAG: SignedDuration = SignedDuration::from_mins(2);
/// A full pass is due this much before its time, so that a daily run is one each day.
const SLACK: SignedDuration = SignedDuration::from_hours(1);
const MINUTE: i64 = 60;

/// How far reading has come with one data source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermark {
    /// What the pages were read by: the data source, its properties and their mapping, as a hash.
    pub read_by: String,
    /// What was edited from this time on, by Notion's clock, may not have been seen.
    pub since: Timestamp,
    /// When all pages were last read, by our own clock.
    pub full: Timestamp,
    /// Pages that are kept.
    pub pages: usize,
    /// Where the lanes meet in which all pages can be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seams: Vec<Seam>,
}

/// A page as it was read, and what was noticed about it then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptPage<'a> {
    pub page: Cow<'a, Page>,
    #[serde(default, skip_serializing_if = "<[Problem]>::is_empty")]
    pub problems: Cow<'a, [Problem]>,
}

/// What was edited in a data source since its watermark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edits {
    /// Since when, by Notion's clock.
    pub since: Timestamp,
    /// True where all open pages are among them, edited or not.
    pub with_open: bool,
    /// The pages, each once.
    pub pages: Vec<Page>,
    /// Those of them that the mapping does not mean any more.
    pub not_meant: Vec<PageId>,
    /// What was noticed about them.
    pub problems: Vec<Problem>,
    /// Notion's time before it was asked.
    pub began: Timestamp,
}

/// Why all pages are read, although only those that were edited since were wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyFull {
    /// What was read before is not kept, or no longer.
    First,
    /// It is time for a full pass.
    Due,
    /// Something else is read by now.
    ReadOtherwise,
    /// A clock, Notion's or our own, is before the time that it had when pages were last read.
    ClockBack,
    /// Pages are missing among those that are kept.
    Incomplete,
    /// Notion shows pages that were not asked for.
    FilterIgnored,
    /// Notion shows pages in another order than was asked for.
    OrderIgnored,
    /// Notion does not say whether these are all pages that were edited, or does not answer at all.
    NotAnswered,
    /// A page stands below one that was not seen.
    UnknownParent,
}

impl fmt::Display for WhyFull {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::First => "what was read before is not kept",
            Self::Due => "once in a while they are read for what no edit shows",
            Self::ReadOtherwise => "the mapping or the properties of the database have changed",
            Self::ClockBack => "a clock was set back since the last run",
            Self::Incomplete => "those that are kept are not all",
            Self::FilterIgnored => "Notion shows pages that were not edited since",
            Self::OrderIgnored => "Notion shows edited pages in another order than was asked for",
            Self::NotAnswered => "Notion does not say for certain which were edited since",
            Self::UnknownParent => "an edited page stands below one that is not kept",
        })
    }
}

impl WhyFull {
    /// True where it is no part of how things go.
    pub fn is_odd(self) -> bool {
        !matches!(self, Self::First | Self::Due)
    }
}

impl Watermark {
    /// The watermark after pages were read; `began` is Notion's time before they were asked for.
    #[must_use]
    pub fn after(read_by: String, began: Timestamp, full: Timestamp, pages: usize) -> Self {
        let since = floored(began.saturating_sub(LAG).unwrap_or(began));
        Self { read_by, since, full, pages, seams: Vec::new() }
    }

    /// The watermark, where it is enough to read what was edited since; and whether it is time to read all open pages
    /// along with that.
    ///
    /// # Errors
    /// Why all pages are to be read instead. `every` is how long edits are enough, `now` our own time.
    pub fn trusted(
        kept: Option<Self>,
        read_by: &str,
        now: Timestamp,
        every: SignedDuration,
    ) -> Result<(Self, bool), WhyFull> {
        let kept = kept.ok_or(WhyFull::First)?;
        if kept.read_by != read_by {
            return Err(WhyFull::ReadOtherwise);
        }
        let age = now.duration_since(kept.full);
        if age < SignedDuration::ZERO {
            return Err(WhyFull::ClockBack);
        }
        let is_due = age >= every.saturating_sub(SLACK.min(every / 2));
        Ok((kept, is_due))
    }
}

/// Notion's times are floored to the minute, so that an edit in the minute of this time has this time.
fn floored(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second().div_euclid(MINUTE) * MINUTE).unwrap_or(time)
}

/// All pages as they are now, by what was kept and what was edited since.
pub struct WithEdits {
    pub pages: Fetched<Page>,
    /// What was noticed about them.
    pub problems: Vec<Problem>,
    /// Pages that were kept and are none of them any more.
    pub gone: Vec<PageId>,
}

/// All pages as they are now: those that are kept, with what was edited in place of what it was.
///
/// They count as complete, as those were that are kept: what is kept and has gone since is still among them, so that
/// its absence is not noticed before the next full pass, and never concluded where there is none. Only one that had to
/// be shown by what was asked, since it was edited so lately or open, and was not, is known to be there no more.
pub fn with_edits(kept: Vec<KeptPage<'_>>, edits: Edits) -> WithEdits {
    let edited: BTreeSet<PageId> =
        edits.pages.iter().map(|page| page.id).chain(edits.not_meant.iter().copied()).collect();
    let (mut problems, mut gone) = (Vec::new(), edits.not_meant);
    let mut walk = Walk::default();
    for kept in kept.into_iter().filter(|kept| !edited.contains(&kept.page.id)) {
        if kept.page.edited >= edits.since || (edits.with_open && !kept.page.standing.is_closed()) {
            gone.push(kept.page.id);
            continue;
        }
        problems.extend(kept.problems.into_owned());
        walk.add([kept.page.into_owned()]);
    }
    problems.extend(edits.problems);
    walk.add(edits.pages);
    WithEdits { pages: walk.finish(), problems, gone }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::{collection::vec, prelude::*};

    use super::*;

    const DAY: SignedDuration = SignedDuration::from_hours(24);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + second).expect("a time")
    }

    fn kept(since: i64, full: i64) -> Watermark {
        Watermark { read_by: "this".to_owned(), since: at(since), full: at(full), pages: 3, seams: Vec::new() }
    }

    #[test]
    fn edits_are_asked_for_from_two_minutes_before_the_last_reading_began_in_whole_minutes() {
        for second in 0..120 {
            let since = Watermark::after(String::new(), at(second), at(0), 0).since;
            assert_eq!(since.as_second() % 60, 0);
            let before = at(second).duration_since(since);
            assert!((120..180).contains(&before.as_secs()), "{second}: {before}");
        }
    }

    #[test]
    fn a_watermark_is_trusted_for_a_day_by_the_same_clock_and_the_same_mapping() {
        let trusted = |known: Option<Watermark>, now: i64| Watermark::trusted(known, "this", at(now), DAY);
        let hour = 3600;
        assert_eq!(trusted(None, 0), Err(WhyFull::First));
        assert_eq!(trusted(Some(kept(0, 0)), 22 * hour), Ok((kept(0, 0), false)));
        assert_eq!(trusted(Some(kept(0, 0)), 23 * hour), Ok((kept(0, 0), true)), "a daily run does, if a little early");
        assert_eq!(trusted(Some(kept(0, 0)), -1), Err(WhyFull::ClockBack));
        assert_eq!(Watermark::trusted(Some(kept(0, 0)), "that", at(0), DAY), Err(WhyFull::ReadOtherwise));
        let hourly = |now: i64| Watermark::trusted(Some(kept(0, 0)), "this", at(now), SignedDuration::from_hours(1));
        let is_due = |now: i64| hourly(now).map(|(_, is_due)| is_due);
        assert_eq!((is_due(29 * 60), is_due(30 * 60)), (Ok(false), Ok(true)));
    }

    /// What happens, one thing after the other.
    #[derive(Clone, Debug)]
    enum Happens {
        /// Time goes on.
        Seconds(i64),
        /// Somebody edits a page.
        Edit(u8),
        /// Pages are read, with a clock of Notion's that is off by so many seconds, and one of ours.
        Read { theirs: i64, ours: i64 },
    }

    fn happens() -> impl Strategy<Value = Happens> {
        prop_oneof![
            (0..200_i64).prop_map(Happens::Seconds),
            (0..5_u8).prop_map(Happens::Edit),
            // Notion's own servers agree within a minute; ours may be wrong by any amount, and jump.
            (-60..60_i64, prop_oneof![-5..5_i64, -100_000..100_000_i64])
                .prop_map(|(theirs, ours)| Happens::Read { theirs, ours }),
        ]
    }

    proptest! {
        /// Whoever reads after an edit has seen it, or reads all pages: whatever the clocks say, in whichever second.
        #[test]
        fn no_edit_is_missed(start in 0..60_i64, story in vec(happens(), 1..60)) {
            let mut now = start;
            let mut edited: BTreeMap<u8, (i64, u32)> = BTreeMap::new();
            let mut seen: BTreeMap<u8, u32> = BTreeMap::new();
            let mut known: Option<Watermark> = None;
            for happened in story {
                match happened {
                    Happens::Seconds(seconds) => now += seconds,
                    Happens::Edit(page) => {
                        let (time, version) = edited.entry(page).or_default();
                        (*time, *version) = (now, *version + 1);
                    }
                    Happens::Read { theirs, ours } => {
                        let (theirs, ours) = (at(now + theirs), at(now + ours));
                        let trusted = Watermark::trusted(known.take(), "this", ours, DAY);
                        let trusted = trusted.and_then(|(mark, _)| if theirs < mark.since { Err(WhyFull::ClockBack) } else { Ok(mark) });
                        let full = trusted.as_ref().map_or(ours, |mark| mark.full);
                        let shown = edited.iter().filter(|(_, (time, _))| match &trusted {
                            // Notion compares the floored time of the edit.
                            Ok(mark) => floored(at(*time)) >= mark.since,
                            Err(_) => true,
                        });
                        seen.extend(shown.map(|(page, (_, version))| (*page, *version)));
                        let versions: BTreeMap<u8, u32> = edited.iter().map(|(page, (_, version))| (*page, *version)).collect();
                        prop_assert_eq!(&seen, &versions);
                        known = Some(Watermark::after("this".to_owned(), theirs.min(ours), full, seen.len()));
                    }
                }
            }
        }
    }
}
