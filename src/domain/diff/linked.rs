//! A page that has its object, or is proposed one: what differs between them, which way it goes, and how surely.

use std::borrow::Cow;

use super::{
    Differ, FIRST_SIGHT, RECREATE,
    fields::{self, Compared, Comparison, Course},
    id_at, linking,
};
use crate::domain::{
    model::{Agreed, Along, Base, Claim, Field, Kind, Link, Object, ObjectId, Page, Service, Sight, Standing, Value},
    pair::{Candidate, Evidence},
    plan::{Action, Cause, FieldChange, HoldCode, Proposal},
    rules::{Direction, OnConflict, OnDrift},
};

/// Confidence, in percent, of what a rule of the configuration decides where both sides changed.
const BY_RULE: u8 = 95;
/// Confidence, in percent, of Notion's value where Clockify's was edited too.
const CONTESTED: u8 = 50;
/// Confidence, in percent, of moving a task, since its tracked time stays where it was.
const MOVE_TASK: u8 = 80;
/// Confidence, in percent, of writing an ID back that an undo took out of the page, once its object is open again.
const OPENED_UNNAMED: u8 = 90;
/// Confidence, in percent, of writing the registry's ID over another one that exists.
const OVERWRITE_CLAIM: u8 = 70;

impl<'a> Differ<'a> {
    /// The page has an object, or is proposed one: compare them.
    pub(super) fn linked(&mut self, page: &'a Page, best: Candidate<'a>, others: &[Candidate<'a>]) {
        // Whatever else it says hangs on whether it is open: it stays as it was known.
        if matches!(page.standing, Standing::Unknown { .. }) {
            return;
        }
        if best.evidence.confidence() < Evidence::Claim.confidence() {
            let mut ways: Vec<Proposal> = others.iter().map(|candidate| linking(page, candidate)).collect();
            let reason = format!("create a new {} instead", page.kind);
            ways.push(Proposal { confidence: RECREATE, reason: reason.into(), ..self.creation(page) });
            let at = self.push(page, Cause::Match, linking(page, &best), ways);
            return self.link_first(at, page, best);
        }
        let link = self.registry.of_page(page.id);
        let (along, before) = (self.along(page, best.object, link), link.map_or(Along::No, |link| link.along));
        let (mut base, mut moved) = self.compare(page, best, link.map(|link| &link.base), along.0);
        let has_id = page.claim.id() == Some(best.object.id);
        if has_id && base.get(Field::Claim).is_some() {
            base.to_mut().forget(Field::Claim);
            moved = true;
        }
        // What is known by its marker alone may never have had its ID in the page.
        let unwritten = match link {
            _ if has_id => None,
            Some(link) => link.unwritten.clone(),
            None => page.claim.value().filter(|claim| *claim == Value::Empty).map(Box::new),
        };
        let sight = match page.standing {
            Standing::Trashed if best.object.is_closed() => Sight::Retired,
            _ => Sight::Expected,
        };
        let left = link.map_or_else(Vec::new, |link| self.still_left(page, link));
        let is_unchanged = |link: &Link| link.sight == sight && link.left == left && link.unwritten == unwritten;
        let unchanged = link.is_some_and(|link| !moved && along.1 == before && is_unchanged(link));
        for object in &left {
            self.close_left(page, *object);
        }
        if !unchanged {
            let base = base.into_owned();
            let (page, kind, object) = (page.id, page.kind, best.object.id);
            self.verified.push(Link { page, kind, object, sight, base, left, along: along.1, unwritten });
        }
        self.write_back(page, best);
    }

    /// Of the objects that the page left behind when it moved, those that are still open, or still named by the page.
    fn still_left(&self, page: &Page, link: &Link) -> Vec<ObjectId> {
        let objects = &self.snapshots.objects[link.kind];
        let is_open = |left: ObjectId| {
            objects.get(left).map_or_else(|| !self.snapshots.is_gone(page.kind, left), |object| !object.is_closed())
        };
        let left = link.left.iter().copied().filter(|left| self.pairs.owner(*left).is_none());
        left.filter(|left| is_open(*left) || page.claim.id() == Some(*left)).collect()
    }

    /// Proposes to close an object that the page left behind: a run that moved it ended before it could.
    fn close_left(&mut self, page: &'a Page, left: ObjectId) {
        let Some(object) = self.snapshots.objects[page.kind].get(left).filter(|object| object.is_open()) else {
            return;
        };
        let (from, to) = (Value::Closed(false), Value::Closed(true));
        let proposal = Proposal {
            action: Action::Close,
            side: Service::Clockify,
            object: Some(left),
            fields: vec![FieldChange::new(Field::State, from, to)],
            confidence: 100,
            reason: "the page has moved, and this is what it left behind".to_owned().into(),
        };
        let at = self.push(page, Cause::Moved, proposal, Vec::new());
        self.changes[at].tracked_seconds = self.snapshots.tracked_on(object);
    }

    /// Compares a page with an object that somebody must first approve for it: everything else rests on that.
    pub(super) fn link_first(&mut self, at: usize, page: &'a Page, pair: Candidate<'a>) {
        self.of_page.entry(page.id).or_default().root = Some(at);
        self.hold_contested(at, page);
        self.hold_closed_parent(at, page);
        self.wait_for_parent(at, page);
        let (link, before) = (id_at(&self.changes, at), self.changes.len());
        let (course, _) = self.along(page, pair.object, None);
        self.compare(page, pair, None, course);
        for change in &mut self.changes[before..] {
            change.requires.push(link);
        }
    }

    /// Compares all fields of a pair, proposes what mends them, and returns the base as far as both agree, and whether
    /// it moved.
    fn compare<'b>(
        &mut self,
        page: &'a Page,
        pair: Candidate<'a>,
        base: Option<&'b Base>,
        course: Course,
    ) -> (Cow<'b, Base>, bool) {
        let mut next = base.map_or_else(|| Cow::Owned(Base::default()), Cow::Borrowed);
        let mut moved = base.is_none();
        if let Some(compared) = fields::along(course, base) {
            // As both are now, they agree; what the rule does is no word of the page.
            let agreed = Agreed::Same(Value::Closed(false));
            if course == Course::Close && base.and_then(|base| base.get(Field::State)) != Some(&agreed) {
                next.to_mut().set(Field::State, agreed);
                moved = true;
            }
            let (cause, confidence) = match compared.base {
                Some(_) => (Cause::NotionChanged, 100),
                None => (Cause::FirstSight, FIRST_SIGHT),
            };
            let confidence = confidence.min(pair.evidence.confidence());
            let (side, reason) = (Service::Clockify, "closed along with it");
            let part = Part { cause, side, confidence, reason, writable: false, alone: true, fields: vec![compared] };
            self.propose(page, pair, part);
        }
        let mut mend = |differ: &mut Self, compared: Vec<Compared>| {
            for part in differ.by_rule(page, pair, compared, &mut |field, agreed| {
                next.to_mut().set(field, agreed);
                moved = true;
            }) {
                differ.propose(page, pair, part);
            }
        };
        let state = fields::state(page, pair.object, base)
            .filter(|_| course == Course::Own && !opened_unnamed(page, pair.object, base));
        if let Some(compared) = state {
            mend(self, vec![compared]);
        }
        if !self.snapshots.closes(page) {
            if let Some(compared) = self.parent(page, pair, base) {
                mend(self, vec![compared]);
            }
            let compared = fields::others(page, pair.object, base);
            if !compared.is_empty() {
                mend(self, compared);
            }
        }
        // Its figures are of interest when it is closed, too.
        let compared = fields::tracked(page, pair.object, base);
        if !compared.is_empty() && page.standing != Standing::Trashed {
            mend(self, compared);
        }
        (next, moved)
    }

    /// Sorts differences by what the rules say of them: one part for each cause. Agreements and accepted drifts move
    /// the base.
    fn by_rule(
        &self,
        page: &Page,
        pair: Candidate<'_>,
        compared: Vec<Compared>,
        agree: &mut dyn FnMut(Field, Agreed),
    ) -> Vec<Part> {
        let precedence = &self.rules.precedence[page.kind];
        let mut parts: Vec<Part> = Vec::new();
        for difference in compared {
            let Compared { field, wanted, current, base: _, comparison } = &difference;
            let rule = precedence.of(*field);
            let base = self.registry.of_page(page.id).and_then(|link| link.base.get(*field));
            let (cause, side, confidence, reason) = match comparison {
                Comparison::Agreed => {
                    agree(*field, Agreed::Same(wanted.clone()));
                    continue;
                }
                comparison if field.is_tracked() => {
                    let Some((cause, confidence, reason)) = of_tracked(*comparison, wanted, current, base) else {
                        if *comparison == Comparison::FirstSight {
                            agree(*field, Agreed::seen(wanted.clone(), current.clone()));
                        }
                        continue;
                    };
                    (cause, Service::Notion, confidence, reason)
                }
                comparison if rule.direction == Direction::ToNotion => match comparison {
                    Comparison::FirstSight if *current == Value::Empty => {
                        agree(*field, Agreed::seen(wanted.clone(), current.clone()));
                        continue;
                    }
                    Comparison::NotKept if *current == Value::Empty => continue,
                    Comparison::FirstSight | Comparison::NotKept => (
                        Cause::ToNotion,
                        Service::Notion,
                        FIRST_SIGHT,
                        "both sides differ, and were never seen to agree; by the rule this field goes to Notion",
                    ),
                    Comparison::ClockifyChanged => (
                        Cause::ToNotion,
                        Service::Notion,
                        100,
                        "changed in Clockify; by the rule this field goes to Notion",
                    ),
                    _ => (
                        Cause::ToNotion,
                        Service::Notion,
                        BY_RULE,
                        "edited in Notion, but by the rule this field goes to Notion",
                    ),
                },
                Comparison::NotionChanged if *field == Field::Parent && self.may_lose_client(page) => {
                    (Cause::NotionChanged, Service::Clockify, CONTESTED, "its client was removed in Notion")
                }
                Comparison::NotionChanged => (Cause::NotionChanged, Service::Clockify, 100, "changed in Notion"),
                Comparison::FirstSight if *wanted == Value::Empty && !matches!(field, Field::Name | Field::Parent) => {
                    // A property that says nothing does not ask for anything to be wiped; nor does it agree to what is
                    // there.
                    agree(*field, Agreed::seen(wanted.clone(), current.clone()));
                    continue;
                }
                Comparison::NotKept => (
                    Cause::NotKept,
                    Service::Clockify,
                    CONTESTED,
                    "Clockify took it and did not keep it: the plan or the rights of the account may not allow it",
                ),
                Comparison::FirstSight => (
                    Cause::FirstSight,
                    Service::Clockify,
                    FIRST_SIGHT,
                    "both sides differ, and were never seen to agree",
                ),
                Comparison::ClockifyChanged => match rule.on_drift {
                    OnDrift::Review => {
                        (Cause::Drift, Service::Clockify, CONTESTED, "edited in Clockify since both agreed")
                    }
                    OnDrift::Restore => (
                        Cause::Drift,
                        Service::Clockify,
                        100,
                        "edited in Clockify; the rule is to restore Notion's value",
                    ),
                    OnDrift::Accept => {
                        agree(*field, Agreed::on(wanted.clone(), current.clone()));
                        continue;
                    }
                },
                Comparison::Conflict => match rule.on_conflict {
                    OnConflict::Review => {
                        (Cause::Conflict, Service::Clockify, CONTESTED, "edited on both sides since they agreed")
                    }
                    OnConflict::Notion => (
                        Cause::Conflict,
                        Service::Clockify,
                        BY_RULE,
                        "edited on both sides; the rule is that Notion wins",
                    ),
                    OnConflict::Clockify => (
                        Cause::Conflict,
                        Service::Notion,
                        BY_RULE,
                        "edited on both sides; the rule is that Clockify wins",
                    ),
                },
            };
            let fixed = self.rules.mapping[page.kind].fixed.contains_key(field);
            let reason = if fixed { of_fixed(cause, reason) } else { reason };
            let becomes = if side == Service::Clockify { wanted } else { current };
            if *becomes == Value::Empty && !self.can_become_empty(page.kind, *field, side) {
                continue;
            }
            let confidence = confidence.min(pair.evidence.confidence());
            let writable = side == Service::Clockify || field.is_writable_in_notion();
            // What was not kept once is for a person to settle, whatever the reason.
            let refused = match side {
                _ if cause == Cause::NotKept => None,
                Service::Clockify => self.refused_by_clockify(page.kind, *field, wanted, pair.object.nature),
                Service::Notion => self.refused_by_notion(page.kind, *field, current),
            };
            let alone = matches!(cause, Cause::Drift | Cause::Conflict | Cause::NotKept)
                || side == Service::Clockify && *field == Field::Name
                || fixed
                || refused.is_some();
            let part = Part { cause, side, confidence, reason, writable, alone, fields: Vec::new() };
            let at = parts.iter().position(|known| !alone && known.is_like(&part)).unwrap_or_else(|| {
                parts.push(part);
                parts.len() - 1
            });
            parts[at].fields.push(difference);
        }
        parts
    }

    /// Whether writing nothing into a field is something that a service can do; otherwise nothing is no instruction.
    fn can_become_empty(&self, kind: Kind, field: Field, side: Service) -> bool {
        match side {
            Service::Clockify => field.is_instruction_when_empty(),
            Service::Notion => !self.snapshots.never_empty[kind].contains(&field),
        }
    }

    /// What the rule that closes children along with their parents has to do with an object, and how far it has got
    /// then. It opens again what it closed, once the parent is seen to be open; what a person closed or opened
    /// meanwhile stays.
    fn along(&self, page: &Page, object: &Object, link: Option<&Link>) -> (Course, Along) {
        let before = link.map_or(Along::No, |link| link.along);
        let Some(closed) = object.state() else { return (Course::Own, before) };
        let opens = || {
            let above = page.parent.one().and_then(|parent| self.pairs.of(parent));
            above.is_some_and(|(above, _)| above.standing.is_open()) && self.shut_above(page).is_none()
        };
        match (self.snapshots.along.contains_key(&page.id), before, closed) {
            (true, Along::Closed, _) => (Course::Leave, Along::Closed),
            (true, Along::No | Along::Closing, false) => (Course::Close, Along::Closing),
            (true, Along::No | Along::Closing, true) => (Course::Leave, before),
            (false, Along::Closed, true) if page.standing.is_open() && opens() => (Course::Open, Along::Closed),
            (false, Along::Closed, _) if page.standing.is_open() && !opens() => (Course::Own, Along::Closed),
            (false, Along::No | Along::Closing | Along::Closed, _) => (Course::Own, Along::No),
        }
    }

    /// Proposes the change that mends one part of the differences.
    fn propose(&mut self, page: &'a Page, pair: Candidate<'a>, part: Part) {
        let Part { cause, mut side, confidence, reason, writable: _, alone: _, fields } = part;
        let object = pair.object;
        let writable = fields.iter().all(|compared| compared.field.is_writable_in_notion());
        let action = match fields.as_slice() {
            _ if side == Service::Notion => Action::Update,
            [Compared { field: Field::State, wanted, .. }] if *wanted == Value::Closed(true) => Action::Close,
            [Compared { field: Field::State, .. }] => Action::Reopen,
            [Compared { field: Field::Parent, .. }] => Action::Move,
            _ => Action::Update,
        };
        let moves_task = action == Action::Move && page.kind == Kind::Task;
        let reason = match (&page.standing, action) {
            _ if cause == Cause::NotKept => reason.to_owned(),
            (Standing::Trashed, Action::Close) => "the page is in Notion's trash".to_owned(),
            (Standing::Closed { because }, Action::Close) if cause != Cause::Drift => because.shown().to_string(),
            (_, Action::Close) => match self.snapshots.along.get(&page.id) {
                Some(because) => because.shown().to_string(),
                None => "reopened in Clockify, but closed in Notion".to_owned(),
            },
            (_, Action::Reopen) if self.registry.of_page(page.id).is_some_and(|link| link.along == Along::Closed) => {
                let above = page.kind.parent().map_or("parent", Kind::word);
                format!("its {above} is open again, and it was closed along with it")
            }
            (_, Action::Reopen) if cause == Cause::Drift => "archived in Clockify, but open in Notion".to_owned(),
            (_, Action::Reopen) if cause == Cause::NotionChanged => "open again in Notion".to_owned(),
            _ if moves_task => format!(
                "{reason}; Clockify cannot move a task: it is created there and closed here, and its tracked time stays here"
            ),
            _ => reason.to_owned(),
        };
        let confidence = if moves_task { confidence.min(MOVE_TASK) } else { confidence };
        let written = |side: Service| -> Vec<FieldChange> {
            fields
                .iter()
                .map(|compared| {
                    let (wanted, current) = (
                        self.shown(compared.field, &compared.wanted, page),
                        self.shown(compared.field, &compared.current, page),
                    );
                    let base = compared.base.as_ref().map(|base| self.shown(compared.field, base, page));
                    match side {
                        Service::Clockify => FieldChange { base, ..FieldChange::new(compared.field, current, wanted) },
                        Service::Notion => FieldChange { base, ..FieldChange::new(compared.field, wanted, current) },
                    }
                })
                .collect()
        };
        let refused_by = |side: Service| {
            fields.iter().find_map(|Compared { field, wanted, current, .. }| match side {
                Service::Clockify => self.refused_by_clockify(page.kind, *field, wanted, object.nature),
                Service::Notion => self.refused_by_notion(page.kind, *field, current),
            })
        };
        let mut refused = refused_by(side).filter(|_| cause != Cause::NotKept);
        let mut proposal = Proposal {
            action,
            side,
            object: Some(object.id),
            fields: written(side),
            confidence,
            reason: reason.into(),
        };
        let mut alternatives = Vec::new();
        if matches!(cause, Cause::Drift | Cause::Conflict | Cause::FirstSight | Cause::NotKept) {
            let (other, reason) = match side {
                Service::Clockify => (Service::Notion, "take Clockify's value into Notion"),
                Service::Notion => (Service::Clockify, "write Notion's value into Clockify"),
            };
            let stays_empty = fields.iter().any(|compared| {
                compared.current == Value::Empty && !self.can_become_empty(page.kind, compared.field, Service::Notion)
            });
            if action == Action::Update
                && writable
                && !stays_empty
                && self.may_write_notion()
                && refused_by(other).is_none()
            {
                let way = Proposal { side: other, fields: written(other), confidence: CONTESTED, ..proposal.clone() };
                // Of two ways of which one is closed the other is proposed, but never to empty what nobody emptied.
                let edited = matches!(cause, Cause::Drift | Cause::Conflict);
                let empties = way.fields.iter().any(|field| field.to == Value::Empty);
                match refused.take_if(|_| edited && !empties) {
                    Some(refused) => {
                        side = other;
                        proposal = Proposal { reason: format!("{refused}; {reason}").into(), ..way };
                    }
                    None => alternatives.push(Proposal { reason: reason.to_owned().into(), ..way }),
                }
            }
            let reason = "leave both as they are, and remember that they differ on purpose".to_owned();
            alternatives.push(Proposal {
                action: Action::Accept,
                confidence: CONTESTED,
                reason: reason.into(),
                ..proposal.clone()
            });
        }
        let names = fields.iter().any(|compared| matches!(compared.field, Field::Name | Field::Parent));
        let renames = names && side == Service::Clockify;
        let at = self.push(page, cause, proposal, alternatives);
        let footing = self.of_page.entry(page.id).or_default();
        footing.opens_or_closes |= matches!(action, Action::Reopen | Action::Close);
        match action {
            Action::Reopen => footing.reopen = Some(at),
            _ if moves_task => footing.leaves_name = true,
            _ if renames && !footing.leaves_name => footing.frees_name = Some(at),
            _ => {}
        }
        if side == Service::Notion {
            self.hold_unwritable(at, page, writable);
        } else if self.snapshots.is_pattern(object) {
            let text =
                "in Clockify it is a template for projects by now, or a task of one, and templates are left alone";
            self.hold(at, HoldCode::Template, text);
        }
        if let Some(refused) = refused {
            self.hold(at, HoldCode::NotTaken, refused);
        }
        match action {
            Action::Close => {
                self.changes[at].tracked_seconds = self.snapshots.tracked_on(object);
                self.hold_close(at, page.kind);
            }
            Action::Reopen => {
                self.hold_closed_parent(at, page);
                self.rest_on_open_project(at, object);
                self.wait_for_reopened_parent(at, page);
            }
            Action::Move => {
                self.changes[at].tracked_seconds = object.tracked_seconds.filter(|_| moves_task);
                self.hold_parent(at, page);
            }
            _ if side == Service::Clockify => {
                self.hold_closed_parent(at, page);
                self.rest_on_open_project(at, object);
            }
            _ => {}
        }
        if renames {
            self.hold_name(at, page);
            self.check_name_is_free(at, page, Some(object));
        }
    }

    /// Proposes to write the registry's ID into the page, where the page has none or another.
    fn write_back(&mut self, page: &'a Page, pair: Candidate<'a>) {
        let wanted = self.may_write_notion() && page.standing != Standing::Trashed;
        if !wanted || page.claim.id() == Some(pair.object.id) {
            return;
        }
        // An undo has put the former ID back: they differ on purpose, until somebody opens again what the undo closed.
        let link = self.registry.of_page(page.id).filter(|link| link.object == pair.object.id);
        let agreed = link.and_then(|link| link.base.get(Field::Claim));
        let opened = opened_unnamed(page, pair.object, link.map(|link| &link.base));
        if !opened && agreed.is_some_and(|agreed| Some(agreed.notion()) == page.claim.value().as_ref()) {
            return;
        }
        let objects = &self.snapshots.objects[page.kind];
        let left = self.registry.of_page(page.id).map_or(&[][..], |link| &link.left);
        let rival = page.claim.id().filter(|claimed| !left.contains(claimed)).and_then(|claimed| objects.get(claimed));
        let unwritten = link.and_then(|link| link.unwritten.as_deref());
        let unfinished = unwritten.is_some() && unwritten == page.claim.value().as_ref();
        let (from, confidence, reason) = match &page.claim {
            Claim::Unknown(_) => return,
            _ if opened => {
                let reason =
                    "an undo took the ID out of the page, and the object was opened again in Clockify since".to_owned();
                (Value::Empty, OPENED_UNNAMED, reason)
            }
            Claim::None if unfinished => {
                (Value::Empty, 100, "created or linked, its ID not yet in the page".to_owned())
            }
            claim if unfinished => {
                let reason = "created or linked, its ID not yet in the page, which still has".to_owned();
                (claim.value().unwrap_or_default(), 100, reason)
            }
            Claim::None if link.is_none() => (Value::Empty, 100, "the ID is not in the page".to_owned()),
            Claim::None => (Value::Empty, 100, "the page has lost its Clockify ID".to_owned()),
            Claim::Garbled(text) => (Value::Text(text.clone()), 95, "the page's Clockify ID is not one".to_owned()),
            Claim::Id(other) if left.contains(other) => {
                (Value::Object(*other), 100, "the page has moved, and still names what it left behind".to_owned())
            }
            Claim::Id(other) if rival.is_some() || objects.complete().is_none() => (
                Value::Object(*other),
                OVERWRITE_CLAIM,
                "the page names another object than the one it is linked to".to_owned(),
            ),
            Claim::Id(other) => (Value::Object(*other), 95, "the page names an object that does not exist".to_owned()),
        };
        let mut alternatives = Vec::new();
        if let Some(rival) = rival.filter(|rival| self.pairs.owner(rival.id).is_none()) {
            let candidate = Candidate { object: rival, evidence: Evidence::ClaimElsewhere };
            alternatives.push(Proposal {
                reason: "link the page to the object that it names".to_owned().into(),
                ..linking(page, &candidate)
            });
        }
        let proposal = Proposal {
            action: Action::WriteBack,
            side: Service::Notion,
            object: Some(pair.object.id),
            fields: vec![],
            confidence: confidence.min(pair.evidence.confidence()),
            reason: match from {
                Value::Empty => reason.into(),
                from => format!("{reason}: {}", from.to_raw().shown().clipped(40)).into(),
            },
        };
        let (cause, alternatives) =
            if unfinished { (Cause::Unfinished, Vec::new()) } else { (Cause::Claim, alternatives) };
        self.push(page, cause, proposal, alternatives);
    }

    /// What a parent's id is shown as: its name. Other values are shown as they are.
    fn shown(&self, field: Field, value: &Value, page: &Page) -> Value {
        let (Field::Parent, Some(kind)) = (field, page.kind.parent()) else { return value.clone() };
        match value {
            Value::Object(id) => self.snapshots.objects[kind]
                .get(*id)
                .map_or_else(|| value.clone(), |object| Value::Text(object.name.clone())),
            _ => value.clone(),
        }
    }
}

/// What becomes of what a page shows of tracked time, with how sure that is; nothing where it stays as it is. What
/// punchlist has written, or nobody has, follows Clockify; what somebody else has is for a person.
fn of_tracked(
    comparison: Comparison,
    page: &Value,
    tracked: &Value,
    base: Option<&Agreed>,
) -> Option<(Cause, u8, &'static str)> {
    let is_ours = matches!(base, Some(Agreed::Same(_))) || *page == Value::Empty;
    match comparison {
        Comparison::Agreed => None,
        Comparison::FirstSight | Comparison::NotKept if *tracked == Value::Empty => None,
        Comparison::FirstSight | Comparison::ClockifyChanged if is_ours => {
            Some((Cause::ToNotion, 100, "tracked in Clockify"))
        }
        Comparison::FirstSight | Comparison::ClockifyChanged | Comparison::NotKept => {
            Some((Cause::ToNotion, CONTESTED, "tracked in Clockify, but the page holds what somebody else wrote"))
        }
        Comparison::NotionChanged | Comparison::Conflict => {
            Some((Cause::Conflict, CONTESTED, "somebody has edited what the page shows of what is tracked"))
        }
    }
}

/// True when an undo closed what a run had created and took its ID out of the page, and somebody has opened the object
/// since.
fn opened_unnamed(page: &Page, object: &Object, base: Option<&Base>) -> bool {
    let was_closed =
        base.and_then(|base| base.get(Field::State)).is_some_and(|agreed| *agreed.clockify() == Value::Closed(true));
    let unnamed = page.claim == Claim::None && base.is_some_and(|base| base.get(Field::Claim).is_some());
    unnamed && was_closed && object.is_open() && page.standing.is_open()
}

/// The reason for a change of a field that the configuration fixes for every page: no page has said anything.
fn of_fixed(cause: Cause, reason: &'static str) -> &'static str {
    match cause {
        Cause::NotionChanged => "the configuration says something else for every page now",
        Cause::Conflict => "edited in Clockify, and the configuration says something else for every page now",
        Cause::FirstSight => "it differs from what the configuration says for every page",
        Cause::Drift if reason.ends_with("restore Notion's value") => {
            "edited in Clockify; the rule is to restore what the configuration says for every page"
        }
        _ => reason,
    }
}

/// Differences of one page that share their cause and what is done about them.
struct Part {
    cause: Cause,
    side: Service,
    confidence: u8,
    reason: &'static str,
    /// False for what cannot be written into Notion.
    writable: bool,
    /// A name has a part of its own, so that what holds it (a brake, a name that is taken) does not hold other fields;
    /// and so has a contested field, so that each is decided by itself, one that would be refused, so that it holds
    /// nothing else, and one of which the configuration speaks in place of the page.
    alone: bool,
    fields: Vec<Compared>,
}

impl Part {
    fn is_like(&self, other: &Self) -> bool {
        let key = |part: &Self| (part.cause, part.side, part.confidence, part.writable, part.alone);
        key(self) == key(other)
    }
}
