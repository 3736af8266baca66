//! When there is something to tell people who are not there, and what: only what has changed, and never the same affair
//! twice.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    code::Code,
    pending::Waits,
    plan::{ChangeId, document::ChangeDocument, sha256},
    report::{Ending, FailureReport, Report},
    text::Shown,
};

/// Changes that a message names.
const NAMED_MAX: usize = 5;
/// Failures that a message names.
const FAILURES_MAX: usize = 3;
/// Columns of a name in a message.
const NAME_COLUMNS: usize = 60;
/// Columns of a reason in a message.
const REASON_COLUMNS: usize = 160;

/// The state of affairs after a run, as far as it matters to somebody who is told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affair {
    /// How the run ended, in the class of its outcome.
    pub outcome: String,
    /// SHA-256 of what waits, what brakes hold and what failed.
    pub fingerprint: String,
}

/// What a run leaves behind.
#[derive(Clone, Copy, Debug)]
pub struct Aftermath<'a> {
    pub report: &'a Report,
    /// What waits for a person by now, how, and why.
    pub waits: &'a [(Waits, ChangeDocument, Shown)],
    /// In what the log does not agree with its last checkpoint.
    pub doubt: Option<&'a Shown>,
}

/// What people are told, free of secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// One line.
    pub title: Shown,
    /// The lines below.
    pub lines: Vec<Shown>,
}

/// What an affair is called that leaves nothing to do.
const WELL: &str = "well";
/// What it is called where all would be well if the log could be trusted.
const IN_DOUBT: &str = "the log is in doubt";

impl Affair {
    /// The affair that a run leaves.
    pub fn of(aftermath: &Aftermath<'_>) -> Self {
        let Aftermath { report, waits, doubt } = aftermath;
        let outcome = match report.outcome {
            Ending::InSync | Ending::Applied if doubt.is_some() => IN_DOUBT.to_owned(),
            // Both leave nothing to do, and a run that applied something is no news by itself.
            Ending::InSync | Ending::Applied => WELL.to_owned(),
            ending => ending.words().to_owned(),
        };
        let waiting: BTreeSet<(ChangeId, &str)> =
            waits.iter().map(|(waits, change, _)| (change.id, waits.word())).collect();
        let brakes: BTreeSet<&String> = report.brakes.keys().collect();
        let failed: BTreeSet<&ChangeId> =
            report.failures.iter().flat_map(|failure| &failure.alike.change_ids).collect();
        let fingerprint = match doubt {
            None => sha256(&(waiting, brakes, failed)),
            Some(_) => sha256(&(waiting, brakes, failed, IN_DOUBT)),
        };
        Self { outcome, fingerprint }
    }

    /// The affair that a run leaves which could not even report, e.g. as the credentials were refused.
    pub fn of_failure(code: Code) -> Self {
        Self { outcome: format!("failed with {}", u8::from(code)), fingerprint: String::new() }
    }

    /// True when there is nothing left to do.
    pub fn is_well(&self) -> bool {
        self.outcome == WELL
    }

    /// True when somebody who was last told of another affair, or never of any, is to be told of this one. That all is
    /// well is news only to those who know otherwise.
    pub fn is_news_after(&self, before: Option<&Self>) -> bool {
        match before {
            None => !self.is_well(),
            Some(before) if self.is_well() => !before.is_well(),
            Some(before) => self != before,
        }
    }
}

impl Message {
    /// What is told of a run.
    pub fn of(aftermath: &Aftermath<'_>) -> Self {
        let Aftermath { report, waits, doubt } = aftermath;
        let words = match report.outcome {
            Ending::InSync | Ending::Applied if doubt.is_some() => IN_DOUBT,
            Ending::InSync | Ending::Applied => "in sync again",
            outcome => outcome.words(),
        };
        let mut lines = vec![counts(report)];
        lines.extend(doubt.map(|doubt| {
            let doubt = Shown::of(doubt);
            format!(
                "the log is not what its last checkpoint has seen: {}; see `punchlist logs verify`",
                doubt.clipped(REASON_COLUMNS)
            )
        }));
        lines.extend(report.brakes.keys().map(|brake| format!("held by a brake: {brake}")));
        let failures = report.failures.iter().take(FAILURES_MAX);
        lines.extend(failures.map(|failure| {
            let FailureReport { name, error, .. } = failure;
            let more = match failure.alike.count.saturating_sub(1) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("failed: “{}”{more}: {}", name.clipped(NAME_COLUMNS), error.clipped(REASON_COLUMNS))
        }));
        lines.extend(more(report.failures.len(), FAILURES_MAX, "causes"));
        lines.extend(waits.iter().take(NAMED_MAX).map(|(waits, change, reason)| {
            let name = Shown::of(&change.name);
            let what = format!("{} {} “{}”", change.action, change.kind, name.clipped(NAME_COLUMNS));
            format!("{}: {what}: {}", waits.word(), reason.clipped(REASON_COLUMNS))
        }));
        lines.extend(more(waits.len(), NAMED_MAX, "waiting"));
        lines.extend(next(report, waits));
        lines.push(format!("run {}, {}", report.run_id, report.workspaces.words(NAME_COLUMNS)));
        Self { title: title(&report.workspaces.clockify, words), lines: lines.into_iter().map(Into::into).collect() }
    }

    /// What is told of a run that ended without a report, with the reason and what to do about it.
    pub fn of_failure(workspace: &str, error: &str, hints: &[Shown]) -> Self {
        // Some reasons have a line for each thing that is wrong.
        let shown = |line: &str| Shown::of(line.trim()).clipped(REASON_COLUMNS);
        let lines = error
            .lines()
            .map(shown)
            .chain(hints.iter().map(|hint| format!("hint: {}", hint.clipped(REASON_COLUMNS)).into()));
        Self { title: title(workspace, "the run failed"), lines: lines.collect() }
    }

    /// The lines below the title, each on a line of its own.
    pub fn below(&self) -> String {
        self.lines.iter().map(Shown::as_str).collect::<Vec<_>>().join("\n")
    }

    /// The title and the lines below, each on a line of its own.
    pub fn text(&self) -> String {
        format!("{}\n\n{}\n", self.title, self.below())
    }
}

fn title(workspace: &str, words: &str) -> Shown {
    let workspace = Shown::of(workspace);
    if workspace.as_str().is_empty() {
        format!("punchlist: {words}").into()
    } else {
        format!("punchlist, workspace {}: {words}", workspace.clipped(NAME_COLUMNS)).into()
    }
}

fn counts(report: &Report) -> String {
    let counts = [
        (report.applied, "applied"),
        (report.failed, "failed"),
        (report.skipped, "not started"),
        (report.pending, "waiting for a person"),
        (report.held, "held"),
    ];
    let counts: Vec<String> =
        counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if counts.is_empty() { "nothing to do".to_owned() } else { counts.join(", ") }
}

fn more(all: usize, named: usize, what: &str) -> Option<String> {
    all.checked_sub(named).filter(|rest| *rest > 0).map(|rest| format!("and {rest} more {what}"))
}

fn next(report: &Report, waits: &[(Waits, ChangeDocument, Shown)]) -> Option<String> {
    let next = match report.outcome {
        Ending::InSync | Ending::Applied => return None,
        Ending::Refused => "check the tokens and their rights, then run again",
        Ending::OutOfBudget | Ending::Interrupted => "the next run goes on by itself",
        _ if waits.is_empty() => "`punchlist` shows what is left",
        _ => "`punchlist pending` lists what waits, `punchlist` reviews it",
    };
    Some(format!("next: {next}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        diff::tests::world::World,
        journal::Totals,
        model::{Agreed, Field, Value},
        plan::{Calls, Plan, State, Workspaces},
        report::{Stopped, report},
    };

    fn aftermath_of(world: &World, check: impl Fn(&Aftermath<'_>)) {
        let workspaces = Workspaces { clockify: "Harbour Studio".into(), ..Workspaces::default() };
        let plan = Plan { workspaces, ..world.plan() };
        let waits: Vec<_> = (plan.changes.iter())
            .filter(|change| change.state != State::Ready)
            .map(|change| (Waits::Review, ChangeDocument::one(&plan, change), change.proposal.reason.clone()))
            .collect();
        let totals = Totals {
            stopped: Stopped::No,
            unsettled: 0,
            calls: Calls { notion: 3, clockify: 2 },
            seconds: 1.0,
            not_before: None,
            pending: waits.len(),
            second_person: 0,
            held: 0,
            ready: 0,
            hourly: None,
        };
        let report = report("r".parse().expect("a run"), &plan, &[], totals);
        check(&Aftermath { report: &report, waits: &waits, doubt: None });
    }

    fn affair(world: &World) -> Affair {
        let affair = std::cell::RefCell::new(None);
        aftermath_of(world, |aftermath| *affair.borrow_mut() = Some(Affair::of(aftermath)));
        affair.into_inner().expect("one")
    }

    #[test]
    fn only_what_has_changed_is_news_and_recovery_is_said_once() {
        let well = affair(&World::linked(&["Acme", "Beta"]));
        let mut one = World::linked(&["Acme", "Beta"]);
        one.rename_object("Acme", "Ours");
        let mut two = one.clone();
        two.rename_object("Beta", "Theirs");
        let (one, two) = (affair(&one), affair(&two));
        for (told, now, is_news) in [
            (None, &well, false),
            (None, &one, true),
            (Some(&one), &one, false),
            (Some(&one), &two, true),
            (Some(&two), &one, true),
            (Some(&two), &well, true),
            (Some(&well), &well, false),
            (Some(&well), &Affair::of_failure(Code::Refused), true),
            (Some(&Affair::of_failure(Code::Refused)), &Affair::of_failure(Code::Refused), false),
            (Some(&Affair::of_failure(Code::Error)), &Affair::of_failure(Code::Refused), true),
        ] {
            assert_eq!(now.is_news_after(told), is_news, "{told:?} → {now:?}");
        }
    }

    #[test]
    fn a_message_says_what_waits_and_why_and_is_safe_on_every_line() {
        let mut world = World::linked(&["Acme"]);
        world.rename_page("Acme", "Ac\u{202E}me\nBcc: all@example.com").rename_object("Acme", "Ours");
        world.set_base("Acme", Field::Name, Agreed::Same(Value::text("x")));
        aftermath_of(&world, |aftermath| {
            let message = Message::of(aftermath);
            assert_eq!(message.title, "punchlist, workspace Harbour Studio: changes wait".into());
            for line in message.lines.iter().chain([&message.title]) {
                assert!(!line.contains(|c: char| c.is_control() || c == '\u{202E}'), "{line:?}");
            }
            assert!(message.text().contains("review: update client “Ac⟨U+202E⟩me"), "{}", message.text());
            assert!(message.text().contains("next: `punchlist pending` lists what waits"), "{}", message.text());
        });
    }

    #[test]
    fn a_message_names_a_few_and_counts_the_rest() {
        let paths: Vec<String> = (0..8).map(|number| format!("Client {number}")).collect();
        let mut world = World::linked(&paths.iter().map(String::as_str).collect::<Vec<_>>());
        for path in &paths {
            world.rename_object(path, &format!("{path} GmbH"));
        }
        aftermath_of(&world, |aftermath| {
            let text = Message::of(aftermath).text();
            assert_eq!(text.matches("review: update").count(), NAMED_MAX, "{text}");
            assert!(text.contains("and 3 more waiting"), "{text}");
        });
    }
}
