use super::*;
use crate::domain::{
    model::Field,
    rules::{Condition, Holds, Mapping},
};

fn column(name: &str, kind: &str) -> Column {
    Column { name: name.into(), kind: kind.to_owned(), ..Column::default() }
}

fn relation(name: &str, to: u128) -> Column {
    Column { target: Some(PageId::from_number(to)), ..column(name, "relation") }
}

fn status(name: &str, open: &[&str], complete: &[&str]) -> Column {
    let raw = |names: &[&str]| -> Vec<Raw> { names.iter().map(|&name| name.into()).collect() };
    Column {
        options: raw(&[open, complete].concat()),
        groups: vec![("To-do".into(), raw(open)), ("Complete".into(), raw(complete))],
        ..column(name, "status")
    }
}

fn table(number: u128, title: &str, columns: Vec<Column>) -> Table {
    let columns = [vec![column("Name", "title")], columns].concat();
    Table { id: PageId::from_number(number), database: None, page: None, title: title.into(), columns }
}

/// The n8n template, as tables 1, 2 and 3.
fn template() -> Vec<Table> {
    let states = || status("Status", &["Not started", "In progress"], &["Done", "Obsolete"]);
    vec![
        table(1, "Clients", vec![column("Archive", "checkbox"), column("Clockify Client ID", "rich_text")]),
        table(2, "Projects", vec![states(), relation("Clients", 1), column("Clockify Project ID", "rich_text")]),
        table(3, "Tasks", vec![states(), relation("Projects", 2), column("Clockify Task ID", "rich_text")]),
    ]
}

/// The tables of an agency that has never heard of the template.
fn own_words() -> Vec<Table> {
    vec![
        table(1, "CRM", vec![column("Aktiv", "checkbox"), column("E-Mail", "email")]),
        table(2, "Projekte 2026", vec![status("Phase", &["Angebot"], &["Fertig", "Verloren"]), relation("Kunde", 1)]),
        table(3, "Aufgaben", vec![column("Erledigt", "checkbox"), relation("Projekt", 2), relation("Blockiert", 3)]),
    ]
}

/// The proposals: their titles with confidence, `?` where somebody has to be asked.
fn proposals(tables: &[Table]) -> Vec<String> {
    let found = Discovery::of(tables, &PerKind::default());
    let told = |best: &Candidate| {
        let title = tables[best.table].title.shown();
        format!("{title} {}{}", best.confidence, if best.is_clear { "" } else { "?" })
    };
    Kind::ALL.map(|kind| found.best(kind).map_or("none".to_owned(), told)).to_vec()
}

#[test]
fn the_template_is_recognised_among_many() {
    let noise =
        (10..200).map(|number| table(number, &format!("Meeting notes {number}"), vec![column("Tags", "select")]));
    let tables: Vec<Table> = noise.chain(template()).collect();
    assert_eq!(proposals(&tables), ["Clients 99", "Projects 99", "Tasks 99"]);
    let found = Discovery::of(&tables, &PerKind::default());
    let reasons = &found.best(Kind::Project).expect("found").reasons;
    assert!(reasons.iter().any(|reason| reason == "related to “Clients”"), "{reasons:?}");
    assert!(found.0.tasks.len() <= CANDIDATES_MAX);
}

#[test]
fn relations_find_what_titles_do_not_tell() {
    // The clients' title is no word for them; what relates to them says what they are.
    assert_eq!(proposals(&own_words()), ["CRM 45?", "Projekte 2026 75", "Aufgaben 75"]);
}

#[test]
fn a_copy_is_not_taken_for_the_original_and_two_alike_are_asked_about() {
    let copies = |title: &str| {
        let mut copies = template();
        for (number, copy) in (11..).zip(&mut copies) {
            copy.id = PageId::from_number(number);
            copy.title = format!("{} {title}", copy.title.exact()).into();
            for column in &mut copy.columns {
                column.target = match column.target {
                    Some(id) if id == PageId::from_number(1) => Some(PageId::from_number(11)),
                    Some(_) => Some(PageId::from_number(12)),
                    None => None,
                };
            }
        }
        [template(), copies].concat()
    };
    assert_eq!(proposals(&copies("(copy)")), ["Clients 99", "Projects 99", "Tasks 99"]);
    assert!(proposals(&copies("B")).iter().all(|proposal| proposal.ends_with('?')), "{:?}", proposals(&copies("B")));
    // Who has chosen one has chosen what belongs to it.
    let tables = copies("B");
    let chosen = PerKind { clients: Some(PageId::from_number(11)), ..PerKind::default() };
    let found = Discovery::of(&tables, &chosen);
    assert!(found.is_clear());
    assert_eq!(tables[found.best(Kind::Task).expect("found").table].title.exact(), "Tasks B");
}

#[test]
fn a_kind_that_is_nowhere_leaves_the_others_found() {
    assert_eq!(proposals(&template()[..2]), ["Clients 99", "Projects 99", "none"]);
    assert_eq!(proposals(&[]), ["none", "none", "none"]);
    // The same words in one table: it is one of them only.
    assert_eq!(proposals(&[table(1, "Client projects", vec![])]), ["none", "Client projects 30?", "none"]);
}

#[test]
fn columns_of_the_template_are_those_of_its_preset() {
    let tables = template();
    for (place, kind) in Kind::ALL.into_iter().enumerate() {
        let parents = place.checked_sub(1).map(|above| &tables[above]);
        assert!(fit(kind, &tables[place], parents).is_of_template(kind), "{kind}");
    }
    assert_eq!(fit(Kind::Task, &tables[2], Some(&tables[0])).parent, None, "it points elsewhere");
}

#[test]
fn columns_of_others_play_the_same_parts() {
    let tables = own_words();
    let clients = fit(Kind::Client, &tables[0], None);
    assert_eq!((clients.id, clients.parent), (None, None));
    assert_eq!(clients.closed, Some(Condition { property: "Aktiv".into(), is: Holds::Checked(false) }));
    assert_eq!(clients.fields[&Field::Email].property, "E-Mail");
    let projects = fit(Kind::Project, &tables[1], Some(&tables[0]));
    assert_eq!(projects.parent, Some("Kunde".into()));
    let is = Holds::InGroups { groups: vec!["Complete".into()], options: vec![] };
    assert_eq!(projects.closed, Some(Condition { property: "Phase".into(), is }));
    let tasks = fit(Kind::Task, &tables[2], Some(&tables[1]));
    assert_eq!(tasks.parent, Some("Projekt".into()));
    assert_eq!(tasks.closed, Some(Condition { property: "Erledigt".into(), is: Holds::Checked(true) }));
}

#[test]
fn an_id_column_of_another_kind_is_left_alone() {
    let tasks = table(1, "Tasks", vec![column("Clockify Project ID", "rich_text"), column("Clockify", "rich_text")]);
    assert_eq!(fit(Kind::Task, &tasks, None).id, Some("Clockify".into()));
    let tasks = table(1, "Tasks", vec![column("Clockify Project ID", "rich_text"), column("Clockify ID", "number")]);
    assert_eq!(fit(Kind::Task, &tasks, None).id, None);
}

#[test]
fn a_select_of_other_options_closes_by_those_that_say_so() {
    let mut select = column("State", "select");
    select.options = ["Active", "On hold", "Cancelled"].map(Raw::from).into();
    let closed = fit(Kind::Project, &table(1, "Projects", vec![select]), None).closed;
    assert_eq!(closed, Some(Condition { property: "State".into(), is: Holds::OneOf(vec!["Cancelled".into()]) }));
    let template = Mapping::n8n().projects.closed;
    let fewer = table(1, "Projects", vec![status("Status", &["Open"], &["Done"])]);
    assert_eq!(fit(Kind::Project, &fewer, None).closed, template, "the preset says it as well");
}
