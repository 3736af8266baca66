//! What is said without a change.

use std::collections::{BTreeMap, BTreeSet};

use super::Differ;
use crate::domain::{
    model::{Away, Claim, Field, Kind, Object, Page, PageId, Registry, Relation, Service, Snapshots, Standing},
    pair::{Match, Namesakes, Pairs},
    plan::{Notice, NoticeCode},
    rules::{Rules, Strangers},
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
    twins(snapshots, registry, pairs, &mut notices);
    notices.extend(foreign_run(snapshots, registry, pairs));
    let problems = snapshots.problems.iter().map(|problem| (NoticeCode::Unreadable, problem));
    let options = snapshots.new_options.iter().map(|problem| (NoticeCode::NewOption, problem));
    for (code, problem) in problems.chain(options) {
        let name = problem.page.and_then(|page| pairs.of(page)).map(|(page, _)| page.title.clone()).unwrap_or_default();
        let (kind, page, text) = (problem.kind, problem.page, problem.text.clone());
        notices.push(Notice { code, kind, name, page, object: None, text });
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
            notices.push(Notice {
                code: NoticeCode::Incomplete,
                kind,
                name,
                page: None,
                object: None,
                text: text.into(),
            });
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
                format!(
                    "Notion no longer shows this page: deleted for good, or hidden from the connection; its object is left alone; \
                     share the page again, or end the link with `punchlist unlink {}`",
                    link.page
                ),
            ),
            Some(Away::MovedOut) => (
                NoticeCode::MovedOut,
                format!(
                    "the page was moved out of its data source; its object is left alone; move it back, or end the link with \
                     `punchlist unlink {}`",
                    link.page
                ),
            ),
            Some(Away::NotMeant) => (
                NoticeCode::NotMeant,
                format!(
                    "the page no longer is one of those that are mirrored; its object is left alone; `punchlist unlink {}` ends the link",
                    link.page
                ),
            ),
        };
        let name = snapshots.objects[link.kind].get(link.object).map(|object| object.name.clone()).unwrap_or_default();
        notices.push(Notice {
            code,
            kind: link.kind,
            name,
            page: Some(link.page),
            object: Some(link.object),
            text: text.into(),
        });
    }
}

fn copied(pairs: &Pairs<'_>, notices: &mut Vec<Notice>) {
    for (kind, matches) in pairs.matches.iter() {
        for (page, found) in matches {
            let Match::Copied { owner, object } = found else { continue };
            if page.standing == Standing::Trashed {
                continue;
            }
            let text = format!(
                "has the Clockify ID of the page {owner}, as a duplicated page does; the original keeps the link"
            );
            let (name, page) = (page.title.clone(), Some(page.id));
            notices.push(Notice {
                code: NoticeCode::CopiedId,
                kind,
                name,
                page,
                object: Some(*object),
                text: text.into(),
            });
        }
    }
}

/// Pages whose names differ only by case, spaces or what looks the same: Clockify would take both, and people would mix
/// them up.
fn near_twins(namesakes: &[Namesakes<'_>], notices: &mut Vec<Notice>) {
    for group in namesakes {
        for page in &group.pages {
            let others: Vec<String> = group
                .other_names(page)
                .into_iter()
                .map(|name| format!("“{}”", name.into_raw().shown().clipped(40)))
                .collect();
            if others.is_empty() {
                continue;
            }
            let text = format!(
                "beside {}: the names differ only by case, spaces or what looks the same",
                others.join(" and ")
            );
            let (name, page) = (page.title.clone(), Some(page.id));
            notices.push(Notice {
                code: NoticeCode::NearTwin,
                kind: group.kind,
                name,
                page,
                object: None,
                text: text.into(),
            });
        }
    }
}

/// Active objects that no page links to beside one of the same name that has a page: where Clockify takes a name twice,
/// two machines or a lost answer can make such a pair.
fn twins<'a>(snapshots: &'a Snapshots, registry: &Registry, pairs: &Pairs<'a>, notices: &mut Vec<Notice>) {
    // A page that is not shown could have it.
    if Kind::ALL.into_iter().any(|kind| snapshots.pages[kind].complete().is_none()) {
        return;
    }
    for kind in Kind::ALL {
        // What names a page that is linked is proposed to be closed.
        let is_apart = |object: &&Object| {
            let is_linked = |page| registry.of_page(page).is_some();
            object.is_open() && !snapshots.is_pattern(object) && !object.marker.is_some_and(is_linked)
        };
        for object in pairs.unowned(kind).iter().copied().filter(is_apart) {
            let mut same = pairs.holders(kind, object.parent, object.name.canonical());
            let Some((twin, page)) = same.find_map(|twin| Some((twin.id, pairs.owner(twin.id)?))) else {
                continue;
            };
            let text = format!(
                "no page links to it, and {twin}, which has a page, has the same name: archive or delete one of them"
            );
            let (name, object) = (object.name.clone(), Some(object.id));
            notices.push(Notice {
                code: NoticeCode::NearTwin,
                kind,
                name,
                page: Some(page),
                object,
                text: text.into(),
            });
        }
    }
}

/// Objects that only a punchlist can have made, and linked to their pages, while this state knows nothing of it. A
/// state that knows nothing at all has just been set up.
fn foreign_run<'a>(snapshots: &'a Snapshots, registry: &Registry, pairs: &Pairs<'a>) -> Option<Notice> {
    let is_news = |page| registry.of_page(page).is_none() && registry.parted(page).is_none();
    let made_elsewhere = |object: &&Object| {
        let page = object.marker.filter(|page| is_news(*page)).and_then(|page| pairs.of(page));
        page.is_some_and(|(page, _)| page.claim.id() == Some(object.id))
    };
    let mut made = Kind::ALL.into_iter().flat_map(|kind| snapshots.objects[kind].rows()).filter(made_elsewhere);
    let first = made.by_ref().next().filter(|_| !registry.is_empty())?;
    let others = match made.count() {
        0 => String::new(),
        others => format!(" and {others} more"),
    };
    let text = format!(
        "another punchlist, with a state of its own, has created it{others} in this workspace: let one machine write, or start them \
         apart (--jitter)"
    );
    let (code, kind, name) = (NoticeCode::ForeignRun, first.kind, first.name.clone());
    Some(Notice { code, kind, name, page: first.marker, object: Some(first.id), text: text.into() })
}

/// People without an account who were left out or replaced: one notice for each, however many pages name them.
pub(super) fn strangers(snapshots: &Snapshots, rules: &Rules) -> Vec<Notice> {
    let placed = match &rules.mapping.tasks.strangers {
        Strangers::StandIn(other) => format!("{} stands in", other.shown().clipped(60)),
        Strangers::Hold | Strangers::Leave => "is left out".to_owned(),
    };
    let notice = |(person, ids): (&Raw, &BTreeSet<PageId>)| {
        let pages: Vec<&Page> = ids.iter().filter_map(|id| snapshots.pages.tasks.get(*id)).collect();
        let whom = person.shown().clipped(60);
        let text = format!(
            "{whom} has no account in the Clockify workspace, and {placed}: invite them, or change it in Notion"
        );
        let (code, kind, object) = (NoticeCode::NoAccount, Kind::Task, None);
        match pages.as_slice() {
            [page] => Notice { code, kind, name: page.title.clone(), page: Some(page.id), object, text: text.into() },
            pages => {
                let text = format!("{} of them ({}): {text}", pages.len(), named(pages));
                Notice { code, kind, name: Raw::default(), page: None, object, text: text.into() }
            }
        }
    };
    snapshots.strangers.iter().map(notice).collect()
}

/// The same thing is said of this many pages one by one, and of more of them at once.
const SAID_ONE_BY_ONE_MAX: usize = 5;
/// Names in a notice about several pages.
const NAMES_SHOWN: usize = 3;

impl Differ<'_> {
    /// What cannot be told, so that what depends on it waits: one notice for each page, or for many of which the same
    /// is to be said. Collects those pages.
    pub(super) fn unknown(&self, unclear: &mut BTreeSet<PageId>) -> Vec<Notice> {
        type About<'p> = (&'p Page, Option<&'p Object>);
        let mut said: BTreeMap<(Kind, String), Vec<About<'_>>> = BTreeMap::new();
        for (kind, matches) in self.pairs.matches.iter() {
            for (page, found) in matches {
                let object = found.certain();
                let parts = self.unknown_of(page, found, object);
                if !parts.is_empty() {
                    unclear.insert(page.id);
                    said.entry((kind, parts.join("; "))).or_default().push((page, object));
                }
            }
        }
        let mut notices = Vec::new();
        for ((kind, text), pages) in said {
            let code = NoticeCode::Unknown;
            if pages.len() > SAID_ONE_BY_ONE_MAX {
                let names: Vec<_> = pages.iter().map(|(page, _)| page).copied().collect();
                let text = format!("{} of them ({}): {text}", pages.len(), named(&names));
                notices.push(Notice { code, kind, name: Raw::default(), page: None, object: None, text: text.into() });
                continue;
            }
            notices.extend(pages.into_iter().map(|(page, object)| Notice {
                code,
                kind,
                name: page.title.clone(),
                page: Some(page.id),
                object: object.map(|object| object.id),
                text: text.clone().into(),
            }));
        }
        if let Some(because) = &self.snapshots.hidden {
            let (code, kind, name) = (NoticeCode::Unknown, Kind::Project, Raw::default());
            let text = format!("{because}: what is not listed may exist all the same, so nothing is taken for gone");
            notices.push(Notice { code, kind, name, page: None, object: None, text: text.into() });
        }
        notices
    }

    /// What a page and its object leave open, and what that means.
    fn unknown_of(&self, page: &Page, found: &Match<'_>, object: Option<&Object>) -> Vec<String> {
        if let Standing::Unknown { because } = &page.standing {
            return vec![format!("whether it is open cannot be told, so it stays as it is: {because}")];
        }
        let mut parts = Vec::new();
        if self.snapshots.closes(page) {
            // Nothing but its state is of interest any more.
            let because = object.and_then(|object| object.values.unknown_because(Field::State));
            parts.extend(because.map(|because| unknown_in_clockify(Field::State, because)));
            return parts;
        }
        match (found, &page.claim) {
            (Match::Unseen { .. }, Claim::Unknown(because)) if self.registry.of_page(page.id).is_none() => {
                return vec![format!(
                    "whether it has an ID of Clockify cannot be told, so nothing is created for it: {because}"
                )];
            }
            (_, Claim::Unknown(because)) => parts.push(format!("its Clockify ID cannot be told: {because}")),
            // An incomplete listing has a notice of its own.
            (Match::Unseen { because }, _) if self.snapshots.objects[page.kind].complete().is_some() => {
                parts.push(format!("its object is not seen, and not taken for gone: {because}"));
            }
            _ => {}
        }
        parts.extend(self.unknown_parent(page, object));
        for (field, because) in page.values.unknown() {
            parts.push(format!("its {field} cannot be told, and stays as it is: {because}"));
        }
        for (field, because) in object.into_iter().flat_map(|object| object.values.unknown()) {
            if field == Field::State || page.values.get(field).is_some() {
                parts.push(unknown_in_clockify(field, because));
            }
        }
        parts
    }

    /// Why it cannot be told under which parent a linked page stands. What has no object yet is held with that reason.
    fn unknown_parent(&self, page: &Page, object: Option<&Object>) -> Option<String> {
        let (kind, object) = page.kind.parent().zip(object)?;
        let stays = |because: &str| format!("its {kind} cannot be told, and stays as it is: {because}");
        match &page.parent {
            Relation::None | Relation::Several(_) => None,
            Relation::Unknown(because) => Some(stays(because)),
            Relation::One(parent) => {
                if object.parent.and_then(|above| self.pairs.owner(above)) == Some(*parent) {
                    return None;
                }
                match self.pairs.of(*parent) {
                    None => Some(stays(&format!("the page names a {kind} that punchlist does not see"))),
                    Some((_, Match::Unseen { because })) => Some(stays(because)),
                    Some(_) => None,
                }
            }
        }
    }

    /// What is open on both sides below something that is closed on either: nothing is wrong with it, but nobody may
    /// know.
    pub(super) fn open_below_closed(&self) -> Vec<Notice> {
        let mut below: BTreeMap<(Kind, PageId), Vec<&Page>> = BTreeMap::new();
        for (_, matches) in self.pairs.matches.iter() {
            for (page, found) in matches {
                let (Some(object), Some(parent)) = (found.certain(), page.parent.one()) else { continue };
                let changes = |page| self.of_page.get(&page).is_some_and(|footing| footing.opens_or_closes);
                if !page.standing.is_open() || !object.is_open() || changes(page.id) || changes(parent) {
                    continue;
                }
                let Some((above, above_found)) = self.pairs.of(parent) else { continue };
                if above.standing.is_closed() || above_found.certain().is_some_and(Object::is_closed) {
                    below.entry((above.kind, above.id)).or_default().push(page);
                }
            }
        }
        let notice = |((kind, above), pages): ((Kind, PageId), Vec<&Page>)| {
            let (above, found) = self.pairs.of(above)?;
            let what = if pages.len() == 1 { pages[0].kind.word() } else { pages[0].kind.plural() };
            let text = format!(
                "it is closed, and {} {what} below it {} open on both sides: {}",
                pages.len(),
                if pages.len() == 1 { "is" } else { "are" },
                named(&pages)
            );
            let (page, object) = (Some(above.id), found.certain().map(|object| object.id));
            Some(Notice {
                code: NoticeCode::OpenBelowClosed,
                kind,
                name: above.title.clone(),
                page,
                object,
                text: text.into(),
            })
        };
        below.into_iter().filter_map(notice).collect()
    }
}

fn unknown_in_clockify(field: Field, because: &str) -> String {
    format!("its {field} in Clockify cannot be told, and stays as it is: {because}")
}

/// The names of the first of some pages.
fn named(pages: &[&Page]) -> String {
    let shown = pages.iter().take(NAMES_SHOWN).map(|page| format!("“{}”", page.title.shown().clipped(40)));
    let mut names = shown.collect::<Vec<_>>().join(", ");
    if pages.len() > NAMES_SHOWN {
        names.push_str(", …");
    }
    names
}
