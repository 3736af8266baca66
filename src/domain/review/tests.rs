use super::*;
use crate::domain::{
    model::{Kind, PageId},
    plan::Cause,
    rules::Rules,
    text::Raw,
};

fn id(name: &str) -> ChangeId {
    ChangeId::from_number(name.bytes().fold(0, |number, byte| number << 8 | u64::from(byte)))
}

fn change(name: &str, confidence: u8, requires: &[&str]) -> Change {
    Change {
        id: id(name),
        kind: Kind::Client,
        page: PageId::from_number(1),
        name: Raw::from(name),
        parent: None,
        claimed: None,
        cause: Cause::New,
        proposal: Proposal {
            action: Action::Create,
            side: Service::Clockify,
            object: None,
            fields: vec![],
            confidence,
            reason: String::new().into(),
        },
        alternatives: vec![],
        hold: None,
        state: State::Review,
        requires: requires.iter().map(|name| id(name)).collect(),
        tracked_seconds: None,
        refiling: None,
    }
}

fn plan(changes: Vec<Change>) -> Plan {
    Plan { changes, ..Plan::default() }.seal(&Rules::default())
}

fn approved(review: &Review<&Plan>) -> Vec<String> {
    review.approved().changes().iter().map(|change| change.name.exact().to_owned()).collect()
}

fn place(plan: &Plan, name: &str) -> usize {
    plan.changes.iter().position(|change| change.name.exact() == name).expect("a change")
}

#[test]
fn what_people_wait_for_comes_first_where_not_all_is_made_today() {
    let with = |name: &str, action, seconds| {
        let change = change(name, 100, &[]);
        Change { proposal: Proposal { action, ..change.proposal }, tracked_seconds: seconds, ..change }
    };
    let changes = vec![
        with("Closed", Action::Close, Some(60)),
        with("Idle", Action::WriteBack, None),
        with("Tracked", Action::WriteBack, Some(60)),
        with("New", Action::Create, None),
    ];
    let verdicts = changes.iter().map(|change| {
        let said = Said { change: change.id, page: change.page, what: change.words(), verdict: Resolution::default() };
        (said, change.name.exact().to_owned())
    });
    let approved = Approved { verdicts: verdicts.collect(), changes };

    let approved = approved.by_worth();

    let names: Vec<&str> = approved.changes().iter().map(|change| change.name.exact()).collect();
    assert_eq!(names, ["New", "Tracked", "Idle", "Closed"]);
    assert!(approved.verdicts().iter().zip(names).all(|((_, by), name)| by == name), "each keeps its own");
}

#[test]
fn what_rests_on_a_change_for_review_is_for_review_too() {
    let plan = plan(vec![change("parent", 85, &[]), change("child", 95, &["parent"]), change("other", 95, &[])]);

    let review = Review::by_policy(&plan);

    assert_eq!(approved(&review), ["other"]);
}

#[test]
fn skipping_a_parent_takes_its_children_along() {
    let plan = plan(vec![change("a", 95, &[]), change("b", 95, &["a"]), change("c", 95, &["b"])]);
    let mut review = Review::by_policy(&plan);
    assert_eq!(approved(&review).len(), 3);

    review.decide(&[place(&plan, "a")], Some(&Decision::Skip));

    assert!(approved(&review).is_empty());
}

#[test]
fn approving_a_change_approves_what_it_requires_and_undo_takes_all_of_it_back() {
    let plan = plan(vec![change("a", 50, &[]), change("b", 50, &["a"]), change("c", 50, &[])]);
    let mut review = Review::new(&plan, "tester");

    let decided = review.decide(&[place(&plan, "b")], Some(&Decision::Approve));

    assert_eq!((decided.len(), approved(&review).len()), (2, 2));
    assert_eq!(review.undo().len(), 2);
    assert!(approved(&review).is_empty());
    assert_eq!(review.redo().len(), 2);
    assert_eq!(approved(&review).len(), 2);
    assert!(review.redo().is_empty());
}

#[test]
fn another_way_is_taken_and_what_was_paired_below_the_planned_one_waits() {
    let mut parent = change("a", 50, &[]);
    parent.proposal.action = Action::Link;
    parent.alternatives = vec![change("other", 50, &[]).proposal];
    let mut below = change("b", 50, &["a"]);
    below.proposal.action = Action::Link;
    let plan = plan(vec![parent, below, change("c", 50, &["a"])]);
    let mut review = Review::new(&plan, "tester");
    review.approve_all(|_| true);

    review.choose(place(&plan, "a"), 1);

    assert_eq!(review.approved().changes()[0].proposal.action, Action::Create);
    assert_eq!(approved(&review), ["a", "c"], "a create finds its parent by its page");
    assert_eq!(review.blocked(place(&plan, "b")).map(|change| change.name.exact()), Some("a"));
}

#[test]
fn single_fields_can_be_left_alone_or_edited() {
    let field = |field, to: &str| crate::domain::plan::FieldChange::new(field, Value::Empty, Value::text(to));
    let mut update = change("a", 50, &[]);
    update.proposal.action = Action::Update;
    update.proposal.fields = vec![field(Field::Email, "a@b"), field(Field::Note, "old")];
    let plan = plan(vec![update]);
    let mut review = Review::new(&plan, "tester");
    review.approve_all(|_| true);

    review.toggle_field(0, Field::Email).expect("another is left");
    review.edit_field(0, Field::Note, &Value::text("new"), false);
    assert_eq!(review.approved().changes()[0].proposal.fields, [field(Field::Note, "new")]);

    assert!(review.toggle_field(0, Field::Note).is_err(), "an update without fields has nothing to do");
}

#[test]
fn one_resolution_is_taken_for_all_that_ask_the_same_as_one_step() {
    let contested = |name: &str, requires: &[&str]| {
        let mut change = change(name, 50, requires);
        change.proposal.action = Action::Update;
        change.cause = Cause::Conflict;
        change.proposal.fields =
            vec![crate::domain::plan::FieldChange::new(Field::Note, Value::Empty, Value::text("new"))];
        change.alternatives = vec![Proposal { side: Service::Notion, ..change.proposal.clone() }];
        change
    };
    let mut other = contested("d", &[]);
    other.cause = Cause::Drift;
    let plan = plan(vec![change("parent", 50, &[]), contested("a", &[]), contested("b", &["parent"]), other]);
    let mut review = Review::new(&plan, "tester");
    let alike = review.alike(place(&plan, "a"));
    assert_eq!(alike, [place(&plan, "a"), place(&plan, "b")]);

    let changed = review.resolve(&alike, 1);

    assert_eq!(changed.len(), 3, "both, and what one of them requires");
    assert_eq!(approved(&review), ["parent", "a", "b"]);
    assert_eq!((review.verdict(place(&plan, "a")).way, review.verdict(place(&plan, "parent")).way), (1, 0));
    review.undo();
    assert!(approved(&review).is_empty());
    assert_eq!(review.verdict(place(&plan, "a")).way, 0);
}

#[test]
fn a_typed_value_is_written_and_no_way_that_writes_nothing_keeps_it_back() {
    let mut contested = change("a", 50, &[]);
    contested.proposal.action = Action::Update;
    contested.proposal.fields =
        vec![crate::domain::plan::FieldChange::new(Field::Note, Value::Empty, Value::text("new"))];
    contested.alternatives = vec![Proposal { action: Action::Accept, ..contested.proposal.clone() }];
    let plan = plan(vec![contested]);
    let mut review = Review::new(&plan, "tester");
    review.resolve(&[0], 1);

    review.edit_field(0, Field::Note, &Value::text("mine"), true);

    assert_eq!((review.action(0), review.chosen(0).fields[0].to.clone()), (Action::Update, Value::text("mine")));
}

#[test]
fn what_was_decided_otherwise_is_not_resolved_alike() {
    let contested = |name: &str| {
        let mut change = change(name, 50, &[]);
        change.proposal.action = Action::Update;
        change.cause = Cause::Conflict;
        change.alternatives = vec![Proposal { side: Service::Notion, ..change.proposal.clone() }];
        change
    };
    let plan = plan(vec![contested("a"), contested("b"), contested("c")]);
    let mut review = Review::new(&plan, "tester");
    review.decide(&[place(&plan, "b")], Some(&Decision::Flag { note: "ask Ana".into() }));

    assert_eq!(review.alike(place(&plan, "a")), [place(&plan, "a"), place(&plan, "c")]);
}

#[test]
fn what_was_approved_of_an_old_plan_is_approved_the_same_way_of_a_fresh_one() {
    let mut parent = change("a", 50, &[]);
    parent.alternatives = vec![Proposal { action: Action::Link, ..parent.proposal.clone() }];
    let plan = plan(vec![parent, change("b", 50, &[])]);
    let mut review = Review::new(&plan, "tester");
    review.decide(&[place(&plan, "a")], Some(&Decision::Approve));
    review.choose(place(&plan, "a"), 1);
    let approved = review.approved();

    let mut fresh = Review::new(&plan, "somebody else");
    fresh.recall(approved.verdicts().iter().cloned());

    assert_eq!(fresh.approved(), approved);
}

#[test]
fn decisions_are_recalled_by_content_and_a_held_change_is_never_approved() {
    let mut held = change("a", 95, &[]);
    held.hold =
        Some(crate::domain::plan::Hold { code: crate::domain::plan::HoldCode::NoParent, text: String::new().into() });
    let plan = plan(vec![held, change("b", 50, &[])]);
    let mut review = Review::new(&plan, "tester");
    let approve = Resolution { decision: Some(Decision::Approve), ..Resolution::default() };

    let said = |name: &str| Said {
        change: id(name),
        page: PageId::from_number(1),
        what: Shown::default(),
        verdict: approve.clone(),
    };
    review.recall(["a", "b", "gone"].map(|id| (said(id), "Ana".to_owned())));

    assert_eq!(approved(&review), ["b"]);
    assert!(review.decide(&[place(&plan, "a")], Some(&Decision::Approve)).is_empty());
}
