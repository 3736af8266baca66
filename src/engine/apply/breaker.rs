//! Stops a kind of write that fails again and again of one cause, so that an outage is not paid for row by row.
//!
//! ```text
//! one failure is about     stops                                   after
//! the connection           all of the service                      1
//! the service or request   its kind of write; all of the service   3 in a row; 3 in a row of any kind
//! the row                  its kind of write                       so many of one cause, while none of its kind has succeeded
//! ```
//! Until the first of a kind has succeeded, and after a failure, only so many are on their way as may fail.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::About;
use crate::domain::{
    journal::Write,
    model::{Kind, Service},
    report::cause,
    steps::{Act, Step},
    text::Shown,
};

/// Failures in a row that are about more than their row.
const FAILURES_MAX: usize = 3;
/// Failures of one cause in a row that are about their rows, before the next row is looked for far away from these.
const ALIKE_SUSPICIOUS: usize = 3;
/// Failures of one cause in a row that are about their rows; fewer where each leaves an object behind whose ID is in no
/// page.
const ALIKE_MAX: usize = 8;
const ALIKE_WRITE_BACKS_MAX: usize = 5;

/// Tasks that went along with their projects and have no ID in their page yet: what Notion writes in less than a minute.
/// Fewer as long as it is not known to write any.
const ALONG_MAX: usize = 150;
const ALONG_UNPROVEN_MAX: usize = 30;

/// A kind of write: what is done, and to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sort {
    deed: Deed,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    Create,
    Update,
    WriteBack,
    Refile,
}

impl Sort {
    /// One request takes entries to objects of every kind.
    const REFILE: Self = Self { deed: Deed::Refile, kind: Kind::Task };

    /// The kind of write of a step that sends something.
    pub(super) fn of(step: &Step) -> Option<Self> {
        let deed = match step.act {
            Act::Create { .. } => Deed::Create,
            Act::Update { .. } => Deed::Update,
            Act::WriteBack { .. } => Deed::WriteBack,
            Act::Refile(_) => return Some(Self::REFILE),
            Act::Adopt(_) | Act::Restore(_) | Act::Unlink(_) | Act::Accept => return None,
        };
        Some(Self { deed, kind: step.kind })
    }

    /// The kind of a write.
    pub(super) fn of_write(write: &Write) -> Self {
        let deed = match write {
            Write::Create { .. } => Deed::Create,
            Write::Update { .. } => Deed::Update,
            Write::WriteBack { .. } => Deed::WriteBack,
            Write::Refile { .. } => return Self::REFILE,
        };
        Self { deed, kind: write.kind() }
    }

    /// The service that is written.
    pub(super) fn service(self) -> Service {
        if self.deed == Deed::WriteBack { Service::Notion } else { Service::Clockify }
    }

    fn all() -> impl Iterator<Item = Self> {
        let deeds = [Deed::Create, Deed::Update, Deed::WriteBack].into_iter();
        deeds.flat_map(|deed| Kind::ALL.into_iter().map(move |kind| Self { deed, kind })).chain([Self::REFILE])
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind;
        match self.deed {
            Deed::Create => write!(formatter, "creating {} in Clockify", kind.plural()),
            Deed::Update => write!(formatter, "changing {} in Clockify", kind.plural()),
            Deed::WriteBack => write!(formatter, "writing {kind} pages in Notion"),
            Deed::Refile => formatter.write_str("re-filing time in Clockify"),
        }
    }
}

/// Writes on their way to a service at once, until it is said how many may be.
const FLIGHTS: usize = 6;

/// How writes of one kind, or all of one service, fare.
#[derive(Clone, Debug, Default)]
struct Fare {
    on_their_way: usize,
    /// True when the last one that ended has succeeded.
    proven: bool,
    /// True when any has.
    ever: bool,
    /// Failures in a row that are about more than their row.
    failures: usize,
    /// The cause of the last failures that are about their rows, and how many of them were in a row.
    alike: Option<(String, usize)>,
}

impl Fare {
    fn has_room(&self, flights: usize) -> bool {
        let most = if self.proven { flights } else { FAILURES_MAX.saturating_sub(self.failures) };
        self.on_their_way < if self.is_suspicious() { 1 } else { most }
    }

    fn is_suspicious(&self) -> bool {
        !self.ever && self.alike() >= ALIKE_SUSPICIOUS
    }

    fn alike(&self) -> usize {
        self.alike.as_ref().map_or(0, |(_, count)| *count)
    }

    fn succeeded(&mut self) {
        (self.proven, self.ever, self.failures, self.alike) = (true, true, 0, None);
    }

    fn failed(&mut self, about: About, error: &str, name: &str) {
        self.proven = false;
        if about == About::Row {
            let cause = cause(error, name);
            let before = self.alike.take().filter(|(other, _)| *other == cause).map_or(0, |(_, count)| count);
            self.alike = Some((cause, before + 1));
        } else {
            self.failures += 1;
        }
    }
}

/// A kind of write that was stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Halt {
    pub(super) sort: Sort,
    /// Why.
    pub(super) because: Shown,
    /// The cause alone, without what belongs to one row.
    pub(super) cause: Shown,
}

/// How many more writes may be on their way to each service, and which not at all.
#[derive(Default)]
pub(super) struct Room {
    services: BTreeMap<Service, Fare>,
    sorts: BTreeMap<Sort, Fare>,
    /// Services whose request budget is used up; the other one goes on.
    closed: BTreeSet<Service>,
    halted: BTreeSet<Sort>,
    /// How many writes may be on their way to each service.
    flights: BTreeMap<Service, usize>,
}

impl Room {
    pub(super) fn is_left(&self, service: Service) -> bool {
        let flights = self.flights(service);
        !self.closed.contains(&service) && self.services.get(&service).is_none_or(|fare| fare.has_room(flights))
    }

    /// Notes how many writes may be on their way to a service that answers.
    pub(super) fn widen(&mut self, service: Service, flights: usize) {
        self.flights.insert(service, flights);
    }

    fn flights(&self, service: Service) -> usize {
        self.flights.get(&service).copied().unwrap_or(FLIGHTS)
    }

    /// True where one more write of a kind may leave.
    pub(super) fn is_left_for(&self, sort: Sort) -> bool {
        let flights = self.flights(sort.service());
        !self.halted.contains(&sort) && self.sorts.get(&sort).is_none_or(|fare| fare.has_room(flights))
    }

    /// How many creates of a kind may have an object whose ID is not in its page yet: none where it will not get there
    /// in this run.
    pub(super) fn unwritten_max(&self, kind: Kind) -> usize {
        if self.closed.contains(&Service::Notion) {
            return 0;
        }
        let proven = self.sorts.get(&Sort { deed: Deed::WriteBack, kind }).is_some_and(|fare| fare.proven);
        // Those that are being created, and those whose ID is being written.
        if proven { self.flights(Service::Clockify) + self.flights(Service::Notion) } else { FAILURES_MAX }
    }

    /// How many tasks that went along with their projects may have no ID in their page yet; of one project all may.
    pub(super) fn along_max(&self) -> usize {
        let page_write = Sort { deed: Deed::WriteBack, kind: Kind::Task };
        let proven = self.sorts.get(&page_write).is_some_and(|fare| fare.proven);
        if proven { ALONG_MAX } else { ALONG_UNPROVEN_MAX }
    }

    /// Kinds of which several rows in a row were refused alike: whether all are is seen best from one far away.
    pub(super) fn suspicious(&self) -> impl Iterator<Item = Sort> {
        self.sorts.iter().filter(|(_, fare)| fare.is_suspicious()).map(|(sort, _)| *sort)
    }

    /// Notes that something is on its way: a reading, or a write of a kind.
    pub(super) fn take(&mut self, service: Service, sort: Option<Sort>) {
        self.services.entry(service).or_default().on_their_way += 1;
        if let Some(sort) = sort {
            self.sorts.entry(sort).or_default().on_their_way += 1;
        }
    }

    pub(super) fn give_back(&mut self, service: Service, sort: Option<Sort>) {
        let fares = self.services.get_mut(&service).into_iter().chain(sort.and_then(|sort| self.sorts.get_mut(&sort)));
        for fare in fares {
            fare.on_their_way = fare.on_their_way.saturating_sub(1);
        }
    }

    pub(super) fn close(&mut self, service: Service) {
        self.closed.insert(service);
    }

    pub(super) fn is_any_closed(&self) -> bool {
        !self.closed.is_empty()
    }

    pub(super) fn is_halted(&self, sort: Sort) -> bool {
        self.halted.contains(&sort)
    }

    pub(super) fn is_any_halted(&self) -> bool {
        !self.halted.is_empty()
    }

    /// Notes that a write of a kind succeeded.
    pub(super) fn succeeded(&mut self, sort: Sort) {
        self.services.entry(sort.service()).or_default().succeeded();
        self.sorts.entry(sort).or_default().succeeded();
    }

    /// Notes that a write of a kind failed, or the reading that it rests on; returns the kinds that are stopped for it.
    pub(super) fn failed(&mut self, sort: Sort, about: About, error: &str, name: &str) -> Vec<Halt> {
        if about == About::Nothing {
            return Vec::new();
        }
        let service = sort.service();
        let of_all = self.services.entry(service).or_default();
        of_all.failed(about, error, name);
        let (all_failed, all_alike) = (of_all.failures, if of_all.ever { 0 } else { of_all.alike() });
        let of_sort = self.sorts.entry(sort).or_default();
        of_sort.failed(about, error, name);
        let (failed, alike) = (of_sort.failures, if of_sort.ever { 0 } else { of_sort.alike() });
        let alike_max = if sort.deed == Deed::WriteBack { ALIKE_WRITE_BACKS_MAX } else { ALIKE_MAX };
        let (everything, times) = match about {
            About::Connection => (true, 1),
            _ if all_failed >= FAILURES_MAX => (true, all_failed),
            _ if failed >= FAILURES_MAX => (false, failed),
            About::Row if all_alike >= ALIKE_MAX => (true, all_alike),
            About::Row if alike >= alike_max => (false, alike),
            About::Row | About::Request | About::Nothing => return Vec::new(),
        };
        let times = if times == 1 { "once".to_owned() } else { format!("{times} times in a row") };
        let what = if everything { format!("writing to {service}") } else { sort.to_string() };
        let because = Shown::from(format!("{what} failed {times}, and was stopped: {error}"));
        let mut stopped: Vec<Sort> =
            if everything { Sort::all().filter(|other| other.service() == service).collect() } else { vec![sort] };
        // What could not be written into its page is not created.
        let kinds: Vec<Kind> =
            stopped.iter().filter(|sort| sort.deed == Deed::WriteBack).map(|sort| sort.kind).collect();
        stopped.extend(kinds.into_iter().map(|kind| Sort { deed: Deed::Create, kind }));
        stopped.retain(|sort| self.halted.insert(*sort));
        let halt = |sort: Sort| Halt {
            because: if sort.service() == service {
                because.clone()
            } else {
                format!("its ID could not be written: {because}").into()
            },
            cause: cause(error, name).into(),
            sort,
        };
        stopped.into_iter().map(halt).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENTS: Sort = Sort { deed: Deed::Create, kind: Kind::Client };
    const PROJECTS: Sort = Sort { deed: Deed::Create, kind: Kind::Project };
    const PAGES: Sort = Sort { deed: Deed::WriteBack, kind: Kind::Client };

    /// How often a kind fails before something is stopped, and what that is.
    fn fails(room: &mut Room, sort: Sort, about: About, most: usize) -> (usize, Vec<Sort>) {
        for times in 1..=most {
            let halts = room.failed(sort, about, &format!("“Row {times}” is not allowed"), &format!("Row {times}"));
            if !halts.is_empty() {
                return (times, halts.into_iter().map(|halt| halt.sort).collect());
            }
        }
        (0, Vec::new())
    }

    #[test]
    fn a_connection_that_is_refused_stops_all_of_its_service_and_the_creates_that_need_it() {
        let mut room = Room::default();
        let (times, stopped) = fails(&mut room, PAGES, About::Connection, 1);
        assert_eq!(times, 1);
        let creates = stopped.iter().filter(|sort| sort.deed == Deed::Create).count();
        let pages = stopped.iter().filter(|sort| sort.deed == Deed::WriteBack).count();
        assert_eq!((creates, pages, stopped.len()), (3, 3, 6), "updates in Clockify go on");
    }

    #[test]
    fn where_no_id_gets_into_a_page_any_more_nothing_is_created() {
        let mut room = Room::default();
        assert_eq!(room.unwritten_max(Kind::Client), FAILURES_MAX, "as long as none was written");
        room.succeeded(PAGES);
        assert_eq!(room.unwritten_max(Kind::Client), 2 * FLIGHTS);
        room.close(Service::Notion);
        assert_eq!(room.unwritten_max(Kind::Client), 0);
    }

    #[test]
    fn three_failures_in_a_row_stop_a_kind_and_a_success_between_them_starts_anew() {
        let mut room = Room::default();
        room.succeeded(CLIENTS);
        assert_eq!(fails(&mut room, PROJECTS, About::Request, 2).0, 0);
        room.succeeded(PROJECTS);
        assert_eq!(fails(&mut room, PROJECTS, About::Request, 2).0, 0);
        room.succeeded(CLIENTS);
        assert_eq!(fails(&mut room, PROJECTS, About::Request, 1), (1, vec![PROJECTS]), "others succeed in between");
        assert!(room.is_left_for(CLIENTS) && !room.is_left_for(PROJECTS));
    }

    #[test]
    fn a_service_that_fails_whatever_is_written_is_stopped_as_a_whole() {
        let mut room = Room::default();
        assert_eq!(fails(&mut room, CLIENTS, About::Request, 2).0, 0);
        let (times, stopped) = fails(&mut room, PROJECTS, About::Request, 2);
        assert_eq!((times, stopped.len()), (1, 7), "creates and updates of all kinds, and time");
    }

    #[test]
    fn bad_rows_stop_nothing_unless_all_are_bad() {
        let mut room = Room::default();
        assert_eq!(fails(&mut room, CLIENTS, About::Row, 7).0, 0);
        assert_eq!(room.suspicious().collect::<Vec<_>>(), [CLIENTS], "the next is looked for far away");
        room.succeeded(CLIENTS);
        assert_eq!(fails(&mut room, CLIENTS, About::Row, 100).0, 0, "some are good");

        let mut room = Room::default();
        assert_eq!(fails(&mut room, CLIENTS, About::Row, 100).0, 8);
        let mut room = Room::default();
        assert_eq!(fails(&mut room, PAGES, About::Row, 100).0, 5);
        let mut room = Room::default();
        assert_eq!(fails(&mut room, CLIENTS, About::Nothing, 100).0, 0, "nothing was sent");
    }

    #[test]
    fn no_more_are_on_their_way_than_may_fail() {
        let mut room = Room::default();
        let leave = |room: &mut Room| {
            let mut left = 0;
            while room.is_left(Service::Clockify) && room.is_left_for(CLIENTS) {
                room.take(Service::Clockify, Some(CLIENTS));
                left += 1;
            }
            left
        };
        assert_eq!(leave(&mut room), FAILURES_MAX, "as long as none has succeeded");
        room.give_back(Service::Clockify, Some(CLIENTS));
        room.failed(CLIENTS, About::Request, "no answer", "");
        assert_eq!(leave(&mut room), 0);
        room.give_back(Service::Clockify, Some(CLIENTS));
        room.succeeded(CLIENTS);
        assert_eq!(leave(&mut room), FLIGHTS - 1);
        room.widen(Service::Clockify, 15);
        assert_eq!(leave(&mut room), 15 - FLIGHTS);
    }
}
