//! The process's environment as a value, so that a test can own it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Environment variables. They may hold secrets, so this has no `Debug`.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The environment of this process. Variables that are not UTF-8 are left out: nothing here could use them.
    pub fn of_process() -> Self {
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect()
    }

    /// The value of a variable; an empty one counts as unset, as shells treat it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// All variables, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The absolute path of a program. Relative entries of PATH are passed over: they would run whatever lies in the current directory.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        if Path::new(name).is_absolute() {
            return Some(PathBuf::from(name));
        }
        std::env::split_paths(self.get("PATH").unwrap_or_default())
            .filter(|directory| directory.is_absolute())
            .flat_map(|directory| [directory.join(name), directory.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))])
            .find(|candidate| candidate.is_file())
    }

    /// The path with a leading `~/` replaced by the home directory; nothing when there is no home directory to put there.
    pub fn expand_home(&self, path: &str) -> Option<PathBuf> {
        match path.strip_prefix("~/") {
            None => Some(PathBuf::from(path)),
            Some(rest) => Some(PathBuf::from(self.get("HOME").or_else(|| self.get("USERPROFILE"))?).join(rest)),
        }
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}
