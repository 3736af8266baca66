//! Creates whose answer never came: what an earlier run left open is settled, and a second try looks for its twin.

use std::collections::BTreeMap;

use jiff::Timestamp;
use snapbox::{assert_data_eq, str};

use super::{
    super::{Settling, settle},
    fake::{Bench, Fake, Fault, Notebook},
};
use crate::domain::{
    diff::tests::world::World,
    journal::{Born, Open, Trace, Write, WriteId},
    model::{Kind, ObjectId, Registry, Snapshots},
};

/// The second in which the request left.
const SENT: i64 = 1_000;

fn born_at(second: i64) -> ObjectId {
    format!("{second:08x}{:016x}", 7).parse().expect("an id")
}

fn trace() -> Trace {
    Trace {
        siblings: Vec::new(),
        born: Some(Born::of(Timestamp::from_second(SENT).expect("a time"))),
        ..Trace::default()
    }
}

/// A project with a task page whose create an earlier run sent and never saw answered.
fn task_left_open() -> (World, Open) {
    let mut world = World::linked(&["Acme", "Acme/Website"]);
    world.rules.unsettled = std::time::Duration::ZERO;
    let page = world.page("Acme/Website/Design").id;
    let parent = Some(world.object_id("Acme/Website"));
    let (name, fields) = ("Design".into(), BTreeMap::new());
    let request = Write::Create { page, kind: Kind::Task, parent, name, marked: false, like: None, fields };
    let open = Open {
        run: "before".parse().expect("a run"),
        write: WriteId(1),
        at: Timestamp::UNIX_EPOCH,
        request,
        trace: trace(),
    };
    (world, open)
}

/// Somebody's task in that project, born at that second.
fn task(world: &mut World, name: &str, second: i64) {
    let path = format!("Acme/Website/{name}@{second}");
    let object = world.object(&path);
    object.id = born_at(second);
    object.name = name.into();
}

/// Settles it on what the world shows at first, while it holds more, and tells what came of it.
fn settled(seen: &World, open: Open, holds: &World, fault: Option<(&'static str, Fault)>) -> String {
    settled_all(seen, vec![open], holds, fault)
}

fn settled_all(seen: &World, open: Vec<Open>, holds: &World, fault: Option<(&'static str, Fault)>) -> String {
    let mut fake = Fake::new(holds);
    fake.faults.extend(fault);
    let mut notebook = Notebook::new(&fake.log);
    let (mut snapshots, mut registry): (Snapshots, Registry) = (seen.snapshots(), seen.registry.clone());
    let settling = Settling {
        snapshots: &mut snapshots,
        registry: &mut registry,
        rules: &seen.rules,
        clock: &|| Timestamp::UNIX_EPOCH,
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(settle(open, settling, &fake, &mut notebook)).expect("kept");
    let mut after = seen.clone();
    (after.registry, after.unsettled) = (registry, snapshots.unsettled.clone());
    for object in snapshots.objects.projects.rows().iter().chain(snapshots.objects.tasks.rows()) {
        let known = after.objects.values().any(|known| known.id == object.id);
        if !known {
            let above = if object.kind == Kind::Task { "Acme/Website" } else { "Acme" };
            after.objects.insert(format!("{above}/{}", object.id), object.clone());
        }
    }
    let log: String = fake.log.borrow().iter().fold(String::new(), |log, line| log + line + "\n");
    log + &after.ways()
}

#[test]
fn what_nothing_shows_is_not_created_again_before_it_is_old_enough() {
    let (mut world, open) = task_left_open();
    world.rules.unsettled = std::time::Duration::from_mins(10);
    // Somebody's task was born in the same seconds; that may be chance.
    task(&mut world, "Layout", SENT + 1);
    assert_data_eq!(
        settled(&world, open.clone(), &world, None),
        str![[r#"
look up create task "Design" under <Acme/Website>
look up create task "Design" under <Acme/Website>
task "Design" create name: "" → "Design" [new 95 held Unsettled]

"#]]
    );

    let old = Open { at: Timestamp::UNIX_EPOCH - jiff::SignedDuration::from_mins(11), ..open };
    assert_data_eq!(
        settled(&world, old, &world, None),
        str![[r#"
task "Design" create name: "" → "Design" [new 60 review]
  or link <Acme/Website/Layout@1001> 60

"#]]
    );
}

/// What happened, the tasks that the listing shows and those that it does not, and a fault.
type Case<'a> = (&'a str, &'a [(&'a str, i64)], &'a [(&'a str, i64)], Option<(&'static str, Fault)>);

#[test]
fn what_was_left_open_is_found_looked_for_or_left_to_a_person() {
    let mut pictures = String::new();
    let cases: [Case<'_>; 8] = [
        ("the listing shows it", &[("Design", SENT)], &[], None),
        ("the listing lags behind", &[], &[("Design", SENT)], None),
        ("it did not happen", &[], &[], None),
        ("somebody's of that name, from before", &[("Design", SENT - 60)], &[], None),
        ("somebody's of that name, from after", &[("Design", SENT + 600)], &[], None),
        ("two of that name", &[("Design", SENT), ("Design", SENT + 1)], &[], None),
        ("renamed meanwhile", &[("Layout", SENT + 1)], &[], None),
        ("looking it up fails", &[], &[("Design", SENT)], Some(("create task", Fault::Dark))),
    ];
    for (case, seen, unseen, fault) in cases {
        let (mut world, open) = task_left_open();
        for (name, second) in seen {
            task(&mut world, name, *second);
        }
        let mut holds = world.clone();
        for (name, second) in unseen {
            task(&mut holds, name, *second);
        }
        pictures += &format!("{case}:\n{}", settled(&world, open, &holds, fault));
    }
    assert_data_eq!(
        pictures,
        str![[r#"
the listing shows it:
  journal: 1 done +1 link
task "Design" write-back <Acme/Website/Design@1000> [unfinished 100 ready]
the listing lags behind:
look up create task "Design" under <Acme/Website>
  journal: 1 done +1 link
task "Design" write-back <Acme/Website/000003e80000000000000007> [unfinished 100 ready]
it did not happen:
look up create task "Design" under <Acme/Website>
look up create task "Design" under <Acme/Website>
  journal: 1 absent
task "Design" create name: "" → "Design" [new 95 ready]
somebody's of that name, from before:
look up create task "Design" under <Acme/Website>
look up create task "Design" under <Acme/Website>
  journal: 1 absent
task "Design" link <Acme/Website/Design@940> [match 90 ready]
  or create name: "" → "Design" 60
somebody's of that name, from after:
look up create task "Design" under <Acme/Website>
look up create task "Design" under <Acme/Website>
  journal: 1 absent
task "Design" link <Acme/Website/Design@1600> [match 90 ready]
  or create name: "" → "Design" 60
two of that name:
task "Design" link <Acme/Website/Design@1000> [match 70 review]
  or link <Acme/Website/Design@1001> 70
  or create name: "" → "Design" 60
renamed meanwhile:
look up create task "Design" under <Acme/Website>
look up create task "Design" under <Acme/Website>
task "Design" create name: "" → "Design" [new 60 review]
  or link <Acme/Website/Layout@1001> 60
looking it up fails:
look up create task "Design" under <Acme/Website>
task "Design" create name: "" → "Design" [new 95 held Unsettled]

"#]]
    );
}

#[test]
fn on_half_a_listing_it_stays_open() {
    let (mut world, open) = task_left_open();
    world.partial_objects.insert(Kind::Task);
    assert_data_eq!(
        settled(&world, open, &world, None),
        str![[r#"
look up create task "Design" under <Acme/Website>
look up create task "Design" under <Acme/Website>
task "Design" create name: "" → "Design" [new 95 held Unsettled]

"#]]
    );
}

#[test]
fn with_what_it_was_to_stand_under_it_has_gone_too() {
    let (mut world, open) = task_left_open();
    world.objects.remove("Acme/Website");

    let text = settled(&world, open, &world, None);

    assert!(text.starts_with("  journal: 1 absent\n"), "nothing is looked for there: {text}");
}

#[test]
fn what_somebody_linked_meanwhile_is_open_no_more() {
    let (mut world, open) = task_left_open();
    world.pages.remove("Acme/Website/Design");
    world.link("Acme/Website/Design");
    let id = world.page_id("Acme/Website/Design");
    let Write::Create { page, .. } = open.request.clone() else { unreachable!("a create") };
    world.page_mut("Acme/Website/Design").id = page;
    let link = world.registry.of_page(id).expect("a link").clone();
    world.registry.remove(id);
    world.registry.insert(crate::domain::model::Link { page, ..link });

    assert_data_eq!(
        settled(&world, open, &world, None),
        str![[r#"
  journal: 1 absent

"#]]
    );
}

/// A page whose create was sent before and looked for in vain.
fn second_try(fault: Option<Fault>, first: Option<(&str, i64)>) -> String {
    let (mut world, open) = task_left_open();
    let earlier = [(open.request.page(), open.trace)].into();
    let planned = world.plan();
    if let Some((name, second)) = first {
        task(&mut world, name, second);
    }
    let approved = Some(crate::domain::diff::tests::world::approve_all(&planned));
    let faults = fault.into_iter().map(|fault| ("create task", fault)).collect();
    let run =
        Bench { earlier, approved, faults, now: Timestamp::from_second(SENT + 60).ok(), ..Bench::new(&world) }.run();
    let log: String =
        run.log(false).lines().filter(|line| !line.contains("page task")).map(|line| format!("{line}\n")).collect();
    log + &run.ends()
}

#[test]
fn a_second_try_that_is_refused_finds_what_the_first_made() {
    assert_data_eq!(
        second_try(None, Some(("Design", SENT))),
        str![[r#"
send create task "Design" under <Acme/Website>
fail create task "Design" under <Acme/Website>
look up create task "Design" under <Acme/Website>
applied

"#]]
    );
    assert_data_eq!(
        second_try(None, Some(("Design", SENT - 60))),
        str![[r#"
send create task "Design" under <Acme/Website>
fail create task "Design" under <Acme/Website>
look up create task "Design" under <Acme/Website>
failed: a name that exists already

"#]]
    );
}

#[test]
fn a_second_try_tells_of_its_twin() {
    assert_data_eq!(
        second_try(Some(Fault::BesideATwin), None),
        str![[r#"
send create task "Design" under <Acme/Website>
done create task "Design" under <Acme/Website>
look up create task "Design" under <Acme/Website>
failed: created, and it is there twice: an earlier try or another machine has made it too (000004240000000000000008)

"#]]
    );
    assert_data_eq!(
        second_try(None, None),
        str![[r#"
send create task "Design" under <Acme/Website>
done create task "Design" under <Acme/Website>
look up create task "Design" under <Acme/Website>
applied

"#]]
    );
}

/// A new project that an earlier run sent along with two tasks, and never saw answered.
fn sent_together() -> (World, Vec<Open>) {
    let mut world = World::linked(&["Acme"]);
    world.rules.unsettled = std::time::Duration::ZERO;
    let acme = world.object_id("Acme");
    let mut open = Vec::new();
    for (path, kind, parent) in [
        ("Acme/App", Kind::Project, Some(acme)),
        ("Acme/App/Draw", Kind::Task, None),
        ("Acme/App/Code", Kind::Task, None),
    ] {
        let (page, name) = (world.page(path).id, path.rsplit('/').next().expect("a name").into());
        let fields = BTreeMap::new();
        let request = Write::Create { page, kind, parent, name, marked: false, like: None, fields };
        let number = u32::try_from(open.len()).expect("few") + 1;
        let trace = Trace { with: (number > 1).then_some(WriteId(1)), ..trace() };
        let run = "before".parse().expect("a run");
        open.push(Open { run, write: WriteId(number), at: Timestamp::UNIX_EPOCH, request, trace });
    }
    (world, open)
}

/// What the requests have made: the project, and one of its tasks.
fn made_together(world: &mut World) {
    for path in ["Acme/App", "Acme/App/Draw"] {
        let id = format!("{SENT:08x}{:016x}", 7 + world.objects.len()).parse().expect("an id");
        world.object(path).id = id;
    }
}

#[test]
fn what_went_along_is_settled_under_what_its_project_has_become() {
    let mut pictures = String::new();
    for (case, shows, holds) in [
        ("the listing shows it", true, true),
        ("the listing lags behind", false, true),
        ("it did not happen", false, false),
    ] {
        let (mut world, open) = sent_together();
        let mut all = world.clone();
        if holds {
            made_together(&mut all);
        }
        if shows {
            made_together(&mut world);
        }
        pictures += &format!("{case}:\n{}", settled_all(&world, open, &all, None));
    }
    assert_data_eq!(
        pictures,
        str![[r#"
the listing shows it:
  journal: 1 done +1 link
  journal: 2 done +1 link
read names of tasks under <Acme/App>
read names of tasks under <Acme/App>
  journal: 3 absent
project "App" write-back <Acme/App> [unfinished 100 ready]
task "Code" create name: "" → "Code" [new 95 ready]
task "Draw" write-back <Acme/App/Draw> [unfinished 100 ready]
the listing lags behind:
look up create project "App" under <Acme>
  journal: 1 done +1 link
read names of tasks under <Acme/App>
read names of tasks under <Acme/App>
  journal: 2 done +1 link
  journal: 3 absent
project "App" write-back <Acme/000003e80000000000000008> [unfinished 100 ready]
task "Code" create name: "" → "Code" [new 95 ready]
task "Draw" write-back <Acme/Website/000003e80000000000000009> [unfinished 100 ready]
it did not happen:
look up create project "App" under <Acme>
look up create project "App" under <Acme>
  journal: 1 absent
  journal: 2 absent
  journal: 3 absent
project "App" create name: "" → "App" [new 95 ready]
task "Code" create name: "" → "Code" [new 95 ready] after create "App"
task "Draw" create name: "" → "Draw" [new 95 ready] after create "App"

"#]]
    );
}

#[test]
fn tasks_of_a_project_that_nothing_shows_yet_wait_with_it() {
    let (mut world, open) = sent_together();
    world.rules.unsettled = std::time::Duration::from_mins(10);
    assert_data_eq!(
        settled_all(&world, open, &world, None),
        str![[r#"
look up create project "App" under <Acme>
look up create project "App" under <Acme>
project "App" create name: "" → "App" [new 95 held Unsettled]
task "Code" create name: "" → "Code" [new 95 held Unsettled] after create "App"
task "Draw" create name: "" → "Draw" [new 95 held Unsettled] after create "App"

"#]]
    );
}

#[test]
fn a_project_that_is_known_by_now_is_where_its_tasks_are_looked_for() {
    let (mut world, mut open) = sent_together();
    made_together(&mut world);
    let project = world.object_id("Acme/App");
    open.remove(0);
    for task in &mut open {
        task.request.stands_under(project);
    }
    assert_data_eq!(
        settled_all(&world, open.clone(), &world, None),
        str![[r#"
  journal: 2 done +1 link
read names of tasks under <Acme/App>
read names of tasks under <Acme/App>
  journal: 3 absent
project "App" link <Acme/App> [match 90 ready]
  or create name: "" → "App" 60
task "Code" create name: "" → "Code" [new 95 ready] after link "App"
task "Draw" write-back <Acme/App/Draw> [unfinished 100 ready]

"#]]
    );
    for task in &mut open {
        if let Write::Create { parent, .. } = &mut task.request {
            *parent = None;
        }
    }
    assert_data_eq!(
        settled_all(&world, open, &world, None),
        str![[r#"
  journal: 2 absent
  journal: 3 absent
project "App" link <Acme/App> [match 90 ready]
  or create name: "" → "App" 60
task "Code" create name: "" → "Code" [new 95 ready] after link "App"
task "Draw" link <Acme/App/Draw> [match 90 ready] after link "App"
  or create name: "" → "Draw" 60

"#]]
    );
}
