//! Active objects that no page links to: they are mentioned, or a person is asked whether to close them, as the rule says.

use std::collections::{BTreeMap, BTreeSet};

use super::Differ;
use crate::domain::{
    model::{Field, Kind, Object, ObjectId, PageId, Service, Value},
    plan::{Action, Cause, Change, FieldChange, Notice, NoticeCode, Place, Proposal, State, change_id},
    rules::Unmanaged,
};

/// Of closing what is perhaps somebody else's.
const CLOSE_UNMANAGED: u8 = 50;

impl<'a> Differ<'a> {
    /// Proposes to close what no page links to, where the rule says so, and returns notices of the rest.
    pub(super) fn unmanaged(&mut self, places: &mut BTreeMap<PageId, Place>) -> Vec<Notice> {
        let rule = self.rules.unmanaged;
        // A page that is not shown could have it.
        if rule == Unmanaged::Ignore || Kind::ALL.into_iter().any(|kind| self.snapshots.pages[kind].complete().is_none()) {
            return Vec::new();
        }
        let proposed = if rule == Unmanaged::Close { self.close_unmanaged(places) } else { BTreeSet::new() };
        self.unmanaged_notices(&proposed)
    }

    fn is_unmanaged(&self, object: &Object) -> bool {
        !object.closed && self.pairs.owner(object.id).is_none() && !self.snapshots.is_pattern(object)
    }

    fn parent_of(&self, object: &Object) -> Option<&'a Object> {
        let (kind, parent) = object.kind.parent().zip(object.parent)?;
        self.snapshots.objects[kind].get(parent)
    }

    /// One notice for the topmost of each tree.
    fn unmanaged_notices(&self, proposed: &BTreeSet<ObjectId>) -> Vec<Notice> {
        let mut below: BTreeMap<ObjectId, usize> = BTreeMap::new();
        let mut tops: Vec<&Object> = Vec::new();
        let is_unmanaged = |object: &Object| self.is_unmanaged(object) && !proposed.contains(&object.id);
        for kind in Kind::ALL.into_iter().rev() {
            for object in self.snapshots.objects[kind].rows().iter().filter(|object| is_unmanaged(object)) {
                match self.parent_of(object) {
                    // Closing a project closes what is in it.
                    Some(parent) if proposed.contains(&parent.id) && kind == Kind::Task => {}
                    Some(parent) if is_unmanaged(parent) => {
                        *below.entry(parent.id).or_default() += 1 + below.get(&object.id).copied().unwrap_or_default();
                    }
                    _ => tops.push(object),
                }
            }
        }
        let notice = |object: &Object| {
            let text = match below.get(&object.id) {
                None => "no page links to it; it is left alone".to_owned(),
                Some(count) => format!("no page links to it or to {count} below it; they are left alone"),
            };
            let (kind, name) = (object.kind, object.name.clone());
            Notice { code: NoticeCode::Unmanaged, kind, name, page: None, object: Some(object.id), text }
        };
        tops.into_iter().map(notice).collect()
    }

    /// Proposes to close clients, projects, and tasks of projects that stay. What stands above something that has a page is left alone.
    fn close_unmanaged(&mut self, places: &mut BTreeMap<PageId, Place>) -> BTreeSet<ObjectId> {
        let mut needed: BTreeSet<ObjectId> = BTreeSet::new();
        for kind in Kind::ALL.into_iter().rev() {
            let rows = self.snapshots.objects[kind].rows().iter().filter(|object| !object.closed);
            let needs = rows.filter(|object| !self.is_unmanaged(object) || needed.contains(&object.id));
            let above: Vec<ObjectId> = needs.filter_map(|object| object.parent).collect();
            needed.extend(above);
        }
        let mut proposed = BTreeSet::new();
        let snapshots = self.snapshots;
        for kind in Kind::ALL {
            for object in snapshots.objects[kind].rows() {
                let closes_with_project = kind == Kind::Task && object.parent.is_some_and(|parent| proposed.contains(&parent));
                if !self.is_unmanaged(object) || needed.contains(&object.id) || closes_with_project {
                    continue;
                }
                let Some(page) = PageId::stand_in(object.id) else { continue };
                let above = self.parent_of(object);
                let parent = above.and_then(|above| self.pairs.owner(above.id).or_else(|| PageId::stand_in(above.id)));
                self.close_object(object, page, parent);
                proposed.insert(object.id);
                let place = |object: &Object, parent| {
                    let (kind, name) = (object.kind, object.name.clone());
                    Place { kind, name, parent, edited: jiff::Timestamp::UNIX_EPOCH }
                };
                places.insert(page, place(object, parent));
                if let Some((above, parent)) = above.zip(parent).filter(|(_, parent)| parent.in_notion().is_none()) {
                    places.entry(parent).or_insert_with(|| place(above, None));
                }
            }
        }
        proposed
    }

    fn close_object(&mut self, object: &Object, page: PageId, parent: Option<PageId>) {
        let proposal = Proposal {
            action: Action::Close,
            side: Service::Clockify,
            object: Some(object.id),
            fields: vec![FieldChange::new(Field::State, Value::Closed(false), Value::Closed(true))],
            confidence: CLOSE_UNMANAGED,
            reason: "no page links to it, and by the rule it is closed".to_owned(),
        };
        self.changes.push(Change {
            id: change_id(object.kind, page, parent, Cause::Unmanaged, &proposal, &[]),
            kind: object.kind,
            page,
            name: object.name.clone(),
            parent,
            claimed: None,
            cause: Cause::Unmanaged,
            proposal,
            alternatives: Vec::new(),
            hold: None,
            state: State::Review,
            requires: Vec::new(),
            tracked_seconds: object.tracked_seconds,
        });
    }
}
