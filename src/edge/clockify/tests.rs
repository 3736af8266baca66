use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{
    duration::{iso_duration, parse_duration},
    row::row,
    wire::{ProjectRow, TaskRow},
    *,
};
use crate::{
    domain::hours::{Booking, Period, Slice, Zone},
    edge::{
        http::{Auth, Options},
        stub::{Asked, Reply, Stub},
    },
};

const CLIENT: &str = "64c000000000000000000001";
const PROJECT: &str = "64b000000000000000000001";
const TASK: &str = "64a000000000000000000001";

fn id(text: &str) -> ObjectId {
    text.parse().expect("an id")
}

fn wanted() -> MappedFields {
    MappedFields(PerKind::from_fn(|kind| Field::mappable(kind).iter().copied().collect()))
}

fn clockify(stub: &Stub, wanted: MappedFields) -> Clockify {
    let mut options = Options::new(
        Service::Clockify,
        stub.url.join("/api/").expect("a URL"),
        Auth::api_key(&"key".into()),
        Arc::new(|_| {}),
    );
    options.backoff = std::time::Duration::from_millis(1);
    Clockify::new(Http::new(options).expect("a client"), wanted)
}

fn client() -> Json {
    json!({"id": CLIENT, "name": "Acme", "email": null, "workspaceId": "w", "archived": false, "address": "Street 1", "note": "n",
           "currencyId": "cur", "currencyCode": "USD", "ccEmails": ["cc@acme.com"]})
}

/// The public fixture's keys, hydrated.
fn project() -> Json {
    json!({"id": PROJECT, "name": "Site", "hourlyRate": {"amount": 0, "currency": "GBP"}, "clientId": CLIENT, "workspaceId": "w",
           "billable": true, "memberships": [], "color": "#607D8B", "estimate": {"estimate": "PT1776H", "type": "MANUAL"},
           "archived": false, "duration": "PT2280H28M11S", "clientName": "Acme", "note": "", "costRate": null,
           "timeEstimate": {"estimate": "PT1776H", "type": "MANUAL", "resetOption": null, "active": true, "includeNonBillable": false},
           "budgetEstimate": null, "estimateReset": null, "public": true, "template": false, "tasks": [task()]})
}

fn task() -> Json {
    json!({"id": TASK, "name": "Design", "projectId": PROJECT, "assigneeIds": ["u1", "u9"], "assigneeId": "", "userGroupIds": ["g"],
           "estimate": "PT1H30M", "status": "ACTIVE", "budgetEstimate": 0, "billable": true, "hourlyRate": null, "costRate": null,
           "duration": "PT30M"})
}

/// Every listing once; a PUT, PATCH or POST is answered with the body laid over the object.
fn world(asked: &Asked, _: usize) -> Reply {
    let path = asked.path.strip_prefix("/api/v1/workspaces/w/").unwrap_or(&asked.path);
    let over = |mut object: Json| {
        for (name, value) in asked.body.as_object().into_iter().flatten() {
            object[name] = value.clone();
        }
        Reply::json(200, &object)
    };
    match (asked.method.as_str(), path.rsplit('/').next().unwrap_or_default()) {
        ("GET", "clients") => Reply::json(200, &json!([client()])).with("Last-Page", "true"),
        ("GET", "projects") => Reply::json(200, &json!([project()])).with("Last-Page", "true"),
        ("GET", "tasks") => Reply::json(200, &json!([task()])),
        ("GET", "users") => {
            Reply::json(200, &json!([{"id": "u1", "name": "Ada", "email": "Ada@Example.com", "settings": null}]))
        }
        (_, last) if last == CLIENT || last == "clients" => over(client()),
        (_, last) if last == TASK || last == "tasks" => over(task()),
        (_, last) if last == PROJECT || last == "projects" || last == "estimate" => over(project()),
        _ => Reply::json(404, &json!({"message": "No static resource", "code": 3000})),
    }
}

#[test]
fn durations_are_read_and_written() {
    for (text, seconds) in [
        ("PT0S", Some(0)),
        ("PT1H30M", Some(5400)),
        ("PT2280H28M11S", Some(8_209_691)),
        ("P1DT2H", Some(93_600)),
        ("PT1.5S", Some(1)),
        ("60000", None),
        ("", None),
        ("PT", None),
        ("PT5", None),
        ("PT-1H", None),
        ("PT99999999999999999999H", None),
    ] {
        assert_eq!(parse_duration(text), seconds, "{text}");
    }
    for seconds in [0, 1, 59, 60, 3600, 5400, 8_209_691] {
        assert_eq!(parse_duration(&iso_duration(seconds)), Some(seconds));
    }
    assert_eq!(iso_duration(5400), "PT1H30M");
}

#[test]
fn a_client_is_none_however_it_is_absent() {
    for client in [
        json!({"clientId": ""}),
        json!({"clientId": null}),
        json!({}),
        json!({"client": null}),
        json!({"client": {"id": ""}}),
    ] {
        let mut project = json!({"id": PROJECT, "name": "Site"});
        project.as_object_mut().expect("an object").extend(client.as_object().expect("an object").clone());
        let row = row(Kind::Project, project.to_string().as_bytes()).expect("readable").into_kept(None);
        assert_eq!(row.object(&BTreeSet::new(), &Users::default()).expect("an object").parent, None);
        assert!(row.create_body().get("clientId").is_none(), "what was not read is not said");
    }
    let hydrated = json!({"id": PROJECT, "name": "Site", "client": {"id": CLIENT, "name": "Acme"}}).to_string();
    let hydrated = row(Kind::Project, hydrated.as_bytes()).expect("readable");
    assert_eq!(hydrated.object(&BTreeSet::new(), &Users::default()).expect("an object").parent, Some(id(CLIENT)));
    assert_eq!(hydrated.create_body()["clientId"], CLIENT);
}

#[tokio::test]
async fn everything_is_read_in_two_calls() {
    let stub = Stub::start(world).await;
    let clockify = clockify(&stub, MappedFields::default());

    let (snapshot, problems) = clockify.fetch("w", &|_, _| {}).await.expect("readable");

    let mut calls = stub.calls();
    calls.sort();
    assert_eq!(calls, ["GET /api/v1/workspaces/w/clients", "GET /api/v1/workspaces/w/projects"]);
    assert_eq!(problems, []);
    assert_eq!(snapshot.clients.complete().expect("complete").rows().len(), 1);
    let project = snapshot.projects.get(id(PROJECT)).expect("there");
    assert_eq!((project.parent, project.tracked_seconds), (Some(id(CLIENT)), Some(8_209_691)));
    assert_eq!(snapshot.tasks.complete().expect("complete").get(id(TASK)).expect("there").parent, Some(id(PROJECT)));
    let query = stub.asked().iter().find(|asked| asked.path.ends_with("projects")).expect("asked").query.clone();
    assert_eq!(query, "hydrated=true&sort-column=ID&sort-order=ASCENDING&page=1&page-size=500");
}

#[tokio::test]
async fn mapped_fields_are_read_and_people_become_addresses() {
    let stub = Stub::start(world).await;
    let (snapshot, _) = clockify(&stub, wanted()).fetch("w", &|_, _| {}).await.expect("readable");
    assert_eq!(stub.calls().len(), 3);

    let project = &snapshot.projects.get(id(PROJECT)).expect("there").values;
    assert_eq!(project.get(Field::Color), Some(&Value::text("#607d8b")));
    assert_eq!(project.get(Field::Public), Some(&Value::Flag(true)));
    assert_eq!(project.get(Field::Note), Some(&Value::Empty));
    assert_eq!(project.get(Field::Estimate), Some(&Value::Seconds(1776 * 3600)));
    let task = &snapshot.tasks.get(id(TASK)).expect("there").values;
    assert_eq!(task.get(Field::Assignees), None, "one of them is not shown");
    assert!(task.unknown_because(Field::Assignees).is_some_and(|because| because.contains("not shown")));
}

#[tokio::test]
async fn projects_without_tasks_are_asked_one_by_one_and_a_failure_spoils_the_tasks_alone() {
    let stub = Stub::start(|asked, before| match asked.path.rsplit('/').next() {
        Some("projects") => {
            Reply::json(200, &json!([{"id": PROJECT, "name": "A"}, {"id": "64b000000000000000000002", "name": "B"}]))
        }
        Some("tasks") if asked.path.contains(PROJECT) => Reply::json(200, &json!([task()])),
        Some("tasks") => Reply::json(400, &json!({"message": "Project doesn't belong to Workspace", "code": 501})),
        _ => world(asked, before),
    })
    .await;
    let (snapshot, _) = clockify(&stub, MappedFields::default()).fetch("w", &|_, _| {}).await.expect("readable");
    assert!(snapshot.projects.complete().is_some());
    assert_eq!(snapshot.tasks.rows().len(), 1);
    assert!(snapshot.tasks.incomplete_because().expect("incomplete").contains("64b000000000000000000002"));
}

#[test]
fn what_is_kept_is_what_was_read() {
    for (kind, json) in [(Kind::Client, client()), (Kind::Project, project()), (Kind::Task, task())] {
        let mut row = row(kind, json.to_string().as_bytes()).expect("readable").into_kept(None);
        let kept = Kept::new(&row, None).row();
        // But for what it is kept by, and what no write needs.
        match &mut row {
            ObjectRow::Client(row) => row.id.clear(),
            ObjectRow::Project(row) => {
                *row = ProjectRow { id: String::new(), duration: None, tasks: None, ..row.clone() }
            }
            ObjectRow::Task(row) => *row = TaskRow { id: String::new(), duration: None, ..row.clone() },
        }
        assert_eq!(kept, Some(row), "{json}");
    }
}

type Clients = Box<dyn Fn(&Asked) -> Reply + Send + Sync>;

#[tokio::test]
async fn listings_go_on_until_the_last_page_and_always_end() {
    let rows = |from: usize, count: usize| -> Json {
        (from..from + count).map(|number| json!({"id": format!("64c{number:021}"), "name": "x"})).collect()
    };
    let page =
        |asked: &Asked| -> usize { asked.query.split("page=").nth(1).expect("paged")[..1].parse().expect("a number") };
    let cases: Vec<(&str, Clients, usize, usize, bool)> = vec![
        (
            "the header decides",
            Box::new(move |asked| {
                Reply::json(200, &rows(page(asked) * 10, 10))
                    .with("Last-Page", if page(asked) == 3 { "true" } else { "false" })
            }),
            3,
            30,
            true,
        ),
        ("without a header a short page is the last", Box::new(move |_| Reply::json(200, &rows(0, 7))), 1, 7, true),
        (
            "an empty page is the last",
            Box::new(move |asked| Reply::json(200, &rows(0, if page(asked) == 1 { 5000 } else { 0 }))),
            2,
            5000,
            true,
        ),
        ("the same full page again leaves doubt", Box::new(move |_| Reply::json(200, &rows(0, 5000))), 2, 5000, false),
        ("more than was asked for is everything", Box::new(move |_| Reply::json(200, &rows(0, 5001))), 1, 5001, true),
    ];
    for (name, clients, calls, count, complete) in cases {
        let stub = Stub::start(move |asked, _| match asked.path.rsplit('/').next() {
            Some("clients") => clients(asked),
            _ => Reply::json(200, &json!([])),
        })
        .await;
        let (snapshot, _) = clockify(&stub, MappedFields::default()).fetch("w", &|_, _| {}).await.expect(name);
        assert_eq!(stub.calls().len(), calls + 1, "{name}");
        assert_eq!(snapshot.clients.rows().len(), count, "{name}");
        assert_eq!(snapshot.clients.complete().is_some(), complete, "{name}");
    }
}

#[tokio::test]
async fn an_update_sends_what_changes_and_what_would_be_reset() {
    let stub = Stub::start(world).await;
    let clockify = clockify(&stub, wanted());
    clockify.fetch("w", &|_, _| {}).await.expect("readable");
    let before = stub.calls().len();

    clockify
        .update("w", Kind::Client, id(CLIENT), &[(Field::Name, Value::text("Acme Ltd"))].into())
        .await
        .expect("written");
    clockify
        .update("w", Kind::Project, id(PROJECT), &[(Field::State, Value::Closed(true))].into())
        .await
        .expect("written");
    let task = [(Field::Assignees, Value::People(["ADA@example.com".into()].into()))].into();
    let task = clockify.update("w", Kind::Task, id(TASK), &task).await.expect("written");

    let asked = &stub.asked()[before..];
    assert_eq!(asked.len(), 3);
    assert_eq!(
        asked[0].body,
        json!({"name": "Acme Ltd", "address": "Street 1", "note": "n", "archived": false, "currencyId": "cur",
                                     "ccEmails": ["cc@acme.com"]})
    );
    assert_eq!(asked[1].body, json!({"isPublic": true, "billable": true, "archived": true}));
    assert_eq!(
        asked[2].body,
        json!({"name": "Design", "assigneeIds": ["u1"], "userGroupIds": ["g"], "billable": true,
                                     "estimate": "PT1H30M", "status": "ACTIVE"})
    );
    assert_eq!(task.values.get(Field::Assignees), Some(&Value::People(["ada@example.com".into()].into())));
}

#[tokio::test]
async fn a_second_update_builds_on_the_answer_to_the_first() {
    let stub = Stub::start(world).await;
    let clockify = clockify(&stub, wanted());
    let unread = clockify.update("w", Kind::Client, id(CLIENT), &[(Field::Note, Value::Empty)].into()).await;
    assert_eq!(unread, Err(Failure::Outdated), "nothing is built on what was never read");
    clockify.observe("w", Kind::Client, &[id(CLIENT)]).await;
    clockify.update("w", Kind::Client, id(CLIENT), &[(Field::Note, Value::Empty)].into()).await.expect("written");
    clockify
        .update("w", Kind::Client, id(CLIENT), &[(Field::Email, Value::text("a@b.c"))].into())
        .await
        .expect("written");
    let asked = stub.asked();
    assert_eq!(asked.iter().map(|asked| asked.method.as_str()).collect::<Vec<_>>(), ["GET", "PUT", "PUT"]);
    assert_eq!((&asked[2].body["note"], &asked[2].body["email"]), (&json!(""), &json!("a@b.c")));
}

#[tokio::test]
async fn an_estimate_alone_is_one_patch_and_with_others_comes_after_the_put() {
    let stub = Stub::start(world).await;
    let clockify = clockify(&stub, wanted());
    clockify.fetch("w", &|_, _| {}).await.expect("readable");
    let before = stub.calls().len();
    let estimate = (Field::Estimate, Value::Seconds(5400));

    clockify.update("w", Kind::Project, id(PROJECT), &[estimate.clone()].into()).await.expect("written");
    clockify
        .update("w", Kind::Project, id(PROJECT), &[estimate, (Field::Parent, Value::Empty)].into())
        .await
        .expect("written");

    let asked = &stub.asked()[before..];
    assert_eq!(asked.iter().map(|asked| asked.method.as_str()).collect::<Vec<_>>(), ["PATCH", "PUT", "PATCH"]);
    assert_eq!(
        asked[0].body,
        json!({"timeEstimate": {"estimate": "PT1H30M", "type": "MANUAL", "active": true, "includeNonBillable": false}})
    );
    assert_eq!(asked[1].body["clientId"], "");
}

#[test]
fn what_an_estimate_is_made_of_is_read_and_only_hours_are_overwritten() {
    use crate::domain::model::Estimating::{ByBudget, ByHours, ByTasks};
    for (estimates, expected) in [
        (json!({}), ByHours),
        (
            json!({"estimate": {"estimate": "PT0S", "type": "AUTO"}, "timeEstimate": null, "budgetEstimate": null}),
            ByHours,
        ),
        (json!({"estimate": {"estimate": "PT5H", "type": "AUTO"}}), ByTasks),
        (json!({"timeEstimate": {"estimate": "PT5H", "type": "MANUAL", "active": true}}), ByHours),
        (json!({"timeEstimate": {"estimate": "PT0S", "type": "AUTO", "active": true}}), ByTasks),
        (json!({"timeEstimate": {"estimate": "PT0S", "type": "AUTO", "active": false}}), ByHours),
        (
            json!({"timeEstimate": {"estimate": "PT0S", "active": false}, "budgetEstimate": {"active": true, "estimate": 5}}),
            ByBudget,
        ),
        (
            json!({"timeEstimate": {"estimate": "PT5H", "type": "MANUAL", "active": true}, "budgetEstimate": {"active": false}}),
            ByHours,
        ),
    ] {
        let mut project = json!({"id": PROJECT, "name": "Site"});
        project.as_object_mut().expect("an object").extend(estimates.as_object().expect("an object").clone());
        let row = row(Kind::Project, project.to_string().as_bytes()).expect("readable").into_kept(None);
        let nature = row.object(&BTreeSet::new(), &Users::default()).expect("an object").nature;
        assert_eq!(nature.estimate, expected, "{estimates}");
        let written = row.with([(&Field::Estimate, &Value::Seconds(3600))], &Users::default());
        assert_eq!(written.is_ok(), expected == ByHours, "{estimates}");
    }
}

#[tokio::test]
async fn a_create_says_what_is_planned_and_nothing_else() {
    let stub = Stub::start(world).await;
    let clockify = clockify(&stub, wanted());
    let fields =
        [(Field::Estimate, Value::Seconds(3600)), (Field::Billable, Value::Flag(false)), (Field::Color, Value::Empty)]
            .into();
    clockify.create("w", Kind::Project, Some(id(CLIENT)), &"Site".into(), None, &fields).await.expect("created");
    clockify.create("w", Kind::Client, None, &"Acme".into(), None, &BTreeMap::new()).await.expect("created");
    let asked = stub.asked();
    assert_eq!(
        asked[0].body,
        json!({"name": "Site", "clientId": CLIENT, "billable": false, "estimate": {"estimate": "PT1H", "type": "MANUAL"}})
    );
    assert_eq!(asked[1].body, json!({"name": "Acme"}));
}

#[tokio::test]
async fn an_unknown_assignee_is_refused_before_anything_is_written() {
    let stub = Stub::start(world).await;
    let clockify = clockify(&stub, wanted());
    let fields = [(Field::Assignees, Value::People(["eve@example.com".into()].into()))].into();
    let failure = clockify
        .create("w", Kind::Task, Some(id(PROJECT)), &"Design".into(), None, &fields)
        .await
        .expect_err("unknown");
    assert!(failure.to_string().contains("eve@example.com"), "{failure}");
    assert_eq!(stub.calls(), ["GET /api/v1/workspaces/w/users"]);
}

#[tokio::test]
async fn what_was_read_five_seconds_ago_is_not_built_on() {
    let stub = Stub::start(world).await;
    let clockify = clockify(&stub, wanted());
    clockify.observe("w", Kind::Client, &[id(CLIENT)]).await;
    tokio::time::pause();
    tokio::time::advance(FRESH).await;
    tokio::time::resume();
    let update = async || clockify.update("w", Kind::Client, id(CLIENT), &[(Field::Note, Value::Empty)].into()).await;
    assert_eq!(update().await, Err(Failure::Outdated));
    assert!(stub.asked().iter().all(|asked| asked.method == "GET"), "nothing was sent");
    clockify.observe("w", Kind::Client, &[id(CLIENT)]).await;
    update().await.expect("read again, and written");
}

#[tokio::test]
async fn finding_is_one_call_and_exact() {
    let stub = Stub::start(|_, _| {
        let other = json!({"id": "64b000000000000000000002", "name": "Site", "clientId": "64c000000000000000000002"});
        let part = json!({"id": "64b000000000000000000003", "name": "Site map", "clientId": CLIENT});
        Reply::json(200, &json!([project(), other, part]))
    })
    .await;
    let found = clockify(&stub, MappedFields::default())
        .find("w", Kind::Project, Some(id(CLIENT)), &"Site".into())
        .await
        .expect("readable");
    assert_eq!(found.iter().map(|object| object.id).collect::<Vec<_>>(), [id(PROJECT)]);
    assert_eq!(stub.asked().len(), 1);
    assert_eq!(stub.asked()[0].query, "name=Site&page-size=5000&strict-name-search=true");
}

#[tokio::test]
async fn what_is_not_shown_is_nothing() {
    let stub = Stub::start(|_, _| Reply::json(400, &json!({"message": "any text", "code": 501}))).await;
    let clockify = clockify(&stub, MappedFields::default());
    assert_eq!(clockify.read("w", Kind::Project, id(PROJECT), None).await, Ok(None));
    assert_eq!(clockify.observe("w", Kind::Project, &[id(PROJECT)]).await, [(id(PROJECT), Ok(None))]);
    let failure = clockify.update("w", Kind::Project, id(PROJECT), &[(Field::State, Value::Closed(true))].into()).await;
    assert_eq!(failure, Err(Failure::Outdated));
}

#[tokio::test]
async fn the_workspace_is_chosen_by_id_or_name() {
    let stub = Stub::start(|asked, _| match asked.path.as_str() {
        "/api/v1/user" => {
            Reply::json(200, &json!({"id": "u1", "name": "Ada", "email": "ada@example.com", "settings": {}}))
        }
        _ => Reply::json(
            200,
            &json!([{"id": "w1", "name": "Acme", "featureSubscriptionType": "FREE"}, {"id": "w2", "name": "Beta"}]),
        ),
    })
    .await;
    let clockify = clockify(&stub, MappedFields::default());
    let identity = clockify.identity(Some("Acme")).await.expect("found");
    assert_eq!(
        (identity.workspace_id.as_str(), identity.plan.as_str(), identity.user_id.as_str()),
        ("w1", "FREE", "u1")
    );
    assert_eq!(clockify.identity(Some("w2")).await.expect("found").workspace_id, "w2");
    let several = clockify.identity(None).await.expect_err("several");
    assert_eq!(several.to_string(), "clockify.workspace must say which workspace is meant: Acme (w1), Beta (w2)");
    let none = clockify.identity(Some("w3")).await.expect_err("none");
    assert!(none.is_refusal() && none.to_string().contains("Beta (w2)"), "{none}");
}

#[tokio::test]
async fn a_refused_key_is_told_from_a_missing_right() {
    let stub = Stub::start(|_, _| Reply::json(401, &json!({"message": "Api key does not exist", "code": 4003}))).await;
    let error = clockify(&stub, MappedFields::default()).fetch("w", &|_, _| {}).await.expect_err("refused");
    assert!(matches!(error, Error::Refused { .. }) && error.is_refusal(), "{error:?}");
    let stub = Stub::start(|_, _| Reply::json(403, &json!({"message": "Access Denied", "code": 501}))).await;
    let error = clockify(&stub, MappedFields::default()).fetch("w", &|_, _| {}).await.expect_err("refused");
    assert!(matches!(error, Error::Forbidden { .. }), "{error:?}");
}

#[tokio::test]
async fn a_report_is_asked_for_by_civil_days_in_a_zone_and_read_leniently() {
    let stub = Stub::start(|_, _| {
        let without = json!({"_id": null, "name": "(Without task)", "duration": 60});
        let task = json!({"_id": TASK, "name": "Design", "duration": 3600, "amount": {"odd": []}, "children": null});
        let project = json!({"_id": PROJECT, "name": "Site", "duration": 3660, "children": [task, without]});
        let loose = json!({"_id": "", "name": null, "duration": 7, "children": []});
        let client = json!({"_id": CLIENT, "name": "Acme", "duration": 3660, "children": [project]});
        Reply::json(200, &json!({"totals": [{"totalTime": 3667, "totalAmount": null}], "groupOne": [client, loose]}))
    })
    .await;
    let clockify = clockify(&stub, MappedFields::default()).with_reports(&stub.url.join("/report/v1/").expect("a URL"));
    let october = Period::month("2026-10").expect("a month");
    let rows = clockify.summary("w", october, "Europe/Berlin", Slice::Unapproved).await.expect("readable");
    let rows: Vec<_> = rows.iter().map(|row| (row.place.each_ref().map(|(id, _)| *id), row.seconds)).collect();
    let site = [Some(id(CLIENT)), Some(id(PROJECT))];
    assert_eq!(rows, [([site[0], site[1], Some(id(TASK))], 3600), ([site[0], site[1], None], 60), ([None; 3], 7)]);
    let asked = &stub.asked()[0];
    assert_eq!(asked.path, "/report/v1/workspaces/w/reports/summary");
    assert_eq!(
        (&asked.body["dateRangeStart"], &asked.body["dateRangeEnd"], &asked.body["timeZone"]),
        (&json!("2026-10-01T00:00:00.000"), &json!("2026-10-31T23:59:59.999"), &json!("Europe/Berlin"))
    );
    assert_eq!((&asked.body["approvalState"], &asked.body["billable"]), (&json!("UNAPPROVED"), &Json::Null));
}

#[tokio::test]
async fn days_and_entries_are_read_by_the_clocks_of_the_zone() {
    let stub = Stub::start(|asked, _| {
        let days = [
            json!({"_id": "2026-10-05", "name": "2026-10-05", "duration": 60}),
            json!({"_id": null, "name": "2026-10-06T00:00:00Z", "duration": 7}),
        ];
        let entry = json!({
            "timeInterval": {"start": "2026-10-04T22:30:00Z", "end": null, "duration": 60}, "description": null,
            "userName": "Bo", "billable": true, "clientId": CLIENT, "projectId": PROJECT, "taskId": null, "tags": 7,
        });
        if asked.path.ends_with("detailed") {
            Reply::json(200, &json!({"timeentries": [entry]}))
        } else {
            Reply::json(200, &json!({"totals": [{"totalTime": 67}], "groupOne": days}))
        }
    })
    .await;
    let clockify = clockify(&stub, MappedFields::default()).with_reports(&stub.url);
    let october = Period::month("2026-10").expect("a month");
    let by_day = clockify.by_day("w", october, "UTC").await.expect("readable");
    assert_eq!(by_day.values().copied().collect::<Vec<_>>(), [60, 7]);
    let zone =
        Zone { name: "Europe/Berlin".to_owned(), rules: jiff::tz::TimeZone::get("Europe/Berlin").expect("known") };
    let entries = clockify.entries("w", october, &zone, Some((Kind::Project, id(PROJECT)))).await.expect("readable");
    let [Booking { begins, seconds: 60, is_billable: true, who, place, .. }] = &entries[..] else {
        panic!("{entries:?}")
    };
    assert_eq!((begins.to_string().as_str(), who.exact()), ("2026-10-05T00:30:00", "Bo"));
    assert_eq!(*place, [Some(id(CLIENT)), Some(id(PROJECT)), None]);
    assert_eq!(stub.asked()[1].body["projects"]["ids"], json!([PROJECT]));
}

#[tokio::test]
async fn a_report_that_does_not_add_up_is_none() {
    for body in [
        json!({"totals": [{"totalTime": 8}], "groupOne": [{"_id": CLIENT, "name": "Acme", "duration": 7}]}),
        json!({"totals": [{"totalTime": 7}], "groupOne": [{"_id": CLIENT, "name": "Acme", "duration": null}]}),
        json!({"totals": [{"totalTime": 7}]}),
    ] {
        let stub = Stub::start(move |_, _| Reply::json(200, &body)).await;
        let clockify = clockify(&stub, MappedFields::default()).with_reports(&stub.url);
        let day = Period::month("2026-10").expect("a month");
        let read = clockify.summary("w", day, "UTC", Slice::All).await;
        assert!(matches!(&read, Err(Failure::Unknown { error }) if error.contains("cannot be used")), "{read:?}");
    }
}

/// Sessions run in tasks of their own.
#[expect(dead_code, reason = "that it compiles is the test")]
fn reading_can_be_spawned(clockify: &'static Clockify) -> impl Send {
    clockify.fetch("w", &|_, _| {})
}
