//! Which tables of a Notion workspace hold the clients, the projects and the tasks, as far as their titles and columns
//! tell. Nothing is read for it but what a search shows.
//!
//! ```text
//! tables ─ own evidence ─ evidence of the relations ─ the best client ◂ project ◂ task ─ Discovery
//! ```
//!
//! | evidence | percent |
//! |---|---|
//! | a text column for the Clockify ID of this kind | 45 |
//! | the title is a word for this kind, and nothing else | 40 |
//! | the title ends with such a word | 30 |
//! | a relation to a table that looks like the parent kind | 30 |
//! | a table relates to it by a column that is called a word for this kind | 25 |
//! | a table that looks like the child kind relates to it | 15 |
//! | something that can say that a row is closed | 5 |
//! | the title says that it is a copy, old, an archive or an example | −25 |

mod fit;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use super::{
    model::{Kind, PageId, PerKind},
    text::{Raw, Shown},
};

pub use fit::{Fit, fit};

/// How sure a proposal must be to be taken without asking, in percent.
pub const CLEAR_FROM: u8 = 60;
/// By how much another way to choose must be worse for each table that it exchanges.
const MARGIN: u32 = 20;
/// Evidence from which on a table looks like a kind.
const LOOKS_LIKE: u32 = 25;
/// What a relation between two chosen tables counts for both together.
const CHAINED: u32 = 80;
/// Tables of a kind that are weighed against each other, and shown to a person.
pub const CANDIDATES_MAX: usize = 10;
/// The highest confidence: nobody has said so yet.
const SURE: u32 = 99;
/// Columns of a name in a reason.
const NAME_COLUMNS: usize = 24;

/// A table of the workspace: what Notion calls a data source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub id: PageId,
    /// The database that it is in.
    pub database: Option<PageId>,
    /// The page that the database is on.
    pub page: Option<PageId>,
    pub title: Raw,
    pub columns: Vec<Column>,
}

/// A column of a table: what Notion calls a property.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    pub name: Raw,
    /// Its type, e.g. `rich_text`.
    pub kind: String,
    /// The options of a select or status.
    pub options: Vec<Raw>,
    /// The groups of a status, each with its options.
    pub groups: Vec<(Raw, Vec<Raw>)>,
    /// The table that a relation points to.
    pub target: Option<PageId>,
}

/// What was found for each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovery(pub PerKind<Vec<Candidate>>);

/// A table that may hold a kind. The first of its kind is the proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its place among the tables that were looked at.
    pub table: usize,
    /// How sure that is, in percent.
    pub confidence: u8,
    /// What speaks for it, and against.
    pub reasons: Vec<String>,
    /// True where nothing else comes near, so that nobody needs to be asked.
    pub is_clear: bool,
}

impl Discovery {
    /// Weighs all tables; of a kind that somebody has chosen already, that one alone counts.
    pub fn of(tables: &[Table], chosen: &PerKind<Option<PageId>>) -> Self {
        let weighed = PerKind::from_fn(|kind| weigh(tables, kind, chosen[kind]));
        let [clients, projects, tasks] = Kind::ALL.map(|kind| &weighed[kind]);
        // The best choice of three with each candidate. A kind without any does not keep the others from being found.
        let mut with: PerKind<Vec<Choice>> =
            PerKind::from_fn(|kind| vec![Choice::default(); weighed[kind].len().max(1)]);
        for client in places(clients) {
            for project in places(projects) {
                for task in places(tasks) {
                    let at = PerKind { clients: client, projects: project, tasks: task };
                    let Some(total) = total(tables, &weighed, &at) else { continue };
                    for kind in Kind::ALL {
                        let known = &mut with[kind][at[kind]];
                        if total > known.total {
                            *known = Choice { total, at: at.clone() };
                        }
                    }
                }
            }
        }
        // Of equals the first.
        let best = with.tasks.iter().rev().max_by_key(|choice| choice.total).cloned().unwrap_or_default();
        Self(PerKind::from_fn(|kind| {
            let mut order: Vec<usize> = (0..weighed[kind].len()).collect();
            order.sort_by_key(|&place| (place != best.at[kind], Reverse(with[kind][place].total)));
            let is_alone = order.get(1).is_none_or(|&next| best.is_clear_of(&with[kind][next]));
            let is_chosen = chosen[kind].is_some();
            let candidate = |(rank, place): (usize, usize)| {
                let Weighed { table, score, reasons } = weighed[kind][place].clone();
                let is_sure = score >= u32::from(CLEAR_FROM) && is_alone;
                Candidate {
                    table,
                    confidence: u8::try_from(if is_chosen { 100 } else { score.min(SURE) }).unwrap_or(u8::MAX),
                    reasons,
                    is_clear: rank == 0 && (is_chosen || is_sure),
                }
            };
            order.into_iter().enumerate().map(candidate).collect()
        }))
    }

    /// The proposal for a kind.
    pub fn best(&self, kind: Kind) -> Option<&Candidate> {
        self.0[kind].first()
    }

    /// True where every kind has a proposal that nobody needs to be asked about.
    pub fn is_clear(&self) -> bool {
        Kind::ALL.into_iter().all(|kind| self.best(kind).is_some_and(|best| best.is_clear))
    }
}

/// One candidate for each kind, by their places, and what that is worth.
#[derive(Clone, Default)]
struct Choice {
    total: u32,
    at: PerKind<usize>,
}

impl Choice {
    /// True where this is so much better that nobody needs to be asked. What exchanges more tables must be worse by
    /// more.
    fn is_clear_of(&self, other: &Self) -> bool {
        let exchanged = Kind::ALL.into_iter().filter(|&kind| self.at[kind] != other.at[kind]);
        self.total >= other.total + exchanged.map(|_| MARGIN).sum::<u32>()
    }
}

/// A table, and what speaks for it as a kind.
#[derive(Clone, Debug)]
struct Weighed {
    table: usize,
    score: u32,
    reasons: Vec<String>,
}

/// The places of the candidates of a kind; one that stands for nothing where there is none.
fn places(weighed: &[Weighed]) -> std::ops::Range<usize> {
    0..weighed.len().max(1)
}

/// What a choice of three is worth; nothing where two are the same table.
fn total(tables: &[Table], weighed: &PerKind<Vec<Weighed>>, at: &PerKind<usize>) -> Option<u32> {
    let chosen = PerKind::from_fn(|kind| weighed[kind].get(at[kind]));
    let mut total = 0;
    for kind in Kind::ALL {
        let Some(one) = chosen[kind] else { continue };
        total += one.score;
        let others = Kind::ALL.into_iter().filter(|other| *other != kind);
        if others.filter_map(|other| chosen[other]).any(|other| other.table == one.table) {
            return None;
        }
        if let Some(parent) = kind.parent().and_then(|parent| chosen[parent])
            && relates(&tables[one.table], tables[parent.table].id)
        {
            total += CHAINED;
        }
    }
    Some(total)
}

fn relates(table: &Table, to: PageId) -> bool {
    table.columns.iter().any(|column| column.target == Some(to))
}

/// The likeliest tables of a kind, the best first.
fn weigh(tables: &[Table], kind: Kind, chosen: Option<PageId>) -> Vec<Weighed> {
    let is_meant = |table: &Table| chosen.is_none_or(|chosen| table.id == chosen || table.database == Some(chosen));
    let meant = tables.iter().enumerate().filter(|(_, table)| is_meant(table));
    let mut weighed: Vec<Weighed> = meant.map(|(place, table)| evidence(tables, place, table, kind)).collect();
    weighed.retain(|weighed| chosen.is_some() || weighed.score > 0);
    weighed.sort_by_key(|weighed| Reverse(weighed.score));
    weighed.truncate(CANDIDATES_MAX);
    weighed
}

fn evidence(tables: &[Table], place: usize, table: &Table, kind: Kind) -> Weighed {
    let mut found = own(table, kind);
    let child = Kind::ALL.into_iter().find(|child| child.parent() == Some(kind));
    if let Some(parent) = kind.parent() {
        let looks = |id| tables.iter().find(|other| other.id == id).filter(|other| looks_like(other, parent));
        let target = table.columns.iter().filter_map(|column| column.target).find_map(looks);
        if let Some(target) = target.filter(|target| target.id != table.id) {
            found.add(30, format!("related to {}", quoted(&target.title)));
        }
    }
    let others = || tables.iter().filter(|other| other.id != table.id);
    let names_it = |other: &&Table| {
        let pointing = other.columns.iter().filter(|column| column.target == Some(table.id));
        pointing.into_iter().any(|column| kind_in(&column.name).is_some_and(|(named, _)| named == kind))
    };
    if let Some(other) = others().find(names_it) {
        found.add(25, format!("{} names its {kind} here", quoted(&other.title)));
    }
    if let Some(child) = child
        && let Some(other) = others().find(|other| relates(other, table.id) && looks_like(other, child))
    {
        found.add(15, format!("{} are related to it", quoted(&other.title)));
    }
    if found.score > 0 && fit::closed(kind, table).is_some() {
        found.score += 5;
    }
    if found.score > 0 && is_set_aside(&table.title) {
        found.score = found.score.saturating_sub(25);
        found.reasons.push("its title says that it is not in use".to_owned());
    }
    Weighed { table: place, score: found.score, reasons: found.reasons }
}

/// What speaks for something.
#[derive(Default)]
struct Found {
    score: u32,
    reasons: Vec<String>,
}

impl Found {
    fn add(&mut self, score: u32, reason: String) {
        self.score += score;
        self.reasons.push(reason);
    }
}

/// What a table says by itself.
fn own(table: &Table, kind: Kind) -> Found {
    let mut found = Found::default();
    match kind_in(&table.title) {
        Some((named, true)) if named == kind => found.add(40, "its title".to_owned()),
        Some((named, false)) if named == kind => found.add(30, "its title".to_owned()),
        _ => {}
    }
    if let Some(id) = fit::id(kind, table).filter(|id| kind_in(&id.name).is_some_and(|(named, _)| named == kind)) {
        found.add(45, format!("{} for the ID", quoted(&id.name)));
    }
    found
}

fn looks_like(table: &Table, kind: Kind) -> bool {
    own(table, kind).score >= LOOKS_LIKE
}

/// How words for a kind begin, in the languages in which many workspaces are kept.
fn stems(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Client => &[
            "client",
            "customer",
            "kunde",
            "kund",
            "klient",
            "mandant",
            "cliente",
            "auftraggeber",
            "compan",
            "account",
        ],
        Kind::Project => &["project", "projekt", "proyecto", "projet", "progett", "projeto", "engagement"],
        Kind::Task => &["task", "todo", "aufgabe", "tarea", "tâche", "tache", "attivit", "tarefa", "ticket", "issue"],
    }
}

/// The kind that a title or name is about, and whether it says nothing else. The last word decides: client projects are
/// projects.
fn kind_in(name: &Raw) -> Option<(Kind, bool)> {
    let words = words(name);
    let of_word = |word: &String| {
        let begins = |stem: &&str| word.strip_prefix(*stem).is_some_and(|rest| rest.chars().count() <= 3);
        Kind::ALL.into_iter().find(|&kind| stems(kind).iter().any(begins))
    };
    let kind = words.iter().rev().find_map(of_word)?;
    Some((kind, words.len() == 1))
}

/// The words of a name in small letters; what joins two to one is left out.
fn words(name: &Raw) -> Vec<String> {
    let text = name.canonical().as_str().to_lowercase().replace("to-do", "todo").replace("to do", "todo");
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// True for a title such as “Clients (copy)”, “Old projects”.
fn is_set_aside(title: &Raw) -> bool {
    const WORDS: [&str; 16] = [
        "copy", "kopie", "copia", "copie", "old", "alt", "alte", "archive", "archived", "archiv", "backup", "template",
        "vorlage", "test", "example", "demo",
    ];
    words(title).iter().any(|word| WORDS.contains(&word.as_str()))
}

fn quoted(name: &Raw) -> String {
    format!("“{}”", Shown::of(name.exact()).clipped(NAME_COLUMNS))
}
