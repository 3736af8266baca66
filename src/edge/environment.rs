//! The process's environment as a value, so that a test can own it.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// How the names of the variables begin that other programs get: what it takes to find programs, homes, words, a
/// display, a browser, and the agents that hold keys.
const FOR_HELPERS: [&str; 36] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TERM",
    "LANG",
    "LC_",
    "TZ",
    "TMPDIR",
    "XDG_",
    "DBUS_SESSION_BUS_ADDRESS",
    "SSH_AUTH_SOCK",
    "GNUPGHOME",
    "GPG_TTY",
    "GPG_AGENT_INFO",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "BROWSER",
    "DESKTOP_SESSION",
    "KDE_",
    "TMUX",
    "TMUX_",
    "WSL_",
    "WSLENV",
    "SYSTEMROOT",
    "SYSTEMDRIVE",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "PATHEXT",
    "COMSPEC",
    "PROGRAMDATA",
    "TEMP",
    "TMP",
];
/// How those begin that password managers are told by, some of them secrets of their own: for the commands that fetch
/// secrets alone.
const FOR_PASSWORD_MANAGERS: [&str; 7] = ["OP_", "BW_", "BWS_", "VAULT_", "PASSWORD_STORE_", "SOPS_", "KEEPASSXC_"];

/// Environment variables. They may hold secrets, so this has no `Debug`.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The environment of this process. Variables that are not UTF-8 are left out: nothing here could use them.
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The value of a variable; an empty one counts as unset, as shells treat it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(as_known(name).as_ref()).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// All variables, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What other programs get of it, and nothing besides: none of them has any use for our secrets.
    pub fn for_helpers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.beginning_with(&FOR_HELPERS)
    }

    /// What a command gets of it that fetches a secret: a helper that fetches one token has no use for the other.
    pub fn for_secrets(&self) -> impl Iterator<Item = (&str, &str)> {
        self.for_helpers().chain(self.beginning_with(&FOR_PASSWORD_MANAGERS))
    }

    fn beginning_with(&self, known: &'static [&str]) -> impl Iterator<Item = (&str, &str)> {
        let fits = |name: &str, known: &str| {
            let begins = name.get(..known.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(known));
            // What does not end with a line is a whole name.
            begins && (name.len() == known.len() || known.ends_with('_'))
        };
        self.iter().filter(move |(name, _)| known.iter().any(|known| fits(name, known)))
    }

    /// The absolute path of a program. Relative entries of PATH are passed over: they would run whatever lies in the
    /// current directory.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        if Path::new(name).is_absolute() {
            return Some(PathBuf::from(name));
        }
        std::env::split_paths(self.get("PATH").unwrap_or_default())
            .filter(|directory| directory.is_absolute())
            .flat_map(|directory| {
                // What has the name alone may be a script of another system, beside the program.
                [directory.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)), directory.join(name)]
            })
            .find(|candidate| candidate.is_file())
    }

    /// True where there is such a program.
    pub fn has_program(&self, name: &str) -> bool {
        self.program(name).is_some_and(|program| program.is_file())
    }

    /// The path with a leading `~/` replaced by the home directory; nothing when there is no home directory to put
    /// there.
    pub fn expand_home(&self, path: &str) -> Option<PathBuf> {
        match path.strip_prefix("~/") {
            None => Some(PathBuf::from(path)),
            Some(rest) => Some(PathBuf::from(self.get("HOME").or_else(|| self.get("USERPROFILE"))?).join(rest)),
        }
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (as_known(&name.into()).into_owned(), value.into())).collect())
    }
}

/// The name by which a variable is kept: Windows calls them as it likes, `Path` for one, and takes any case for the same.
fn as_known(name: &str) -> Cow<'_, str> {
    if cfg!(windows) { name.to_ascii_uppercase().into() } else { name.into() }
}
