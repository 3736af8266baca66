//! The reference of the configuration, made from its schema and the example.

use std::{fmt::Write as _, fs, path::Path};

use serde_json::Value;

use super::ROOT;

const HEAD: &str = "# Configuration

<!-- Made from assets/config.schema.json and config.example.toml: `SNAPSHOTS=overwrite cargo test --test it reference` writes it anew. -->

`config.toml` in the platform's directory for configurations (`punchlist --help` names it), or what `--config` names. Every key has a variable of
the environment that goes before it: `notion.token` is `PUNCHLIST__NOTION__TOKEN`. A key that is not known is an error that names the nearest one.
[`config.example.toml`](../../config.example.toml) says more of each, and `punchlist man --keys` prints it; editors know the keys by
[`config.schema.json`](../config.schema.json). What has no default is left out unless it is set.
";

/// A schema, and the values that hold where nothing is said.
struct Reference {
    schema: Value,
    defaults: toml::Table,
    text: String,
}

impl Reference {
    fn resolved<'a>(&'a self, at: &'a Value) -> &'a Value {
        let named = at["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/"));
        named.map_or(at, |name| &self.schema["$defs"][name])
    }

    fn described<'a>(&'a self, at: &'a Value) -> &'a str {
        at["description"].as_str().or_else(|| self.resolved(at)["description"].as_str()).unwrap_or_default()
    }

    /// What a value may be, in words.
    fn takes(&self, at: &Value) -> String {
        let at = self.resolved(at);
        let code = |value: &Value| format!("`{}`", value.to_string().replace('|', "\\|"));
        if let Some(words) = at["enum"].as_array() {
            return words.iter().map(code).collect::<Vec<_>>().join(", ");
        }
        if !at["const"].is_null() {
            return code(&at["const"]);
        }
        if let Some(ways) = at["oneOf"].as_array().or_else(|| at["anyOf"].as_array()) {
            let mut ways: Vec<String> = ways.iter().map(|way| self.takes(way)).filter(|way| !way.is_empty()).collect();
            ways.dedup();
            return ways.join(" or ");
        }
        match at["type"].as_str().unwrap_or_default() {
            "boolean" => "true or false".to_owned(),
            "integer" => match (at["minimum"].as_i64(), at["maximum"].as_i64()) {
                (Some(least), Some(most)) => format!("{least} to {most}"),
                _ => "a whole number".to_owned(),
            },
            "array" => format!("a list: {}", self.takes(&at["items"])),
            "object" => "a table".to_owned(),
            "string" => "a text".to_owned(),
            _ => String::new(),
        }
    }

    fn default(&self, key: &str) -> Option<String> {
        let (mut parts, mut at) = (key.split('.'), None);
        let mut table = &self.defaults;
        while let Some(part) = parts.next() {
            at = table.get(part);
            match at {
                Some(toml::Value::Table(below)) => table = below,
                Some(_) => return parts.next().is_none().then(|| at.map(ToString::to_string)).flatten(),
                None => return None,
            }
        }
        at.filter(|value| !value.is_table()).map(ToString::to_string)
    }

    fn row(&mut self, key: &str, at: &Value) {
        let cell = |text: &str| text.replace('|', "\\|");
        let default = self.default(key).map_or_else(String::new, |value| format!("`{}`", cell(&value)));
        let (takes, means) = (self.takes(at), cell(self.described(at)));
        writeln!(self.text, "| `{key}` | {takes} | {default} | {means} |").expect("a text");
    }

    /// All keys of a table, those of the tables in it after its own.
    fn table(&mut self, key: &str, at: &Value) {
        let named = |name: &str| format!("{key}.{name}");
        let at = self.resolved(at).clone();
        for (name, below) in at["properties"].as_object().into_iter().flatten() {
            let object = std::iter::once(self.resolved(below))
                .chain(self.resolved(below)["oneOf"].as_array().into_iter().flatten());
            let object = object.map(|way| self.resolved(way)).find(|way| way["type"] == "object").cloned();
            match object {
                Some(object) if self.resolved(below)["type"] == "object" && object["properties"].is_object() => {
                    self.table(&named(name), below);
                }
                Some(object) => {
                    self.row(&named(name), below);
                    self.table(&named(name), &object);
                }
                None => self.row(&named(name), below),
            }
        }
        if at["additionalProperties"].is_object() {
            let below = at["additionalProperties"].clone();
            if self.resolved(&below)["properties"].is_object() {
                self.table(&named("NAME"), &below);
            } else {
                self.row(&named("NAME"), &below);
            }
        }
    }
}

/// `SNAPSHOTS=overwrite` writes it anew.
#[test]
fn the_reference_says_what_the_schema_says() {
    let read = |path: &str| fs::read_to_string(Path::new(ROOT).join(path)).expect("UTF-8");
    let schema: Value = serde_json::from_str(&read("assets/config.schema.json")).expect("JSON");
    let defaults = toml::from_str(&read("config.example.toml")).expect("TOML");
    let mut reference = Reference { schema: schema.clone(), defaults, text: HEAD.to_owned() };
    for (name, section) in schema["properties"].as_object().expect("sections") {
        let means = reference.described(section).to_owned();
        write!(reference.text, "\n## {name}\n\n{means}\n\n| key | takes | default | means |\n|---|---|---|---|\n")
            .expect("a text");
        reference.table(name, section);
    }
    let path = Path::new(ROOT).join("assets/docs/configuration.md");
    snapbox::assert_data_eq!(
        reference.text,
        snapbox::Data::read_from(&path, Some(snapbox::data::DataFormat::Text)).raw()
    );
}
