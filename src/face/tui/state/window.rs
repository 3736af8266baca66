//! The log as the console shows it: a window on it that moves, and the questions that fill it. However long the log is,
//! only the window is here.

use std::collections::VecDeque;

use jiff::Timestamp;
use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{CaseMatching, Normalization, Pattern},
};

use super::{matching::is_close, stepped};
use crate::domain::{audit::Level, journal::RunId, model::PageId, plan::ChangeId, text::Shown};

/// Entries that are fetched at a time.
pub(crate) const FETCHED: usize = 300;
/// Entries that are looked through for one answer; where that finds too few, the next answer goes on.
pub(crate) const LOOKED_THROUGH_MAX: usize = 20_000;
/// Entries that are kept.
const KEPT_MAX: usize = 3000;
/// How near to the end of what is here more is asked for.
const MARGIN: usize = 60;

/// One entry on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) n: u64,
    pub(crate) at: Timestamp,
    pub(crate) level: Level,
    pub(crate) text: Shown,
    /// The event as it is stored, for everything that there is to know.
    pub(crate) body: String,
    pub(crate) run: Option<RunId>,
    pub(crate) page: Option<PageId>,
    pub(crate) change: Option<ChangeId>,
}

/// Which entries are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    First,
    Last,
    /// Before this number.
    Older(u64),
    /// After this number.
    Newer(u64),
}

/// A question to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// How often something was asked before: an answer to an earlier question is no news.
    pub(crate) number: u64,
    pub(crate) filter: String,
    pub(crate) ask: Ask,
}

/// What the log answers.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) question: Question,
    /// From the oldest to the latest.
    pub(crate) lines: Vec<Line>,
    /// The last entry that was looked at, in the direction that was asked for; nothing where there was none.
    pub(crate) reached: Option<u64>,
    /// True where there may be more in that direction.
    pub(crate) more: bool,
    /// What the filter is about, in a word, and what was changed of it, a line each.
    pub(crate) about: Shown,
    pub(crate) changed: Vec<Shown>,
    /// How many entries the log has, and the number of the last.
    pub(crate) entries: u64,
    pub(crate) last: u64,
}

/// The window.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Logs {
    pub(crate) filter: String,
    pub(crate) about: Shown,
    pub(crate) changed: Vec<Shown>,
    pub(crate) lines: VecDeque<Line>,
    pub(crate) at: usize,
    pub(crate) follow: bool,
    /// Whether everything of the chosen entry is shown, scrolled by so much.
    pub(crate) open: Option<u16>,
    pub(crate) entries: u64,
    /// Why the filter is none.
    pub(crate) wrong: Shown,
    pub(crate) waiting: bool,
    older: bool,
    newer: bool,
    low: u64,
    high: u64,
    next: Option<Ask>,
    stale: bool,
    asked: u64,
}

impl Logs {
    /// Looks at what a filter selects, from its end.
    pub(crate) fn filter_by(&mut self, filter: String) {
        self.filter = filter;
        self.wrong = Shown::default();
        (self.next, self.waiting) = (Some(Ask::Last), false);
    }

    /// Shows everything of the entry, or hides it again.
    pub(crate) fn toggle(&mut self) {
        self.open = if self.open.is_some() { None } else { self.current().map(|_| 0) };
    }

    /// Something was added to the log.
    pub(crate) fn grew(&mut self) {
        self.stale = true;
    }

    /// Moves by so many entries; to an end goes where the log has it.
    pub(crate) fn go(&mut self, by: isize) {
        if let Some(scroll) = &mut self.open {
            let by = i16::try_from(by.clamp(-1000, 1000)).unwrap_or_default();
            *scroll = scroll.saturating_add_signed(by);
            return;
        }
        self.follow &= by > 0;
        match by {
            isize::MIN if self.older => self.next = Some(Ask::First),
            isize::MAX if self.newer => self.next = Some(Ask::Last),
            _ => self.at = stepped(self.at, by, self.lines.len()),
        }
    }

    /// The entry under the cursor.
    pub(crate) fn current(&self) -> Option<&Line> {
        self.lines.get(self.at)
    }

    /// What has to be asked next, if anything.
    pub(crate) fn wants(&mut self) -> Option<Question> {
        if self.waiting || !self.wrong.is_empty() {
            return None;
        }
        let near_end = self.at + MARGIN >= self.lines.len();
        let ask = match self.next.take() {
            Some(ask) => ask,
            None if self.older && self.at < MARGIN => Ask::Older(self.low),
            None if near_end && self.newer || self.follow && self.stale => Ask::Newer(self.high),
            None => return None,
        };
        (self.waiting, self.stale) = (true, false);
        self.asked += 1;
        Some(Question { number: self.asked, filter: self.filter.clone(), ask })
    }

    /// Takes an answer in.
    pub(crate) fn answered(&mut self, answer: Answer) {
        let Answer { question, lines, reached, more, about, changed, entries, last } = answer;
        if question.number != self.asked {
            return;
        }
        self.waiting = false;
        self.entries = entries;
        let fresh = lines.len();
        match question.ask {
            Ask::First | Ask::Last => {
                self.lines = lines.into();
                (self.about, self.changed) = (about, changed);
                let from_end = question.ask == Ask::Last;
                self.at = if from_end { self.lines.len().saturating_sub(1) } else { 0 };
                (self.older, self.newer) = (from_end && more, !from_end && more);
                (self.low, self.high) = if from_end { (reached.unwrap_or(1), last) } else { (0, reached.unwrap_or(0)) };
            }
            Ask::Older(_) => {
                lines.into_iter().rev().for_each(|line| self.lines.push_front(line));
                self.at += fresh;
                (self.older, self.low) = (more, reached.unwrap_or(self.low));
                if self.lines.len() > KEPT_MAX {
                    self.lines.truncate(KEPT_MAX);
                    (self.newer, self.high) = (true, self.last());
                }
            }
            Ask::Newer(_) => {
                self.lines.extend(lines);
                (self.newer, self.high) = (more, reached.unwrap_or(self.high));
                let over = self.lines.len().saturating_sub(KEPT_MAX);
                if over > 0 {
                    self.lines.drain(..over);
                    self.at = self.at.saturating_sub(over);
                    (self.older, self.low) = (true, self.lines.front().map_or(0, |line| line.n));
                }
                if self.follow {
                    self.at = self.lines.len().saturating_sub(1);
                }
            }
        }
        self.at = self.at.min(self.lines.len().saturating_sub(1));
    }

    /// The question could not be answered.
    pub(crate) fn refused(&mut self, number: u64, because: Shown) {
        if number == self.asked {
            (self.waiting, self.wrong) = (false, because);
        }
    }

    fn last(&self) -> u64 {
        self.lines.back().map_or(0, |line| line.n)
    }

    /// A filter as it is meant: exchanges, which are most of a log, are shown only where `level:debug` asks for them.
    pub(crate) fn meant(filter: &str) -> String {
        if filter.contains("level:") { filter.to_owned() } else { format!("{filter} level:info") }
    }

    /// The filter with another level, or with none.
    pub(crate) fn next_level(&self) -> String {
        let level = self.filter.split_whitespace().find_map(|word| word.strip_prefix("level:"));
        let next = match level {
            None | Some("info") => Some("warn"),
            Some("warn") => Some("error"),
            Some("error") => Some("debug"),
            Some(_) => None,
        };
        let rest = self.filter.split_whitespace().filter(|word| !word.starts_with("level:")).map(str::to_owned);
        rest.chain(next.map(|level| format!("level:{level}"))).collect::<Vec<_>>().join(" ")
    }
}

/// Finds lines by words that may be mistyped; all of them must be there.
pub(crate) struct Seeker {
    /// In lower case.
    pub(crate) words: Vec<String>,
    /// True where words that are mistyped are not looked for.
    pub(crate) is_exact: bool,
    pattern: Pattern,
    matcher: Matcher,
    buffer: Vec<char>,
}

impl Seeker {
    pub(crate) fn new(text: &str) -> Self {
        let pattern = Pattern::parse(text, CaseMatching::Ignore, Normalization::Smart);
        let words = text.split_whitespace().map(str::to_lowercase).collect();
        Self { words, is_exact: false, pattern, matcher: Matcher::new(Config::DEFAULT), buffer: Vec::new() }
    }

    /// True where every word is there as it is.
    pub(crate) fn has_words(&self, line: &str) -> bool {
        let lower = line.to_lowercase();
        self.words.iter().all(|word| lower.contains(word))
    }

    /// True where every word is there as it is, or its letters are near each other in their order.
    pub(crate) fn fits(&mut self, line: &str) -> bool {
        if self.is_exact {
            return self.has_words(line);
        }
        let lower = line.to_lowercase();
        self.words.iter().zip(&self.pattern.atoms).all(|(word, atom)| {
            if lower.contains(word) {
                return true;
            }
            let haystack = Utf32Str::new(line, &mut self.buffer);
            let letters = word.chars().count();
            letters >= 4 && is_close(atom, haystack, &mut self.matcher, 2 * letters)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_whatever_their_case_and_with_letters_missing() {
        for (text, fits) in [
            ("website acme", true),
            ("WEBSITE", true),
            ("webste", true),
            ("acme globex", false),
            ("wte", false),
            ("", true),
        ] {
            assert_eq!(Seeker::new(text).fits("update project “Website” of Acme"), fits, "{text}");
        }
    }

    #[test]
    fn the_level_goes_round() {
        let mut logs = Logs { filter: "acme".into(), ..Logs::default() };
        for expected in ["acme level:warn", "acme level:error", "acme level:debug", "acme"] {
            logs.filter = logs.next_level();
            assert_eq!(logs.filter, expected);
        }
    }
}
