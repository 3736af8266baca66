//! The three-way table, row by row, for each kind, each sort of field and each rule.

use std::fmt::Write as _;

use snapbox::{assert_data_eq, file};

use super::world::World;
use crate::domain::{
    model::{Field, Kind, ObjectId, Reading, Relation, Service, Standing, Value},
    plan::{Notice, NoticeCode},
    rules::{Direction, FieldRule, OnConflict, OnDrift},
};

/// One path for each kind; each has siblings to move to, and a field of its own.
const ROWS: [(&str, &[Field]); 3] = [
    ("Acme", &[Field::Name, Field::State, Field::Email]),
    ("Acme/Website", &[Field::Name, Field::State, Field::Parent, Field::Note]),
    ("Acme/Website/Design", &[Field::Name, Field::State, Field::Parent, Field::Estimate]),
];
/// What happened since both sides agreed: does Notion move, does Clockify, to the same, is the base lost.
const HAPPENS: [(&str, bool, bool, bool, bool); 6] = [
    ("nothing", false, false, false, false),
    ("Notion", true, false, false, false),
    ("Clockify", false, true, false, false),
    ("both", true, true, false, false),
    ("both alike", true, true, true, false),
    ("no base", true, false, false, true),
];

fn rules() -> Vec<(String, FieldRule)> {
    let drifts = [("review", OnDrift::Review), ("restore", OnDrift::Restore), ("accept", OnDrift::Accept)];
    let conflicts =
        [("review", OnConflict::Review), ("notion", OnConflict::Notion), ("clockify", OnConflict::Clockify)];
    let mut rules = Vec::new();
    for (word, on_drift) in drifts {
        rules.push((format!("on_drift {word}"), FieldRule { on_drift, ..FieldRule::default() }));
    }
    for (word, on_conflict) in conflicts {
        rules.push((format!("on_conflict {word}"), FieldRule { on_conflict, ..FieldRule::default() }));
    }
    rules.push(("to_notion".to_owned(), FieldRule { direction: Direction::ToNotion, ..FieldRule::default() }));
    rules
}

/// Two of everything, which agree.
fn agreed() -> World {
    let mut world =
        World::linked(&["Acme", "Beta", "Gamma", "Acme/Website", "Acme/Shop", "Acme/App", "Acme/Website/Design"]);
    world.agree("Acme", Field::Email, &value(Field::Email, "old"));
    world.agree("Acme/Website", Field::Note, &Value::text("old"));
    world.agree("Acme/Website/Design", Field::Estimate, &Value::Seconds(3600));
    world
}

fn value(field: Field, text: &str) -> Value {
    match field {
        Field::Estimate => Value::Seconds(if text == "NN" { 7200 } else { 10800 }),
        Field::Email => Value::text(&format!("{text}@example.com")),
        Field::Color => Value::text(if text == "NN" { "#00ff00" } else { "#ff0000" }),
        _ => Value::text(text),
    }
}

fn edit_page(world: &mut World, path: &str, field: Field, text: &str) {
    let to = world.page_id(if path.contains("Design") { "Acme/Shop" } else { "Beta" });
    let page = world.page_mut(path);
    match field {
        Field::Name => page.title = text.into(),
        Field::State => page.standing = Standing::Closed { because: "Status is Done".into() },
        Field::Parent => page.parent = Relation::One(to),
        _ => page.values.set(field, value(field, text)),
    }
}

fn edit_object(world: &mut World, path: &str, field: Field, text: &str) {
    let parent = match (path.contains("Design"), text) {
        (true, "NN") => "Acme/Shop",
        (true, _) => "Acme/App",
        (false, "NN") => "Beta",
        (false, _) => "Gamma",
    };
    let to: ObjectId = world.object_id(parent);
    let object = world.object_mut(path);
    match field {
        Field::Name => object.name = text.into(),
        Field::State => object.closed = true,
        Field::Parent => object.parent = Some(to),
        _ => object.values.set(field, value(field, text)),
    }
}

#[test]
fn each_row_for_each_kind_and_rule() {
    let mut table = String::new();
    for (row, notion, clockify, alike, lost) in HAPPENS {
        writeln!(table, "== edited since both agreed: {row}").expect("memory");
        for (path, fields) in ROWS {
            for &field in fields {
                let kind = Kind::ALL[path.matches('/').count()];
                let mut said: Vec<(String, Vec<String>)> = Vec::new();
                for (word, rule) in rules() {
                    if rule.direction == Direction::ToNotion && !field.is_writable_in_notion() {
                        continue;
                    }
                    let mut world = agreed();
                    world.rules.precedence[kind].fields.insert(field, rule);
                    if notion {
                        edit_page(&mut world, path, field, "NN");
                    }
                    if clockify {
                        edit_object(&mut world, path, field, if alike { "NN" } else { "CC" });
                    }
                    if lost {
                        world.forget();
                    }
                    let changes = world.changes();
                    let changes = if changes.is_empty() { "nothing\n".to_owned() } else { changes };
                    match said.iter_mut().find(|(known, _)| *known == changes) {
                        Some((_, words)) => words.push(word),
                        None => said.push((changes, vec![word])),
                    }
                }
                for (changes, words) in said {
                    let words =
                        if words.len() >= rules().len() - 1 { "any rule".to_owned() } else { words.join(" · ") };
                    writeln!(table, "{kind} {field}, {words}:").expect("memory");
                    changes.lines().for_each(|line| writeln!(table, "  {line}").expect("memory"));
                }
            }
        }
    }
    assert_data_eq!(table, file!["table.txt"].raw());
}

/// Makes what one side says of a field unknown, whatever it said; the name of a page is unknown along with its
/// standing.
fn hide(world: &mut World, service: Service, path: &str, field: Field) {
    let because = "nobody says it".into();
    match (service, field) {
        (Service::Notion, Field::State | Field::Name) => world.page_mut(path).standing = Standing::Unknown { because },
        (Service::Notion, Field::Parent) => world.page_mut(path).parent = Relation::Unknown(because),
        (Service::Notion, _) => world.page_mut(path).values.put(field, Reading::Unknown(because)),
        (Service::Clockify, _) => world.object_mut(path).values.put(field, Reading::Unknown(because)),
    }
}

/// The column of the table where one side is not known: nothing, a notice, and the base stays.
#[test]
fn whatever_else_happened_the_unknown_changes_nothing() {
    for (row, notion, clockify, alike, lost) in HAPPENS {
        for (path, fields) in ROWS {
            for (service, &field) in
                fields.iter().flat_map(|field| [(Service::Notion, field), (Service::Clockify, field)])
            {
                // A name and a parent are what Clockify always says.
                if service == Service::Clockify && matches!(field, Field::Name | Field::Parent) {
                    continue;
                }
                for (word, rule) in rules() {
                    let mut world = agreed();
                    let kind = Kind::ALL[path.matches('/').count()];
                    world.rules.precedence[kind].fields.insert(field, rule);
                    world.rules.close_children = true;
                    if notion {
                        edit_page(&mut world, path, field, "NN");
                    }
                    if clockify {
                        edit_object(&mut world, path, field, if alike { "NN" } else { "CC" });
                    }
                    hide(&mut world, service, path, field);
                    let before = world.base(path, field);
                    if lost {
                        world.forget();
                    }

                    let difference = world.diff();

                    let what = format!("{row}, {kind} {field} unknown in {service}, {word}");
                    let page = world.page_id(path);
                    let changes: Vec<_> = difference.plan.changes.iter().filter(|change| change.page == page).collect();
                    assert!(changes.is_empty(), "{what}: {}", world.changes());
                    let says = |notice: &&Notice| notice.code == NoticeCode::Unknown && notice.page == Some(page);
                    assert_eq!(difference.plan.notices.iter().filter(says).count(), 1, "{what}");
                    world.save(difference.verified);
                    let after = if lost { None } else { before };
                    assert_eq!(world.base(path, field), after, "{what}");
                }
            }
        }
    }
}
