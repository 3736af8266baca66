//! How a run ends: what it leaves for a person, in the state and in the pages, and its report.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use super::{NOT_BEFORE, NOT_BEFORE_FROM, NotBefore, Session, SessionError, Sides};
use crate::{
    domain::{
        ending::End,
        journal::{Difference, Event, Open, Totals, What, Write},
        model::Service,
        pending::{Ends, Waiting, Waits, unapproved, unasked, waiting},
        plan::{ChangeId, Hourly, Pace, Plan, READING_CALLS, document::ChangeDocument},
        report::{Report, Stopped, report},
        review::{Decision, Resolution, Review, Said, SaidUpon},
        sync_status::status_plan,
    },
    edge::{
        http::{Http, Limits},
        store::{PendingRow, RunEnd, Store, StoreError},
    },
};

/// Memory key: what the services have shown of their limits, and when.
const LEARNED: &str = "learned_limits";
/// After this time a limit that was learned is forgotten: a plan may have changed.
const LEARNED_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
type Learned = BTreeMap<Service, (Limits, Timestamp)>;

/// How many changes of a plan a run leaves.
struct Left {
    /// For a person to decide.
    pending: usize,
    /// Of these, for a second person.
    second_person: usize,
    held: usize,
    /// Neither, nor asked for.
    ready: usize,
}

impl Session<'_> {
    /// Writes into pages what waits for a person, where the configuration has properties for it. What an undo leaves is
    /// not theirs to tell, and where not everything was seen, nobody knows what waits.
    pub(super) async fn tell_pages(&mut self, seen: &mut Sides, plan: &Plan) -> Result<Stopped, SessionError> {
        let is_wanted = self.rules.mapping.iter().any(|(_, mapping)| !mapping.sync_status.is_empty());
        if !is_wanted || !plan.complete || plan.scope.undoes.is_some() {
            return Ok(Stopped::No);
        }
        let events = self.store.events(&self.run).await?;
        let review = self.decided(plan, "policy").await?;
        let telling = status_plan(plan, &waiting(&review, &self.ends(&events).await?), &seen.snapshots, self.rules);
        if telling.changes.is_empty() {
            return Ok(Stopped::No);
        }
        self.tell(
            telling.changes.iter().map(|change| What::Difference(Box::new(Difference::of(&telling, change)))).collect(),
        )
        .await?;
        let writes_before = events.iter().filter(|event| matches!(event.what, What::Intent { .. })).count();
        let writes_before = u32::try_from(writes_before).unwrap_or(u32::MAX);
        let approved = Review::by_policy(&telling).approved();
        // It is no part of what somebody approved and watches.
        self.carry_out(seen, &approved, &BTreeMap::new(), writes_before, &mut |_| {}).await
    }

    /// Ends the run: stores its report and what it leaves for a person.
    ///
    /// # Errors
    /// [`SessionError::Store`]
    pub async fn finish(&mut self, plan: &Plan, stopped: Stopped, seconds: f64) -> Result<Report, SessionError> {
        let exchanges = self.exchanges.take();
        self.tell_exchanges(exchanges).await?;
        let events = self.store.events(&self.run).await?;
        let calls = self.calls();
        let unsettled = self.unsettled(plan).await?;
        let hourly = self.hourly(&events, stopped);
        let not_before = self.keep_not_before(hourly).await?;
        let Left { pending, second_person, held, ready } = self.keep_pending(plan, &events).await?;
        let totals =
            Totals { stopped, unsettled, calls, seconds, not_before, pending, second_person, held, ready, hourly };
        let report = report(self.run, plan, &events, totals);
        self.forget_skips().await?;
        self.close_mended(&events).await?;
        self.end(&report, totals).await?;
        Ok(report)
    }

    /// Writes whose outcome nobody knows, but for creates that only have to get older: those for which nobody can point
    /// at an object.
    async fn unsettled(&self, plan: &Plan) -> Result<usize, SessionError> {
        let (now, lasts) =
            ((self.turn.clock)(), SignedDuration::try_from(self.rules.unsettled).unwrap_or(SignedDuration::MAX));
        let offers = |page| plan.changes.iter().any(|change| change.page == page && !change.alternatives.is_empty());
        let is_young = |open: &Open| {
            let Write::Create { page, .. } = open.request else { return false };
            now.duration_since(open.at) < lasts && !offers(page)
        };
        Ok(self.store.open_writes().await?.iter().filter(|open| !is_young(open)).count())
    }

    /// Forgets what was skipped: that was for this run alone. What was said about changes that are made is spent as
    /// they are made.
    async fn forget_skips(&mut self) -> Result<(), SessionError> {
        let said = self.store.verdicts().await?.into_iter().map(|known| known.said);
        let skipped = said.filter(|said| said.verdict.decision == Some(Decision::Skip));
        let nothing = |said: Said| {
            let seen = said.verdict.clone();
            SaidUpon { said: Said { verdict: Resolution::default(), ..said }, seen }
        };
        let said: Vec<SaidUpon> = skipped.map(nothing).collect();
        // What somebody has said since, stands.
        self.store.save_verdicts("", (self.turn.clock)(), None, &said).await?;
        Ok(())
    }

    /// Leaves what waits for a person in the state, for who looks there before anything was applied. What waits already
    /// keeps waiting: this is no run that could have made it.
    ///
    /// # Errors
    /// [`SessionError::Store`]
    pub async fn leave_waiting(&mut self, plan: &Plan) -> Result<(), SessionError> {
        if plan.scope.undoes.is_some() {
            return Ok(());
        }
        let review = self.decided(plan, "policy").await?;
        let rows = self.rows(plan, waiting(&review, &self.ends(&[]).await?));
        Ok(self.store.replace_pending(&rows, false).await?)
    }

    /// What waits, as it is kept.
    fn rows<'p>(&self, plan: &Plan, waiting: impl IntoIterator<Item = Waiting<'p>>) -> Vec<PendingRow> {
        let first_seen = (self.turn.clock)();
        let row = |Waiting { change, waits, reason }| PendingRow {
            waits,
            reason,
            change: ChangeDocument::one(plan, change),
            first_seen,
        };
        waiting.into_iter().map(row).collect()
    }

    /// Stores what waits for a person now; what has waited before keeps its age. Where not everything could be read,
    /// what is not seen now may still be true, and stays. Returns how much of the whole plan is left, whatever the run
    /// was asked for.
    async fn keep_pending(&mut self, plan: &Plan, events: &[Event]) -> Result<Left, SessionError> {
        let review = self.decided(plan, "policy").await?;
        let ends = self.ends(events).await?;
        let unapproved = if self.only_plans { unapproved(&review, &ends) } else { Vec::new() };
        let mut rows = self.rows(plan, waiting(&review, &ends).into_iter().chain(unapproved));
        // What this run could not do is counted as that.
        let left = rows.iter().filter(|row| !ends.has(&row.change.id));
        let held = left.clone().filter(|row| row.waits == Waits::Held).count();
        let pending = left.count() - held;
        // What is left of an undo is asked for again by whoever wants it.
        if plan.scope.undoes.is_none() {
            let known: BTreeSet<ChangeId> = plan.changes.iter().map(|change| change.id).collect();
            let waited = self.store.pending().await?.into_iter();
            rows.extend(waited.filter(|row| plan.leaves_open(&row.change) && !known.contains(&row.change.id)));
            self.store.replace_pending(&rows, plan.complete).await?;
        }
        let all = review.plan().changes.iter().enumerate();
        let second_person = all.filter(|(at, change)| review.lacks_second(*at) && !ends.has(&change.id)).count();
        Ok(Left { pending, second_person, held, ready: unasked(&review, &ends) - held - pending })
    }

    /// How the changes of this run ended, and what earlier ones have failed to make.
    async fn ends<'e>(&self, events: &'e [Event]) -> Result<Ends<'e>, SessionError> {
        let failed = self.store.pending().await?.into_iter().filter(|row| row.waits == Waits::Failed);
        Ok(Ends::of(events, failed.map(|row| (row.change.id, row.reason))))
    }

    /// Notes that the run ended, with its report.
    ///
    /// # Errors
    /// [`SessionError::Store`]
    async fn end(&mut self, report: &Report, totals: Totals) -> Result<(), SessionError> {
        let outcome = End::Reported(report.outcome);
        self.tell(vec![What::RunEnded { outcome: outcome.clone(), totals: Some(totals) }]).await?;
        let end = RunEnd { at: (self.turn.clock)(), outcome, report: Some(report.clone()) };
        Ok(self.store.end_run(&self.run, &end).await?)
    }

    /// Notes that the run ended without a report: it only planned, or it failed.
    ///
    /// # Errors
    /// [`SessionError::Store`]
    pub async fn close(&mut self, because: &str) -> Result<(), SessionError> {
        let exchanges = self.exchanges.take();
        self.tell_exchanges(exchanges).await?;
        self.keep_not_before(None).await?;
        let outcome = End::Without(because.into());
        self.tell(vec![What::RunEnded { outcome: outcome.clone(), totals: None }]).await?;
        let end = RunEnd { at: (self.turn.clock)(), outcome, report: None };
        Ok(self.store.end_run(&self.run, &end).await?)
    }

    /// Keeps until when each service has asked not to be asked again, so that the next run does not start in vain.
    /// Returns when it is worth running again, where that or a budget says so.
    async fn keep_not_before(&mut self, hourly: Option<Hourly>) -> Result<Option<Timestamp>, SessionError> {
        self.keep_learned().await?;
        let now = (self.turn.clock)();
        let services = [(Service::Notion, self.notion.http()), (Service::Clockify, self.clockify.http())];
        let until = |wait: Duration| now.checked_add(wait).ok().filter(|_| wait >= NOT_BEFORE_FROM);
        let asked = services.into_iter().filter_map(|(service, http)| Some((service, until(http.asked_to_wait())?)));
        let not_before: NotBefore = asked.collect();
        if not_before.is_empty() {
            if self.store.recall::<NotBefore>(NOT_BEFORE).await?.is_some() {
                self.store.forget(NOT_BEFORE).await?;
            }
        } else {
            self.store.remember(NOT_BEFORE, &not_before).await?;
        }
        // With what is left of a budget, a run has to come further than to its reading.
        let worth = hourly.map_or(1, |hourly| worth(&hourly));
        let room = |(service, http): (Service, &Http)| {
            until(if service == Service::Clockify { http.wait_for(worth) } else { http.wait() })
        };
        Ok(services.into_iter().filter_map(room).max())
    }

    /// The known limits of both services at this moment, and what is spent.
    pub(in crate::engine) fn pace_now(&self) -> Pace {
        let (notion, clockify) = (self.notion.http(), self.clockify.http());
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let (spent, per_hour) = clockify.of_hour().unzip();
        Pace {
            notion_per_minute: notion.per_minute().map_or(self.pace.notion_per_minute, number),
            clockify_per_hour: per_hour.map(number).or(self.pace.clockify_per_hour),
            clockify_spent: spent.map_or(0, number),
            ..self.pace
        }
    }

    /// What the budget of an hour has still to do: a request for each change that was left for want of it.
    fn hourly(&self, events: &[Event], stopped: Stopped) -> Option<Hourly> {
        let Pace { clockify_per_hour, clockify_spent: spent, .. } = self.pace_now();
        let mut left: BTreeSet<&ChangeId> = BTreeSet::new();
        for event in events.iter().filter(|_| stopped == Stopped::OutOfBudget) {
            match &event.what {
                What::NotStarted { change, .. } | What::Begun { change, .. } => drop(left.insert(change)),
                What::Applied { change } => drop(left.remove(change)),
                _ => {}
            }
        }
        let left = u32::try_from(left.len()).unwrap_or(u32::MAX);
        let hourly = Hourly { per_hour: clockify_per_hour?, spent, left, done_at: None };
        Some(hourly.dated((self.turn.clock)()))
    }

    /// Keeps what the services have shown of their limits, for the next runs.
    async fn keep_learned(&mut self) -> Result<(), SessionError> {
        let now = (self.turn.clock)();
        let before: Learned = self.store.recall(LEARNED).await?.unwrap_or_default();
        let mut learned = before.clone();
        for (service, http) in [(Service::Notion, self.notion.http()), (Service::Clockify, self.clockify.http())] {
            let limits = http.learned();
            let known = before.get(&service).map(|(limits, _)| *limits).unwrap_or_default();
            if limits == Limits::default() {
                learned.remove(&service);
            } else if limits != known {
                learned.insert(service, (limits, now));
            }
        }
        if learned == before { Ok(()) } else { Ok(self.store.remember(LEARNED, &learned).await?) }
    }
}

/// Requests for which there has to be room before it is worth running again: what is left, or half an hour's budget.
fn worth(hourly: &Hourly) -> usize {
    let half = (hourly.per_hour / 2).max(1);
    usize::try_from((READING_CALLS + hourly.left).min(half)).unwrap_or(1)
}

/// The limits of each service as they were learned, if for no longer than a week.
///
/// # Errors
/// Where the state cannot be read.
pub(in crate::engine) async fn learned(store: &Store, now: Timestamp) -> Result<BTreeMap<Service, Limits>, StoreError> {
    let learned: Learned = store.recall(LEARNED).await?.unwrap_or_default();
    let is_known = |at: Timestamp| now.duration_since(at) < LEARNED_FOR;
    Ok(learned.into_iter().filter_map(|(service, (limits, at))| is_known(at).then_some((service, limits))).collect())
}
