//! Time entries that are on what they cannot have been meant for become changes of a plan, where the rules say so.
//!
//! What it costs: nothing where no object is one that entries could be astray on; else a detailed report for each of two
//! months and each thousand entries on such projects, and where there are any, one more of those that are invoiced. With
//! `rules.hours.refile = "never"` nothing is asked for.

use std::collections::BTreeSet;

use super::session::{Session, SessionError, Sides};
use crate::{
    domain::{
        hours::{Booking, Period, month_name},
        model::{Entry, ObjectId, Refiling},
        plan::Plan,
        refile::{Misfiled, Terrain, refiled, routes, taken_back, written},
        rules::{Refile, Rules},
    },
    edge::http::Failure,
};

impl Session<'_> {
    /// Adds to a plan where time entries go; to the undo of a run, that they go back.
    ///
    /// # Errors
    /// [`SessionError`] where the state cannot be read. Where Clockify does not show the entries the plan is without
    /// them, and says nothing of what waited about them.
    pub(super) async fn with_refiled(&self, plan: Plan, seen: &Sides, rules: &Rules) -> Result<Plan, SessionError> {
        let Sides { snapshots, registry, scope, .. } = seen;
        let terrain = Terrain { snapshots, registry, rules };
        if let Some(run) = &scope.undoes {
            let written = written(&self.store.events(run).await?);
            return if written.is_empty() {
                Ok(plan)
            } else {
                self.with_taken_back(plan, terrain, &written, seen).await
            };
        }
        if rules.refile == Refile::Never {
            return Ok(plan);
        }
        let routes = routes(&plan, terrain, seen.demands);
        let projects: BTreeSet<ObjectId> = routes.keys().filter_map(|spot| spot.project).collect();
        if projects.is_empty() {
            return Ok(plan);
        }
        let months = self.months();
        match self.misfiled(&scope.clockify_workspace, &months, &projects).await {
            Ok((bookings, invoiced)) => {
                let sealed = self.sealed_of(&months).await?;
                let misfiled = Misfiled { routes: &routes, bookings: &bookings, invoiced: &invoiced, sealed: &sealed };
                Ok(refiled(plan, terrain, &misfiled))
            }
            Err(failure) => {
                self.turn.warn(format!("where time entries belong could not be told: {failure}"));
                let linked = routes.values().filter_map(|route| registry.of_object(route.to.object()?));
                let unclear: Vec<_> = linked.map(|link| link.page).collect();
                Ok(Plan { unclear: plan.unclear.iter().copied().chain(unclear).collect(), ..plan })
            }
        }
    }

    /// This month and the one before it, where time is billed.
    fn months(&self) -> [Period; 2] {
        let now = self.clockify.http().server_time().unwrap_or_else(|| (self.turn.clock)());
        let month = Period::month_of(self.zone.day(now));
        [month.previous_month(), month]
    }

    async fn sealed_of(&self, months: &[Period]) -> Result<Vec<Period>, SessionError> {
        let mut sealed = Vec::new();
        for &month in months {
            if self.store.sealed_month(&month_name(month)).await?.is_some() {
                sealed.push(month);
            }
        }
        Ok(sealed)
    }

    /// The entries of some months on some projects, and which of them are invoiced.
    async fn misfiled(
        &self,
        workspace: &str,
        months: &[Period],
        projects: &BTreeSet<ObjectId>,
    ) -> Result<(Vec<Booking>, BTreeSet<ObjectId>), Failure> {
        let (mut bookings, mut invoiced) = (Vec::new(), BTreeSet::new());
        for &month in months {
            let read = self.clockify.entries_on(workspace, month, &self.zone, projects, false).await?;
            if read.is_empty() {
                continue;
            }
            bookings.extend(read);
            match self.clockify.entries_on(workspace, month, &self.zone, projects, true).await {
                Ok(read) => invoiced.extend(read.into_iter().filter_map(|booking| booking.id)),
                // A plan without invoices has none that says anything of an entry. How that is said is not documented.
                Err(failure) if [400, 402, 403].into_iter().any(|status| failure.has_status(status)) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok((bookings, invoiced))
    }

    async fn with_taken_back(
        &self,
        plan: Plan,
        terrain: Terrain<'_>,
        written: &[Refiling],
        seen: &Sides,
    ) -> Result<Plan, SessionError> {
        let mut now: Vec<Entry> = Vec::new();
        for refiling in written {
            let read = self.clockify.observe_entries(&seen.scope.clockify_workspace, &refiling.inverse()).await;
            now.extend(read.map_err(|failure| self.clockify.error("time entries", failure))?);
        }
        let days: BTreeSet<_> = now.iter().map(|entry| self.zone.day(entry.begins).first_of_month()).collect();
        let months: Vec<Period> = days.into_iter().map(Period::month_of).collect();
        let sealed = self.sealed_of(&months).await?;
        Ok(taken_back(plan, terrain, written, &now, &sealed, &self.zone))
    }
}
