//! Film strips: keys go through the real loop, and frames come out as pictures.

#![expect(clippy::needless_raw_string_hashes, reason = "snapbox writes pictures so")]

use std::sync::Arc;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;
use ratatui::{Terminal, backend::TestBackend};
use snapbox::{assert_data_eq, str};
use tokio::sync::mpsc::unbounded_channel;

use super::{
    state::{Phase, State},
    term::run,
    theme::Theme,
    update::News,
    view::view,
    worker::Order,
};
use crate::{
    domain::{diff::tests::world::World, plan::Plan, review::Decision, text::Raw},
    face::stop::Stop,
};

const THEME: Theme = Theme { colour: false, unicode: true };

/// A plan with something to create, to close, to decide and to leave.
fn plan() -> Plan {
    let mut world = World::linked(&["Globex", "Globex/Website", "Globex/Website/Design", "Initech"]);
    world.page("Acme");
    world.page("Acme/Relaunch");
    world.page("Acme/<b>");
    world.close_page("Globex/Website/Design");
    world.rename_object("Initech", "Initech Ltd");
    world.object("Unmanaged");
    world.plan()
}

/// Keys as in `jj<space>P<enter>`.
fn keys(text: &str) -> Vec<Event> {
    let mut events = Vec::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|after| after.split_once('>'));
        let (code, after) = match named {
            Some(("space", after)) => (KeyCode::Char(' '), after),
            Some(("enter", after)) => (KeyCode::Enter, after),
            Some(("esc", after)) => (KeyCode::Esc, after),
            _ => (KeyCode::Char(next), &rest[next.len_utf8()..]),
        };
        events.push(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)));
        rest = after;
    }
    events
}

/// The last frame after some keys, the orders that they led to, and the state.
struct Film {
    frame: String,
    orders: Vec<Order>,
    state: State,
}

fn film(size: (u16, u16), news: Vec<News>, events: Vec<Event>) -> Film {
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).expect("a terminal");
    let (news_sender, mut news_receiver) = unbounded_channel();
    let (orders, mut orders_receiver) = unbounded_channel();
    for item in news {
        assert!(news_sender.send(item).is_ok());
    }
    let input = futures_util::stream::iter(events.into_iter().map(Ok));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    let state = runtime
        .block_on(run(&mut terminal, input, &mut news_receiver, &orders, &Stop::default(), State::new(size, THEME)))
        .expect("a test terminal does not fail");
    terminal.draw(|frame| view(&state, frame)).expect("a test terminal does not fail");
    drop(orders);
    let mut given = Vec::new();
    while let Ok(order) = orders_receiver.try_recv() {
        given.push(order);
    }
    let picture = terminal.backend().to_string();
    let lines: Vec<&str> = picture.lines().map(|line| line.trim_matches('"').trim_end()).collect();
    let frame = lines.join("\n") + "\n";
    Film { frame, orders: given, state }
}

fn planned(plan: Plan) -> Vec<News> {
    vec![News::Planned { plan: Arc::new(plan), verdicts: Vec::new() }]
}

#[test]
fn while_both_sides_are_read_that_is_shown() {
    let film = film((80, 12), Vec::new(), Vec::new());
    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist   Notion ⠋  Clockify ⠋
 [1 Review]  2 Apply   3 Runs

  ⠋ reading Notion: …
  ⠋ reading Clockify: …

  ^c stops reading



 j down  k up  gg to the top  G to the bottom  ^d half a page down  ? help


"#]]
    );
}

#[test]
fn a_plan_is_a_tree_with_the_detail_beside_it() {
    let film = film((120, 20), planned(plan()), Vec::new());
    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist   Notion -  Clockify -   plan 219dd136   decided 0/5 ░░░░░░░░░░  0 approved
 [1 Review]  2 Apply   3 Runs
▌▾ · + Acme                                            0/3  create │create client   95 %
     ■ + <b>                                          create, held │Acme
     · + Relaunch                                           create │
 ▾ ·   Globex                                                0/1   │name: nothing → “Acme”
   ▾ ·   Website                                             0/1   │new in Notion, and no client in Clockify looks like
       · - Design                                            close │it
   ? ~ Initech                                      update, review │
 ▾ Notices                                                       1 │Notion   00000000-0000-0000-0000-000000000009
     i Unmanaged                                         unmanaged │change   de2f1f98a6a56b7e
                                                                   │
                                                                   │
                                                                   │
                                                                   │
                                                                   │
                                                                   │
                                                                   │
 space approve, move on  s skip for now  ! flag with a note  u undo  / search  f filter  a approve all below  ? help


"#]]
    );
}

#[test]
fn on_a_narrow_terminal_the_detail_is_below() {
    let film = film((80, 24), planned(plan()), keys("j"));
    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist   Notion -  Clockify -   decided 0/5 ░░░░░░░░░░  0 approved
 [1 Review]  2 Apply   3 Runs
 ▾ · + Acme                                                         0/3  create
▌    ■ + <b>                                                       create, held
     · + Relaunch                                                        create
 ▾ ·   Globex                                                             0/1
   ▾ ·   Website                                                          0/1
       · - Design                                                         close
   ? ~ Initech                                                   update, review
 ▾ Notices                                                                    1
     i Unmanaged                                                      unmanaged



────────────────────────────────────────────────────────────────────────────────
create project   95 %
Acme › <b>

name: nothing → “<b>”
new in Notion, and no project in Clockify looks like it
held: Clockify refuses '<' in names
needs: create client “Acme”
 space approve, move on  s skip for now  ! flag with a note  u undo  ? help


"#]]
    );
}

#[test]
fn a_decision_moves_on_is_kept_and_takes_along_what_it_needs() {
    let film = film((80, 24), planned(plan()), keys("jj<space>"));

    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist   Notion -  Clockify -   decided 2/5 ████░░░░░░  2 approved
 [1 Review]  2 Apply   3 Runs
 ▾ ✓ + Acme                                               2/3  create, approved
     ■ + <b>                                                       create, held
     ✓ + Relaunch                                              create, approved
▌▾ ·   Globex                                                             0/1
   ▾ ·   Website                                                          0/1
       · - Design                                                         close
   ? ~ Initech                                                   update, review
 ▾ Notices                                                                    1
     i Unmanaged                                                      unmanaged



────────────────────────────────────────────────────────────────────────────────
client Globex

decisions here are about everything below that is shown




 space approve, move on  s skip for now  ! flag with a note  u undo  ? help
 2 approved; u takes them back

"#]]
    );
    let [Order::Keep(kept)] = film.orders.as_slice() else { panic!("{:?}", film.orders) };
    assert_eq!(kept.len(), 2, "the project and its client");
    assert!(kept.iter().all(|(_, verdict)| verdict.decision == Some(Decision::Approve)));
}

#[test]
fn a_held_change_says_why_it_cannot_be_approved() {
    let film = film((80, 24), planned(plan()), keys("j<space>"));
    assert!(film.frame.contains("held: Clockify refuses '<' in names"), "{}", film.frame);
    assert!(film.orders.is_empty());
}

#[test]
fn undo_takes_everything_back() {
    let film = film((80, 24), planned(plan()), keys("Auu"));
    assert_eq!(film.state.tally.decided, 0);
    assert!(film.frame.contains("there is nothing left"), "{}", film.frame);
}

#[test]
fn closing_needs_the_typed_count() {
    let enter_alone = film((100, 24), planned(plan()), keys("AP<enter>"));
    assert!(enter_alone.orders.iter().all(|order| !matches!(order, Order::Apply(_))));
    let wrong = film((100, 24), planned(plan()), keys("AP2<enter>"));
    assert!(wrong.orders.iter().all(|order| !matches!(order, Order::Apply(_))));
    assert!(wrong.frame.contains("type the number of closes, 1"), "{}", wrong.frame);

    let right = film((100, 24), planned(plan()), keys("AP1<enter>"));

    let applied = right.orders.iter().filter(|order| matches!(order, Order::Apply(_))).count();
    assert_eq!((applied, &right.state.phase), (1, &Phase::Applying));
    assert!(right.frame.contains("applying"), "{}", right.frame);
}

#[test]
fn nothing_is_applied_where_nothing_is_approved() {
    let film = film((80, 24), planned(plan()), keys("P"));
    assert!(film.frame.contains("nothing is approved"), "{}", film.frame);
    assert!(film.orders.is_empty());
}

#[test]
fn another_way_can_be_chosen() {
    let film = film((100, 24), planned(plan()), keys(")w"));
    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist   Notion -  Clockify -   decided 0/5 ░░░░░░░░░░  0 approved
 [1 Review]  2 Apply   3 Runs
 ▾ · + Acme                                                                             0/3  create
     ■ + <b>                                                                           create, held
     · + Relaunch                                                                            create
 ▾ ·   Globex                                                                                 0/1
   ▾ ·   Website                                                                              0/1
       · - Design                                                                             close
▌  ? ~ Initech                                                                       update, review
 ▾ Notices                                                                                        1
     i Unm┌ Ways: Enter chooses, Esc closes ──────────────────────────────────────────────┐nmanaged
          │ update 50 %: edited in Clockify since both agreed                             │
          │ update 50 %: take Clockify's value into Notion                                │
          │ accept 50 %: leave both as they are, and remember that they differ on purpose │
──────────└───────────────────────────────────────────────────────────────────────────────┘─────────
update client   50 %
Initech

name: “Initech Ltd” → “Initech”
edited in Clockify since both agreed

other ways (w)
 space approve, move on  s skip for now  ! flag with a note  w choose another way  u undo  ? help


"#]]
    );
}

#[test]
fn a_filter_narrows_and_decisions_leave_the_rest_alone() {
    let film = film((80, 24), planned(plan()), keys("fclose<enter>A"));
    assert_eq!(film.state.tally.approved, 1);
    assert!(film.frame.contains("hidden"), "{}", film.frame);
}

#[test]
fn help_shows_every_action() {
    let film = film((100, 70), planned(plan()), keys("?"));
    for row in super::keys::TABLE {
        assert!(film.frame.contains(row.label), "{}", row.label);
    }
}

#[test]
fn a_failure_is_told_and_reading_can_be_tried_again() {
    let failed = vec![News::Failed("error: notion.token is missing\n hint: set it".to_owned())];
    let film = film((80, 12), failed, keys("R"));
    assert!(matches!(film.orders.as_slice(), [Order::Read]));
    assert_eq!(film.state.phase, Phase::Reading);
}

#[test]
fn a_paste_is_one_line_and_confirms_nothing() {
    let events = [keys("AP"), vec![Event::Paste("1\n\u{1b}[31m".to_owned())]].concat();
    let film = film((80, 24), planned(plan()), events);
    assert!(film.orders.iter().all(|order| !matches!(order, Order::Apply(_))));
    assert!(film.frame.contains("⟨U+001B⟩"), "{}", film.frame);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    /// No size and no text makes the view fail, or reaches the screen as anything but what can be seen.
    #[test]
    fn any_size_and_any_text_can_be_drawn(width in 0_u16..200, height in 0_u16..60, name in any::<String>(), typed in "[a-zA-Z0-9 !-/:-@]{0,12}") {
        let mut plan = plan();
        for change in &mut plan.changes {
            change.name = Raw::from(name.as_str());
        }
        let film = film((width, height), planned(plan), keys(&typed));
        let hidden = film.frame.chars().find(|&c| c.is_control() && c != '\n' || matches!(c, '\u{200B}' | '\u{200E}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}'));
        prop_assert_eq!(hidden, None);
    }
}
