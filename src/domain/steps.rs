//! What approved changes are as writes, and what waits for what. Several changes of one object become one request.

mod along;
mod cost;
mod links;

use std::collections::{BTreeMap, HashMap};

use super::{
    model::{Field, Kind, ObjectId, PageId, Refiling, Service, Snapshots, Value},
    plan::{Action, Cause, Change, ChangeId},
    review::Approved,
    rules::{IdStrategy, Rules},
    text::Raw,
};

pub use along::along;
pub use cost::estimate;
pub use links::{
    answered, current, fresh, leaving, recovered, sent_at_birth, settled, stays_out, verified, wanted, written_back,
};

/// Time entries that go elsewhere in one request, as far as they are of several changes.
const ENTRIES_MAX: usize = 500;

/// One step of an apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The changes that it carries out, or helps to carry out.
    pub changes: Vec<ChangeId>,
    pub page: PageId,
    /// What it is.
    pub kind: Kind,
    /// What is done.
    pub act: Act,
    /// Steps that must have succeeded before.
    pub needs: Vec<usize>,
    /// Steps that must have ended before, however they ended.
    pub follows: Vec<usize>,
}

/// What a step does. Ids that do not exist yet are looked up in the registry when the step starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Creates the page's object under the object of the parent page, and links it.
    Create {
        /// The parent's page.
        parent: Option<PageId>,
        name: Raw,
        /// The object that it takes the place of, which what the fields do not say is carried over from.
        like: Option<ObjectId>,
        /// Mapped fields.
        fields: BTreeMap<Field, Value>,
    },
    /// Links the page with an object that exists. Nothing is sent.
    Adopt(ObjectId),
    /// Links the page with an object that it had before, as an undo does: what differs then differs on purpose. Nothing
    /// is sent.
    Restore(ObjectId),
    /// Ends the link of the page with an object, as an undo does. Nothing is sent.
    Unlink(ObjectId),
    /// Remembers that both sides differ on purpose. Nothing is sent.
    Accept,
    /// Changes an object.
    Update {
        object: ObjectId,
        /// The page whose object becomes the parent, where the parent changes.
        parent: Option<PageId>,
        /// The other fields.
        fields: BTreeMap<Field, Value>,
    },
    /// Changes the page.
    WriteBack {
        /// What becomes of the ID property.
        claim: ClaimWrite,
        /// Values for mapped properties.
        fields: BTreeMap<Field, Value>,
    },
    /// Files time entries of one person elsewhere, whatever changes ask for it: one request is for one person.
    Refile(Refiling),
}

/// What becomes of the page's ID property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimWrite {
    /// Nothing.
    Keep,
    /// The ID that the registry has for the page by then.
    Own,
    /// It is emptied.
    Clear,
    /// An undo puts back what was there.
    Former(Option<ObjectId>),
}

impl Act {
    /// True for what closes an object.
    pub fn closes(&self) -> bool {
        matches!(self, Self::Update { fields, .. } if fields.get(&Field::State) == Some(&Value::Closed(true)))
    }

    /// The service that is written, if one is.
    pub fn service(&self) -> Option<Service> {
        match self {
            Self::Create { .. } | Self::Update { .. } | Self::Refile(_) => Some(Service::Clockify),
            Self::WriteBack { .. } => Some(Service::Notion),
            Self::Adopt(_) | Self::Restore(_) | Self::Unlink(_) | Self::Accept => None,
        }
    }
}

/// Turns what was approved into steps: parents are created and reopened first, children are closed first.
pub fn steps(approved: &Approved, snapshots: &Snapshots, rules: &Rules) -> Vec<Step> {
    let mut builder = Builder {
        snapshots,
        writes_ids: rules.id_strategy == IdStrategy::Property,
        steps: Vec::new(),
        done_by: HashMap::new(),
    };
    let mut of_page: BTreeMap<PageId, Vec<&Change>> = BTreeMap::new();
    let mut order: Vec<PageId> = Vec::new();
    for change in approved.changes() {
        let changes = of_page.entry(change.page).or_default();
        if changes.is_empty() {
            order.push(change.page);
        }
        changes.push(change);
    }
    for page in order {
        builder.page(&of_page[&page]);
    }
    builder.connect(approved);
    builder.steps
}

struct Builder<'a> {
    snapshots: &'a Snapshots,
    writes_ids: bool,
    steps: Vec<Step>,
    /// The step that gives others what they require of a change.
    done_by: HashMap<ChangeId, usize>,
}

impl Builder<'_> {
    /// The steps of one page's changes.
    fn page(&mut self, changes: &[&Change]) {
        let Some(&first) = changes.first() else { return };
        let moves_task = |change: &&&Change| change.proposal.action == Action::Move && change.kind == Kind::Task;
        let creates = changes.iter().any(|change| change.proposal.action == Action::Create);
        // By object: an undo may change what the page had before along with what it has now.
        let mut updates: HashMap<ObjectId, usize> = HashMap::new();
        let mut write_back: Option<usize> = None;
        // A task that moves is created as it becomes by its other changes, which makes them too; the old one is only
        // closed.
        let first_moves = changes.iter().filter(moves_task).chain(changes.iter().filter(|change| !moves_task(change)));
        for &change in first_moves {
            let object = change.proposal.object;
            match (change.proposal.action, object) {
                // Not the page's object any more: a step of its own. And so is the close of an undo, which comes last,
                // while others may wait for what else the undo does to the object.
                (Action::Close, Some(object)) if change.cause == Cause::Moved || change.is_undo() => {
                    let fields = written_fields(change).collect();
                    self.push(change, Act::Update { object, parent: None, fields });
                }
                (Action::Create, _) => {
                    let (name, fields) = split_name(change);
                    let at = self.push(change, Act::Create { parent: change.parent, name, like: None, fields });
                    self.write_own_claim(change, at, &mut write_back);
                }
                (Action::Link, Some(object)) if change.cause == Cause::Undone => {
                    self.push(change, Act::Restore(object));
                }
                (Action::WriteBack | Action::ClearClaim, object) if change.is_undo() => {
                    self.write_former_claim(change, object, &mut write_back);
                }
                (Action::Link, Some(object)) => {
                    let at = self.push(change, Act::Adopt(object));
                    if change.claimed != Some(object) {
                        self.write_own_claim(change, at, &mut write_back);
                    }
                }
                (Action::Move, Some(object)) if change.kind == Kind::Task => {
                    let updates_of = changes.iter().filter(|change| change.proposal.action == Action::Update);
                    let becomes = updates_of.flat_map(|change| written_fields(change)).collect();
                    let created = self.move_task(change, object, becomes, &mut write_back);
                    updates.extend(created.map(|created| (object, created)));
                }
                (Action::Update, _) if change.proposal.side == Service::Notion => {
                    let at = *write_back.get_or_insert_with(|| {
                        self.push(change, Act::WriteBack { claim: ClaimWrite::Keep, fields: BTreeMap::new() })
                    });
                    self.join(at, change);
                    if let Act::WriteBack { fields, .. } = &mut self.steps[at].act {
                        fields.extend(written_fields(change));
                    }
                }
                (Action::Update | Action::Move | Action::Close | Action::Reopen, Some(object)) => {
                    let at = *updates.entry(object).or_insert_with(|| {
                        self.push(change, Act::Update { object, parent: None, fields: BTreeMap::new() })
                    });
                    self.join(at, change);
                    if let Act::Update { parent, fields, .. } = &mut self.steps[at].act {
                        if change.proposal.action == Action::Move {
                            *parent = change.parent;
                            if change.parent.is_none() {
                                fields.insert(Field::Parent, Value::Empty);
                            }
                        } else {
                            fields.extend(written_fields(change));
                        }
                    }
                }
                (Action::WriteBack, _) => self.write_claim(change, ClaimWrite::Own, &mut write_back),
                // The ID of the object that is created for the page takes the copied one's place in the same request.
                (Action::ClearClaim, _) if creates => {}
                (Action::ClearClaim, _) => self.write_claim(change, ClaimWrite::Clear, &mut write_back),
                (Action::Accept, _) => {
                    self.push(change, Act::Accept);
                }
                (Action::Refile, _) => self.refile(change),
                (Action::Link | Action::Update | Action::Move | Action::Close | Action::Reopen, None) => {}
            }
        }
        if let (Some(at), true) = (write_back, creates) {
            for change in changes.iter().filter(|change| change.proposal.action == Action::ClearClaim) {
                self.join(at, change);
            }
        }
        debug_assert!(changes.iter().all(|change| change.page == first.page), "changes of one page");
    }

    /// Adds time entries to the request for the same person, of whatever page it is, as long as it is not too long.
    fn refile(&mut self, change: &Change) {
        let Some(refiling) = change.refiling.as_deref() else { return };
        let has_room = |step: &Step| {
            matches!(&step.act, Act::Refile(others)
                if others.user == refiling.user && others.entries.len() + refiling.entries.len() <= ENTRIES_MAX)
        };
        let Some(at) = self.steps.iter().position(has_room) else {
            self.push(change, Act::Refile(refiling.clone()));
            return;
        };
        self.join(at, change);
        if let Act::Refile(others) = &mut self.steps[at].act {
            others.entries.extend(&refiling.entries);
        }
    }

    /// Clockify cannot move a task: it is created where it belongs, as it is or `becomes`, and closed where it was.
    ///
    /// Returns the step that creates it.
    fn move_task(
        &mut self,
        change: &Change,
        old: ObjectId,
        becomes: BTreeMap<Field, Value>,
        write_back: &mut Option<usize>,
    ) -> Option<usize> {
        let page = self.snapshots.pages[change.kind].get(change.page)?;
        let before = self.snapshots.objects[change.kind].get(old)?;
        // What both agree on is said, so that it is known to be agreed on; what else the old one has, it keeps.
        let agreed = page.values.iter().filter(|(field, value)| before.values.get(*field) == Some(*value));
        let agreed = agreed.filter(|(field, value)| **value != Value::Empty && !field.is_tracked());
        let mut fields: BTreeMap<Field, Value> = agreed.map(|(field, value)| (field, value.clone())).collect();
        fields.extend(becomes);
        let name = match fields.remove(&Field::Name) {
            Some(Value::Text(name)) => name,
            _ => page.title.canonical().into_raw(),
        };
        let created = self.push(change, Act::Create { parent: change.parent, name, like: Some(old), fields });
        self.write_own_claim(change, created, write_back);
        let fields = BTreeMap::from([(Field::State, Value::Closed(true))]);
        let closed = self.push(change, Act::Update { object: old, parent: None, fields });
        self.steps[closed].needs.push(created);
        self.done_by.insert(change.id, created);
        Some(created)
    }

    /// Puts the ID back that the page had before a run, and where the run had linked the page, ends that link after all
    /// else.
    fn write_former_claim(&mut self, change: &Change, object: Option<ObjectId>, write_back: &mut Option<usize>) {
        let former = change.proposal.fields.iter().find(|field| field.field == Field::Claim);
        if let Some(former) = former {
            let id = if let Value::Object(id) = former.to { Some(id) } else { None };
            self.write_claim(change, ClaimWrite::Former(id), write_back);
        }
        let Some(object) = object.filter(|_| change.cause == Cause::Unlinked) else { return };
        let part = self.push(change, Act::Unlink(object));
        self.steps[part].needs.extend(former.and(*write_back));
    }

    /// Writes the ID into the page once the step that provides it is done.
    fn write_own_claim(&mut self, change: &Change, after: usize, write_back: &mut Option<usize>) {
        if self.writes_ids {
            self.write_claim(change, ClaimWrite::Own, write_back);
            if let Some(at) = *write_back {
                self.steps[at].needs.push(after);
            }
        }
        // What rests on the change needs the object, not the page's property.
        self.done_by.insert(change.id, after);
    }

    fn write_claim(&mut self, change: &Change, wanted: ClaimWrite, write_back: &mut Option<usize>) {
        let at = *write_back.get_or_insert_with(|| {
            self.push(change, Act::WriteBack { claim: ClaimWrite::Keep, fields: BTreeMap::new() })
        });
        self.join(at, change);
        if let Act::WriteBack { claim, .. } = &mut self.steps[at].act {
            *claim = wanted;
        }
    }

    fn push(&mut self, change: &Change, act: Act) -> usize {
        let (page, kind) = (change.page, change.kind);
        self.steps.push(Step { changes: vec![change.id], page, kind, act, needs: Vec::new(), follows: Vec::new() });
        let at = self.steps.len() - 1;
        self.done_by.insert(change.id, at);
        at
    }

    fn join(&mut self, at: usize, change: &Change) {
        let changes = &mut self.steps[at].changes;
        if !changes.contains(&change.id) {
            changes.push(change.id);
        }
        self.done_by.insert(change.id, at);
    }

    /// Lets steps wait for what their changes require, and closes for the closes below them.
    fn connect(&mut self, approved: &Approved) {
        let by_id: HashMap<&ChangeId, &Change> = approved.changes().iter().map(|change| (&change.id, change)).collect();
        let mut closes: HashMap<ObjectId, usize> = HashMap::new();
        for at in 0..self.steps.len() {
            let step = &self.steps[at];
            let needs: Vec<usize> = step
                .changes
                .iter()
                .filter_map(|id| by_id.get(id))
                .flat_map(|change| &change.requires)
                .filter_map(|id| self.done_by.get(id).copied())
                .filter(|&other| other != at && !self.rests_on(other, at))
                .collect();
            self.steps[at].needs.extend(needs);
            self.steps[at].needs.sort_unstable();
            self.steps[at].needs.dedup();
            match &self.steps[at].act {
                act @ Act::Update { object, .. } if act.closes() => {
                    closes.insert(*object, at);
                }
                _ => {}
            }
        }
        // What stands under what in Clockify, since that is where it is closed: a task that moves is closed where it
        // was.
        for (&object, &at) in &closes {
            let mut above = self.parent(self.steps[at].kind, object);
            while let Some((kind, parent)) = above {
                if let Some(&parent_close) = closes.get(&parent) {
                    self.steps[parent_close].follows.push(at);
                }
                above = self.parent(kind, parent);
            }
        }
        // What is written to an object is written while it is still linked.
        for part in 0..self.steps.len() {
            let Act::Unlink(object) = self.steps[part].act else { continue };
            let writes = |at: &usize| matches!(&self.steps[*at].act, Act::Update { object: of, .. } if *of == object);
            let before: Vec<usize> = (0..self.steps.len()).filter(writes).collect();
            self.steps[part].follows.extend(before);
        }
        for step in &mut self.steps {
            step.follows.sort_unstable();
        }
    }

    /// True when a step needs another, directly or through others: the other must not wait for it.
    fn rests_on(&self, step: usize, other: usize) -> bool {
        self.steps[step].needs.iter().any(|&needed| needed == other || self.rests_on(needed, other))
    }

    fn parent(&self, kind: Kind, object: ObjectId) -> Option<(Kind, ObjectId)> {
        Some((kind.parent()?, self.snapshots.objects[kind].get(object)?.parent?))
    }
}

fn written_fields(change: &Change) -> impl Iterator<Item = (Field, Value)> {
    change.proposal.fields.iter().map(|field| (field.field, field.to.clone()))
}

fn split_name(change: &Change) -> (Raw, BTreeMap<Field, Value>) {
    let mut fields: BTreeMap<Field, Value> = written_fields(change).collect();
    match fields.remove(&Field::Name) {
        Some(Value::Text(name)) => (name, fields),
        _ => (change.name.canonical().into_raw(), fields),
    }
}
