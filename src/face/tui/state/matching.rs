//! What a search or a filter finds in a plan. It takes as long as it takes, away from the thread that draws.

use std::collections::{HashMap, HashSet};

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{Atom, AtomKind, CaseMatching, Normalization},
};

use super::{
    filter::{About, Term, folded},
    subject::Subject,
};
use crate::domain::{model::PageId, plan::Plan};

/// How far the letters of a fuzzy match may lie apart: so many places for each, and some more. Letters strewn over a
/// long name are no match.
const SPREAD: (usize, usize) = (2, 4);
/// Letters from which on a text is looked for fuzzily.
const FUZZY_FROM: usize = 3;

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SearchMode {
    /// Names that contain the text, or, where none does, come near it: the matches are gone to.
    Search,
    /// Rows for which every term holds. Everything else is hidden, and what is shown can be decided about at once, so
    /// that nothing is taken for nearly the same here.
    Filter,
}

/// A question to the plan.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) mode: SearchMode,
    /// What is searched for.
    pub(crate) text: String,
    /// What is filtered by.
    pub(crate) terms: Vec<Term>,
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
    /// Nothing has the text as it was typed: these come near it.
    pub(crate) only_near: bool,
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

/// What is said about a row besides its name: kind, action, state, what it is besides, and why it waits.
#[derive(Clone, Copy, Default)]
struct Words {
    kind: &'static str,
    action: &'static str,
    state: &'static str,
    besides: &'static str,
    hold: &'static str,
}

/// What is known of a row.
struct Entry {
    /// As names are compared.
    name: Box<str>,
    words: Words,
    /// The client that it belongs to, or is.
    client: Option<PageId>,
}

/// A plan's names and words, put together once.
pub(crate) struct Haystack {
    changes: Vec<Entry>,
    notices: Vec<Entry>,
    /// Pages that have a row of their own: those without a change, and those with several.
    pages: Vec<(PageId, Entry)>,
    clients: HashMap<PageId, Box<str>>,
}

impl Haystack {
    pub(crate) fn new(plan: &Plan) -> Self {
        let name = |name: &crate::domain::text::Raw| folded(name.canonical().as_str()).into_boxed_str();
        let mut clients = HashMap::new();
        let mut client_of = |page: PageId| {
            let mut at = page;
            // A chain of parents is no longer than there are kinds.
            for _ in 0..3 {
                at = plan.places.get(&at).and_then(|place| place.parent).unwrap_or(at);
            }
            let place = plan.places.get(&at)?;
            clients.entry(at).or_insert_with(|| name(&place.name));
            Some(at)
        };
        let changes = plan.changes.iter().map(|change| {
            let words = Words {
                kind: change.kind.word(),
                action: change.proposal.action.word(),
                state: change.state.into(),
                besides: if change.is_contested() { "conflict" } else { "" },
                hold: change.hold.as_ref().map_or("", |hold| hold.code.word()),
            };
            Entry { name: name(&change.name), words, client: client_of(change.page) }
        });
        let changes = changes.collect();
        let notices = plan.notices.iter().map(|notice| {
            let words =
                Words { kind: notice.kind.word(), state: "notice", hold: notice.code.word(), ..Words::default() };
            Entry { name: name(&notice.name), words, client: notice.page.and_then(&mut client_of) }
        });
        let notices = notices.collect();
        let mut own: HashMap<PageId, usize> = HashMap::new();
        for change in &plan.changes {
            *own.entry(change.page).or_default() += 1;
        }
        let pages = plan.places.iter().filter(|(page, _)| own.get(page) != Some(&1));
        let pages = pages.map(|(page, place)| {
            (*page, Entry { name: name(&place.name), words: Words::default(), client: client_of(*page) })
        });
        let pages = pages.collect();
        Self { changes, notices, pages, clients }
    }

    /// Looks through all of it.
    pub(crate) fn find(&self, query: &Query) -> Matches {
        match query.mode {
            SearchMode::Filter => self.matches(|entry, decision| self.fits(&query.terms, entry, decision), query),
            SearchMode::Search => {
                let text = folded(&query.text);
                let exact = self.matches(|entry, _| entry.name.contains(&text), query);
                let letters = text.chars().count();
                if exact.count() > 0 || letters < FUZZY_FROM {
                    return exact;
                }
                let (each, more) = SPREAD;
                let fuzzy = Atom::new(&text, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy, false);
                let (mut matcher, mut buffer) = (Matcher::new(Config::DEFAULT), Vec::new());
                let near = self.matches(
                    |entry, _| {
                        let name = Utf32Str::new(&entry.name, &mut buffer);
                        is_close(&fuzzy, name, &mut matcher, each * letters + more)
                    },
                    query,
                );
                Matches { only_near: true, ..near }
            }
        }
    }

    /// What passes a test, which is told what was decided about each row.
    fn matches(&self, mut passes: impl FnMut(&Entry, &str) -> bool, query: &Query) -> Matches {
        let decision = |at: usize| query.decisions.get(at).copied().unwrap_or_default();
        Matches {
            changes: self.changes.iter().enumerate().map(|(at, entry)| passes(entry, decision(at))).collect(),
            notices: self.notices.iter().map(|entry| passes(entry, "")).collect(),
            pages: self.pages.iter().filter(|(_, entry)| passes(entry, "")).map(|(page, _)| *page).collect(),
            only_near: false,
        }
    }

    fn fits(&self, terms: &[Term], entry: &Entry, decision: &str) -> bool {
        let Words { kind, action, state, besides, hold } = entry.words;
        terms.iter().all(|term| {
            let begins = |word: &str| word.starts_with(&term.word);
            let has = match term.about {
                None => entry.name.contains(&term.word),
                Some(About::Is) => begins(decision) || begins(state) || begins(besides),
                Some(About::Kind) => begins(kind),
                Some(About::Action) => begins(action),
                Some(About::Hold) => begins(hold),
                Some(About::State) => begins(state),
                Some(About::Client) => {
                    let client = entry.client.and_then(|client| self.clients.get(&client));
                    client.is_some_and(|name| name.contains(&term.word))
                }
            };
            has != term.not
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{domain::diff::tests::world::World, face::tui::state::filter::parsed};

    fn plan() -> Plan {
        let mut world =
            World::linked(&["Globex", "Globex/Website relaunch", "Globex/Website relaunch/Close-up photos"]);
        world.page("Showroom");
        world.page("Écran d'accueil");
        world.page("Everything that somebody should have written down in some other room, or so");
        world.close_page("Globex/Website relaunch/Close-up photos");
        world.rename_page("Globex", "Globex Group");
        world.plan()
    }

    fn found_by(mode: SearchMode, text: &str) -> (Vec<String>, bool) {
        let plan = plan();
        let decisions =
            plan.changes.iter().map(|change| if change.name.exact() == "Showroom" { "approved" } else { "undecided" });
        let decisions = decisions.collect();
        let terms = if mode == SearchMode::Filter { parsed(text, &BTreeMap::new()).expect(text) } else { Vec::new() };
        let matches = Haystack::new(&plan).find(&Query { mode, text: text.into(), terms, number: 0, decisions });
        let named = |(at, change): (u32, &crate::domain::plan::Change)| {
            matches.contains(Subject::Change(at)).then(|| change.name.exact().chars().take(8).collect())
        };
        ((0..).zip(&plan.changes).filter_map(named).collect(), matches.only_near)
    }

    #[test]
    fn a_filter_takes_names_for_what_they_contain_and_nothing_for_nearly_the_same() {
        for (text, names) in [
            ("showroom", &["Showroom"][..]),
            ("room show", &["Showroom"]),
            ("shwrm", &[]),
            ("ECRAN ACC", &["Écran d'"]),
            ("écran", &["Écran d'"]),
            ("close", &["Close-up"]),
            ("create", &[]),
            ("action:create", &["Everythi", "Showroom", "Écran d'"]),
            ("action:create !every", &["Showroom", "Écran d'"]),
            ("kind:task", &["Close-up"]),
            ("is:approved", &["Showroom"]),
            ("is:undecided action:create room", &["Everythi"]),
            ("action:update glo", &["Globex G"]),
            ("client:group", &["Globex G", "Close-up"]),
            ("client:show", &["Showroom"]),
            ("is:conflict", &[]),
            ("!is:conflict kind:cli action:u", &["Globex G"]),
            ("quartz", &[]),
        ] {
            assert_eq!(found_by(SearchMode::Filter, text).0, names, "{text}");
        }
    }

    #[test]
    fn a_search_comes_near_where_nothing_is_exact() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(found_by(SearchMode::Search, "ecran"), (names(&["Écran d'"]), false));
        assert_eq!(found_by(SearchMode::Search, "shwrm"), (names(&["Showroom"]), true));
        assert_eq!(found_by(SearchMode::Search, "is:approved"), (names(&[]), true));
    }
}
