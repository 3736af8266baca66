//! What a row of the review is about.

use crate::domain::{model::PageId, plan::Plan, text::Raw};

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// A page without a change of its own, or with several.
    Page(PageId),
    /// A change, by its place in the plan; also the row of its page, where it is the page's only one.
    Change(u32),
    /// The heading of so many notices, from this one on: of all, or of those of one kind.
    Notices { from: u32, count: u32 },
    /// A notice, by its place in the plan.
    Notice(u32),
}

/// The name of a row.
pub(crate) fn name(plan: &Plan, subject: Subject) -> Raw {
    match subject {
        Subject::Page(page) => plan.places.get(&page).map(|place| place.name.clone()).unwrap_or_default(),
        Subject::Change(at) => plan.changes[at as usize].name.clone(),
        Subject::Notices { count, .. } if count as usize == plan.notices.len() => "Notices".into(),
        Subject::Notices { from, .. } => {
            let first = &plan.notices[from as usize];
            format!("{}, {}", first.code.word().replace('_', " "), first.kind.plural()).into()
        }
        Subject::Notice(at) => plan.notices[at as usize].name.clone(),
    }
}
