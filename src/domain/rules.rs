//! The validated policy: what is mapped onto what, who wins, how sure is sure enough, how much is too much.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize, Serializer};
use strum::{IntoStaticStr, VariantArray};

use super::{
    action::{Action, PerAction},
    four_eyes::FourEyes,
    model::{Field, Kind, PerKind, Value},
    text::{Raw, Shown, forbidden_in_name},
};

pub use super::action::Threshold;

/// How much longer the second wait for an unknown create is than the first.
pub const SECOND_SETTLE: u32 = 5;
/// Characters of a note that a marker needs: its line, and the break before it.
const MARKER_CHARACTERS: usize = 80;

/// Everything that a plan depends on besides the two sides and the base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rules {
    /// Which Notion properties hold what.
    pub mapping: PerKind<Mapping>,
    /// Where links live.
    pub id_strategy: IdStrategy,
    /// Whether what punchlist creates gets a link back to its page, as the last line of its note.
    pub marker: bool,
    /// Who wins where both sides may have changed.
    pub precedence: PerKind<Precedence>,
    /// How sure a change must be before policy approves it.
    pub thresholds: Thresholds,
    /// How much of one class a run may change.
    pub brakes: Brakes,
    /// What to do about objects that no page links to.
    pub unmanaged: Unmanaged,
    /// Whether what stands below a closed page is closed along with it.
    pub close_children: bool,
    /// What to do about projects that have never had a client.
    pub without_client: WithoutClient,
    /// What to do about tasks of one name in one project, as recurring ones are.
    #[serde(skip_serializing_if = "SameName::is_held")]
    pub same_name: SameName,
    /// What to do about time entries on what they cannot have been meant for.
    #[serde(skip_serializing_if = "Refile::is_never")]
    pub refile: Refile,
    /// What one person alone does not decide.
    #[serde(skip_serializing_if = "FourEyes::is_off")]
    pub four_eyes: FourEyes,
    /// What somebody lets through beyond the brakes, in one run alone; no part of the hash.
    #[serde(skip)]
    pub let_through: Vec<Allowance>,
    /// How old an observation may be when a change that rests on it is written.
    pub stale_after: Duration,
    /// How long to wait before looking again for a create whose outcome is unknown, since a listing may lag behind a
    /// write; the second wait is [`SECOND_SETTLE`] times as long.
    pub settle: Duration,
    /// For how long after it was sent a create whose outcome is unknown, and that nothing shows, is not sent again.
    pub unsettled: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            mapping: Mapping::n8n(),
            id_strategy: IdStrategy::Property,
            marker: true,
            precedence: PerKind::default(),
            thresholds: Thresholds::default(),
            brakes: Brakes::default(),
            unmanaged: Unmanaged::Notice,
            close_children: false,
            without_client: WithoutClient::Hold,
            same_name: SameName::Hold,
            refile: Refile::Never,
            four_eyes: FourEyes::default(),
            let_through: Vec::new(),
            stale_after: Duration::from_mins(1),
            settle: Duration::from_secs(2),
            unsettled: Duration::from_mins(10),
        }
    }
}

/// Which properties of one kind's pages hold what. The name is the title property, whatever it is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Mapping {
    /// The rich-text property that holds the Clockify ID.
    pub id: String,
    /// The relation to the client or project; none for clients.
    pub parent: Option<String>,
    /// The relation to the page of the same kind that a page is an item of. Where a page names no parent, that one's
    /// parent is its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_from: Option<String>,
    /// What says that a page is closed. Without it only the trash closes.
    pub closed: Option<Condition>,
    /// What says that a page is meant at all. Without it every page is.
    pub only: Option<Condition>,
    /// The other mapped fields and their properties.
    pub fields: BTreeMap<Field, Mapped>,
    /// Fields that no page states, and what they are to hold for every page. A field is here or in `fields`, not in
    /// both.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fixed: BTreeMap<Field, Value>,
    /// What becomes of assignees who have no account in the Clockify workspace.
    #[serde(skip_serializing_if = "Strangers::are_held")]
    pub strangers: Strangers,
    /// The properties that tell of what waits for a person: the fields that [`Field::is_sync_status`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sync_status: BTreeMap<Field, String>,
    /// The property that holds planned time which is not mirrored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned: Option<Mapped>,
    /// The property that holds the last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
}

/// A property that holds a field, and how what it says is to be understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mapped {
    /// The property's name.
    pub property: String,
    /// What a number in it counts, where the field is a time.
    pub unit: Unit,
    /// What its words stand for, e.g. `Internal` for `no`. Words that are not here stand for themselves.
    pub values: BTreeMap<String, Value>,
}

impl Mapped {
    /// A property that says what the field holds.
    pub fn as_is(property: impl Into<String>) -> Self {
        Self { property: property.into(), unit: Unit::default(), values: BTreeMap::new() }
    }

    /// The word that stands for a value, if one does.
    pub fn word(&self, value: &Value) -> Option<&str> {
        self.values.iter().find(|(_, meant)| *meant == value).map(|(word, _)| word.as_str())
    }
}

/// What becomes of assignees who have no account in the Clockify workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Strangers {
    /// Nobody is assigned until they have one.
    #[default]
    Hold,
    /// They are left out, and the others are assigned.
    Leave,
    /// Somebody is assigned in their place, by e-mail address.
    StandIn(Raw),
}

impl Strangers {
    fn are_held(&self) -> bool {
        *self == Self::Hold
    }
}

/// What a number that is a time counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Unit {
    #[default]
    Hours,
    Minutes,
    /// Working days of eight hours.
    Days,
}

impl Unit {
    /// How long one is, in seconds.
    pub fn seconds(self) -> u32 {
        match self {
            Self::Minutes => 60,
            Self::Hours => 60 * 60,
            Self::Days => 8 * 60 * 60,
        }
    }

    /// The word for several.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Days => "days",
        }
    }
}

impl Mapping {
    /// The schema of the popular n8n template, so that its users switch without touching Notion.
    pub fn n8n() -> PerKind<Self> {
        let status =
            || Some(Condition { property: "Status".into(), is: Holds::OneOf(vec!["Done".into(), "Obsolete".into()]) });
        PerKind {
            clients: Self {
                id: "Clockify Client ID".into(),
                parent: None,
                closed: Some(Condition { property: "Archive".into(), is: Holds::Checked(true) }),
                ..Self::default()
            },
            projects: Self {
                id: "Clockify Project ID".into(),
                parent: Some("Clients".into()),
                closed: status(),
                ..Self::default()
            },
            tasks: Self {
                id: "Clockify Task ID".into(),
                parent: Some("Projects".into()),
                closed: status(),
                ..Self::default()
            },
        }
    }
}

/// What a property must hold for something to be so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// The property's name.
    pub property: String,
    /// What it must hold.
    pub is: Holds,
}

/// What a property may hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// A checkbox that is ticked, or one that is not.
    Checked(bool),
    /// One of these options of a select or status.
    OneOf(Vec<String>),
    /// Any option of these groups of a status, whatever it is called, or one of these others.
    InGroups {
        groups: Vec<String>,
        /// The other options.
        options: Vec<String>,
    },
}

/// Where the link between a page and its object is kept, besides the registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum IdStrategy {
    /// The Clockify ID is written into a property of the page.
    #[default]
    Property,
    /// Only in the registry; Notion is never written.
    Local,
}

/// What to do about a value that was edited in Clockify alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OnDrift {
    /// Ask a person.
    #[default]
    Review,
    /// Write Notion's value again.
    Restore,
    /// Leave both as they are, and remember that they differ on purpose.
    Accept,
}

/// What to do about a value that was edited on both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OnConflict {
    /// Ask a person.
    #[default]
    Review,
    /// Notion's value is written into Clockify.
    Notion,
    /// Clockify's value is written into the page.
    Clockify,
}

/// Which way the value of a field goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Direction {
    /// Clockify mirrors Notion.
    #[default]
    ToClockify,
    /// Notion mirrors Clockify: whatever differs is written into the page.
    ToNotion,
}

/// Who wins, for one kind: a rule for all its fields, and exceptions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Precedence {
    /// For every field that is not named below.
    pub all: FieldRule,
    /// Exceptions for single fields.
    pub fields: BTreeMap<Field, FieldRule>,
}

/// Who wins about a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FieldRule {
    /// Which way its value goes. The other two matter only on the way to Clockify.
    pub direction: Direction,
    /// Who wins where Clockify alone was edited.
    pub on_drift: OnDrift,
    /// Who wins where both sides were edited.
    pub on_conflict: OnConflict,
}

impl Precedence {
    /// The rule for a field. What pages show of tracked time goes one way, whatever the rest does.
    pub fn of(&self, field: Field) -> FieldRule {
        let rule = self.fields.get(&field).copied().unwrap_or(self.all);
        if field.is_tracked() { FieldRule { direction: Direction::ToNotion, ..rule } } else { rule }
    }
}

/// A threshold for each action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    pub of: PerAction<Threshold>,
    /// For creating again what is gone from Clockify.
    pub recreate: Threshold,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { of: PerAction::from_fn(Action::threshold), recreate: Threshold::Never }
    }
}

impl Serialize for Thresholds {
    /// As it was first hashed: a plan that was saved under the same thresholds stays valid.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let key = |action: Action| if action == Action::Move { "move_" } else { action.key() };
        // What came later is left out where nobody has set it.
        let said = |action: &Action| *action != Action::Refile || self.of[*action] != action.threshold();
        let of = Action::hashed().filter(said).map(|action| (key(action), self.of[action]));
        serializer.collect_map(of.chain([("recreate", self.recreate)]))
    }
}

/// A limit on one class of change, per kind and run: whichever of the two is larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Brake {
    /// As many as this are always let through.
    pub count: usize,
    /// This share of the linked objects of the kind, in percent.
    pub percent: u8,
}

impl Brake {
    /// Of re-filed time, unless something else is configured.
    const OF_REFILING: Self = Self { count: 20, percent: 10 };

    /// What came later is no part of the hash of rules that do not set it.
    fn is_of_refiling(&self) -> bool {
        *self == Self::OF_REFILING
    }

    /// How many changes the brake lets through where `population` objects are linked.
    pub fn limit(self, population: usize) -> usize {
        self.count.max(population * usize::from(self.percent) / 100)
    }
}

/// The brakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Brakes {
    /// Closes of one kind.
    pub close: Brake,
    /// Reopens of one kind: many at once look like an option that was deleted, which opens what it had closed.
    pub reopen: Brake,
    /// Renames of one kind.
    pub rename: Brake,
    /// Moves of one kind.
    pub move_: Brake,
    /// Creates whose name is already linked elsewhere under the same parent: they look like lost links.
    pub lost_link: Brake,
    /// Re-filed time, counted by person and by from where to where it goes.
    #[serde(skip_serializing_if = "Brake::is_of_refiling")]
    pub refile: Brake,
}

impl Default for Brakes {
    fn default() -> Self {
        Self {
            close: Brake { count: 3, percent: 10 },
            reopen: Brake { count: 5, percent: 10 },
            rename: Brake { count: 5, percent: 30 },
            move_: Brake { count: 3, percent: 10 },
            lost_link: Brake { count: 0, percent: 0 },
            refile: Brake::OF_REFILING,
        }
    }
}

/// A class of changes that a brake can withhold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Class {
    Close,
    Reopen,
    Rename,
    Move,
    LostLink,
    Refile,
}

/// So many changes of one class, of each kind, that somebody lets through once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub class: Class,
    /// As many as this.
    pub count: usize,
}

impl Class {
    /// What the configuration calls it.
    pub fn word(self) -> &'static str {
        self.into()
    }

    /// The word for several changes of the class.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Close => "closes",
            Self::Reopen => "reopens",
            Self::Rename => "renames",
            Self::Move => "moves",
            Self::LostLink => "creates that look like lost links",
            Self::Refile => "re-filed times",
        }
    }
}

impl FromStr for Allowance {
    type Err = String;

    /// Reads `close=12`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || {
            "it is CLASS=N, where CLASS is close, reopen, rename, move, lost_link or refile, and N a number".to_owned()
        };
        let (class, count) = text.split_once('=').ok_or_else(wanted)?;
        let class = match class {
            "close" => Class::Close,
            "reopen" => Class::Reopen,
            "rename" => Class::Rename,
            "move" => Class::Move,
            "lost_link" => Class::LostLink,
            "refile" => Class::Refile,
            _ => return Err(wanted()),
        };
        Ok(Self { class, count: count.parse().map_err(|_| wanted())? })
    }
}

impl Brakes {
    /// The brake of a class.
    pub fn of(&self, class: Class) -> Brake {
        match class {
            Class::Close => self.close,
            Class::Reopen => self.reopen,
            Class::Rename => self.rename,
            Class::Move => self.move_,
            Class::LostLink => self.lost_link,
            Class::Refile => self.refile,
        }
    }

    /// The brake of a class, to be set.
    pub fn of_mut(&mut self, class: Class) -> &mut Brake {
        match class {
            Class::Close => &mut self.close,
            Class::Reopen => &mut self.reopen,
            Class::Rename => &mut self.rename,
            Class::Move => &mut self.move_,
            Class::LostLink => &mut self.lost_link,
            Class::Refile => &mut self.refile,
        }
    }
}

/// What to do about objects that no page links to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Unmanaged {
    /// A notice for each.
    #[default]
    Notice,
    /// Say nothing.
    Ignore,
    /// Propose to a person that they are closed.
    Close,
}

/// What to do about a project that has never had a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum WithoutClient {
    /// Hold it until it has one.
    #[default]
    Hold,
    /// Mirror it without one.
    Mirror,
}

/// What to do about a task of which Clockify's project has one of that name already, or gets one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SameName {
    #[default]
    Hold,
    /// Call it by its name with the day on which its page was created.
    AddDate,
}

impl SameName {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
    fn is_held(&self) -> bool {
        *self == Self::Hold
    }
}

/// What to do about time entries on what they cannot have been meant for: what is closed, there twice or of no page, or
/// a project without a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Refile {
    /// They stay where they are, and are not asked for.
    #[default]
    Never,
    /// Propose to a person that they go where they evidently belong.
    Review,
}

impl Refile {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
    fn is_never(&self) -> bool {
        *self == Self::Never
    }
}

impl Rules {
    /// Whether an object of this kind with this note gets a marker: tasks have no note, and a full one has no room.
    pub fn marks(&self, kind: Kind, note: Option<&Value>) -> bool {
        self.marker && has_room_for_marker(kind, note)
    }

    /// How many changes of a class are made where `population` objects are linked: as the brake is set, and as it is in
    /// this run.
    pub fn limits(&self, class: Class, population: usize) -> [usize; 2] {
        let limit = self.brakes.of(class).limit(population);
        let allowed = self.let_through.iter().filter(|allowance| allowance.class == class);
        [limit, allowed.map(|allowance| allowance.count).max().unwrap_or_default().max(limit)]
    }

    /// The waits before each further look for a create with an unknown outcome.
    pub fn settles(&self) -> [Duration; 2] {
        [self.settle, self.settle * SECOND_SETTLE]
    }
}

/// Whether a note of such an object has room for a marker.
pub fn has_room_for_marker(kind: Kind, note: Option<&Value>) -> bool {
    let written = match note {
        Some(Value::Text(text)) => length(text.exact()),
        _ => 0,
    };
    note_length_max(kind).is_some_and(|max| written + MARKER_CHARACTERS <= max)
}

/// How many characters a text has for a service that may count in UTF-16, as both are believed to: an emoji is two.
pub fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The characters that a note may have, where there is one (Clockify's `OpenAPI` document).
pub fn note_length_max(kind: Kind) -> Option<usize> {
    match kind {
        Kind::Client => Some(3000),
        Kind::Project => Some(16_384),
        Kind::Task => None,
    }
}

/// What Clockify accepts as a name: characters from, to.
///
/// Clockify's `OpenAPI` document and its error messages: client ≤ 100, project 2 to 250, task 1 to 1000.
pub fn name_length(kind: Kind) -> std::ops::RangeInclusive<usize> {
    match kind {
        Kind::Client => 1..=100,
        Kind::Project => 2..=250,
        Kind::Task => 1..=1000,
    }
}

/// Why Clockify would refuse a name, if it would.
///
/// `<` and `>` are refused in text by Clockify (live probe by a third party, and the message in its browser extension).
pub fn invalid_name(kind: Kind, raw: &Raw) -> Option<Shown> {
    let name = raw.canonical();
    let allowed = name_length(kind);
    let length = length(name.as_str());
    if length == 0 {
        return Some("it has no name".into());
    }
    if name.as_str().chars().count() < *allowed.start() {
        return Some(format!("Clockify wants at least {} characters in a {}'s name", allowed.start(), kind).into());
    }
    if length > *allowed.end() {
        return Some(
            format!("the name has {length} characters, and Clockify takes {} in a {}'s name", allowed.end(), kind)
                .into(),
        );
    }
    if let Some(refused) = name.as_str().chars().find(|c| matches!(c, '<' | '>')) {
        return Some(format!("Clockify refuses {refused:?} in names").into());
    }
    forbidden_in_name(raw.exact().trim()).map(|hidden| {
        format!("the name has a hidden character, U+{:04X}: remove it in Notion", u32::from(hidden)).into()
    })
}
