//! Active objects that no page links to: they are mentioned, or a person is asked whether to close them, as the rule
//! says.

use std::collections::{BTreeMap, BTreeSet};

use super::Differ;
use crate::domain::{
    model::{Field, Kind, Object, ObjectId, PageId, Service, Value},
    plan::{Action, Cause, Change, FieldChange, Notice, NoticeCode, Place, Proposal, State, change_id},
    rules::Unmanaged,
};

/// Confidence, in percent, of closing what is perhaps somebody else's.
const CLOSE_UNMANAGED: u8 = 50;

impl<'a> Differ<'a> {
    /// Proposes to close what no page links to, where the rule says so, and returns notices of the rest.
    pub(super) fn unmanaged(&mut self, places: &mut BTreeMap<PageId, Place>) -> Vec<Notice> {
        let twins = self.twins(places);
        let rule = self.rules.unmanaged;
        // A page that is not shown could have it.
        if rule == Unmanaged::Ignore
            || Kind::ALL.into_iter().any(|kind| self.snapshots.pages[kind].complete().is_none())
        {
            return Vec::new();
        }
        let mut proposed =
            if rule == Unmanaged::Close { self.close_unmanaged(places, &twins) } else { BTreeSet::new() };
        proposed.extend(twins);
        self.unmanaged_notices(&proposed)
    }

    pub(super) fn is_unmanaged(&self, object: &Object) -> bool {
        let is_ordinary = object.is_open() && !self.snapshots.is_pattern(object);
        is_ordinary && !self.is_named_unseen(object) && self.pairs.owner(object.id).is_none()
    }

    /// True when the object names a page, as only punchlist does, that the mapping does not let in: that page has it.
    fn is_named_unseen(&self, object: &Object) -> bool {
        let narrowed = self.rules.mapping[object.kind].only.is_some();
        narrowed && object.marker.is_some_and(|page| self.snapshots.pages[object.kind].get(page).is_none())
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
            for object in self.pairs.unowned(kind).iter().copied().filter(|object| is_unmanaged(object)) {
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
            let what = match below.get(&object.id) {
                None => "no page links to it; it is left alone".to_owned(),
                Some(count) => format!("no page links to it or to {count} below it; they are left alone"),
            };
            let unseen = self.rules.mapping[object.kind].only.is_some();
            let text = if unseen {
                format!("{what}; a page that is not among those that are mirrored may name it")
            } else {
                what
            };
            let (kind, name) = (object.kind, object.name.clone());
            Notice { code: NoticeCode::Unmanaged, kind, name, page: None, object: Some(object.id), text: text.into() }
        };
        tops.into_iter().map(notice).collect()
    }

    /// Proposes to close clients, projects, and tasks of projects that stay. What stands above something that has a
    /// page is left alone.
    fn close_unmanaged(
        &mut self,
        places: &mut BTreeMap<PageId, Place>,
        twins: &BTreeSet<ObjectId>,
    ) -> BTreeSet<ObjectId> {
        let mut needed: BTreeSet<ObjectId> = BTreeSet::new();
        for kind in Kind::ALL.into_iter().rev() {
            let rows = self.snapshots.objects[kind].rows().iter().filter(|object| !object.is_closed());
            let needs = rows.filter(|object| !self.is_unmanaged(object) || needed.contains(&object.id));
            let above: Vec<ObjectId> = needs.filter_map(|object| object.parent).collect();
            needed.extend(above);
        }
        let mut proposed = BTreeSet::new();
        let snapshots = self.snapshots;
        for kind in Kind::ALL {
            for object in snapshots.objects[kind].rows() {
                let closes_with_project =
                    kind == Kind::Task && object.parent.is_some_and(|parent| proposed.contains(&parent));
                // What a page that the mapping does not let in could name is not for us to close.
                let unseen = self.rules.mapping[kind].only.is_some();
                let is_settled = needed.contains(&object.id) || twins.contains(&object.id) || closes_with_project;
                if unseen || !self.is_unmanaged(object) || is_settled {
                    continue;
                }
                let reason = "no page links to it, and by the rule it is closed".to_owned();
                if self.close_apart(object, Cause::Unmanaged, CLOSE_UNMANAGED, reason, places) {
                    proposed.insert(object.id);
                }
            }
        }
        proposed
    }

    /// Proposes to close an object that stands apart from all pages; false where that cannot be proposed.
    pub(super) fn close_apart(
        &mut self,
        object: &'a Object,
        cause: Cause,
        confidence: u8,
        reason: String,
        places: &mut BTreeMap<PageId, Place>,
    ) -> bool {
        let Some(page) = PageId::stand_in(object.id) else { return false };
        let above = self.parent_of(object);
        let parent = above.and_then(|above| self.pairs.owner(above.id).or_else(|| PageId::stand_in(above.id)));
        let place = |object: &Object, parent| {
            let (kind, name) = (object.kind, object.name.clone());
            Place { kind, name, parent, edited: jiff::Timestamp::UNIX_EPOCH }
        };
        places.insert(page, place(object, parent));
        if let Some((above, parent)) = above.zip(parent).filter(|(_, parent)| parent.in_notion().is_none()) {
            places.entry(parent).or_insert_with(|| place(above, None));
        }
        let proposal = Proposal {
            action: Action::Close,
            side: Service::Clockify,
            object: Some(object.id),
            fields: vec![FieldChange::new(Field::State, Value::Closed(false), Value::Closed(true))],
            confidence,
            reason: reason.into(),
        };
        self.changes.push(Change {
            id: change_id(object.kind, page, parent, cause, &proposal, &[]),
            kind: object.kind,
            page,
            name: object.name.clone(),
            parent,
            claimed: None,
            cause,
            proposal,
            alternatives: Vec::new(),
            hold: None,
            state: State::Review,
            requires: Vec::new(),
            tracked_seconds: self.snapshots.tracked_on(object),
            refiling: None,
        });
        true
    }
}
