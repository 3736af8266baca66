//! How changes end, journaled: carried out, failed, begun, not started.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Applying, Journal, OUTDATED_MAX, WriteFailure,
    breaker::{Halt, Sort},
    progress::{Agenda, StepState},
};
use crate::domain::{journal::What, plan::ChangeId, steps::Act};

impl<J: Journal> Applying<'_, '_, J> {
    /// Starts nothing more of the kinds of write that are stopped, and journals it.
    pub(super) async fn halt(&mut self, progress: &mut Agenda, halts: Vec<Halt>) -> Result<(), J::Error> {
        for Halt { sort, because, cause } in halts {
            self.given_up.set(true);
            self.halted.insert(sort, because.clone());
            let left: Vec<usize> =
                progress.left().into_iter().filter(|&at| Sort::of(&self.steps[at]) == Some(sort)).collect();
            let what = What::Halted { what: sort.to_string().into(), because: cause, left: left.len() };
            self.append(vec![what], &[]).await?;
            for at in left {
                if progress.state[at] == StepState::Waiting {
                    self.give_up(progress, at, &because).await?;
                }
            }
        }
        Ok(())
    }

    /// Gives up what was put back after its kind had been stopped.
    pub(super) async fn give_up_halted(&mut self, progress: &mut Agenda) -> Result<(), J::Error> {
        for at in progress.left() {
            let because = Sort::of(&self.steps[at]).and_then(|sort| self.halted.get(&sort)).cloned();
            if let Some(because) = because.filter(|_| progress.state[at] == StepState::Waiting) {
                self.give_up(progress, at, &because).await?;
            }
        }
        Ok(())
    }

    /// Puts a step back whose reading had become too old, a few times.
    pub(super) async fn came_too_late(&mut self, progress: &mut Agenda, at: usize) -> Result<(), J::Error> {
        let times = self.outdated.entry(at).or_default();
        *times += 1;
        if *times <= OUTDATED_MAX {
            progress.again(at);
            return Ok(());
        }
        self.failed(progress, at, &WriteFailure::Outdated.to_string(), "run again when the service answers faster")
            .await
    }

    /// Journals that nobody knows what became of the writes that are still on their way when the run has waited long
    /// enough.
    pub(super) async fn abandon(&mut self, progress: &mut Agenda) -> Result<(), J::Error> {
        let unanswered = std::mem::take(&mut self.aloft).into_values().flat_map(|writes| writes.into_iter().rev());
        for (at, write) in unanswered {
            self.leave_open(progress, at, write, &"the run was stopped before it was answered".into()).await?;
        }
        for (at, write) in self.never_listed() {
            self.leave_unlisted(progress, at, write).await?;
        }
        Ok(())
    }

    /// Notes that a step succeeded, and journals the changes whose steps have all succeeded.
    pub(super) async fn succeeded(&mut self, progress: &mut Agenda, at: usize) -> Result<(), J::Error> {
        let skipped = progress.ended(at, true);
        debug_assert!(skipped.is_empty(), "a step that succeeds skips nothing");
        let succeeded = |at: &usize| progress.state[*at] == StepState::Succeeded;
        let applied: Vec<What> = self.steps[at]
            .changes
            .iter()
            .filter(|id| self.steps_of[id].iter().all(succeeded) && !self.reported.contains(*id))
            .map(|change| What::Applied { change: *change })
            .collect();
        if applied.is_empty() { Ok(()) } else { self.append(applied, &[]).await }
    }

    /// Notes that a step failed, and journals its changes and those that can therefore not be started.
    pub(super) async fn failed(
        &mut self,
        progress: &mut Agenda,
        at: usize,
        error: &str,
        hint: &str,
    ) -> Result<(), J::Error> {
        let skipped = progress.ended(at, false);
        let begun = self.begun(progress, &[at]);
        self.report(&[at], |change| {
            let error = begun.get(&change).map_or_else(|| error.into(), |done| format!("{done}: {error}").into());
            What::Failed { change, error, hint: hint.into() }
        })
        .await?;
        self.skip(progress, &skipped, "something that it needs failed").await
    }

    /// Notes that a step is not started after all, and journals its changes and those that need it as such.
    pub(super) async fn give_up(&mut self, progress: &mut Agenda, at: usize, because: &str) -> Result<(), J::Error> {
        let skipped = progress.ended(at, false);
        self.skip(progress, &[&[at][..], &skipped].concat(), because).await
    }

    /// Journals the changes of steps that are never started. What was begun is said as such.
    pub(super) async fn skip(&mut self, progress: &Agenda, skipped: &[usize], because: &str) -> Result<(), J::Error> {
        let begun = self.begun(progress, skipped);
        self.report(skipped, |change| match begun.get(&change) {
            Some(done) => What::Begun { change, because: format!("{done}: {because}").into() },
            None => What::NotStarted { change, because: because.into() },
        })
        .await
    }

    /// Of the changes of some steps those of which other steps have written something, with what that is in words.
    pub(super) fn begun(&self, progress: &Agenda, steps: &[usize]) -> BTreeMap<ChangeId, &'static str> {
        let done = |change: &ChangeId| {
            let mut written = self.steps_of[change].iter().filter(|&&at| progress.state[at] == StepState::Succeeded);
            written.find_map(|&at| match self.steps[at].act {
                Act::Create { .. } => {
                    Some("created, and the rest is still to be done (its ID in the page, what it replaces)")
                }
                Act::Update { .. } => Some("changed in Clockify, and the page is still to be written"),
                Act::WriteBack { .. } => Some("the page is written, and the rest is still to be done"),
                Act::Adopt(_) | Act::Restore(_) | Act::Unlink(_) | Act::Accept | Act::Refile(_) => None,
            })
        };
        let changes = steps.iter().flat_map(|&at| &self.steps[at].changes);
        changes.filter_map(|change| Some((*change, done(change)?))).collect()
    }

    /// Journals how the changes of some steps ended, each once.
    pub(super) async fn report(&mut self, steps: &[usize], what: impl Fn(ChangeId) -> What) -> Result<(), J::Error> {
        let changes: BTreeSet<&ChangeId> = steps.iter().flat_map(|&at| &self.steps[at].changes).collect();
        let unreported = changes.into_iter().filter(|change| self.reported.insert(*(*change)));
        let events: Vec<What> = unreported.copied().map(what).collect();
        if events.is_empty() { Ok(()) } else { self.append(events, &[]).await }
    }
}
