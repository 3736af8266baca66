//! What a plan has to say without a change.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::number;
use crate::domain::{
    model::{ChangeId, Kind, ObjectId, PageId},
    text::{Raw, Shown},
};

/// What is said without a change.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum NoticeCode {
    /// A linked page answers 404: deleted for good, or hidden from us. Its object is left alone.
    LostSight,
    /// A linked page is now outside its data source. Its object is left alone.
    MovedOut,
    /// A linked page that the mapping's `only` no longer lets in. Its object is left alone.
    NotMeant,
    /// A page has another page's Clockify ID, as a duplicated page does.
    CopiedId,
    /// An object that no page links to. It is never touched.
    Unmanaged,
    /// Two names under one parent that differ only by case, spaces or what looks the same.
    NearTwin,
    /// A listing may lack rows.
    Incomplete,
    /// Something of a page could not be read.
    Unreadable,
    /// A service cannot or will not say something, and what depends on it waits.
    Unknown,
    /// Something is open on both sides below what is closed.
    OpenBelowClosed,
    /// Another punchlist, with a state of its own, writes to the same workspace.
    ForeignRun,
    /// Somebody whom pages name has no account in the Clockify workspace, and by the rule they are left out or
    /// replaced.
    NoAccount,
    /// A property that closes pages has a new option, and that counts as open.
    NewOption,
}

impl NoticeCode {
    /// The word for it, as scripts know it: `near_twin`.
    pub fn word(self) -> &'static str {
        self.into()
    }
}

/// Something to say without a change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// What kind of notice.
    pub code: NoticeCode,
    /// What it concerns.
    pub kind: Kind,
    /// The name of the page or object, if it is known.
    pub name: Raw,
    /// The page, if there is one.
    pub page: Option<PageId>,
    /// The object, if there is one.
    pub object: Option<ObjectId>,
    /// For people.
    pub text: Shown,
}

/// Columns of a name in a notice's line.
const NAME_COLUMNS: usize = 60;

impl Notice {
    /// Names it by its content, as changes are named, so that somebody can say that they know.
    pub fn id(&self) -> ChangeId {
        let Self { code, kind, name: _, page, object, text } = self;
        ChangeId::of_notice(number(&(code, kind, page, object, text)))
    }

    /// What it says and about what, in one line.
    pub fn words(&self) -> Shown {
        self.words_below(&[])
    }

    /// The same with the names above it, outermost first.
    pub(super) fn words_below(&self, path: &[Raw]) -> Shown {
        let names = path.iter().chain([&self.name]).filter(|name| !name.exact().is_empty());
        let names: Vec<String> = names.map(|name| name.shown().clipped(NAME_COLUMNS).to_string()).collect();
        let name = if names.is_empty() { String::new() } else { format!(" “{}”", names.join(" › ")) };
        format!("{}{name}: {}", self.kind, self.text).into()
    }

    /// The page, or what stands for it where there is none.
    pub fn about(&self) -> PageId {
        self.page.or_else(|| PageId::stand_in(self.object?)).unwrap_or(PageId::from_number(0))
    }
}
