//! The undo of a run is another plan: what its journal says that it wrote, put back where it is still as the run left
//! it.
//!
//! | the run | its undo |
//! |---|---|
//! | created an object | closes it, and puts the former ID back into the page; the link stays, and both differ on purpose |
//! | changed, closed, reopened or moved one | puts the former values back; from then on both differ on purpose |
//! | moved a task, which was created anew | links the task that it left behind again, reopens it, and closes the new one |
//! | linked what was there | parts them; linking them again is for a person |
//! | wrote into the page | puts back what was there |
//!
//! What differs on purpose is in the base, so that the next ordinary plan does not do again what was undone. What has
//! moved since is held: now it is this, and the run left that.

mod history;
mod names;

use std::collections::BTreeMap;

use jiff::Timestamp;

use self::history::{PageHistory, Wrote, histories};
use super::{
    diff::{brake, hold_closes_above, hold_running},
    journal::{Event, Illegal},
    model::{Field, Kind, Object, ObjectId, Page, PageId, PerKind, Registry, Service, Snapshots, Standing, Value},
    plan::{
        Action, Cause, Change, ChangeId, FieldChange, Hold, HoldCode, Place, Plan, Proposal, Scope, State, change_id,
        sha256,
    },
    possible::{in_clockify, in_notion},
    rules::{IdStrategy, Rules},
    steps,
    text::Raw,
};

/// How sure we are that what is as the run left it can be put back.
const SURE: u8 = 100;
/// How sure we are of closing what a run created and people have tracked time on since.
const TRACKED: u8 = 70;
/// Columns of a value in a sentence; longer ones are cut in the middle.
const VALUE_COLUMNS: usize = 60;

/// Plans the undo of a run, whose events these are.
///
/// # Errors
/// [`Illegal`] where the journal cannot be what this program wrote.
pub fn undo(
    events: &[Event],
    snapshots: &Snapshots,
    registry: &Registry,
    rules: &Rules,
    scope: Scope,
) -> Result<Plan, Illegal> {
    let mut undoing =
        Undoing { snapshots, registry, rules, changes: Vec::new(), opens: BTreeMap::new(), created: Vec::new() };
    // Parents first, so that what is below can rest on what is above.
    let histories = histories(events)?;
    for kind in Kind::ALL {
        for (&page, history) in histories.iter().filter(|(_, history)| history.kind == kind) {
            undoing.page(page, history);
        }
    }
    Ok(undoing.finish(Scope { rules: sha256(rules), ..scope }))
}

struct Undoing<'a> {
    snapshots: &'a Snapshots,
    registry: &'a Registry,
    rules: &'a Rules,
    changes: Vec<Change>,
    /// The change that makes each object active again.
    opens: BTreeMap<ObjectId, usize>,
    /// The closes of what the run created.
    created: Vec<usize>,
}

/// What a change is about, besides what it does.
#[derive(Clone, Copy)]
struct About<'a> {
    cause: Cause,
    page: PageId,
    kind: Kind,
    /// The page as it is shown, if it is.
    seen: Option<&'a Page>,
    /// What the page has, or what it gets again.
    object: Option<&'a Object>,
}

/// Whether a value can be put back.
enum Back {
    /// It is there already.
    Done,
    /// It is as the run left it.
    From(Value, Value),
    /// It cannot be put back.
    Held(Hold),
}

impl<'a> Undoing<'a> {
    fn page(&mut self, page: PageId, history: &PageHistory) {
        let kind = history.kind;
        let linked = self.registry.of_page(page).map(|link| link.object);
        let seen = self.snapshots.pages[kind].get(page);
        let objects = &self.snapshots.objects[kind];
        let known = linked.or(history.created.last().copied()).or(history.objects.keys().next().copied());
        let about =
            About { cause: Cause::Undone, page, kind, seen, object: known.and_then(|object| objects.get(object)) };
        if history.unsettled {
            let text = "nobody knows yet whether all that the run wrote for it has happened: run again";
            self.push(
                about,
                Action::Update,
                None,
                Vec::new(),
                "the run wrote it",
                Some(hold(HoldCode::Unsettled, text)),
            );
            return;
        }
        let relink = self.relink(about, history, linked);
        // The objects that may be written: what the page has, and what it gets again; and of those that it leaves, what
        // was created.
        let has = relink.map_or(linked, |(_, object)| object.or(linked));
        for (&object, written) in history.objects.iter().filter(|(object, _)| !history.created.contains(object)) {
            let stands_apart = PageId::stand_in(object) == Some(page) && self.registry.of_object(object).is_none();
            let ours = has == Some(object) || linked == Some(object) || stands_apart;
            self.object(about, object, written, ours, relink.map(|(at, _)| at).filter(|_| linked != Some(object)));
        }
        let mut last = relink.map(|(at, _)| at);
        for &object in &history.created {
            let ours =
                linked == Some(object) || self.registry.of_page(page).is_some_and(|link| link.left.contains(&object));
            let closed = self.close_created(about, object, ours, relink.map(|(at, _)| at));
            last = closed.or(last);
        }
        self.notion(about, history, last);
    }

    /// Gives the page the object back that it had before the run, or takes away the one that the run linked. Returns
    /// the change, and the object that the page gets.
    fn relink(
        &mut self,
        about: About<'a>,
        history: &PageHistory,
        linked: Option<ObjectId>,
    ) -> Option<(usize, Option<ObjectId>)> {
        let (before, after) = history.relinked?;
        let objects = &self.snapshots.objects[about.kind];
        let created = after.is_some_and(|after| history.created.contains(&after));
        if before == after || before == linked {
            return None;
        }
        let is_gone = |object| objects.get(object).is_none();
        let moved = (linked != after).then(|| {
            let text = "the page is linked to another object by now".to_owned();
            Hold { code: HoldCode::MovedSince, text: text.into() }
        });
        match before {
            // What was gone already cannot be linked; what was created in its place is closed all the same.
            Some(before) if created && is_gone(before) && !history.objects.contains_key(&before) => None,
            None if created => None,
            Some(before) => {
                let held = moved.or_else(|| {
                    let owner = self.registry.of_object(before).filter(|link| link.page != about.page);
                    match owner {
                        Some(_) => Some(hold(HoldCode::MovedSince, "what it was linked to is another page's by now")),
                        None if is_gone(before) => {
                            Some(hold(HoldCode::MovedSince, "what it was linked to is gone from Clockify"))
                        }
                        None => None,
                    }
                });
                let reason = "the run had linked the page to something else";
                let about = About { object: objects.get(before), ..about };
                let at = self.push(about, Action::Link, Some(before), Vec::new(), reason, held);
                Some((at, Some(before)))
            }
            None => {
                let parted = after?;
                // The ID that the page gets back goes into the same change.
                let claim = history.page.get(&Field::Claim).map(|wrote| self.claim(about, wrote));
                let (fields, held) = match claim {
                    Some(Back::From(from, to)) => (vec![FieldChange::new(Field::Claim, from, to)], None),
                    Some(Back::Held(hold)) => (Vec::new(), Some(hold)),
                    Some(Back::Done) | None => (Vec::new(), None),
                };
                let reason = "the run had linked the page with it";
                let about = About { cause: Cause::Unlinked, ..about };
                let at = self.push(about, Action::ClearClaim, Some(parted), fields, reason, moved.or(held));
                Some((at, None))
            }
        }
    }

    /// Puts back what the run changed of an object.
    fn object(
        &mut self,
        about: About<'a>,
        object: ObjectId,
        written: &BTreeMap<Field, Wrote>,
        ours: bool,
        relink: Option<usize>,
    ) {
        let listing = &self.snapshots.objects[about.kind];
        let Some(row) = listing.get(object) else {
            let hold = match listing.incomplete_because() {
                Some(because) => hold(HoldCode::Incomplete, format!("it is not in what could be listed ({because})")),
                None => hold(HoldCode::MovedSince, "it is gone from Clockify"),
            };
            self.push(about, Action::Update, Some(object), Vec::new(), "the run changed it", Some(hold));
            return;
        };
        let about = About { object: Some(row), ..about };
        let elsewhere = (!ours).then(|| hold(HoldCode::MovedSince, "it is not what the page is linked to any more"));
        let template =
            self.snapshots.is_pattern(row).then(|| hold(HoldCode::Template, "it is a template in Clockify by now"));
        let elsewhere = elsewhere.or(template);
        let mut together = Vec::new();
        for (&field, wrote) in written {
            let now = steps::current(row, field);
            let stored = self.stored(about.page, object, field, wrote);
            let (action, reason) = match (field, &wrote.after) {
                (Field::State, Value::Closed(true)) => (Action::Reopen, "the run closed it"),
                (Field::State, _) => (Action::Close, "the run reopened it"),
                (Field::Parent, _) => (Action::Move, "the run moved it"),
                (Field::Name, _) => (Action::Update, "the run renamed it"),
                _ => (Action::Update, "the run changed it"),
            };
            let (fields, held) = match back(wrote, now.clone(), stored.is_some() && stored == now) {
                Back::Done => continue,
                Back::From(from, to) => {
                    let is_mapped = action == Action::Update && field != Field::Name;
                    let refused =
                        is_mapped.then(|| in_clockify(about.kind, field, &to, row.nature, &self.snapshots.limits));
                    let refused = refused.flatten().map(|refused| hold(HoldCode::NotTaken, refused));
                    let change = with_half(wrote, FieldChange::new(field, from, to));
                    if is_mapped && elsewhere.is_none() && refused.is_none() {
                        together.push(change);
                        continue;
                    }
                    (vec![change], elsewhere.clone().or(refused))
                }
                Back::Held(held) => {
                    let to = wrote.before.clone().unwrap_or_default();
                    (vec![FieldChange::new(field, now.unwrap_or_default(), to)], elsewhere.clone().or(Some(held)))
                }
            };
            self.put_back(about, row, action, fields, reason, held, relink);
        }
        if !together.is_empty() {
            self.put_back(about, row, Action::Update, together, "the run changed it", None, relink);
        }
    }

    /// What Clockify made of a value that the run wrote: as far as the base knows, that is no edit.
    fn stored(&self, page: PageId, object: ObjectId, field: Field, wrote: &Wrote) -> Option<Value> {
        let link = self.registry.of_page(page).filter(|link| link.object == object)?;
        link.base.get(field).filter(|agreed| *agreed.notion() == wrote.after).map(|agreed| agreed.clockify().clone())
    }

    #[expect(clippy::too_many_arguments, reason = "a change has that many parts")]
    fn put_back(
        &mut self,
        about: About<'a>,
        row: &Object,
        action: Action,
        mut fields: Vec<FieldChange>,
        reason: &str,
        mut held: Option<Hold>,
        relink: Option<usize>,
    ) {
        let mut former = None;
        if action == Action::Move {
            match self.former_parent(about.kind, &fields[0].to) {
                Ok(parent) => former = Some(parent),
                Err(hold) => held = held.or(Some(hold)),
            }
        }
        let above = match (&fields[0].to, action) {
            (Value::Object(above), Action::Move) => Some(*above),
            (_, Action::Reopen) => row.parent,
            _ => None,
        };
        for field in fields.iter_mut().filter(|field| field.field == Field::Parent) {
            (field.from, field.to) = (self.shown(about.kind, &field.from), self.shown(about.kind, &field.to));
        }
        let at = self.push(about, action, Some(row.id), fields, reason, held);
        if let Some(parent) = former {
            // Which page it is belongs to what the change does.
            self.changes[at].parent = parent;
            self.name_anew(at);
        }
        self.require(at, relink);
        if action == Action::Reopen {
            self.opens.insert(row.id, at);
        }
        if action == Action::Close {
            self.changes[at].tracked_seconds = self.snapshots.tracked_on(row);
        }
        self.rest_on_parent(at, about.kind, above);
    }

    /// Makes a change require that what it stands under is reopened, where that is closed now.
    fn rest_on_parent(&mut self, at: usize, kind: Kind, above: Option<ObjectId>) {
        let (Some(above), Some(kind)) = (above, kind.parent()) else { return };
        let Some(row) = self.snapshots.objects[kind].get(above).filter(|above| !above.is_open()) else { return };
        match self.opens.get(&above) {
            Some(&opens) => {
                let opens = self.changes[opens].id;
                self.changes[at].requires.push(opens);
            }
            None if row.is_closed() => {
                self.hold(at, HoldCode::ParentClosed, format!("its {kind} is closed in Clockify"));
            }
            None => self.hold(at, HoldCode::ParentUnknown, format!("Clockify does not say whether its {kind} is open")),
        }
    }

    /// The page whose object the parent of something was, if it had one.
    fn former_parent(&self, kind: Kind, before: &Value) -> Result<Option<PageId>, Hold> {
        let Value::Object(object) = before else { return Ok(None) };
        let above = kind.parent().unwrap_or(kind);
        let link = self.registry.of_object(*object);
        let link = link.filter(|_| self.snapshots.objects[above].get(*object).is_some());
        let held = || hold(HoldCode::ParentUnknown, format!("the {above} that it had belongs to no page any more"));
        link.map(|link| Some(link.page)).ok_or_else(held)
    }

    /// Closes what the run created.
    fn close_created(
        &mut self,
        about: About<'a>,
        object: ObjectId,
        ours: bool,
        relink: Option<usize>,
    ) -> Option<usize> {
        let listing = &self.snapshots.objects[about.kind];
        let (open, closed) = (Value::Closed(false), Value::Closed(true));
        let fields = vec![FieldChange { half: Some(open.clone()), ..FieldChange::new(Field::State, open, closed) }];
        let Some(row) = listing.get(object) else {
            let because = listing.incomplete_because()?;
            let hold = hold(HoldCode::Incomplete, format!("it is not in what could be listed ({because})"));
            return Some(self.push(about, Action::Close, Some(object), fields, "the run created it", Some(hold)));
        };
        if row.is_closed() {
            return None;
        }
        let held = (!ours).then(|| hold(HoldCode::MovedSince, "it is not what the page is linked to any more"));
        let about = About { object: Some(row), ..about };
        let at = self.push(about, Action::Close, Some(object), fields, "the run created it", held);
        self.created.push(at);
        let change = &mut self.changes[at];
        change.tracked_seconds = self.snapshots.tracked_on(row);
        if change.tracked_seconds.is_some_and(|seconds| seconds > 0) {
            change.proposal.confidence = TRACKED;
            change.proposal.reason = "the run created it, and time was tracked on it since".into();
        }
        self.require(at, relink);
        Some(at)
    }

    /// Puts back what the run wrote into the page; its ID after `last`, which is what the ID was written for.
    fn notion(&mut self, about: About<'a>, history: &PageHistory, last: Option<usize>) {
        for (&field, wrote) in &history.page {
            if field == Field::Claim {
                let parts = last.is_some_and(|last| self.changes[last].cause == Cause::Unlinked);
                if !parts {
                    self.put_claim_back(about, wrote, last);
                }
                continue;
            }
            let now = about.seen.map_or(Some(Value::Empty), |page| steps::wanted(page, field));
            let (from, to, held) = match back(wrote, now.clone(), false) {
                Back::Done => continue,
                Back::From(from, to) => {
                    let property = self.snapshots.limits.properties[about.kind].get(&field);
                    let refused = property.and_then(|property| in_notion(field, &to, &property.takes, &property.words));
                    let refused = refused.map(|refused| hold(HoldCode::NotTaken, refused));
                    (from, to, self.unwritable(about).or(refused))
                }
                Back::Held(held) => (
                    now.unwrap_or_default(),
                    wrote.before.clone().unwrap_or_default(),
                    self.unwritable(about).or(Some(held)),
                ),
            };
            let fields = vec![with_half(wrote, FieldChange::new(field, from, to))];
            let object = about.object.map(|object| object.id);
            let at = self.push(about, Action::Update, object, fields, "the run wrote it into the page", held);
            self.changes[at].proposal.side = Service::Notion;
            self.name_anew(at);
        }
    }

    fn put_claim_back(&mut self, about: About<'a>, wrote: &Wrote, last: Option<usize>) {
        let now = about.seen.and_then(|page| page.claim.value()).unwrap_or_default();
        let (from, to, held) = match self.claim(about, wrote) {
            Back::Done => return,
            Back::From(from, to) => (from, to, None),
            Back::Held(held) => (now, wrote.before.clone().unwrap_or_default(), Some(held)),
        };
        let action = if to == Value::Empty { Action::ClearClaim } else { Action::WriteBack };
        let fields = vec![FieldChange::new(Field::Claim, from, to)];
        let object = about.object.map(|object| object.id);
        let at = self.push(about, action, object, fields, "the run wrote this ID into the page", held);
        self.require(at, last);
    }

    /// Whether the page can get the ID back that it had.
    fn claim(&self, about: About<'_>, wrote: &Wrote) -> Back {
        let now = about.seen.and_then(|page| page.claim.value());
        let Some(now) = now.filter(|_| self.unwritable(about).is_none()) else {
            let held = self.unwritable(about);
            return Back::Held(
                held.unwrap_or_else(|| hold(HoldCode::NotWritable, "what the page holds cannot be told")),
            );
        };
        match back(wrote, Some(now), false) {
            Back::From(_, Value::Text(text)) => {
                let text = text.shown().clipped(VALUE_COLUMNS).to_string();
                Back::Held(hold(HoldCode::NotWritable, format!("it held “{text}”, which is no ID: write that by hand")))
            }
            back => back,
        }
    }

    /// Why nothing can be written into the page.
    fn unwritable(&self, about: About<'_>) -> Option<Hold> {
        let text = match about.seen {
            None => "the page is out of sight",
            Some(page) if page.standing == Standing::Trashed => "the page is in the trash",
            Some(_) if self.rules.id_strategy == IdStrategy::Local => "with local IDs Notion is never written",
            Some(_) => return None,
        };
        Some(hold(HoldCode::NotWritable, text))
    }

    /// What a parent's ID is shown as: its name.
    fn shown(&self, kind: Kind, value: &Value) -> Value {
        let (Value::Object(object), Some(above)) = (value, kind.parent()) else { return value.clone() };
        self.snapshots.objects[above]
            .get(*object)
            .map_or_else(|| value.clone(), |above| Value::Text(above.name.clone()))
    }

    fn push(
        &mut self,
        about: About<'a>,
        action: Action,
        object: Option<ObjectId>,
        fields: Vec<FieldChange>,
        reason: &str,
        held: Option<Hold>,
    ) -> usize {
        let side = match action {
            Action::Link | Action::WriteBack | Action::ClearClaim => Service::Notion,
            _ => Service::Clockify,
        };
        let proposal = Proposal { action, side, object, fields, confidence: SURE, reason: reason.to_owned().into() };
        self.changes.push(Change {
            id: ChangeId::default(),
            kind: about.kind,
            page: about.page,
            name: name(about),
            parent: self.parent(about),
            claimed: about.seen.and_then(|page| page.claim.id()),
            cause: about.cause,
            proposal,
            alternatives: Vec::new(),
            hold: held,
            state: State::Review,
            requires: Vec::new(),
            tracked_seconds: None,
            refiling: None,
        });
        let at = self.changes.len() - 1;
        self.name_anew(at);
        at
    }

    /// Gives a change the id of what it does.
    fn name_anew(&mut self, at: usize) {
        let Change { kind, page, parent, cause, proposal, .. } = &self.changes[at];
        self.changes[at].id = change_id(*kind, *page, *parent, *cause, proposal, &[]);
    }

    fn require(&mut self, at: usize, needed: Option<usize>) {
        if let Some(needed) = needed {
            let needed = self.changes[needed].id;
            self.changes[at].requires.push(needed);
        }
    }

    fn hold(&mut self, at: usize, code: HoldCode, text: impl Into<String>) {
        self.changes[at].hold.get_or_insert_with(|| hold(code, text));
    }

    /// The page above: as the page says, or where it is out of sight as its object stands.
    fn parent(&self, about: About<'_>) -> Option<PageId> {
        match about.seen.map(|page| &page.parent) {
            Some(relation) => relation.one(),
            None => about.object.and_then(|object| self.registry.of_object(object.parent?)).map(|link| link.page),
        }
    }

    /// Holds closes of what the run created and others have put something below since. What the undo moves out goes
    /// first.
    fn hold_over_open_children(&mut self) {
        let of = |action: Action| {
            let changes = self.changes.iter().enumerate().filter(move |(_, change)| change.proposal.action == action);
            changes
                .filter_map(|(at, change)| Some((change.proposal.object?, at)))
                .collect::<BTreeMap<ObjectId, usize>>()
        };
        let (closes, moves) = (of(Action::Close), of(Action::Move));
        for at in self.created.clone() {
            let Change { kind, proposal: Proposal { object: Some(object), .. }, .. } = self.changes[at] else {
                continue;
            };
            let Some(below) = Kind::ALL.into_iter().find(|below| below.parent() == Some(kind)) else { continue };
            let rows = self.snapshots.objects[below].rows().iter();
            let open: Vec<ObjectId> =
                rows.filter(|row| row.parent == Some(object) && !row.is_closed()).map(|row| row.id).collect();
            let others = open.iter().filter(|open| !closes.contains_key(open) && !moves.contains_key(open)).count();
            if others > 0 {
                let text =
                    format!("there are {others} open {} below it by now that the run did not create", below.plural());
                self.hold(at, HoldCode::MovedSince, text);
            }
            for open in open {
                self.require(at, moves.get(&open).copied());
            }
        }
    }

    fn finish(mut self, scope: Scope) -> Plan {
        self.settle_names();
        self.hold_over_open_children();
        hold_running(&mut self.changes, self.snapshots);
        let links = |kind| self.registry.iter().filter(|link| link.kind == kind).count();
        let released = brake(&mut self.changes, self.rules, &PerKind::from_fn(links), scope.undoes.as_ref());
        hold_closes_above(&mut self.changes, self.snapshots);
        let places = self.places();
        let complete = Kind::ALL.into_iter().all(|kind| {
            self.snapshots.pages[kind].complete().is_some() && self.snapshots.objects[kind].complete().is_some()
        });
        let limits = self.snapshots.limits.clone();
        let plan = Plan { changes: self.changes, released, places, complete, scope, limits, ..Plan::default() };
        plan.seal(self.rules)
    }

    /// The pages of the changes, and what stands above them.
    fn places(&self) -> BTreeMap<PageId, Place> {
        let mut places = BTreeMap::new();
        for change in &self.changes {
            let mut at = Some((change.page, change.kind));
            while let Some((page, kind)) = at {
                let seen = self.snapshots.pages[kind].get(page);
                let own = change.proposal.object.filter(|_| page == change.page);
                let object = own.or_else(|| self.registry.of_page(page).map(|link| link.object));
                let object = object.and_then(|object| self.snapshots.objects[kind].get(object));
                let about = About { cause: Cause::Undone, page, kind, seen, object };
                let parent = self.parent(about);
                let name = if page == change.page { change.name.clone() } else { name(about) };
                let edited = seen.map_or(Timestamp::UNIX_EPOCH, |page| page.edited);
                if places.insert(page, Place { kind, name, parent, edited }).is_some() {
                    break;
                }
                at = parent.zip(kind.parent());
            }
        }
        places
    }
}

/// Compares a value with what the run left; `stored` when it is what the service made of that.
fn back(wrote: &Wrote, now: Option<Value>, stored: bool) -> Back {
    let Some(now) = now else {
        return Back::Held(hold(HoldCode::MovedSince, "what is there now cannot be told"));
    };
    let shown = |value: &Value| match value {
        Value::Empty => "nothing".to_owned(),
        value => format!("“{}”", value.to_raw().shown().clipped(VALUE_COLUMNS)),
    };
    match &wrote.before {
        None => {
            let text = "the journal of that version does not say what was there before: put it back by hand";
            Back::Held(hold(HoldCode::Unrecorded, text))
        }
        Some(before) if *before == now => Back::Done,
        Some(before) if wrote.after == now || stored => Back::From(now, before.clone()),
        Some(_) => {
            let text =
                format!("it has moved since: now it is {}, and the run left {}", shown(&now), shown(&wrote.after));
            Back::Held(hold(HoldCode::MovedSince, text))
        }
    }
}

fn with_half(wrote: &Wrote, field: FieldChange) -> FieldChange {
    FieldChange { half: Some(wrote.half.clone()), ..field }
}

/// The page's title, or where it is out of sight the object's name.
fn name(about: About<'_>) -> Raw {
    match (about.seen, about.object) {
        (Some(page), _) => page.title.clone(),
        (None, Some(object)) => object.name.clone(),
        (None, None) => Raw::from(about.page.to_string().as_str()),
    }
}

fn hold(code: HoldCode, text: impl Into<String>) -> Hold {
    Hold { code, text: text.into().into() }
}
