use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::domain::model::{Relation, Standing};
use crate::edge::{
    http::{Auth, Options},
    stub::{Asked, Reply, Stub},
};

const SOURCE: &str = "5f000000-0000-4000-8000-000000000001";

fn notion(stub: &Stub, mapping: PerKind<Mapping>) -> Notion {
    let mut options = Options::new(Service::Notion, stub.url.clone(), Auth::bearer(&"token".into()), Arc::new(|_| {}));
    options.headers.push(("Notion-Version", API_VERSION.to_owned()));
    options.backoff = Duration::from_millis(1);
    Notion::new(Http::new(options).expect("a client"), mapping, IdStrategy::Property)
}

fn mapping() -> PerKind<Mapping> {
    let mut mapping = Mapping::n8n();
    mapping.projects.fields.insert(Field::Estimate, crate::domain::rules::Mapped::as_is("Hours"));
    mapping
}

fn schema() -> Json {
    json!({"object": "data_source", "id": SOURCE, "title": [{"plain_text": "Projects"}], "properties": {
        "Name": {"id": "title", "name": "Name", "type": "title", "title": {}},
        "Status": {"id": "f%5C%5C%3Ap", "name": "Status", "type": "status", "status": {"options": [{"name": "Open"}, {"name": "Done"}, {"name": "Obsolete"}]}},
        "Clients": {"id": "rel", "name": "Clients", "type": "relation", "relation": {"data_source_id": SOURCE}},
        "Hours": {"id": "num", "name": "Hours", "type": "number", "number": {"format": "number"}},
        "Clockify Project ID": {"id": "cid", "name": "Clockify Project ID", "type": "rich_text", "rich_text": {}}}})
}

fn page_id(number: usize) -> String {
    format!("aa000000-0000-4000-8000-{number:012x}")
}

fn row(number: usize, status: &str) -> Json {
    json!({"object": "page", "id": page_id(number), "created_time": format!("2026-01-01T{:02}:{:02}:00.000Z", number / 60 % 24, number % 60),
           "last_edited_time": "2026-11-01T10:00:00.000Z", "in_trash": false, "is_archived": false,
           "parent": {"type": "data_source_id", "data_source_id": SOURCE},
           "properties": {
               "Name": {"id": "title", "type": "title", "title": [{"plain_text": "Site "}, {"plain_text": number.to_string()}]},
               "Status": {"id": "f%5C%5C%3Ap", "type": "status", "status": {"name": status}},
               "Clients": {"id": "rel", "type": "relation", "relation": [{"id": page_id(999)}], "has_more": false},
               "Hours": {"id": "num", "type": "number", "number": 1.5},
               "Clockify Project ID": {"id": "cid", "type": "rich_text", "rich_text": [{"plain_text": "64b0000000000000"}, {"plain_text": "00000001"}]}}})
}

fn list(rows: impl IntoIterator<Item = Json>, next: Option<&str>) -> Reply {
    let rows: Vec<Json> = rows.into_iter().collect();
    Reply::json(200, &json!({"object": "list", "results": rows, "next_cursor": next, "has_more": next.is_some()}))
}

fn error(status: u16, code: &str) -> Reply {
    Reply::json(status, &json!({"object": "error", "status": status, "code": code, "message": "said Notion"}))
}

async fn resolved() -> Source {
    let stub = Stub::start(|_, _| Reply::json(200, &schema())).await;
    notion(&stub, mapping()).resolve(Kind::Project, SOURCE).await.expect("fits")
}

async fn fetch(
    source: &Source,
    answer: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static,
) -> (Stub, Result<Listed, Error>) {
    let stub = Stub::start(answer).await;
    let listed = notion(&stub, mapping()).fetch(Kind::Project, source, &[], &|_| {}).await;
    (stub, listed)
}

#[tokio::test]
async fn references_resolve_to_the_data_source() {
    let database =
        "https://www.notion.so/acme/Projects-db000000000040008000000000000001?v=ffffffffffffffffffffffffffffffff";
    let stub = Stub::start(|asked, _| match asked.path.as_str() {
        "/v1/databases/db000000-0000-4000-8000-000000000001" => {
            Reply::json(200, &json!({"object": "database", "data_sources": [{"id": SOURCE, "name": "Projects"}]}))
        }
        path if path == format!("/v1/data_sources/{SOURCE}") => Reply::json(200, &schema()),
        _ => error(404, "object_not_found"),
    })
    .await;
    let notion = notion(&stub, mapping());
    let by_url = notion.resolve(Kind::Project, database).await.expect("found");
    assert_eq!((by_url.data_source, by_url.reference.as_str()), (SOURCE.parse().expect("an id"), database));
    let by_database = notion.resolve(Kind::Project, "db000000000040008000000000000001").await.expect("found");
    assert_eq!(by_database.properties, by_url.properties);
    let lost = notion.resolve(Kind::Project, &page_id(1)).await.expect_err("not shared");
    assert!(
        lost.to_string().starts_with("notion.projects.data_source") && lost.hint().contains("Connections"),
        "{lost}"
    );
    assert_eq!(stub.asked()[0].headers["notion-version"], API_VERSION);
}

#[tokio::test]
async fn several_data_sources_are_listed() {
    let stub = Stub::start(|_, _| {
        Reply::json(
            200,
            &json!({"data_sources": [{"id": SOURCE, "name": "Projects"}, {"id": page_id(2), "name": "Ideas"}]}),
        )
    })
    .await;
    let url = format!("https://app.notion.com/p/{SOURCE}");
    let error = notion(&stub, mapping()).resolve(Kind::Project, &url).await.expect_err("several");
    assert!(error.to_string().contains("Projects (5f00") && error.to_string().contains("Ideas (aa00"), "{error}");
}

#[tokio::test]
async fn a_remembered_source_costs_only_the_queries() {
    let source = resolved().await;
    let (stub, listed) = fetch(&source, |asked, _| match asked.body["start_cursor"].as_str() {
        None => list((0..100).map(|number| row(number, "Open")), Some("next")),
        Some(_) => list([row(100, "Done"), json!({"object": "data_source", "id": page_id(7)})], None),
    })
    .await;
    let listed = listed.expect("readable");

    assert_eq!(stub.asked().len(), 2);
    assert_eq!(
        stub.asked()[0].query,
        "filter_properties=cid&filter_properties=f%5C%5C%3Ap&filter_properties=num&filter_properties=rel&filter_properties=title"
    );
    assert_eq!(stub.asked()[0].body["sorts"][0]["timestamp"], "created_time");
    assert!(listed.refreshed.is_none() && listed.problems.is_empty());
    let pages = listed.pages.complete().expect("complete");
    assert_eq!(pages.rows().len(), 101);
    let page = pages.get(page_id(100).parse().expect("an id")).expect("there");
    assert_eq!(page.title, Raw::from("Site 100"));
    assert_eq!(page.claim.id().expect("a claim").as_str(), "64b000000000000000000001");
    assert_eq!(page.parent, Relation::One(page_id(999).parse().expect("an id")));
    assert_eq!(page.standing, Standing::Closed { because: "Status is Done".into() });
    assert_eq!(page.values.get(Field::Estimate), Some(&Value::Seconds(5400)));
    assert_eq!(pages.rows()[0].standing, Standing::Open);
}

#[tokio::test]
async fn more_than_ten_thousand_rows_are_read_in_windows() {
    let source = resolved().await;
    // The stub ends every query at 60 rows, as Notion does at 10,000.
    let (stub, listed) = fetch(&source, |asked, _| {
        let from = asked.body["filter"]["created_time"]["on_or_after"].as_str().unwrap_or_default().to_owned();
        let after = |row: &Json| row["created_time"].as_str().expect("a time").replace(".000Z", "Z") >= from;
        let rows: Vec<Json> = (0..150).map(|number| row(number, "Open")).filter(after).collect();
        let cut = rows.len() > 60;
        let status = if cut {
            json!({"type": "incomplete", "incomplete_reason": "query_result_limit_reached"})
        } else {
            Json::Null
        };
        let rows: Vec<Json> = rows.into_iter().take(60).collect();
        Reply::json(200, &json!({"results": rows, "next_cursor": null, "has_more": false, "request_status": status}))
    })
    .await;
    assert_eq!(listed.expect("readable").pages.complete().expect("complete").rows().len(), 150);
    assert_eq!(stub.asked().len(), 3);

    let (stub, listed) = fetch(&source, |_, _| {
        let rows: Vec<Json> = (0..60).map(|_| row(1, "Open")).collect();
        Reply::json(200, &json!({"results": rows, "has_more": false, "request_status": {"type": "incomplete"}}))
    })
    .await;
    assert!(listed.expect("readable").pages.incomplete_because().expect("partial").contains("10,000"));
    assert_eq!(stub.asked().len(), 2, "no progress, no further query");
}

#[tokio::test]
async fn a_dead_cursor_restarts_the_listing_once() {
    let source = resolved().await;
    let (stub, listed) = fetch(&source, |asked, before| match asked.body["start_cursor"].as_str() {
        Some(_) if before == 1 => error(400, "validation_error"),
        Some(_) => list([row(2, "Open")], None),
        None => list([row(1, "Open")], Some("next")),
    })
    .await;
    assert_eq!(listed.expect("readable").pages.complete().expect("complete").rows().len(), 2);
    assert_eq!(stub.asked().len(), 4);

    let (_, listed) = fetch(&source, |asked, _| match asked.body["start_cursor"].as_str() {
        Some(_) => error(400, "validation_error"),
        None => list([row(1, "Open")], Some("next")),
    })
    .await;
    assert!(matches!(listed, Err(Error::Failed { .. })), "a partial list is never kept");
}

type Case = (&'static str, fn(&Asked, usize) -> Reply);

#[tokio::test]
async fn doubtful_listings_are_partial() {
    let source = resolved().await;
    let cases: [Case; 6] = [
        ("anything new", |_, before| list([row(1, "Open")], Some(&format!("to {before}")))),
        ("an end", |_, before| list([row(before, "Open")], Some(&format!("to {before}")))),
        ("an end", |_, before| list((0..100).map(|at| row(before * 100 + at, "Open")), Some(&format!("to {before}")))),
        ("came back", |_, _| list([row(1, "Open")], Some("same"))),
        ("only the id", |_, _| list([json!({"object": "page", "id": page_id(1)})], None)),
        ("not where", |_, _| {
            Reply::json(200, &json!({"results": [row(1, "Open")], "has_more": true, "next_cursor": null}))
        }),
    ];
    for (part, answer) in cases {
        let (stub, listed) = fetch(&source, answer).await;
        let pages = listed.expect("readable").pages;
        assert!(stub.asked().len() <= 400, "{part}: {}", stub.asked().len());
        assert!(pages.incomplete_because().expect("partial").contains(part), "{:?}", pages.incomplete_because());
    }
}

#[tokio::test]
async fn a_renamed_property_is_named() {
    let source = resolved().await;
    let renamed = |mut json: Json| {
        let mut status = json["properties"]["Status"].take();
        if status.get("name").is_some() {
            status["name"] = json!("State");
        }
        let properties = json["properties"].as_object_mut().expect("an object");
        properties.remove("Status");
        properties.insert("State".into(), status);
        json
    };
    let (stub, listed) = fetch(&source, move |asked, _| match asked.method.as_str() {
        "GET" => Reply::json(200, &renamed(schema())),
        _ => list([renamed(row(1, "Open"))], None),
    })
    .await;
    let error = listed.expect_err("renamed");
    assert!(matches!(error, Error::SchemaChanged(_)));
    assert_eq!(
        error.to_string(),
        "mapping.projects.closed: Projects has no property \"Status\"; it seems to be called \"State\" now (same property id)"
    );
    assert_eq!(stub.asked().len(), 2);
}

#[tokio::test]
async fn a_new_option_refreshes_the_source_and_a_lost_closing_option_is_an_error() {
    let source = resolved().await;
    let with_options = |options: Json| {
        let mut schema = schema();
        schema["properties"]["Status"]["status"]["options"] = options;
        schema
    };
    let more = with_options(json!([{"name": "Open"}, {"name": "Blocked"}, {"name": "Done"}, {"name": "Obsolete"}]));
    let (stub, listed) = fetch(&source, move |asked, _| match asked.method.as_str() {
        "GET" => Reply::json(200, &more),
        _ => list([row(1, "Open"), row(2, "Blocked"), row(3, "Blocked")], None),
    })
    .await;
    let listed = listed.expect("readable");
    assert_eq!(listed.pages.complete().expect("complete").rows().len(), 3);
    assert_eq!(stub.calls().len(), 2, "the rows are not read again");
    let (stub, again) = fetch(&listed.refreshed.expect("refreshed"), |_, _| list([row(2, "Blocked")], None)).await;
    assert!(again.expect("readable").refreshed.is_none());
    assert_eq!(stub.calls().len(), 1);

    let lost = with_options(json!([{"name": "Open"}, {"name": "Finished"}, {"name": "Obsolete"}]));
    let (_, listed) = fetch(&source, move |asked, _| match asked.method.as_str() {
        "GET" => Reply::json(200, &lost),
        _ => list([row(1, "Finished")], None),
    })
    .await;
    assert!(listed.expect_err("lost").to_string().contains("no option \"Done\""));
}

#[tokio::test]
async fn a_refused_query_reads_the_schema_again() {
    let source = resolved().await;
    let (stub, listed) = fetch(&source, |asked, before| match (asked.method.as_str(), before) {
        ("GET", _) => Reply::json(200, &schema()),
        (_, 0) => error(400, "validation_error"),
        _ => list([row(1, "Open")], None),
    })
    .await;
    assert!(listed.expect("readable").refreshed.is_some());
    assert_eq!(stub.asked().len(), 3);
    let (stub, listed) = fetch(&source, |asked, _| match asked.method.as_str() {
        "GET" => Reply::json(200, &schema()),
        _ => error(400, "validation_error"),
    })
    .await;
    assert!(matches!(listed, Err(Error::Failed { .. })));
    assert_eq!(stub.asked().len(), 3);
}

#[tokio::test]
async fn long_relations_are_read_whole() {
    let source = resolved().await;
    let (stub, listed) = fetch(&source, |asked, _| {
        if asked.method == "POST" {
            let mut row = row(1, "Open");
            row["properties"]["Clients"]["has_more"] = json!(true);
            return list([row], None);
        }
        let (number, next) = if asked.query.contains("start_cursor") { (6, None) } else { (5, Some("c")) };
        let item = json!({"object": "property_item", "type": "relation", "relation": {"id": page_id(number)}});
        list([item], next)
    })
    .await;
    let pages = listed.expect("readable").pages;
    assert!(matches!(&pages.rows()[0].parent, Relation::Several(pages) if pages.len() == 2));
    assert_eq!(stub.calls()[1], format!("GET /v1/pages/{}/properties/rel", page_id(1)));
}

#[tokio::test]
async fn long_relations_come_to_an_end() {
    let source = resolved().await;
    for (new_values, new_cursors, most) in [(false, true, 2), (true, false, 2), (true, true, 100)] {
        let (stub, listed) = fetch(&source, move |asked, before| {
            if asked.method == "POST" {
                let mut row = row(1, "Open");
                row["properties"]["Clients"]["has_more"] = json!(true);
                return list([row], None);
            }
            let (number, cursor) = (if new_values { before } else { 5 }, if new_cursors { before } else { 0 });
            let item = json!({"object": "property_item", "type": "relation", "relation": {"id": page_id(number)}});
            list([item], Some(&format!("to {cursor}")))
        })
        .await;
        assert!(listed.expect_err("no end").to_string().contains("do not come to an end"));
        assert_eq!(stub.asked().len(), 1 + most, "new values: {new_values}, new cursors: {new_cursors}");
    }
}

#[tokio::test]
async fn a_value_that_cannot_be_read_is_left_out_and_told() {
    let source = resolved().await;
    let (_, listed) = fetch(&source, |_, _| {
        let mut row = row(1, "Open");
        row["properties"]["Hours"]["number"] = json!(-3);
        list([row], None)
    })
    .await;
    let listed = listed.expect("readable");
    assert_eq!(listed.pages.rows()[0].values.iter().count(), 0);
    assert!(listed.problems[0].text.contains("\"Hours\" was left out"), "{:?}", listed.problems);
}

#[tokio::test]
async fn a_page_is_seen_where_it_is() {
    let source = resolved().await;
    let with = |change: fn(&mut Json)| {
        let mut row = row(1, "Open");
        change(&mut row);
        Reply::json(200, &row)
    };
    for (reply, expected) in [
        (with(|_| ()), "open"),
        (with(|row| row["in_trash"] = json!(true)), "trashed"),
        (with(|row| row["is_archived"] = json!(true)), "trashed"),
        (
            with(|row| {
                row["parent"] = json!({"type": "data_source_id", "data_source_id": page_id(3)});
            }),
            "moved",
        ),
        (with(|row| row["parent"] = json!({"type": "workspace", "workspace": true})), "moved"),
        (error(404, "object_not_found"), "not found"),
    ] {
        let stub = Stub::start(move |_, _| reply.clone()).await;
        let seen = notion(&stub, mapping())
            .page(Kind::Project, &source, page_id(1).parse().expect("an id"))
            .await
            .expect("readable");
        let seen = match seen {
            Seen::Page(page) if page.standing == Standing::Trashed => "trashed",
            Seen::Page(_) => "open",
            Seen::Away(Away::MovedOut) => "moved",
            Seen::Away(Away::Lost) => "not found",
            Seen::Away(Away::NotMeant) => "not meant",
        };
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn a_write_is_one_patch_and_is_verified() {
    let source = resolved().await;
    let id: ObjectId = "64b000000000000000000001".parse().expect("an id");
    let fields: BTreeMap<Field, Value> =
        [(Field::Estimate, Value::Seconds(5400)), (Field::State, Value::Closed(true))].into();
    let write = async |reply: Reply, claim| {
        let stub = Stub::start(move |_, _| reply.clone()).await;
        let page = page_id(1).parse().expect("an id");
        let written = notion(&stub, mapping()).write_back(Kind::Project, &source, page, claim, &fields, false).await;
        (stub.asked(), written)
    };

    let (asked, written) = write(Reply::json(200, &row(1, "Done")), Some(Some(id))).await;
    assert!(written.is_ok(), "{written:?}");
    assert_eq!(asked.len(), 1);
    assert_eq!(
        asked[0].body,
        json!({"properties": {"Clockify Project ID": {"rich_text": [{"text": {"content": id.as_str()}}]}, "Hours": {"number": 1.5},
                              "Status": {"status": {"name": "Done"}}}})
    );
    let (_, ignored) = write(Reply::json(200, &row(1, "Open")), None).await;
    assert!(ignored.expect_err("ignored").to_string().contains("does not hold the state"));
    let (_, uncleared) = write(Reply::json(200, &row(1, "Done")), Some(None)).await;
    assert!(uncleared.expect_err("ignored").to_string().contains("Clockify ID"));
    let (asked, saved) = write(error(503, "service_unavailable"), None).await;
    assert!(matches!(saved, Err(Failure::Unknown { .. })) && asked.len() > 1, "a PATCH of values may be repeated");
}

#[tokio::test]
async fn identity_and_refusals() {
    let told = async |me: Json| {
        let stub = Stub::start(move |_, _| Reply::json(200, &me)).await;
        let Identity { workspace_id, workspace_name, name, is_person } =
            notion(&stub, mapping()).identity().await.expect("readable");
        let who = format!("{} {}", if is_person { "person" } else { "connection" }, name.shown());
        (workspace_id, workspace_name.exact().to_owned(), who)
    };
    let owned_by = |owner: Json| {
        let bot = json!({"owner": owner, "workspace_id": "ws", "workspace_name": "Acme"});
        json!({"object": "user", "id": "bot", "name": "mirror", "type": "bot", "bot": bot})
    };
    let of_acme = |who: &str| (Some("ws".to_owned()), "Acme".to_owned(), who.to_owned());
    let connection = owned_by(json!({"type": "workspace", "workspace": true}));
    assert_eq!(told(connection).await, of_acme("connection mirror"));
    // Of a personal access token it is not proved what is told.
    let person = owned_by(json!({"type": "user", "user": {"object": "user", "id": "ada", "name": "Ada"}}));
    assert_eq!(told(person).await, of_acme("person Ada"));
    let person = owned_by(json!({"type": "user"}));
    assert_eq!(told(person).await, of_acme("person mirror"));
    let nowhere = |who: &str| (None, String::new(), who.to_owned());
    let person = json!({"object": "user", "id": "ada", "name": "Ada", "type": "person", "person": {}});
    assert_eq!(told(person).await, nowhere("person Ada"));
    let bare = json!({"object": "user", "id": "bot", "type": "bot", "bot": {"workspace_id": ""}});
    assert_eq!(told(bare).await, nowhere("connection "));
    let stub = Stub::start(|_, _| error(401, "unauthorized")).await;
    let refused = notion(&stub, mapping()).identity().await.expect_err("refused");
    assert!(refused.is_refusal() && refused.to_string().contains("notion.token"), "{refused}");
}

/// Sessions run in tasks of their own.
#[expect(dead_code, reason = "that it compiles is the test")]
fn reading_can_be_spawned(notion: &'static Notion, source: &'static Source) -> impl Send {
    notion.fetch(Kind::Client, source, &[], &|_| {})
}
