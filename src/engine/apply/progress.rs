//! Which steps can start, and what their ends mean for the others.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    model::Service,
    steps::{Act, Step},
};

/// Which steps can start, and what their ends mean for the others.
pub(super) struct Agenda {
    waiting_for: Vec<BTreeSet<usize>>,
    dependants: Vec<Vec<usize>>,
    needs: Vec<BTreeSet<usize>>,
    service: Vec<Option<Service>>,
    /// By service, so that one that is busy hides nothing of the other.
    ready: BTreeMap<Option<Service>, BTreeSet<usize>>,
    /// Steps that close something, or end a link: they come last, when all that opens or changes something in Clockify
    /// has ended.
    closing: Vec<bool>,
    /// Steps of the latter sort that have not ended.
    before_closes: usize,
    /// Closes that could start but for that.
    held_back: Vec<usize>,
    pub(super) state: Vec<StepState>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepState {
    Waiting,
    Started,
    Succeeded,
    Failed,
    Skipped,
}

impl Agenda {
    pub(super) fn new(steps: &[Step]) -> Self {
        let mut dependants = vec![Vec::new(); steps.len()];
        let waiting_for: Vec<BTreeSet<usize>> =
            steps.iter().map(|step| step.needs.iter().chain(&step.follows).copied().collect()).collect();
        for (at, waits) in waiting_for.iter().enumerate() {
            for &other in waits {
                dependants[other].push(at);
            }
        }
        let service: Vec<Option<Service>> = steps.iter().map(|step| step.act.service()).collect();
        let closing: Vec<bool> =
            steps.iter().map(|step| step.act.closes() || matches!(step.act, Act::Unlink(_))).collect();
        let before_closes = (0..steps.len()).filter(|&at| service[at] != Some(Service::Notion) && !closing[at]).count();
        let needs = steps.iter().map(|step| step.needs.iter().copied().collect()).collect();
        let mut progress = Self {
            waiting_for,
            dependants,
            needs,
            service,
            ready: BTreeMap::new(),
            closing,
            before_closes,
            held_back: Vec::new(),
            state: vec![StepState::Waiting; steps.len()],
        };
        for at in 0..steps.len() {
            if progress.waiting_for[at].is_empty() {
                progress.is_ready(at);
            }
        }
        progress
    }

    /// Notes that a step waits for nothing any more; a close waits for its turn all the same.
    fn is_ready(&mut self, at: usize) {
        if self.closing[at] && self.before_closes > 0 {
            self.held_back.push(at);
        } else {
            self.ready.entry(self.service[at]).or_default().insert(at);
        }
    }

    /// Notes that a step ended, or never will start.
    fn is_over(&mut self, at: usize) {
        if self.closing[at] || self.service[at] == Some(Service::Notion) {
            return;
        }
        self.before_closes -= 1;
        if self.before_closes == 0 {
            for close in std::mem::take(&mut self.held_back) {
                self.is_ready(close);
            }
        }
    }

    /// The first step, in the plan's order, that may start now: one that sends nothing, or whose service has room.
    pub(super) fn next(&mut self, has_room: impl Fn(Service) -> bool, may: impl Fn(usize) -> bool) -> Option<usize> {
        let open = self.ready.iter().filter(|(service, _)| service.is_none_or(&has_room));
        let can = |at: usize| self.state[at] == StepState::Waiting && may(at);
        let first = open.filter_map(|(service, steps)| Some((*steps.iter().find(|&&at| can(at))?, *service)));
        let (at, service) = first.min()?;
        self.ready.get_mut(&service)?.remove(&at);
        self.state[at] = StepState::Started;
        Some(at)
    }

    /// How many steps wait for nothing but room at a service.
    pub(super) fn waiting(&self, service: Service) -> usize {
        self.ready.get(&Some(service)).map_or(0, BTreeSet::len)
    }

    /// The steps that wait for nothing but room.
    pub(super) fn ready(&self) -> impl Iterator<Item = usize> {
        self.ready.values().flatten().copied().filter(|&at| self.state[at] == StepState::Waiting)
    }

    /// True for a step that has not begun and waits for nothing but room.
    pub(super) fn waits_for_room(&self, at: usize) -> bool {
        self.state[at] == StepState::Waiting && self.waiting_for[at].is_empty()
    }

    /// Puts a step back that was taken and not begun.
    pub(super) fn again(&mut self, at: usize) {
        self.state[at] = StepState::Waiting;
        self.ready.entry(self.service[at]).or_default().insert(at);
    }

    /// Notes that a step ended, and returns the steps that can therefore never start.
    pub(super) fn ended(&mut self, at: usize, well: bool) -> Vec<usize> {
        self.state[at] = if well { StepState::Succeeded } else { StepState::Failed };
        self.is_over(at);
        let mut skipped = Vec::new();
        let mut ended = vec![at];
        while let Some(at) = ended.pop() {
            let well = self.state[at] == StepState::Succeeded;
            for other in self.dependants[at].clone() {
                if self.state[other] != StepState::Waiting {
                    continue;
                }
                self.waiting_for[other].remove(&at);
                if !well && self.needs[other].contains(&at) {
                    self.state[other] = StepState::Skipped;
                    self.is_over(other);
                    skipped.push(other);
                    ended.push(other);
                } else if self.waiting_for[other].is_empty() {
                    self.is_ready(other);
                }
            }
        }
        skipped
    }

    pub(super) fn left(&self) -> Vec<usize> {
        (0..self.state.len()).filter(|&at| self.state[at] == StepState::Waiting).collect()
    }
}
