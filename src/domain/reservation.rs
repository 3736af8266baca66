//! Somebody is on it: who decides below a client says so, for others to take another one. It is advice, and no lock.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    model::PageId,
    text::{Raw, Shown},
};

/// Columns of a client's name.
const NAME_COLUMNS: usize = 40;

/// That somebody is on a client, until some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The client's page.
    pub client: PageId,
    /// What it is called.
    pub name: Raw,
    /// Who is on it.
    pub by: String,
    /// On which machine, and in which process there.
    pub host: String,
    pub process: u32,
    /// When it ends by itself.
    pub until: Timestamp,
}

impl Reservation {
    /// How long it lasts without a decision.
    pub const LASTS: SignedDuration = SignedDuration::from_mins(10);
    /// How much of that may pass before a decision renews it.
    pub const RENEWED_AFTER: SignedDuration = SignedDuration::from_mins(1);

    /// `ana is on “Acme”`
    pub fn words(&self) -> Shown {
        format!("{} is on “{}”", Shown::of(&self.by), self.name.shown().clipped(NAME_COLUMNS)).into()
    }

    /// True while it has not ended by itself.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until > now
    }
}

/// `ana is on it` or `ana and ben are on it`; nothing where nobody is.
pub fn on_it_words<'r>(reservations: impl IntoIterator<Item = &'r Reservation>) -> Option<Shown> {
    let names: BTreeSet<&str> = reservations.into_iter().map(|on| on.by.as_str()).collect();
    let (last, others) =
        names.iter().copied().collect::<Vec<_>>().split_last().map(|(last, others)| (*last, others.join(", ")))?;
    Some(if others.is_empty() { format!("{last} is on it") } else { format!("{others} and {last} are on it") }.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_on_it_is_said_once_for_each() {
        let on = |by: &str| Reservation {
            client: PageId::from_number(1),
            name: Raw::from("Acme"),
            by: by.to_owned(),
            host: "kite".to_owned(),
            process: 7,
            until: Timestamp::UNIX_EPOCH,
        };
        let check = |all: &[&str], expected: Option<&str>| {
            let all: Vec<Reservation> = all.iter().map(|by| on(by)).collect();
            assert_eq!(on_it_words(&all).as_deref(), expected);
        };
        check(&[], None);
        check(&["ana"], Some("ana is on it"));
        check(&["ben", "ana", "ben"], Some("ana and ben are on it"));
        check(&["ben", "ana", "cleo"], Some("ana, ben and cleo are on it"));
    }
}
