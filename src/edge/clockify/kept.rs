//! Objects as last read, for the bodies of PUTs.

use tokio::time::Instant;

use super::row::{self, ObjectRow};
use crate::domain::model::Kind;

/// What the JSON of nearly every task consists of, besides its name and its project. In a kept row each is one byte, its
/// place here: JSON itself has none of the first 32.
const WORDS: [&str; 8] = [
    r#"{"name":""#,
    r#"","projectId":""#,
    r#"","assigneeIds":["#,
    r#"],"userGroupIds":["#,
    r#"],"billable":true"#,
    r#"],"billable":false"#,
    r#","status":"ACTIVE"}"#,
    r#","status":"DONE"}"#,
];
const _: () = assert!(WORDS.len() < 32);

/// An object as last read. There are as many as a workspace has, and few are ever written: so it is kept as JSON with
/// its words abbreviated, which takes an eighth of the memory, without its ID and what no write needs.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// The kind, in one byte, and the row.
    row: Box<[u8]>,
    /// When it was asked for; nothing where that is too long ago to be built on.
    pub(super) read: Option<Instant>,
}

impl Kept {
    pub(super) fn new(row: &ObjectRow, read: Option<Instant>) -> Self {
        let (kind, json) = match row {
            ObjectRow::Client(row) => (Kind::Client, serde_json::to_vec(row)),
            ObjectRow::Project(row) => (Kind::Project, serde_json::to_vec(row)),
            ObjectRow::Task(row) => (Kind::Task, serde_json::to_vec(row)),
        };
        // A row that came as JSON can be written as such.
        let row = [kind as u8].into_iter().chain(abbreviated(&json.unwrap_or_default()));
        Self { row: row.collect(), read }
    }

    /// The row.
    pub(super) fn row(&self) -> Option<ObjectRow> {
        let (kind, row) = self.row.split_first()?;
        row::row(*Kind::ALL.get(usize::from(*kind))?, &spelled_out(row)).ok()
    }
}

fn abbreviated(json: &[u8]) -> Vec<u8> {
    let (mut short, mut rest) = (Vec::with_capacity(json.len()), json);
    while let Some((first, others)) = rest.split_first() {
        let word = match first {
            b'{' | b'"' | b']' | b',' => (0..).zip(WORDS).find(|(_, word)| rest.starts_with(word.as_bytes())),
            _ => None,
        };
        if let Some((place, word)) = word {
            short.push(place);
            rest = &rest[word.len()..];
        } else {
            short.push(*first);
            rest = others;
        }
    }
    short
}

fn spelled_out(short: &[u8]) -> Vec<u8> {
    let mut json = Vec::with_capacity(8 * short.len());
    for byte in short {
        match WORDS.get(usize::from(*byte)) {
            Some(word) => json.extend_from_slice(word.as_bytes()),
            None => json.push(*byte),
        }
    }
    json
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::wire::TaskRow, *};

    #[test]
    fn an_ordinary_task_is_kept_in_little_more_than_its_name_and_its_project() {
        let task = TaskRow {
            name: "Task 1".to_owned(),
            project_id: "6a1376e40000000000000000".to_owned(),
            assignee_ids: Some(Vec::new()),
            user_group_ids: Some(Vec::new()),
            billable: Some(true),
            status: "ACTIVE".to_owned(),
            ..TaskRow::default()
        };
        let kept = Kept::new(&ObjectRow::Task(task.clone()), None);
        assert_eq!(kept.row.len(), task.name.len() + task.project_id.len() + 7);
        assert_eq!(kept.row(), Some(ObjectRow::Task(task)));
    }

    proptest! {
        #[test]
        fn a_row_comes_back_as_it_was(
            name in r#"\PC*|[\x00-\x1f"\\{},:\[\]]*|","status":"DONE"}"#,
            status in "|ACTIVE|DONE|ALL",
            people in proptest::option::of(proptest::collection::vec("[a-f0-9]{0,4}", 0..3)),
            billable: Option<bool>,
            estimate in proptest::option::of("PT[0-9]H"),
        ) {
            let (assignee_ids, user_group_ids) = (people.clone(), people);
            let row = TaskRow { name, assignee_ids, user_group_ids, billable, estimate, status, ..TaskRow::default() };
            let row = ObjectRow::Task(row);
            prop_assert_eq!(Kept::new(&row, None).row(), Some(row));
        }
    }
}
