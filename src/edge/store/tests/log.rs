//! The log: found by what it is about, verified, and cut off.

use std::ops::ControlFlow;

use super::*;
use crate::domain::{
    audit::{Hash, Level},
    journal::{Difference, Totals},
    model::Service,
    plan::{Action, Calls, FieldChange, Plan, State},
    report::{Stopped, report},
};

/// A run that renames a project, with everything that is logged of it.
pub(super) fn rename(run: &str, number: u32, from: &str, to: &str) -> Vec<Event> {
    let change = ChangeId::from_number(number.into());
    let (page, object) = (page(number.into()), object(number));
    let text = |text: &str| Value::Text(text.into());
    let fields = BTreeMap::from([(Field::Name, text(to))]);
    let started = What::RunStarted {
        trigger: "auto-approve".into(),
        by: "mara".into(),
        account: "mara".into(),
        host: "desk".into(),
        version: "1".into(),
        rules: "r".into(),
        config: "c".into(),
    };
    let difference = What::Difference(Box::new(Difference {
        change,
        kind: Kind::Project,
        page,
        name: to.into(),
        path: Vec::new(),
        object: Some(object),
        action: Action::Update,
        side: Service::Clockify,
        fields: vec![FieldChange::new(Field::Name, text(from), text(to))],
        confidence: 100,
        reason: "only Notion changed".into(),
        state: State::Ready,
        hold: None,
    }));
    let request = Write::Update { page, kind: Kind::Project, object, fields };
    let what = vec![
        started,
        What::Planned {
            plan_hash: "h".into(),
            changes: 1,
            known: 0,
            complete: true,
            undoes: None,
            workspaces: Box::default(),
            clients: vec![],
        },
        difference,
        What::Approved { change, by: "policy".into(), action: None, also: vec![] },
        What::Intent {
            write: WriteId(1),
            changes: vec![change],
            request,
            was: Box::new(Was { before: BTreeMap::from([(Field::Name, text(from))]), name: to.into() }),
            trace: Box::default(),
        },
        What::Outcome { write: WriteId(1), outcome: Outcome::Done { object: Some(object) } },
        What::Applied { change },
    ];
    what.into_iter().map(|what| event(run, what)).collect()
}

/// Stores a run as a session does, begun at a second.
async fn store_run(store: &mut Store, run: &str, second: i64, events: Vec<Event>) {
    let id: RunId = run.parse().expect("a run");
    let record = RunRecord {
        id,
        trigger: "auto-approve".into(),
        by: "mara".into(),
        version: "1".into(),
        rules_hash: "r".into(),
        plan_hash: None,
        started: at(second),
        end: None,
    };
    store.begin_run(&record).await.expect("begins");
    let dated = |event: Event| Event { at: at(second), ..event };
    let events: Vec<Event> = events.into_iter().map(dated).collect();
    store.append_all(&events).await.expect("appends");
    let calls = Calls { notion: 3, clockify: 2 };
    let totals = Totals {
        stopped: Stopped::No,
        unsettled: 0,
        calls,
        seconds: 1.5,
        not_before: None,
        pending: 0,
        second_person: 0,
        held: 0,
        ready: 0,
        hourly: None,
    };
    let plan = Plan { hash: "h".into(), complete: true, ..Plan::default() };
    let report = report(id, &plan, &events, totals);
    let ended = What::RunEnded { outcome: "applied".into(), totals: Some(totals) };
    store.append(&dated(event(run, ended))).await.expect("appends");
    let end = RunEnd { at: at(second), outcome: "applied".into(), report: Some(report) };
    store.end_run(&id, &end).await.expect("ends");
}

/// The words of what is selected, from the first to the last.
async fn selected(store: &Store, selection: &Selection) -> Vec<String> {
    let mut words = Vec::new();
    let visit = async |entry: Entry| {
        words.push(format!("{} {}", entry.n, entry.event().expect("reads").what.word()));
        ControlFlow::Continue(())
    };
    store.visit_log(selection, Toward::End(0), visit).await.expect("reads");
    let mut backwards = Vec::new();
    let visit = async |entry: Entry| {
        backwards.push(entry.n);
        ControlFlow::Continue(())
    };
    store.visit_log(selection, Toward::Beginning(u64::MAX), visit).await.expect("reads");
    let forwards: Vec<u64> = words.iter().filter_map(|word| word.split(' ').next()?.parse().ok()).rev().collect();
    assert_eq!(backwards, forwards, "both ways lead through the same");
    words
}

wherever! {
    a_selection_finds_what_it_says,
    what_an_entry_is_about_is_found_with_it,
    a_list_of_runs_that_was_changed_is_noticed,
    a_label_that_was_changed_in_the_database_is_noticed,
    old_entries_are_cut_off_whole_runs_at_a_time_and_the_rest_still_verifies,
    a_clock_that_was_set_back_changes_neither_the_order_nor_the_proof,
}

async fn a_selection_finds_what_it_says(world: World) {
    let mut store = world.open().await;
    store_run(&mut store, "a", 100, rename("a", 1, "Acme", "Acme Corp")).await;
    store_run(&mut store, "b", 200, rename("b", 2, "Globex", "Globex Group")).await;
    store.append(&event("b", What::SecretRefused { error: "no".into() })).await.expect("appends");
    let select = async |selection: Selection| selected(&store, &selection).await;
    let all = Selection::default();

    let of_page = store.entity(Some(page(1)), None).await.expect("reads");
    let about = |entity: Entity| Selection { about: Some(entity), ..all.clone() };
    let story = ["3 difference", "4 approved", "5 intent", "6 outcome", "7 applied"];
    assert_eq!(select(about(of_page)).await, story, "also what names only its change or its write");
    assert_eq!(
        select(about(store.entity(None, Some(object(1))).await.expect("reads"))).await,
        story,
        "an object leads to its page"
    );
    let named = store.entities_named("acme corp").await.expect("reads");
    assert_eq!(named.len(), 1);
    assert_eq!((named[0].kind, named[0].name.exact()), (Some(Kind::Project), "Acme Corp"));
    assert_eq!(store.entities_named("Acme").await.expect("reads"), named, "by the name that it had");
    assert_eq!(store.entities_named("nobody").await.expect("reads"), []);

    let run = Some("b".parse().expect("a run"));
    assert_eq!(select(Selection { run, ..all.clone() }).await.len(), 9);
    let grave = Selection { level: Some(Level::Error), ..all.clone() };
    assert_eq!(select(grave).await, ["17 secret_refused"]);
    assert_eq!(select(Selection { level: Some(Level::Info), ..all.clone() }).await.len(), 17);
    assert_eq!(select(Selection { kinds: ["intent"].into(), ..all.clone() }).await, ["5 intent", "13 intent"]);
    let kinds = Selection { kinds: ["intent", "applied"].into(), run, ..all.clone() };
    assert_eq!(select(kinds).await, ["13 intent", "15 applied"]);
    let (since, until) = (Some(at(150)), Some(at(150)));
    assert_eq!(select(Selection { since, kinds: ["planned"].into(), ..all.clone() }).await, ["10 planned"]);
    assert_eq!(select(Selection { until, kinds: ["planned"].into(), ..all.clone() }).await, ["2 planned"]);
    assert_eq!(select(Selection { since: Some(at(900)), ..all }).await, [""; 0]);
}

async fn what_an_entry_is_about_is_found_with_it(world: World) {
    let mut store = world.open().await;
    let events = rename("a", 1, "Acme", "Acme Corp");
    store.append_all(&events).await.expect("appends");
    let mut words = Vec::new();
    for event in &events {
        words.push(store.log_context(event).await.expect("reads").map(|context| context.what.word()));
    }
    assert_eq!(words, [None, None, None, Some("difference"), None, Some("intent"), Some("difference")]);
}

async fn a_list_of_runs_that_was_changed_is_noticed(world: World) {
    let mut store = world.open().await;
    store_run(&mut store, "a", 100, rename("a", 1, "Acme", "Acme Corp")).await;
    let checkpoint = checkpoint(&store).await;
    let findings = async |store: &Store| store.verify(std::slice::from_ref(&checkpoint)).await.expect("reads").findings;
    assert_eq!(findings(&store).await, []);
    let altered = [Finding::RunAltered { run: "a".parse().expect("a run") }];
    for (change, back) in [
        ("UPDATE run SET by = 'ben'", "UPDATE run SET by = 'mara'"),
        ("UPDATE run SET outcome = 'in_sync'", "UPDATE run SET outcome = 'applied'"),
        (
            r#"UPDATE run SET report = replace(report, '"applied":1,', '"applied":7,')"#,
            r#"UPDATE run SET report = replace(report, '"applied":7,', '"applied":1,')"#,
        ),
        (
            r#"UPDATE run SET report = replace(report, '"applied":1,', '"applied":"many",')"#,
            r#"UPDATE run SET report = replace(report, '"applied":"many",', '"applied":1,')"#,
        ),
        ("UPDATE run SET run_id = 'x'", "UPDATE run SET run_id = 'a'"),
    ] {
        store.tamper(change).await.expect("changes");
        assert!(findings(&store).await.iter().any(|finding| matches!(finding, Finding::RunAltered { .. })), "{change}");
        store.tamper(back).await.expect("changes");
        assert_eq!(findings(&store).await, [], "{back}");
    }
    store.tamper("DELETE FROM run").await.expect("changes");
    assert_eq!(findings(&store).await, altered);
}

async fn a_label_that_was_changed_in_the_database_is_noticed(world: World) {
    let mut store = world.open().await;
    store.append_all(&rename("a", 1, "Acme", "Acme Corp")).await.expect("appends");
    let checkpoint = checkpoint(&store).await;
    store.let_events_be_changed().await;
    for column in ["page_id", "clockify_id", "change_id"] {
        let sql = format!("UPDATE event SET {column} = NULL WHERE n = 3");
        store.tamper("BEGIN").await.expect("begins");
        store.tamper(&sql).await.expect("changes");
        let findings = store.verify(std::slice::from_ref(&checkpoint)).await.expect("reads").findings;
        store.tamper("ROLLBACK").await.expect("goes back");
        assert_eq!(findings[0], Finding::Mislabelled { n: 3 }, "{column}");
    }
}

async fn old_entries_are_cut_off_whole_runs_at_a_time_and_the_rest_still_verifies(world: World) {
    let mut store = world.open().await;
    for (run, second) in [("a", 100), ("b", 200), ("c", 300)] {
        store_run(&mut store, run, second, rename(run, 1, "Acme", "Acme Corp")).await;
    }
    let earlier = checkpoint(&store).await;
    let id = "c".parse().expect("a run");
    assert_eq!(store.cut_log(at(50), &id, at(400)).await.expect("looks"), None, "nothing is that old");

    assert_eq!(store.cut_log(at(250), &id, at(400)).await.expect("cuts"), Some(16));

    assert_eq!(store.log_bounds().await.expect("reads"), Some((17, 25)));
    assert_eq!(store.verify(&[earlier.clone(), checkpoint(&store).await]).await.expect("reads").findings, []);
    assert!(store.tamper("DELETE FROM event").await.is_err(), "the rest stays");
    assert_eq!(store.runs(9).await.expect("reads").len(), 3, "that they ran is still known");

    store.append(&intent("d", 9)).await.expect("appends");
    assert_eq!(store.cut_log(at(999), &id, at(400)).await.expect("cuts"), Some(9), "an open write is kept");
    assert_eq!(store.open_writes().await.expect("reads").len(), 1);
    let verdict = store.verify(&[earlier, checkpoint(&store).await]).await.expect("reads");
    assert_eq!((verdict.findings, verdict.first), (vec![], Some(26)));

    // Somebody helps themselves to the door that cutting uses.
    let opened = "INSERT INTO log_start (n, hash) SELECT n, hash FROM event WHERE n = 26";
    store.tamper(opened).await.expect("inserts");
    store.tamper("DELETE FROM event WHERE n = 26").await.expect("deletes");
    let findings = store.verify(&[checkpoint(&store).await]).await.expect("reads").findings;
    assert_eq!(findings, [Finding::Unannounced { through: 26 }]);
    let head = store.log_head().await.expect("reads");
    assert_ne!(head.1, Hash::START);
}

async fn a_clock_that_was_set_back_changes_neither_the_order_nor_the_proof(world: World) {
    let mut store = world.open().await;
    store_run(&mut store, "a", 500, rename("a", 1, "Acme", "Acme Corp")).await;
    store_run(&mut store, "b", 100, rename("b", 2, "Globex", "Globex Group")).await;
    store_run(&mut store, "c", 600, rename("c", 3, "Hooli", "Hooli Group")).await;

    let select = async |since, until| {
        selected(&store, &Selection { since, until, kinds: ["planned"].into(), ..Selection::default() }).await
    };

    assert_eq!(
        select(None, None).await,
        ["2 planned", "10 planned", "18 planned"],
        "in the order in which they were made"
    );
    assert_eq!(
        select(Some(at(450)), None).await,
        ["2 planned", "18 planned"],
        "what the clock of that moment said counts"
    );
    assert_eq!(select(None, Some(at(450))).await, ["10 planned"]);
    assert_eq!(store.verify(&[checkpoint(&store).await]).await.expect("reads").findings, []);
}
