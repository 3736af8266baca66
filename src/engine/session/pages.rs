//! Reads Notion's pages: all of them, or those that were edited since they were last read beside those that are kept.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;

use super::{Progress, Session, SessionError, Sides};
use crate::{
    domain::{
        lanes::{self, Seam},
        model::{Kind, Page, PageId, PerKind, Problem, Service},
        review::Approved,
        watermark::{KeptPage, Watermark, WhyFull, WithEdits, with_edits},
    },
    edge::{
        notion::{Listed, Seen, Source, calls_for},
        store::{Others, PagesRead},
    },
};

/// A lane has at least so many pages: reading these one after another takes half a minute.
const LANE_MIN: usize = 5000;

/// The pages of one kind, and how they were read.
pub(super) struct KindRead {
    pub(super) listed: Listed,
    pub(super) how: How,
    /// When it was asked for, by our own clock.
    at: Timestamp,
}

/// How pages were read.
pub(super) enum How {
    /// All of them; because of what, where only edits were wanted.
    Full(Option<WhyFull>),
    /// These were edited, the others are kept of before.
    Edited {
        edited: Vec<PageId>,
        gone: Vec<PageId>,
        /// When all were last read; nothing where all open ones were, now.
        full: Option<Timestamp>,
        /// Where lanes met when all were.
        seams: Vec<Seam>,
    },
}

impl Session<'_> {
    /// Reads the pages of one kind, as the run wants them read.
    pub(super) async fn read_pages(&self, kind: Kind, source: &Source) -> Result<KindRead, SessionError> {
        if !self.only_edits || self.full {
            return self.read_all_pages(kind, source, None).await;
        }
        match self.read_edits(kind, source).await? {
            Ok(read) => Ok(read),
            Err(why) => self.read_all_pages(kind, source, Some(why)).await,
        }
    }

    async fn read_all_pages(
        &self,
        kind: Kind,
        source: &Source,
        why: Option<WhyFull>,
    ) -> Result<KindRead, SessionError> {
        let at = (self.turn.clock)();
        let known = self.store.watermarks().await?[kind].take();
        let known = known.filter(|known| known.read_by == self.notion.read_by(kind, source));
        let seams = known.map_or_else(Vec::new, |known| known.seams);
        let listed = self.notion.fetch(kind, source, &seams, &self.reading(kind)).await?;
        Ok(KindRead { listed, how: How::Full(why), at })
    }

    /// Reads what was edited, or says why that is not enough.
    async fn read_edits(&self, kind: Kind, source: &Source) -> Result<Result<KindRead, WhyFull>, SessionError> {
        let at = (self.turn.clock)();
        let known = self.store.watermarks().await?[kind].take();
        let read_by = self.notion.read_by(kind, source);
        let (Watermark { since, pages, full, seams, .. }, is_due) =
            match Watermark::trusted(known, &read_by, at, self.full_every) {
                Ok(trusted) => trusted,
                Err(why) => return Ok(Err(why)),
            };
        let edits = match self.notion.fetch_edited(kind, source, since, is_due, pages, &self.reading(kind)).await? {
            Ok(edits) => edits,
            Err(why) => return Ok(Err(why)),
        };
        let kept = self.store.kept_pages(kind).await?;
        if kept.len() != pages {
            return Ok(Err(WhyFull::Incomplete));
        }
        let edited = edits.pages.iter().map(|page| page.id).collect();
        let began = Some(edits.began);
        let WithEdits { pages, problems, gone } = with_edits(kept, edits);
        let listed = Listed { pages, problems, new_options: Vec::new(), refreshed: None, began };
        let how = How::Edited { edited, gone, full: (!is_due).then_some(full), seams };
        Ok(Ok(KindRead { listed, how, at }))
    }

    fn reading(&self, kind: Kind) -> impl Fn(usize) + Sync + use<> {
        let watch = Arc::clone(&self.turn.watch);
        move |rows| watch(Progress::Reading(Service::Notion, kind, rows))
    }

    /// Reads all pages of a kind where an edited page names one as its parent that is not known: it may have been moved
    /// or shared since, which no edit shows.
    pub(super) async fn read_parents(
        &self,
        mut read: PerKind<KindRead>,
        sources: &PerKind<Source>,
    ) -> Result<PerKind<KindRead>, SessionError> {
        for kind in Kind::ALL {
            let names_unknown = |below: Kind| {
                let How::Edited { edited, .. } = &read[below].how else { return false };
                let pages = edited.iter().filter_map(|id| read[below].listed.pages.get(*id));
                let named = |page: &Page| if below == kind { page.item_of.one() } else { page.parent.one() };
                pages.filter_map(named).any(|parent| read[kind].listed.pages.get(parent).is_none())
            };
            let below = Kind::ALL.into_iter().filter(|below| *below == kind || below.parent() == Some(kind));
            let is_kept = matches!(read[kind].how, How::Edited { .. });
            if is_kept && below.into_iter().any(names_unknown) {
                read[kind] = self.read_all_pages(kind, &sources[kind], Some(WhyFull::UnknownParent)).await?;
            }
        }
        Ok(read)
    }

    /// True where what was approved rests on pages that are known of before, and these are other than they were: the
    /// trash and formulas are no edits. Few are asked for by their ID; many are not, and count as outdated.
    pub(super) async fn rests_on_outdated(&self, approved: &Approved, seen: &Sides) -> Result<bool, SessionError> {
        let Some(fresh) = &seen.fresh else { return Ok(false) };
        let pages = approved.changes().iter().map(|change| (change.kind, change.page));
        let kept: BTreeSet<(Kind, PageId)> = pages.filter(|(_, page)| !fresh.contains(page)).collect();
        let all: usize = Kind::ALL.into_iter().map(|kind| calls_for(seen.snapshots.pages[kind].rows().len())).sum();
        if kept.len() > all {
            return Ok(true);
        }
        for (kind, page) in kept {
            let known = self.store.kept_page(kind, page).await?;
            let is_as_known = match self.notion.page(kind, &seen.sources[kind], page).await? {
                Seen::Page(page) => known.is_some_and(|known| *known.page == *page),
                Seen::Away(_) => known.is_none(),
            };
            if !is_as_known {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Keeps what was read for the next run.
    pub(super) async fn keep_pages(
        &mut self,
        read: &PerKind<KindRead>,
        sources: &PerKind<Source>,
    ) -> Result<(), SessionError> {
        let notion = self.notion;
        let kept = PerKind::from_fn(|kind| {
            let source = read[kind].listed.refreshed.as_ref().unwrap_or(&sources[kind]);
            read[kind].kept(notion.read_by(kind, source))
        });
        Ok(self.store.keep_pages(kept).await?)
    }
}

/// The pages that were edited, where no kind was read whole; nothing where all were read.
///
/// Of a kind that was read whole, all pages are among them.
pub(super) fn edited(read: &PerKind<KindRead>) -> Option<BTreeSet<PageId>> {
    if read.iter().all(|(_, read)| matches!(read.how, How::Full(_))) {
        return None;
    }
    let ids = read.iter().flat_map(|(_, read)| match &read.how {
        How::Full(_) => read.listed.pages.rows().iter().map(|page| page.id).collect(),
        How::Edited { edited, .. } => edited.clone(),
    });
    Some(ids.collect())
}

impl KindRead {
    /// What of it is to be kept.
    fn kept(&self, read_by: String) -> PagesRead<'_> {
        let Listed { pages, problems, began, .. } = &self.listed;
        let (full, others, seams) = match &self.how {
            How::Full(_) => {
                let created = pages.rows().iter().map(|page| page.created).collect();
                (self.at, Others::Forgotten, lanes::seams(created, LANE_MIN))
            }
            How::Edited { gone, full, seams, .. } => (full.unwrap_or(self.at), Others::KeptBut(gone), seams.clone()),
        };
        // Between two clocks that disagree, the earlier one misses nothing.
        let began = began.filter(|_| pages.complete().is_some()).map(|began| began.min(self.at));
        let watermark =
            began.map(|began| Watermark { seams, ..Watermark::after(read_by, began, full, pages.rows().len()) });
        let mut noticed: BTreeMap<PageId, Vec<Problem>> = BTreeMap::new();
        for problem in problems {
            if let Some(page) = problem.page {
                noticed.entry(page).or_default().push(problem.clone());
            }
        }
        let rows: Box<dyn Iterator<Item = &Page>> = match &self.how {
            How::Full(_) => Box::new(pages.rows().iter()),
            How::Edited { edited, .. } => Box::new(edited.iter().filter_map(|id| pages.get(*id))),
        };
        let pages = rows.map(move |page| KeptPage {
            page: Cow::Borrowed(page),
            problems: noticed.remove(&page.id).unwrap_or_default().into(),
        });
        PagesRead { watermark, pages: Box::new(pages), others }
    }

    /// How many were edited, and why all were read where only edits were wanted.
    pub(super) fn told(&self) -> (Option<usize>, Option<WhyFull>) {
        match &self.how {
            How::Full(why) => (None, *why),
            How::Edited { full: None, .. } => (None, Some(WhyFull::Due)),
            How::Edited { edited, .. } => (Some(edited.len()), None),
        }
    }
}
