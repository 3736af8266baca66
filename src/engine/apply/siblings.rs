//! Which objects have a name under a parent, as Clockify was last read.

use std::{borrow::Cow, cell::OnceCell, collections::HashMap};

use crate::domain::{
    model::{Kind, ObjectId, PerKind, Snapshots},
    text::Raw,
};

/// By parent and name in the form that matching uses; made once a create asks for it.
type ByName<'a> = HashMap<Option<ObjectId>, HashMap<Cow<'a, str>, Vec<ObjectId>>>;

/// See the module.
#[derive(Default)]
pub(super) struct Siblings<'a>(PerKind<OnceCell<ByName<'a>>>);

impl<'a> Siblings<'a> {
    /// The objects of a kind that have this name under this parent.
    pub(super) fn of(&self, seen: &'a Snapshots, kind: Kind, parent: Option<ObjectId>, name: &Raw) -> &[ObjectId] {
        let by_name = self.0[kind].get_or_init(|| {
            let mut by_name = ByName::new();
            for object in seen.objects[kind].rows() {
                let below = by_name.entry(object.parent).or_default();
                below.entry(object.name.canonical().into_cow()).or_default().push(object.id);
            }
            by_name
        });
        by_name.get(&parent).and_then(|below| below.get(name.canonical().as_str())).map_or(&[], Vec::as_slice)
    }
}
