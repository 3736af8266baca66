//! What the daemon and who sits at the same machine say to each other, through the state that they share.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    domain::{ending::End, reach::Extent},
    edge::store::{Place, Store, is_served},
    engine::{failure::RunError, state::State},
};

/// Memory key: what the daemon has done, and is going to do.
pub(super) const SERVED: &str = "served";
/// How long after a change Notion may tell of it, and some more (Notion docs, webhook delivery: five minutes).
const EVENT_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// Memory key: who wants the daemon to run now.
pub(super) const WISH: &str = "run now";

/// What the state keeps of the daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Served {
    /// When a scheduled run was last due, less the jitter.
    pub last_due: Option<Timestamp>,
    /// When the next one is.
    pub next: Option<Timestamp>,
    /// How far the runs go that were asked for and have not ended.
    pub owed: Extent,
    /// What has started the run that is under way.
    pub running: Option<String>,
    /// What has asked for the run that waits for its turn.
    pub waiting: Option<String>,
    /// When a run is made again that failed.
    pub retry: Option<Timestamp>,
    /// The last runs, the latest first.
    pub runs: Vec<ServedRun>,
    /// When a run of everything last ended well.
    pub last_success: Option<Timestamp>,
    /// When each sender of Notion's events was last heard of, by name; before that, when it was first awaited.
    pub heard: BTreeMap<String, Timestamp>,
    /// Since when pages have changed of which a sender has told nothing, by name.
    pub unheard: BTreeMap<String, Timestamp>,
}

/// A run of the daemon, as the state keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedRun {
    pub run: String,
    /// What started it.
    pub trigger: String,
    /// When it ended.
    pub at: Timestamp,
    /// How.
    pub outcome: End,
}

/// Somebody who wants a run now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wish {
    pub(super) by: String,
    pub(super) at: Timestamp,
}

/// The daemon of a state, as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// False where it has ended, or was killed.
    pub is_alive: bool,
    pub served: Served,
    /// Changes that wait for a person.
    pub pending: usize,
}

impl Served {
    /// The senders of events that are silent although pages changed, and for how long.
    pub fn silent(&self, now: Timestamp) -> impl Iterator<Item = (&str, SignedDuration)> {
        let late = self.unheard.iter().filter(move |(_, since)| now.duration_since(**since) >= EVENT_WITHIN);
        late.filter_map(move |(name, _)| Some((name.as_str(), now.duration_since(*self.heard.get(name)?))))
    }

    /// Takes up what was heard of senders, and whether a run has found that pages have changed of which nobody had told
    /// since the run before it.
    pub(super) fn listen(&mut self, heard: &BTreeMap<String, Option<Timestamp>>, has_found: bool, now: Timestamp) {
        let before = self.runs.first().map(|run| run.at);
        self.heard.retain(|name, _| heard.contains_key(name));
        self.unheard.retain(|name, _| heard.contains_key(name));
        for (name, at) in heard {
            let last = self.heard.entry(name.clone()).or_insert(now);
            if let Some(at) = at.filter(|at| at > last) {
                *last = at;
                self.unheard.remove(name);
            }
            if has_found && before.is_some_and(|before| *last < before) {
                self.unheard.entry(name.clone()).or_insert(now);
            }
        }
    }
}

impl State {
    /// The daemon of the state; nothing where there never was one.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub async fn daemon(&self, place: &Place) -> Result<Option<Seen>, RunError> {
        let Some(served) = self.recall(SERVED).await? else { return Ok(None) };
        Ok(Some(Seen { is_alive: is_served(place).await?, served, pending: self.pending().await?.len() }))
    }
}

/// Asks the daemon of a state for a run at once, in somebody's name.
///
/// # Errors
/// Where the state cannot be used.
pub async fn ask_for_run(place: &Place, by: &str, now: Timestamp) -> Result<(), RunError> {
    let mut store = Store::open(place, now).await?;
    Ok(store.remember(WISH, &Wish { by: by.to_owned(), at: now }).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + 60 * minute).expect("a time")
    }

    fn heard(minute: i64) -> BTreeMap<String, Option<Timestamp>> {
        [("events".to_owned(), Some(at(minute)))].into()
    }

    fn silent(served: &Served, minute: i64) -> Vec<(&str, i64)> {
        served.silent(at(minute)).map(|(name, since)| (name, since.as_mins())).collect()
    }

    #[test]
    fn a_sender_is_silent_where_pages_changed_of_which_it_has_told_nothing_and_has_had_the_time() {
        let run = |minute| ServedRun { run: String::new(), trigger: String::new(), at: at(minute), outcome: "".into() };
        let mut served = Served::default();
        served.listen(&[("events".to_owned(), None)].into(), true, at(0));
        assert_eq!(silent(&served, 500), [], "nobody knows when the first run's pages changed");

        served.runs = vec![run(5)];
        served.listen(&heard(-9), false, at(1000));
        assert_eq!(silent(&served, 2000), [], "nothing has changed");
        served.listen(&heard(-9), true, at(1000));
        assert_eq!((silent(&served, 1009), silent(&served, 1010)), (vec![], vec![("events", 1010)]));

        served.listen(&heard(1020), false, at(1021));
        assert_eq!(silent(&served, 5000), [], "it was late");
        served.runs = vec![run(1010)];
        served.listen(&heard(1020), true, at(1030));
        assert_eq!(silent(&served, 5000), [], "it had told");
        served.runs = vec![run(1040)];
        served.listen(&heard(1020), true, at(1050));
        served.listen(&BTreeMap::new(), false, at(1051));
        assert_eq!(silent(&served, 5000), [], "it is no caller any more");
    }
}
