//! Single fields, other ways, selections, and what is kept of all that.

use snapbox::{assert_data_eq, str};

use super::{Scene, THEME, film, film_of, keys, noon, plan, planned};
use crate::{
    domain::{
        diff::tests::world::World,
        model::{Field, Value},
        plan::{ChangeId, Plan},
        review::{Decision, Remembered, Resolution, Said},
        rules::Class,
    },
    face::tui::{
        effect::Order,
        news::News,
        state::{
            matching::{Matches, SearchMode},
            reviewing::Selection,
        },
    },
};

/// An update of three fields, and three conflicts of which two are of one kind.
fn contested() -> Plan {
    let mut world = World::linked(&["Acme", "Acme/Website", "Acme/Shop", "Acme/Intranet"]);
    for (path, note) in [("Acme/Website", "shown to everybody who works on the relaunch"), ("Acme/Shop", "old")] {
        world.agree(path, Field::Note, &Value::text(note));
    }
    for (field, value) in [(Field::Billable, Value::Flag(false)), (Field::Estimate, Value::Seconds(3600))] {
        world.agree("Acme/Website", field, &value);
    }
    let website = &mut world.page_mut("Acme/Website").values;
    website.set(Field::Note, Value::text("shown to nobody who works on the relaunch"));
    website.set(Field::Billable, Value::Flag(true));
    website.set(Field::Estimate, Value::Seconds(7200));
    for path in ["Acme/Shop", "Acme/Intranet"] {
        world.rename_page(path, "Notion's").rename_object(path, "Clockify's");
        world.page_mut(path).title = format!("{path} in Notion").as_str().into();
        world.object_mut(path).name = format!("{path} in Clockify").as_str().into();
    }
    world.page_mut("Acme/Shop").values.set(Field::Note, Value::text("new in Notion"));
    world.object_mut("Acme/Shop").values.set(Field::Note, Value::text("new in Clockify"));
    world.plan()
}

fn kept(orders: &[Order]) -> Vec<Said> {
    let said = |order: &Order| if let Order::Keep(said, _) = order { Some(said.said()) } else { None };
    orders.iter().filter_map(said).flatten().map(|upon| upon.said).collect()
}

#[test]
fn fields_are_shown_word_by_word_and_taken_or_left_one_by_one() {
    let film = film((100, 26), planned(contested()), keys("fWebsite<enter>gg<j><tab>j<space>"));
    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   plan 640d963b, just now   0/4 ░░░░░░  0 approved
 [1 Review]  2 Apply   3 Logs   4 Runs   5 Hours    filter: Website   in the detail   2/2
 ▾ ·   Acme                                                        ~4 ⚠3    0/4
▌    · ~ Website  note: “shown to everyb…elaunch” → “shown to nobody…elaunch” +1             update











────────────────────────────────────────────────────────────────────────────────────────────────────
update project   100 %   · undecided
Acme › Website

✓ note: “shown to [-everybody-]{+nobody+} who works on the relaunch”
✗ billable: no → yes, left alone
✓ estimate: 1 h → 2 h
changed in Notion

 space take or leave the field  e edit the value  tab back to the tree  u undo  ? help
 billable: left alone; u takes it back

"#]]
    );
    let [ref said] = kept(&film.orders)[..] else { panic!("{:?}", film.orders) };
    assert_eq!(said.verdict.rejected.len(), 1);
}

#[test]
fn a_value_can_be_typed_and_is_refused_where_the_field_does_not_take_it() {
    let refused = film((100, 24), planned(contested()), keys("fWebsite<enter>j<tab>je<ctrl-u>perhaps<enter>"));
    assert!(refused.frame.contains("it takes yes or no"), "{}", refused.frame);
    assert!(kept(&refused.orders).is_empty());

    let typed = film((100, 24), planned(contested()), keys("fWebsite<enter>j<tab>jje<ctrl-u>1.5<enter>"));

    assert!(typed.frame.contains("1 h 30 min, as you typed it"), "{}", typed.frame);
    let [ref said] = kept(&typed.orders)[..] else { panic!("{:?}", typed.orders) };
    assert_eq!(said.verdict.edited.get(&Field::Estimate), Some(&Value::Seconds(5400)));
}

#[test]
fn a_conflict_shows_what_both_sides_hold_and_held() {
    let film = film((100, 30), planned(contested()), keys(")c"));
    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   plan 640d963b, just now   0/4 ░░░░░░  0 approved
 [1 Review]  2 Apply   3 Logs   4 Runs   5 Hours    2/6                       ~4  1 ready, 3 review
 ▾ ·   Acme                                                        ~4 ⚠3    0/4
▌    ⚠ ~ Acme/Intranet in Notion  “Acme/Intrane…ockify” → “Acme/Intranet…Notion”   update, conflict
   ▾ ·   Acme/Shop in Notion                                       ~2 ⚠2    0/2
       ⚠ ~ name  “Acme/Shop in Clockify” → “Acme/Shop in Notion”                   update, conflict
       ⚠ ~ note  “new in Clockify” → “new in Notion”                               update, conflict
     · ~ Website  note: “shown to everyb…elaunch” → “shown to nobody…elaunch” +2             update
     ┌ Resolve 1/3: project “Acme/Intranet in Notion” ─────────────────────────────────────────┐
     │ name                                                                                    │
     │   last      “Intranet”                                                                  │
     │   Notion    “Acme/Intranet in Notion”, edited                                           │
     │   Clockify  “Acme/Intranet in Clockify”, edited                                         │
     │                                                                                         │
     │ 1 Notion wins    50 %  edited on both sides since they agreed                           │
     │ 2 Clockify wins  50 %  take Clockify's value into Notion                                │
     │ 3 leave both     50 %  leave both as they are, and remember that they differ on purpose │
     │                                                                                         │
─────│ a number or enter takes a way and approves it; s skips                                  │────
updat│ x takes it for all 2 of the same kind                                                   │
Acme │ e types a value, ! flags it with a note                                                 │
     │ ( ) other conflicts, esc closes                                                         │
name:└─────────────────────────────────────────────────────────────────────────────────────────┘
edited on both sides since they agreed

Effects
  1 request changes it in Clockify, and nothing else of it

 space approve  s skip  ! flag  c resolve  u undo  / search  f filter  ? help


"#]]
    );
}

#[test]
fn a_conflict_is_resolved_by_number_for_one_or_for_all_of_its_kind() {
    let one = film((100, 30), planned(contested()), keys(")c2"));
    let said = kept(&one.orders);
    assert_eq!(said.iter().map(|said| said.verdict.way).collect::<Vec<_>>(), [1]);
    assert!(said.iter().all(|said| said.verdict.decision == Some(Decision::Approve)));

    let all = film((100, 30), planned(contested()), keys(")cjx"));

    let said = kept(&all.orders);
    assert_eq!(said.len(), 2, "both names, and not the note: {}", all.frame);
    assert!(all.frame.contains("2 resolved the same way"), "{}", all.frame);
}

#[test]
fn what_matches_can_be_selected_and_decided_together() {
    let marked = film((100, 24), planned(plan()), keys("faction:create<enter>*"));
    assert!(
        matches!(&marked.state.reviewing.selection, Selection::Marked(marked) if marked.len() > 1),
        "{}",
        marked.frame
    );

    let skipped = film((100, 24), planned(plan()), keys("/e<enter>*s"));

    let said = kept(&skipped.orders);
    assert!(
        said.len() > 1 && said.iter().all(|said| said.verdict.decision == Some(Decision::Skip)),
        "{}",
        skipped.frame
    );
}

#[test]
fn a_range_is_selected_with_v_or_with_shift() {
    for select in ["vjj", "<shift-down><shift-down>"] {
        let film = film((100, 24), planned(plan()), keys(&format!("{select}s")));
        assert_eq!(kept(&film.orders).len(), 3, "{select}: {}", film.frame);
    }
}

#[test]
fn rows_can_be_sorted_and_listed_flat_and_the_cursor_stays_on_its_row() {
    let film = film((100, 24), planned(plan()), keys("G(,Nt"));
    assert!(film.frame.contains("flat, by name reversed"), "{}", film.frame);
    assert!(film.frame.contains("Globex › Website › Design"), "{}", film.frame);
    let change = film.state.reviewing.current_change().expect("a change");
    assert_eq!(film.state.reviewing.plan().expect("a plan").changes[change].name.exact(), "Initech", "{}", film.frame);
}

#[test]
fn what_waits_since_an_earlier_run_is_shown_first() {
    let plan = plan();
    let initech = plan.changes.iter().find(|change| change.name.exact() == "Initech").expect("a change");
    let waiting = News::Waiting([(initech.id, noon() - jiff::SignedDuration::from_hours(50))].into());
    let news =
        vec![waiting, News::Planned { plan: std::sync::Arc::new(plan.clone()), remembered: Vec::new(), at: noon() }];

    let film = film((120, 40), news, Vec::new());

    let first = film
        .state
        .reviewing
        .tree
        .visible
        .first()
        .and_then(|node| film.state.reviewing.tree.page(*node, film.state.reviewing.plan()));
    assert_eq!(first, Some(initech.page), "{}", film.frame);
    assert!(film.frame.contains("2026-11-21 left for a person by a run"), "{}", film.frame);
}

#[test]
fn a_session_goes_on_where_the_last_one_ended() {
    let plan = plan();
    let design = plan.changes.iter().find(|change| change.name.exact() == "Design").expect("a change");
    let initech = plan.changes.iter().find(|change| change.name.exact() == "Initech").expect("a change");
    let remember = |change, page, decision| Remembered {
        said: Said {
            change,
            page,
            what: "".into(),
            verdict: Resolution { decision: Some(decision), ..Resolution::default() },
        },
        by: "ben".to_owned(),
        at: noon(),
    };
    let remembered = vec![
        remember(design.id, design.page, Decision::Approve),
        remember(ChangeId::default(), initech.page, Decision::Flag { note: "rate not confirmed".to_owned() }),
    ];
    let news = News::Planned { plan: std::sync::Arc::new(plan.clone()), remembered, at: noon() };

    let film = film((120, 30), vec![news], keys(")"));

    assert_eq!((film.state.reviewing.tally.approved, film.state.reviewing.tally.decided()), (1, 1));
    assert_data_eq!(
        film.frame,
        str![[r#"
 punchlist  Notion ✓  Clockify ✓   plan f1e011af, just now   decided 1/5 ██░░░░░░░░  1 approved
 [1 Review]  2 Apply   3 Logs   4 Runs   5 Hours    7/9                             +3 ~1 -1  3 ready, 1 review, 1 held
 ▾ · + Acme                          +3    0/3              create │update client   50 %   ⚠ conflict
     ■ + <b>                                          create, held │Initech
     · + Relaunch                                           create │
 ▾ ✓   Globex                        -1    1/1                     │name: “Initech Ltd” → “Initech”
   ▾ ✓   Website                     -1    1/1                     │edited in Clockify since both agreed
       ✓ - Design                           close, approved by ben │
▌  ⚠ ~ Initech  “Initech Ltd” → “Initech”         update, conflict │Effects
 ▾ Notices                                                       1 │  1 request changes it in Clockify, and nothing else
     i Unmanaged                                         unmanaged │of it
                                                                   │
                                                                   │Other ways (c)
                                                                   │  2  Clockify wins 50 %: take Clockify's value into
                                                                   │Notion
                                                                   │  3  leave both 50 %: leave both as they are, and
                                                                   │remember that they differ on purpose
                                                                   │
                                                                   │Earlier
                                                                   │  2026-11-23 flagged: rate not confirmed by ben; it
                                                                   │was about something else, and is void
                                                                   │
                                                                   │Why
                                                                   │  linked; only Clockify moved since both were last
                                                                   │verified to agree
                                                                   │
                                                                   │Notion   00000000-0000-0000-0000-000000000008 (o),
                                                                   │edited 1970-01-01 00:00
 space approve  s skip  ! flag  c resolve  u undo  P apply  / search  ? help


"#]]
    );
}

#[test]
fn ignoring_for_good_and_clearing_are_kept_too() {
    let film = film((100, 24), planned(plan()), keys("ikk<backspace>"));
    let said = kept(&film.orders);
    assert_eq!(said[0].verdict.decision, Some(Decision::Ignore));
    assert_eq!(said[1].verdict, Resolution::default());
}

#[test]
fn a_conflict_has_no_default() {
    for keys_that_choose_nothing in [")<space>", ")<space><space>", ")c<enter>", ")cx", ")x", ")A"] {
        let film = film((100, 24), planned(contested()), keys(keys_that_choose_nothing));
        let contested = |said: &&Said| {
            film.state
                .reviewing
                .plan()
                .is_some_and(|plan| plan.changes.iter().any(|change| change.id == said.change && change.is_contested()))
        };
        assert_eq!(
            kept(&film.orders).iter().filter(contested).count(),
            0,
            "{keys_that_choose_nothing}: {}",
            film.frame
        );
    }
    let typed = film((100, 30), planned(contested()), keys(")ce<ctrl-u>Shop and blog<enter>"));
    let [ref said] = kept(&typed.orders)[..] else { panic!("{:?}", typed.orders) };
    assert_eq!(said.verdict.decision, Some(Decision::Approve), "what is typed resolves it");
    let again = film((100, 30), planned(contested()), keys(")ce<ctrl-u>Shop and blog<enter>c"));
    assert!(again.frame.contains("1 yours: “Shop and blog”"), "{}", again.frame);
}

#[test]
fn what_the_filter_hides_is_not_decided_about() {
    let hidden = film((100, 24), planned(plan()), keys("fquartz<enter><space>s"));
    assert!(hidden.orders.is_empty(), "{:?}", hidden.orders);
    // Acme stands above what matches, and is not meant.
    let above = film((100, 24), planned(contested()), keys("fWebsite<enter>A"));
    assert_eq!(kept(&above.orders).len(), 1, "{}", above.frame);
}

#[test]
fn esc_goes_back_and_q_leaves() {
    let stays = film((100, 24), planned(plan()), keys("fAcme<enter><esc><esc><esc>j"));
    assert_eq!(stays.state.reviewing.cursor, 1, "{}", stays.frame);
    let left = film((100, 24), planned(plan()), keys("qj"));
    assert_eq!(left.state.reviewing.cursor, 0);
}

#[test]
fn a_search_that_is_given_up_goes_back_to_where_it_began() {
    let film = film((100, 24), planned(plan()), keys("j/Design<esc>"));
    assert_eq!(film.state.reviewing.cursor, 1, "{}", film.frame);
}

#[test]
fn what_was_found_for_an_earlier_question_is_no_news() {
    let mut scenes: Vec<Scene> = planned(plan()).into_iter().map(Scene::News).collect();
    scenes.extend(keys("fDesign").into_iter().map(Scene::Input));
    let late = News::Matched { mode: SearchMode::Filter, number: 1, matches: Matches::default() };
    scenes.push(Scene::News(late));
    let film = film_of((100, 24), THEME, scenes);
    assert!(film.frame.contains("- Design"), "{}", film.frame);
}

#[test]
fn a_brake_is_released_for_its_typed_number_only() {
    let names = ["A", "B", "C", "D"];
    let mut world = World::linked(&names);
    for name in names {
        world.close_page(name);
    }
    let held = film((100, 24), planned(world.plan()), keys("<space>"));
    assert!(held.frame.contains("4 closes of clients at once, and the brake is at 3"), "{}", held.frame);
    let wrong = film((100, 24), planned(world.plan()), keys("B3<enter>"));
    assert!(wrong.orders.is_empty() && wrong.frame.contains("type 4 to let them through"), "{}", wrong.frame);
    let right = film((100, 24), planned(world.plan()), keys("B4<enter>"));
    let [Order::Release(allowances)] = &right.orders[..] else { panic!("{:?}", right.orders) };
    let [allowance] = allowances[..] else { panic!("{allowances:?}") };
    assert_eq!((allowance.class, allowance.count), (Class::Close, 4));
    let elsewhere = film((100, 24), planned(plan()), keys("B"));
    assert!(elsewhere.frame.contains("no brake withholds this change"), "{}", elsewhere.frame);
}

#[test]
fn a_failure_takes_the_plan_along_and_is_said() {
    let mut scenes: Vec<Scene> = planned(plan()).into_iter().map(Scene::News).collect();
    scenes.push(Scene::News(News::Failed { text: vec!["error: Notion does not answer".into()], code: 1 }));
    scenes.extend(keys("<space>").into_iter().map(Scene::Input));

    let film = film_of((100, 20), THEME, scenes);

    assert!(film.frame.contains("Notion does not answer"), "{}", film.frame);
    assert!(film.orders.is_empty(), "nobody is there to keep a decision: {:?}", film.orders);
}

#[test]
fn the_wheel_moves_nothing_under_what_is_typed() {
    use crossterm::event::{Event, KeyModifiers, MouseEvent, MouseEventKind};
    let wheel = MouseEvent { kind: MouseEventKind::ScrollDown, column: 5, row: 5, modifiers: KeyModifiers::NONE };
    let mut scenes: Vec<Scene> = planned(plan()).into_iter().map(Scene::News).collect();
    scenes.extend(keys("j!why").into_iter().map(Scene::Input));
    scenes.push(Scene::Input(Event::Mouse(wheel)));
    scenes.extend(keys("<enter>").into_iter().map(Scene::Input));

    let film = film_of((100, 24), THEME, scenes);

    let Some(Order::Keep(said, _)) = film.orders.first() else { panic!("{:?}", film.orders) };
    let said = said.said();
    let flagged = &film.state.reviewing.plan().expect("a plan").changes
        [film.state.reviewing.place(&said[0].said.change).expect("there")];
    assert_eq!(flagged.name.exact(), "<b>", "{}", film.frame);
}

#[test]
fn what_was_decided_while_a_brake_was_released_is_still_decided() {
    let mut scenes: Vec<Scene> = planned(plan()).into_iter().map(Scene::News).collect();
    scenes.extend(keys("<space>").into_iter().map(Scene::Input));
    // The plan comes anew, made before the state knew.
    scenes.extend(planned(plan()).into_iter().map(Scene::News));

    let film = film_of((100, 24), THEME, scenes);

    assert_eq!(film.state.reviewing.tally.approved, 1, "{}", film.frame);
}
