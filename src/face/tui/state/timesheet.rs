//! The hours as the console shows them: the figures of a period, the row under the cursor, and what was read on demand.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::stepped;
use crate::{
    domain::{
        hours::{
            Branch, Period, Severity,
            document::{FindingDocument, NodeDocument},
            month::Accepting,
        },
        model::{Kind, ObjectId, PageId},
        text::Shown,
    },
    engine::hours::{Entries, Reckoned},
};

/// What is asked for of tracked time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TimeOrder {
    /// The figures of a period, or of this month; on both sides as they were read, unless they are to be read anew.
    Figures { period: Option<Period>, anew: bool },
    /// What was tracked on each day.
    Days(Period),
    /// The entries on something.
    Entries { period: Period, branch: Branch },
    /// A month is to be sealed.
    Close { month: Period, accepting: Accepting },
}

impl TimeOrder {
    /// What is done meanwhile.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Figures { period: None, .. } => "reading the hours of this month".to_owned(),
            Self::Figures { period: Some(period), .. } => format!("reading the hours of {period}"),
            Self::Days(period) => format!("reading the days of {period}"),
            Self::Entries { period, .. } => format!("reading entries of {period}"),
            Self::Close { month, .. } => format!("reading {month} once more, and closing it"),
        }
    }
}

/// What comes of that.
#[derive(Clone, Debug)]
pub(crate) enum TimeNews {
    Figures(Reckoned),
    Days(BTreeMap<Date, u64>),
    Entries(Entries),
    /// A month is sealed, or this many errors keep it open.
    Closed {
        reckoned: Reckoned,
        open: usize,
    },
    /// Nothing came of it, and why.
    Refused(Shown),
}

/// A row of the list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Item {
    /// A finding, by its place.
    Finding(usize),
    /// Above the findings that are only to know about.
    Infos,
    /// What the columns below are.
    Columns,
    /// A client, project or task, by its place among those beside it, from the client down.
    Node(Vec<usize>),
}

/// Entries that are shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Drilled {
    /// What they are on.
    pub(crate) on: Shown,
    /// What the figures say was tracked on it.
    pub(crate) tracked: Option<u64>,
    pub(crate) entries: Entries,
    pub(crate) at: usize,
}

/// The hours.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Timesheet {
    /// The period that was last asked for; this month where none is named.
    pub(crate) period: Option<Period>,
    /// What was asked for and is not there yet.
    pub(crate) asked: Option<TimeOrder>,
    pub(crate) reckoned: Option<Reckoned>,
    pub(crate) by_day: Option<BTreeMap<Date, u64>>,
    pub(crate) drilled: Option<Drilled>,
    /// Why the last thing that was asked for is not there.
    pub(crate) wrong: Shown,
    /// The row under the cursor, among those that are shown.
    pub(crate) at: usize,
    pub(crate) items: Vec<Item>,
    folded: BTreeSet<Vec<usize>>,
    /// What is only to know about is shown, too.
    pub(crate) with_infos: bool,
}

impl Timesheet {
    /// Notes that something is asked for.
    pub(crate) fn ask(&mut self, order: TimeOrder) -> TimeOrder {
        if let TimeOrder::Figures { period, .. } = &order {
            self.period = period.or(self.period);
        }
        self.wrong = Shown::default();
        self.asked.insert(order).clone()
    }

    /// Asks for the figures of a period.
    pub(crate) fn ask_for(&mut self, period: Option<Period>, anew: bool) -> TimeOrder {
        self.ask(TimeOrder::Figures { period, anew })
    }

    /// Takes in what was asked for.
    pub(crate) fn take(&mut self, news: TimeNews) {
        let asked = self.asked.take();
        match news {
            TimeNews::Figures(reckoned) => self.show(reckoned),
            TimeNews::Days(by_day) => self.by_day = Some(by_day),
            TimeNews::Entries(entries) => {
                let Some(TimeOrder::Entries { branch, .. }) = asked else { return };
                let node = self.nodes().into_iter().find(|(_, known)| *known == branch).map(|(node, _)| node);
                let Some(node) = node else { return };
                let on = Shown::of(&format!("{} “{}”", node.kind(), node.name.clipped(40)));
                self.drilled = Some(Drilled { on, tracked: node.figures.tracked_s, entries, at: 0 });
            }
            TimeNews::Closed { reckoned, open } => {
                if open > 0 {
                    let text = format!("{} is not sealed: {open} to mend or to accept first", reckoned.period);
                    self.wrong = text.into();
                }
                self.show(reckoned);
            }
            TimeNews::Refused(because) => self.wrong = because,
        }
    }

    /// Shows figures, folded as they were where they are of the same things.
    fn show(&mut self, reckoned: Reckoned) {
        self.period = Some(reckoned.period);
        if self.reckoned.as_ref().is_none_or(|known| known.document.clients != reckoned.document.clients) {
            self.folded.clear();
        }
        if self.reckoned.as_ref().is_none_or(|known| known.period != reckoned.period) {
            self.at = 0;
        }
        (self.by_day, self.drilled) = (None, None);
        self.reckoned = Some(reckoned);
        self.list();
    }

    /// Lists the rows that are shown.
    fn list(&mut self) {
        let findings = self.reckoned.iter().flat_map(|reckoned| &reckoned.document.findings).enumerate();
        let (infos, grave): (Vec<_>, Vec<_>) =
            findings.partition(|(_, finding)| finding.severity == Severity::Info.word());
        let mut items: Vec<Item> = grave.into_iter().map(|(at, _)| Item::Finding(at)).collect();
        if !infos.is_empty() {
            items.push(Item::Infos);
            items.extend(infos.into_iter().filter(|_| self.with_infos).map(|(at, _)| Item::Finding(at)));
        }
        items.push(Item::Columns);
        let is_shown = |path: &[usize]| (1..path.len()).all(|length| !self.folded.contains(&path[..length]));
        items.extend(self.paths().into_iter().filter(|path| is_shown(path)).map(Item::Node));
        self.items = items;
        self.at = self.at.min(self.items.len().saturating_sub(1));
    }

    /// Where each client, project and task is, parents first. Time that only has no task says nothing by itself.
    fn paths(&self) -> Vec<Vec<usize>> {
        fn walk(nodes: &[NodeDocument], above: &[usize], paths: &mut Vec<Vec<usize>>) {
            for (at, node) in nodes.iter().enumerate() {
                let path = [above, &[at]].concat();
                let says_something = path.len() < 3 || nodes.iter().any(|node| node.clockify_id.is_some());
                if says_something {
                    paths.push(path.clone());
                    walk(node.children(), &path, paths);
                }
            }
        }
        let mut paths = Vec::new();
        if let Some(reckoned) = &self.reckoned {
            walk(&reckoned.document.clients, &[], &mut paths);
        }
        paths
    }

    fn nodes(&self) -> Vec<(&NodeDocument, Branch)> {
        self.paths().iter().filter_map(|path| Some((self.node(path)?, self.branch(path)?))).collect()
    }

    /// The client, project or task at a place.
    pub(crate) fn node(&self, path: &[usize]) -> Option<&NodeDocument> {
        let (client, below) = path.split_first()?;
        let client = self.reckoned.as_ref()?.document.clients.get(*client)?;
        below.iter().try_fold(client, |node, at| node.children().get(*at))
    }

    fn branch(&self, path: &[usize]) -> Option<Branch> {
        let kind = Kind::ALL.get(path.len().checked_sub(1)?).copied()?;
        let mut place = [None; 3];
        for length in 1..=path.len() {
            place[length - 1] = self.node(&path[..length])?.clockify_id.as_ref().and_then(|id| id.parse().ok());
        }
        Some(Branch { kind, place })
    }

    /// True where something stands below a place, and is not shown.
    pub(crate) fn is_folded(&self, path: &[usize]) -> bool {
        self.folded.contains(path)
    }

    /// True where something can be shown below a place.
    pub(crate) fn has_rows_below(&self, path: &[usize]) -> bool {
        let below = self.node(path).map(NodeDocument::children).unwrap_or_default();
        !below.is_empty() && (path.len() < 2 || below.iter().any(|node| node.clockify_id.is_some()))
    }

    /// The row under the cursor.
    pub(crate) fn item(&self) -> Option<&Item> {
        self.items.get(self.at)
    }

    /// The finding under the cursor.
    pub(crate) fn finding(&self) -> Option<&FindingDocument> {
        let Some(Item::Finding(at)) = self.item() else { return None };
        self.reckoned.as_ref()?.document.findings.get(*at)
    }

    /// The client, project or task under the cursor, and what entries on it are asked for by.
    pub(crate) fn current(&self) -> Option<(&NodeDocument, Branch)> {
        let Some(Item::Node(path)) = self.item() else { return None };
        Some((self.node(path)?, self.branch(path)?))
    }

    /// The page of the row under the cursor.
    pub(crate) fn page(&self) -> Option<PageId> {
        let of_node = || self.current().and_then(|(node, _)| node.page_id.as_deref());
        self.finding().map_or_else(of_node, |finding| finding.page_id.as_deref())?.parse().ok()
    }

    /// The object of the row under the cursor.
    pub(crate) fn object(&self) -> Option<(Kind, ObjectId)> {
        if let Some(FindingDocument { kind, clockify_id, .. }) = self.finding() {
            return Some(((*kind)?, clockify_id.as_deref()?.parse().ok()?));
        }
        let (node, _) = self.current()?;
        Some((node.kind(), node.clockify_id.as_deref()?.parse().ok()?))
    }

    /// Findings of these severities.
    pub(crate) fn found(&self, severity: Severity) -> impl Iterator<Item = &FindingDocument> {
        let all = self.reckoned.iter().flat_map(|reckoned| &reckoned.document.findings);
        all.filter(move |finding| finding.severity == severity.word())
    }

    /// Moves by so many rows, of the entries where they are shown.
    pub(crate) fn go(&mut self, by: isize) {
        if let Some(Drilled { entries, at, .. }) = &mut self.drilled {
            *at = stepped(*at, by, entries.latest_first.len());
            return;
        }
        self.at = stepped(self.at, by, self.items.len());
        if self.item() == Some(&Item::Columns) {
            self.at = stepped(self.at, if by < 0 && self.at > 0 { -1 } else { 1 }, self.items.len());
        }
    }

    /// Puts the cursor on a row.
    pub(crate) fn put(&mut self, at: usize) {
        match &mut self.drilled {
            Some(drilled) => drilled.at = at,
            None => self.at = at.min(self.items.len().saturating_sub(1)),
        }
    }

    /// Folds the row under the cursor, or goes to what it stands below.
    pub(crate) fn fold(&mut self) {
        self.show_infos(false);
        let Some(Item::Node(path)) = self.item().cloned() else { return };
        if self.has_rows_below(&path) && self.folded.insert(path.clone()) {
            self.list();
        } else if let Some(at) = path.split_last().and_then(|(_, above)| self.place(above)) {
            self.at = at;
        }
    }

    /// Unfolds the row under the cursor, or goes to what stands below it.
    pub(crate) fn unfold(&mut self) {
        self.show_infos(true);
        let Some(Item::Node(path)) = self.item().cloned() else { return };
        if self.folded.remove(&path) {
            self.list();
        } else if self.has_rows_below(&path) {
            self.go(1);
        }
    }

    /// Shows what is only to know about, or hides it, where the cursor is on its heading.
    fn show_infos(&mut self, shown: bool) {
        if self.item() == Some(&Item::Infos) {
            self.with_infos = shown;
            self.list();
        }
    }

    /// Folds the row under the cursor, or unfolds it; false where nothing stands below it.
    pub(crate) fn toggle_fold(&mut self) -> bool {
        self.show_infos(!self.with_infos);
        let Some(Item::Node(path)) = self.item().cloned() else { return false };
        if !self.has_rows_below(&path) {
            return false;
        }
        if !self.folded.remove(&path) {
            self.folded.insert(path);
        }
        self.list();
        true
    }

    /// Folds everything from so many levels on.
    pub(crate) fn fold_from(&mut self, level: usize) {
        let current = self.item().cloned();
        self.folded =
            self.paths().into_iter().filter(|path| path.len() >= level && self.has_rows_below(path)).collect();
        self.list();
        if let Some(Item::Node(path)) = current {
            let nearest = (1..=path.len()).rev().find_map(|length| self.place(&path[..length]));
            self.at = nearest.unwrap_or(self.at);
        }
    }

    fn place(&self, path: &[usize]) -> Option<usize> {
        self.items.iter().position(|item| matches!(item, Item::Node(node) if node == path))
    }
}
