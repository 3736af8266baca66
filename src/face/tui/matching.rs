//! What a search or a filter finds in a plan. It takes as long as it takes, away from the thread that draws.

use std::collections::{HashMap, HashSet};

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{AtomKind, CaseMatching, Normalization, Pattern},
};

use super::tree::Subject;
use crate::domain::{
    model::PageId,
    plan::{Plan, State as ChangeState},
};

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Names that contain the text: the matches are gone to.
    Search,
    /// Names, actions, kinds and states that fit the words, fuzzily: everything else is hidden.
    Filter,
}

/// A question to the plan.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) wanted: Wanted,
    pub(crate) text: String,
    /// How often something was asked before: an answer to an earlier question is no news.
    pub(crate) number: u64,
    /// What was decided about each change by then, as a word.
    pub(crate) decisions: Vec<&'static str>,
}

/// The rows that match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Matches {
    changes: Vec<bool>,
    notices: Vec<bool>,
    pages: HashSet<PageId>,
}

impl Matches {
    /// True when a row matches.
    pub(crate) fn contains(&self, subject: Subject) -> bool {
        match subject {
            Subject::Change(at) => self.changes.get(at as usize).copied().unwrap_or_default(),
            Subject::Notice(at) => self.notices.get(at as usize).copied().unwrap_or_default(),
            Subject::Page(page) => self.pages.contains(&page),
            Subject::Notices => false,
        }
    }

    /// How many rows match.
    pub(crate) fn count(&self) -> usize {
        let all = self.changes.iter().chain(&self.notices);
        all.filter(|matches| **matches).count() + self.pages.len()
    }
}

/// A plan's words, put together once.
pub(crate) struct Haystack {
    /// Of each change: its name, and behind it what else there is to say; and where the name ends.
    changes: Vec<(String, usize)>,
    notices: Vec<(String, usize)>,
    /// Pages that have a row of their own: those without a change, and those with several.
    pages: Vec<(PageId, String)>,
}

impl Haystack {
    pub(crate) fn new(plan: &Plan) -> Self {
        let changes = plan.changes.iter().map(|change| {
            let mut text = change.name.canonical().into_cow().into_owned();
            let end = text.len();
            let state = match change.state {
                ChangeState::Ready => "ready",
                ChangeState::Review => "review",
                ChangeState::Held => "held",
            };
            let contested = if change.is_contested() { " conflict" } else { "" };
            for word in [" ", change.proposal.action.word(), " ", change.kind.word(), " ", state, contested] {
                text.push_str(word);
            }
            (text, end)
        });
        let changes = changes.collect();
        let notices = plan.notices.iter().map(|notice| {
            let name = notice.name.canonical().into_cow().into_owned();
            let end = name.len();
            (format!("{name} notice {} {}", notice.kind, notice.text), end)
        });
        let notices = notices.collect();
        let mut own: HashMap<PageId, usize> = HashMap::new();
        for change in &plan.changes {
            *own.entry(change.page).or_default() += 1;
        }
        let pages = plan.places.iter().filter(|(page, _)| own.get(page) != Some(&1));
        let pages = pages.map(|(page, place)| (*page, place.name.canonical().into_cow().into_owned())).collect();
        Self { changes, notices, pages }
    }

    /// Looks through all of it.
    pub(crate) fn find(&self, query: &Query) -> Matches {
        let mut matcher = Matcher::new(Config::DEFAULT);
        let pattern = match query.wanted {
            Wanted::Filter => Pattern::parse(&query.text, CaseMatching::Ignore, Normalization::Smart),
            Wanted::Search => Pattern::new(&query.text, CaseMatching::Ignore, Normalization::Smart, AtomKind::Substring),
        };
        let mut buffer = Vec::new();
        let mut fits = |text: &str| pattern.score(Utf32Str::new(text, &mut buffer), &mut matcher).is_some();
        let whole = query.wanted == Wanted::Filter;
        let mut line = String::new();
        let changes = self.changes.iter().enumerate().map(|(at, (text, end))| match query.decisions.get(at) {
            Some(decision) if whole => {
                line.clear();
                line.push_str(text);
                line.push(' ');
                line.push_str(decision);
                fits(&line)
            }
            _ => fits(&text[..*end]),
        });
        let changes = changes.collect();
        let notices = self.notices.iter().map(|(text, end)| fits(if whole { text } else { &text[..*end] })).collect();
        let pages = self.pages.iter().filter(|(_, name)| fits(name));
        Matches { changes, notices, pages: pages.map(|(page, _)| *page).collect() }
    }
}
