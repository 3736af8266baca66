//! Which keys do what: the table's, with the configuration's laid over them.

use std::{borrow::Cow, collections::BTreeMap};

use super::{command::Command, stroke::Stroke};
use crate::{
    domain::text::Shown,
    edge::config::{KeysSetting, OwnCommand},
};

/// What strokes so far mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Command(Command),
    /// A sequence has begun.
    Begun,
    Nothing,
}

/// A command with its keys.
#[derive(Clone, Debug)]
struct Bound {
    command: Command,
    name: Cow<'static, str>,
    /// Each a sequence of strokes.
    keys: Vec<Vec<Stroke>>,
}

/// Every command's keys, in the order of the table.
#[derive(Clone, Debug)]
pub(crate) struct Keymap(Vec<Bound>);

impl Keymap {
    /// The keys of a table: each command's name and its keys, as they are spelled.
    pub(crate) fn of(table: impl Iterator<Item = (Command, &'static str, &'static [&'static str])>) -> Self {
        let bound = table.map(|(command, name, keys)| {
            let keys = keys.iter().filter_map(|keys| Stroke::sequence(keys)).collect();
            Bound { command, name: name.into(), keys }
        });
        Self(bound.collect())
    }

    /// Adds the programs of the user's with their keys.
    ///
    /// # Errors
    /// Each key that is none, or that something else has.
    pub(crate) fn with_own(mut self, own: &[OwnCommand]) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        for (at, command) in own.iter().enumerate() {
            let place = format!("`console.commands.{}`", Shown::of(&command.name).clipped(30));
            let key = Shown::of(&command.key).clipped(60);
            let Some(strokes) = Stroke::sequence(&command.key) else {
                problems.push(format!("{place} has the key “{key}”, which is none; e.g. x, ctrl-a, f5, or g x"));
                continue;
            };
            let all = self.0.iter().flat_map(|bound| bound.keys.iter().map(move |keys| (bound, keys)));
            let taken = all.filter(|(_, keys)| {
                let length = keys.len().min(strokes.len());
                keys[..length] == strokes[..length]
            });
            problems.extend(taken.map(|(bound, keys)| {
                let (keys, other) = (spelled(keys), &bound.name);
                format!("{place}: its key “{key}” collides with “{keys}” of `{other}`; give one of them another")
            }));
            self.0.push(Bound { command: Command::Own(at), name: command.name.clone().into(), keys: vec![strokes] });
        }
        if problems.is_empty() { Ok(self) } else { Err(problems) }
    }

    /// Lays configured keys over the table's.
    ///
    /// # Errors
    /// Everything that is wrong, a line each: a command that does not exist, a key that cannot be read, a key that two
    /// commands have, an command that must keep a key.
    pub(crate) fn configured(mut self, configured: &BTreeMap<String, KeysSetting>) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        for (name, KeysSetting { keys, place }) in configured {
            let Some(at) = self.0.iter().position(|bound| bound.name == *name) else {
                let likeness = |bound: &&Bound| strsim::jaro_winkler(name, &bound.name);
                let nearest =
                    self.0.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b))).map_or("", |bound| &*bound.name);
                let name = Shown::of(name).clipped(60);
                problems.push(format!("{place}: the console has no action `{name}`; the nearest is `{nearest}`"));
                continue;
            };
            let bound = &mut self.0[at].keys;
            bound.clear();
            for key in keys {
                match Stroke::sequence(key) {
                    Some(strokes) => bound.push(strokes),
                    None => problems.push(format!(
                        "{place}: `console.keys.{name}` has the key “{}”, which is none; e.g. space, x, ctrl-a, f5, or g x for two in a row",
                        Shown::of(key).clipped(60)
                    )),
                }
            }
        }
        self.find_clashes(configured, &mut problems);
        for Bound { command, name, keys } in &self.0 {
            if keys.is_empty() && matches!(command, Command::Back | Command::Leave | Command::Help | Command::Interrupt)
            {
                let place = configured.get(&**name).map_or("", |setting| setting.place.as_str());
                problems.push(format!("{place}: `{name}` must keep a key: without it nobody finds out again"));
            }
        }
        if problems.is_empty() { Ok(self) } else { Err(problems) }
    }

    /// A key must not be another's, nor the beginning of another's, which could then never be typed.
    fn find_clashes(&self, configured: &BTreeMap<String, KeysSetting>, problems: &mut Vec<String>) {
        let all: Vec<(&str, &Vec<Stroke>)> =
            self.0.iter().flat_map(|bound| bound.keys.iter().map(|keys| (&*bound.name, keys))).collect();
        for (at, (name, keys)) in all.iter().enumerate() {
            for (other, others) in &all[at + 1..] {
                let length = keys.len().min(others.len());
                if keys[..length] == others[..length] {
                    let place =
                        [name, other].into_iter().find_map(|name| configured.get(*name)).map(|setting| &setting.place);
                    let place = place.map_or("the key table", String::as_str);
                    let [keys, others] = [keys, others].map(|keys| spelled(keys));
                    problems.push(format!(
                        "{place}: the key “{keys}” of `{name}` collides with “{others}” of `{other}`; give one of them another"
                    ));
                }
            }
        }
    }

    /// Looks strokes up.
    pub(crate) fn meaning(&self, strokes: &[Stroke]) -> Meaning {
        let mut begun = false;
        for Bound { command, keys, .. } in &self.0 {
            for keys in keys.iter().filter(|keys| keys.starts_with(strokes)) {
                if keys.len() == strokes.len() {
                    return Meaning::Command(*command);
                }
                begun = true;
            }
        }
        if begun { Meaning::Begun } else { Meaning::Nothing }
    }

    /// What can follow strokes that begin a sequence: the rest of the keys as they are shown, and what they mean.
    pub(crate) fn following(&self, strokes: &[Stroke]) -> Vec<(String, Command)> {
        let rest = |bound: &Bound| -> Vec<(String, Command)> {
            let begun = bound.keys.iter().filter(|keys| keys.len() > strokes.len() && keys.starts_with(strokes));
            begun.map(|keys| (spelled(&keys[strokes.len()..]), bound.command)).collect()
        };
        self.0.iter().flat_map(rest).collect()
    }

    /// All keys of a command as they are shown.
    pub(crate) fn all(&self, command: Command) -> Vec<String> {
        self.bound(command).into_iter().flat_map(|bound| &bound.keys).map(|keys| spelled(keys)).collect()
    }

    /// A command's first key as it is shown; without a key its name, by which the palette finds it.
    pub(crate) fn first(&self, command: Command) -> String {
        let name = || self.bound(command).map_or("", |bound| &*bound.name).replace('_', " ");
        self.all(command).into_iter().next().unwrap_or_else(name)
    }

    fn bound(&self, command: Command) -> Option<&Bound> {
        self.0.iter().find(|bound| bound.command == command)
    }
}

fn spelled(keys: &[Stroke]) -> String {
    keys.iter().map(Stroke::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::tui::tab::TABLE;

    fn set(keys: &[(&str, &[&str])]) -> Result<Keymap, Vec<String>> {
        let setting = |keys: &[&str]| KeysSetting {
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            place: "config.toml:3".to_owned(),
        };
        Keymap::default().configured(&keys.iter().map(|(name, keys)| ((*name).to_owned(), setting(keys))).collect())
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
    fn the_page_has_the_table() {
        let rows = TABLE.iter().map(|row| {
            let keys: Vec<String> = row.keys.iter().map(|keys| format!("`{keys}`")).collect();
            format!("| {} | {} | {} |\n", keys.join(" "), row.label, row.name)
        });
        let table: String =
            std::iter::once("| keys | action | name |\n|---|---|---|\n".to_owned()).chain(rows).collect();
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/docs/keys.md");
        let page = std::fs::read_to_string(&path).expect("a page");
        let (before, rest) = page.split_once("<!-- keys: made").expect("the mark");
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
