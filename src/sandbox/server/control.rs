//! Control routes below `/sandbox/` for scripts: the call log, the world, the knobs, and edits as people make them.
//!
//! | route | does |
//! |---|---|
//! | `GET /sandbox/calls`, `DELETE /sandbox/calls` | shows or forgets the calls |
//! | `GET /sandbox/world` | both sides, and the IDs that a configuration needs |
//! | `GET /sandbox/knobs`, `PUT /sandbox/knobs` | shows or replaces the knobs; what is left out takes its default |
//! | `POST /sandbox/edit` | one edit or an array of them: `{"verb": "set_title", "page": "…", "title": "…"}` |
//!
//! Edits also hand out tokens and keys, share, and change roles: `{"verb": "add_connection", "name": "…", "token": "…"}`.

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::sandbox::ids::{ClockifyId, NotionId};
use crate::sandbox::knobs::Knobs;
use crate::sandbox::wire::{Answer, Body, Request};
use crate::sandbox::world::{Capabilities, Role, World};
use crate::sandbox::{Shared, lock};

pub(super) fn answer(shared: &Shared, request: &Request) -> Answer {
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    match (request.method.as_str(), segments.as_slice()) {
        ("GET", ["sandbox", "calls"]) => Answer::ok(json!(*lock(&shared.calls))),
        ("DELETE", ["sandbox", "calls"]) => {
            lock(&shared.calls).clear();
            Answer::ok(json!({}))
        }
        ("GET", ["sandbox", "world"]) => Answer::ok(describe(&lock(&shared.world))),
        ("GET", ["sandbox", "knobs"]) => Answer::ok(json!(*lock(&shared.knobs))),
        ("PUT", ["sandbox", "knobs"]) => replace_knobs(shared, &request.body),
        ("POST", ["sandbox", "edit"]) => edit(shared, &request.body),
        _ => Answer::new(
            404,
            json!({"error": "the routes are /notion, /clockify/api, /clockify/report and /sandbox/{calls,world,knobs,edit}"}),
        ),
    }
}

fn describe(world: &World) -> Value {
    let sources = world
        .notion
        .data_sources
        .values()
        .map(|source| (source.name.clone(), json!({"data_source": source.id, "database": source.database})));
    let remembered = world
        .remembered()
        .iter()
        .map(|link| json!({"page": link.page, "object": link.object, "kind": link.kind, "base": link.base}));
    json!({
        "now": world.now().to_string(),
        "workspace": world.workspace_id(),
        "root_page": world.root_page(),
        "sources": sources.collect::<Map<_, _>>(),
        "notion": world.notion_snapshot(),
        "clockify": world.clockify_snapshot(),
        "remembered": remembered.collect::<Vec<_>>(),
    })
}

fn refused(why: impl std::fmt::Display) -> Answer {
    Answer::new(400, json!({"error": why.to_string()}))
}

fn replace_knobs(shared: &Shared, body: &Body) -> Answer {
    let Body::Json(body) = body else {
        return refused("the body is JSON");
    };
    match serde_json::from_value::<Knobs>(body.clone()) {
        Ok(knobs) => {
            let shown = json!(knobs);
            *lock(&shared.knobs) = knobs;
            Answer::ok(shown)
        }
        Err(why) => refused(why),
    }
}

/// What a person may do. Pages and objects are named by ID, by the sample's alias, or by their title or name.
#[derive(Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
enum Edit {
    AddClientPage {
        name: String,
    },
    AddProjectPage {
        name: String,
        client: Option<String>,
    },
    AddTaskPage {
        name: String,
        project: Option<String>,
    },
    SetTitle {
        page: String,
        title: String,
    },
    SetProperty {
        page: String,
        property: String,
        value: Value,
    },
    Trash {
        page: String,
    },
    Restore {
        page: String,
    },
    SetArchived {
        page: String,
        archived: bool,
    },
    DeleteForever {
        page: String,
    },
    Hide {
        page: String,
    },
    Show {
        page: String,
    },
    Duplicate {
        page: String,
    },
    AddClient {
        name: String,
    },
    AddProject {
        name: String,
        client: Option<String>,
    },
    AddTask {
        name: String,
        project: String,
    },
    RenameObject {
        object: String,
        name: String,
    },
    SetField {
        object: String,
        field: String,
        value: Value,
    },
    CloseObject {
        object: String,
    },
    ReopenObject {
        object: String,
    },
    DeleteObject {
        object: String,
    },
    MoveProject {
        project: String,
        client: Option<String>,
    },
    /// Time on a project or task, by its owner or by somebody else.
    Track {
        on: String,
        start: jiff::Timestamp,
        seconds: i64,
        by: Option<String>,
        billable: Option<bool>,
    },
    StartTimer {
        on: String,
    },
    /// Whatever is said of an entry by its ID.
    SetEntry {
        entry: String,
        seconds: Option<i64>,
        billable: Option<bool>,
        approved: Option<bool>,
        invoiced: Option<bool>,
    },
    SetPlan {
        plan: String,
    },
    SetAccountZone {
        zone: String,
    },
    AddConnection {
        name: String,
        token: String,
    },
    AddPersonalToken {
        person: String,
        token: String,
    },
    Share {
        token: String,
        what: String,
    },
    Unshare {
        token: String,
        what: String,
    },
    Limit {
        token: String,
        read: bool,
        update: bool,
        insert: bool,
    },
    ExpireToken {
        token: String,
    },
    AddClockifyKey {
        key: String,
        member: String,
    },
    SetRole {
        member: String,
        role: Role,
    },
    CopyTemplate {
        suffix: String,
    },
    Advance {
        seconds: i64,
    },
    ExpireCursors,
}

/// Does what people do.
pub(super) fn edit(shared: &Shared, body: &Body) -> Answer {
    let Body::Json(body) = body else {
        return refused("the body is JSON");
    };
    let edits = if body.is_array() { body.clone() } else { json!([body]) };
    let edits: Vec<Edit> = match serde_json::from_value(edits) {
        Ok(edits) => edits,
        Err(why) => return refused(why),
    };
    let mut world = lock(&shared.world);
    let mut results = Vec::new();
    for edit in edits {
        match apply(&mut world, edit) {
            Ok(result) => results.push(result),
            Err(why) => return refused(why),
        }
    }
    Answer::ok(if body.is_array() { json!(results) } else { results.remove(0) })
}

fn apply(world: &mut World, edit: Edit) -> Result<Value, String> {
    let made_page = |id: NotionId| Ok(json!({"page": id}));
    let made_object = |id: ClockifyId| Ok(json!({"object": id}));
    match edit {
        Edit::AddClientPage { name } => {
            template(world)?;
            return made_page(world.add_client_page(&name));
        }
        Edit::AddProjectPage { name, client } => {
            template(world)?;
            let client = client.map(|client| page(world, &client)).transpose()?;
            return made_page(world.add_project_page(&name, client));
        }
        Edit::AddTaskPage { name, project } => {
            template(world)?;
            let project = project.map(|project| page(world, &project)).transpose()?;
            return made_page(world.add_task_page(&name, project));
        }
        Edit::SetTitle { page: named, title } => {
            let id = page(world, &named)?;
            world.set_title(id, &title);
        }
        Edit::SetProperty { page: named, property, value } => {
            let id = page(world, &named)?;
            let state = world.page(id).ok_or("the page is gone")?;
            if !state.properties.contains_key(&property) {
                return Err(format!("the page has no property `{property}` that can be set"));
            }
            world.set(id, &property, value);
        }
        Edit::Trash { page: named } => {
            let id = page(world, &named)?;
            world.trash(id);
        }
        Edit::Restore { page: named } => {
            let id = page(world, &named)?;
            world.restore(id);
        }
        Edit::SetArchived { page: named, archived } => {
            let id = page(world, &named)?;
            world.set_archived(id, archived);
        }
        Edit::DeleteForever { page: named } => {
            let id = page(world, &named)?;
            world.delete_forever(id);
        }
        Edit::Hide { page: named } => {
            let id = page(world, &named)?;
            world.hide(id);
        }
        Edit::Show { page: named } => {
            let id = page(world, &named)?;
            world.show(id);
        }
        Edit::Duplicate { page: named } => {
            let id = page(world, &named)?;
            return made_page(world.duplicate(id));
        }
        Edit::AddClient { name } => return made_object(world.add_client(&name)),
        Edit::AddProject { name, client } => {
            let client = client.map(|client| client_of(world, &client)).transpose()?;
            return made_object(world.add_project(&name, client));
        }
        Edit::AddTask { name, project } => {
            let project = project_of(world, &project)?;
            return made_object(world.add_task(&name, project));
        }
        Edit::RenameObject { object: named, name } => {
            let id = object(world, &named)?;
            world.rename_object(id, &name);
        }
        Edit::SetField { object: named, field, value } => {
            let id = object(world, &named)?;
            edit_object(world, id, &field, &value)?;
        }
        Edit::CloseObject { object: named } => {
            let id = object(world, &named)?;
            world.close_object(id);
        }
        Edit::ReopenObject { object: named } => {
            let id = object(world, &named)?;
            world.reopen_object(id);
        }
        Edit::DeleteObject { object: named } => {
            let id = object(world, &named)?;
            world.delete_object(id);
        }
        Edit::MoveProject { project, client } => {
            let project = project_of(world, &project)?;
            let client = client.map(|client| client_of(world, &client)).transpose()?;
            world.move_project(project, client);
        }
        Edit::Track { on, start, seconds, by, billable } => {
            let on = object(world, &on)?;
            let id = world.track(on, start, SignedDuration::from_secs(seconds));
            let user =
                by.map(|by| world.member(&by).ok_or_else(|| format!("there is no member `{by}`"))).transpose()?;
            world.edit_entry(id, |entry| {
                entry.user = user.unwrap_or(entry.user);
                entry.billable = billable.unwrap_or(entry.billable);
            });
            return Ok(json!({"entry": id}));
        }
        Edit::StartTimer { on } => {
            let on = object(world, &on)?;
            return Ok(json!({"entry": world.start_timer(on)}));
        }
        Edit::SetEntry { entry: named, seconds, billable, approved, invoiced } => {
            let id = ClockifyId::parse(&named).filter(|id| world.entries().iter().any(|entry| entry.id == *id));
            let id = id.ok_or_else(|| format!("there is no entry `{named}`"))?;
            world.edit_entry(id, |entry| {
                if let Some(seconds) = seconds {
                    entry.end = entry.start.saturating_add(SignedDuration::from_secs(seconds)).ok();
                }
                entry.billable = billable.unwrap_or(entry.billable);
                entry.approved = approved.unwrap_or(entry.approved);
                entry.invoiced = invoiced.unwrap_or(entry.invoiced);
            });
        }
        Edit::SetPlan { plan } => world.set_plan(&plan),
        Edit::SetAccountZone { zone } => world.set_account_zone(&zone),
        Edit::AddConnection { name, token } => {
            world.add_connection(&name, &token);
        }
        Edit::AddPersonalToken { person, token } => {
            world.person(&person).ok_or_else(|| format!("there is nobody called `{person}` in Notion"))?;
            world.add_personal_token(&person, &token);
        }
        Edit::Share { token, what } => {
            let what = page_or_database(world, &what)?;
            world.share(known_token(world, &token)?, what);
        }
        Edit::Unshare { token, what } => {
            let what = page_or_database(world, &what)?;
            world.unshare(known_token(world, &token)?, what);
        }
        Edit::Limit { token, read, update, insert } => {
            world.limit(known_token(world, &token)?, Capabilities { read, update, insert });
        }
        Edit::ExpireToken { token } => world.expire_token(known_token(world, &token)?),
        Edit::AddClockifyKey { key, member } => {
            let member = member_of(world, &member)?;
            world.add_clockify_key(&key, member);
        }
        Edit::SetRole { member, role } => {
            let member = member_of(world, &member)?;
            world.set_role(member, role);
        }
        Edit::CopyTemplate { suffix } => {
            template(world)?;
            world.copy_template(&suffix);
        }
        Edit::Advance { seconds } => world.advance(SignedDuration::from_secs(seconds)),
        Edit::ExpireCursors => world.expire_cursors(),
    }
    Ok(json!({}))
}

/// Sets a field of an object by its name in Clockify's answers.
fn edit_object(world: &mut World, id: ClockifyId, field: &str, value: &Value) -> Result<(), String> {
    let text = || value.as_str().map(str::to_owned);
    let flag = || value.as_bool().ok_or_else(|| format!("{field} takes true or false"));
    let odd = || format!("there is no field `{field}` to edit");
    if world.client(id).is_some() {
        let text = text();
        match field {
            "note" => world.edit_client(id, |client| client.note = text),
            "email" => world.edit_client(id, |client| client.email = text),
            "address" => world.edit_client(id, |client| client.address = text),
            _ => return Err(odd()),
        }
    } else if world.project(id).is_some() {
        match field {
            "note" => {
                let text = text().unwrap_or_default();
                world.edit_project(id, |project| project.note = text);
            }
            "color" => {
                let text = text().ok_or_else(odd)?;
                world.edit_project(id, |project| project.color = text);
            }
            "billable" => {
                let flag = flag()?;
                world.edit_project(id, |project| project.billable = flag);
            }
            "public" => {
                let flag = flag()?;
                world.edit_project(id, |project| project.public = flag);
            }
            _ => return Err(odd()),
        }
    } else {
        match field {
            "billable" => {
                let flag = flag()?;
                world.edit_task(id, |task| task.billable = flag);
            }
            _ => return Err(odd()),
        }
    }
    Ok(())
}

fn template(world: &World) -> Result<(), String> {
    let missing = ["Clients", "Projects", "Tasks"].into_iter().find(|name| world.data_source(name).is_none());
    missing.map_or(Ok(()), |name| Err(format!("the world has no data source `{name}`")))
}

fn page(world: &World, named: &str) -> Result<NotionId, String> {
    let by_id = NotionId::parse(named).or_else(|| world.page_alias(named));
    let by_title = || ["Clients", "Projects", "Tasks"].iter().find_map(|source| world.find_page(source, named));
    by_id.filter(|id| world.page(*id).is_some()).or_else(by_title).ok_or_else(|| format!("there is no page `{named}`"))
}

/// A page or a database: by ID, a database also by the name of a data source, a page as everywhere.
fn page_or_database(world: &World, named: &str) -> Result<NotionId, String> {
    let by_id = NotionId::parse(named).filter(|id| world.notion.databases.contains_key(id));
    by_id.or_else(|| world.database(named)).map_or_else(|| page(world, named), Ok)
}

fn known_token<'a>(world: &World, token: &'a str) -> Result<&'a str, String> {
    world.access(token).map(|_| token).ok_or_else(|| "there is no such token".to_owned())
}

fn member_of(world: &World, named: &str) -> Result<ClockifyId, String> {
    world.member(named).ok_or_else(|| format!("there is nobody called `{named}` in Clockify"))
}

fn object(world: &World, named: &str) -> Result<ClockifyId, String> {
    let exists =
        |id: &ClockifyId| world.client(*id).is_some() || world.project(*id).is_some() || world.task(*id).is_some();
    let by_name = || {
        let project = || world.projects().into_iter().find(|project| project.name == named).map(|project| project.id);
        let task = || world.tasks().into_iter().find(|task| task.name == named).map(|task| task.id);
        world.find_client(named).or_else(project).or_else(task)
    };
    ClockifyId::parse(named)
        .or_else(|| world.object_alias(named))
        .filter(exists)
        .or_else(by_name)
        .ok_or_else(|| format!("there is no object `{named}`"))
}

fn client_of(world: &World, named: &str) -> Result<ClockifyId, String> {
    let found = object(world, named)?;
    world.client(found).map(|client| client.id).ok_or_else(|| format!("`{named}` is no client"))
}

fn project_of(world: &World, named: &str) -> Result<ClockifyId, String> {
    let found = object(world, named)?;
    world.project(found).map(|project| project.id).ok_or_else(|| format!("`{named}` is no project"))
}
