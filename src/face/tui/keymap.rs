//! Which keys do what: the table's, with the configuration's laid over them.

use std::collections::BTreeMap;

use super::{
    command::{Command, Row, TABLE, row_of},
    stroke::Stroke,
};
use crate::{domain::text::Display, edge::config::KeysSetting};

/// What strokes so far mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Command(Command),
    /// A sequence has begun.
    Begun,
    Nothing,
}

/// Every command's keys.
#[derive(Clone, Debug)]
pub(crate) struct Keymap {
    /// In the order of the table.
    bound: Vec<Vec<Vec<Stroke>>>,
}

impl Default for Keymap {
    fn default() -> Self {
        let sequences = |row: &Row| row.keys.iter().filter_map(|keys| Stroke::sequence(keys)).collect();
        Self { bound: TABLE.iter().map(sequences).collect() }
    }
}

impl Keymap {
    /// Lays configured keys over the table's.
    ///
    /// # Errors
    /// Everything that is wrong, a line each: a command that does not exist, a key that cannot be read, a key that two commands have, an
    /// command that must keep a key.
    pub(crate) fn new(configured: &BTreeMap<String, KeysSetting>) -> Result<Self, Vec<String>> {
        let (mut keymap, mut problems) = (Self::default(), Vec::new());
        for (name, KeysSetting { keys, place }) in configured {
            let Some(at) = TABLE.iter().position(|row| row.name == name) else {
                let likeness = |row: &&Row| strsim::jaro_winkler(name, row.name);
                let nearest = TABLE.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b))).map_or("", |row| row.name);
                let name = Display::of(name).clipped(60);
                problems.push(format!("{place}: the console has no action `{name}`; the nearest is `{nearest}`"));
                continue;
            };
            keymap.bound[at] = Vec::new();
            for key in keys {
                match Stroke::sequence(key) {
                    Some(strokes) => keymap.bound[at].push(strokes),
                    None => problems.push(format!(
                        "{place}: `console.keys.{name}` has the key “{}”, which is none; e.g. space, x, ctrl-a, f5, or g x for two in a row",
                        Display::of(key).clipped(60)
                    )),
                }
            }
        }
        keymap.find_clashes(configured, &mut problems);
        for (row, bound) in TABLE.iter().zip(&keymap.bound) {
            if bound.is_empty() && matches!(row.command, Command::Back | Command::Leave | Command::Help | Command::Interrupt) {
                let place = configured.get(row.name).map_or("", |setting| setting.place.as_str());
                problems.push(format!("{place}: `{}` must keep a key: without it nobody finds out again", row.name));
            }
        }
        if problems.is_empty() { Ok(keymap) } else { Err(problems) }
    }

    /// A key must not be another's, nor the beginning of another's, which could then never be typed.
    fn find_clashes(&self, configured: &BTreeMap<String, KeysSetting>, problems: &mut Vec<String>) {
        let all: Vec<(&Row, &Vec<Stroke>)> =
            TABLE.iter().zip(&self.bound).flat_map(|(row, bound)| bound.iter().map(move |keys| (row, keys))).collect();
        for (at, (row, keys)) in all.iter().enumerate() {
            for (other, others) in &all[at + 1..] {
                let length = keys.len().min(others.len());
                if keys[..length] == others[..length] {
                    let place = [row, other].iter().find_map(|row| configured.get(row.name)).map(|setting| &setting.place);
                    let place = place.map_or("the key table", String::as_str);
                    let [keys, others] = [keys, others].map(|keys| spelled(keys));
                    problems.push(format!(
                        "{place}: the key “{keys}” of `{}` collides with “{others}” of `{}`; give one of them another",
                        row.name, other.name
                    ));
                }
            }
        }
    }

    /// Looks strokes up.
    pub(crate) fn meaning(&self, strokes: &[Stroke]) -> Meaning {
        let mut begun = false;
        for (row, bound) in TABLE.iter().zip(&self.bound) {
            for keys in bound.iter().filter(|keys| keys.starts_with(strokes)) {
                if keys.len() == strokes.len() {
                    return Meaning::Command(row.command);
                }
                begun = true;
            }
        }
        if begun { Meaning::Begun } else { Meaning::Nothing }
    }

    /// All keys of a command as they are shown.
    pub(crate) fn all(&self, command: Command) -> Vec<String> {
        let at = TABLE.iter().position(|row| row.command == command);
        at.map(|at| self.bound[at].iter().map(|keys| spelled(keys)).collect()).unwrap_or_default()
    }

    /// A command's first key as it is shown; without a key its name, by which the palette finds it.
    pub(crate) fn first(&self, command: Command) -> String {
        let name = || row_of(command).map_or("", |row| row.name).replace('_', " ");
        self.all(command).into_iter().next().unwrap_or_else(name)
    }
}

fn spelled(keys: &[Stroke]) -> String {
    keys.iter().map(Stroke::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(keys: &[(&str, &[&str])]) -> Result<Keymap, Vec<String>> {
        let setting = |keys: &[&str]| KeysSetting {
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            place: "config.toml:3".to_owned(),
        };
        Keymap::new(&keys.iter().map(|(name, keys)| ((*name).to_owned(), setting(keys))).collect())
    }

    fn strokes(text: &str) -> Vec<Stroke> {
        Stroke::sequence(text).expect("strokes")
    }

    #[test]
    fn every_key_of_the_table_is_readable_and_bound_once() {
        let mut bound = std::collections::BTreeSet::new();
        for row in TABLE.iter() {
            for keys in row.keys {
                assert!(bound.insert(*keys), "{keys} is bound twice");
                assert_eq!(Keymap::default().meaning(&strokes(keys)), Meaning::Command(row.command), "{keys}");
            }
            // Function keys and modifiers differ from terminal to terminal: none may be the only way.
            let plain = |keys: &&str| !keys.starts_with('f') || keys.len() == 1;
            assert!(row.keys.is_empty() || row.keys.iter().any(plain), "{}", row.name);
        }
        assert!(set(&[]).is_ok());
    }

    /// `SNAPSHOTS=overwrite` writes the table anew.
    #[test]
    fn the_readme_has_the_table() {
        let rows = TABLE.iter().map(|row| {
            let keys: Vec<String> = row.keys.iter().map(|keys| format!("`{keys}`")).collect();
            format!("| {} | {} | {} |\n", keys.join(" "), row.label, row.name)
        });
        let table: String = std::iter::once("| keys | action | name |\n|---|---|---|\n".to_owned()).chain(rows).collect();
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
        let readme = std::fs::read_to_string(&path).expect("a README");
        let (before, rest) = readme.split_once("<!-- keys: made").expect("the mark");
        let (note, rest) = rest.split_once("-->\n").expect("the end of the mark");
        let (_, after) = rest.split_once("<!-- end of keys -->").expect("the end of the table");
        let wanted = format!("{before}<!-- keys: made{note}-->\n{table}<!-- end of keys -->{after}");
        snapbox::assert_data_eq!(wanted, snapbox::Data::read_from(&path, Some(snapbox::data::DataFormat::Text)).raw());
    }

    #[test]
    fn a_sequence_is_waited_for() {
        let keymap = Keymap::default();
        assert_eq!(keymap.meaning(&strokes("g")), Meaning::Begun);
        assert_eq!(keymap.meaning(&strokes("g g")), Meaning::Command(Command::Top));
        assert_eq!(keymap.meaning(&strokes("g x")), Meaning::Nothing);
    }

    #[test]
    fn configured_keys_take_the_place_of_the_tables() {
        let keymap = set(&[("approve", &["ctrl-a", "g x"])]).expect("valid");
        assert_eq!(keymap.meaning(&strokes("space")), Meaning::Nothing);
        assert_eq!(keymap.meaning(&strokes("g x")), Meaning::Command(Command::Approve));
        assert_eq!(keymap.meaning(&strokes("g g")), Meaning::Command(Command::Top));
        assert_eq!(keymap.all(Command::Approve), ["^a", "gx"]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let problems = |keys: &[(&str, &[&str])]| set(keys).expect_err("refused").join("\n");
        assert_eq!(
            problems(&[("aprove", &["x"])]),
            "config.toml:3: the console has no action `aprove`; the nearest is `approve`"
        );
        assert_eq!(
            problems(&[("skip", &["j"])]),
            "config.toml:3: the key “j” of `skip` collides with “j” of `down`; give one of them another"
        );
        assert!(problems(&[("skip", &["g"])]).contains("“g” of `skip` collides with “gg” of `top`"));
        assert!(problems(&[("skip", &["pgdn"])]).contains("has the key “pgdn”, which is none"));
        assert!(problems(&[("skip", &["\u{1b}[31m"])]).contains("⟨U+001B⟩"));
        assert!(problems(&[("back", &[])]).contains("must keep a key"));
    }
}
