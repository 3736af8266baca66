//! Every finding that there is: in the sample agency, and in the page's table.

use std::collections::BTreeSet;

use punchlist::sandbox::World;
use serde_json::Value;

use crate::support::Rig;

fn words(findings: &Value, key: &str) -> Vec<String> {
    let findings = findings.as_array().expect("findings").iter();
    findings.map(|finding| finding[key].as_str().expect("a word").to_owned()).collect()
}

#[test]
fn every_finding_has_a_sample_in_the_agency_and_a_row_in_the_readme() {
    let rig = Rig::new(World::agency());
    rig.configure("hours.timezone = \"Europe/Berlin\"\nmapping.projects.due = \"Due\"\n");
    let hours = || rig.run(&["hours", "--month", "2026-11", "--json"]).json()["findings"].clone();
    let before = hours();
    let ids = words(&before, "id");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    assert_eq!(rig.run(&["month", "close", "2026-11"]).code, 2, "errors keep it open");
    assert_eq!(rig.run(&["month", "close", "2026-11", "--accept", "all", "--note", "as agreed"]).code, 0);
    {
        let mut world = rig.sandbox.world();
        let entry = world.entries().iter().find(|entry| entry.description == "Clusters").expect("in the sample").id;
        world.edit_entry(entry, |entry| entry.end = entry.end.map(|end| end + jiff::SignedDuration::from_secs(1)));
    }
    let found = words(&hours(), "code").into_iter().collect::<BTreeSet<_>>();

    let page = include_str!("../../../assets/docs/hours.md");
    let table = page.split_once("| finding |").expect("a table").1;
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|row| row.split('|').nth(1).unwrap_or_default());
    let explained = rows.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned);
    assert_eq!(found, explained.collect());
}

#[test]
fn what_is_planned_of_some_things_is_no_budget_of_what_they_stand_below() {
    let rig = Rig::new(World::agency());
    let text = rig.run(&["hours", "--month", "2026-11"]).stdout;
    let row = |name: &str| text.lines().find(|line| line.trim_start().starts_with(name)).expect("a row").to_owned();
    assert!(row("Northwind Traders  ").ends_with("  20:00 planned below"), "{text}");
    assert!(row("Photo shoot  ").contains("133 % 8:00 of 6:00 in all"), "{text}");
}
