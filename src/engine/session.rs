//! One run from beginning to end: fetch both sides, settle what an earlier run left open, plan, apply, report.

mod applying;
mod differences;
mod ending;
mod error;
mod exchanges;
mod fetch;
mod pages;
mod reservations;
mod second;
mod turn;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Deref,
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub(super) use self::ending::learned;
pub use self::error::SessionError;
pub(super) use self::exchanges::{Exchanges, exchange_events};
pub use self::fetch::Established;
pub(super) use self::fetch::{same_workspace, told_workspace};
use self::{differences::News, pages::edited};
use super::ages::{belong, whose_in_clockify};
use crate::{
    domain::{
        diff::{Diff, diff},
        hours::{Demands, Policy, Zone, state_tracked},
        implied::imply,
        journal::{Difference, Event, RunId, What},
        model::{Kind, Limits, Link, PageId, PerKind, Registry, Service, Snapshots},
        plan::{
            Calls, Cause, Change, ChangeId, HoldCode, NoticeCode, Pace, Plan, Scope, Workspaces,
            document::NoticeDocument,
        },
        reach::{Reach, client_named},
        review::{Decision, Overtaken, Remembered, Review, Said, SaidUpon},
        rules::{Allowance, Rules},
        text::{Raw, Shown},
        undo::undo,
    },
    edge::{
        clockify::Clockify,
        failpoint::{self, Point},
        http::{Exchange, Queued},
        notion::{Notion, Source},
        store::{Mark, PendingRow, Store},
    },
};

pub(super) use turn::Turn;

/// Memory key: the data sources as they were last read.
pub(super) const SOURCES: &str = "sources";
/// Memory key: the workspaces that the state belongs to.
pub(super) const IDENTITIES: &str = "identities";
/// Memory key: who we were last found to be.
const INTRODUCTION: &str = "introduction";
/// Memory key: when each service may be asked again.
pub(super) const NOT_BEFORE: &str = "not_before";
/// Memory key: the Clockify plan that did not take an estimate, and when that was.
const WITHOUT_ESTIMATES: &str = "without_estimates";
/// After this time an estimate is tried again, under the same plan: perhaps it was the rights of the key.
const ESTIMATES_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Memory key: the notices of the last plan, for who settles them.
pub(super) const NOTICES: &str = "notices";
/// Shorter waits are not worth keeping.
const NOT_BEFORE_FROM: Duration = Duration::from_secs(5);

/// Until when each service is not to be asked again.
pub(super) type NotBefore = BTreeMap<Service, Timestamp>;

/// What a run tells while it goes on.
#[derive(Clone, Debug)]
pub enum Progress {
    /// So many rows of a kind were read so far.
    Reading(Service, Kind, usize),
    /// All of one side was read.
    Read(Service),
    /// A request has to wait before it can leave.
    Queued(Queued),
    /// A request ended.
    Exchanged(Exchange),
    /// So many changes are about to be applied.
    Applying(usize),
    /// Something happened, and is in the journal.
    Happened(Event),
    /// Something went wrong beside the run, which goes on all the same.
    Warned(Shown),
    /// Another run holds the lock and is waited for, or has let it go.
    Awaits(bool),
}

/// Is told about progress; from several places at once.
pub type Watch = Arc<dyn Fn(Progress) + Send + Sync>;

/// One run, from its beginning to its end, as [`Runner::run`](super::run::Runner::run) begins and ends it.
pub struct Session<'a> {
    pub(super) notion: &'a Notion,
    pub(super) clockify: &'a Clockify,
    /// The state.
    pub(super) store: &'a mut Store,
    /// The policy.
    pub(super) rules: &'a Rules,
    /// The known limits of both services.
    pub(super) pace: Pace,
    /// What somebody lets through beyond the brakes, in this run alone.
    pub(super) allow: Vec<Allowance>,
    /// True where nobody watches.
    pub unattended: bool,
    /// True where nothing is written and every change is left for a person.
    pub only_plans: bool,
    /// The run that this one takes back, instead of comparing both sides.
    pub undoes: Option<RunId>,
    /// True where what was edited since the last run is all that is read of Notion, as long as that is enough.
    pub only_edits: bool,
    /// True where all is read whatever else is wanted.
    pub(super) full: bool,
    /// How long edits are enough.
    pub(super) full_every: SignedDuration,
    /// Which tokens and configuration it asks with, as a hash; nothing where that is not known.
    pub(super) asked_by: Option<String>,
    /// What was found out before the run, and need not be asked for again.
    pub established: Option<Established>,
    /// Whose changes are planned.
    pub(super) reach: Reach,
    /// The data sources, as the configuration names them.
    pub(super) references: &'a PerKind<String>,
    /// Where the days are that time is billed by.
    pub(super) zone: Zone,
    /// What counts in hours.
    pub(super) policy: Policy,
    /// What the configuration is called, where it is not the default one.
    pub(super) configuration: Option<&'a Shown>,
    /// The Clockify workspace, as the configuration names it.
    pub(super) workspace: Option<&'a str>,
    pub(super) run: RunId,
    /// Who asks for it, and who is told meanwhile.
    pub(super) turn: &'a Turn,
    /// Requests that ended and are not in the journal yet.
    pub(super) exchanges: Exchanges,
    /// What earlier runs of the same connection have cost.
    pub(super) calls_before: Calls,
    /// The differences of the last plan that are in the log of an earlier run alone.
    pub(super) unlogged: BTreeMap<ChangeId, Box<Difference>>,
}

/// A notice of the last plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptNotice {
    /// What it says and about what.
    pub what: Shown,
    /// The page that it is about, or what stands for it.
    pub page: PageId,
    pub notice: NoticeDocument,
}

/// Both sides as they were seen, and where.
pub struct Sides {
    /// Both sides.
    pub snapshots: Snapshots,
    /// The links.
    pub registry: Registry,
    /// The data sources.
    pub sources: PerKind<Source>,
    /// The workspaces.
    pub scope: Scope,
    /// What they are called.
    pub workspaces: Workspaces,
    /// When reading began.
    pub at: Timestamp,
    /// The pages that were read; nothing where all were. The others are known of before, and were not edited since.
    pub(super) fresh: Option<BTreeSet<PageId>>,
    /// How far others had come with the state then.
    mark: Mark,
    /// The plan of the Clockify workspace.
    pub(super) clockify_plan: String,
    /// What the Clockify workspace wants of every time entry.
    pub(super) demands: Demands,
}

/// The workspaces that a state belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identities {
    /// Nothing where nobody has told: a personal access token may not say.
    pub(super) notion: Option<String>,
    pub(super) clockify: String,
}

impl Session<'_> {
    /// Reads both sides and makes the plan, unless somebody asks to stop.
    ///
    /// # Errors
    /// [`SessionError`]; nothing was written then.
    pub async fn fetch_and_plan(&mut self) -> Result<(Sides, Plan), SessionError> {
        let turn = self.turn;
        let mut sides = tokio::select! {
            sides = self.fetch() => sides?,
            () = turn.stop.wait() => return Err(SessionError::Stopped("stopped while reading; nothing was written")),
        };
        let plan = self.plan(&mut sides).await?;
        Ok((sides, plan))
    }

    /// Reads both sides, at the same time, and what an earlier run left open.
    ///
    /// # Errors
    /// [`SessionError`] where a side cannot be read; nothing was written then.
    pub(super) async fn fetch(&mut self) -> Result<Sides, SessionError> {
        self.notion.http().begin();
        self.clockify.http().begin();
        self.clockify.room_to_read()?;
        let remembered: PerKind<Option<Source>> = self.store.recall(SOURCES).await?.unwrap_or_default();
        let identities: Option<Identities> = self.store.recall(IDENTITIES).await?;
        let pinned = identities.as_ref();
        let known = match self.established.take().filter(|_| pinned.is_none()) {
            Some(established) => Some(established),
            None => self.recall_introduction(&remembered, pinned).await?,
        };
        let established = match known {
            Some(established) => self.confirm(established).await,
            None => self.establish(remembered, pinned).await,
        };
        let established = match established {
            Ok(established) => established,
            Err(error) => {
                let exchanges = self.exchanges.take();
                self.tell_exchanges(exchanges).await?;
                return Err(error);
            }
        };
        self.fetch_from(established).await
    }

    /// Reads both sides, where it is known who we are there and where the rows are.
    ///
    /// # Errors
    /// As of [`Session::fetch`].
    pub(super) async fn fetch_from(&mut self, established: Established) -> Result<Sides, SessionError> {
        let at = (self.turn.clock)();
        let mark = self.store.mark().await?;
        // Now, while there is room: on the way in they take twice as much as in the end.
        let registry = self.store.registry().await?;
        let identities: Option<Identities> = self.store.recall(IDENTITIES).await?;
        let both = self.read_both(&established).await;
        if failpoint::reach("fetched") == Point::Old {
            self.notion.grow_old();
            self.clockify.grow_old();
        }
        let exchanges = self.exchanges.take();
        self.tell_exchanges(exchanges).await?;
        let (read, (identity, objects, problems)) = match both {
            Ok(both) => both,
            Err(error) => {
                self.store.forget(INTRODUCTION).await?;
                return Err(error);
            }
        };
        self.keep_introduction(&established).await?;
        self.keep_pages(&read, &established.sources).await?;
        let told = PerKind::from_fn(|kind| read[kind].told());
        let mut fresh = edited(&read);
        let (sources, mut snapshots) = self.assembled(established.sources, read);
        let (notion_workspace, name) = (established.notion_workspace, established.notion_name);
        belong(self.store, Service::Clockify, whose_in_clockify(&identity)).await?;
        let clockify_workspace = identity.workspace_id;
        let noticed = snapshots.problems.len();
        snapshots.objects = objects;
        snapshots.problems.extend(problems);
        snapshots.as_of = self.clockify.http().server_time();
        snapshots.limits = Limits {
            accounts: self.clockify.accounts(),
            without_estimates: self.without_estimates(&identity.plan, at).await?,
            properties: PerKind::from_fn(|kind| self.notion.takes(kind, &sources[kind])),
        };
        if snapshots.are_forgotten(&registry) {
            for pause in self.rules.settles() {
                tokio::time::sleep(pause).await;
                let (objects, problems) = self.clockify.fetch(&clockify_workspace, &|_, _| {}).await?;
                snapshots.objects = objects;
                snapshots.problems.splice(noticed.., problems);
            }
        }
        self.fetch_young(&clockify_workspace, &registry, &mut snapshots).await;
        snapshots.hidden = self.hidden(&clockify_workspace, &registry, &snapshots).await;
        let (away_now, seen) = self.fetch_missing(&registry, &sources, &mut snapshots).await?;
        if let Some(fresh) = &mut fresh {
            fresh.extend(seen);
        }
        imply(&mut snapshots, &registry, self.rules);
        let mapping = &self.rules.mapping;
        if mapping.iter().any(|(_, mapping)| mapping.fields.keys().any(|field| field.is_tracked())) {
            let last = self.last_days(&clockify_workspace).await;
            state_tracked(&mut snapshots, &registry, mapping, &self.clockify.facts(), self.policy, &last);
        }
        let now = Identities { notion: notion_workspace.clone(), clockify: clockify_workspace.clone() };
        if identities.as_ref() != Some(&now) {
            self.store.remember(IDENTITIES, &now).await?;
        }
        self.store.remember(SOURCES, &PerKind::from_fn(|kind| Some(sources[kind].clone()))).await?;
        let fetched = Kind::ALL.into_iter().flat_map(|kind| {
            let (pages, objects) = (&snapshots.pages[kind], &snapshots.objects[kind]);
            let (edited, full_because) = told[kind];
            [
                What::Fetched {
                    service: Service::Notion,
                    kind,
                    rows: pages.rows().len(),
                    incomplete: pages.incomplete_because().cloned(),
                    edited,
                    full_because,
                },
                What::Fetched {
                    service: Service::Clockify,
                    kind,
                    rows: objects.rows().len(),
                    incomplete: objects.incomplete_because().cloned(),
                    edited: None,
                    full_because: None,
                },
            ]
        });
        self.tell_listed(fetched.collect()).await?;
        let mut seen = Sides {
            snapshots,
            registry,
            sources,
            scope: Scope {
                notion_workspace: notion_workspace.unwrap_or_default(),
                clockify_workspace,
                rules: String::new(),
                undoes: self.undoes,
                clients: BTreeSet::new(),
            },
            workspaces: Workspaces {
                notion: name.shown(),
                clockify: identity.workspace_name.shown(),
                configuration: self.configuration.cloned(),
            },
            at,
            fresh,
            mark,
            clockify_plan: identity.plan,
            demands: identity.demands,
        };
        self.save(&mut seen.registry, away_now).await?;
        // What another run has under way is not lost.
        if self.store.is_locked() {
            self.settle(&mut seen).await?;
        }
        if self.rules.close_children {
            seen.snapshots.close_children(&seen.registry);
        }
        Ok(seen)
    }

    /// The Clockify plan of the workspace, where it is known to have no estimates: one was refused lately, or not kept.
    async fn without_estimates(&self, plan: &str, now: Timestamp) -> Result<Option<Raw>, SessionError> {
        let refused: Option<(String, Timestamp)> = self.store.recall(WITHOUT_ESTIMATES).await?;
        let holds = |(of, at): &(String, Timestamp)| of == plan && now.duration_since(*at) < ESTIMATES_AGAIN_AFTER;
        Ok(refused.filter(holds).map(|(plan, _)| plan.into()))
    }

    /// Makes the plan, and stores what both sides were seen to agree on.
    ///
    /// # Errors
    /// [`SessionError::Store`]
    pub async fn plan(&mut self, seen: &mut Sides) -> Result<Plan, SessionError> {
        let rules = Rules { let_through: self.allow.clone(), ..self.rules.clone() };
        let mut compared = self.compare(seen, &rules).await?;
        if seen.snapshots.timers.is_none() && compared.plan.closes_something() {
            seen.snapshots.timers = Some(self.timers(&seen.scope.clockify_workspace).await);
            compared = self.compare(seen, &rules).await?;
        }
        let Diff { plan, verified } = compared;
        self.save(&mut seen.registry, verified).await?;
        let plan = self.with_refiled(plan, seen, &rules).await?;
        let known = self.store.verdicts().await?.into_iter().map(|known| known.said);
        let known =
            known.filter(|said| said.verdict.decision == Some(Decision::Ignore)).map(|said| said.change).collect();
        let plan = Plan { workspaces: seen.workspaces.clone(), ..plan.without(&known) };
        let plan = self.narrowed(plan, &self.reach, seen, &rules)?;
        if plan.scope.undoes.is_none() && plan.within.is_none() {
            self.keep_notices(&plan).await?;
        }
        let (plan_hash, changes, undoes) = (plan.hash.clone(), plan.changes.len(), plan.scope.undoes);
        let (complete, workspaces) = (plan.complete, Box::new(plan.workspaces.clone()));
        let clients = plan.within.as_ref().map(|within| within.clients.clone()).unwrap_or_default();
        let News { differences, known, open } = self.news(&plan).await?;
        let mut events = vec![What::Planned { plan_hash, changes, known, complete, undoes, workspaces, clients }];
        events.extend(differences);
        events.extend(braked(&plan));
        events.extend(foreign_runs(&plan));
        self.tell(events).await?;
        self.keep_open(open).await?;
        let is_refused_by_notion = |change: &Change| {
            change.proposal.side == Service::Notion
                && change.hold.as_ref().is_some_and(|hold| hold.code == HoldCode::NotTaken)
        };
        if plan.changes.iter().any(is_refused_by_notion) {
            // Somebody may add the option that was missed, which the remembered schema would not show.
            self.store.forget(SOURCES).await?;
        }
        if plan.complete {
            self.end_decisions(&plan).await?;
        }
        if plan.complete && undoes.is_none() {
            let ids = plan.by_id();
            self.store.withdraw_pending(|waited| ids.contains_key(&waited.id) || plan.leaves_open(waited)).await?;
        }
        Ok(plan)
    }

    /// The changes of a plan that are about some.
    ///
    /// # Errors
    /// Where no client is found that is meant.
    pub(super) fn part_of(&self, reach: &Reach, plan: &Plan, seen: &Sides) -> Result<BTreeSet<ChangeId>, SessionError> {
        let part = self.narrowed(plan.clone(), reach, seen, self.rules)?;
        Ok(part.changes.iter().map(|change| change.id).collect())
    }

    /// What of a plan is about some. A client that is not found is said, and it fails where none is left.
    fn narrowed(&self, plan: Plan, reach: &Reach, seen: &Sides, rules: &Rules) -> Result<Plan, SessionError> {
        let named = match reach {
            Reach::Everybody => return Ok(plan),
            Reach::Clients(named) => named.iter().collect(),
            Reach::Nobody => Vec::new(),
        };
        let Sides { snapshots, registry, .. } = seen;
        let (clients, missing): (Vec<_>, Vec<_>) =
            named.into_iter().map(|word| client_named(word, snapshots, registry)).partition(Result::is_ok);
        let clients: BTreeSet<PageId> = clients.into_iter().flatten().collect();
        let mut missing = missing.into_iter().filter_map(Result::err);
        if clients.is_empty()
            && let Some(missing) = missing.next()
        {
            return Err(SessionError::NoClient(missing));
        }
        missing.for_each(|missing| self.turn.warn(missing.to_string()));
        Ok(plan.narrowed(&clients, snapshots, registry, rules))
    }

    /// Compares both sides, or what a run has written with what is there now, where that run is taken back.
    async fn compare(&self, seen: &Sides, rules: &Rules) -> Result<Diff, SessionError> {
        let Sides { snapshots, registry, scope, .. } = seen;
        let Some(run) = &scope.undoes else { return Ok(diff(snapshots, registry, rules, scope.clone())) };
        let events = self.store.events(run).await?;
        let plan = undo(&events, snapshots, registry, rules, scope.clone());
        let plan = plan.map_err(|illegal| self.store.damaged(&illegal))?;
        Ok(Diff { plan, verified: Vec::new() })
    }

    /// Keeps what a plan says without a change, so that somebody can settle it when the run is over.
    async fn keep_notices(&mut self, plan: &Plan) -> Result<(), SessionError> {
        let notices: Vec<KeptNotice> = plan
            .notices
            .iter()
            .map(|notice| KeptNotice {
                what: plan.notice_words(notice),
                page: notice.about(),
                notice: NoticeDocument::of(notice),
            })
            .collect();
        if self.store.recall::<Vec<KeptNotice>>(NOTICES).await?.unwrap_or_default() != notices {
            self.store.remember(NOTICES, &notices).await?;
        }
        Ok(())
    }

    /// Ends what was decided about changes that a complete plan no longer has, so that it cannot be carried out when
    /// the same difference comes again. What was ignored for good stays ignored.
    async fn end_decisions(&mut self, plan: &Plan) -> Result<(), SessionError> {
        let ids = plan.by_id();
        let said = self.store.verdicts_on(plan.scope.undoes.as_ref()).await?.into_iter();
        let is_over = |said: &Said| {
            // While nobody can tell what a page says, nothing about it is over.
            !ids.contains_key(&said.change)
                && !plan.is_silent_about(said.page)
                && said.verdict.decision != Some(Decision::Ignore)
        };
        let over = said.filter(|known| is_over(&known.said));
        let ended = over.map(|Remembered { said: Said { change, page, what, .. }, by, .. }| {
            let causes: Vec<Cause> =
                plan.changes.iter().filter(|change| change.page == page).map(|change| change.cause).collect();
            let because = match causes.as_slice() {
                [] => "there is no such difference any more",
                causes if causes.contains(&Cause::Unfinished) => "it is carried out, but for the ID in its page",
                _ => "its page differs in another way by now",
            };
            What::DecisionEnded { change, page, by, what, because: because.into() }
        });
        self.tell(ended.collect()).await
    }

    /// True when somebody else has written to the state since both sides were read: a plan on it may be out of date.
    ///
    /// # Errors
    /// [`SessionError::Store`]
    pub async fn is_overtaken(&self, seen: &Sides) -> Result<bool, SessionError> {
        Ok(self.store.mark().await? != seen.mark)
    }

    /// A plan with what people have decided about its changes, for who goes on to decide.
    ///
    /// # Errors
    /// [`SessionError::Store`]
    pub async fn decided<P: Deref<Target = Plan>>(&self, plan: P, by: &str) -> Result<Review<P>, SessionError> {
        let mut review = Review::new(plan, by);
        review.recall(self.remembered().await?.into_iter().map(Remembered::recalled));
        Ok(review)
    }

    /// What people have said about changes, of this plan or others.
    ///
    /// # Errors
    /// [`SessionError::Store`]
    pub async fn remembered(&self) -> Result<Vec<Remembered>, SessionError> {
        Ok(self.store.verdicts().await?)
    }

    /// What earlier runs have left for a person.
    ///
    /// # Errors
    /// [`SessionError::Store`]
    pub async fn waiting(&self) -> Result<Vec<PendingRow>, SessionError> {
        Ok(self.store.pending().await?)
    }

    /// Keeps what a person said about changes, and notes it. Returned is what was not kept, since somebody else has
    /// overtaken it.
    ///
    /// # Errors
    /// [`SessionError::Store`]
    pub async fn keep(&mut self, said: &[SaidUpon]) -> Result<Vec<Overtaken>, SessionError> {
        let (by, now) = (&self.turn.by, (self.turn.clock)());
        let overtaken = self.store.save_verdicts(by, now, self.undoes.as_ref(), said).await?;
        self.tell(decided(by, said, &overtaken)).await?;
        Ok(overtaken)
    }

    /// Lets more changes of a class through than its brake, in this run alone.
    ///
    /// # Errors
    /// [`SessionError::Store`]
    pub async fn release(&mut self, allowances: Vec<Allowance>) -> Result<(), SessionError> {
        let by = &self.turn.by;
        let released = |allowance: &Allowance| {
            let Allowance { class, count } = *allowance;
            What::Released { class, count, by: by.clone() }
        };
        self.tell(allowances.iter().map(released).collect()).await?;
        self.allow.extend(allowances);
        Ok(())
    }

    /// Requests that this run made so far.
    pub(super) fn calls(&self) -> Calls {
        let Calls { notion, clockify } = self.calls_before;
        Calls { notion: self.notion.http().calls() - notion, clockify: self.clockify.http().calls() - clockify }
    }

    async fn save(&mut self, registry: &mut Registry, links: Vec<Link>) -> Result<(), SessionError> {
        if !links.is_empty() {
            self.store.save_links((self.turn.clock)(), &links).await?;
        }
        registry.insert_all(links);
        Ok(())
    }

    pub(super) async fn tell(&mut self, what: Vec<What>) -> Result<(), SessionError> {
        let at = (self.turn.clock)();
        let what = self.with_differences(what);
        let events: Vec<Event> = what.into_iter().map(|what| Event { run: self.run, at, what }).collect();
        if !events.is_empty() {
            self.store.append_all(&events).await?;
        }
        for event in events {
            tracing::debug!(run = %event.run, event = event.what.word(), "kept");
            (self.turn.watch)(Progress::Happened(event));
        }
        Ok(())
    }

    async fn tell_exchanges(&mut self, exchanges: Vec<(Timestamp, Exchange)>) -> Result<(), SessionError> {
        let events = exchange_events(&self.run, exchanges);
        if events.is_empty() { Ok(()) } else { Ok(self.store.append_all(&events).await?) }
    }
}

/// What somebody said about changes, for the log; also what was not kept of it.
pub(super) fn decided(by: &str, said: &[SaidUpon], overtaken: &[Overtaken]) -> Vec<What> {
    let overtaken: BTreeMap<ChangeId, &Overtaken> = overtaken.iter().map(|lost| (lost.said.change, lost)).collect();
    let told = |upon: &SaidUpon| {
        let (Said { change, page, what: _, verdict }, by) = (upon.said.clone(), by.to_owned());
        match overtaken.get(&change) {
            None => What::Decided { change, page, by, verdict },
            Some(lost) => {
                let stands_by = lost.stands.as_ref().map(|known| known.by.clone());
                What::DecisionOvertaken { change, page, by, verdict: Box::new(verdict), stands_by }
            }
        }
    };
    said.iter().map(told).collect()
}

/// Each brake that withholds something in a plan, once for each kind and reason.
fn braked(plan: &Plan) -> Vec<What> {
    let mut braked: Vec<What> = Vec::new();
    for change in &plan.changes {
        let Some(hold) = change.hold.as_ref().filter(|hold| hold.code == HoldCode::Brake) else { continue };
        let Some(class) = change.brake_class() else { continue };
        let same = |what: &&mut What| {
            matches!(what, What::Braked { class: other, kind, because, .. }
                if (*other, *kind, because) == (class, change.kind, &hold.text))
        };
        if let Some(What::Braked { changes, .. }) = braked.iter_mut().find(same) {
            *changes += 1;
        } else {
            braked.push(What::Braked { class, kind: change.kind, changes: 1, because: hold.text.clone() });
        }
    }
    braked
}

/// What shows that another punchlist, with a state of its own, writes to the same workspace.
fn foreign_runs(plan: &Plan) -> impl Iterator<Item = What> {
    let seen = plan.notices.iter().filter(|notice| notice.code == NoticeCode::ForeignRun);
    seen.filter_map(|notice| {
        Some(What::ForeignRun { page: notice.page?, object: notice.object?, text: notice.words() })
    })
}
