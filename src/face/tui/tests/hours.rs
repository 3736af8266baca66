//! The hours: findings and figures, days and entries on demand, other months, and the close of one.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use serde_json::json;
use snapbox::{assert_data_eq, str};

use super::{Film, Order, Scene, THEME, film_of, keys, noon, plan, planned};
use crate::{
    domain::{
        hours::{
            Booking, Period,
            document::{Document, Totals},
            month::{Accepting, Sealed},
        },
        text::Shown,
    },
    engine::hours::{Entries, Reckoned},
    face::tui::{
        command::Tab,
        news::News,
        state::{
            overlay::Overlay,
            timesheet::{TimeNews, TimeOrder},
        },
    },
};

const PAGE: &str = "00000000-0000-0000-0000-00000000000a";
const DESIGN: &str = "64a9e10000000000000000d1";

fn month(text: &str) -> Period {
    Period::month(text).expect("a month")
}

fn document(month: &str) -> Document {
    let h = 3600;
    let figures = |tracked: u64, billable: u64| json!({"tracked_s": tracked, "billable_s": billable, "unapproved_s": null, "uninvoiced_s": null});
    let node = |id: Option<&str>, name: &str, [tracked, billable]: [u64; 2], planned: [Option<u64>; 2]| {
        let mut node = figures(tracked, billable);
        let ids = json!({"id": id, "clockify_id": id, "page_id": id.map(|_| PAGE), "name": name,
            "planned_s": planned[0], "total_s": planned[1]});
        node.as_object_mut().expect("an object").extend(ids.as_object().expect("an object").clone());
        node
    };
    let design = node(Some(DESIGN), "Design", [6 * h, 6 * h], [Some(10 * h), Some(12 * h)]);
    let build =
        node(Some("64a9e10000000000000000d2"), "Build\u{202E}dliuB", [3 * h + 60, 0], [Some(8 * h), Some(4 * h)]);
    let mut website =
        node(Some("64a9e10000000000000000c1"), "Website", [9 * h + 60, 6 * h], [Some(18 * h), Some(16 * h)]);
    website["tasks"] = json!([design, build]);
    let mut acme = node(Some("64a9e10000000000000000b1"), "Acme\u{1b}[31m", [9 * h + 60, 6 * h], [None, None]);
    acme["projects"] = json!([website]);
    let finding = |severity: &str, code: &str, seconds: u64, text: &str| {
        json!({"id": format!("{code:0<12}")[..12], "code": code, "severity": severity, "kind": "task", "name": "Design",
            "page_id": PAGE, "clockify_id": DESIGN, "seconds": seconds, "text": text})
    };
    let last = Period::month(month).expect("a month").to();
    let mut totals = figures(9 * h + 60, 6 * h);
    totals["unapproved_s"] = json!(9 * h + 60);
    let document = json!({
        "format": Document::FORMAT, "from": format!("{month}-01"), "to": last, "timezone": "Europe/Berlin",
        "complete": true, "unavailable": ["invoicing"], "totals": totals, "clients": [acme],
        "findings": [
            finding("error", "over_budget", 2 * h, "Design: 12 h tracked in all, 10 h planned: 2 h over"),
            finding("warning", "unlinked", 60, "Build\u{202E}dliuB: 1 min on a task that no page links to"),
            finding("info", "uninvoiced", 60, "Acme: 1 min that is not marked as invoiced"),
        ],
        "calls": 7,
    });
    serde_json::from_value(document).expect("a document")
}

fn reckoned(of: &str) -> Reckoned {
    let missing = vec!["invoicing: the plan does not have it, or the key may not see it"];
    Reckoned { period: month(of), document: document(of), missing, sealed: None }
}

fn sealed(of: &str) -> Reckoned {
    let Document { timezone, totals, clients, .. } = document(of);
    let sealed = json!({
        "format": Sealed::FORMAT, "month": of, "timezone": timezone, "sealed_at": noon(), "by": "an\u{7}na",
        "totals": totals, "clients": clients, "accepted": [], "hash": "8f3a8f3a8f3a8f3a",
    });
    Reckoned { sealed: Some(serde_json::from_value(sealed).expect("a seal")), ..reckoned(of) }
}

fn news(news: TimeNews) -> Scene {
    Scene::News(News::Time(Box::new(news)))
}

fn typed(text: &str) -> impl Iterator<Item = Scene> {
    keys(text).into_iter().map(Scene::Input)
}

/// The console with a plan, then with the hours of October, then after some keys.
fn hours(size: (u16, u16), pressed: &str) -> Film {
    hours_then(size, pressed, [])
}

/// The same, and what happens then.
fn hours_then(size: (u16, u16), pressed: &str, then: impl IntoIterator<Item = Scene>) -> Film {
    let scenes = planned(plan()).into_iter().map(Scene::News).chain(typed("5"));
    let scenes = scenes.chain([news(TimeNews::Figures(reckoned("2026-10")))]).chain(typed(pressed)).chain(then);
    film_of(size, THEME, scenes.collect())
}

/// What was asked for of tracked time.
fn asked(film: &Film) -> Vec<TimeOrder> {
    let orders = film.orders.iter().filter_map(|order| match order {
        Order::Time(order) => Some(order.clone()),
        _ => None,
    });
    orders.collect()
}

fn this_month() -> TimeOrder {
    TimeOrder::Figures { period: None, anew: false }
}

#[test]
fn nothing_is_read_before_the_tab_is_opened_and_then_that_is_said() {
    let scenes = |pressed: &str| planned(plan()).into_iter().map(Scene::News).chain(typed(pressed)).collect();
    assert_eq!(asked(&film_of((80, 24), THEME, scenes("1234"))), []);

    let film = film_of((80, 10), THEME, scenes("5155"));

    assert_eq!(asked(&film), [this_month()], "once");
    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   0/5 ░░░░░░  0 approved
  1 Review   2 Apply   3 Logs   4 Runs  [5 Hours]     3 ready, 1 review, 1 held
  ⠋ reading the hours of this month; ^c stops





 enter open  1 review  2 apply  3 log  4 runs  5 hours  ^l draw again  ? help


"#]]
    );
    let early = film_of((80, 24), THEME, typed("5").collect());
    assert!(early.frame.contains("as soon as both sides are read"), "{}", early.frame);
}

#[test]
fn findings_come_first_then_the_tree_with_bars() {
    assert_data_eq!(
        hours((120, 36), "").frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   plan f1e011af, just now   decided 0/5 ░░░░░░░░░░  0 approved
  1 Review   2 Apply   3 Logs   4 Runs  [5 Hours]                                   +3 ~1 -1  3 ready, 1 review, 1 held
  2026-10, Europe/Berlin   tracked 9:01, billable 6:00, not approved 9:01
  not sealed   1 error   1 warning   1 to know about   took 7 calls
  not available: invoicing: the plan does not have it, or the key may not see it
  D reads a bar for each week: 1 call
  error    Design: 12 h tracked in all, 10 h planned: 2 h over
  warning  Build⟨U+202E⟩dliuB: 1 min on a task that no page links to
▸ info     1 to know about
                                                                 tracked  billable  of what is planned, in all
▾ Acme⟨U+001B⟩[31m                                                  9:01      6:00
  ▾ Website                                                         9:01      6:00  ████████░░  88 %  16:00 of 18:00
      Design                                                        6:00      6:00  ██████████ 120 %  12:00 of 10:00
      Build⟨U+202E⟩dliuB                                            3:01      0:00  █████░░░░░  50 %  4:00 of 8:00














────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
 error: over budget, 2 h   over_budget0
 Design: 12 h tracked in all, 10 h planned: 2 h over
 Notion    https://app.notion.com/p/0000000000000000000000000000000a (o)
 Clockify  64a9e10000000000000000d1, https://app.clockify.me/projects (O)

 C close the month  m month or days  < month before  > month after  D weeks  T all about this page  ? help


"#]]
    );
}

#[test]
fn on_a_narrow_terminal_the_same_is_there() {
    assert_data_eq!(
        hours((80, 24), "jjj").frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   0/5 ░░░░░░  0 approved
  1 Review   2 Apply   3 Logs   4 Runs  [5 Hours]     3 ready, 1 review, 1 held
  2026-10, Europe/Berlin   tracked 9:01, billable 6:00, not approved 9:01
  not sealed   1 error   1 warning   1 to know about   took 7 calls
  not available: invoicing: the plan does not have it, or the key may not see it
  D reads a bar for each week: 1 call
  error    Design: 12 h tracked in all, 10 h planned: 2 h over
  warning  Build⟨U+202E⟩dliuB: 1 min on a task that no page links to
▸ info     1 to know about
                         tracked  billable  of what is planned, in all
▾ Acme⟨U+001B⟩[31m          9:01      6:00
  ▾ Website                 9:01      6:00  ████████░░  88 %  16:00 of 18:00
      Design                6:00      6:00  ██████████ 120 %  12:00 of 10:00
      Build⟨U+20…dliuB      3:01      0:00  █████░░░░░  50 %  4:00 of 8:00


────────────────────────────────────────────────────────────────────────────────
 client “Acme⟨U+001B⟩[31m”
 tracked 9:01, billable 6:00
 Notion    https://app.notion.com/p/0000000000000000000000000000000a (o)
 Clockify  64a9e10000000000000000b1, https://app.clockify.me/clients (O)
 d reads its entries: 1 call
 d entries  C close the month  m month or days  < month before  ? help


"#]]
    );
}

#[test]
fn what_is_only_to_know_about_is_behind_its_heading() {
    let [folded, unfolded, again] = ["", "jj<enter>", "jjlh"].map(|pressed| hours((120, 36), pressed).frame);
    assert!(folded.contains("▸ info     1 to know about") && !folded.contains("marked as invoiced"), "{folded}");
    assert!(unfolded.contains("▾ info     1 to know about") && unfolded.contains("marked as invoiced"), "{unfolded}");
    assert!(!again.contains("marked as invoiced"), "{again}");
}

#[test]
fn names_are_shown_as_what_they_are() {
    for size in [(120, 36), (80, 24), (60, 15), (20, 5), (3, 3)] {
        let entries = Entries { latest_first: vec![booking("\u{1b}]0;pwned\u{7}\u{202E}")], are_all: true };
        let then = [news(TimeNews::Entries(entries))];
        for film in [hours(size, "jjjjj"), hours_then(size, "jjjjjd", then), hours(size, "C")] {
            let hidden = |c: char| c == '\u{202E}' || c == '\u{1b}' || c == '\u{7}';
            assert!(!film.frame.contains(hidden), "{}", film.frame);
        }
    }
    let entries = Entries { latest_first: vec![booking("\u{1b}[2J\u{202E}")], are_all: true };
    let film = hours_then((120, 36), "jjjjjd", [news(TimeNews::Entries(entries))]);
    assert!(film.frame.contains("⟨U+001B⟩[2J⟨U+202E⟩"), "{}", film.frame);
    let film = hours((120, 36), "jjj");
    assert!(film.frame.contains("Acme⟨U+001B⟩[31m") && film.frame.contains("Build⟨U+202E⟩dliuB"), "{}", film.frame);
}

#[test]
fn what_clockify_refuses_is_not_available_and_no_zero() {
    let mut refused = reckoned("2026-10");
    refused.document.totals = Totals::default();
    for client in &mut refused.document.clients {
        client.figures = Totals::default();
    }
    (refused.document.complete, refused.missing) = (false, vec!["reports: Clockify refuses them to this key or plan"]);
    let scenes = typed("5").chain([news(TimeNews::Figures(refused))]).chain(typed("jjj"));
    let film = film_of((120, 36), THEME, scenes.collect());
    for words in [
        "tracked not available, billable not available",
        "not available: reports: Clockify refuses",
        "these figures may lack time",
    ] {
        assert!(film.frame.contains(words), "{words}\n{}", film.frame);
    }
    let acme = film.frame.lines().find(|line| line.contains("Acme")).expect("a row");
    assert!(acme.contains('?') && !acme.contains("0:00"), "{acme}");
}

#[test]
fn months_go_back_and_on_and_any_days_can_be_typed() {
    let figures =
        |period: &str, anew| TimeOrder::Figures { period: Some(Period::of_words(period).expect("days")), anew };
    let last = |pressed: &str| asked(&hours((100, 24), pressed)).pop().expect("an order");
    assert_eq!(last("<"), figures("2026-09", false));
    assert_eq!(last(">"), figures("2026-11", false));
    assert_eq!(last("R"), figures("2026-10", true));
    let typed_over = format!("m{}2026-10-05..2026-10-11<enter>", "<backspace>".repeat(7));
    assert_eq!(last(&typed_over), figures("2026-10-05..2026-10-11", false));

    let twice = hours((100, 24), "<<");
    assert_eq!(asked(&twice).len(), 2, "what is read is waited for");
    assert!(twice.frame.contains("reading the hours of 2026-09: wait for it"), "{}", twice.frame);
    let wrong = hours((100, 24), "m9<enter>");
    assert!(wrong.frame.contains("a month is a year and a number"), "{}", wrong.frame);

    let refused = [news(TimeNews::Refused(Shown::of("2026-12 has not begun"))), Scene::Input(keys("<").remove(0))];
    let film = hours_then((100, 24), "m<enter>", refused);
    assert!(film.frame.contains("reading the hours of 2026-09"), "{}", film.frame);
    let stopped = hours((100, 24), "<<ctrl-c>");
    assert!(stopped.stopped && stopped.state.tab == Tab::Hours);
}

fn days() -> BTreeMap<Date, u64> {
    let h = 3600;
    [(date(2026, 10, 1), 60), (date(2026, 10, 5), 2 * h), (date(2026, 10, 11), h), (date(2026, 10, 31), 6 * h)].into()
}

#[test]
fn weeks_are_read_on_demand_and_held_against_the_figures() {
    let film = hours_then((120, 36), "D", [news(TimeNews::Days(days()))]);
    assert_eq!(asked(&film).pop(), Some(TimeOrder::Days(month("2026-10"))));
    let line = film.frame.lines().find(|line| line.contains("by week")).expect("weeks");
    assert_eq!(line, "  by week ▁▄  █   10-01 0:01  10-05 3:00  10-12 0:00  10-19 0:00  10-26 6:00");

    let mut fewer = days();
    fewer.remove(&date(2026, 10, 31));
    let film = hours_then((120, 36), "D", [news(TimeNews::Days(fewer))]);
    assert!(film.frame.contains("the days come to 3:01"), "{}", film.frame);
}

fn booking(what: &str) -> Booking {
    Booking {
        begins: date(2026, 10, 5).at(8, 0, 0, 0),
        seconds: 6 * 3600,
        is_billable: true,
        who: "Bo".into(),
        what: what.into(),
        place: [None; 3],
        id: None,
        user: None,
        is_locked: false,
        is_approved: false,
    }
}

#[test]
fn entries_are_read_on_demand_and_held_against_the_figures() {
    let entries = Entries { latest_first: vec![booking("Wireframes")], are_all: true };
    let film = hours_then((100, 14), "jjjjj<enter>", [news(TimeNews::Entries(entries.clone()))]);
    let Some(TimeOrder::Entries { branch, .. }) = asked(&film).pop() else { panic!("{:?}", film.orders) };
    assert_eq!(branch.asked_by().map(|(_, object)| object.to_string()), Some(DESIGN.to_owned()));
    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   plan f1e011af, just now   0/5 ░░░░░░  0 approved
  1 Review   2 Apply   3 Logs   4 Runs  [5 Hours]               +3 ~1 -1  3 ready, 1 review, 1 held
  task “Design”   1 entry, 6:00 in all   esc goes back

  2026-10-05 08:00      6:00  billable  Bo                  Wireframes







 C close the month  m month or days  < month before  > month after  D weeks  ? help


"#]]
    );

    let more = Entries { are_all: false, ..entries.clone() };
    assert!(hours_then((100, 14), "jjjjjd", [news(TimeNews::Entries(more))]).frame.contains("there are more"));
    let film = hours_then((100, 14), "jjjd", [news(TimeNews::Entries(entries.clone()))]);
    assert!(film.frame.contains("the figures say 9:01"), "{}", film.frame);
    let left = [news(TimeNews::Entries(entries)), Scene::Input(keys("q").remove(0))];
    let film = hours_then((100, 14), "jjjjjd", left);
    assert!(film.state.tab == Tab::Hours && film.state.hours.drilled.is_none());
}

#[test]
fn what_stands_below_is_folded_and_both_links_are_opened() {
    let folded = hours((100, 30), "jjjh");
    assert!(folded.frame.contains("▸ Acme") && !folded.frame.contains("Website"), "{}", folded.frame);
    let film = hours((100, 30), "oO");
    assert_eq!(
        film.notes.opened,
        ["https://app.notion.com/p/0000000000000000000000000000000a", "https://app.clockify.me/projects"]
    );
}

#[test]
fn a_month_is_closed_with_a_note_where_errors_stand() {
    let dialog = hours((120, 36), "C");
    assert_eq!(dialog.state.overlay, Some(Overlay::CloseMonth));
    assert_data_eq!(
        dialog.frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   plan f1e011af, just now   decided 0/5 ░░░░░░░░░░  0 approved
  1 Review   2 Apply   3 Logs   4 Runs  [5 Hours]                                   +3 ~1 -1  3 ready, 1 review, 1 held
  2026-10, Europe/Berlin   tracked 9:01, billable 6:00, not approved 9:01
  not sealed   1 error   1 warning   1 to know about   took 7 calls
  not available: invoicing: the plan does not have it, or the key may not see it
  D reads a bar for each week: 1 call
  error    Design: 12 h tracked in all, 10 h planned: 2 h over
  warning  Build⟨U+202E⟩dliuB: 1 min on a task that no page links to
▸ info     1 to know about
                                                                 tracked  billable  of what is planned, in all
▾ Acme⟨U+001B⟩[31m                                                  9:01      6:00
  ▾ Website                                                         9:01      6:00  ████████░░  88 %  16:00 of 18:00
      Design                                                        6:00      6:00  ██████████ 120 %  12:00 of 10:00
      Build⟨U+202E⟩dliuB                                            3:01      0:00  █████░░░░░  50 %  4:00 of 8:00
             ┌ Close 2026-10? ────────────────────────────────────────────────────────────────────────────┐
             │ 1 error and 1 warning.                                                                     │
             │ An error keeps it open until it is mended, or a note says why it may stand. Esc goes back. │
             │ Both sides and the reports are read once more first.                                       │
             │                                                                                            │
             │  error    Design: 12 h tracked in all, 10 h planned: 2 h over  over_budget0                │
             │  warning  Build⟨U+202E⟩dliuB: 1 min on a task that no page links to  unlinked0000          │
             └────────────────────────────────────────────────────────────────────────────────────────────┘






────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
 error: over budget, 2 h   over_budget0
 Design: 12 h tracked in all, 10 h planned: 2 h over
 Notion    https://app.notion.com/p/0000000000000000000000000000000a (o)
 Clockify  64a9e10000000000000000d1, https://app.clockify.me/projects (O)

 C close the month  m month or days  < month before  > month after  D weeks  T all about this page  ? help
 note:    why what is found may stand; ↓ ↑ scroll

"#]]
    );
    assert_data_eq!(
        hours((80, 24), "C").frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   0/5 ░░░░░░  0 approved
  1 Review   2 Apply   3 Logs   4 Runs  [5 Hours]     3 ready, 1 review, 1 held
  2026-10, Europe/Berlin   tracked 9:01, billable 6:00, not approved 9:01
  not sealed   1 error   1 warning   1 to know about   took 7 calls
  not available: invoicing: the plan does not have it, or the key may not see it
  D reads a bar for each week: 1 call
  error    Design: 12 h tracked in all, 10 h planned: 2 h over
┌ Close 2026-10? ──────────────────────────────────────────────────────────────┐
│ 1 error and 1 warning.                                                       │
│ An error keeps it open until it is mended, or a note says why it may stand.  │
│Esc goes back.                                                                │
│ Both sides and the reports are read once more first.                         │
│                                                                              │
│  error    Design: 12 h tracked in all, 10 h planned: 2 h over  over_budget0  │
│  warning  Build⟨U+202E⟩dliuB: 1 min on a task that no page links to          │
│unlinked0000                                                                  │
└──────────────────────────────────────────────────────────────────────────────┘
 error: over budget, 2 h   over_budget0
 Design: 12 h tracked in all, 10 h planned: 2 h over
 Notion    https://app.notion.com/p/0000000000000000000000000000000a (o)
 Clockify  64a9e10000000000000000d1, https://app.clockify.me/projects (O)

 C close the month  m month or days  < month before  > month after  ? help
 note:    why what is found may stand; ↓ ↑ scroll

"#]]
    );

    let without = hours((120, 36), "C<enter>");
    assert_eq!(asked(&without), [this_month()]);
    assert!(without.frame.contains("1 error stands: say why, or esc"), "{}", without.frame);
    assert_eq!(asked(&hours((120, 36), "Cok<esc>")), [this_month()]);

    let film = hours((120, 36), "Cagreed<enter>");

    let findings = vec!["over_budget0".to_owned(), "unlinked0000".to_owned()];
    let accepting = Accepting { findings, note: "agreed".to_owned() };
    assert_eq!(asked(&film).pop(), Some(TimeOrder::Close { month: month("2026-10"), accepting }));
    assert!(film.state.overlay.is_none() && film.frame.contains("closing it"), "{}", film.frame);
}

#[test]
fn a_month_without_errors_is_closed_with_enter_and_accepts_nothing_then() {
    let mut clean = reckoned("2026-10");
    clean.document.findings.remove(0);
    let scenes = planned(plan()).into_iter().map(Scene::News).chain(typed("5"));
    let scenes = scenes.chain([news(TimeNews::Figures(clean))]).chain(typed("C<enter>"));
    let film = film_of((120, 36), THEME, scenes.collect());
    let close = TimeOrder::Close { month: month("2026-10"), accepting: Accepting::default() };
    assert_eq!(asked(&film).pop(), Some(close));
}

#[test]
fn what_came_of_a_close_is_said() {
    let closed = |reckoned, open| news(TimeNews::Closed { reckoned, open });
    let film = hours_then((120, 36), "Cagreed<enter>", [closed(sealed("2026-10"), 0)]);
    assert!(film.frame.contains("sealed 2026-11-23 by an⟨U+0007⟩na as 8f3a8f3a"), "{}", film.frame);
    let again = hours_then((120, 36), "Cagreed<enter>", [closed(sealed("2026-10"), 0)].into_iter().chain(typed("C")));
    assert!(again.state.overlay.is_none() && again.frame.contains("is sealed already"), "{}", again.frame);

    let open = hours_then((120, 36), "Cagreed<enter>", [closed(reckoned("2026-10"), 1)]);
    assert!(open.frame.contains("2026-10 is not sealed: 1 to mend or to accept first"), "{}", open.frame);
    let refused = [news(TimeNews::Refused(Shown::of("another run is under way")))];
    let film = hours_then((120, 36), "Cagreed<enter>", refused);
    assert!(film.frame.contains("another run is under way") && film.frame.contains("not sealed"), "{}", film.frame);
}

#[test]
fn only_a_whole_month_is_closed() {
    let mut week = reckoned("2026-10");
    week.period = Period::of_words("2026-10-05..2026-10-11").expect("a week");
    let scenes = planned(plan()).into_iter().map(Scene::News).chain(typed("5"));
    let scenes = scenes.chain([news(TimeNews::Figures(week))]).chain(typed("C"));
    let film = film_of((120, 36), THEME, scenes.collect());
    assert!(film.state.overlay.is_none() && film.frame.contains("only a whole month is closed"), "{}", film.frame);
}

#[test]
fn a_kind_of_file_that_is_none_is_refused() {
    let film = hours((120, 36), "W<backspace>x<enter>");
    assert!(film.frame.contains("csv, md, html or json"), "{}", film.frame);
    assert!(film.state.prompt.is_some());
}
