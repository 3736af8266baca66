//! What a run logs of what it sees: only what the log does not say already.

use super::{Session, SessionError};
use crate::{
    domain::{
        audit::{Refers, refers},
        journal::{Difference, Event, OpenDifferences, Unlogged, What},
        plan::Plan,
        review::Approved,
        watermark::WhyFull,
    },
    edge::store::{LISTED, OPEN_DIFFERENCES},
};

/// What is to be logged of a plan.
pub(super) struct News {
    /// Differences that are new, not what they were, or over.
    pub(super) differences: Vec<What>,
    /// How many are logged just as they are.
    pub(super) known: usize,
    /// What is open when that is logged; nothing where that is as before.
    pub(super) open: Option<OpenDifferences>,
}

impl Session<'_> {
    /// What is to be logged of the differences of a plan. An undo is asked for by somebody, and logged whole.
    pub(super) async fn news(&mut self, plan: &Plan) -> Result<News, SessionError> {
        let found = |difference| What::Difference(Box::new(difference));
        self.unlogged.clear();
        if plan.scope.undoes.is_some() {
            let all = plan.changes.iter().map(|change| found(Difference::of(plan, change)));
            return Ok(News { differences: all.collect(), known: 0, open: None });
        }
        let before: OpenDifferences = self.store.recall(OPEN_DIFFERENCES).await?.unwrap_or_default();
        let mut open = before.clone();
        let Unlogged { news, known, over } = open.take(plan);
        let count = known.len();
        self.unlogged = known.into_iter().map(|difference| (difference.change, Box::new(difference))).collect();
        let over = over.into_iter().map(|(change, page)| What::DifferenceEnded { change, page });
        let differences = news.into_iter().map(found).chain(over).collect();
        Ok(News { differences, known: count, open: Some(open).filter(|open| *open != before) })
    }

    /// Keeps which differences are open, after they were logged: a crash in between logs them twice.
    pub(super) async fn keep_open(&mut self, open: Option<OpenDifferences>) -> Result<(), SessionError> {
        match open {
            Some(open) => Ok(self.store.remember(OPEN_DIFFERENCES, &open).await?),
            None => Ok(()),
        }
    }

    /// Notes that what was mended is open no more.
    pub(super) async fn close_mended(&mut self, events: &[Event]) -> Result<(), SessionError> {
        let before: OpenDifferences = self.store.recall(OPEN_DIFFERENCES).await?.unwrap_or_default();
        let mut open = before.clone();
        open.close(events);
        self.keep_open(Some(open).filter(|open| *open != before)).await
    }

    /// Logs the differences that are about to be mended, as far as only the log of an earlier run has them.
    pub(super) async fn tell_known(&mut self, approved: &Approved) -> Result<(), SessionError> {
        let known: Vec<_> = approved.changes().iter().filter_map(|change| self.unlogged.remove(&change.id)).collect();
        self.tell(known.into_iter().map(What::Difference).collect()).await
    }

    /// Events with the differences before them that they are about, as far as only the log of an earlier run has these:
    /// what a run did can be told from its own events.
    pub(super) fn with_differences(&mut self, what: Vec<What>) -> Vec<What> {
        if self.unlogged.is_empty() {
            return what;
        }
        let mut all = Vec::with_capacity(what.len());
        for what in what {
            if let Refers::Change(change) = refers(&what)
                && let Some(difference) = self.unlogged.remove(change)
            {
                all.push(What::Difference(difference));
            }
            all.push(what);
        }
        all
    }

    /// Logs what was read of the listings, as far as it is not what was logged last, or may lack rows.
    pub(super) async fn tell_listed(&mut self, listed: Vec<What>) -> Result<(), SessionError> {
        let before: Vec<What> = self.store.recall(LISTED).await?.unwrap_or_default();
        let is_odd = |what: &What| match what {
            What::Fetched { incomplete, full_because, .. } => {
                incomplete.is_some() || full_because.is_some_and(WhyFull::is_odd)
            }
            _ => true,
        };
        let news = listed.iter().filter(|what| is_odd(what) || !before.contains(what)).cloned().collect();
        self.tell(news).await?;
        if listed != before {
            self.store.remember(LISTED, &listed).await?;
        }
        Ok(())
    }
}
