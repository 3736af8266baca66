//! The calls in the comparison with the n8n template, measured on the sample agency.

use std::{collections::BTreeSet, fs, path::Path};

use punchlist::sandbox::{PageState, World};

use super::ROOT;
use crate::support::Rig;

/// What the template's nodes ask for at each run, where each list fits on a page: the workspace, three databases, clients,
/// projects twice, and the tasks of each active project; then a page for each active object that no open page names.
fn calls_of_the_template(world: &World) -> usize {
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

/// `SNAPSHOTS=overwrite` writes them anew.
#[test]
fn the_comparison_has_the_calls_that_were_made() {
    let rig = Rig::new(World::agency());
    let before = calls_of_the_template(&rig.sandbox.world());
    let calls = |document: &serde_json::Value| {
        let of = |service: &str| document["calls"][service].as_u64().expect("a number");
        format!("{}, of these {} to Notion", of("notion") + of("clockify"), of("notion"))
    };
    let plan = calls(&rig.plan());
    rig.auto_approve();
    let after = calls_of_the_template(&rig.sandbox.world());
    let again = calls(&rig.auto_approve().1);
    let mutations = rig.mutations().len();
    rig.sandbox.clear_calls();
    rig.auto_approve();
    assert!(mutations > 0 && rig.mutations().is_empty(), "the last run had nothing left to do");

    let path = Path::new(ROOT).join("assets/docs/comparison.md");
    let page = fs::read_to_string(&path).expect("UTF-8");
    let (head, rest) = page.split_once("<!-- figures").expect("the mark");
    let (mark, rest) = rest.split_once("-->\n").expect("its end");
    let (_, tail) = rest.split_once("<!-- end of figures -->").expect("the end");
    let table = format!(
        "| reading both sides of the sample agency | the template, at least | punchlist |\n|---|---|---|\n\
         | as it is | {before} | {plan} |\n| again, after what policy approves was done | {after} | {again} |\n"
    );
    let wanted = format!("{head}<!-- figures{mark}-->\n{table}<!-- end of figures -->{tail}");
    snapbox::assert_data_eq!(wanted, snapbox::Data::read_from(&path, Some(snapbox::data::DataFormat::Text)).raw());
}
