//! What a run did, taken back: by hand for each sort of change, and as a law of every world.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use snapbox::{assert_data_eq, str};

use super::fake::{Bench, Run};
use crate::domain::{
    diff::tests::{
        laws::{Edit, cases, edited, edits, happen, rule},
        world::{World, approve, approve_all},
    },
    journal::{Event, What},
    model::{Claim, Field, ObjectId, PageId, Value, Values},
    plan::{Change, HoldCode, Plan, Scope, State},
    report::Stopped,
    rules::Brake,
    text::Raw,
    undo::undo,
};

/// The plan that takes a run back, in a world as it is now.
fn inverse(events: &[Event], world: &World) -> Plan {
    undo(events, &world.snapshots(), &world.registry, &world.rules, Scope::default()).expect("a journal of ours")
}

/// Runs everything that a plan proposes and nothing holds.
fn run(world: &World, plan: &Plan) -> Run {
    Bench { approved: Some(approve_all(plan)), ..Bench::new(world) }.run()
}

/// A run of everything, and its undo.
fn run_and_undo(world: &World) -> (Run, Run) {
    let first = Bench::new(world).run();
    let second = run(&first.world, &inverse(&first.notebook.events, &first.world));
    (first, second)
}

/// One line for each change: `close client Acme [ready]`.
fn lines(plan: &Plan) -> String {
    let line = |change: &Change| {
        let hold = change.hold.as_ref().map(|hold| format!(": {}", hold.text)).unwrap_or_default();
        let fields = change.proposal.fields.iter().map(|field| {
            let (from, to) = (field.from.to_raw(), field.to.to_raw());
            format!(", {}: {} → {}", field.field, from.exact(), to.exact())
        });
        let fields: String = fields.collect();
        format!(
            "{} {} {}{fields} [{:?}{hold}]\n",
            change.proposal.action,
            change.kind,
            change.name.exact(),
            change.state
        )
    };
    plan.changes.iter().map(line).collect()
}

/// What both sides hold, as far as a run can change it.
#[derive(Debug, PartialEq)]
struct Held {
    pages: BTreeMap<PageId, (Raw, Claim, bool, Values)>,
    objects: BTreeMap<ObjectId, (Raw, Option<ObjectId>, bool, Values)>,
}

fn held(world: &World) -> Held {
    let page = |page: &crate::domain::model::Page| {
        (page.id, (page.title.clone(), page.claim.clone(), page.standing.is_closed(), page.values.clone()))
    };
    let object =
        |row: &crate::domain::model::Object| (row.id, (row.name.clone(), row.parent, row.closed, row.values.clone()));
    Held { pages: world.pages.values().map(page).collect(), objects: world.objects.values().map(object).collect() }
}

/// A world with a bit of everything to do.
fn busy() -> World {
    let mut world =
        World::linked(&["Acme", "Acme/Website", "Acme/Website/Design", "Beta", "Acme/Shop", "Acme/Shop/Cart"]);
    world.agree("Acme/Website", Field::Note, &Value::text("old"));
    world.page_mut("Acme/Website").values.set(Field::Note, Value::text("new"));
    world.rename_page("Acme/Website", "Relaunch").move_page("Acme/Website", "Beta");
    world.close_page("Acme/Website/Design").move_page("Acme/Shop/Cart", "Acme/Website");
    world.page("Gamma");
    world.page("Gamma/New");
    world.object("Delta");
    world.page("Delta");
    world
}

#[test]
fn each_sort_of_change_has_its_inverse() {
    let first = Bench::new(&busy()).run();
    let plan = inverse(&first.notebook.events, &first.world);
    assert_data_eq!(
        lines(&plan),
        str![[r#"
move project Relaunch, parent: Beta → Acme [Ready]
update project Relaunch, name: Relaunch → Website [Ready]
update project Relaunch, note: new → old [Ready]
link task Cart [Ready]
reopen task Cart, state: closed → open [Ready]
write-back task Cart, claim: 000000000000000000000014 → 00000000000000000000000b [Ready]
close task Cart, state: open → closed [Ready]
reopen task Design, state: closed → open [Ready]
clear-claim client Delta, claim: 00000000000000000000000f →  [Ready]
clear-claim client Gamma, claim: 000000000000000000000012 →  [Ready]
close client Gamma, state: open → closed [Ready]
clear-claim project New, claim: 000000000000000000000016 →  [Ready]
close project New, state: open → closed [Ready]

"#]]
    );
}

#[test]
fn after_an_undo_all_is_as_it_was_and_what_was_created_is_closed() {
    let before = busy();
    let (first, second) = run_and_undo(&before);

    assert_eq!(second.ended, Ok(Stopped::No));
    assert!(!second.ends().contains("failed"), "{}\n{}", second.ends(), second.log(true));
    let (then, mut now) = (held(&before), held(&second.world));
    let created: Vec<ObjectId> = now.objects.keys().copied().filter(|id| !then.objects.contains_key(id)).collect();
    assert_eq!(created.len(), 3, "a client, a project, and the task that moved");
    for created in &created {
        assert!(now.objects.remove(created).is_some_and(|(_, _, closed, _)| closed));
    }
    assert_eq!(now, then);
    assert_ne!(held(&first.world), then);
}

#[test]
fn what_was_undone_is_not_done_again_unasked() {
    let (_, second) = run_and_undo(&busy());

    assert_data_eq!(
        lines(&second.world.plan()),
        str![[r#"
link client Delta [Review]

"#]]
    );
}

#[test]
fn the_undo_of_an_undo_is_as_the_run_had_left_it() {
    let (first, second) = run_and_undo(&busy());

    let third = run(&second.world, &inverse(&second.notebook.events, &second.world));

    assert!(!third.ends().contains("failed"), "{}\n{}", third.ends(), third.log(true));
    assert_eq!(held(&third.world), held(&first.world));
    assert_eq!(lines(&third.world.plan()), "");
    let nothing = Bench::new(&third.world).run();
    assert_eq!(
        lines(&inverse(&nothing.notebook.events, &nothing.world)),
        "",
        "nothing was written, so nothing is undone"
    );
}

#[test]
fn what_has_moved_since_is_held_and_says_how() {
    let first = Bench::new(&busy()).run();
    let mut world = first.world;
    world.rename_object("Acme/Website", "Elsewhere").move_object("Acme/Website", "Acme");
    world.page_mut("Gamma").claim = Claim::None;
    let design = world.object_mut("Acme/Website/Design");
    design.closed = false;
    let gone = world.object_id("Acme/Shop/Cart");
    world.objects.retain(|_, row| row.id != gone);

    let plan = inverse(&first.notebook.events, &world);

    assert_data_eq!(
        lines(&plan),
        str![[r#"
update project Relaunch, name: Elsewhere → Website [Held: it has moved since: now it is “Elsewhere”, and the run left “Relaunch”]
update project Relaunch, note: new → old [Ready]
link task Cart [Held: what it was linked to is gone from Clockify]
update task Cart [Held: it is gone from Clockify]
write-back task Cart, claim: 000000000000000000000014 → 00000000000000000000000b [Held: something that it needs is held]
close task Cart, state: open → closed [Held: something that it needs is held]
clear-claim client Delta, claim: 00000000000000000000000f →  [Ready]
close client Gamma, state: open → closed [Ready]
clear-claim project New, claim: 000000000000000000000016 →  [Ready]
close project New, state: open → closed [Ready]

"#]]
    );
}

#[test]
fn a_journal_without_what_was_there_before_holds_and_says_so() {
    let mut world = World::linked(&["Acme"]);
    world.rename_page("Acme", "Acme Ltd");
    let mut first = Bench::new(&world).run();
    for event in &mut first.notebook.events {
        if let What::Intent { was, .. } = &mut event.what {
            was.before.clear();
        }
    }

    let plan = inverse(&first.notebook.events, &first.world);

    let [change] = plan.changes.as_slice() else { panic!("{}", lines(&plan)) };
    assert_eq!(change.hold.as_ref().map(|hold| hold.code), Some(HoldCode::Unrecorded));
}

#[test]
fn what_cannot_be_put_back_any_more_is_held_and_the_rest_goes_on() {
    let people = |address: &str| Value::People([address.into()].into());
    let mut world = World::linked(&["Acme", "Acme/Shop", "Acme/Shop/Cart"]);
    for (field, old, new) in [
        (Field::Assignees, people("eve@example.com"), people("ada@example.com")),
        (Field::Estimate, Value::Seconds(3600), Value::Seconds(7200)),
    ] {
        world.agree("Acme/Shop/Cart", field, &old);
        world.page_mut("Acme/Shop/Cart").values.set(field, new);
    }
    let mut first = Bench::new(&world).run();
    first.world.limits.accounts = Some(["ada@example.com".into()].into());

    let plan = inverse(&first.notebook.events, &first.world);

    let states: Vec<_> = plan
        .changes
        .iter()
        .map(|change| (change.proposal.fields[0].field, change.hold.as_ref().map(|hold| hold.code)))
        .collect();
    assert_eq!(states, [(Field::Estimate, None), (Field::Assignees, Some(HoldCode::NotTaken))], "{}", lines(&plan));
}

#[test]
fn a_brake_holds_an_undo_that_closes_much() {
    let mut world = World::default();
    for client in ["A", "B", "C", "D"] {
        world.page(client);
    }
    let first = Bench::new(&world).run();

    let plan = inverse(&first.notebook.events, &first.world);

    let braked =
        plan.changes.iter().filter(|change| change.hold.as_ref().is_some_and(|hold| hold.code == HoldCode::Brake));
    assert_eq!(braked.count(), 4, "{}", lines(&plan));
    assert!(plan.changes.iter().all(|change| change.state == State::Held), "their IDs stay with them");
}

#[test]
fn what_people_have_used_since_is_for_a_person() {
    let mut world = World::default();
    world.page("Acme");
    let first = Bench::new(&world).run();
    let mut world = first.world;
    for object in world.objects.values_mut() {
        object.tracked_seconds = Some(3600);
    }
    let plan = inverse(&first.notebook.events, &world);
    assert!(plan.changes.iter().all(|change| change.state == State::Review), "{}", lines(&plan));
    let path = world.objects.keys().next().expect("one").clone();
    world.object(&format!("{path}/Theirs"));
    let plan = inverse(&first.notebook.events, &world);
    assert!(plan.changes.iter().all(|change| change.state == State::Held), "{}", lines(&plan));
}

/// After a run, its undo, and the undo of that.
fn there_and_back(edits: &[Edit], choice: u8) -> Result<(), TestCaseError> {
    let mut world = edited(edits);
    rule(&mut world, choice);
    world.rules.brakes.reopen = Brake { count: 1000, percent: 0 };
    let first = Bench::new(&world).run();
    let plan = inverse(&first.notebook.events, &first.world);
    for change in &plan.changes {
        let code = change.hold.as_ref().map(|hold| hold.code);
        prop_assert_ne!(code, Some(HoldCode::MovedSince), "nobody has moved anything:\n{}", lines(&plan));
    }

    let second = run(&first.world, &plan);

    let story = || {
        format!(
            "{}\nundo:\n{}{}",
            first.fake.log.borrow().join("\n"),
            lines(&plan),
            second.fake.log.borrow().join("\n")
        )
    };
    prop_assert_eq!(second.ended, Ok(Stopped::No));
    prop_assert!(
        !second.ends().contains("failed") && !second.ends().contains("not started"),
        "{}{}",
        second.ends(),
        story()
    );
    let left = inverse(&first.notebook.events, &second.world);
    prop_assert!(left.changes.iter().all(|change| change.state == State::Held), "left:\n{}{}", lines(&left), story());
    // The next ordinary plan does none of it again unasked, where all of it could be taken back and no rule asks for
    // it.
    let held_pages: BTreeSet<PageId> =
        plan.changes.iter().filter(|change| change.hold.is_some()).map(|change| change.page).collect();
    let touched: BTreeSet<PageId> =
        plan.changes.iter().map(|change| change.page).filter(|page| !held_pages.contains(page)).collect();
    let again = second.world.plan();
    let unasked = again.changes.iter().find(|change| touched.contains(&change.page) && change.state == State::Ready);
    prop_assert!(unasked.is_none() || !choice.is_multiple_of(3), "again:\n{}{}", lines(&again), story());

    let back = inverse(&second.notebook.events, &second.world);
    prop_assert!(back.changes.iter().all(|change| change.state != State::Held), "back:\n{}{}", lines(&back), story());
    let third = run(&second.world, &back);
    prop_assert!(!third.ends().contains("failed"), "{}back:\n{}{}", third.ends(), lines(&back), story());
    prop_assert_eq!(held(&third.world), held(&first.world), "back:\n{}{}", lines(&back), story());
    prop_assert_eq!(lines(&third.world.plan()), lines(&first.world.plan()), "back:\n{}{}", lines(&back), story());
    Ok(())
}

/// What people change after a run stays as they have left it.
fn edits_stay(edits: &[Edit], later: &[Edit]) -> Result<(), TestCaseError> {
    let first = Bench::new(&edited(edits)).run();
    let mut world = first.world.clone();
    for edit in later {
        happen(&mut world, *edit);
    }
    let plan = inverse(&first.notebook.events, &world);
    let moved: Vec<(ObjectId, Field)> = moved(&first.world, &world);

    let second = Bench { approved: Some(approve(&plan, |_| true)), ..Bench::new(&world) }.run();

    for event in &second.notebook.events {
        if let What::Intent { request: crate::domain::journal::Write::Update { object, fields, .. }, .. } = &event.what
        {
            for field in fields.keys() {
                prop_assert!(
                    !moved.contains(&(*object, *field)),
                    "{object} {field} was moved by somebody\n{}",
                    lines(&plan)
                );
            }
        }
    }
    Ok(())
}

fn moved(before: &World, after: &World) -> Vec<(ObjectId, Field)> {
    let mut moved = Vec::new();
    for now in after.objects.values() {
        let Some(then) = before.objects.values().find(|then| then.id == now.id) else { continue };
        for field in [Field::Name, Field::Parent, Field::State, Field::Note] {
            let of = |row| crate::domain::steps::current(row, field);
            if of(then) != of(now) {
                moved.push((now.id, field));
            }
        }
    }
    moved
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn there_and_back_again_nothing_is_lost(edits in edits(), choice in any::<u8>()) {
        there_and_back(&edits, choice)?;
    }

    #[test]
    fn an_undo_touches_nothing_that_moved(edits in edits(), later in edits()) {
        edits_stay(&edits, &later)?;
    }
}

#[test]
fn what_is_newer_than_the_run_is_mirrored_after_its_undo() {
    let mut world = World::linked(&["Acme", "Beta", "Acme/Website"]);
    world.agree("Acme/Website", Field::Note, &Value::text("old"));
    world.page_mut("Acme/Website").values.set(Field::Note, Value::text("new"));
    world.rename_page("Beta", "Gamma");
    let first = Bench::new(&world).run();
    let mut since = first.world.clone();
    since.page_mut("Acme/Website").values.set(Field::Note, Value::text("newer"));
    since.rename_page("Beta", "Delta");

    let undone = run(&since, &inverse(&first.notebook.events, &since));

    assert!(undone.ends().lines().all(|end| end == "applied"), "{}", undone.ends());
    assert_data_eq!(
        undone.world.changes(),
        str![[r#"
project "Website" update <Acme/Website> note: "old" → "newer" [notion_changed 100 ready]
client "Delta" update <Beta> name: "Beta" → "Delta" [notion_changed 100 ready]

"#]]
    );
    // What the page says as the run left it is not done again.
    let (_, second) = run_and_undo(&world);
    assert_eq!(second.world.changes(), "");
}

#[test]
fn what_moved_and_is_taken_back_has_its_newer_edits_mirrored_too() {
    let mut world = World::linked(&["Acme", "Acme/Website", "Acme/Shop", "Acme/Website/Design"]);
    world.move_page("Acme/Website/Design", "Acme/Shop");
    let first = Bench::new(&world).run();
    let mut since = first.world.clone();
    since.rename_page("Acme/Website/Design", "Design II");

    let undone = run(&since, &inverse(&first.notebook.events, &since));

    assert!(!undone.ends().contains("failed"), "{}", undone.ends());
    assert_eq!(
        undone.world.changes(),
        "task \"Design II\" update <Acme/Website/Design> name: \"Design\" → \"Design II\" [notion_changed 100 ready]\n"
    );
}

#[test]
fn an_id_that_was_never_in_the_page_stays_out_of_it_after_an_undo() {
    let mut world = World::linked(&["Acme"]);
    world.page("Beta");
    let refused = vec![("page client", super::fake::Fault::Refused)];
    let first = Bench { faults: refused, ..Bench::new(&world) }.run();
    assert_eq!(first.world.changes(), "client \"Beta\" write-back <created 4> [unfinished 100 ready]\n");

    let undone = run(&first.world, &inverse(&first.notebook.events, &first.world));

    assert_eq!(undone.world.changes(), "", "closed, and neither reopened nor named by the page");
    assert_eq!(undone.world.pages["Beta"].claim, Claim::None);
}
