//! What people type to name one thing: an ID, the address of a page or an object, or a name.

use super::{
    model::{Kind, ObjectId, PageId},
    text::{Raw, Shown},
};

/// Things that are named when a name means several.
const NAMED_MAX: usize = 10;
/// Digits of an object's ID, as it stands in addresses.
const OBJECT_DIGITS: usize = 24;

/// The page in an ID or address: the 32 hexadecimal digits, dashed or not, at the end of the last part of its path that
/// has them. The title before it may itself end in such digits, and the view in `?v=` is not it.
pub fn page(text: &str) -> Option<PageId> {
    let path = text.trim().split(['?', '#']).next()?;
    path.split('/').rev().find_map(|segment| {
        [36, 32].into_iter().find_map(|length| {
            let start = segment.len().checked_sub(length)?;
            let digits = segment.get(start..)?;
            let dashed = digits.bytes().filter(|&b| b == b'-').count();
            (dashed == if length == 36 { 4 } else { 0 }).then(|| digits.parse().ok()).flatten()
        })
    })
}

/// The object in an ID or address; that of a project ends in `/edit`.
pub fn object(text: &str) -> Option<ObjectId> {
    let is_id = |part: &str| part.len() == OBJECT_DIGITS && part.bytes().all(|b| b.is_ascii_hexdigit());
    text.trim().split('/').find_map(|part| part.parse().ok().filter(|_| is_id(part)))
}

/// Where an object is in Clockify's web application. Its addresses are not documented: these are the pages that people
/// see, a project's own and the lists of clients and of projects.
pub fn object_address(kind: Kind, object: ObjectId) -> String {
    match kind {
        Kind::Client => "https://app.clockify.me/clients".to_owned(),
        Kind::Project => format!("https://app.clockify.me/projects/{object}/edit"),
        Kind::Task => "https://app.clockify.me/projects".to_owned(),
    }
}

/// Something that can be meant.
pub struct Nameable<T> {
    /// What is found.
    pub what: T,
    pub page: Option<PageId>,
    pub object: Option<ObjectId>,
    pub name: Raw,
    /// How it is told from others of the same name.
    pub told: Shown,
}

/// Why nothing was found.
#[derive(Debug, PartialEq, Eq)]
pub enum NotFound {
    Unknown,
    /// Several different things have that name: the first of them, and how many there are.
    Several(Vec<Shown>, usize),
}

/// What is meant by the ID or address of a page or object, or by a name, in which case and spaces do not count. All that
/// stands for one page or object is one thing.
///
/// # Errors
/// [`NotFound`]
pub fn find<T>(text: &str, all: impl Iterator<Item = Nameable<T>>) -> Result<Vec<T>, NotFound> {
    let (page, object) = (page(text), object(text));
    let typed = Raw::from(text).canonical().loose();
    let is_meant = |one: &Nameable<T>| match (page, object) {
        (None, None) => one.name.canonical().loose() == typed,
        (page, object) => page.is_some() && one.page == page || object.is_some() && one.object == object,
    };
    let found: Vec<Nameable<T>> = all.filter(is_meant).collect();
    let Some(first) = found.first() else { return Err(NotFound::Unknown) };
    let is_same = |one: &Nameable<T>| (one.page, one.object) == (first.page, first.object);
    // An ID means one thing, however it is called.
    if page.is_some() || object.is_some() || found.iter().all(is_same) {
        return Ok(found.into_iter().map(|one| one.what).collect());
    }
    let mut told: Vec<Shown> = found.into_iter().map(|one| one.told).collect();
    told.dedup();
    let count = told.len();
    told.truncate(NAMED_MAX);
    Err(NotFound::Several(told, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "1f2c0000-0000-4000-8000-0000000009a0";

    #[test]
    fn pages_and_objects_are_found_in_every_usual_reference() {
        let id: PageId = ID.parse().expect("an id");
        let view = "ffffffffffffffffffffffffffffffff";
        for reference in [
            ID.to_owned(),
            "1f2c00000000400080000000000009a0".to_owned(),
            format!(" https://www.notion.so/acme/Projects-2026-1f2c00000000400080000000000009a0?v={view}&pvs=4 "),
            "https://www.notion.so/acme/Beef-face-1f2c00000000400080000000000009a0".to_owned(),
            format!("https://www.notion.so/1F2C00000000400080000000000009A0?v={view}#x"),
            format!("https://app.notion.com/p/{ID}"),
            format!("https://acme.notion.site/{ID}/"),
        ] {
            assert_eq!(page(&reference), Some(id), "{reference}");
        }
        for reference in ["", "Projects", &format!("https://www.notion.so/acme?v={view}"), "1f2c"] {
            assert_eq!(page(reference), None, "{reference}");
        }
        let of_project = "https://app.clockify.me/projects/64a9f0e1b2c3d4e5f6a7b8c9/edit";
        assert_eq!(object(of_project), "64a9f0e1b2c3d4e5f6a7b8c9".parse().ok());
        assert_eq!(object("Acme"), None);
    }

    #[test]
    fn a_name_means_one_thing_or_says_which_it_could_be() {
        let pages =
            [(1, "Acme", "first"), (1, "Acme", "second"), (2, "Design", "in Website"), (3, "DESIGN ", "in Shop")];
        let all = || {
            pages.into_iter().map(|(page, name, told)| Nameable {
                what: told,
                page: Some(PageId::from_number(page)),
                object: None,
                name: name.into(),
                told: told.into(),
            })
        };
        assert_eq!(find(" acme", all()), Ok(vec!["first", "second"]), "two changes of one page");
        assert_eq!(find("design", all()), Err(NotFound::Several(vec!["in Website".into(), "in Shop".into()], 2)));
        assert_eq!(find(&PageId::from_number(3).to_string(), all()), Ok(vec!["in Shop"]));
        assert_eq!(find("Acm", all()), Err(NotFound::Unknown));
    }
}
