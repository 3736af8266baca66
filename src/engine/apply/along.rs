//! New tasks go along with their new project, in one request. What became of them its answer does not say: that comes
//! from a listing, one for the tasks of many projects.
//!
//! ```text
//! the project was ─┬─ made ────── its tasks are listed ─┬─ shown ─────── made
//!                  │                                    └─ not shown yet ─ listed twice more, then left to the next run
//!                  ├─ refused ─── nothing was made: it is sent once more, alone, and its tasks after it
//!                  └─ not known ─ neither are its tasks: the next run looks them up
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    Applying, Journal, Observed, Readings, Subject, Target, WriteFailure, Written,
    breaker::Room,
    flight::Flight,
    progress::{Agenda, StepState},
};
use crate::domain::{
    journal::{Outcome, Trace, What, WriteId},
    model::{Kind, Object, ObjectId, Service},
    report::Stopped,
    steps::{Act, Step},
    text::Shown,
};

/// Write-backs that wait below which the IDs of more tasks are asked for: Notion need not wait for them then.
const WRITE_BACKS_WAITING_MIN: usize = 32;
/// Why nobody knows what became of what was never listed.
const NOT_LISTED: &str = "it was sent along with its project, and the next run looks up what has become of it";
/// Why nobody knows what became of what a listing does not show.
const NOT_SHOWN: &str = "it was sent along with its project, and no listing shows it yet";
const LOOKED_UP_FIRST: &str = "run again: it is looked up before anything else is written for it";

/// Tasks that went along with projects which are there by now, until a listing shows them.
#[derive(Default)]
pub(super) struct Unlisted {
    by_project: BTreeMap<ObjectId, Vec<Flight>>,
    /// How often projects were listed in vain.
    looks: BTreeMap<ObjectId, usize>,
    /// True while a listing is under way.
    under_way: bool,
}

impl Unlisted {
    /// Notes that a listing begins.
    pub(super) fn begin(&mut self) {
        self.under_way = true;
    }
}

impl<J: Journal> Applying<'_, '_, J> {
    /// The tasks that go along with a project, should it be created now. What was looked for in vain before goes by
    /// itself: it is looked at for a twin.
    pub(super) fn goes_along(&self, project: usize, progress: &Agenda) -> impl Iterator<Item = usize> {
        let tasks = self.along.get(&project).filter(|_| !self.one_by_one && !self.alone.contains(&project));
        tasks.into_iter().flatten().copied().filter(|&at| {
            progress.state[at] == StepState::Waiting && !self.work.earlier.contains_key(&self.steps[at].page)
        })
    }

    /// Projects that wait since too many tasks, and more with theirs, are without their ID in the page: so many may be,
    /// and are.
    pub(super) fn crowded(&self, progress: &Agenda, (most, unwritten): (usize, usize)) -> BTreeSet<usize> {
        let is_crowded = |&at: &usize| unwritten > 0 && unwritten + self.goes_along(at, progress).count() > most;
        let waiting = self.along.keys().copied().filter(|&at| progress.state[at] == StepState::Waiting);
        waiting.filter(|at| self.goes_along(*at, progress).next().is_some()).filter(is_crowded).collect()
    }

    /// The writes of these tasks, which go along with one of their project: where they will stand nobody knows yet.
    pub(super) fn take_along(&mut self, tasks: &[usize], with: WriteId, target: &impl Target) -> Vec<Flight> {
        let mut flights = Vec::new();
        for &step in tasks {
            let Act::Create { name, like, fields, .. } = &self.steps[step].act else { continue };
            let act = Act::Create { parent: None, name: name.clone(), like: *like, fields: fields.clone() };
            let homeless = Step { act, ..self.steps[step].clone() };
            let Ok(write) = self.write(&homeless) else { continue };
            let trace = Trace { with: Some(with), ..self.trace(&homeless, &write, target.now()) };
            let number = self.next_number();
            flights.push(Flight { step, number, write, trace, second_try: false, along: Vec::new() });
        }
        flights
    }

    /// What went along with a project that is there by now waits for a listing.
    pub(super) fn await_listing(&mut self, progress: &mut Agenda, project: &Flight) {
        let Some(made) = self.work.registry.of_page(project.write.page()).map(|link| link.object) else { return };
        for task in &project.along {
            if progress.state[task.step] == StepState::Waiting {
                progress.state[task.step] = StepState::Started;
            }
            if self.writes_id_of.contains_key(&task.step) {
                self.unwritten.insert(task.step);
            }
            let mut task = task.clone();
            task.write.stands_under(made);
            self.unlisted.by_project.entry(made).or_default().push(task);
        }
    }

    /// The projects whose tasks are to be listed now, and after which pause: when no more can join them for the time
    /// being, and Notion runs out of work. So many `tasks` may be without their ID in the page, and are.
    pub(super) fn lists_now(
        &self,
        progress: &Agenda,
        starts_more: bool,
        is_idle: bool,
        tasks: (usize, usize),
    ) -> Option<(Vec<Subject>, Duration)> {
        if self.unlisted.by_project.is_empty() || self.unlisted.under_way {
            return None;
        }
        let is_under_way = self.aloft.values().any(|writes| writes.len() > 1);
        let may_join = |&at: &usize| {
            starts_more && progress.state[at] == StepState::Waiting && self.goes_along(at, progress).next().is_some()
        };
        let joining = self.along.keys().copied().filter(may_join).count();
        let is_full = joining == self.crowded(progress, tasks).len();
        let notion_waits = progress.waiting(Service::Notion) < WRITE_BACKS_WAITING_MIN;
        let is_time = is_idle || (!is_under_way && (joining == 0 || is_full && notion_waits));
        is_time.then(|| {
            let looks = self
                .unlisted
                .by_project
                .keys()
                .map(|project| self.unlisted.looks.get(project).copied().unwrap_or_default());
            let pauses = self.work.rules.settles();
            let pause = looks.min().and_then(|looks| pauses.get(looks.checked_sub(1)?).copied()).unwrap_or_default();
            (self.unlisted.by_project.keys().map(|&project| Subject::Names(Kind::Task, Some(project))).collect(), pause)
        })
    }

    /// Takes up what a listing shows of tasks that went along with their projects.
    pub(super) async fn listed(
        &mut self,
        progress: &mut Agenda,
        room: &mut Room,
        readings: Readings,
    ) -> Result<Stopped, J::Error> {
        self.unlisted.under_way = false;
        let mut stop = Stopped::No;
        for (subject, reading) in readings {
            let Subject::Names(_, Some(project)) = subject else { continue };
            let Some(tasks) = self.unlisted.by_project.remove(&project) else { continue };
            let (there, failure) = match reading {
                Ok(Observed::Names(there)) => (there, None),
                Ok(_) => (Vec::new(), None),
                Err(failure) => (Vec::new(), Some(failure)),
            };
            let sent = tasks.len();
            let mut lacking = Vec::new();
            for task in tasks {
                match self.shown(&task, &there) {
                    Some(object) => self.is_made(progress, &task, object).await?,
                    None => lacking.push(task),
                }
            }
            if lacking.is_empty() {
                continue;
            }
            let looks = self.unlisted.looks.entry(project).or_default();
            *looks += 1;
            let is_last = *looks > self.work.rules.settles().len();
            match &failure {
                Some(WriteFailure::OutOfBudget { .. }) => {
                    room.close(Service::Clockify);
                    for task in lacking {
                        self.leave_unlisted(progress, task.step, task.number).await?;
                    }
                    continue;
                }
                Some(WriteFailure::Credentials { .. }) => {
                    room.close(Service::Clockify);
                    stop = Stopped::Refused;
                }
                _ if !is_last => {
                    self.unlisted.by_project.insert(project, lacking);
                    continue;
                }
                // Who shows none of them does not take them along.
                None => self.one_by_one |= lacking.len() == sent,
                Some(_) => {}
            }
            let error = failure.map_or_else(|| NOT_SHOWN.into(), |failure| format!("{NOT_SHOWN}: {failure}").into());
            for task in lacking {
                self.leave_open(progress, task.step, task.number, &error).await?;
            }
        }
        Ok(stop)
    }

    /// The object that a task has become, if just one can be it.
    fn shown(&self, task: &Flight, there: &[Object]) -> Option<Object> {
        let is_it = |object: &&Object| {
            task.trace.fits(&task.write, object) && self.work.registry.of_object(object.id).is_none()
        };
        let mut fitting = there.iter().filter(is_it);
        fitting.next().filter(|_| fitting.next().is_none()).cloned()
    }

    async fn is_made(&mut self, progress: &mut Agenda, task: &Flight, object: Object) -> Result<(), J::Error> {
        let written = Written { object: Some(object), page: None };
        self.done(task, &written, Vec::new()).await?;
        // Its kind of write may have been stopped meanwhile.
        if progress.state[task.step] == StepState::Started { self.succeeded(progress, task.step).await } else { Ok(()) }
    }

    /// Journals that nobody knows what became of a write, which counts as failed.
    pub(super) async fn leave_open(
        &mut self,
        progress: &mut Agenda,
        step: usize,
        write: WriteId,
        error: &Shown,
    ) -> Result<(), J::Error> {
        let ends = self.is_unknown(progress, step, write, error).await?;
        if ends { self.failed(progress, step, error, LOOKED_UP_FIRST).await } else { Ok(()) }
    }

    /// The same of what went along with a project that was made. It has not failed: the listing that shows it is for the
    /// next run to make.
    pub(super) async fn leave_unlisted(
        &mut self,
        progress: &mut Agenda,
        step: usize,
        write: WriteId,
    ) -> Result<(), J::Error> {
        if !self.is_unknown(progress, step, write, &NOT_LISTED.into()).await? {
            return Ok(());
        }
        let skipped = progress.ended(step, false);
        self.report(&[step], |change| What::Begun { change, because: NOT_LISTED.into() }).await?;
        self.skip(progress, &skipped, "something that it needs is not listed yet").await
    }

    /// Journals an unknown outcome. Returns whether its step ends with that: its kind of write may have been stopped
    /// meanwhile, and it with that.
    async fn is_unknown(
        &mut self,
        progress: &Agenda,
        step: usize,
        write: WriteId,
        error: &Shown,
    ) -> Result<bool, J::Error> {
        self.append(vec![What::Outcome { write, outcome: Outcome::Unknown { error: error.clone() } }], &[]).await?;
        Ok(matches!(progress.state[step], StepState::Waiting | StepState::Started))
    }

    /// What went along and was not listed before the run ended.
    pub(super) fn never_listed(&mut self) -> Vec<(usize, WriteId)> {
        let left = std::mem::take(&mut self.unlisted.by_project).into_values().flatten();
        left.map(|task| (task.step, task.number)).collect()
    }
}
