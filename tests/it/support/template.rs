//! The n8n template that punchlist is compared with, by its nodes; it was not run.

use std::collections::BTreeSet;

use punchlist::sandbox::{PageState, World};

/// What the template's nodes ask for at each run, where each list fits on a page: the workspace, three databases, clients,
/// projects twice, and the tasks of each active project; then a page for each active object that no open page names.
pub(crate) fn calls(world: &World) -> usize {
    let is_open = |page: &PageState| {
        let is = |property: &str, value: serde_json::Value| page.properties.get(property) == Some(&value);
        let closed = is("Archive", true.into()) || is("Status", "Done".into()) || is("Status", "Obsolete".into());
        !closed && !page.in_trash && !page.is_archived && !page.hidden
    };
    let databases = ["Clients", "Projects", "Tasks"];
    let open = databases.into_iter().flat_map(|source| world.pages(source)).filter(is_open);
    let named: BTreeSet<String> = open.filter_map(|page| world.claim(page.id)).collect();
    let projects: Vec<_> = world.projects().into_iter().filter(|project| !project.archived).collect();
    let is_listed = |project| projects.iter().any(|active| active.id == project);
    let clients = world.clients().into_iter().filter(|client| !client.archived).map(|client| client.id);
    let tasks = world.tasks().into_iter().filter(|task| !task.done && is_listed(task.project)).map(|task| task.id);
    let active = clients.chain(projects.iter().map(|project| project.id)).chain(tasks);
    let looked_up = active.filter(|id| !named.contains(&id.to_string())).count();
    1 + databases.len() + 3 + projects.len() + looked_up
}
