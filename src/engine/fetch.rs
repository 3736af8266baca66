//! Reads both sides: who we are there, the listings, and linked pages that no listing shows.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use jiff::SignedDuration;

use super::session::{Identities, Progress, Session, SessionError};
use crate::{
    domain::model::{Kind, Link, Object, PerKind, Problem, Registry, Service, Sight, Snapshot, Snapshots},
    edge::{
        clockify::Identity,
        notion::{self, Seen, Source},
    },
};

/// Pages that are fetched one by one in a run, because no listing shows them. The others wait for the next run.
const MISSING_PAGES_MAX: usize = 100;
/// How many of them at once.
const MISSING_PAGES_AT_ONCE: usize = 4;
/// A page that is away is asked for again after this time. If it comes back open, a listing shows it sooner;
/// one that comes back in the trash waits for this.
const AWAY_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// What was read of Notion.
pub(super) struct ReadNotion {
    pub(super) workspace: String,
    pub(super) sources: PerKind<Source>,
    pub(super) snapshots: Snapshots,
    /// Links whose page is away from now on.
    pub(super) away_now: Vec<Link>,
}

/// What was read of Clockify: the workspace and its plan, its objects, and what was noticed.
pub(super) type ReadClockify = (Identity, Snapshot<Object>, Vec<Problem>);

impl Session<'_> {
    pub(super) async fn read_notion(
        &self,
        registry: &Registry,
        mut remembered: PerKind<Option<Source>>,
        pinned: Option<&Identities>,
    ) -> Result<ReadNotion, SessionError> {
        let identity = async {
            let identity = self.notion.identity().await?;
            let before = pinned.map(|pinned| pinned.notion.as_str());
            same_workspace(Service::Notion, before, &identity.workspace_id).map(|()| identity.workspace_id)
        };
        let [clients, projects, tasks] = Kind::ALL.map(|kind| self.read_pages(kind, remembered[kind].take()));
        let (workspace, clients, projects, tasks) = tokio::try_join!(identity, clients, projects, tasks)?;
        let mut snapshots = Snapshots::default();
        let mut sources: PerKind<Option<Source>> = PerKind::default();
        for (kind, (source, listed)) in Kind::ALL.into_iter().zip([clients, projects, tasks]) {
            snapshots.pages[kind] = listed.pages;
            snapshots.problems.extend(listed.problems);
            sources[kind] = Some(listed.refreshed.unwrap_or(source));
        }
        let PerKind { clients: Some(clients), projects: Some(projects), tasks: Some(tasks) } = sources else {
            unreachable!("every kind was read just now")
        };
        let sources = PerKind { clients, projects, tasks };
        let away_now = self.look_for_missing(registry, &sources, &mut snapshots).await?;
        Ok(ReadNotion { workspace, sources, snapshots, away_now })
    }

    async fn read_pages(&self, kind: Kind, remembered: Option<Source>) -> Result<(Source, notion::Listed), SessionError> {
        let reference = &self.references[kind];
        let source = match remembered.filter(|source| source.reference == *reference) {
            Some(source) => source,
            None => self.notion.resolve(kind, reference).await?,
        };
        let watch = Arc::clone(&self.watch);
        let progress = move |rows| watch(Progress::Reading(Service::Notion, kind, rows));
        let listed = self.notion.fetch(kind, &source, &progress).await?;
        Ok((source, listed))
    }

    pub(super) async fn read_clockify(&self, pinned: Option<&Identities>) -> Result<ReadClockify, SessionError> {
        let identity = self.clockify.identity(self.workspace).await?;
        let before = pinned.map(|pinned| pinned.clockify.as_str());
        same_workspace(Service::Clockify, before, &identity.workspace_id)?;
        let watch = Arc::clone(&self.watch);
        let progress = move |kind, rows| watch(Progress::Reading(Service::Clockify, kind, rows));
        let (objects, problems) = self.clockify.fetch(&identity.workspace_id, &progress).await?;
        Ok((identity, objects, problems))
    }

    /// Linked pages that a complete listing does not show are asked for by their id: in the trash, or away.
    ///
    /// Returns links whose page is away from now on.
    async fn look_for_missing(
        &self,
        registry: &Registry,
        sources: &PerKind<Source>,
        snapshots: &mut Snapshots,
    ) -> Result<Vec<Link>, SessionError> {
        let now = (self.clock)();
        let mut missing: Vec<&Link> = Vec::new();
        for link in registry.iter() {
            if snapshots.pages[link.kind].complete().is_none_or(|listing| !listing.lacks(link.page)) {
                continue;
            }
            match link.sight {
                Sight::Retired | Sight::Parted => {}
                Sight::Away(away, since) if now.duration_since(since) < AWAY_AGAIN_AFTER => {
                    snapshots.away.insert(link.page, away);
                }
                Sight::Expected | Sight::Away(..) => missing.push(link),
            }
        }
        missing.truncate(MISSING_PAGES_MAX);
        let asked = stream::iter(missing).map(|link| async move {
            let seen = self.notion.page(link.kind, &sources[link.kind], link.page).await?;
            Ok::<_, SessionError>((link, seen))
        });
        let mut asked = asked.buffer_unordered(MISSING_PAGES_AT_ONCE);
        let (mut found, mut away_now) = (PerKind::<Vec<_>>::default(), Vec::new());
        while let Some(answer) = asked.next().await {
            let (link, seen) = answer?;
            let away = match seen {
                Seen::Page(page) => {
                    found[link.kind].push(*page);
                    continue;
                }
                Seen::Away(away) => away,
            };
            snapshots.away.insert(link.page, away);
            away_now.push(Link { sight: Sight::Away(away, now), ..link.clone() });
        }
        for kind in Kind::ALL {
            let more = std::mem::take(&mut found[kind]);
            if !more.is_empty() {
                snapshots.pages[kind] = std::mem::take(&mut snapshots.pages[kind]).with(more);
            }
        }
        Ok(away_now)
    }
}

fn same_workspace(service: Service, before: Option<&str>, now: &str) -> Result<(), SessionError> {
    match before {
        Some(before) if before != now => {
            Err(SessionError::OtherIdentity { service, before: before.to_owned(), now: now.to_owned() })
        }
        _ => Ok(()),
    }
}
