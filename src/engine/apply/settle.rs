//! Settles the writes that earlier runs left without a known outcome, before anything is planned on top of them.
//!
//! ```text
//! update, write-back ── what was just read shows it, or it did not happen: planning it again is harmless
//! re-file ── the entries are asked for: where they are says it
//! create ── one object fits ─ it happened: link them
//!        ├─ several, or one but for its name ─ it stays open, and a person decides in the review
//!        ├─ none ─ look twice more, later ─ still none ─ old enough ─ it did not happen: plan it again, once in this run
//!        │                                            └─ young ─ it stays open: a listing may lag behind
//!        └─ looking failed ─ it stays open, and nothing is created for the page
//! ```
//!
//! A task that went along with its project is settled after that, as a create under what the project has become: where
//! that is not known, neither is the task, and where it did not happen, neither did the task.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::{Found, Journal, Observed, Subject, Target, WriteFailure, flight::search_again};
use crate::domain::{
    journal::{Event, Open, Outcome, RunId, Trace, What, Write, WriteId},
    model::{Claim, Field, Kind, Link, Object, ObjectId, PageId, Registry, Snapshots, Unsettled},
    rules::Rules,
    steps,
};

/// How long after it was sent a create is looked for a few seconds more, where the listing does not show it.
const LOOKS_WITHIN: SignedDuration = SignedDuration::from_mins(1);

/// How long a page that is away is waited for, where objects are there that may be its own.
const AWAY_AT_MOST: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What settling works on: both sides as just read, and the registry.
pub struct Settling<'a> {
    /// Both sides; gets the objects that are found, and the pages that stay unsettled.
    pub snapshots: &'a mut Snapshots,
    /// The links; gets those that follow.
    pub registry: &'a mut Registry,
    /// The policy.
    pub rules: &'a Rules,
    /// The time, for events.
    pub clock: &'a dyn Fn() -> Timestamp,
}

/// What is to be seen of an open write.
enum Sign {
    /// It happened, with this object.
    Happened(Option<Object>),
    /// It did not, or it no longer matters.
    Absent,
    /// Any of these could be what it made.
    Several(Vec<ObjectId>),
    /// Not everything could be seen.
    Unseen,
    /// Nothing shows it, and until this time a listing may lag behind.
    Young(Timestamp),
    /// Nothing yet.
    None,
}

/// Settles open writes as far as they can be.
///
/// # Errors
/// The journal's error.
pub async fn settle<T: Target, J: Journal>(
    open: Vec<Open>,
    mut settling: Settling<'_>,
    target: &T,
    journal: &mut J,
) -> Result<(), J::Error> {
    let (along, open): (Vec<Open>, Vec<Open>) = open.into_iter().partition(|open| open.trace.with.is_some());
    let fates = settle_all(open, &mut settling, target, journal).await?;
    let mut homes = Vec::new();
    for mut task in along {
        let with = task.trace.with.and_then(|with| fates.get(&(task.run, with)));
        match (&task.request, with) {
            (Write::Create { parent: Some(_), .. }, _) => homes.push(task),
            (_, Some(Fate::Made(project))) => {
                task.request.stands_under(*project);
                homes.push(task);
            }
            (_, Some(Fate::Open(unsettled))) => {
                settling.snapshots.unsettled.insert(task.request.page(), unsettled.clone());
            }
            // What was refused, or did not happen, took nothing along.
            (_, Some(Fate::Absent) | None) => drop(settling.conclude(task, Sign::Absent, journal).await?),
        }
    }
    settle_all(homes, &mut settling, target, journal).await?;
    Ok(())
}

/// What has become of a write.
enum Fate {
    /// It made an object.
    Made(ObjectId),
    Absent,
    /// Nobody knows yet.
    Open(Unsettled),
}

/// Settles writes that all say what they would have made, and tells what has become of them.
async fn settle_all<T: Target, J: Journal>(
    open: Vec<Open>,
    settling: &mut Settling<'_>,
    target: &T,
    journal: &mut J,
) -> Result<BTreeMap<(RunId, WriteId), Fate>, J::Error> {
    let mut fates = BTreeMap::new();
    let mut unseen = Vec::new();
    let mut nothing = Vec::new();
    for open in open {
        let write = (open.run, open.write);
        if let Write::Refile { .. } = open.request {
            // No listing of ours shows entries: they are asked for.
            let sign = match target.look_up(&open.request, &open.trace).await {
                Ok(Found::Happened(_)) => Sign::Happened(None),
                Ok(Found::Nothing | Found::Several(_)) => Sign::Absent,
                Err(_) => Sign::Unseen,
            };
            fates.insert(write, settling.conclude(open, sign, journal).await?);
            continue;
        }
        match settling.sign(&open) {
            // What was sent minutes ago does not come to light within the seconds of another look.
            Sign::None if settling.age(&open) > LOOKS_WITHIN => nothing.push(open),
            Sign::None => unseen.push(open),
            sign => {
                let sign = of_page(target, settling, &open, sign).await;
                fates.insert(write, settling.conclude(open, sign, journal).await?);
            }
        }
    }
    let settles = settling.rules.settles();
    let searches = search_all(target, &unseen, settles).await;
    for (open, found) in unseen.into_iter().zip(searches) {
        let write = (open.run, open.write);
        let sign = match found {
            Ok(Found::Happened(written)) => Sign::Happened(written.object),
            Ok(Found::Several(objects)) => {
                of_page(target, settling, &open, settling.several(&open.request, objects)).await
            }
            Ok(Found::Nothing) => {
                nothing.push(open);
                continue;
            }
            // It stays open: nothing is created for the page until it can be looked up.
            Err(_) => Sign::Unseen,
        };
        fates.insert(write, settling.conclude(open, sign, journal).await?);
    }
    // When all that was found has its page, what is left over and was born at the right time is doubtful.
    for open in nothing {
        // Who could be it under another name is asked when what it is called can no longer be on its way into the
        // listing.
        let sign = match settling.age_of_absence(&open) {
            Sign::Absent => settling.doubt(&open),
            sign => sign,
        };
        let sign = of_page(target, settling, &open, sign).await;
        let write = (open.run, open.write);
        fates.insert(write, settling.conclude(open, sign, journal).await?);
    }
    Ok(fates)
}

/// What several objects mean where the page is not listed: nothing where its ID shows that it is closed. One that is not
/// shown may come back, and is waited for.
async fn of_page<T: Target>(target: &T, settling: &Settling<'_>, open: &Open, sign: Sign) -> Sign {
    let (kind, page) = (open.request.kind(), open.request.page());
    let Sign::Several(objects) = sign else { return sign };
    if settling.snapshots.pages[kind].get(page).is_some() {
        return Sign::Several(objects);
    }
    match target.read(&[Subject::Page(kind, page)]).await.pop() {
        Some((_, Ok(Observed::Page(page)))) if page.standing.is_closed() => Sign::Absent,
        Some((_, Ok(Observed::Page(_)))) => Sign::Several(objects),
        Some((_, Ok(_))) if settling.age(open) >= AWAY_AT_MOST => Sign::Absent,
        _ => Sign::Unseen,
    }
}

/// Looks for creates again and again: those of tasks that went along with their projects by listing these, the others
/// each by its name.
async fn search_all<T: Target>(
    target: &T,
    unseen: &[Open],
    settles: [Duration; 2],
) -> Vec<Result<Found, WriteFailure>> {
    if unseen.iter().any(|open| open.trace.with.is_none()) {
        let searches = unseen.iter().map(|open| search_again(target, &open.request, &open.trace, settles));
        return join_all(searches).await;
    }
    let mut found: Vec<Result<Found, WriteFailure>> = unseen.iter().map(|_| Ok(Found::Nothing)).collect();
    let is_unseen = |found: &Result<Found, WriteFailure>| !matches!(found, Ok(Found::Happened(_) | Found::Several(_)));
    for pause in settles {
        let left = unseen.iter().zip(&found).filter(|(_, found)| is_unseen(found));
        let mut subjects: BTreeSet<Subject> = left.filter_map(|(open, _)| home(open)).collect();
        if subjects.is_empty() {
            break;
        }
        tokio::time::sleep(pause).await;
        while !subjects.is_empty() {
            let asked: Vec<Subject> = subjects.iter().cloned().collect();
            let readings = target.read(&asked).await;
            if readings.is_empty() {
                break;
            }
            for (subject, reading) in readings {
                subjects.remove(&subject);
                let here = unseen.iter().zip(&mut found).filter(|(open, _)| home(open).as_ref() == Some(&subject));
                for (open, found) in here.filter(|(_, found)| is_unseen(found)) {
                    *found = match &reading {
                        Ok(Observed::Names(there)) => {
                            let fitting = there.iter().filter(|object| open.trace.fits(&open.request, object));
                            Ok(Found::of(fitting.cloned().collect()))
                        }
                        Ok(_) => Ok(Found::Nothing),
                        Err(failure) => Err(failure.clone()),
                    };
                }
            }
        }
    }
    found
}

/// Where a task stands, as what is read again.
fn home(open: &Open) -> Option<Subject> {
    let Write::Create { kind, parent, .. } = &open.request else { return None };
    Some(Subject::Names(*kind, *parent))
}

impl Settling<'_> {
    /// What both sides, as just read, show of a write.
    fn sign(&self, open: &Open) -> Sign {
        let Write::Create { page, kind, parent, .. } = &open.request else {
            return if shows(self.snapshots, &open.request) { Sign::Happened(None) } else { Sign::Absent };
        };
        let since = self.registry.of_page(*page).filter(|link| Some(link.object) != open.trace.leaves);
        if let Some(link) = since {
            let linked = self.snapshots.objects[*kind].get(link.object);
            let ours = linked.filter(|object| open.trace.fits(&open.request, object));
            return ours.map_or(Sign::Absent, |object| Sign::Happened(Some(object.clone())));
        }
        let rows = self.snapshots.objects[*kind].rows().iter();
        let mut fitting: Vec<&Object> =
            rows.filter(|object| open.trace.fits(&open.request, object) && self.is_free(object.id)).collect();
        match (fitting.pop(), fitting.is_empty()) {
            // With what it was to stand under, it has gone too, if it ever was: there is nowhere left to look.
            (None, _) if parent.is_some_and(|parent| self.is_gone(*kind, parent)) => Sign::Absent,
            (None, _) => Sign::None,
            (Some(object), true) => Sign::Happened(Some(object.clone())),
            (Some(object), false) => {
                self.several(&open.request, fitting.iter().map(|object| object.id).chain([object.id]).collect())
            }
        }
    }

    /// How long ago a write was sent: by Clockify's own clock where it has told it, else by ours.
    fn age(&self, open: &Open) -> SignedDuration {
        let told = self.snapshots.as_of.zip(open.trace.born).map(|(now, born)| now.duration_since(born.sent()));
        told.unwrap_or_else(|| (self.clock)().duration_since(open.at)).max(SignedDuration::ZERO)
    }

    /// What it means that nothing shows a create: that it did not happen, once it is old enough.
    fn age_of_absence(&self, open: &Open) -> Sign {
        let lasts = SignedDuration::try_from(self.rules.unsettled).unwrap_or(SignedDuration::MAX);
        let left = lasts.saturating_sub(self.age(open));
        if left <= SignedDuration::ZERO {
            return Sign::Absent;
        }
        Sign::Young((self.clock)().checked_add(left).unwrap_or(Timestamp::MAX))
    }

    /// True when a complete listing shows that the parent of an object of this kind is gone, and not only not listed
    /// yet.
    fn is_gone(&self, kind: Kind, parent: ObjectId) -> bool {
        kind.parent().is_some_and(|kind| self.snapshots.is_gone(kind, parent))
    }

    /// Objects without a page that have everything of a create that was not found but its name.
    fn doubt(&self, open: &Open) -> Sign {
        let Write::Create { kind, marked, .. } = &open.request else { return Sign::Absent };
        // What is marked shows itself under any name; of the rest only a whole listing shows that there is none.
        if !marked && self.snapshots.objects[*kind].complete().is_none() {
            return Sign::Unseen;
        }
        let claimed: BTreeSet<ObjectId> =
            self.snapshots.pages[*kind].rows().iter().filter_map(|page| page.claim.id()).collect();
        let rows = self.snapshots.objects[*kind].rows().iter();
        let doubtful = rows.filter(|object| open.trace.fits_but_for_the_name(&open.request, object));
        let doubtful: Vec<ObjectId> =
            doubtful.map(|object| object.id).filter(|id| self.is_free(*id) && !claimed.contains(id)).collect();
        self.several(&open.request, doubtful)
    }

    /// What several objects mean: a person decides. Nothing is created for a page that is gone or closed, so there
    /// nobody has to.
    fn several(&self, request: &Write, objects: Vec<ObjectId>) -> Sign {
        let pages = &self.snapshots.pages[request.kind()];
        let is_open = pages.get(request.page()).is_none_or(|page| !page.standing.is_closed());
        if is_open && !objects.is_empty() { Sign::Several(objects) } else { Sign::Absent }
    }

    /// What a page's ID property held when an object was created for it: what it holds now, unless somebody may have
    /// written that since.
    fn claim_before(&self, object: &Object, page: PageId, trace: &Trace) -> Claim {
        let now = self.snapshots.pages[object.kind].get(page).map(|page| page.claim.clone()).unwrap_or_default();
        let is_copied = |id: ObjectId| self.registry.of_object(id).is_some_and(|link| link.page != page);
        let is_ours = |id: ObjectId| id == object.id || Some(id) == trace.leaves || is_copied(id);
        if now.id().is_some_and(|id| !is_ours(id)) { Claim::None } else { now }
    }

    fn is_free(&self, object: ObjectId) -> bool {
        self.registry.of_object(object).is_none()
    }

    /// Journals what a sign means, takes up the link that follows, and tells what has become of the write. One with
    /// several signs stays open.
    async fn conclude<J: Journal>(&mut self, open: Open, sign: Sign, journal: &mut J) -> Result<Fate, J::Error> {
        let Open { run, write, request, trace, .. } = open;
        let mut fate = Fate::Absent;
        let stays_open = match &sign {
            Sign::Several(objects) => Some((Unsettled::OneOf(objects.clone()), Unsettled::Unseen)),
            Sign::Unseen => Some((Unsettled::Unseen, Unsettled::Unseen)),
            Sign::Young(until) => Some((Unsettled::Until(*until), Unsettled::Until(*until))),
            Sign::Absent | Sign::None | Sign::Happened(_) => None,
        };
        if let Some((unsettled, of_what_went_along)) = stays_open {
            self.snapshots.unsettled.insert(request.page(), unsettled);
            return Ok(Fate::Open(of_what_went_along));
        }
        let (outcome, link) = match sign {
            Sign::Happened(object) => {
                if let Some(object) = &object {
                    fate = Fate::Made(object.id);
                }
                let outcome = Outcome::Done { object: object.as_ref().map(|object| object.id) };
                let link = match object {
                    Some(object) => self.link(&request, &trace, object),
                    None => {
                        self.registry.of_page(request.page()).and_then(|link| steps::settled(link, &request, &trace))
                    }
                };
                (outcome, link)
            }
            _ => (Outcome::Absent, None),
        };
        let event = Event { run, at: (self.clock)(), what: What::Outcome { write, outcome } };
        journal.append(event.at, &[event], link.as_slice()).await?;
        if let Some(link) = link {
            self.registry.insert(link);
        }
        Ok(fate)
    }

    /// The link of the object that a create made, unless either has another by now. The object is shown from now on.
    fn link(&mut self, request: &Write, trace: &Trace, object: Object) -> Option<Link> {
        let Write::Create { page, .. } = request else { return None };
        let before = self.registry.of_page(*page);
        let is_free = before.is_none_or(|before| Some(before.object) == trace.leaves) && self.is_free(object.id);
        let left = before.map_or_else(Vec::new, |before| steps::leaving(before, self.snapshots));
        let claim = self.claim_before(&object, *page, trace);
        let link = Link { left, ..steps::recovered(*page, &object, &claim, request, &trace.apart) };
        let shown = &mut self.snapshots.objects[object.kind];
        if shown.get(object.id).is_none() {
            *shown = std::mem::take(shown).with([object]);
        }
        is_free.then_some(link)
    }
}

/// True when both sides, as just read, hold what a write wanted.
fn shows(snapshots: &Snapshots, write: &Write) -> bool {
    match write {
        Write::Create { .. } | Write::Refile { .. } => false,
        Write::Update { kind, object, fields, .. } => {
            let holds = |object: &Object| {
                fields.iter().all(|(field, wanted)| steps::current(object, *field).as_ref() == Some(wanted))
            };
            snapshots.objects[*kind].get(*object).is_some_and(holds)
        }
        Write::WriteBack { page, kind, claim, fields } => snapshots.pages[*kind].get(*page).is_some_and(|page| {
            let has = |(field, value): (&Field, &_)| steps::wanted(page, *field).as_ref() == Some(value);
            claim.is_none_or(|claim| page.claim.is(claim)) && fields.iter().all(has)
        }),
    }
}
