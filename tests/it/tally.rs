//! One number for one thing: whichever face says how much was decided and how much waits, it says the same.

use punchlist::sandbox::World;
use serde_json::Value;

use crate::{
    support::Rig,
    terminal::{Terminal, WIDE},
};

fn changes(document: &Value) -> Vec<Value> {
    document["changes"].as_array().expect("changes").clone()
}

/// The IDs of those with this value.
fn with(changes: &[Value], key: &str, value: &str) -> Vec<String> {
    let meant = changes.iter().filter(|change| change[key] == value);
    meant.map(|change| change["id"].as_str().expect("an ID").to_owned()).collect()
}

fn waiting(rig: &Rig) -> Vec<Value> {
    changes(&rig.run(&["pending", "--json"]).json())
}

#[track_caller]
fn says(text: &str, part: &str) {
    assert!(text.contains(part), "it should say {part:?}:\n{text}");
}

#[test]
fn every_face_counts_the_same() {
    let rig = Rig::new(World::agency());
    let planned = rig.run(&["--read-only", "plan", "--json"]).json();
    assert!(waiting(&rig).is_empty(), "only looked");
    let plan = rig.run(&["plan"]).stdout;
    let (all, review, held) = {
        let changes = changes(&planned);
        (changes.len(), with(&changes, "state", "review"), with(&changes, "state", "held"))
    };
    assert!(review.len() > 3 && !held.is_empty());
    says(&plan, &format!("{all} changes: "));
    assert!(!plan.contains("Decided: "), "{plan}");

    // What waits does so before anything was applied.
    assert_eq!(waiting(&rig).len(), review.len() + held.len());
    says(
        &rig.run(&["pending"]).stdout,
        &format!(
            "{} changes wait for a person ({} for review, {} held).",
            review.len() + held.len(),
            review.len(),
            held.len()
        ),
    );

    let free: Vec<Value> = changes(&planned)
        .into_iter()
        .filter(|change| change["state"] == "review" && change["requires"].as_array().is_none_or(Vec::is_empty))
        .collect();
    let [approved, ignored] = [&free[0], &free[1]].map(|change| change["id"].as_str().expect("an ID").to_owned());
    assert_eq!(rig.run(&["pending", "approve", &approved]).code, 0);
    assert_eq!(rig.run(&["pending", "ignore", &ignored]).code, 0);
    // The first that is undecided, and the next one.
    rig.plain("]\nf is it right?\n]\ns\nq\n");

    let decided = changes(&rig.run(&["plan", "--json"]).json());
    let [flagged, skipped] = ["flag", "skip"].map(|word| with(&decided, "decision", word));
    assert_eq!((flagged.len(), skipped.len()), (1, 1), "{decided:#?}");
    assert_eq!(with(&decided, "decision", "approve"), [approved.as_str()]);
    assert_eq!(with(&decided, "decision", "ignore"), [ignored.as_str()]);
    let flag = decided.iter().find(|change| change["decision"] == "flag").expect("one");
    assert!(flag["note"] == "is it right?" && flag["decided_by"].as_str().is_some_and(|by| !by.is_empty()), "{flag}");

    let left = with(&decided, "state", "held").len() - usize::from(flag["state"] == "held");
    let counts =
        format!("1 approved, 1 skipped, 1 ignored for good, 1 flagged, {} undecided ({left} of them held)", all - 4);
    let plan = rig.run(&["plan"]).stdout;
    says(&plan, &format!("Decided: {counts}.\n"));
    says(&plan, ": is it right?\n");
    let explained = rig.run(&["explain", &flagged[0]]).stdout;
    says(&explained, "decided: flag, by ");
    says(&rig.plain("q\n"), &format!("Decided before: {counts}.\n"));

    let mut terminal = Terminal::punchlist(&rig, &[], WIDE);
    terminal.shows(&format!("decided 4/{all} "));
    terminal.shows("1 approved");
    terminal.keys("q");
    let ended = terminal.end();
    says(&String::from_utf8_lossy(&ended.bytes), &format!("4 of {all} changes decided and kept"));

    let (_, report) = rig.auto_approve();
    let count = |key: &str| report[key].as_u64().and_then(|count| usize::try_from(count).ok()).expect("a number");
    let now = waiting(&rig);
    let of = |waits: &str| with(&now, "waits", waits).len();
    assert_eq!(count("held"), of("held"));
    assert_eq!(count("pending"), of("review") + of("flagged") + of("skipped"));
    assert_eq!(of("flagged"), 1);
}
