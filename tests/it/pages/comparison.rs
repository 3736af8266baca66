//! The calls in the comparison with the n8n template, measured on the sample agency.

use std::{fs, path::Path};

use punchlist::sandbox::World;

use super::ROOT;
use crate::support::{Rig, template};

/// `SNAPSHOTS=overwrite` writes them anew.
#[test]
fn the_comparison_has_the_calls_that_were_made() {
    let rig = Rig::new(World::agency());
    let before = template::calls(&rig.sandbox.world());
    let calls = |document: &serde_json::Value| {
        let of = |service: &str| document["calls"][service].as_u64().expect("a number");
        format!("{}, of these {} to Notion", of("notion") + of("clockify"), of("notion"))
    };
    let plan = calls(&rig.plan());
    rig.auto_approve();
    let after = template::calls(&rig.sandbox.world());
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

/// A test that is named with `…` at its end begins so, and one with `*` stands for all of its file.
#[test]
fn every_test_that_the_comparison_names_is_there() {
    let page = fs::read_to_string(Path::new(ROOT).join("assets/docs/comparison.md")).expect("UTF-8");
    let named: Vec<&str> = page.split('`').filter(|words| words.contains("::") && !words.contains(' ')).collect();
    assert!(named.len() >= 15, "{named:?}");
    for name in named {
        let (rooms, test) = name.rsplit_once("::").expect("it has one");
        let room = rooms.replace("::", "/");
        let files = [format!("tests/it/{room}.rs"), format!("src/domain/{}.rs", room.replacen('/', "/tests/", 1))];
        let text: String =
            files.iter().filter_map(|file| fs::read_to_string(Path::new(ROOT).join(file)).ok()).collect();
        let is_room = !text.is_empty() || Path::new(ROOT).join(format!("tests/it/{room}")).is_dir();
        assert!(is_room, "no such tests: {name}");
        let begin = test.trim_end_matches(['…', '*']);
        let end = if begin == test { "(" } else { "" };
        assert!(
            test == "*" || ["", "async "].iter().any(|kind| text.contains(&format!("test]\n{kind}fn {begin}{end}"))),
            "no such test: {name}"
        );
    }
}
