//! Objects that punchlist has made twice: their notes name a page that is linked to another one. Two machines, or an
//! answer that came too late, can make such a pair; which of them stays is for a person.

use std::collections::{BTreeMap, BTreeSet};

use super::Differ;
use crate::domain::{
    model::{Kind, Object, ObjectId, PageId},
    plan::{Cause, Place},
};

/// How sure we are that what names a page of ours, and is not its object, is one too many.
const TWIN: u8 = 90;

impl<'a> Differ<'a> {
    /// Proposes to close what was made twice.
    pub(super) fn twins(&mut self, places: &mut BTreeMap<PageId, Place>) -> BTreeSet<ObjectId> {
        let mut proposed = BTreeSet::new();
        for kind in Kind::ALL {
            let rows = self.snapshots.objects[kind].rows().iter();
            let twins: Vec<(&Object, ObjectId)> =
                rows.filter_map(|object| Some((object, self.twin_of(object)?))).collect();
            for (object, ours) in twins {
                let reason = format!("made twice: its note names a page that is linked to {ours}");
                if self.close_apart(object, Cause::Twin, TWIN, reason, places) {
                    proposed.insert(object.id);
                }
            }
        }
        proposed
    }

    /// The object of the page that an open object names, where that is another one.
    fn twin_of(&self, object: &'a Object) -> Option<ObjectId> {
        let page = object.marker.filter(|_| self.is_unmanaged(object))?;
        let linked = self.registry.of_page(page).map(|link| link.object);
        let ours =
            linked.or_else(|| self.pairs.of(page).and_then(|(_, found)| found.certain()).map(|object| object.id))?;
        (ours != object.id).then_some(ours)
    }
}
