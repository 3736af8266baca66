//! Whose changes a run is about: everybody's, those of some clients, or nobody's.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    model::{PageId, Registry, Snapshots},
    reference::{Nameable, NotFound, find},
    text::Shown,
};

/// Columns of a client's name in a sentence.
const NAME_COLUMNS: usize = 60;

/// Whose changes something is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    #[default]
    Nobody,
    /// Clients, their projects and the tasks of these; each by its name, or by the ID or address of its page or object.
    Clients(BTreeSet<String>),
    Everybody,
}

impl Reach {
    /// One client.
    pub fn client(word: &str) -> Self {
        Self::Clients([word.to_owned()].into())
    }

    /// What is in either.
    #[must_use]
    pub fn join(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Nobody, other) => other.clone(),
            (reach, Self::Nobody) => reach,
            (Self::Clients(mut ones), Self::Clients(others)) => {
                ones.extend(others.iter().cloned());
                Self::Clients(ones)
            }
            (Self::Everybody, _) | (_, Self::Everybody) => Self::Everybody,
        }
    }

    /// True where the other one adds nothing.
    pub fn covers(&self, other: &Self) -> bool {
        self.clone().join(other) == *self
    }
}

/// How far a run goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Extent {
    /// Whose changes it plans.
    pub planned: Reach,
    /// Of whose changes it makes what policy approves; all other planned ones wait for a person.
    pub applied: Reach,
}

impl Extent {
    /// What policy approves is made of everything.
    pub const EVERYTHING: Self = Self { planned: Reach::Everybody, applied: Reach::Everybody };
    /// Everything is planned, and nothing written.
    pub const PLAN: Self = Self { planned: Reach::Everybody, applied: Reach::Nobody };

    /// What policy approves is made of one client.
    pub fn client(word: &str) -> Self {
        Self { planned: Reach::client(word), applied: Reach::client(word) }
    }

    /// What is in either.
    #[must_use]
    pub fn join(self, other: &Self) -> Self {
        Self { planned: self.planned.join(&other.planned), applied: self.applied.join(&other.applied) }
    }

    /// True where the other one adds nothing.
    pub fn covers(&self, other: &Self) -> bool {
        self.planned.covers(&other.planned) && self.applied.covers(&other.applied)
    }

    /// True for no run at all.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Why a word names no client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoClient {
    #[error("no client is called “{0}”, nor has that ID")]
    Unknown(Shown),
    #[error("{1} clients are called “{0}”: name one by its ID")]
    Several(Shown, usize),
}

/// The page of the client that a word names: by the ID or address of its page or object, or by its name.
///
/// # Errors
/// Where there is none, or several have that name.
pub fn client_named(word: &str, snapshots: &Snapshots, registry: &Registry) -> Result<PageId, NoClient> {
    let clients = snapshots.pages.clients.rows().iter().map(|page| Nameable {
        what: page.id,
        page: Some(page.id),
        object: registry.of_page(page.id).map(|link| link.object),
        name: page.title.clone(),
        told: page.id.to_string().into(),
    });
    let shown = || Shown::of(word).clipped(NAME_COLUMNS);
    match find(word, clients) {
        Ok(found) => found.first().copied().ok_or_else(|| NoClient::Unknown(shown())),
        Err(NotFound::Unknown) => Err(NoClient::Unknown(shown())),
        Err(NotFound::Several(_, count)) => Err(NoClient::Several(shown(), count)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_reaches_come_to_what_is_in_either() {
        let (acme, globex) = (Reach::client("Acme"), Reach::client("Globex"));
        let both = acme.clone().join(&globex);
        assert_eq!(both, Reach::Clients(["Acme".to_owned(), "Globex".to_owned()].into()));
        assert!(both.covers(&acme) && both.covers(&globex) && !acme.covers(&globex) && !acme.covers(&both));
        assert_eq!(acme.clone().join(&Reach::Everybody), Reach::Everybody);
        assert_eq!(Reach::Nobody.join(&acme), acme);
        assert!(acme.covers(&Reach::Nobody) && !Reach::Nobody.covers(&acme) && !acme.covers(&Reach::Everybody));
    }

    #[test]
    fn who_may_look_at_everything_widens_what_is_planned_and_not_what_is_written() {
        let joined = Extent::client("Acme").join(&Extent::PLAN);
        assert_eq!(joined, Extent { planned: Reach::Everybody, applied: Reach::client("Acme") });
        assert!(joined.covers(&Extent::PLAN) && !joined.covers(&Extent::EVERYTHING));
        assert!(Extent::default().is_nothing() && !Extent::PLAN.is_nothing());
    }
}
