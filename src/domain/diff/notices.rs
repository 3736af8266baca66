//! What is said without a change.

use crate::domain::{
    model::{Away, Kind, Object, Registry, Service, Snapshots, Standing},
    pair::{Match, Namesakes, Pairs},
    plan::{Notice, NoticeCode},
    text::Raw,
};

/// All notices, in no particular order.
pub(super) fn notices<'a>(
    snapshots: &'a Snapshots,
    registry: &Registry,
    pairs: &Pairs<'a>,
    namesakes: &[Namesakes<'_>],
) -> Vec<Notice> {
    let mut notices = Vec::new();
    incomplete(snapshots, &mut notices);
    away(snapshots, registry, &mut notices);
    copied(pairs, &mut notices);
    near_twins(namesakes, &mut notices);
    twins(snapshots, pairs, &mut notices);
    for problem in &snapshots.problems {
        let name = problem.page.and_then(|page| pairs.of(page)).map(|(page, _)| page.title.clone()).unwrap_or_default();
        let (kind, page, text) = (problem.kind, problem.page, problem.text.clone());
        notices.push(Notice { code: NoticeCode::Unreadable, kind, name, page, object: None, text });
    }
    notices
}

fn incomplete(snapshots: &Snapshots, notices: &mut Vec<Notice>) {
    for kind in Kind::ALL {
        let sides = [
            (Service::Notion, snapshots.pages[kind].incomplete_because()),
            (Service::Clockify, snapshots.objects[kind].incomplete_because()),
        ];
        for (service, because) in sides {
            let Some(because) = because else { continue };
            let text = format!("{service}'s {} could not be listed completely: {because}", kind.plural());
            let name = Raw::default();
            notices.push(Notice { code: NoticeCode::Incomplete, kind, name, page: None, object: None, text });
        }
    }
}

/// Linked pages that no listing shows: that proves nothing, so their objects are left alone.
fn away(snapshots: &Snapshots, registry: &Registry, notices: &mut Vec<Notice>) {
    for link in registry.iter() {
        let (code, text) = match snapshots.away.get(&link.page) {
            None => continue,
            Some(Away::Lost) => (
                NoticeCode::LostSight,
                "Notion no longer shows this page: deleted for good, or hidden from the connection; its object is left alone",
            ),
            Some(Away::MovedOut) => (NoticeCode::MovedOut, "the page was moved out of its data source; its object is left alone"),
            Some(Away::NotMeant) => {
                (NoticeCode::NotMeant, "the page no longer is one of those that are mirrored; its object is left alone")
            }
        };
        let name = snapshots.objects[link.kind].get(link.object).map(|object| object.name.clone()).unwrap_or_default();
        let text = text.to_owned();
        notices.push(Notice { code, kind: link.kind, name, page: Some(link.page), object: Some(link.object), text });
    }
}

fn copied(pairs: &Pairs<'_>, notices: &mut Vec<Notice>) {
    for (kind, matches) in pairs.matches.iter() {
        for (page, found) in matches {
            let Match::Copied { owner, object } = found else { continue };
            if page.standing == Standing::Trashed {
                continue;
            }
            let text = format!("has the Clockify ID of the page {owner}, as a duplicated page does; the original keeps the link");
            let (name, page) = (page.title.clone(), Some(page.id));
            notices.push(Notice { code: NoticeCode::CopiedId, kind, name, page, object: Some(*object), text });
        }
    }
}

/// Pages whose names differ only by case or spaces: Clockify would take both, and people would mix them up.
fn near_twins(namesakes: &[Namesakes<'_>], notices: &mut Vec<Notice>) {
    for group in namesakes {
        for page in &group.pages {
            let others: Vec<String> =
                group.other_names(page).into_iter().map(|name| format!("“{}”", name.into_raw().display().clipped(40))).collect();
            if others.is_empty() {
                continue;
            }
            let text = format!("beside {}: the names differ only by case or spaces", others.join(" and "));
            let (name, page) = (page.title.clone(), Some(page.id));
            notices.push(Notice { code: NoticeCode::NearTwin, kind: group.kind, name, page, object: None, text });
        }
    }
}

/// Active objects that no page links to beside one of the same name that has a page: where Clockify takes a name twice, two machines
/// or a lost answer can make such a pair.
fn twins<'a>(snapshots: &'a Snapshots, pairs: &Pairs<'a>, notices: &mut Vec<Notice>) {
    // A page that is not shown could have it.
    if Kind::ALL.into_iter().any(|kind| snapshots.pages[kind].complete().is_none()) {
        return;
    }
    for kind in Kind::ALL {
        let is_alone = |object: &&Object| !object.closed && pairs.owner(object.id).is_none() && !snapshots.is_pattern(object);
        for object in snapshots.objects[kind].rows().iter().filter(is_alone) {
            let same = pairs.holders(kind, object.parent, object.name.canonical().into_cow());
            let Some((twin, page)) = same.iter().find_map(|twin| Some((twin.id, pairs.owner(twin.id)?))) else { continue };
            let text =
                format!("no page links to it, and {twin}, which has a page, has the same name: archive or delete one of them");
            let (name, object) = (object.name.clone(), Some(object.id));
            notices.push(Notice { code: NoticeCode::NearTwin, kind, name, page: Some(page), object, text });
        }
    }
}
