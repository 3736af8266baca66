//! What a search or a filter finds in a plan. It takes as long as it takes, away from the thread that draws.

use std::collections::{HashMap, HashSet};

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{Atom, AtomKind, CaseMatching, Normalization},
};

use super::subject::Subject;
use crate::domain::{model::PageId, plan::Plan};

/// How far the letters of a fuzzy match may lie apart: so many places for each, and some more. Letters strewn over a
/// long name are no match.
const SPREAD: (usize, usize) = (2, 4);
/// Letters from which on a word is looked for fuzzily.
const FUZZY_FROM: usize = 3;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SearchMode {
    /// Names that contain the text: the matches are gone to.
    Search,
    /// Every word in the name, or the beginning of action, kind, state or what holds it, or `action:close`,
    /// `is:undecided`, `why:brake`; `!` before a word turns it round. Everything else is hidden.
    Filter,
}

/// A question to the plan.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) mode: SearchMode,
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
            Subject::Notices { .. } => false,
        }
    }

    /// How many rows match.
    pub(crate) fn count(&self) -> usize {
        let all = self.changes.iter().chain(&self.notices);
        all.filter(|matches| **matches).count() + self.pages.len()
    }
}

/// What is said about a row besides its name.
const ABOUT: [&str; 5] = ["action", "kind", "state", "is", "why"];

/// A word for each of [`ABOUT`].
type Words = [&'static str; 5];

/// A plan's names and words, put together once.
pub(crate) struct Haystack {
    changes: Vec<(Box<str>, Words)>,
    notices: Vec<(Box<str>, Words)>,
    /// Pages that have a row of their own: those without a change, and those with several.
    pages: Vec<(PageId, Box<str>)>,
}

impl Haystack {
    pub(crate) fn new(plan: &Plan) -> Self {
        let name = |name: &crate::domain::text::Raw| Box::<str>::from(name.canonical().as_str());
        let changes = plan.changes.iter().map(|change| {
            let state = change.state.into();
            let contested = if change.is_contested() { "conflict" } else { "" };
            let action = change.proposal.action.word();
            let why = change.hold.as_ref().map_or("", |hold| hold.code.word());
            (name(&change.name), [action, change.kind.word(), state, contested, why])
        });
        let notices = plan.notices.iter();
        let notices = notices
            .map(|notice| (name(&notice.name), ["", notice.kind.word(), "notice", "notice", notice.code.word()]));
        let mut own: HashMap<PageId, usize> = HashMap::new();
        for change in &plan.changes {
            *own.entry(change.page).or_default() += 1;
        }
        let pages = plan.places.iter().filter(|(page, _)| own.get(page) != Some(&1));
        let pages = pages.map(|(page, place)| (*page, name(&place.name))).collect();
        Self { changes: changes.collect(), notices: notices.collect(), pages }
    }

    /// Looks through all of it.
    pub(crate) fn find(&self, query: &Query) -> Matches {
        let mut seeker = Seeker::new(query);
        let decision = |at: usize| query.decisions.get(at).copied().unwrap_or_default();
        let changes = self.changes.iter().enumerate().map(|(at, (name, words))| seeker.fits(name, words, decision(at)));
        let changes = changes.collect();
        let notices = self.notices.iter().map(|(name, words)| seeker.fits(name, words, "")).collect();
        let nothing = [""; 5];
        let pages = self.pages.iter().filter(|(_, name)| seeker.fits(name, &nothing, ""));
        Matches { changes, notices, pages: pages.map(|(page, _)| *page).collect() }
    }
}

/// One thing that a row must have, or must not.
struct Term {
    not: bool,
    /// One of [`ABOUT`], where the term names it.
    about: Option<String>,
    word: String,
    exact: Atom,
    fuzzy: Option<Atom>,
}

struct Seeker {
    terms: Vec<Term>,
    matcher: Matcher,
    buffer: Vec<char>,
}

impl Seeker {
    fn new(query: &Query) -> Self {
        let terms = match query.mode {
            SearchMode::Search => vec![Term { fuzzy: None, ..Term::new(&query.text, false) }],
            SearchMode::Filter => query.text.split_whitespace().map(|word| Term::new(word, true)).collect(),
        };
        Self { terms, matcher: Matcher::new(Config::DEFAULT), buffer: Vec::new() }
    }

    fn fits(&mut self, name: &str, words: &Words, decision: &str) -> bool {
        let haystack = Utf32Str::new(name, &mut self.buffer);
        self.terms.iter().all(|term| {
            let in_words =
                ABOUT.iter().zip(words).any(|(about, word)| term.names(about, word)) || term.names("is", decision);
            let (each, more) = SPREAD;
            let spread_max = each * term.word.chars().count() + more;
            let mut named = || {
                let exact = term.exact.score(haystack, &mut self.matcher).is_some();
                exact
                    || term.fuzzy.as_ref().is_some_and(|fuzzy| is_close(fuzzy, haystack, &mut self.matcher, spread_max))
            };
            (in_words || term.about.is_none() && named()) != term.not
        })
    }
}

/// True where the letters of a fuzzy match are there, and no more than so many places apart.
pub(crate) fn is_close(fuzzy: &Atom, haystack: Utf32Str<'_>, matcher: &mut Matcher, spread_max: usize) -> bool {
    let mut places = Vec::new();
    if fuzzy.score(haystack, matcher).is_none() || fuzzy.indices(haystack, matcher, &mut places).is_none() {
        return false;
    }
    let (first, last) = (places.iter().min(), places.iter().max());
    last.zip(first).is_none_or(|(last, first)| (last - first) as usize <= spread_max)
}

impl Term {
    /// Reads `word`, `!word`, `action:word`; only a filter knows of more than names.
    fn new(text: &str, filters: bool) -> Self {
        let (not, text) = match text.strip_prefix('!').filter(|rest| filters && !rest.is_empty()) {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let about = text.split_once(':').filter(|(about, _)| filters && ABOUT.contains(about));
        let (about, word) = about.map_or((None, text), |(about, word)| (Some(about.to_owned()), word));
        let atom = |kind| Atom::new(word, CaseMatching::Ignore, Normalization::Smart, kind, false);
        let fuzzy = word.chars().count() >= FUZZY_FROM;
        Self {
            not,
            about: if filters { about } else { None },
            word: if filters { word.to_lowercase() } else { String::new() },
            exact: atom(AtomKind::Substring),
            fuzzy: fuzzy.then(|| atom(AtomKind::Fuzzy)),
        }
    }

    /// True when it is the beginning of a word about the row; `is` is about state and decision alike.
    fn names(&self, about: &str, word: &str) -> bool {
        let about_it = match self.about.as_deref() {
            None => self.word.len() > 1,
            Some("is") => matches!(about, "is" | "state"),
            Some(wanted) => wanted == about,
        };
        about_it && !self.word.is_empty() && word.starts_with(&self.word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::diff::tests::world::World;

    fn found(text: &str) -> Vec<String> {
        let mut world =
            World::linked(&["Globex", "Globex/Website relaunch", "Globex/Website relaunch/Close-up photos"]);
        world.page("Showroom");
        world.page("Everything that somebody should have written down in some other room, or so");
        world.close_page("Globex/Website relaunch/Close-up photos");
        world.rename_page("Globex", "Globex Group");
        let plan = world.plan();
        let decisions =
            plan.changes.iter().map(|change| if change.name.exact() == "Showroom" { "approved" } else { "undecided" });
        let query = Query { mode: SearchMode::Filter, text: text.into(), number: 0, decisions: decisions.collect() };
        let matches = Haystack::new(&plan).find(&query);
        let named = |(at, change): (u32, &crate::domain::plan::Change)| {
            matches.contains(Subject::Change(at)).then(|| change.name.exact().chars().take(8).collect())
        };
        (0..).zip(&plan.changes).filter_map(named).collect()
    }

    #[test]
    fn words_are_found_in_names_actions_kinds_states_and_decisions() {
        for (text, names) in [
            ("showroom", &["Showroom"][..]),
            ("shwrm", &["Showroom"]),
            ("close", &["Close-up"]),
            ("action:create", &["Everythi", "Showroom"]),
            ("action:create !every", &["Showroom"]),
            ("kind:task", &["Close-up"]),
            ("is:approved", &["Showroom"]),
            ("is:undecided action:create", &["Everythi"]),
            ("update glo", &["Globex G"]),
            ("quartz", &[]),
            ("action:quartz", &[]),
        ] {
            assert_eq!(found(text), names, "{text}");
        }
    }
}
