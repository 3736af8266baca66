//! The JSON Schema that editors check a configuration by: it knows the same keys, and takes and refuses the same.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::*;

const SCHEMA: &str = include_str!("../../../../assets/config.schema.json");

/// Bad values that only the program can tell from good ones: what an address or an ID may be, and where a directory is.
const BEYOND_A_SCHEMA: [&str; 5] = ["_url", "data_source", "state.dir", "timezone", "0 0 30 2 *"];

fn schema() -> Json {
    serde_json::from_str(SCHEMA).expect("JSON")
}

fn json(file: &str) -> Json {
    serde_json::to_value(toml::from_str::<toml::Table>(file).expect("TOML")).expect("JSON")
}

/// All keys that a schema has below one.
fn keys(root: &Json, at: &Json, key: &str, keys_found: &mut BTreeSet<String>) {
    if let Some(name) = at["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/")) {
        keys(root, &root["$defs"][name], key, keys_found);
    }
    for way in at["oneOf"].as_array().into_iter().flatten() {
        keys(root, way, key, keys_found);
    }
    match at["properties"].as_object() {
        Some(properties) => {
            for (name, below) in properties {
                keys(root, below, &if key.is_empty() { name.clone() } else { format!("{key}.{name}") }, keys_found);
            }
        }
        None if at["$ref"].is_null() && at["oneOf"].is_null() => {
            keys_found.insert(key.to_owned());
        }
        // A threshold is one of several values.
        None if at["oneOf"].as_array().is_some_and(|ways| ways.iter().all(|way| way["properties"].is_null())) => {
            keys_found.insert(key.to_owned());
        }
        None => {}
    }
}

#[test]
fn the_schema_knows_the_keys_that_the_program_knows() {
    let environment = Environment::default();
    let mut reader = Reader::new(Layers::default(), &environment);
    read::settings(&mut reader, None);
    let known: BTreeSet<String> = reader.known_keys().map(str::to_owned).collect();
    let mut of_schema = BTreeSet::new();
    let root = schema();
    keys(&root, &root, "", &mut of_schema);
    // Keys whose names are up to the user.
    of_schema.retain(|key| !key.ends_with(".values") || key.contains(".closed.") || key.contains(".only."));
    for key in ["console.keys", "console.filters", "console.commands"] {
        of_schema.remove(key);
    }
    of_schema.remove("webhook.callers");

    assert_eq!(of_schema.difference(&known).collect::<Vec<_>>(), [""; 0], "only the schema knows these");
    assert_eq!(known.difference(&of_schema).collect::<Vec<_>>(), [""; 0], "the schema lacks these");
}

#[test]
fn the_schema_takes_the_example_and_refuses_what_the_program_refuses() {
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    for file in [EXAMPLE.to_owned(), example_in_full()] {
        let errors: Vec<String> =
            validator.iter_errors(&json(&file)).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(errors, [""; 0]);
    }
    for (file, _) in BAD_VALUES {
        let beyond = BEYOND_A_SCHEMA.iter().any(|key| file.contains(key));
        assert!(beyond || !validator.is_valid(&json(file)), "the schema takes {file}");
    }
}
