//! Which databases hold the clients, projects and tasks; what they lack; or new ones.

use super::{NAME_COLUMNS, ask::Ask};
use crate::{
    domain::{
        discovery::{Candidate, Discovery, Fit, Table, fit},
        model::{Kind, PageId, PerKind},
        reference,
        rules::Holds,
        text::{Raw, Shown},
    },
    edge::notion::Notion,
    engine::set_up::{SetUp, missing},
    face::failure::{Code, RunError},
};

/// Columns of a title beside its reasons.
const TITLE_COLUMNS: usize = 22;
/// Columns of a list of reasons.
const REASONS_COLUMNS: usize = 36;
/// Pages that are offered to make databases on.
const PLACES_MAX: usize = 10;

/// The databases, and how their properties play their parts.
pub(super) struct Databases {
    pub(super) tables: PerKind<Table>,
    pub(super) fits: PerKind<Fit>,
    pub(super) is_local: bool,
    pub(super) with_fields: bool,
}

pub(super) async fn choose(
    ask: &mut Ask,
    set_up: &SetUp,
    notion: &Notion,
    create_under: Option<&str>,
) -> Result<Databases, RunError> {
    ask.say("\n3. The databases in Notion\n")?;
    if let Some(page) = create_under {
        let page = reference::page(page).ok_or_else(|| {
            RunError::new(Code::Usage, "--create-under names no page").hint("copy the link of a page in Notion")
        })?;
        return made(ask, set_up, notion, page).await;
    }
    loop {
        let tables = set_up.tables(notion).await?;
        let found = set_up.discover(&tables);
        ask.say(&format!("The token sees {}.\n", counted(tables.len())))?;
        if tables.is_empty() && ask.is_somebody() {
            ask.say(&format!("{}\n", SHARE.join("\n")))?;
        }
        if found.is_clear() {
            for kind in Kind::ALL {
                if let Some(best) = found.best(kind) {
                    ask.say(&format!("  {:9} {}\n", kind.plural(), described(&tables, best)))?;
                }
            }
            if ask.yes("Are these the ones?", true).await? {
                let best = PerKind::from_fn(|kind| found.best(kind).map_or(0, |best| best.table));
                return complete(ask, set_up, notion, picked(&tables, &best)).await;
            }
        }
        if !ask.is_somebody() {
            return Err(unclear(&tables, &found));
        }
        let choices = [
            "choose from what the token sees, or name others by link",
            "make the three databases from a template, with a few examples",
            "look again, after sharing them with the connection",
        ];
        let default = if tables.is_empty() { 2 } else { 0 };
        let choices = choices.map(str::to_owned);
        match ask.choice("How to go on?", &choices, Some(default)).await? {
            0 => {
                let picked = one_by_one(ask, set_up, notion, tables, &found).await?;
                return complete(ask, set_up, notion, picked).await;
            }
            1 => {
                let page = place(ask, notion).await?;
                return made(ask, set_up, notion, page).await;
            }
            _ => {}
        }
    }
}

/// What an internal connection needs that sees nothing.
const SHARE: [&str; 2] = [
    "an internal connection sees what is shared with it: open each of the three in",
    "Notion, ••• → Connections, and add it; that may take a minute to be seen",
];

fn counted(tables: usize) -> String {
    match tables {
        0 => "no database".to_owned(),
        1 => "1 database".to_owned(),
        several => format!("{several} databases"),
    }
}

fn described(tables: &[Table], candidate: &Candidate) -> String {
    let title = tables[candidate.table].title.shown().clipped(TITLE_COLUMNS);
    let reasons = Shown::of(&candidate.reasons.join(", ")).clipped(REASONS_COLUMNS).to_string();
    let reasons = if reasons.is_empty() { String::new() } else { format!(": {reasons}") };
    format!("{title}  ({} %{reasons})", candidate.confidence)
}

fn picked(tables: &[Table], places: &PerKind<usize>) -> PerKind<Table> {
    PerKind::from_fn(|kind| tables[places[kind]].clone())
}

/// Why nothing can be taken without asking.
fn unclear(tables: &[Table], found: &Discovery) -> RunError {
    let mut failure = RunError::new(
        Code::Error,
        format!("it is not clear which databases are meant: the token sees {}", counted(tables.len())),
    );
    if tables.is_empty() {
        failure = failure.hint(SHARE.join(" "));
    }
    for kind in Kind::ALL.into_iter().filter(|&kind| !found.best(kind).is_some_and(|best| best.is_clear)) {
        let plural = kind.plural();
        failure = failure.hint(match found.0[kind].as_slice() {
            [] => format!("name the {plural} with --{plural} ID|URL: none looks like it"),
            _ => format!("name the {plural} with --{plural} ID|URL, e.g. one of these:"),
        });
        for candidate in &found.0[kind] {
            failure = failure.hint(format!("  {}  {}", tables[candidate.table].id, described(tables, candidate)));
        }
    }
    failure.hint("or make them from a template with --create-under PAGE")
}

/// Asks for each kind.
async fn one_by_one(
    ask: &mut Ask,
    set_up: &SetUp,
    notion: &Notion,
    mut tables: Vec<Table>,
    found: &Discovery,
) -> Result<PerKind<Table>, RunError> {
    let mut chosen: PerKind<Option<Table>> = PerKind::default();
    let mut found = found.clone();
    for kind in Kind::ALL {
        // What was chosen tells what belongs to it.
        let known = PerKind::from_fn(|kind| {
            chosen[kind].as_ref().map(|table| table.id).or(set_up.settings.notion.data_sources[kind])
        });
        if chosen.clients.is_some() {
            found = Discovery::of(&tables, &known);
        }
        let candidates: Vec<&Candidate> = found.0[kind].iter().collect();
        let mut choices: Vec<String> = candidates.iter().map(|candidate| described(&tables, candidate)).collect();
        choices.push("another one, by its link or ID".to_owned());
        let place = ask.choice(&format!("Which holds the {}?", kind.plural()), &choices, Some(0)).await?;
        let table = match candidates.get(place) {
            Some(candidate) => tables[candidate.table].clone(),
            None => by_link(ask, set_up, notion, kind).await?,
        };
        if !tables.iter().any(|known| known.id == table.id) {
            tables.push(table.clone());
        }
        chosen[kind] = Some(table);
    }
    let PerKind { clients: Some(clients), projects: Some(projects), tasks: Some(tasks) } = chosen else {
        return Err(RunError::new(Code::Error, "not every kind has a database"));
    };
    Ok(PerKind { clients, projects, tasks })
}

async fn by_link(ask: &mut Ask, set_up: &SetUp, notion: &Notion, kind: Kind) -> Result<Table, RunError> {
    loop {
        let link = ask.line(&format!("The link or ID of the {}", kind.plural()), "").await?;
        match set_up.table(notion, kind, &link).await {
            Ok(table) => return Ok(table),
            Err(error) => ask.say(&format!("{error}\n{}\n", error.hint()))?,
        }
    }
}

/// The page to make databases on.
async fn place(ask: &mut Ask, notion: &Notion) -> Result<PageId, RunError> {
    let places = notion.places().await.unwrap_or_default();
    let mut choices: Vec<String> =
        places.iter().take(PLACES_MAX).map(|(_, title)| title.shown().clipped(NAME_COLUMNS).to_string()).collect();
    choices.push("another one, by its link or ID".to_owned());
    let place = ask.choice("On which page?", &choices, None).await?;
    if place < choices.len() - 1 {
        return Ok(places[place].0);
    }
    loop {
        let link = ask.line("The link or ID of the page", "").await?;
        match reference::page(&link) {
            Some(page) => return Ok(page),
            None => ask.say("there is no ID in that; copy the link of the page in Notion\n")?,
        }
    }
}

/// New databases on a page.
async fn made(ask: &mut Ask, set_up: &SetUp, notion: &Notion, page: PageId) -> Result<Databases, RunError> {
    let tables = set_up.from_template(notion, page, &mut |text| ask.say(&format!("  {text}"))).await?;
    Ok(Databases { tables, fits: PerKind::from_fn(SetUp::template_fit), is_local: false, with_fields: false })
}

/// What the databases lack is added, or done without.
async fn complete(
    ask: &mut Ask,
    set_up: &SetUp,
    notion: &Notion,
    mut tables: PerKind<Table>,
) -> Result<Databases, RunError> {
    if tables.clients.id == tables.projects.id
        || tables.clients.id == tables.tasks.id
        || tables.projects.id == tables.tasks.id
    {
        return Err(RunError::new(Code::Error, "each kind needs a database of its own"));
    }
    let mut is_local = false;
    for kind in Kind::ALL {
        let parents = kind.parent().map(|parent| tables[parent].clone());
        let found = fit(kind, &tables[kind], parents.as_ref());
        let mut columns = missing(kind, &tables[kind], &found, parents.as_ref().map(|table| table.id));
        if found.closed.is_none() && !ask.is_somebody() {
            // It can be done without, and is no more than a convenience.
            columns.retain(|name, _| !["Archive", "Status"].contains(&name.as_str()));
        }
        let title = tables[kind].title.shown().clipped(NAME_COLUMNS);
        if found.parent.is_none() && parents.is_some() && !ask.is_somebody() {
            let parent = kind.parent().map_or("", Kind::plural);
            return Err(RunError::new(Code::Error, format!("{title} has no relation to the {parent}")).hint(format!(
                "add one in Notion, or name other {} with --{}",
                kind.plural(),
                kind.plural()
            )));
        }
        if !columns.is_empty() {
            let names: Vec<String> = columns.keys().map(|name| format!("“{name}”")).collect();
            let names = names.join(", ");
            if ask.yes(&format!("{title} lacks {names}. Add that to it in Notion?"), true).await? {
                tables[kind] = set_up.add(notion, &tables[kind], &columns).await?;
                ask.say(&format!("{names} added to {title}\n"))?;
            }
        }
        let now = fit(kind, &tables[kind], parents.as_ref());
        if kind.parent().is_some() && now.parent.is_none() {
            let because = format!("without a relation to its parents, {title} cannot be mirrored");
            return Err(RunError::new(Code::Error, because).hint("add one in Notion, then run `punchlist init` again"));
        }
        if now.id.is_none() {
            let without = "Keep the links on this machine alone, and never write to Notion?";
            if !ask.is_somebody() || !ask.yes(without, true).await? {
                let because = format!("{title} has no text property for the Clockify ID");
                return Err(RunError::new(Code::Error, because)
                    .hint("add one in Notion whose name has the word Clockify, then run `punchlist init` again"));
            }
            is_local = true;
        }
    }
    let fits = PerKind::from_fn(|kind| fit(kind, &tables[kind], kind.parent().map(|parent| &tables[parent])));
    for kind in Kind::ALL {
        ask.say(&format!("  {:9} {}\n", kind.plural(), told(kind, &fits[kind])))?;
    }
    let fields: Vec<String> = Kind::ALL
        .into_iter()
        .flat_map(|kind| fits[kind].fields.keys().map(move |field| format!("{kind} {field}")))
        .collect();
    let with_fields = !fields.is_empty()
        && ask.is_somebody()
        && ask.yes(&format!("Keep these true as well: {}?", fields.join(", ")), false).await?;
    Ok(Databases { tables, fits, is_local, with_fields })
}

/// How the properties of a database play their parts.
fn told(kind: Kind, fit: &Fit) -> String {
    let named = |name: &Raw| name.shown().clipped(NAME_COLUMNS);
    let mut parts = Vec::new();
    parts.extend(fit.id.as_ref().map(|id| format!("ID in “{}”", named(id))));
    parts.extend(kind.parent().zip(fit.parent.as_ref()).map(|(parent, name)| format!("{parent} in “{}”", named(name))));
    parts.push(fit.closed.as_ref().map_or("never closed but in the trash".to_owned(), |closed| {
        let property = Shown::of(&closed.property).clipped(NAME_COLUMNS);
        match &closed.is {
            Holds::Checked(true) => format!("closed where “{property}” is ticked"),
            Holds::Checked(false) => format!("closed where “{property}” is not ticked"),
            Holds::OneOf(values) => {
                format!("closed where “{property}” is {}", Shown::of(&values.join(" or ")).clipped(NAME_COLUMNS))
            }
            Holds::InGroups { groups, .. } => format!(
                "closed where “{property}” is in the group {}",
                Shown::of(&groups.join(" or ")).clipped(NAME_COLUMNS)
            ),
        }
    }));
    parts.join(", ")
}
