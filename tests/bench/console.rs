#![expect(clippy::print_stdout, reason = "a benchmark prints what it measures")]
//! What a key costs in the console, from the key to the drawn frame, with 102,100 rows unfolded at 120 × 36: 100
//! clients with 20 projects with 50 tasks each, all of them new. `cargo bench --bench console`.
//!
//! A cursor move must take less than 2 ms at the 99th percentile, to approve all or to undo that less than 80 ms half
//! of the time, and the console less than 400 bytes for each row beyond the plan; it says so and fails where that is
//! not so. What a filter costs is spent in the worker, but for the last step, which is measured too.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use punchlist::{
    domain::{
        model::{Field, Kind, PageId, Service, Value},
        plan::{Action, Cause, Change, ChangeId, FieldChange, Place, Plan, Proposal, State},
        rules::Rules,
    },
    face::tui::Film,
};

const ROWS: usize = 102_100;
const MOVE_P99_MAX: Duration = Duration::from_millis(2);
/// The half of all times.
const APPROVE_ALL_MAX: Duration = Duration::from_millis(80);
const BYTES_PER_ROW_MAX: usize = 400;

fn main() -> ExitCode {
    let before_plan = resident();
    let plan = agency();
    let before = resident();
    println!("plan of {} changes: {} bytes a change", plan.changes.len(), (before - before_plan) / plan.changes.len());

    let started = Instant::now();
    let mut film = Film::new(plan, (120, 36), Timestamp::UNIX_EPOCH);
    println!("{:<34} {:>10}", "first frame of the plan", shown(started.elapsed()));
    assert_eq!(film.rows(), ROWS);
    film.press(&["/"]);
    film.type_text("x");
    film.press(&["esc"]);
    let bytes = (resident() - before) / ROWS;
    println!("{:<34} {bytes:>10} bytes a row beyond the plan", "console with all that it looks up");

    let moves = [timed(&mut film, "cursor down", &["j"], 5000), timed(&mut film, "cursor up", &["k"], 5000)];
    timed(&mut film, "page down", &["pagedown"], 1000);
    timed(&mut film, "to the bottom and back", &["G", "home"], 500);
    timed(&mut film, "one decision", &["s"], 200);
    timed(&mut film, "undo", &["u"], 200);
    let (approve, undo) = in_turn(&mut film, [("approve all shown", "A"), ("undo that", "u")], 10);
    timed(&mut film, "fold and unfold a client", &["home", "h", "l"], 100);
    timed(&mut film, "next undecided", &["]"], 500);
    timed(&mut film, "sort by count, by name", &[",", "c", ",", "n"], 5);
    timed(&mut film, "flat list and back", &["t", "t"], 5);
    film.press(&["f"]);
    let filter = typed(&mut film, "filter, a letter, worker included", "task 42 action:create");
    println!("{:<34} {:>10} at most", filter.0, shown(filter.1));

    let slowest = moves.into_iter().max().unwrap_or_default();
    if slowest >= MOVE_P99_MAX || bytes >= BYTES_PER_ROW_MAX || approve.max(undo) >= APPROVE_ALL_MAX {
        println!(
            "TOO MUCH: a move may take {}, to approve all or to undo that {}, and a row {BYTES_PER_ROW_MAX} bytes",
            shown(MOVE_P99_MAX),
            shown(APPROVE_ALL_MAX)
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Presses keys so often, each time to a drawn frame, and returns the 99th percentile.
fn timed(film: &mut Film, what: &str, keys: &[&str], times: usize) -> Duration {
    let mut taken: Vec<Duration> = (0..times)
        .map(|_| {
            let started = Instant::now();
            film.press(keys);
            started.elapsed()
        })
        .collect();
    taken.sort_unstable();
    let (median, p99) = (taken[times / 2], taken[(times * 99 / 100).min(times - 1)]);
    println!("{what:<34} {:>10} median {:>10} p99 of {times}", shown(median), shown(p99));
    p99
}

/// Presses two keys in turn, so often, and returns the median of each.
fn in_turn(film: &mut Film, keys: [(&str, &str); 2], times: usize) -> (Duration, Duration) {
    let mut taken = [Vec::new(), Vec::new()];
    for _ in 0..times {
        for (taken, (_, key)) in taken.iter_mut().zip(keys) {
            let started = Instant::now();
            film.press(&[key]);
            taken.push(started.elapsed());
        }
    }
    let [first, second] = taken.map(|mut taken| {
        taken.sort_unstable();
        (taken[times / 2], taken.last().copied().unwrap_or_default())
    });
    for ((what, _), (median, most)) in keys.into_iter().zip([first, second]) {
        println!("{what:<34} {:>10} median {:>10} at most of {times}", shown(median), shown(most));
    }
    (first.0, second.0)
}

/// Types letter by letter, and returns what the slowest took.
fn typed<'a>(film: &mut Film, what: &'a str, text: &str) -> (&'a str, Duration) {
    let slowest = text.chars().map(|letter| {
        let started = Instant::now();
        film.type_text(&letter.to_string());
        started.elapsed()
    });
    (what, slowest.max().unwrap_or_default())
}

fn shown(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1000.0)
}

/// Bytes of this process in memory; 0 where /proc does not say.
fn resident() -> usize {
    #[expect(clippy::disallowed_methods, reason = "how much memory it has is read from a file")]
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or_default() * 4096
}

/// A new agency, in Notion only.
fn agency() -> Plan {
    let mut plan = Plan { complete: true, ..Plan::default() };
    for client in 0..100 {
        let client = add(&mut plan, Kind::Client, None, &format!("Client {client:03} and partners"));
        for project in 0..20 {
            let project = add(&mut plan, Kind::Project, Some(&client), &format!("Project {project:02} of the season"));
            for task in 0..50 {
                add(&mut plan, Kind::Task, Some(&project), &format!("Task {task:02} of the project"));
            }
        }
    }
    plan.seal(&Rules::default())
}

fn add(plan: &mut Plan, kind: Kind, parent: Option<&(PageId, ChangeId)>, name: &str) -> (PageId, ChangeId) {
    let page = PageId::from_number((plan.changes.len() as u128 + 1) << 64);
    let id = ChangeId::from_number(plan.changes.len() as u64);
    let parent_page = parent.map(|(page, _)| *page);
    plan.places.insert(page, Place { kind, name: name.into(), parent: parent_page, edited: Timestamp::UNIX_EPOCH });
    plan.changes.push(Change {
        id,
        kind,
        page,
        name: name.into(),
        parent: parent_page,
        claimed: None,
        cause: Cause::New,
        proposal: Proposal {
            action: Action::Create,
            side: Service::Clockify,
            object: None,
            fields: vec![FieldChange::new(Field::Name, Value::Empty, Value::text(name))],
            confidence: 95,
            reason: "new in Notion".to_owned().into(),
        },
        alternatives: Vec::new(),
        hold: None,
        state: State::Ready,
        requires: parent.map(|(_, id)| *id).into_iter().collect(),
        tracked_seconds: None,
        refiling: None,
    });
    (page, id)
}
