//! Carries out what was approved of a plan, which is made again first where it has become too old.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};

use super::{Exchanges, Progress, Session, SessionError, Sides, WITHOUT_ESTIMATES, exchange_events};
use crate::{
    domain::{
        journal::{Event, RunId, Trace, What},
        model::{Link, PageId},
        plan::{ChangeId, Plan, document::ChangeDocument},
        report::Stopped,
        review::{Approved, Review},
        text::Shown,
    },
    edge::store::{Doing, Store, StoreError},
    engine::{
        apply::{Journal, Settling, Work, apply, settle},
        services::Services,
    },
};

/// Columns of a name in a sentence; longer ones are cut in the middle.
const NAME_COLUMNS: usize = 60;

impl Session<'_> {
    /// Applies what was approved of a plan. When it has become too old, or another run has written since, both sides
    /// are read again first, and only what still holds is applied: a change that proposes something else by now has
    /// another id.
    ///
    /// Returns the plan that was worked on in the end, and how the work ended.
    ///
    /// # Errors
    /// [`SessionError`]
    pub async fn apply(
        &mut self,
        mut seen: Sides,
        mut plan: Plan,
        approved: Approved,
    ) -> Result<(Plan, Stopped), SessionError> {
        let mut approved = self.with_second(approved, &plan).await?;
        let stale_after = SignedDuration::try_from(self.rules.stale_after).unwrap_or(SignedDuration::MAX);
        let is_stale = (self.turn.clock)().duration_since(seen.at) > stale_after || self.is_overtaken(&seen).await?;
        let mut is_outdated = !approved.changes().is_empty() && is_stale;
        self.only_edits = true;
        loop {
            if !is_outdated {
                is_outdated = self.rests_on_outdated(&approved, &seen).await?;
                if !is_outdated {
                    break;
                }
                self.store.forget_watermarks().await?;
            }
            let Some(read) = self.read_again(&approved).await? else { return Ok((plan, Stopped::Interrupted)) };
            seen = read;
            let fresh = self.plan(&mut seen).await?;
            approved = self.still_holding(&approved, &plan, &fresh).await?;
            (plan, is_outdated) = (fresh, false);
        }
        if self.clockify.http().is_hourly() {
            approved = approved.by_worth();
        }
        if !approved.changes().is_empty() {
            self.store.back_up(&self.run, (self.turn.clock)()).await?;
        }
        self.store.tell_doing(Doing::Applying).await?;
        (self.turn.watch)(Progress::Applying(approved.changes().len()));
        let earlier = self.store.unlinked_creates().await?;
        let watch = Arc::clone(&self.turn.watch);
        let mut sink = |event: &Event| watch(Progress::Happened(event.clone()));
        let stopped = self.carry_out(&mut seen, &approved, &earlier, 0, &mut sink).await?;
        if self.clockify.refuses_estimates() {
            self.store.remember(WITHOUT_ESTIMATES, &(&seen.clockify_plan, (self.turn.clock)())).await?;
        }
        let stopped = if stopped == Stopped::No { self.tell_pages(&mut seen, &plan).await? } else { stopped };
        Ok((plan, stopped))
    }

    /// Reads both sides again before what was approved is carried out; nothing where somebody asks to stop.
    async fn read_again(&mut self, approved: &Approved) -> Result<Option<Sides>, SessionError> {
        let turn = self.turn;
        tokio::select! {
            read = self.fetch() => return Ok(Some(read?)),
            () = turn.stop.wait() => {}
        }
        let because = "the run was stopped while it read both sides again";
        let left = approved.changes().iter().map(|change| change.id);
        self.tell(left.map(|change| What::NotStarted { change, because: because.into() }).collect()).await?;
        Ok(None)
    }

    /// Carries out what was approved, after so many writes of the same run.
    pub(super) async fn carry_out(
        &mut self,
        seen: &mut Sides,
        approved: &Approved,
        earlier: &BTreeMap<PageId, Trace>,
        writes_before: u32,
        sink: &mut dyn FnMut(&Event),
    ) -> Result<Stopped, SessionError> {
        self.tell_known(approved).await?;
        let Sides { snapshots, registry, sources, scope, .. } = seen;
        let services =
            Services { notion: self.notion, clockify: self.clockify, sources, workspace: &scope.clockify_workspace };
        let work = Work {
            run: self.run,
            approved,
            snapshots,
            registry,
            earlier,
            writes_before,
            unattended: self.unattended,
            rules: self.rules,
            clock: &self.turn.clock,
            stop: &|| self.turn.stop.asked(),
            sink,
        };
        let mut journal = StoreJournal { store: self.store, exchanges: &self.exchanges, run: &self.run };
        Ok(apply(work, &services, &mut journal).await?)
    }

    /// Settles the writes that an earlier run left without a known outcome, before anything is planned on top of them.
    pub(super) async fn settle(&mut self, seen: &mut Sides) -> Result<(), SessionError> {
        let open = self.store.open_writes().await?;
        let Sides { snapshots, registry, sources, scope, .. } = seen;
        let services =
            Services { notion: self.notion, clockify: self.clockify, sources, workspace: &scope.clockify_workspace };
        let settling = Settling { snapshots, registry, rules: self.rules, clock: &self.turn.clock };
        let mut journal = StoreJournal { store: self.store, exchanges: &self.exchanges, run: &self.run };
        Ok(settle(open, settling, &services, &mut journal).await?)
    }

    /// Of what was approved of an old plan, what a fresh one proposes unchanged; the rest is refused as stale. Where a
    /// fresh plan has seen everything and nothing is left to do, somebody else has seen to it: nothing is unfinished.
    async fn still_holding(&mut self, approved: &Approved, old: &Plan, fresh: &Plan) -> Result<Approved, SessionError> {
        let ids: BTreeSet<ChangeId> = approved.changes().iter().map(|change| change.id).collect();
        let mut review = Review::new(fresh, "");
        review.recall(approved.verdicts().iter().cloned());
        let still = review.approved();
        let holding: BTreeSet<ChangeId> = still.changes().iter().map(|change| change.id).collect();
        let documents = ChangeDocument::all(old);
        let gone = documents.filter(|change| ids.contains(&change.id) && !holding.contains(&change.id));
        let lacks_second =
            |id: &ChangeId| fresh.needs_second(id) && review.place(id).is_some_and(|at| !review.is_approved(at));
        let (now, by_page) = (fresh.by_id(), fresh.by_page());
        let stale = |change: &ChangeDocument| change.stale(fresh, &by_page);
        let is_over = |change: &ChangeDocument| {
            let is_gone = !now.contains_key(&change.id) && stale(change).is_none();
            is_gone && fresh.complete && !fresh.leaves_open(change)
        };
        let (over, gone): (Vec<ChangeDocument>, Vec<ChangeDocument>) = gone.partition(is_over);
        let stale = gone.into_iter().map(|change| {
            let id = change.id;
            let because = match now.get(&id).map(|now| &now.hold) {
                None => stale(&change).unwrap_or_else(|| "there is nothing left to do about it".to_owned().into()),
                _ if lacks_second(&id) => "it needs a second person by now".to_owned().into(),
                Some(Some(hold)) => format!("it is held by now: {}", hold.text).into(),
                Some(None) => "something that it needs has moved since it was approved".to_owned().into(),
            };
            What::NotStarted { change: id, because }
        });
        let stale: Vec<What> = stale.collect();
        self.tell(stale).await?;
        if let Some(first) = over.first() {
            let name = Shown::of(&first.name).clipped(NAME_COLUMNS);
            let others = if over.len() > 1 { format!(" and {} more", over.len() - 1) } else { String::new() };
            let text =
                format!("{} {} “{name}”{others}: done meanwhile, by another run or by hand", first.action, first.kind);
            (self.turn.watch)(Progress::Warned(text.into()));
        }
        Ok(still)
    }
}

/// The state as the journal of an apply. Requests that ended meanwhile are kept along with its own events.
struct StoreJournal<'a> {
    store: &'a mut Store,
    exchanges: &'a Exchanges,
    run: &'a RunId,
}

impl Journal for StoreJournal<'_> {
    type Error = StoreError;

    async fn append(&mut self, at: Timestamp, events: &[Event], links: &[Link]) -> Result<(), StoreError> {
        let mut all = exchange_events(self.run, self.exchanges.take());
        all.extend_from_slice(events);
        self.store.record(at, &all, links).await
    }
}
