//! Reads both sides: who we are there, the listings, and linked pages that no listing shows.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{INTRODUCTION, Identities, Progress, Session, SessionError, pages::KindRead};
use crate::{
    domain::{
        model::{
            Agreed, Field, Kind, Link, Object, ObjectId, PageId, PerKind, Problem, Registry, Relation, Service, Sight,
            Snapshot, Snapshots, Timers, Value,
        },
        text::{Raw, Shown},
    },
    edge::{
        clockify::Identity,
        notion::{Seen, Source},
    },
};

/// Pages that are fetched one by one in a run, because no listing shows them. The others wait for the next run.
const MISSING_PAGES_MAX: usize = 100;
/// How many of them at once.
const MISSING_PAGES_AT_ONCE: usize = 4;
/// A page that is away is asked for again after this time. If it comes back open, a listing shows it sooner;
/// one that comes back in the trash waits for this.
const AWAY_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// What was read of Clockify: the workspace and its plan, its objects, and what was noticed.
pub(super) type ReadClockify = (Identity, Snapshot<Object>, Vec<Problem>);

/// How long the others may still take to find what is wrong with them when one thing is.
const ALSO_WRONG_WITHIN: Duration = Duration::from_secs(5);

/// Who we are on both sides, and where Notion's rows are.
#[derive(Clone, Debug)]
pub struct Established {
    /// Where it is told, now or by an earlier run.
    pub(in crate::engine) notion_workspace: Option<String>,
    /// Its name, where that is told.
    pub(in crate::engine) notion_name: Raw,
    pub(in crate::engine) sources: PerKind<Source>,
    pub(in crate::engine) identity: Identity,
}

/// Who we were found to be. As long as the same tokens ask on the same day, that need not be asked for again.
#[derive(PartialEq, Serialize, Deserialize)]
struct Introduction {
    asked_by: String,
    day: Date,
    notion_name: Raw,
    identity: Identity,
}

impl Session<'_> {
    /// Who we are and where the rows are, where the same tokens were told so today already.
    pub(super) async fn recall_introduction(
        &self,
        remembered: &PerKind<Option<Source>>,
        pinned: Option<&Identities>,
    ) -> Result<Option<Established>, SessionError> {
        let Some((pinned, asked_by)) = pinned.zip(self.asked_by.as_ref()) else { return Ok(None) };
        let known: Option<Introduction> = self.store.recall(INTRODUCTION).await?;
        let is_ours = |known: &Introduction| {
            known.asked_by == *asked_by && known.day == self.today() && known.identity.workspace_id == pinned.clockify
        };
        let Some(known) = known.filter(is_ours) else { return Ok(None) };
        let source = |kind| remembered[kind].clone().filter(|source| source.reference == self.references[kind]);
        let (Some(clients), Some(projects), Some(tasks)) =
            (source(Kind::Client), source(Kind::Project), source(Kind::Task))
        else {
            return Ok(None);
        };
        Ok(Some(Established {
            notion_workspace: pinned.notion.clone(),
            notion_name: known.notion_name,
            sources: PerKind { clients, projects, tasks },
            identity: known.identity,
        }))
    }

    /// Keeps who we are, now that both sides could be read.
    pub(super) async fn keep_introduction(&mut self, established: &Established) -> Result<(), SessionError> {
        let Some(asked_by) = self.asked_by.clone() else { return Ok(()) };
        let Established { notion_name, identity, .. } = established.clone();
        let introduction = Introduction { asked_by, day: self.today(), notion_name, identity };
        if self.store.recall::<Introduction>(INTRODUCTION).await?.as_ref() != Some(&introduction) {
            self.store.remember(INTRODUCTION, &introduction).await?;
        }
        Ok(())
    }

    fn today(&self) -> Date {
        (self.turn.clock)().to_zoned(TimeZone::UTC).date()
    }

    /// Finds out who we are and where the rows are, before anything is listed: what is wrong with that comes all at
    /// once, and always in the same order. A credential that is refused is said once.
    pub(super) async fn establish(
        &self,
        mut remembered: PerKind<Option<Source>>,
        pinned: Option<&Identities>,
    ) -> Result<Established, SessionError> {
        let wrong = Wrong::default();
        let notion = wrong.unless(async {
            let identity = self.notion.identity().await?;
            Ok((told_workspace(pinned, identity.workspace_id)?, identity.workspace_name))
        });
        let [clients, projects, tasks] = Kind::ALL.map(|kind| wrong.unless(self.source(kind, remembered[kind].take())));
        let clockify = wrong.unless(async {
            let identity = self.clockify.identity(self.workspace).await?;
            let before = pinned.map(|pinned| pinned.clockify.as_str());
            same_workspace(Service::Clockify, before, &identity.workspace_id).map(|()| identity)
        });
        match tokio::join!(notion, clients, projects, tasks, clockify) {
            (
                Some(Ok((notion_workspace, notion_name))),
                Some(Ok(clients)),
                Some(Ok(projects)),
                Some(Ok(tasks)),
                Some(Ok(identity)),
            ) => {
                let sources = PerKind { clients, projects, tasks };
                Ok(Established { notion_workspace, notion_name, sources, identity })
            }
            (notion, clients, projects, tasks, clockify) => {
                let of_notion = notion.and_then(Result::err).into_iter();
                let of_sources = [clients, projects, tasks].into_iter().flatten().filter_map(Result::err);
                let of_clockify = clockify.and_then(Result::err);
                Err(SessionError::several(of_notion.chain(of_sources).chain(of_clockify)))
            }
        }
    }

    /// Holds what was found out before the run against the mapping.
    pub(super) async fn confirm(&self, established: Established) -> Result<Established, SessionError> {
        for kind in Kind::ALL {
            self.notion.check(kind, &established.sources[kind]).await?;
        }
        Ok(established)
    }

    async fn source(&self, kind: Kind, remembered: Option<Source>) -> Result<Source, SessionError> {
        let reference = &self.references[kind];
        match remembered.filter(|source| source.reference == *reference) {
            Some(source) => {
                self.notion.check(kind, &source).await?;
                Ok(source)
            }
            None => Ok(self.notion.resolve(kind, reference).await?),
        }
    }

    /// Reads both sides. What is wrong with any of it, e.g. with a schema that has changed, comes all at once as well.
    pub(super) async fn read_both(
        &self,
        established: &Established,
    ) -> Result<(PerKind<KindRead>, ReadClockify), SessionError> {
        let Established { sources, identity, .. } = established;
        let wrong = Wrong::default();
        let [clients, projects, tasks] = Kind::ALL.map(|kind| wrong.unless(self.read_pages(kind, &sources[kind])));
        let notion = async {
            match tokio::join!(clients, projects, tasks) {
                (Some(Ok(clients)), Some(Ok(projects)), Some(Ok(tasks))) => {
                    let read = self.read_parents(PerKind { clients, projects, tasks }, sources).await?;
                    (self.turn.watch)(Progress::Read(Service::Notion));
                    Ok(read)
                }
                (clients, projects, tasks) => {
                    let wrong = [clients, projects, tasks].into_iter().flatten().filter_map(Result::err);
                    Err(SessionError::several(wrong))
                }
            }
        };
        let clockify = wrong.unless(async {
            let read = self.read_clockify(identity.clone()).await?;
            (self.turn.watch)(Progress::Read(Service::Clockify));
            Ok(read)
        });
        match tokio::join!(notion, clockify) {
            (Ok(of_notion), Some(Ok(of_clockify))) => Ok((of_notion, of_clockify)),
            (notion, clockify) => {
                Err(SessionError::several(notion.err().into_iter().chain(clockify.and_then(Result::err))))
            }
        }
    }

    /// What was read of Notion, from the listings of its kinds.
    pub(super) fn assembled(
        &self,
        mut sources: PerKind<Source>,
        PerKind { clients, projects, tasks }: PerKind<KindRead>,
    ) -> (PerKind<Source>, Snapshots) {
        let mut snapshots = Snapshots::default();
        for (kind, KindRead { listed, .. }) in Kind::ALL.into_iter().zip([clients, projects, tasks]) {
            snapshots.pages[kind] = listed.pages;
            snapshots.problems.extend(listed.problems);
            snapshots.new_options.extend(listed.new_options);
            if let Some(refreshed) = listed.refreshed {
                sources[kind] = refreshed;
            }
        }
        snapshots.never_empty = PerKind::from_fn(|kind| self.notion.never_empty(kind, &sources[kind]));
        for kind in Kind::ALL {
            let Some(because) = self.notion.unshared_parents(kind, &sources) else { continue };
            // Rows of last year's copy of a database, say, are none of those that are read.
            let parents = kind.parent().map(|parent| snapshots.pages[parent].clone());
            let is_seen = |parent| parents.as_ref().is_some_and(|pages| pages.get(parent).is_some());
            snapshots.pages[kind].update(|page| {
                if page.parent == Relation::None || page.parent.one().is_some_and(|parent| !is_seen(parent)) {
                    page.parent = Relation::Unknown(because.clone());
                }
            });
        }
        (sources, snapshots)
    }

    async fn read_clockify(&self, identity: Identity) -> Result<ReadClockify, SessionError> {
        let watch = Arc::clone(&self.turn.watch);
        let progress = move |kind, rows| watch(Progress::Reading(Service::Clockify, kind, rows));
        let (objects, problems) = self.clockify.fetch(&identity.workspace_id, &progress).await?;
        Ok((identity, objects, problems))
    }

    /// Objects that were created a moment ago and that a listing does not show are asked for by their ID: shown from
    /// now on, or denied.
    pub(super) async fn fetch_young(&self, workspace: &str, registry: &Registry, snapshots: &mut Snapshots) {
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

    /// Why objects may be missing that are there all the same: the key of a plain member does not see
    /// other people's private projects. It is asked only where absence would be concluded, which costs a call or two.
    pub(super) async fn hidden(&self, workspace: &str, registry: &Registry, snapshots: &Snapshots) -> Option<Shown> {
        let is_hidable = |&(kind, object, _): &Expected| kind != Kind::Client && snapshots.is_gone(kind, object);
        if !expected(registry, snapshots).iter().any(is_hidable) {
            return None;
        }
        match self.clockify.is_admin(workspace).await {
            Ok(true) => None,
            Ok(false) => Some(
                "clockify.token is the key of a plain member, who does not see every private project and its tasks"
                    .into(),
            ),
            Err(failure) => {
                let asked = "whether clockify.token may see every private project could not be found out";
                Some(format!("{asked}: {failure}").into())
            }
        }
    }

    /// The timers that run. They are asked for only where a plan closes something, which one call is for. A key that may
    /// not see them is not kept from closing: it would never close anything.
    pub(super) async fn timers(&self, workspace: &str) -> Timers {
        let read = tokio::select! {
            read = self.clockify.running(workspace) => read,
            () = self.turn.stop.wait() => return Timers::Unknown("the run is being stopped".into()),
        };
        match read {
            Ok(running) => Timers::Running(running),
            Err(failure) if failure.has_status(403) => {
                let text = "Clockify refuses running timers to this key: nothing that is closed is held for one";
                self.turn.warn(text.to_owned());
                Timers::Running(Vec::new())
            }
            Err(failure) => Timers::Unknown(failure.to_string().into()),
        }
    }

    /// Linked pages that a complete listing does not show are asked for by their id: in the trash, or away. One that
    /// was in the trash, and whose object was closed, is asked for again when somebody has opened the object.
    ///
    /// Returns links whose page is away from now on, and the pages that were seen.
    pub(super) async fn fetch_missing(
        &self,
        registry: &Registry,
        sources: &PerKind<Source>,
        snapshots: &mut Snapshots,
    ) -> Result<(Vec<Link>, Vec<PageId>), SessionError> {
        let now = (self.turn.clock)();
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
        let seen = found.iter().flat_map(|(_, pages)| pages).map(|page| page.id).collect();
        for kind in Kind::ALL {
            let more = std::mem::take(&mut found[kind]);
            if !more.is_empty() {
                snapshots.pages[kind] = std::mem::take(&mut snapshots.pages[kind]).with(more);
            }
        }
        Ok((away_now, seen))
    }
}

/// Tells everybody who finds out something that something is wrong.
struct Wrong {
    sender: watch::Sender<bool>,
    receiver: watch::Receiver<bool>,
}

impl Default for Wrong {
    fn default() -> Self {
        let (sender, receiver) = watch::channel(false);
        Self { sender, receiver }
    }
}

impl Wrong {
    /// Finds something out; nothing where it takes much longer than it took others to fail.
    async fn unless<T>(&self, find: impl Future<Output = Result<T, SessionError>>) -> Option<Result<T, SessionError>> {
        // On the heap: several of them at once would be much for the stack of a thread.
        let find = Box::pin(find);
        let mut receiver = self.receiver.clone();
        let given_up = async move {
            // It ends only with the one who tells.
            drop(receiver.wait_for(|wrong| *wrong).await);
            tokio::time::sleep(ALSO_WRONG_WITHIN).await;
        };
        tokio::select! {
            found = find => {
                if found.is_err() {
                    self.sender.send_replace(true);
                }
                Some(found)
            }
            () = given_up => None,
        }
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
    let links =
        registry.iter().filter(|link| link.sight != Sight::Retired).map(|link| (link.kind, link.object, parent(link)));
    let claims = Kind::ALL.into_iter().flat_map(|kind| {
        let pages = snapshots.pages[kind].rows().iter().filter(|page| registry.of_page(page.id).is_none());
        pages.filter_map(move |page| Some((kind, page.claim.id()?, None)))
    });
    links.chain(claims).collect()
}

/// Refuses another workspace than the one that the state belongs to.
/// Notion's workspace: what is told now, or else was told before.
pub(in crate::engine) fn told_workspace(
    pinned: Option<&Identities>,
    now: Option<String>,
) -> Result<Option<String>, SessionError> {
    let before = pinned.and_then(|pinned| pinned.notion.clone());
    let Some(now) = now else { return Ok(before) };
    same_workspace(Service::Notion, before.as_deref(), &now).map(|()| Some(now))
}

pub(in crate::engine) fn same_workspace(service: Service, before: Option<&str>, now: &str) -> Result<(), SessionError> {
    match before {
        Some(before) if before != now => {
            Err(SessionError::OtherIdentity { service, before: before.to_owned(), now: now.to_owned() })
        }
        _ => Ok(()),
    }
}
