//! What holds a change back: its name, its parent, what could not be seen, and the brakes.

use std::collections::{BTreeMap, BTreeSet};

use super::{Differ, NameClaim, hold, id_at};
use crate::domain::{
    model::{Kind, Object, Page, Relation},
    plan::{Action, Change, Hold, HoldCode, State},
    rules::{Brake, name_length},
    text::forbidden_in_name,
};

/// Why Clockify would refuse the page's name, if it would.
///
/// `<` and `>` are refused in text by Clockify (live probe by a third party, and the message in its browser extension).
pub(super) fn invalid_name(page: &Page) -> Option<String> {
    let name = page.title.canonical();
    let allowed = name_length(page.kind);
    let length = name.as_str().chars().count();
    if length == 0 {
        return Some("it has no name".to_owned());
    }
    if length < *allowed.start() {
        return Some(format!("Clockify wants at least {} characters in a {}'s name", allowed.start(), page.kind));
    }
    if length > *allowed.end() {
        return Some(format!("the name has {length} characters, and Clockify takes {} in a {}'s name", allowed.end(), page.kind));
    }
    if let Some(refused) = name.as_str().chars().find(|c| matches!(c, '<' | '>')) {
        return Some(format!("Clockify refuses {refused:?} in names"));
    }
    forbidden_in_name(page.title.exact().trim())
        .map(|hidden| format!("the name has a hidden character, U+{:04X}: remove it in Notion", u32::from(hidden)))
}

impl<'a> Differ<'a> {
    fn hold(&mut self, at: usize, code: HoldCode, text: impl Into<String>) {
        let change = &mut self.changes[at];
        // The first reason is the nearest one; later ones would only hide it.
        change.hold.get_or_insert_with(|| hold(code, text));
    }

    /// Holds a change that sends a name which Clockify would refuse, or which several pages want.
    pub(super) fn hold_name(&mut self, at: usize, page: &Page) {
        if let Some(text) = invalid_name(page) {
            self.hold(at, HoldCode::InvalidName, text);
        }
        self.hold_contested(at, page);
    }

    /// Holds a change of a page whose name another open page under the same parent has too.
    pub(super) fn hold_contested(&mut self, at: usize, page: &Page) {
        let Some(group) = self.namesakes_of.get(&page.id).filter(|group| group.is_contested(page)) else { return };
        let text = match group.keeper {
            Some(_) => "another page of this name under the same parent is linked already",
            None => "several pages under the same parent have this name, and Clockify takes only one",
        };
        self.hold(at, HoldCode::NameTaken, text);
    }

    /// Holds a change whose page cannot stand where it says; otherwise makes it require what its parent still needs.
    pub(super) fn hold_parent(&mut self, at: usize, page: &Page) {
        let Some(kind) = page.kind.parent() else { return };
        let parent = match &page.parent {
            Relation::One(parent) => *parent,
            Relation::Several(parents) => {
                return self.hold(
                    at,
                    HoldCode::SeveralParents,
                    format!("it names {} {}; Clockify takes one", parents.len(), kind.plural()),
                );
            }
            Relation::None if self.changes[at].proposal.action == Action::Move => {
                let text = format!("its {kind} was removed in Notion; it is never closed or moved for that");
                return self.hold(at, HoldCode::RelationRemoved, text);
            }
            Relation::None => return self.hold(at, HoldCode::NoParent, format!("it names no {kind}")),
        };
        let Some((parent_page, found)) = self.pairs.of(parent) else {
            return self.hold(at, HoldCode::ParentUnknown, format!("it names a {kind} that punchlist does not see"));
        };
        if parent_page.standing.is_closed() {
            return self.hold(at, HoldCode::ParentClosed, format!("its {kind} is closed in Notion"));
        }
        let standings = self.of_page.get(&parent).cloned().unwrap_or_default();
        if let Some(root) = standings.root {
            let root = id_at(&self.changes, root);
            self.changes[at].requires.push(root);
            return;
        }
        match (found.certain(), standings.reopen) {
            (Some(object), Some(reopen)) if object.closed => {
                let reopen = id_at(&self.changes, reopen);
                self.changes[at].requires.push(reopen);
            }
            (Some(object), None) if object.closed => {
                self.hold(at, HoldCode::ParentClosed, format!("its {kind} is closed in Clockify"));
            }
            (Some(_), _) => {}
            (None, _) => self.hold(at, HoldCode::ParentHeld, format!("its {kind} has no object in Clockify yet")),
        }
    }

    /// Makes a change require the change that gives its parent an object, if there is one.
    pub(super) fn wait_for_parent(&mut self, at: usize, page: &Page) {
        let Relation::One(parent) = &page.parent else { return };
        if let Some(root) = self.of_page.get(parent).and_then(|standings| standings.root) {
            let root = id_at(&self.changes, root);
            self.changes[at].requires.push(root);
        }
    }

    /// Holds a change of an open page under a closed one.
    pub(super) fn hold_closed_parent(&mut self, at: usize, page: &Page) {
        let (Relation::One(parent), Some(kind)) = (&page.parent, page.kind.parent()) else { return };
        if self.pairs.of(*parent).is_some_and(|(parent, _)| parent.standing.is_closed()) {
            self.hold(at, HoldCode::ParentClosed, format!("its {kind} is closed in Notion"));
        }
    }

    /// Holds a create where the object may exist unseen.
    pub(super) fn hold_unseen(&mut self, at: usize, page: &Page) {
        let kind = page.kind;
        if self.snapshots.unsettled.contains(&page.id) {
            let text =
                "an earlier run may have created it, and looking it up did not settle that: look in Clockify, then run again";
            self.hold(at, HoldCode::Unsettled, text);
        }
        if let Some(because) = self.snapshots.objects[kind].incomplete_because() {
            let text =
                format!("Clockify's {} could not be listed completely ({because}), so it may exist already", kind.plural());
            self.hold(at, HoldCode::Incomplete, text);
        }
    }

    /// Holds a close where its source is not whole, or shrank to nothing.
    pub(super) fn hold_close(&mut self, at: usize, kind: Kind) {
        let pages = &self.snapshots.pages[kind];
        if let Some(because) = pages.incomplete_because() {
            self.hold(at, HoldCode::Incomplete, format!("Notion's {} could not be listed completely ({because})", kind.plural()));
        } else if pages.rows().iter().all(|page| page.standing == crate::domain::model::Standing::Trashed)
            && pages.rows().len() > 1
        {
            self.hold(
                at,
                HoldCode::Brake,
                format!("Notion shows no {} at all any more; closing them all is surely not meant", kind.plural()),
            );
        }
    }

    /// Notes which objects have the name that a change wants; `settle_names` sorts it out when all pages of the kind are known.
    pub(super) fn check_name_is_free(&mut self, at: usize, page: &'a Page, own: Option<&Object>) {
        let parent = match (&page.parent, page.kind.parent()) {
            (_, None) => None,
            (Relation::One(parent), Some(_)) => match self.pairs.of(*parent).and_then(|(_, found)| found.proposed()) {
                Some(object) => Some(object.id),
                // Under a parent that is still to be created no name is taken.
                None => return,
            },
            _ => return,
        };
        let name = page.title.canonical().into_cow();
        for holder in self.pairs.holders(page.kind, parent, name) {
            if own.is_none_or(|own| own.id != holder.id) {
                self.claims_on_names.push(NameClaim { change: at, holder: holder.id });
            }
        }
    }

    /// A name that is taken is waited for where its holder gives it up in this plan; otherwise its seeker is held.
    pub(super) fn settle_names(&mut self, kind: Kind) {
        let mut waits_for: BTreeMap<usize, usize> = BTreeMap::new();
        for NameClaim { change, holder } in std::mem::take(&mut self.claims_on_names) {
            let owner = self.pairs.owner(holder);
            let frees = owner.and_then(|owner| self.of_page.get(&owner)).and_then(|standings| standings.frees_name);
            let seen = owner.is_some_and(|owner| self.pairs.of(owner).is_some());
            match (owner, frees) {
                (_, Some(frees)) if frees != change => {
                    waits_for.insert(change, frees);
                    let frees = id_at(&self.changes, frees);
                    self.changes[change].requires.push(frees);
                }
                (Some(_), _) if seen => {
                    self.hold(change, HoldCode::NameTaken, format!("another {kind} has this name ({holder})"));
                }
                (Some(_), _) if self.changes[change].proposal.action == Action::Create => {
                    let limit = self.rules.brakes.lost_link.limit(0);
                    if limit == 0 {
                        let text = format!(
                            "it looks like a lost link: {holder} has this name and is linked to a page that is out of sight"
                        );
                        self.hold(change, HoldCode::Brake, text);
                    }
                }
                _ => self.hold(change, HoldCode::NameTaken, format!("a {kind} that no page links to has this name ({holder})")),
            }
        }
        for &start in waits_for.keys() {
            let mut seen = BTreeSet::from([start]);
            let mut at = start;
            while let Some(&next) = waits_for.get(&at) {
                if !seen.insert(next) {
                    self.hold(
                        start,
                        HoldCode::NameTaken,
                        "these names go round in a circle; rename one of them to something else first",
                    );
                    self.changes[start].requires.clear();
                    break;
                }
                at = next;
            }
        }
    }

    /// Withholds every class of change that is larger than its brake lets through.
    pub(super) fn brake(&mut self) {
        type Class = (&'static str, fn(&Change) -> bool);
        let brakes = self.rules.brakes;
        let classes: [(Brake, Class); 3] = [
            (brakes.close, ("closes", |change| change.proposal.action == Action::Close)),
            (brakes.rename, ("renames", Change::is_rename)),
            (brakes.move_, ("moves", |change| change.proposal.action == Action::Move)),
        ];
        for kind in Kind::ALL {
            let population = self.pairs.matches[kind].iter().filter(|(_, found)| found.certain().is_some()).count();
            for (brake, (word, belongs)) in classes {
                let caught = |change: &Change| change.kind == kind && change.hold.is_none() && belongs(change);
                let count = self.changes.iter().filter(|change| caught(change)).count();
                let limit = brake.limit(population);
                if count <= limit {
                    continue;
                }
                let text = format!("{count} {word} of {} at once, and the brake is at {limit}", kind.plural());
                for change in self.changes.iter_mut().filter(|change| caught(change)) {
                    change.hold = Some(Hold { code: HoldCode::Brake, text: text.clone() });
                    change.state = State::Held;
                }
            }
        }
    }
}
