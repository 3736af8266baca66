//! Which page is which object, and on what evidence. Ambiguity is a value with alternatives, never a guess.
//!
//! | evidence | confidence |
//! |---|---|
//! | the registry says so | 100 |
//! | the page alone claims an object of the right kind under the right parent; an object alone names the page in its note | 95 |
//! | the same name under the same parent, both free | 90 |
//! | the same but for case or spaces | 80 |
//! | the object of a vanished one's name | 80 |
//! | the same name, but the object is archived; several of that name; a claim to an object under another parent, or where not all pages could be listed; several objects that name the page | 70 |
//! | a similar name; born when an earlier run may have created one; linked before, and that was undone | 60 |

use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::BuildHasher as _,
};

use foldhash::fast::RandomState;

use super::{
    model::{Claim, Kind, Object, ObjectId, Page, PageId, PerKind, Registry, Relation, Snapshots, Standing},
    text::{Canonical, Shown},
};

/// Comparisons of similar names per new page; a parent with more free objects than this is not searched for similar
/// ones.
const SIMILAR_SEARCH_MAX: usize = 500;
/// Similar names that are offered as alternatives.
const SIMILAR_OFFERED_MAX: usize = 3;
/// Jaro-Winkler similarity from which a name counts as similar.
const SIMILAR_FROM: f64 = 0.92;

/// How we know that a page and an object belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The registry has the link.
    Registry,
    /// The page alone claims it, and kind and parent agree.
    Claim,
    /// The page alone claims it, but it stands under another parent.
    ClaimElsewhere,
    /// The page claims it, and not all pages could be listed: another one may have it.
    ClaimUnsure,
    /// It alone names the page in its note, as punchlist writes it.
    Marker,
    /// It names the page in its note, but so do others, or it stands under another parent.
    MarkerUnsure,
    /// It was born when a create for the page may have been carried out.
    Doubtful,
    /// The names are equal.
    Name,
    /// The names are equal, and the object is closed.
    NameClosed,
    /// The names are equal, and so are those of other free objects.
    NameAmbiguous,
    /// The names differ only by case, spaces or what looks the same.
    NameLoose,
    /// The names are similar.
    NameSimilar,
    /// The object has the name that the vanished one should have.
    NameOfVanished,
    /// They were linked until a run was undone, whatever else speaks for it.
    Parted,
}

impl Evidence {
    /// How sure that makes us, in whole percent.
    pub fn confidence(self) -> u8 {
        match self {
            Self::Registry => 100,
            Self::Claim | Self::Marker => 95,
            Self::Name => 90,
            Self::NameLoose | Self::NameOfVanished => 80,
            Self::NameClosed | Self::NameAmbiguous | Self::ClaimElsewhere | Self::ClaimUnsure | Self::MarkerUnsure => {
                70
            }
            Self::NameSimilar | Self::Doubtful | Self::Parted => 60,
        }
    }

    /// The evidence in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Registry => "linked before",
            Self::Claim => "the page has this ID, and kind and parent agree",
            Self::ClaimElsewhere => "the page has this ID, but the object stands under another parent",
            Self::ClaimUnsure => "the page has this ID, but not all pages could be listed",
            Self::Marker => "its note names the page, as punchlist writes it",
            Self::MarkerUnsure => "its note names the page, but so do others, or it stands under another parent",
            Self::Doubtful => "born when an earlier run may have created it",
            Self::Name => "same name under the same parent, and nobody else's",
            Self::NameClosed => "same name under the same parent, but closed",
            Self::NameAmbiguous => "same name under the same parent, as others have",
            Self::NameLoose => "the name differs only by case, spaces or what looks the same",
            Self::NameSimilar => "a similar name under the same parent",
            Self::NameOfVanished => "the linked object is gone, and this one has the page's name",
            Self::Parted => "they were linked, and that was undone",
        }
    }
}

/// An object that could be a page's.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    pub object: &'a Object,
    /// Why it could be.
    pub evidence: Evidence,
}

/// What a page is paired with.
#[derive(Clone, Debug)]
pub enum Match<'a> {
    /// An object. Evidence below [`Evidence::Claim`] needs a link that somebody approves.
    Linked {
        best: Candidate<'a>,
        /// Others, best first.
        others: Vec<Candidate<'a>>,
    },
    /// No object.
    Free {
        /// Objects with similar names.
        similar: Vec<Candidate<'a>>,
    },
    /// The object that the page is linked to, or claims, is not in a complete listing. Few pages have lost theirs, so
    /// that what is known of it has a place of its own.
    Vanished(Box<Vanished<'a>>),
    /// The page claims an object that is another page's.
    Copied {
        /// The page that the object belongs to.
        owner: PageId,
        object: ObjectId,
    },
    /// Nothing can be said: the listing may lack the object, or the page does not say enough to tell which it is.
    Unseen {
        /// Why.
        because: Shown,
    },
    /// Closed, and linked to nothing that exists: nothing to do.
    Idle,
}

/// What is known of an object that is gone.
#[derive(Clone, Debug)]
pub struct Vanished<'a> {
    /// What the registry or the page says.
    pub object: Option<ObjectId>,
    /// Free objects that could take its place.
    pub others: Vec<Candidate<'a>>,
    /// Why the ID is of no use.
    pub because: Shown,
}

impl<'a> Match<'a> {
    /// The object that the page surely has: the registry's or its own claim's.
    pub fn certain(&self) -> Option<&'a Object> {
        match self {
            Self::Linked { best, .. } if best.evidence.confidence() >= Evidence::Claim.confidence() => {
                Some(best.object)
            }
            _ => None,
        }
    }

    /// The object that the page has, or is proposed to have.
    pub fn proposed(&self) -> Option<&'a Object> {
        match self {
            Self::Linked { best, .. } => Some(best.object),
            // A similar name is no more than an alternative to creating the object again.
            Self::Vanished(vanished) => {
                vanished.others.first().filter(|best| best.evidence != Evidence::NameSimilar).map(|best| best.object)
            }
            _ => None,
        }
    }
}

/// Objects in the order of a hash of their parents and names, so that those with one name stand together.
type Holders<'a> = Vec<(u64, &'a Object)>;

/// Every page with what it is paired with, and every object with the page that has it.
#[derive(Debug)]
pub struct Pairs<'a> {
    /// By kind, in the order of the pages' listing: by id.
    pub matches: PerKind<Vec<(&'a Page, Match<'a>)>>,
    registry: &'a Registry,
    /// The pages of objects that the registry does not know: claimed or proposed.
    claimed: HashMap<ObjectId, PageId>,
    snapshots: &'a Snapshots,
    holders: PerKind<OnceCell<Holders<'a>>>,
    hasher: RandomState,
    unowned: PerKind<OnceCell<Vec<&'a Object>>>,
}

impl<'a> Pairs<'a> {
    /// A page and its match.
    pub fn of(&self, page: PageId) -> Option<&(&'a Page, Match<'a>)> {
        Kind::ALL.into_iter().find_map(|kind| {
            let matches = &self.matches[kind];
            matches.binary_search_by_key(&page, |(page, _)| page.id).ok().map(|at| &matches[at])
        })
    }

    /// The page that an object belongs to: linked (even when the page is out of sight), claimed or proposed.
    pub fn owner(&self, object: ObjectId) -> Option<PageId> {
        self.registry.page_of(object).or_else(|| self.claimed.get(&object).copied())
    }

    /// The objects that belong to no page, by id.
    pub fn unowned(&self, kind: Kind) -> &[&'a Object] {
        let rows = self.snapshots.objects[kind].rows().iter();
        self.unowned[kind].get_or_init(|| rows.filter(|object| self.owner(object.id).is_none()).collect())
    }

    /// The objects that have a name under a parent, closed ones included: Clockify's names are unique per parent.
    pub fn holders(
        &self,
        kind: Kind,
        parent: Option<ObjectId>,
        name: Canonical<'a>,
    ) -> impl Iterator<Item = &'a Object> {
        let hash = |parent: Option<ObjectId>, name: &Canonical<'_>| self.hasher.hash_one((parent, name));
        let holders = self.holders[kind].get_or_init(|| {
            let rows = self.snapshots.objects[kind].rows().iter();
            let mut holders: Holders<'_> =
                rows.map(|object| (hash(object.parent, &object.name.canonical()), object)).collect();
            holders.sort_by_key(|(hash, _)| *hash);
            holders
        });
        let wanted = hash(parent, &name);
        let from = holders.partition_point(|(hash, _)| *hash < wanted);
        let near = holders[from..].iter().take_while(move |(hash, _)| *hash == wanted).map(|(_, object)| *object);
        // Equal hashes are a hint; the names themselves decide.
        near.filter(move |object| object.parent == parent && object.name.canonical() == name)
    }

    /// Notes who has which object among pages that the registry does not know.
    fn claim(&mut self, matches: &[(&'a Page, Match<'a>)]) {
        let is_known =
            |found: &Match<'_>| matches!(found, Match::Linked { best, .. } if best.evidence == Evidence::Registry);
        for (page, found) in matches.iter().filter(|(_, found)| !is_known(found)) {
            if let Some(object) = found.proposed().filter(|object| self.registry.page_of(object.id).is_none()) {
                self.claimed.insert(object.id, page.id);
            }
        }
    }
}

/// Pairs all pages with all objects, parents first, since a name counts only under the same parent.
pub fn pair<'a>(snapshots: &'a Snapshots, registry: &'a Registry) -> Pairs<'a> {
    let mut pairs = Pairs {
        matches: PerKind::default(),
        registry,
        claimed: HashMap::new(),
        snapshots,
        holders: PerKind::default(),
        hasher: RandomState::default(),
        unowned: PerKind::default(),
    };
    for kind in Kind::ALL {
        let claims = Claims::of(snapshots, registry, kind);
        let marked = Marked::of(snapshots, registry, kind);
        let mut matches: Vec<(&Page, Match)> = Vec::with_capacity(snapshots.pages[kind].rows().len());
        for page in snapshots.pages[kind].rows() {
            matches.push((page, by_id(snapshots, registry, &claims, &marked, &pairs, page)));
        }
        doubt_parted(snapshots, registry, &mut matches);
        pairs.claim(&matches);
        if matches.iter().any(|(_, found)| matches!(found, Match::Free { .. } | Match::Vanished(_))) {
            let names = Names::of(snapshots, &pairs, kind);
            let mut taken = HashSet::new();
            // Exact names choose first, so that a page does not lose its object to another that is only spelled like
            // it.
            for exactly in [true, false] {
                for (page, found) in &mut matches {
                    by_name(&names, &pairs, &mut taken, exactly, page, found);
                }
            }
            doubt_parted(snapshots, registry, &mut matches);
            pairs.claim(&matches);
        }
        pairs.matches[kind] = matches;
    }
    pairs
}

/// What was linked until that was undone is not linked again unasked.
fn doubt_parted(snapshots: &Snapshots, registry: &Registry, matches: &mut [(&Page, Match<'_>)]) {
    for (page, found) in matches {
        let Some(parted) = registry.parted(page.id) else { continue };
        if matches!(found, Match::Linked { best, .. } if best.object.id == parted.object) && snapshots.closes(page) {
            // A closed page asks for nothing, and must not keep others from what it had.
            *found = Match::Idle;
            continue;
        }
        let (best, others) = match found {
            Match::Linked { best, others } => (Some(best), others),
            Match::Free { similar: others } => (None, others),
            Match::Vanished(vanished) => (None, &mut vanished.others),
            Match::Copied { .. } | Match::Unseen { .. } | Match::Idle => continue,
        };
        for candidate in best.into_iter().chain(others).filter(|candidate| candidate.object.id == parted.object) {
            candidate.evidence = Evidence::Parted;
        }
    }
}

/// Which page each claimed object belongs to.
struct Claims {
    owners: HashMap<ObjectId, PageId>,
}

impl Claims {
    /// The registry's page owns an object; without one, the page that its note names; without either, the oldest that
    /// claims it.
    fn of(snapshots: &Snapshots, registry: &Registry, kind: Kind) -> Self {
        let mut oldest: HashMap<ObjectId, &Page> = HashMap::new();
        for page in snapshots.pages[kind].rows().iter().filter(|page| registry.of_page(page.id).is_none()) {
            if let Some(object) = page.claim.id() {
                let owner = oldest.entry(object).or_insert(page);
                if (page.created, page.id) < (owner.created, owner.id) {
                    *owner = page;
                }
            }
        }
        let named = |object| {
            let page = snapshots.objects[kind].get(object)?.marker?;
            snapshots.pages[kind].get(page).filter(|page| registry.of_page(page.id).is_none()).map(|page| page.id)
        };
        let owner = |object, oldest: &Page| registry.page_of(object).or_else(|| named(object)).unwrap_or(oldest.id);
        let owners = oldest.into_iter().map(|(object, oldest)| (object, owner(object, oldest))).collect();
        Self { owners }
    }
}

/// The free objects of one kind whose notes name a page.
struct Marked<'a>(HashMap<PageId, Vec<&'a Object>>);

impl<'a> Marked<'a> {
    fn of(snapshots: &'a Snapshots, registry: &Registry, kind: Kind) -> Self {
        let mut marked: HashMap<PageId, Vec<&Object>> = HashMap::new();
        for object in snapshots.objects[kind].rows() {
            let is_free = || registry.page_of(object.id).is_none() && !snapshots.is_pattern(object);
            if let Some(page) = object.marker.filter(|_| is_free()) {
                marked.entry(page).or_default().push(object);
            }
        }
        Self(marked)
    }

    /// The match of a page whose claim leads nowhere: by the object that names it. Of several, the one that was there
    /// first.
    fn of_page(&self, pairs: &Pairs<'a>, page: &Page) -> Option<Match<'a>> {
        let (best, others) = self.0.get(&page.id)?.split_first()?;
        let sure = others.is_empty() && parent_agrees(pairs, page, best);
        let evidence = if sure { Evidence::Marker } else { Evidence::MarkerUnsure };
        let others = others.iter().map(|&object| Candidate { object, evidence }).collect();
        Some(Match::Linked { best: Candidate { object: best, evidence }, others })
    }
}

/// The match by registry, claim or marker; [`Match::Free`] where there is none.
fn by_id<'a>(
    snapshots: &'a Snapshots,
    registry: &Registry,
    claims: &Claims,
    marked: &Marked<'a>,
    pairs: &Pairs<'a>,
    page: &'a Page,
) -> Match<'a> {
    let objects = &snapshots.objects[page.kind];
    let closed = snapshots.closes(page);
    let linked = |object, evidence| Match::Linked { best: Candidate { object, evidence }, others: Vec::new() };
    if let Some(link) = registry.of_page(page.id) {
        if let Some(object) = objects.get(link.object) {
            return linked(object, Evidence::Registry);
        }
        return match (snapshots.doubt_absence(page.kind, link.object), &page.standing) {
            (Some(because), _) => Match::Unseen { because },
            (None, Standing::Unknown { because }) => Match::Unseen { because: because.clone() },
            (None, _) if closed => Match::Idle,
            (None, _) => vanished(Some(link.object), "its object is gone from Clockify".to_owned()),
        };
    }
    let usable = |object: &ObjectId| {
        objects.get(*object).is_some() && claims.owners.get(object).is_none_or(|owner| *owner == page.id)
    };
    if !page.claim.id().as_ref().is_some_and(usable)
        && let Some(found) = marked.of_page(pairs, page)
    {
        return found;
    }
    // Of a page that may be closed nothing more is known than that it has what it has.
    let unclear = match &page.standing {
        Standing::Unknown { because } => Some(because),
        Standing::Open | Standing::Closed { .. } | Standing::Trashed => None,
    };
    let unseen = |because: &Shown| Match::Unseen { because: because.clone() };
    let claimed = match (&page.claim, unclear) {
        (Claim::Id(object), _) => *object,
        (Claim::Unknown(because), _) | (Claim::None | Claim::Garbled(_), Some(because)) => return unseen(because),
        (Claim::None | Claim::Garbled(_), None) if closed => return Match::Idle,
        (Claim::None, None) => return Match::Free { similar: Vec::new() },
        (Claim::Garbled(text), None) => {
            return vanished(None, format!("“{}” is no Clockify ID", text.shown().clipped(40)));
        }
    };
    match claims.owners.get(&claimed) {
        Some(&owner) if owner != page.id => return Match::Copied { owner, object: claimed },
        _ => {}
    }
    match (objects.get(claimed), snapshots.doubt_absence(page.kind, claimed), unclear) {
        // The page that this one may be a copy of could be among those that are not shown.
        (Some(object), ..) if snapshots.pages[page.kind].complete().is_none() => linked(object, Evidence::ClaimUnsure),
        (Some(object), ..) if parent_agrees(pairs, page, object) => linked(object, Evidence::Claim),
        (Some(object), ..) => linked(object, Evidence::ClaimElsewhere),
        (None, Some(because), _) => unseen(&because),
        (None, None, Some(because)) => unseen(because),
        (None, None, None) if closed => Match::Idle,
        (None, None, None) => {
            let other = Kind::ALL.into_iter().find(|&kind| snapshots.objects[kind].get(claimed).is_some());
            vanished(
                Some(claimed),
                match other {
                    Some(kind) => format!("{claimed} is the ID of a {kind}, not of a {}", page.kind),
                    None => format!("no {} in this workspace has the ID {claimed}", page.kind),
                },
            )
        }
    }
}

fn vanished<'a>(object: Option<ObjectId>, because: String) -> Match<'a> {
    Match::Vanished(Box::new(Vanished { object, others: Vec::new(), because: because.into() }))
}

/// True when the object stands under the object of the page's parent, or neither has a parent.
fn parent_agrees(pairs: &Pairs<'_>, page: &Page, object: &Object) -> bool {
    match (&page.parent, object.parent) {
        (_, None) => matches!(page.parent, Relation::None | Relation::Unknown(_)),
        (Relation::One(parent), Some(stands_under)) => {
            pairs.of(*parent).and_then(|(_, found)| found.proposed()).is_some_and(|object| object.id == stands_under)
        }
        // Without a relation nothing contradicts the claim; what is missing waits by itself.
        (Relation::None | Relation::Unknown(_), Some(_)) => true,
        (Relation::Several(parents), Some(stands_under)) => parents.iter().any(|parent| {
            pairs.of(*parent).and_then(|(_, found)| found.proposed()).is_some_and(|object| object.id == stands_under)
        }),
    }
}

/// The free objects of one kind, by what their names are matched by.
struct Names<'a> {
    loose: HashMap<(Option<ObjectId>, String), Vec<&'a Object>>,
    by_parent: HashMap<Option<ObjectId>, Vec<&'a Object>>,
}

impl<'a> Names<'a> {
    fn of(snapshots: &'a Snapshots, pairs: &Pairs<'a>, kind: Kind) -> Self {
        let mut names = Self { loose: HashMap::new(), by_parent: HashMap::new() };
        let is_free = |object: &&Object| pairs.owner(object.id).is_none() && !snapshots.is_pattern(object);
        for object in snapshots.objects[kind].rows().iter().filter(is_free) {
            names.loose.entry((object.parent, object.name.canonical().loose())).or_default().push(object);
            names.by_parent.entry(object.parent).or_default().push(object);
        }
        names
    }

    /// True when a free object has exactly this name.
    fn has(&self, parent: Option<ObjectId>, name: &Canonical<'_>) -> bool {
        self.loose
            .get(&(parent, name.loose()))
            .is_some_and(|near| near.iter().any(|object| object.name.canonical() == *name))
    }
}

/// Looks for a free object with the page's name under its parent's object, for a page that has none by ID.
fn by_name<'a>(
    names: &Names<'a>,
    pairs: &Pairs<'a>,
    taken: &mut HashSet<ObjectId>,
    exactly: bool,
    page: &'a Page,
    found: &mut Match<'a>,
) {
    if pairs.snapshots.closes(page)
        || !page.standing.is_open()
        || !matches!(found, Match::Free { .. } | Match::Vanished(_))
    {
        return;
    }
    let parent = match (&page.parent, page.kind.parent()) {
        // Clockify has projects without a client, and no tasks without a project.
        (_, None) | (Relation::None, Some(Kind::Client)) => None,
        (Relation::One(parent), Some(_)) => match pairs.of(*parent).and_then(|(_, parent)| parent.proposed()) {
            Some(object) => Some(object.id),
            None => return,
        },
        _ => return,
    };
    if exactly && !names.has(parent, &page.title.canonical()) {
        return;
    }
    let candidates = candidates(names, page, parent);
    match found {
        Match::Free { similar } => {
            let best = candidates.iter().position(|candidate| {
                candidate.evidence != Evidence::NameSimilar && !taken.contains(&candidate.object.id)
            });
            if let Some(best) = best {
                let mut others = candidates;
                let best = others.remove(best);
                taken.insert(best.object.id);
                *found = Match::Linked { best, others };
            } else {
                *similar = candidates;
            }
        }
        Match::Vanished(vanished) if vanished.others.is_empty() => {
            vanished.others = candidates
                .into_iter()
                .filter(|candidate| !taken.contains(&candidate.object.id))
                .map(|candidate| match candidate.evidence {
                    Evidence::Name => Candidate { evidence: Evidence::NameOfVanished, ..candidate },
                    _ => candidate,
                })
                .collect();
            taken.extend(found.proposed().map(|object| object.id));
        }
        _ => {}
    }
}

/// Free objects that the page could mean, best first.
fn candidates<'a>(names: &Names<'a>, page: &Page, parent: Option<ObjectId>) -> Vec<Candidate<'a>> {
    let wanted = page.title.canonical();
    let loose = wanted.loose();
    let mut found: Vec<Candidate<'a>> = Vec::new();
    let near = names.loose.get(&(parent, loose.clone())).map_or(&[][..], Vec::as_slice);
    let exact: Vec<&Object> = near.iter().copied().filter(|object| object.name.canonical() == wanted).collect();
    for &object in near {
        let evidence = if object.name.canonical() != wanted {
            Evidence::NameLoose
        } else if exact.len() > 1 {
            Evidence::NameAmbiguous
        } else if !object.is_open() {
            Evidence::NameClosed
        } else {
            Evidence::Name
        };
        found.push(Candidate { object, evidence });
    }
    let siblings = names.by_parent.get(&parent).map_or(&[][..], Vec::as_slice);
    if found.is_empty() && siblings.len() <= SIMILAR_SEARCH_MAX {
        let mut similar: Vec<(f64, &Object)> = siblings
            .iter()
            .map(|&object| (strsim::jaro_winkler(&loose, &object.name.canonical().loose()), object))
            .filter(|&(score, _)| score >= SIMILAR_FROM)
            .collect();
        similar.sort_unstable_by(|left, right| right.0.total_cmp(&left.0).then(left.1.id.cmp(&right.1.id)));
        found.extend(
            similar
                .into_iter()
                .take(SIMILAR_OFFERED_MAX)
                .map(|(_, object)| Candidate { object, evidence: Evidence::NameSimilar }),
        );
    }
    found.sort_unstable_by_key(|candidate| (std::cmp::Reverse(candidate.evidence.confidence()), candidate.object.id));
    found
}

/// Whether a page may have its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contest {
    /// Nobody else wants it, or this page keeps it: its object has it, or it alone is linked.
    None,
    /// This other page keeps it.
    Lost(PageId),
    /// Several pages want it, and none has more of a right to it.
    Open,
}

/// Open pages of one kind under one parent whose names differ by case or spaces at the most.
#[derive(Debug)]
pub struct Namesakes<'a> {
    /// Their kind.
    pub kind: Kind,
    /// The pages, by id.
    pub pages: Vec<&'a Page>,
    /// The objects of the pages that surely have one, in the same order.
    linked: Vec<Option<&'a Object>>,
}

impl Namesakes<'_> {
    /// Whether another of these pages has exactly the same name, and which of them keeps it.
    pub fn contest(&self, page: &Page) -> Contest {
        let name = page.title.canonical();
        let same = self.pages.iter().zip(&self.linked).filter(|(other, _)| other.title.canonical() == name);
        let same: Vec<(PageId, Option<&Object>)> = same.map(|(page, object)| (page.id, *object)).collect();
        if same.len() < 2 {
            return Contest::None;
        }
        let has_it = same.iter().find(|(_, object)| object.is_some_and(|object| object.name.canonical() == name));
        let mut linked = same.iter().filter(|(_, object)| object.is_some());
        let keeper = has_it.or_else(|| linked.next().filter(|_| linked.next().is_none()));
        match keeper {
            Some((keeper, _)) if *keeper == page.id => Contest::None,
            Some((keeper, _)) => Contest::Lost(*keeper),
            None => Contest::Open,
        }
    }

    /// The other names, each once.
    pub fn other_names(&self, page: &Page) -> BTreeSet<Canonical<'_>> {
        let own = page.title.canonical();
        self.pages.iter().map(|page| page.title.canonical()).filter(|name| *name != own).collect()
    }
}

/// All groups of namesakes. A group has at least two pages.
pub fn namesakes<'a>(pairs: &Pairs<'a>) -> Vec<Namesakes<'a>> {
    let (mut found, hasher) = (Vec::new(), RandomState::default());
    for kind in Kind::ALL {
        let matches = &pairs.matches[kind];
        let parent = |page: &Page| match (&page.parent, kind.parent()) {
            (_, None) | (Relation::None, Some(Kind::Client)) => Some(None),
            (Relation::One(parent), Some(_)) => Some(Some(*parent)),
            (Relation::None | Relation::Several(_) | Relation::Unknown(_), Some(_)) => None,
        };
        // Sorted, so that equal ones stand together: a map of a million would take several times the room and time.
        let open = matches.iter().enumerate().filter(|(_, (page, _))| !pairs.snapshots.closes(page));
        let mut hashes: Vec<(u64, usize)> = open
            .filter_map(|(at, (page, _))| {
                Some((hasher.hash_one((parent(page)?, page.title.canonical().loose_hash())), at))
            })
            .collect();
        hashes.sort_unstable();
        let mut groups: Vec<&[(u64, usize)]> =
            hashes.chunk_by(|(one, _), (two, _)| one == two).filter(|group| group.len() > 1).collect();
        groups.sort_unstable_by_key(|group| group[0].1);
        for group in groups {
            // Equal hashes are a hint; the parents and the names themselves decide.
            let mut by_name: BTreeMap<_, Vec<usize>> = BTreeMap::new();
            for (_, at) in group {
                let page = matches[*at].0;
                by_name.entry((parent(page), page.title.canonical().loose())).or_default().push(*at);
            }
            for group in by_name.into_values().filter(|group| group.len() > 1) {
                let linked = group.iter().map(|&at| matches[at].1.certain()).collect();
                found.push(Namesakes { kind, pages: group.into_iter().map(|at| matches[at].0).collect(), linked });
            }
        }
    }
    found
}
