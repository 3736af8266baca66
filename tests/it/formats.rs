//! Formats stay: what is printed today fits its schema and lacks nothing that a document of a past version has, and the
//! program reads what its past versions wrote.
//!
//! `formats/` has a document of each format as it was first released, and of each number that there will be.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use punchlist::sandbox::World;
use serde_json::Value;

use crate::support::Rig;

/// The formats that have a schema.
const FORMATS: [&str; 8] = ["doctor", "error", "hours", "log", "month", "pending", "plan", "report"];

fn asset(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn json(path: &str) -> Value {
    let text = fs::read_to_string(asset(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Documents of each format, as the program prints them on the sample agency.
fn printed() -> BTreeMap<String, Vec<Value>> {
    let rig = Rig::new(World::agency());
    let saved = rig.home.path().join("plan.json");
    let saved = saved.to_str().expect("UTF-8");
    let month = ["month", "close", "2026-10"];
    let commands: [&[&str]; 18] = [
        &["plan"],
        &["logs", "show", "last"],
        &["plan", "--client", "Northwind Traders"],
        &["plan", "--out", saved],
        &["apply", saved],
        &["--auto-approve"],
        &["pending"],
        &["hours"],
        &["hours", "--month", "2026-10"],
        &month,
        &[&month[..], &["--accept", "all", "--note", "agreed"]].concat(),
        &["month", "show", "2026-10"],
        &["month", "verify", "2026-10"],
        &["month", "reopen", "2026-10"],
        &["logs", "list"],
        &["doctor"],
        &["explain", "nothing of that name"],
        &["--no-such-flag"],
    ];
    let mut documents: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for command in commands {
        let document = rig.run(&[command, &["--json"]].concat()).json();
        let format = document["format"].as_str().expect("a format").to_owned();
        documents.entry(format).or_default().push(document);
    }
    documents
}

/// Whatever of a document does not fit the schema of its format.
fn misfits(document: &Value) -> Vec<String> {
    let name = document["format"].as_str().and_then(|format| format.split('/').nth(1)).expect("a format");
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&json(&format!("assets/schemas/{name}.json")))
        .expect("a schema");
    validator.iter_errors(document).map(|error| format!("{name}{}: {error}", error.instance_path())).collect()
}

/// What types of value stand at each place of a document: `changes[].fields[].to` → string.
fn places(at: &str, value: &Value, found: &mut BTreeMap<String, BTreeSet<&'static str>>) {
    let kind = match value {
        // What is not there now can be of any type.
        Value::Null => return,
        Value::Bool(_) => "a flag",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(items) => {
            for item in items {
                places(&format!("{at}[]"), item, found);
            }
            "a list"
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| places(&format!("{at}.{name}"), field, found));
            "an object"
        }
    };
    found.entry(at.to_owned()).or_default().insert(kind);
}

#[test]
fn what_is_printed_fits_its_schema_and_lacks_nothing_that_was_ever_printed() {
    let printed = printed();
    let formats: Vec<&str> = printed.keys().filter_map(|format| format.split('/').nth(1)).collect();
    assert_eq!(formats, FORMATS);
    for name in FORMATS {
        let documents = &printed[&format!("punchlist/{name}/1")];
        let mut today = BTreeMap::new();
        for document in documents {
            assert_eq!(misfits(document), [""; 0]);
            places("", document, &mut today);
        }
        let (sample, mut once) = (json(&format!("tests/it/formats/{name}.1.json")), BTreeMap::new());
        assert_eq!(misfits(&sample), [""; 0]);
        places("", &sample, &mut once);
        // What an entry says follows from its kind, and which there are from what happened; each kind is held by the log's
        // own tests.
        once.retain(|place, _| !place.starts_with(".entries[].entry."));
        for (place, kinds) in once {
            let now = today.get(&place).unwrap_or_else(|| panic!("{name}: {place} is no longer printed"));
            assert!(kinds.is_subset(now), "{name}: {place} was {kinds:?}, and is {now:?}");
        }
    }
}

#[test]
fn a_schema_refuses_what_lacks_a_field_or_has_it_of_another_type() {
    for name in FORMATS {
        let schema = json(&format!("assets/schemas/{name}.json"));
        assert_eq!(schema["properties"]["format"]["const"], format!("punchlist/{name}/1"));
        let sample = json(&format!("tests/it/formats/{name}.1.json"));
        for field in schema["required"].as_array().expect("a list").iter().filter_map(Value::as_str) {
            let (mut without, mut other) = (sample.clone(), sample.clone());
            without.as_object_mut().expect("an object").remove(field);
            if field == "format" {
                continue;
            }
            other[field] = serde_json::json!({ "an": ["object"] });
            assert!(!misfits(&without).is_empty(), "{name} without {field}");
            let takes_objects = schema["properties"][field]["type"] == "object"
                && schema["properties"][field]["required"].as_array().is_none_or(Vec::is_empty);
            assert!(takes_objects || !misfits(&other).is_empty(), "{name} with another {field}");
        }
    }
}

#[test]
fn what_past_versions_wrote_is_read() {
    let rig = Rig::of_one_project();
    let sample = |name: &str| asset("tests/it/formats").join(name).to_str().expect("UTF-8").to_owned();

    let log = sample("log.1.jsonl");
    let text = fs::read_to_string(&log).expect("UTF-8");
    let last: Value = serde_json::from_str(text.lines().last().expect("a seal")).expect("JSON");
    let key = last["seal"]["key"].as_str().expect("a key");
    let verified = rig.run(&["logs", "verify", &log, "--public-key", key, "--json"]);
    assert_eq!((verified.code, &verified.json()["sound"]), (0, &Value::Bool(true)), "{}", verified.stderr);
    let entries = text.lines().filter(|line| line.contains("\"entry\":")).count();
    assert_eq!(verified.json()["entries"], entries);

    // A plan is of the state that has saved it: it is read, and refused for that alone.
    let copy = rig.home.path().join("plan.1.json");
    fs::copy(sample("plan.1.json"), &copy).expect("copies");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o600)).expect("ours");
    }
    let refused = rig.run(&["apply", copy.to_str().expect("UTF-8"), "--json"]);
    assert_eq!(refused.code, 1, "{}", refused.stderr);
    assert!(refused.json()["error"].as_str().is_some_and(|error| error.contains("signed")), "{}", refused.stderr);
}
