//! Film strips: keys go through the real loop, and frames come out as pictures.

#![expect(clippy::needless_raw_string_hashes, reason = "snapbox writes pictures so")]

mod apply;
mod daemon;
mod decisions;
mod drip;
mod finding;
mod hours;
mod logs;
mod messages;
mod pictures;
mod reach;
mod rest;
mod rows;
mod scopes;
mod second;
mod together;
mod undo;

use std::{io, sync::Arc, time::Duration};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use jiff::Timestamp;
use proptest::prelude::*;
use ratatui::{Terminal, backend::TestBackend};
use snapbox::{assert_data_eq, str};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    effect::Order,
    history::History,
    keymap::Keymap,
    news::News,
    state::{Phase, State, matching::Haystack},
    surroundings::{Gauge, Surroundings},
    term::{Door, run},
    theme::Theme,
    view::view,
};
use crate::{
    domain::{diff::tests::world::World, plan::Plan, review::Decision, text::Raw},
    edge::config::ThemeName,
    face::stop::Stop,
};

const THEME: Theme = Theme { name: ThemeName::Mono, unicode: true };

/// When everything happens.
fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().expect("a time")
}

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
        let press = |code| Event::Key(KeyEvent::new(code, KeyModifiers::NONE));
        let (event, after) = match named {
            Some(("space", after)) => (press(KeyCode::Char(' ')), after),
            Some((name, after)) if super::stroke::Stroke::parse(name).is_some_and(|_| name.len() > 1) => {
                (Event::Key(super::stroke::Stroke::parse(name).expect("a key").event()), after)
            }
            _ => (press(KeyCode::Char(next)), &rest[next.len_utf8()..]),
        };
        events.push(event);
        rest = after;
    }
    events
}

/// Surroundings that write down what was asked of them.
#[derive(Default)]
struct Notes {
    copied: Vec<String>,
    opened: Vec<String>,
    saved: Vec<String>,
    gauges: Vec<Gauge>,
    started: Vec<super::own::Job>,
    mouse: Vec<bool>,
    suspended: usize,
}

impl Surroundings for Notes {
    fn now(&self) -> Timestamp {
        noon()
    }
    fn copy(&mut self, text: &str) -> Result<&'static str, String> {
        self.copied.push(text.to_owned());
        Ok("to the clipboard")
    }
    fn open(&mut self, url: &str) -> Result<(), String> {
        self.opened.push(url.to_owned());
        Ok(())
    }
    fn save_filter(&mut self, name: &str, text: &str) -> Result<String, String> {
        self.saved.push(format!("{name} = {text}"));
        Ok("here".to_owned())
    }
    fn start(&mut self, job: super::own::Job) {
        self.started.push(job);
    }
    fn progress(&mut self, gauge: Gauge) {
        self.gauges.push(gauge);
    }
    fn mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse.push(on);
        Ok(())
    }
    fn suspend(&mut self) -> io::Result<()> {
        self.suspended += 1;
        Ok(())
    }
}

/// The last frame after some keys, the orders that they led to, what was asked of the surroundings, and the state.
struct Film {
    frame: String,
    orders: Vec<Order>,
    notes: Notes,
    state: State,
    /// The work at hand was asked to stop.
    stopped: bool,
}

/// What happens, in order.
enum Scene {
    News(News),
    Input(Event),
    /// The terminal goes away.
    Gone,
}

fn film(size: (u16, u16), news: Vec<News>, events: Vec<Event>) -> Film {
    let scenes = news.into_iter().map(Scene::News).chain(events.into_iter().map(Scene::Input));
    film_of(size, THEME, scenes.collect())
}

/// The same, where nothing can be decided.
fn film_reading_only(size: (u16, u16), news: Vec<News>, events: Vec<Event>) -> Film {
    let scenes = news.into_iter().map(Scene::News).chain(events.into_iter().map(Scene::Input));
    let state = State { read_only: true, ..State::new(size, THEME, noon()) };
    film_from(state, &Keymap::default(), scenes.collect(), None)
}

/// Shows scenes to the real loop. What it looks for in the plan is found, as the worker would.
fn film_of(size: (u16, u16), theme: Theme, scenes: Vec<Scene>) -> Film {
    film_with(size, theme, scenes, None)
}

/// The same, on a state whose past can be looked at.
fn film_with(size: (u16, u16), theme: Theme, scenes: Vec<Scene>, history: Option<History>) -> Film {
    film_keyed(&Keymap::default(), size, theme, scenes, history)
}

/// The same, with other keys.
fn film_keyed(keymap: &Keymap, size: (u16, u16), theme: Theme, scenes: Vec<Scene>, history: Option<History>) -> Film {
    film_from(State::new(size, theme, noon()), keymap, scenes, history)
}

/// The same, from a state of the console on.
fn film_from(state: State, keymap: &Keymap, scenes: Vec<Scene>, history: Option<History>) -> Film {
    let size = state.size;
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).expect("a terminal");
    let (news_sender, mut news) = unbounded_channel();
    let (orders, orders_receiver) = unbounded_channel();
    let (input_sender, mut input) = unbounded_channel();
    let input = Box::pin(futures_util::stream::poll_fn(move |context| input.poll_recv(context)));
    let mut notes = Notes::default();
    let stop = Stop::default();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
    let (state, given) = runtime.block_on(async {
        let history = history.map(|history| (history, news_sender.clone()));
        let door = Door { orders: &orders, history, stop: &stop };
        let showing = async {
            let state = run(&mut terminal, input, &mut news, door, keymap, &mut notes, state).await;
            state.expect("a test terminal does not fail")
        };
        tokio::join!(showing, direct(scenes, news_sender, input_sender, orders_receiver))
    });
    terminal.draw(|frame| drop(view(&state, keymap, frame))).expect("a test terminal does not fail");
    let picture = terminal.backend().to_string();
    let lines: Vec<&str> = picture.lines().map(|line| line.trim_matches('"').trim_end()).collect();
    Film { frame: lines.join("\n") + "\n", orders: given, notes, stopped: stop.asked(), state }
}

/// Lets the scenes happen one after the other, each when the one before has been taken in.
async fn direct(
    scenes: Vec<Scene>,
    news: UnboundedSender<News>,
    input: UnboundedSender<io::Result<Event>>,
    mut orders: UnboundedReceiver<Order>,
) -> Vec<Order> {
    let (mut given, mut haystack, mut input) = (Vec::new(), None, Some(input));
    for scene in scenes {
        match scene {
            Scene::News(item) => {
                if let News::Planned { plan, .. } = &item {
                    haystack = Some(Haystack::new(plan));
                }
                drop(news.send(item));
            }
            Scene::Input(event) => drop(input.as_ref().map(|input| input.send(Ok(event)))),
            Scene::Gone => drop(input.take()),
        }
        settle().await;
        while let Ok(order) = orders.try_recv() {
            if let (Order::Match(query), Some(haystack)) = (&order, &haystack) {
                let matches = haystack.find(query);
                drop(news.send(News::Matched { mode: query.mode, number: query.number, matches }));
                settle().await;
            } else {
                given.push(order);
            }
        }
    }
    given
}

/// Lets the loop come to rest. Time is paused: this passes when nobody has anything to do.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

fn planned(plan: Plan) -> Vec<News> {
    vec![News::Planned { plan: Arc::new(plan), remembered: Vec::new(), at: noon() }]
}

#[test]
fn while_both_sides_are_read_that_is_shown() {
    let film = film((80, 12), Vec::new(), Vec::new());
    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist  Notion ⠋  Clockify ⠋
 [1 Review]  2 Apply   3 Logs   4 Runs   5 Hours

  ⠋ reading Notion: …
  ⠋ reading Clockify: …

  ^c stops reading



 enter open  1 review  2 apply  3 log  4 runs  5 hours  ^l draw again  ? help


"#]]
    );
}

#[test]
fn a_plan_is_a_tree_with_the_detail_beside_it() {
    let film = film((120, 20), planned(plan()), Vec::new());
    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   plan f1e011af, just now   decided 0/5 ░░░░░░░░░░  0 approved
 [1 Review]  2 Apply   3 Logs   4 Runs   5 Hours    1/9                             +3 ~1 -1  3 ready, 1 review, 1 held
▌▾ · + Acme                          +3    0/3              create │create client   95 %   · undecided
     ■ + <b>                                          create, held │Acme
     · + Relaunch                                           create │
 ▾ ·   Globex                        -1    0/1                     │name: “Acme”
   ▾ ·   Website                     -1    0/1                     │new in Notion, and no client in Clockify looks like
       · - Design                                            close │it
   ⚠ ~ Initech  “Initech Ltd” → “Initech”         update, conflict │
 ▾ Notices                                                       1 │Effects
     i Unmanaged                                         unmanaged │  1 request creates it in Clockify, and its ID goes
                                                                   │into the page
                                                                   │  2 changes have to wait for it
                                                                   │
                                                                   │Why
                                                                   │  the page has no object, and no ID of one
                                                                   │
                                                                   │Notion   00000000-0000-0000-0000-000000000009 (o),
 space approve  s skip  ! flag  u undo  / search  f filter  T all about this page  ? help


"#]]
    );
}

#[test]
fn on_a_narrow_terminal_the_detail_is_below() {
    let film = film((80, 24), planned(plan()), keys("j"));
    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   0/5 ░░░░░░  0 approved
 [1 Review]  2 Apply   3 Logs   4 Runs   5 Hours    2/9           3 ready 1? 1!
 ▾ · + Acme                                       +3    0/3              create
▌    ■ + <b>                                                       create, held
     · + Relaunch                                                        create
 ▾ ·   Globex                                     -1    0/1
   ▾ ·   Website                                  -1    0/1
       · - Design                                                         close
   ⚠ ~ Initech  “Initech Ltd” → “Initech”                      update, conflict
 ▾ Notices                                                                    1
     i Unmanaged                                                      unmanaged



────────────────────────────────────────────────────────────────────────────────
create project   95 %   ■ held
held: Clockify refuses '<' in names
Acme › <b>

name: “<b>”
new in Notion, and no project in Clockify looks like it

 space approve  s skip  ! flag  u undo  / search  f filter  ? help


"#]]
    );
}

#[test]
fn a_decision_moves_on_is_kept_and_takes_along_what_it_needs() {
    let film = film((80, 24), planned(plan()), keys("jj<space>"));

    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   2/5 ██░░░░  2 approved
 [1 Review]  2 Apply   3 Logs   4 Runs   5 Hours    4/9           3 ready 1? 1!
 ▾ ✓ + Acme                                       +3    2/3    create, approved
     ■ + <b>                                                       create, held
     ✓ + Relaunch                                              create, approved
▌▾ ·   Globex                                     -1    0/1
   ▾ ·   Website                                  -1    0/1
       · - Design                                                         close
   ⚠ ~ Initech  “Initech Ltd” → “Initech”                      update, conflict
 ▾ Notices                                                                    1
     i Unmanaged                                                      unmanaged



────────────────────────────────────────────────────────────────────────────────
client Globex

1 change below, 0 decided, 0 approved; a decision here is about all that the
filter shows

Notion   00000000-0000-0000-0000-000000000002 (o), edited 1970-01-01 00:00

 space approve 1 below  s skip 1 below  ! flag 1 below  u undo  P apply  ? help
 2 approved, 1 of them since the others need them; u takes them back

"#]]
    );
    let [Order::Keep(kept, _)] = film.orders.as_slice() else { panic!("{:?}", film.orders) };
    let kept = kept.said();
    assert_eq!(kept.len(), 2, "the project and its client");
    assert!(kept.iter().all(|upon| upon.said.verdict.decision == Some(Decision::Approve)));
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
    assert_eq!(film.state.reviewing.tally.decided(), 0);
    assert!(film.frame.contains("there is nothing left"), "{}", film.frame);
}

#[test]
fn closing_needs_the_typed_count() {
    let enter_alone = film((100, 24), planned(plan()), keys("AP<enter>"));
    assert!(enter_alone.orders.iter().all(|order| !matches!(order, Order::Apply(_))));
    let wrong = film((100, 24), planned(plan()), keys("AP2<enter>"));
    assert!(wrong.orders.iter().all(|order| !matches!(order, Order::Apply(_))));
    assert!(wrong.frame.contains("type 1 to close"), "{}", wrong.frame);

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
 punchlist  Notion ✓  Clockify ✓   plan f1e011af, just now   0/5 ░░░░░░  0 approved
 [1 Review]  2 Apply   3 Logs   4 Runs   5 Hours    7/9         +3 ~1 -1  3 ready, 1 review, 1 held
 ▾ · + Acme                                                           +3    0/3              create
     ■ + <b>                                                                           create, held
     · + Relaunch                                                                            create
 ▾ · ┌ Resolve 1/1: client “Initech” ──────────────────────────────────────────────────────────┐
   ▾ │ name                                                                                    │
     │   last      “Initech”                                                                   │ose
▌  ⚠ │   Notion    “Initech”                                                                   │ict
 ▾ No│   Clockify  “Initech Ltd”, edited                                                       │  1
     │                                                                                         │ged
     │ 1 Notion wins    50 %  edited in Clockify since both agreed                             │
     │ 2 Clockify wins  50 %  take Clockify's value into Notion                                │
     │ 3 leave both     50 %  leave both as they are, and remember that they differ on purpose │
─────│                                                                                         │────
updat│ a number or enter takes a way and approves it; s skips                                  │
Inite│ e types a value, ! flags it with a note                                                 │
     │ ( ) other conflicts, esc closes                                                         │
name:└─────────────────────────────────────────────────────────────────────────────────────────┘
edited in Clockify since both agreed

Effects
 space approve  s skip  ! flag  c resolve  u undo  / search  f filter  ? help


"#]]
    );
}

#[test]
fn a_filter_narrows_and_decisions_leave_the_rest_alone() {
    let film = film((80, 24), planned(plan()), keys("faction:close<enter>A"));
    assert_eq!(film.state.reviewing.tally.approved, 1);
    assert!(film.frame.contains("hidden"), "{}", film.frame);
}

#[test]
fn many_notices_of_one_kind_are_folded_and_what_is_held_alike_can_be_listed() {
    let mut world = World::linked(&["Globex"]);
    for name in ["Acme", "Initech", "Hooli", "Umbrella"] {
        world.object(name);
        world.page(&format!("Globex/<{name}>"));
    }
    world.object("Globex/Nobody's");
    let plan = world.plan();
    let film_of = |typed| film((140, 16), planned(plan.clone()), keys(typed)).frame;
    let folded = film_of("j");
    assert!(folded.contains("▸ unmanaged, clients") && !folded.contains("i Hooli"), "{folded}");
    assert!(folded.contains("4 are held like it: f, then why:invalid_name, lists them"), "{folded}");
    let unfolded = film_of("Gk<right>");
    assert!(unfolded.contains("▾ unmanaged, clients") && unfolded.contains("i Hooli"), "{unfolded}");
    let listed = film_of("fwhy:invalid<enter>");
    assert!(listed.contains("<Hooli>") && !listed.contains("unmanaged"), "{listed}");
}

#[test]
fn help_shows_every_action() {
    let film = film((100, 70), planned(plan()), keys("?"));
    for row in super::tab::TABLE.iter() {
        assert!(film.frame.contains(row.label), "{}", row.label);
    }
}

#[test]
fn a_failure_is_told_and_reading_can_be_tried_again() {
    let failed =
        vec![News::Failed { text: vec!["error: notion.token is missing".into(), " hint: set it".into()], code: 1 }];
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

/// A key that means something, or a character that is typed.
fn any_key() -> impl Strategy<Value = String> {
    let bound = super::tab::TABLE.iter().flat_map(|row| row.keys).flat_map(|keys| keys.split(' '));
    let bound: Vec<String> = bound.map(|key| if key.len() > 1 { format!("<{key}>") } else { key.to_owned() }).collect();
    prop_oneof![4 => proptest::sample::select(bound), 1 => "[a-z0-9 ]"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, rng_seed: proptest::test_runner::RngSeed::Fixed(7), ..ProptestConfig::default() })]

    /// No size and no text makes the view fail, or reaches the screen as anything but what can be seen.
    #[test]
    fn any_size_and_any_text_can_be_drawn(width in 0_u16..200, height in 0_u16..60, name in any::<String>(), typed in proptest::collection::vec(any_key(), 0..20)) {
        let mut plan = plan();
        for change in &mut plan.changes {
            change.name = Raw::from(name.as_str());
        }
        let film = film((width, height), planned(plan), keys(&typed.concat()));
        let hidden = film.frame.chars().find(|&c| c.is_control() && c != '\n' || matches!(c, '\u{200B}' | '\u{200E}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}'));
        prop_assert_eq!(hidden, None);
    }
}
