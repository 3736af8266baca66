//! Pages that are closed along with what they stand below, by the rule `close_children`.

use std::collections::BTreeMap;

use super::{Kind, PageId, Registry, Sight, Snapshots};
use crate::domain::text::Raw;

impl Snapshots {
    /// Notes which open pages stand below closed ones. Without a look at the pages above nothing is known of them,
    /// except that one which the registry has retired is closed.
    pub fn close_children(&mut self, registry: &Registry) {
        self.along.clear();
        let mut closed: BTreeMap<PageId, Raw> = BTreeMap::new();
        for kind in Kind::ALL {
            let above = kind.parent().map_or("", Kind::word);
            let is_retired = |page| registry.of_page(page).is_some_and(|link| link.sight == Sight::Retired);
            let mut below = BTreeMap::new();
            for page in self.pages[kind].rows() {
                let because = page.parent.one().filter(|_| page.standing.is_open()).and_then(|parent| {
                    match closed.get(&parent) {
                        Some(name) => Some(format!("its {above} “{}” is closed", name.shown().clipped(60))),
                        None => is_retired(parent).then(|| format!("its {above} is in Notion's trash")),
                    }
                });
                if page.standing.is_closed() || because.is_some() {
                    below.insert(page.id, page.title.clone());
                }
                self.along.extend(because.map(|because| (page.id, because.into())));
            }
            closed = below;
        }
    }
}
