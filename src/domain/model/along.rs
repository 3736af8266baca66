//! Pages that are closed along with what they stand below, by the rule `close_children`.

use std::collections::BTreeMap;

use super::{Kind, PageId, Registry, Relation, Sight, Snapshots, Standing};
use crate::domain::text::Raw;

impl Snapshots {
    /// Closes the open pages below closed ones, as if they said so themselves. Without a look at the pages above nothing is known
    /// of them, except that one which the registry has retired is closed.
    pub fn close_children(&mut self, registry: &Registry) {
        let mut closed: BTreeMap<PageId, Raw> = BTreeMap::new();
        for kind in Kind::ALL {
            let above = kind.parent().map_or("", Kind::word);
            let is_retired = |page| registry.of_page(page).is_some_and(|link| link.sight == Sight::Retired);
            let mut below = BTreeMap::new();
            self.pages[kind].update(|page| {
                if let (Standing::Open, Relation::One(parent)) = (&page.standing, &page.parent) {
                    let because = match closed.get(parent) {
                        Some(name) => format!("its {above} “{}” is closed", name.display().clipped(60)),
                        None if is_retired(*parent) => format!("its {above} is in Notion's trash"),
                        None => return,
                    };
                    page.standing = Standing::Closed { because: because.into() };
                }
                if page.standing.is_closed() {
                    below.insert(page.id, page.title.clone());
                }
            });
            closed = below;
        }
    }
}
