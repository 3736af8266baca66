//! Hours: a period is read, its figures and findings are told; a month is sealed, and held against what it was.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Span, Timestamp, civil::Date};

use super::{
    failure::{Code, RunError},
    run::Installation,
    session::{Session, SessionError, Sides},
    state::State,
};
use crate::{
    domain::{
        hours::{
            Booking, Branch, LastDays, Period, Policy, Read, Slice, Tracked, Tree, Unavailable, Zone,
            document::{Document, FindingDocument},
            findings,
            month::{self, Accepting, Change, Close, Sealed},
        },
        journal::What,
        model::Field,
        text::Shown,
    },
    edge::{clockify, config, http::Failure, store::Store},
};

/// Which days are asked for, where they are, and what counts.
#[derive(Clone, Debug)]
pub struct HoursQuery {
    /// Without it, the month that it is there.
    pub period: Option<Period>,
    pub zone: Zone,
    pub policy: Policy,
}

/// What a period came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Reckoned {
    pub period: Period,
    pub document: Document,
    /// Why what is not available is not, in words.
    pub missing: Vec<&'static str>,
    /// The month as it was sealed, where it is one that was.
    pub sealed: Option<Sealed>,
}

/// Entries of a period.
#[derive(Clone, Debug, PartialEq)]
pub struct Entries {
    pub latest_first: Vec<Booking>,
    /// False where there were too many to read, and earlier ones are left out.
    pub are_all: bool,
}

impl Default for Entries {
    fn default() -> Self {
        Self { latest_first: Vec::new(), are_all: true }
    }
}

impl Reckoned {
    /// Adds what is other by now than when the month was sealed to its findings.
    fn hold_against_seal(&mut self) {
        let Self { period, document, sealed, .. } = self;
        let sealed = sealed.as_ref().filter(|sealed| sealed.timezone == document.timezone);
        let Some(sealed) = sealed.filter(|_| document.totals.tracked_s.is_some()) else { return };
        let changed = sealed.changes(&document.clients);
        let changed = changed.iter().map(|change| FindingDocument::of(&change.finding(*period)));
        document.findings.splice(0..0, changed);
    }
}

impl Session<'_> {
    /// Reads both sides and what was tracked in a period, and lays it beside what is planned: one call for each kind of
    /// time and each 31 days, one for the timers that run, and one or two about the rights of the key.
    ///
    /// # Errors
    /// Where something cannot be read. What Clockify refuses is not available, and no error.
    pub async fn hours(&mut self, wanted: &HoursQuery) -> Result<Reckoned, RunError> {
        let sides = self.sides().await?;
        let mut reckoned = self.hours_of(&sides, wanted).await?;
        let calls = self.calls();
        reckoned.document.calls = calls.notion + calls.clockify;
        Ok(reckoned)
    }

    /// Reads both sides, for figures of several periods.
    ///
    /// # Errors
    /// Where a side cannot be read.
    pub async fn sides(&mut self) -> Result<Sides, RunError> {
        let turn = self.turn;
        tokio::select! {
            sides = self.fetch() => Ok(sides?),
            () = turn.stop.wait() => Err(SessionError::Stopped("stopped while reading").into()),
        }
    }

    /// As [`Session::hours`], on both sides as they were read before; the calls are those that this took.
    ///
    /// # Errors
    /// As of [`Session::hours`].
    pub async fn hours_of(&self, sides: &Sides, wanted: &HoursQuery) -> Result<Reckoned, RunError> {
        let (turn, before) = (self.turn, self.calls());
        let now = self.clockify.http().server_time().unwrap_or_else(|| (turn.clock)());
        let period = wanted.period.unwrap_or_else(|| Period::month_of(wanted.zone.day(now)));
        if period.from() > wanted.zone.day(now) {
            let error = format!("{period} has not begun: in {} it is {}", wanted.zone.name, wanted.zone.day(now));
            return Err(RunError::new(Code::Usage, error));
        }
        let read = tokio::select! {
            read = self.read_hours(sides, period, &wanted.zone, now) => read?,
            () = turn.stop.wait() => return Err(SessionError::Stopped("stopped while reading").into()),
        };
        let tree = Tree::of(&read);
        let found = findings(&read, &tree, period, &wanted.zone, wanted.policy);
        let after = self.calls();
        let calls = (after.notion + after.clockify).saturating_sub(before.notion + before.clockify);
        let document = Document::of(&read, &tree, &found, period, &wanted.zone, calls);
        let missing = read.unavailable.iter().map(|what| what.words()).collect();
        let mut reckoned = Reckoned { period, document, missing, sealed: self.seal_on(period).await? };
        reckoned.hold_against_seal();
        Ok(reckoned)
    }

    /// The month as it was sealed, where a period is one that was.
    async fn seal_on(&self, period: Period) -> Result<Option<Sealed>, RunError> {
        Ok(if period.is_month() { self.store.sealed_month(&period.to_string()).await? } else { None })
    }

    async fn read_hours<'s>(
        &self,
        sides: &'s Sides,
        period: Period,
        zone: &Zone,
        now: Timestamp,
    ) -> Result<Read<'s>, SessionError> {
        let workspace = &sides.scope.clockify_workspace;
        let mut read = Read {
            snapshots: &sides.snapshots,
            registry: &sides.registry,
            summaries: BTreeMap::new(),
            running: Vec::new(),
            facts: self.clockify.facts(),
            demands: sides.demands,
            unavailable: BTreeSet::new(),
            now,
        };
        if sides.snapshots.limits.without_estimates.is_some() {
            read.unavailable.insert(Unavailable::Estimates);
        }
        let role = self
            .clockify
            .is_admin(workspace)
            .await
            .map_err(|failure| self.clockify.error("the role of the key", failure))?;
        if !role {
            read.unavailable.insert(Unavailable::Others);
        }
        self.read_summaries(&mut read, workspace, period, zone).await?;
        match self.clockify.running(workspace).await {
            Ok(running) => read.running = running,
            Err(failure) if failure.has_status(403) => drop(read.unavailable.insert(Unavailable::Timers)),
            Err(failure) => return Err(self.clockify.error("running timers", failure).into()),
        }
        Ok(read)
    }

    /// The summaries of each kind of time. A plan may show fewer days at once than is known of any: what it refuses is
    /// asked for once more by half as many.
    async fn read_summaries(
        &self,
        read: &mut Read<'_>,
        workspace: &str,
        period: Period,
        zone: &Zone,
    ) -> Result<(), SessionError> {
        let mut parts = period.parts(clockify::DAYS_MAX);
        let rounded: &[Slice] = if read.demands.rounding.is_some() { &Slice::ROUNDED } else { &[] };
        for slice in Slice::EACH.iter().chain(rounded).copied() {
            let mut given = self.tracked(workspace, &parts, zone, slice).await;
            if slice == Slice::All && given.as_ref().is_err_and(is_refused) {
                let halves = period.parts(clockify::DAYS_MAX.div_ceil(2));
                if halves.len() > parts.len() {
                    parts = halves;
                    given = self.tracked(workspace, &parts, zone, slice).await;
                }
            }
            match given {
                Ok(rows) => drop(read.summaries.insert(slice, rows)),
                Err(failure) if is_refused(&failure) => {
                    let missing = match slice {
                        Slice::All | Slice::Billable => Unavailable::Reports,
                        Slice::Unapproved => Unavailable::Approvals,
                        Slice::Uninvoiced => Unavailable::Invoicing,
                        Slice::Rounded | Slice::RoundedBillable => Unavailable::Rounding,
                    };
                    read.unavailable.insert(missing);
                    // Who may not see any report is not asked for the others.
                    if missing == Unavailable::Reports {
                        self.turn.warn(format!("the summary report of {period} is refused: {failure}"));
                        break;
                    }
                }
                Err(failure) => {
                    return Err(self.clockify.error("the summary report (clockify.reports_url)", failure).into());
                }
            }
        }
        Ok(())
    }

    /// What was tracked in the parts of a period, a summary each.
    async fn tracked(
        &self,
        workspace: &str,
        parts: &[Period],
        zone: &Zone,
        slice: Slice,
    ) -> Result<Vec<Tracked>, Failure> {
        let mut rows = Vec::new();
        for days in parts {
            rows.extend(self.clockify.summary(workspace, *days, &zone.name, slice).await?);
        }
        Ok(rows)
    }

    /// The last day on which time was tracked on each project and task and on their clients, in the last 31 days, where
    /// pages are to show it: one call. What was tracked before is not asked for again.
    pub(super) async fn last_days(&self, workspace: &str) -> LastDays {
        let is_shown = self.rules.mapping.iter().any(|(_, mapping)| mapping.fields.contains_key(&Field::LastTracked));
        if !is_shown {
            return LastDays::new();
        }
        let zone = &self.zone;
        let today = zone.day(self.clockify.http().server_time().unwrap_or_else(|| (self.turn.clock)()));
        let from = today.saturating_sub(Span::new().days(i64::from(clockify::DAYS_MAX) - 1));
        let Ok(days) = Period::new(from, today) else { return LastDays::new() };
        match self.clockify.last_days(workspace, days, &zone.name).await {
            Ok(last) => last,
            Err(failure) => {
                self.turn.warn(format!("on which days time was tracked could not be read: {failure}"));
                LastDays::new()
            }
        }
    }

    /// What was tracked on each day of a period: one call for each 31 days. Days without any are left out.
    ///
    /// # Errors
    /// Where it cannot be read, or Clockify refuses it.
    pub async fn hours_by_day(
        &self,
        sides: &Sides,
        period: Period,
        zone: &Zone,
    ) -> Result<BTreeMap<Date, u64>, RunError> {
        let mut by_day = BTreeMap::new();
        for days in period.parts(clockify::DAYS_MAX) {
            let read = self.clockify.by_day(&sides.scope.clockify_workspace, days, &zone.name);
            by_day.extend(self.unless_stopped("the days", read).await?);
        }
        Ok(by_day)
    }

    /// The entries of a period on something, the latest first: one call for each 31 days, and of each the latest
    /// [`clockify::ENTRIES_MAX`].
    ///
    /// # Errors
    /// Where they cannot be read, or Clockify refuses them.
    pub async fn entries(
        &self,
        sides: &Sides,
        period: Period,
        zone: &Zone,
        branch: Branch,
    ) -> Result<Entries, RunError> {
        let mut entries = Entries::default();
        for days in period.parts(clockify::DAYS_MAX).into_iter().rev() {
            let read = self.clockify.entries(&sides.scope.clockify_workspace, days, zone, branch.asked_by());
            let read = self.unless_stopped("the entries", read).await?;
            entries.are_all &= read.len() < clockify::ENTRIES_MAX;
            entries.latest_first.extend(read.into_iter().filter(|booking| branch.holds(booking.place)));
        }
        Ok(entries)
    }

    /// What a report says. A refusal is told as what it is.
    async fn unless_stopped<T>(
        &self,
        what: &'static str,
        read: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, RunError> {
        let read = tokio::select! {
            read = read => read,
            () = self.turn.stop.wait() => return Err(SessionError::Stopped("stopped while reading").into()),
        };
        match read {
            Err(failure) if failure.has_status(403) || failure.has_status(402) => Err(RunError::new(
                Code::Refused,
                format!("{what} are not available: Clockify refuses them to this key or plan"),
            )),
            read => Ok(read.map_err(|failure| SessionError::from(self.clockify.error(what, failure)))?),
        }
    }

    /// Seals a month, unless it is sealed already or an error among its findings is not accepted.
    ///
    /// # Errors
    /// Why it cannot be sealed.
    pub async fn close_month(
        &mut self,
        wanted: &HoursQuery,
        month: Period,
        accepting: &Accepting,
    ) -> Result<(Reckoned, Close), RunError> {
        if let Some(sealed) = self.store.sealed_month(&month.to_string()).await? {
            let since = sealed.sealed_at.strftime("%Y-%m-%d %H:%M UTC");
            return Err(RunError::new(Code::Error, format!("{month} is sealed already, since {since}"))
                .hint(format!("`punchlist month reopen {month}` opens it, to be sealed anew")));
        }
        let reckoned = self.hours(wanted).await?;
        let (by, at) = (self.turn.by.clone(), (self.turn.clock)());
        let close = month::close(&reckoned.document, month, accepting, &by, at).map_err(|why| {
            RunError::new(Code::Error, format!("{month} is not sealed: {why}"))
                .hint(format!("`punchlist hours --month {month}` shows figures, findings and what is not available"))
        })?;
        if let Close::Sealed(sealed) = &close {
            let (month, hash, sealed) = (sealed.month.clone(), sealed.hash.clone(), sealed.clone());
            self.tell(vec![What::MonthSealed { month, hash, by, sealed }]).await?;
        }
        Ok((reckoned, close))
    }

    /// What of a sealed month is other by now, in the zone in which it was sealed.
    ///
    /// # Errors
    /// Where it is not sealed, was altered, or cannot be told.
    pub async fn verify_month(
        &mut self,
        wanted: &HoursQuery,
        month: Period,
    ) -> Result<(Sealed, Vec<Change>), RunError> {
        let sealed = seal_of(self.store, month).await?;
        let zone = config::zone_named(&sealed.timezone).ok_or_else(|| {
            RunError::new(Code::Error, format!("this machine does not know the zone {}", Shown::of(&sealed.timezone)))
        })?;
        let reckoned = self.hours(&HoursQuery { zone, ..wanted.clone() }).await?;
        if reckoned.document.totals.tracked_s.is_none() || !reckoned.document.complete {
            return Err(RunError::new(Code::Error, format!("whether {month} is unchanged cannot be told"))
                .hint(reckoned.missing.join("; ")));
        }
        let changes = sealed.changes(&reckoned.document.clients);
        Ok((sealed, changes))
    }
}

/// True where Clockify refuses a kind of time, or so many days. Whether a plan that lacks one answers with 400 or 403 is
/// not documented.
fn is_refused(failure: &Failure) -> bool {
    [400, 402, 403].into_iter().any(|status| failure.has_status(status))
}

/// A month as it was sealed, held against the log.
///
/// # Errors
/// Where it is not sealed, or is not what was sealed.
pub async fn seal_of(state: &Store, month: Period) -> Result<Sealed, RunError> {
    let month = month.to_string();
    let Some(sealed) = state.sealed_month(&month).await? else {
        return Err(RunError::new(Code::Error, format!("{month} is not sealed"))
            .hint(format!("`punchlist month close {month}` seals it")));
    };
    let in_log = state.hash_of_month(&month).await?;
    if !sealed.is_intact() || in_log.is_some_and(|hash| hash != sealed.hash) {
        return Err(RunError::new(Code::Error, format!("what is kept of {month} is not what was sealed"))
            .hint("`punchlist logs verify` says whether the log is whole; it holds the month as it was sealed"));
    }
    Ok(sealed)
}

impl Installation {
    /// Opens a sealed month again, to be sealed anew, and logs it. Returns what it was.
    ///
    /// # Errors
    /// Where it is not sealed.
    pub async fn reopen_month(&self, state: &mut State, month: Period) -> Result<Sealed, RunError> {
        let month = month.to_string();
        let Some(sealed) = state.sealed_month(&month).await? else {
            return Err(RunError::new(Code::Error, format!("{month} is not sealed")));
        };
        let reopened = What::MonthReopened { month, hash: sealed.hash.clone(), by: self.by.clone() };
        self.log_by_itself(&mut state.0, "month reopen", [reopened], "reopened", &[]).await?;
        Ok(sealed)
    }
}
