//! The clock is a number here: what a daemon would do over months is played through in no time.

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;

const ZONES: [&str; 3] = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"];

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("a zone")
}

fn schedule(cron: &str, name: &str) -> Schedule {
    Schedule::new(cron, zone(name)).unwrap_or_else(|error| panic!("{cron}: {error}"))
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// What the next few times are on the clock on the wall.
fn next(cron: &str, name: &str, from: &str, count: usize) -> Vec<String> {
    let (schedule, mut from) = (schedule(cron, name), at(from));
    let mut times = Vec::new();
    for _ in 0..count {
        from = schedule.next_after(from).expect("it fires");
        times.push(from.to_zoned(zone(name)).strftime("%m-%d %H:%M%:z").to_string());
    }
    times
}

/// Plays a daemon that looks at the clock, and says when it ran.
fn runs(schedule: &Schedule, mut last: Timestamp, looks: impl IntoIterator<Item = Timestamp>) -> Vec<Timestamp> {
    let mut runs = Vec::new();
    for now in looks {
        last = schedule.since(now, last);
        if let Due::Since(_) = schedule.due(now, last) {
            last = now;
            runs.push(now);
        }
    }
    runs
}

fn every(step: SignedDuration, from: Timestamp, until: Timestamp) -> impl Iterator<Item = Timestamp> {
    std::iter::successors(Some(from), move |at| at.checked_add(step).ok()).take_while(move |at| *at < until)
}

#[test]
fn an_hour_that_is_skipped_is_made_up_for_and_one_that_is_repeated_counts_once() {
    for (cron, name, from, expected) in [
        // Berlin skips 02:00 to 03:00 on 29 March and repeats it on 25 October 2026.
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-03-27T12:00Z",
            ["03-28 02:30+01:00", "03-29 03:00+02:00", "03-30 02:30+02:00"],
        ),
        (
            "30 2 * * *",
            "Europe/Berlin",
            "2026-10-23T12:00Z",
            ["10-24 02:30+02:00", "10-25 02:30+02:00", "10-26 02:30+01:00"],
        ),
        (
            "*/30 * * * *",
            "Europe/Berlin",
            "2026-03-29T00:45Z",
            ["03-29 03:00+02:00", "03-29 03:30+02:00", "03-29 04:00+02:00"],
        ),
        (
            "0 * * * *",
            "Europe/Berlin",
            "2026-10-24T23:30Z",
            ["10-25 02:00+02:00", "10-25 02:00+01:00", "10-25 03:00+01:00"],
        ),
        // New York skips 02:00 to 03:00 on 8 March and repeats 01:00 to 02:00 on 1 November 2026.
        (
            "15 2 * * *",
            "America/New_York",
            "2026-03-06T12:00Z",
            ["03-07 02:15-05:00", "03-08 03:00-04:00", "03-09 02:15-04:00"],
        ),
        (
            "15 1 * * *",
            "America/New_York",
            "2026-10-30T12:00Z",
            ["10-31 01:15-04:00", "11-01 01:15-04:00", "11-02 01:15-05:00"],
        ),
        // Lord Howe moves by half an hour: it repeats 01:30 to 02:00 on 5 April, skips 02:00 to 02:30 on 4 October 2026.
        (
            "45 1 * * *",
            "Australia/Lord_Howe",
            "2026-04-03T12:00Z",
            ["04-04 01:45+11:00", "04-05 01:45+11:00", "04-06 01:45+10:30"],
        ),
        (
            "15 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-02T12:00Z",
            ["10-03 02:15+10:30", "10-04 02:30+11:00", "10-05 02:15+11:00"],
        ),
    ] {
        assert_eq!(next(cron, name, from, 3), expected, "{cron} in {name}");
    }
}

#[test]
fn what_never_fires_and_what_is_none_is_no_schedule() {
    for (cron, because) in [
        ("0 0 30 2 *", NoSchedule::Never),
        ("0 0 31 4,6 *", NoSchedule::Never),
        ("", NoSchedule::Malformed),
        ("every day", NoSchedule::Malformed),
        ("60 * * * *", NoSchedule::Malformed),
        ("* * * *", NoSchedule::Malformed),
        ("0 4 * * * * 2030", NoSchedule::Malformed),
        ("@reboot", NoSchedule::Malformed),
    ] {
        assert_eq!(Schedule::new(cron, TimeZone::UTC), Err(because), "{cron}");
    }
    for cron in ["0 0 29 2 *", "@daily", "*/15 * * * *", "0 4 * * MON-FRI", "0 30 4 1 JAN *"] {
        assert!(Schedule::new(cron, TimeZone::UTC).is_ok(), "{cron}");
    }
}

#[test]
fn after_a_long_sleep_one_run_is_due_and_then_the_next_at_its_time() {
    let hourly = schedule("0 * * * *", "Europe/Berlin");
    let (slept, woke) = (at("2026-06-01T08:00Z"), at("2026-06-09T10:17Z"));

    assert_eq!(hourly.due(woke, slept), Due::Since(at("2026-06-01T09:00Z")));
    assert_eq!(hourly.due(woke, woke), Due::At(at("2026-06-09T11:00Z")));
}

#[test]
fn a_clock_that_is_set_back_a_little_repeats_nothing() {
    let daily = schedule("0 4 * * *", "Europe/Berlin");
    let ran = at("2026-06-01T02:00:01Z");
    for back in ["2026-06-01T01:59Z", "2026-05-31T20:00Z", "2026-05-31T14:30Z"] {
        assert_eq!(daily.due(at(back), ran), Due::At(at("2026-06-02T02:00Z")), "{back}");
    }
}

#[test]
fn a_clock_that_was_far_ahead_keeps_no_run_back_however_often_it_is_looked_at() {
    let daily = schedule("0 4 * * *", "Etc/UTC");
    let looks = every(SignedDuration::from_hours(1), at("2026-06-01T06:00Z"), at("2026-06-04T00:00Z"));
    let ran = runs(&daily, at("2026-06-02T06:00Z"), looks);
    assert_eq!(ran, [at("2026-06-02T04:00Z"), at("2026-06-03T04:00Z")]);
}

#[test]
fn a_clock_that_was_far_ahead_keeps_no_run_back() {
    let daily = schedule("0 4 * * *", "Europe/Berlin");
    let now = at("2026-06-01T10:00Z");
    for ran in ["2026-06-02T02:00:01Z", "2027-06-01T02:00Z", "2300-01-01T00:00Z"] {
        assert_eq!(daily.due(now, at(ran)), Due::At(at("2026-06-02T02:00Z")), "{ran}");
    }
}

#[test]
fn the_end_of_the_calendar_is_no_panic() {
    let daily = schedule("0 4 * * *", "Europe/Berlin");
    assert_eq!(daily.due(Timestamp::MAX, Timestamp::MAX), Due::Never);
    assert!(matches!(daily.due(Timestamp::MIN, Timestamp::MAX), Due::Never | Due::At(_)));
    assert!(matches!(daily.due(Timestamp::MAX, Timestamp::MIN), Due::Since(_)));
}

#[test]
fn a_year_of_days_has_a_run_each_in_every_zone() {
    for name in ZONES {
        for cron in ["0 4 * * *", "30 2 * * *", "15 1 * * *", "45 1 * * *"] {
            let schedule = schedule(cron, name);
            let (from, until) = (at("2026-01-01T12:00Z"), at("2027-01-01T12:00Z"));
            let runs = runs(&schedule, from, every(SignedDuration::from_mins(53), from, until));
            assert_eq!(runs.len(), 365, "{cron} in {name}");
        }
    }
}

proptest! {
    #[test]
    fn the_next_time_is_always_ahead_and_nothing_lies_between(
        zone in 0..3_usize, cron in 0..6_usize, second in 1_700_000_000_i64..1_900_000_000, nanos in 0..1_000_000_000_i32,
    ) {
        let crons = ["0 4 * * *", "30 2 * * *", "*/15 * * * *", "0 * * * *", "45 1 * * 0", "30 1-3 * * *"];
        let schedule = schedule(crons[cron], ZONES[zone]);
        let now = Timestamp::new(second, nanos).expect("a time");
        let next = schedule.next_after(now).expect("it fires");
        prop_assert!(next > now);
        let between = now + (next.duration_since(now) / 2);
        prop_assert_eq!(schedule.next_after(between), Some(next));
        prop_assert_eq!(schedule.due(now, now), Due::At(next));
    }

    /// However the clock jumps between two looks, what was due is due once: right after a run, nothing is.
    #[test]
    fn whatever_the_clock_does_no_run_follows_on_another(
        zone in 0..3_usize, jumps in prop::collection::vec(-200_000_i64..200_000, 1..60),
    ) {
        let schedule = schedule("30 2 * * *", ZONES[zone]);
        let (mut now, mut last) = (at("2026-03-01T00:00Z"), at("2026-03-01T00:00Z"));
        for jump in jumps {
            now = now.saturating_add(SignedDuration::from_secs(jump)).expect("in range");
            if let Due::Since(since) = schedule.due(now, last) {
                prop_assert!(since <= now);
                last = now;
            }
            match schedule.due(now, last) {
                Due::At(next) => prop_assert!(next > now && next.duration_since(now) <= SignedDuration::from_hours(49)),
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }
}
