//! What a change does: the one table of what people see of an action, and of how sure it must be.

use std::{
    fmt,
    ops::{Index, IndexMut},
};

use serde::{Deserialize, Serialize, Serializer};
use strum::{EnumCount, IntoStaticStr};

/// What a change does, in the order in which the changes of one page are listed.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, EnumCount, IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Action {
    /// Empties the ID property of a page that has somebody else's ID.
    ClearClaim,
    /// Takes an object that exists for the page's, and writes its ID into the page.
    Link,
    /// Creates the object, and writes its ID into the page.
    Create,
    /// Makes the object active again.
    Reopen,
    /// Puts a project under another client. A task cannot be moved: it is created again and the old one is closed.
    Move,
    /// Changes fields of the object, or of the page where Clockify's value wins.
    Update,
    /// Writes the ID that the registry knows into the page.
    WriteBack,
    /// Archives a client or project, sets a task DONE.
    Close,
    /// Files time entries of one person on the object, which they belong to.
    Refile,
    /// Writes nothing: remembers that both sides differ on purpose. Only as an alternative.
    Accept,
}

/// How sure a change must be for policy to approve it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// At this confidence, in percent, or above.
    At(u8),
    /// Only by a person.
    Never,
}

impl Threshold {
    /// True when policy may approve at this confidence.
    pub fn admits(self, confidence: u8) -> bool {
        match self {
            Self::At(least) => confidence >= least,
            Self::Never => false,
        }
    }
}

/// What sort of thing an action does; those of one sort have one colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Opens,
    Links,
    Changes,
    Closes,
    Odd,
}

/// A row of the table.
struct ActionRow {
    action: Action,
    /// On screen, and as an argument.
    word: &'static str,
    /// With all of Unicode, and with ASCII alone.
    symbol: [&'static str; 2],
    sort: Sort,
    /// What happens, where the word alone does not say it.
    label: &'static str,
    /// Unless something else is configured.
    threshold: Threshold,
    /// Its places where the order is not that of the table: among counted changes, and among hashed thresholds.
    places: [u8; 2],
}

/// In the order of the help, and of the summary in `plan/1`.
#[rustfmt::skip]
#[allow(clippy::enum_glob_use, reason = "a row is to be one line")]
const TABLE: [ActionRow; Action::COUNT] = {
    use {Action::*, Sort::*, Threshold::*};
    const fn row(
        action: Action, word: &'static str, symbol: [&'static str; 2], sort: Sort, threshold: Threshold, places: [u8; 2],
        label: &'static str,
    ) -> ActionRow {
        ActionRow { action, word, symbol, sort, label, threshold, places }
    }
    [
        row(Create,     "create",      ["+", "+"], Opens,   At(90),  [0, 0], ""),
        row(Link,       "link",        ["=", "="], Links,   At(90),  [1, 1], ""),
        row(Update,     "update",      ["~", "~"], Changes, At(95),  [2, 2], ""),
        row(Close,      "close",       ["-", "-"], Closes,  At(100), [5, 5], ""),
        row(Reopen,     "reopen",      ["↺", "^"], Opens,   At(95),  [4, 4], ""),
        row(Move,       "move",        ["→", ">"], Changes, At(100), [3, 6], ""),
        row(WriteBack,  "write-back",  ["←", "<"], Links,   At(95),  [6, 3], "an ID or a value goes into the page"),
        row(Refile,     "refile",      ["»", "@"], Changes, Never,   [9, 9], "time entries go to the object that they belong to"),
        row(ClearClaim, "clear-claim", ["×", "x"], Odd,     Never,   [7, 7], "an ID that a page was copied with is taken out"),
        row(Accept,     "accept",      ["·", "."], Odd,     Never,   [8, 8], ""),
    ]
};

/// Where each action stands in the table: without a row of its own none does.
const ROWS: [usize; Action::COUNT] = {
    let mut rows = [Action::COUNT; Action::COUNT];
    let mut at = 0;
    while at < TABLE.len() {
        assert!(rows[TABLE[at].action as usize] == Action::COUNT, "an action has two rows");
        rows[TABLE[at].action as usize] = at;
        at += 1;
    }
    rows
};

impl Action {
    fn row(self) -> &'static ActionRow {
        &TABLE[ROWS[self as usize]]
    }

    /// Those that a plan can propose, in the order of the table.
    pub fn proposed() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.action).filter(|action| *action != Self::Accept)
    }

    /// Those that a plan can propose, in the order in which changes are counted.
    pub fn counted() -> impl Iterator<Item = Self> {
        Self::by_place(0)
    }

    /// Those that a plan can propose, in the order in which their thresholds have always been hashed.
    pub(super) fn hashed() -> impl Iterator<Item = Self> {
        Self::by_place(1)
    }

    fn by_place(order: usize) -> impl Iterator<Item = Self> {
        let mut actions: Vec<Self> = Self::proposed().collect();
        actions.sort_unstable_by_key(|action| action.row().places[order]);
        actions.into_iter()
    }

    /// The word on screen: `write-back`.
    pub fn word(self) -> &'static str {
        self.row().word
    }

    /// What formats and the configuration call it: `write_back`.
    pub fn key(self) -> &'static str {
        self.into()
    }

    /// The symbol on paper and in the console.
    pub fn symbol(self, unicode: bool) -> &'static str {
        self.row().symbol[usize::from(!unicode)]
    }

    /// What happens, where the word alone does not say it.
    pub fn label(self) -> Option<&'static str> {
        Some(self.row().label).filter(|label| !label.is_empty())
    }

    /// What sort of thing it does.
    pub fn sort(self) -> Sort {
        self.row().sort
    }

    /// How sure it must be unless something else is configured.
    pub(super) fn threshold(self) -> Threshold {
        self.row().threshold
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.word())
    }
}

/// One value for each action. In formats, those of the actions that a plan can propose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerAction<T>([T; Action::COUNT]);

impl<T> PerAction<T> {
    /// Makes one value for each action.
    pub fn from_fn(make: impl Fn(Action) -> T) -> Self {
        Self(ROWS.map(|row| make(TABLE[row].action)))
    }
}

impl<T> Index<Action> for PerAction<T> {
    type Output = T;
    fn index(&self, action: Action) -> &T {
        &self.0[action as usize]
    }
}

impl<T> IndexMut<Action> for PerAction<T> {
    fn index_mut(&mut self, action: Action) -> &mut T {
        &mut self.0[action as usize]
    }
}

impl<T: Serialize> Serialize for PerAction<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Action::proposed().map(|action| (action.key(), &self[action])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_what_every_action_does() {
        let page = include_str!("../../assets/docs/changes.md");
        let table = page.split_once("| word | what happens |\n|---|---|\n").expect("a table").1;
        let rows = table.lines().take_while(|line| line.starts_with('|'));
        let words = rows.filter_map(|row| row.split('|').nth(1)).flat_map(|words| words.split(','));
        let mut named: Vec<&str> = words.map(str::trim).collect();
        let mut words: Vec<&str> = Action::proposed().map(Action::word).collect();
        named.sort_unstable();
        words.sort_unstable();
        assert_eq!(named, words);
    }
}
