//! The client of Clockify and the emulated Clockify, which were written apart: here they meet, under every quirk that
//! the reference names.

mod changing;
mod creating;
mod line;
mod reading;

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use punchlist::{
    domain::{
        model::{Field, Object, Service as Of, Snapshot, Value},
        text::Raw,
    },
    edge::{
        clockify::{Clockify, MappedFields},
        http::{Http, Options},
    },
    sandbox::{ClockifyId, FaultKind, Knobs, World},
};
use serde_json::{Value as Json, json};

use crate::support::Wire;

type Edit = fn(&mut Knobs);

/// Every position of the knobs in which the same world has to look the same.
const POSITIONS: [(&str, Edit); 6] = [
    ("well-behaved", |_| {}),
    ("hydrated rows without tasks", |knobs| knobs.hydrated_tasks = false),
    ("hydrated rows with a client object only", |knobs| knobs.hydrated_client_only = true),
    ("unset texts left out", |knobs| knobs.unset_absent = true),
    ("paging ignored", |knobs| knobs.ignores_paging = true),
    ("all of these", |knobs| {
        knobs.hydrated_tasks = false;
        knobs.hydrated_client_only = true;
        knobs.unset_absent = true;
        knobs.ignores_paging = true;
    }),
];

/// An agency with one of each, all of whose fields are set, and bare siblings.
struct Agency {
    world: World,
    client: ClockifyId,
    other_client: ClockifyId,
    project: ClockifyId,
    bare_project: ClockifyId,
    task: ClockifyId,
    bare_task: ClockifyId,
}

fn agency() -> Agency {
    let mut world = World::bare();
    let client = world.add_client("Acme");
    world.edit_client(client, |client| {
        client.email = Some("ap@acme.example".into());
        client.address = Some("Street 1\n10115 Berlin".into());
        client.note = Some("VIP, \"really\"".into());
        client.cc_emails = Some(vec!["a@acme.example".into(), "b@acme.example".into()]);
    });
    let other_client = world.add_client("Globex");
    let project = world.add_project("Website", client);
    let members: Vec<ClockifyId> =
        ["Mara Lindqvist", "Aiko Tanaka"].map(|name| world.member(name).expect("known")).into();
    world.edit_project(project, |project| {
        project.billable = true;
        project.public = true;
        project.color = "#8BC34A".into();
        project.note = "Phase 1\n\"kick-off\"".into();
        project.hourly_rate = json!({"amount": 9500, "currency": "EUR"});
        project.cost_rate = json!({"amount": 4000, "currency": "EUR"});
        project.time_estimate =
            json!({"estimate": "PT100H", "type": "MANUAL", "resetOption": "MONTHLY", "active": true, "includeNonBillable": false});
        project.budget_estimate = json!({"estimate": 500_000, "type": "MANUAL", "resetOption": null, "active": false, "includeExpenses": true});
        project.memberships = members
            .iter()
            .map(|member| json!({"userId": member, "hourlyRate": {"amount": 1, "currency": "EUR"}, "costRate": null, "targetId": project.id, "membershipType": "PROJECT", "membershipStatus": "ACTIVE"}))
            .collect();
    });
    let task = world.add_task("Design", project);
    world.edit_task(task, |task| {
        task.assignee_ids = members.iter().map(ToString::to_string).collect();
        task.user_group_ids = vec!["64f000000000000000000001".into()];
        task.estimate = "PT1H30M".into();
        task.budget_estimate = json!(12_000);
        task.billable = true;
    });
    let bare_project = world.add_project("Bare project", None);
    let bare_task = world.add_task("Bare task", bare_project);
    let start = world.now();
    world.track(task, start, SignedDuration::from_mins(90));
    Agency { world, client, other_client, project, bare_project, task, bare_task }
}

async fn workspace(wire: &Wire, clockify: &Clockify) -> String {
    let identity = clockify.identity(None).await.expect("known");
    assert_eq!(identity.workspace_id, wire.sandbox.world().workspace_id().to_string());
    wire.sandbox.clear_calls();
    identity.workspace_id
}

async fn fetch(clockify: &Clockify, workspace: &str) -> Snapshot<Object> {
    let (snapshot, problems) = clockify.fetch(workspace, &|_, _| {}).await.unwrap_or_else(|error| panic!("{error}"));
    assert!(problems.is_empty(), "{problems:?}");
    snapshot
}

fn is_complete(snapshot: &Snapshot<Object>) -> bool {
    snapshot.iter().all(|(_, fetched)| fetched.complete().is_some())
}

fn people(emails: &[&str]) -> Value {
    Value::People(emails.iter().map(|&email| Raw::from(email)).collect())
}

/// What is different, by its path: `projects/…/name`.
fn changes(before: &Json, after: &Json) -> BTreeMap<String, Json> {
    fn walk(path: &str, before: &Json, after: &Json, found: &mut BTreeMap<String, Json>) {
        match (before, after) {
            (Json::Object(one), Json::Object(two)) => {
                let keys: BTreeSet<&String> = one.keys().chain(two.keys()).collect();
                for key in keys {
                    walk(&format!("{path}/{key}"), &before[key], &after[key], found);
                }
            }
            _ if before == after => {}
            _ => drop(found.insert(path.trim_start_matches('/').to_owned(), after.clone())),
        }
    }
    let mut found = BTreeMap::new();
    walk("", before, after, &mut found);
    found
}

/// What closes an object, or opens it.
fn closed(closed: bool) -> BTreeMap<Field, Value> {
    [(Field::State, Value::Closed(closed))].into()
}

/// Nothing that acts on a terminal or hides in a line.
fn assert_safe(text: &str) {
    let hostile = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{3164}')
    };
    assert!(!text.contains(hostile), "{text:?}");
}

/// What can happen to an answer. The huge one is twice what [`with`] takes.
fn troubles() -> [FaultKind; 7] {
    [
        FaultKind::Reset,
        FaultKind::TruncatedBody,
        FaultKind::HtmlBody,
        FaultKind::Status(500, String::new()),
        FaultKind::Status(502, "<html>".to_owned()),
        FaultKind::Status(504, String::new()),
        FaultKind::HugeBody(2 << 20),
    ]
}

/// A client that maps no fields, takes a mebibyte at most, and is otherwise made to order.
fn with(wire: &Wire, change: impl FnOnce(&mut Options)) -> Clockify {
    let mut options = wire.options(Of::Clockify);
    options.body_max = 1 << 20;
    change(&mut options);
    Clockify::new(Http::new(options).expect("a client"), MappedFields::default())
}
