//! Reads both sides: who we are there, the listings, and linked pages that no listing shows.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use jiff::SignedDuration;

use super::session::{Identities, Progress, Session, SessionError};
use crate::{
    domain::model::{
        Agreed, Field, Kind, Link, Object, ObjectId, PerKind, Problem, Registry, Relation, Service, Sight, Snapshot, Snapshots,
        Value,
    },
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
}

/// What was read of Clockify: the workspace and its plan, its objects, and what was noticed.
pub(super) type ReadClockify = (Identity, Snapshot<Object>, Vec<Problem>);

impl Session<'_> {
    pub(super) async fn read_notion(
        &self,
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
        snapshots.never_empty = PerKind::from_fn(|kind| self.notion.never_empty(kind, &sources[kind]));
        for kind in Kind::ALL {
            let Some(because) = self.notion.unshared_parents(kind, &sources) else { continue };
            snapshots.pages[kind].update(|page| {
                if page.parent == Relation::None {
                    page.parent = Relation::Unknown(because.clone());
                }
            });
        }
        Ok(ReadNotion { workspace, sources, snapshots })
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

    /// Objects that were created a moment ago and that a listing does not show are asked for by their ID: shown from now on, or denied.
    pub(super) async fn look_for_young(&self, workspace: &str, registry: &Registry, snapshots: &mut Snapshots) {
        let mut missing = expected(registry, snapshots);
        missing.retain(|&(kind, object, _)| {
            let listed = snapshots.objects[kind].complete();
            listed.is_some_and(|listing| listing.lacks(object)) && snapshots.is_young(object)
        });
        missing.truncate(MISSING_PAGES_MAX);
        for (kind, object, parent) in missing {
            match self.clockify.read(workspace, kind, object, parent).await {
                Ok(Some(found)) => {
                    let listed = std::mem::take(&mut snapshots.objects[kind]);
                    snapshots.objects[kind] = listed.with([found]);
                }
                Ok(None) => drop(snapshots.denied.insert(object)),
                // Nothing was learnt, and asking on would hardly teach more: they stay unseen.
                Err(_) => break,
            }
        }
    }

    /// Why objects may be missing that are there all the same, safe to show: the key of a plain member does not see other people's private
    /// projects. It is asked only where absence would be concluded, which costs a call or two.
    pub(super) async fn hidden(&self, workspace: &str, registry: &Registry, snapshots: &Snapshots) -> Option<String> {
        let is_hidable = |&(kind, object, _): &Expected| kind != Kind::Client && snapshots.is_gone(kind, object);
        if !expected(registry, snapshots).iter().any(is_hidable) {
            return None;
        }
        match self.clockify.is_admin(workspace).await {
            Ok(true) => None,
            Ok(false) => Some(
                "clockify.token is the key of a plain member, who does not see every private project and its tasks".to_owned(),
            ),
            Err(failure) => {
                Some(format!("whether clockify.token may see every private project could not be found out: {failure}"))
            }
        }
    }

    /// Linked pages that a complete listing does not show are asked for by their id: in the trash, or away. One that was in the trash, and
    /// whose object was closed, is asked for again when somebody has opened the object.
    ///
    /// Returns links whose page is away from now on.
    pub(super) async fn look_for_missing(
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
                Sight::Retired if snapshots.objects[link.kind].get(link.object).is_some_and(Object::is_open) => {
                    missing.push(link);
                }
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

/// An object that should be there, and the one that it stood under.
type Expected = (Kind, ObjectId, Option<ObjectId>);

/// The objects that links and claims name.
fn expected(registry: &Registry, snapshots: &Snapshots) -> Vec<Expected> {
    let parent = |link: &Link| match link.base.get(Field::Parent).map(Agreed::clockify) {
        Some(Value::Object(parent)) => Some(*parent),
        _ => None,
    };
    let links = registry.iter().filter(|link| link.sight != Sight::Retired).map(|link| (link.kind, link.object, parent(link)));
    let claims = Kind::ALL.into_iter().flat_map(|kind| {
        let pages = snapshots.pages[kind].rows().iter().filter(|page| registry.of_page(page.id).is_none());
        pages.filter_map(move |page| Some((kind, page.claim.id()?, None)))
    });
    links.chain(claims).collect()
}

fn same_workspace(service: Service, before: Option<&str>, now: &str) -> Result<(), SessionError> {
    match before {
        Some(before) if before != now => {
            Err(SessionError::OtherIdentity { service, before: before.to_owned(), now: now.to_owned() })
        }
        _ => Ok(()),
    }
}
