//! Where the review stands, and what each command does to it: from one undecided change to the next. Pure.

use std::sync::Arc;

use super::{
    command::{self, Command, Offer},
    show,
};
use crate::{
    domain::{
        entry, four_eyes,
        model::{Field, PageId},
        plan::{Plan, State, field_word},
        review::{Decision, Review, Tally},
    },
    face::text::{Styling, put},
};

/// What a command brought about.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// What is printed about it, styled.
    pub(super) text: String,
    /// The changes whose verdicts are to be kept.
    pub(super) changed: Vec<usize>,
}

impl Answer {
    fn only(text: impl Into<String>) -> Self {
        Self { text: text.into(), changed: Vec::new() }
    }
}

/// A review, and the change in it that is at hand.
pub(super) struct Walk {
    pub(super) review: Review<Arc<Plan>>,
    /// Nothing at the end.
    at: Option<usize>,
    styling: Styling,
}

impl Walk {
    /// Starts at the first change that is undecided.
    pub(super) fn new(review: Review<Arc<Plan>>, styling: Styling) -> Self {
        let mut walk = Self { review, at: None, styling };
        walk.at = walk.undecided_from(0);
        walk
    }

    /// What can be done here.
    pub(super) fn offer(&self) -> Offer {
        let plan = self.review.plan();
        let offer = Offer { notices: !plan.notices.is_empty(), ..Offer::default() };
        let Some(at) = self.at else { return offer };
        let change = &plan.changes[at];
        Offer {
            change: true,
            held: change.state == State::Held,
            decided: self.review.verdict(at).decision.is_some(),
            ways: !change.alternatives.is_empty(),
            fields: !self.review.chosen_with_rejected(at).fields.is_empty() && change.state != State::Held,
            ..offer
        }
    }

    /// The client that the change at hand stands below.
    pub(super) fn client(&self) -> Option<PageId> {
        let plan = self.review.plan();
        plan.client_of(plan.changes[self.at?].page)
    }

    /// The change at hand, or that there is none.
    pub(super) fn here(&self) -> String {
        if let Some(at) = self.at {
            return format!("\n{}", show::change(&self.review, at, self.styling));
        }
        let tally = Tally::of(&self.review);
        let next = if tally.undecided > 0 { "n begins again with those that are undecided, " } else { "" };
        format!("\nThat was the last change: {}. {next}P applies what is approved, q leaves.\n", tally.words())
    }

    /// Does what needs nothing from outside; `Apply` and `Quit` are not for it.
    pub(super) fn act(&mut self, command: Command) -> Answer {
        match command {
            Command::Approve => self.decide(&Decision::Approve),
            Command::Skip => self.decide(&Decision::Skip),
            Command::Ignore => self.decide(&Decision::Ignore),
            Command::Flag(note) => self.decide(&Decision::Flag { note: note.unwrap_or_default() }),
            Command::Clear => self.clear(),
            Command::Way(way) => self.choose(way),
            Command::Field(word) => self.toggle(&word),
            Command::Edit(word, typed) => self.edit(&word, &typed),
            Command::Undo => self.undo(),
            Command::ApproveReady => self.approve_ready(),
            Command::Back => self.back(),
            Command::Next => self.next(),
            Command::Go(number) => self.go(number),
            Command::List(from) => Answer::only(show::list(&self.review, from, self.styling)),
            Command::Notices => Answer::only(show::notices(self.review.plan())),
            Command::Help => Answer::only(command::help()),
            Command::Apply | Command::Quit => Answer::default(),
        }
    }

    /// The first undecided change at or after a place.
    fn undecided_from(&self, place: usize) -> Option<usize> {
        (place..self.review.plan().changes.len()).find(|&at| self.review.is_open(at))
    }

    fn decide(&mut self, decision: &Decision) -> Answer {
        let Some(at) = self.at else { return nothing_here() };
        let before = Tally::of(&self.review).waiting;
        let changed = self.review.decide(&[at], Some(decision));
        let change = &self.review.plan().changes[at];
        let word = show::decision(Some(decision));
        if changed.is_empty() {
            let hold = change.hold.as_ref().filter(|_| *decision == Decision::Approve);
            return Answer::only(match hold {
                Some(hold) => format!("it is held and cannot be approved: {}\n", hold.text),
                None if *decision == Decision::Approve && self.review.has_own_approval(at) => {
                    format!("{}\n", four_eyes::again_words(&"it".into()))
                }
                None => format!("it is {word} already; n goes on\n"),
            });
        }
        let mut text = format!("{word}: {}", show::named(self.review.chosen(at).action, change));
        if changed.len() > 1 {
            put(&mut text, format_args!(", and {} that it needs", changed.len() - 1));
        }
        if self.review.lacks_second(at) {
            text.push_str("; it needs a second person");
        }
        let waits = self.waits(&changed);
        let waiting = Tally::of(&self.review).waiting.saturating_sub(before);
        if waits.is_empty() && waiting > 0 {
            put(&mut text, format_args!("; {waiting} approved before must wait"));
        }
        text.push_str(&waits);
        self.at = self.undecided_from(at + 1);
        Answer { text: format!("{text}\n{}", self.here()), changed }
    }

    fn clear(&mut self) -> Answer {
        let Some(at) = self.at else { return nothing_here() };
        let changed = self.review.decide(&[at], None);
        let text = if changed.is_empty() {
            "nothing is decided about it".to_owned()
        } else {
            format!("taken back\n{}", self.here())
        };
        Answer { text: line(text), changed }
    }

    fn choose(&mut self, way: usize) -> Answer {
        let Some(at) = self.at else { return nothing_here() };
        let ways = self.review.plan().changes[at].alternatives.len();
        if way > ways {
            return Answer::only(match ways {
                0 => "there is no other way to mend it\n".to_owned(),
                ways => format!("its other ways are numbered 1 to {ways}, and 0 is the proposal\n"),
            });
        }
        let changed = self.review.choose(at, way);
        let text = if changed.is_empty() { "that is the way already\n".to_owned() } else { self.here() };
        Answer { text, changed }
    }

    fn undo(&mut self) -> Answer {
        let changed = self.review.undo();
        let Some(&first) = changed.iter().min() else {
            return Answer::only("there is nothing to undo in this session; c takes an earlier decision back\n");
        };
        self.at = Some(first);
        Answer { text: format!("undone: {}\n{}", of_changes(changed.len()), self.here()), changed }
    }

    /// Approves what is ready and undecided.
    fn approve_ready(&mut self) -> Answer {
        let all = 0..self.review.plan().changes.len();
        let ready: Vec<usize> = all.filter(|&at| self.review.is_ready(at)).collect();
        let changed = self.review.decide(&ready, Some(&Decision::Approve));
        let done = changed.len() - self.review.waiting(&changed).len();
        let text = format!("approved: {}{}", of_changes(done), self.waits(&changed));
        if self.at.is_some_and(|at| self.review.verdict(at).decision.is_some()) {
            self.at = self.undecided_from(self.at.unwrap_or_default());
        }
        Answer { text: format!("{text}\n{}", self.here()), changed }
    }

    /// What those of some changes that were approved wait for since it was decided otherwise, and how that is approved.
    fn waits(&self, changed: &[usize]) -> String {
        let waiting = self.review.waiting(changed);
        let otherwise = self.review.otherwise(&waiting);
        let waits = self.review.waits_words(&waiting).zip(otherwise.first());
        waits.map_or_else(String::new, |(waits, at)| format!("; {waits}; {}", show::approves_too(*at)))
    }

    /// Leaves a field of the change alone, or takes it in again.
    fn toggle(&mut self, word: &str) -> Answer {
        let (at, field) = match self.field(word) {
            Ok(found) => found,
            Err(answer) => return Answer::only(answer),
        };
        match self.review.toggle_field(at, field) {
            Ok(changed) => Answer { text: self.here(), changed },
            Err(because) => Answer::only(format!("{word}: {because}\n")),
        }
    }

    /// Writes another value than the proposed one.
    fn edit(&mut self, word: &str, typed: &str) -> Answer {
        let (at, field) = match self.field(word) {
            Ok(found) => found,
            Err(answer) => return Answer::only(answer),
        };
        let (plan, side) = (self.review.plan(), self.review.chosen(at).side);
        match entry::read(plan.changes[at].kind, side, field, typed, &plan.limits) {
            Ok(value) => {
                let changed = self.review.edit_field(at, field, &value, false);
                Answer { text: self.here(), changed }
            }
            Err(refused) => Answer::only(format!("{word}: {refused}; nothing was done\n")),
        }
    }

    /// The field of the change at hand with this word.
    fn field(&self, word: &str) -> Result<(usize, Field), String> {
        let at = self.at.ok_or_else(|| nothing_here().text)?;
        let kind = self.review.plan().changes[at].kind;
        let fields = self.review.chosen_with_rejected(at).fields;
        let found = fields.iter().find(|field| field_word(kind, field.field) == word).map(|field| (at, field.field));
        let words: Vec<&str> = fields.iter().map(|field| field_word(kind, field.field)).collect();
        let words = if words.is_empty() { "none" } else { &words.join(", ") };
        found.ok_or_else(|| format!("this change has no field of that name; it has {words}\n"))
    }

    fn back(&mut self) -> Answer {
        let at = self.at.unwrap_or(self.review.plan().changes.len());
        let Some(before) = at.checked_sub(1) else { return Answer::only("this is the first change\n") };
        self.at = Some(before);
        Answer::only(self.here())
    }

    fn next(&mut self) -> Answer {
        self.at = self.undecided_from(self.at.map_or(0, |at| at + 1));
        Answer::only(self.here())
    }

    fn go(&mut self, number: usize) -> Answer {
        let all = self.review.plan().changes.len();
        if number == 0 || number > all {
            return Answer::only(format!("changes are numbered 1 to {all}\n"));
        }
        self.at = Some(number - 1);
        Answer::only(self.here())
    }
}

fn nothing_here() -> Answer {
    Answer::only("no change is at hand: g N goes to one, n to the first that is undecided\n")
}

fn line(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

pub(super) fn of_changes(count: usize) -> String {
    if count == 1 { "1 change".to_owned() } else { format!("{count} changes") }
}
