//! Changes keys in a configuration file and leaves all else in it as a person has written it: comments, order, blank
//! lines.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use super::layers;
use crate::edge::{files, saved};

/// A configuration file could not be changed; it is as it was. The message repeats nothing of the file.
#[derive(Debug, thiserror::Error)]
#[error("the configuration {} is not changed: {because}", file.display())]
pub struct EditError {
    file: PathBuf,
    because: String,
}

/// Sets keys of a file to texts, each by its whole key: `notion.token`. A file that is not there is made, for its owner
/// alone. Whoever reads it meanwhile reads all of it as it was or as it is then.
///
/// # Errors
/// [`EditError`] where it cannot be read or written, others may write it, or a key cannot be set in it.
pub fn set(file: &Path, values: &[(&str, &str)]) -> Result<(), EditError> {
    let failed = |because: String| EditError { file: file.to_owned(), because };
    let io_failed = |error: io::Error| failed(error.to_string());
    // Who keeps it elsewhere, and a link to it here, goes on doing so.
    let (place, text, mode) = match file.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => (file.to_owned(), String::new(), None),
        Err(error) => return Err(io_failed(error)),
        Ok(_) => {
            let place = fs::canonicalize(file).map_err(io_failed)?;
            let text = layers::read_file(&place).map_err(|unread| failed(unread.to_string()))?;
            let permissions = fs::metadata(&place).map_err(io_failed)?.permissions();
            (place, text, Some(permissions))
        }
    };
    let changed = changed(&text, values).map_err(failed)?;
    if let Some(directory) = place.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        files::create_private_directory(directory).map_err(io_failed)?;
    }
    saved::save_with(&place, &changed, mode).map_err(io_failed)
}

/// The text of a configuration with keys set to texts. Those that are there keep their place and what stands beside
/// them; others come last in their table.
///
/// # Errors
/// Why a key cannot be set; nothing of the text is repeated.
pub fn changed(text: &str, values: &[(&str, &str)]) -> Result<String, String> {
    // The error's own display repeats the line, which may hold a secret.
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        format!("this is not TOML: {}", error.message().lines().next().unwrap_or_default())
    })?;
    for (key, value) in values {
        set_in(document.as_table_mut(), key, value).ok_or_else(|| format!("`{key}` cannot be set in it"))?;
    }
    let changed = document.to_string();
    Ok(if text.contains("\r\n") { changed.replace("\r\n", "\n").replace('\n', "\r\n") } else { changed })
}

/// Sets a key below a table; nothing where something else is in the way.
fn set_in(table: &mut dyn TableLike, key: &str, value: &str) -> Option<()> {
    let Some((name, rest)) = key.split_once('.') else {
        let mut value = Value::from(value);
        match table.get_mut(key) {
            None | Some(Item::None) => {
                table.insert(key, Item::Value(value));
            }
            Some(Item::Value(old)) if !old.is_inline_table() => {
                // What stands beside it stays there.
                *value.decor_mut() = old.decor().clone();
                *old = value;
            }
            Some(_) => return None,
        }
        return Some(());
    };
    let inner = table.entry(name).or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(rest.contains('.'));
        Item::Table(table)
    });
    set_in(inner.as_table_like_mut()?, rest, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, values: &[(&str, &str)], after: &str) {
        assert_eq!(changed(before, values).expect("changed"), after);
    }

    #[test]
    fn what_a_person_has_written_stays() {
        let token = [("notion.token", "file:/x \"y\"")];
        check(
            "# mine\n[notion] # theirs\n#token = \"env:OLD\"\n  token   = 'env:T'   # why\nx = 1\n\n# tasks\n[notion.tasks]\n",
            &token,
            "# mine\n[notion] # theirs\n#token = \"env:OLD\"\n  token   = 'file:/x \"y\"'   # why\nx = 1\n\n# tasks\n[notion.tasks]\n",
        );
        let token = [("notion.token", "env:T")];
        check("notion.token = \"env:OLD\" # why\n", &token, "notion.token = \"env:T\" # why\n");
        check("notion = { token = \"env:OLD\" }\n", &token, "notion = { token = \"env:T\" }\n");
        check("[notion]\r\n# x\r\nx = 1\r\n", &token, "[notion]\r\n# x\r\nx = 1\r\ntoken = \"env:T\"\r\n");
    }

    #[test]
    fn what_is_not_there_is_added_where_it_belongs() {
        let both = [("notion.tasks.data_source", "a"), ("clockify.token", "env:C")];
        check("", &both, "[notion.tasks]\ndata_source = \"a\"\n\n[clockify]\ntoken = \"env:C\"\n");
        let token = [("notion.token", "env:T")];
        check(
            "[notion]\nx = 1\n\n# tasks\n[notion.tasks]\ny = 2\n",
            &token,
            "[notion]\nx = 1\ntoken = \"env:T\"\n\n# tasks\n[notion.tasks]\ny = 2\n",
        );
        let example = include_str!("../../../config.example.toml");
        let set = changed(example, &token).expect("changed");
        let added: Vec<&str> = set.lines().filter(|line| !example.lines().any(|known| known == *line)).collect();
        assert_eq!(added, ["token = \"env:T\""]);
        assert_eq!(set.lines().count(), example.lines().count() + 1, "nothing is lost");
    }

    #[test]
    fn what_cannot_be_set_is_told_without_the_text() {
        for before in ["notion = \"canary\"", "[notion.token]\ncanary = 1", "notion.token = { canary = 1 }", "canary"] {
            let error = changed(before, &[("notion.token", "env:T")]).expect_err("refused");
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_keeps_its_permissions_and_the_link_to_it() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let home = tempfile::tempdir().expect("a directory");
        let (file, link) = (home.path().join("kept.toml"), home.path().join("config.toml"));
        fs::write(&file, "[notion]\n").expect("writes");
        let mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("sets");
        mode(0o640);
        symlink(&file, &link).expect("links");
        set(&link, &[("notion.token", "env:T")]).expect("set");
        assert!(link.symlink_metadata().expect("there").is_symlink());
        assert_eq!(fs::read_to_string(&file).expect("there"), "[notion]\ntoken = \"env:T\"\n");
        assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o640);

        mode(0o666);
        let error = set(&file, &[("notion.token", "env:U")]).expect_err("refused").to_string();
        assert!(error.ends_with("take that away: chmod go-w"), "{error}");
        assert_eq!(fs::read_to_string(&file).expect("there"), "[notion]\ntoken = \"env:T\"\n");

        let new = home.path().join("new/config.toml");
        set(&new, &[("notion.token", "env:T")]).expect("made");
        assert_eq!(fs::metadata(&new).expect("there").permissions().mode() & 0o777, 0o600);
    }
}
