//! The marker: a line in the note of a client or project that punchlist created, which leads back to its page.
//!
//! It is read wherever it stands and written as the last line. What people write around it is the note, and is all that
//! a mapped note is compared with; so the marker never makes a difference, and never gets into a note that had none.

use crate::domain::model::PageId;

/// How the line begins; the page's id follows without dashes, as in Notion's own addresses.
const BEGINNING: &str = "punchlist: https://www.notion.so/";

/// The page that a note names.
pub(super) fn of(note: &str) -> Option<PageId> {
    note.lines().find_map(read)
}

/// The note without its marker.
pub(super) fn around(note: &str) -> String {
    let Some(at) = note.lines().position(|line| read(line).is_some()) else { return note.to_owned() };
    let others: Vec<&str> = note.lines().enumerate().filter(|(line, _)| *line != at).map(|(_, line)| line).collect();
    others.join("\n").trim_end().to_owned()
}

/// The note with a marker as its last line.
pub(super) fn join(text: &str, page: PageId) -> String {
    let line = format!("{BEGINNING}{}", page.to_string().replace('-', ""));
    let text = text.trim_end();
    if text.is_empty() { line } else { format!("{text}\n{line}") }
}

fn read(line: &str) -> Option<PageId> {
    line.trim().strip_prefix(BEGINNING)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: PageId = PageId::from_number(0x1f2c_0000_0000_4000_8000_0000_0000_09a0);
    const LINE: &str = "punchlist: https://www.notion.so/1f2c00000000400080000000000009a0";

    #[test]
    fn the_note_around_a_marker_stays_as_it_is() {
        for (note, text, marked) in [
            ("", "", false),
            ("by hand\n", "by hand\n", false),
            (
                "see https://www.notion.so/1f2c00000000400080000000000009a0",
                "see https://www.notion.so/1f2c00000000400080000000000009a0",
                false,
            ),
            ("punchlist: https://www.notion.so/nothing", "punchlist: https://www.notion.so/nothing", false),
            (LINE, "", true),
            (&format!("one\n\ntwo\n{LINE}"), "one\n\ntwo", true),
            (&format!("one\r\n{LINE}\r\n"), "one", true),
            (&format!("one\n{LINE}\nbelow it"), "one\nbelow it", true),
            (&format!("{LINE}\n{LINE}"), LINE, true),
        ] {
            assert_eq!((around(note).as_str(), of(note)), (text, marked.then_some(PAGE)), "{note:?}");
        }
    }

    #[test]
    fn a_marker_is_written_last_and_read_again() {
        for text in ["", "one", "one\n\ntwo"] {
            let note = join(text, PAGE);
            assert!(note.ends_with(LINE), "{note}");
            assert_eq!((around(&note).as_str(), of(&note)), (text, Some(PAGE)));
        }
    }

    #[test]
    fn the_rules_leave_room_for_it() {
        assert!(join("x", PAGE).chars().count() <= 1 + 80);
    }
}
