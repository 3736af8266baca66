//! `punchlist/plan/1`: the plan as JSON. Fields are only ever added.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};

use super::{
    Action, Calls, Cause, Change, ChangeId, Estimate, FieldChange, Hold, Notice, NoticeCode, Plan, Proposal, Scope,
    State, Summary, Workspaces, sha256,
};
use crate::domain::{
    four_eyes,
    model::{Field, Kind, PageId, Refiling, Service, Value},
    text::Shown,
};

/// The format's name and version.
pub const FORMAT: &str = "punchlist/plan/1";

/// Columns of a value in a sentence; longer ones are cut in the middle.
const VALUE_COLUMNS: usize = 60;
/// Columns of why a file is refused.
const REASON_COLUMNS: usize = 160;

/// One change of the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeDocument {
    pub id: ChangeId,
    pub kind: Kind,
    pub action: Action,
    pub name: String,
    pub page_id: Option<String>,
    pub clockify_id: Option<String>,
    /// The id of the change to the parent, where the parent has one that this one rests on.
    pub parent_id: Option<ChangeId>,
    pub parent_page_id: Option<String>,
    /// The names of the ancestors, outermost first.
    pub path: Vec<String>,
    pub fields: Vec<FieldText>,
    pub side: Service,
    pub cause: Cause,
    pub confidence: u8,
    pub reason: Shown,
    pub state: State,
    pub hold: Option<Hold>,
    pub alternatives: Vec<Alternative>,
    pub requires: Vec<ChangeId>,
    pub tracked_seconds: Option<u64>,
    /// The time entries that go to the object, with from where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refiling: Option<Refiling>,
    /// True for what one person alone does not decide.
    #[serde(default, skip_serializing_if = "is_false")]
    pub needs_second: bool,
    /// What somebody has decided about it, if anything; the plan's hash is not over it.
    #[serde(flatten)]
    pub decided: Option<DecidedText>,
}

/// What was decided about a change, in the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecidedText {
    /// `approve`, `skip`, `ignore` or `flag`.
    pub decision: String,
    /// Why it was flagged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Shown>,
    pub decided_by: Shown,
    /// Who has approved it, where that takes two.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Shown>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde asks for")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// What was decided about the changes of a plan.
pub type DecidedTexts = BTreeMap<ChangeId, DecidedText>;

/// One notice of the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeDocument {
    /// Made of its content; zero where it was kept before notices had one.
    #[serde(default)]
    pub id: ChangeId,
    pub code: NoticeCode,
    pub kind: Kind,
    pub name: String,
    pub page_id: Option<String>,
    pub clockify_id: Option<String>,
    pub text: Shown,
}

/// The part of the document that the plan's hash is over: nothing in it depends on when the plan was made. Changes and
/// notices are made one by one while it is written, since a plan can be large.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Sealed<'p> {
    complete: bool,
    scope: &'p Scope,
    summary: Summary,
    changes: Changes<'p>,
    #[serde(serialize_with = "notices")]
    notices: &'p Plan,
}

/// The changes of a plan, with what was decided about them where that is told.
#[derive(Clone, Copy, Debug)]
struct Changes<'p> {
    plan: &'p Plan,
    decided: Option<&'p DecidedTexts>,
}

impl Changes<'_> {
    fn all(&self) -> impl Iterator<Item = ChangeDocument> {
        let decided = |id: &ChangeId| self.decided.and_then(|decided| decided.get(id).cloned());
        ChangeDocument::all(self.plan).map(move |change| ChangeDocument { decided: decided(&change.id), ..change })
    }
}

impl Serialize for Changes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.all())
    }
}

fn notices<S: Serializer>(plan: &Plan, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(plan.notices.iter().map(NoticeDocument::of))
}

impl<'p> Sealed<'p> {
    pub(super) fn of(plan: &'p Plan) -> Self {
        let changes = Changes { plan, decided: None };
        Self { complete: plan.complete, scope: &plan.scope, summary: plan.summary(), changes, notices: plan }
    }
}

/// The whole document: what `plan --json` prints and `plan --out` saves.
#[derive(Clone, Debug, Serialize)]
pub struct Document<'p> {
    pub format: &'static str,
    /// The plan's hash.
    pub plan_hash: &'p str,
    /// SHA-256 over everything but this and the signature, the time included, so that a saved file shows when it was
    /// changed.
    pub seal: String,
    /// Says which state's planner made it, which a hash alone does not: anybody can make another one. Nothing where
    /// nobody has signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// When the plan was made.
    pub created_at: Timestamp,
    /// What fetching cost.
    pub calls: Calls,
    /// What applying would cost.
    pub estimate: Estimate,
    pub workspaces: &'p Workspaces,
    #[serde(flatten)]
    sealed: Sealed<'p>,
}

/// When a plan was made, what that has cost, and what applying its ready changes would cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// When it was made.
    pub created_at: Timestamp,
    /// What fetching cost.
    pub calls: Calls,
    /// What applying would cost.
    pub estimate: Estimate,
}

/// A document as a file held it, with what applying it needs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Saved {
    /// The plan's hash.
    pub plan_hash: String,
    /// As in [`Document::seal`].
    pub seal: String,
    /// As in [`Document::signature`].
    #[serde(default)]
    pub signature: Option<Signature>,
    /// What the plan is bound to.
    pub scope: Scope,
    #[serde(default)]
    pub workspaces: Workspaces,
    pub changes: Vec<ChangeDocument>,
}

/// A signature over [`Document::signed_text`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The public key that proves it, in hexadecimal: that of the checkpoints.
    pub key: String,
    /// Ed25519, in hexadecimal.
    pub value: String,
}

/// Why a saved plan is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// It ends too soon.
    #[error("it breaks off in line {line}")]
    CutOff {
        /// The line, from 1 on.
        line: usize,
    },
    #[error("it is not JSON: {0}")]
    NotJson(Shown),
    /// It is something else.
    #[error("it is JSON, but no punchlist plan: {0}")]
    NotAPlan(Shown),
    /// It is of a version that this program does not know.
    #[error("its format is \"{0}\", and this version of punchlist reads \"{FORMAT}\"")]
    Format(Shown),
    /// It was changed after it was made.
    #[error("its content does not match its seal: it was changed after it was made")]
    Tampered,
}

impl Refused {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Empty | Self::CutOff { .. } => {
                "it was not written or copied to its end: copy it again, or make a new plan with `punchlist plan --out FILE`"
            }
            Self::NotJson(_) | Self::NotAPlan(_) => "name the file that `punchlist plan --out FILE` has saved",
            Self::Format(_) => {
                "apply it with the version that has made it, or make a new plan with `punchlist plan --out FILE`"
            }
            Self::Tampered => {
                "make a new plan with `punchlist plan --out FILE`, and decide in the review instead of in the file"
            }
        }
    }
}

impl<'p> Document<'p> {
    /// The document of a plan, and of what was decided about its changes.
    pub fn of(plan: &'p Plan, decided: &'p DecidedTexts, cost: Cost) -> Self {
        let Cost { created_at, calls, estimate } = cost;
        let sealed = Sealed { changes: Changes { plan, decided: Some(decided) }, ..Sealed::of(plan) };
        let (plan_hash, seal, workspaces) = (plan.hash.as_str(), String::new(), &plan.workspaces);
        let document =
            Self { format: FORMAT, plan_hash, seal, signature: None, created_at, calls, estimate, workspaces, sealed };
        Self { seal: sha256(&Sorted(&document)), ..document }
    }

    /// What its signature is over.
    pub fn signed_text(&self) -> String {
        signed_text(&self.seal)
    }
}

/// A document as it is sealed: without seal and signature, and with its keys in the order of the alphabet, as a reader
/// has them who does not know them all.
struct Sorted<'a, 'p>(&'a Document<'p>);

impl Serialize for Sorted<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Serialising our own values has no way to fail.
        fn sorted(value: impl Serialize) -> serde_json::Value {
            serde_json::to_value(value).unwrap_or_default()
        }
        let Document { format, plan_hash, created_at, calls, estimate, workspaces, sealed, seal: _, signature: _ } =
            self.0;
        let plan = sealed.notices;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("calls", &sorted(calls))?;
        map.serialize_entry("changes", &Each(|| sealed.changes.all().map(sorted)))?;
        map.serialize_entry("complete", &sealed.complete)?;
        map.serialize_entry("created_at", created_at)?;
        map.serialize_entry("estimate", &sorted(estimate))?;
        map.serialize_entry("format", format)?;
        map.serialize_entry("notices", &Each(|| plan.notices.iter().map(NoticeDocument::of).map(sorted)))?;
        map.serialize_entry("plan_hash", plan_hash)?;
        map.serialize_entry("scope", &sorted(sealed.scope))?;
        map.serialize_entry("summary", &sorted(sealed.summary))?;
        map.serialize_entry("workspaces", &sorted(workspaces))?;
        map.end()
    }
}

/// Rows that are made one by one while they are written.
struct Each<F>(F);

impl<F: Fn() -> I, I: Iterator<Item: Serialize>> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

impl Saved {
    /// Reads a saved plan and checks its seal.
    ///
    /// # Errors
    /// [`Refused`] says what is wrong with it.
    pub fn read(text: &str) -> Result<Self, Refused> {
        #[derive(Deserialize)]
        struct Header {
            format: String,
        }
        // What an error repeats of the file is somebody's text.
        let shown = |text: &str| Shown::of(text).clipped(REASON_COLUMNS);
        let not_a_plan = |error: serde_json::Error| Refused::NotAPlan(shown(&error.to_string()));
        let value: serde_json::Value = serde_json::from_str(text).map_err(|error| match error {
            _ if text.trim().is_empty() => Refused::Empty,
            error if error.is_eof() => Refused::CutOff { line: error.line() },
            error => Refused::NotJson(shown(&error.to_string())),
        })?;
        let header = Header::deserialize(&value).map_err(not_a_plan)?;
        match header.format.as_str() {
            FORMAT => {}
            other if other.starts_with(FORMAT.trim_end_matches('1')) => return Err(Refused::Format(shown(other))),
            other => return Err(Refused::NotAPlan(shown(&format!("its format is \"{other}\"")))),
        }
        let document = Self::deserialize(&value).map_err(not_a_plan)?;
        if seal_of(value) != document.seal {
            return Err(Refused::Tampered);
        }
        Ok(document)
    }

    /// What its signature is over.
    pub fn signed_text(&self) -> String {
        signed_text(&self.seal)
    }
}

/// What a signature is over: the seal, which is over all the rest.
fn signed_text(seal: &str) -> String {
    format!("{FORMAT}\n{seal}\n")
}

/// The seal is over the JSON as it stands, so that it also covers fields which this version does not know.
fn seal_of(mut document: serde_json::Value) -> String {
    if let Some(fields) = document.as_object_mut() {
        fields.remove("seal");
        fields.remove("signature");
    }
    sha256(&document)
}

impl ChangeDocument {
    /// All changes of a plan, in its order.
    pub fn all(plan: &Plan) -> impl Iterator<Item = Self> {
        let by_id = plan.by_id();
        plan.changes.iter().map(move |change| Self::of(plan, &by_id, change))
    }

    /// One change of a plan; its parent's change is not looked for.
    pub fn one(plan: &Plan, change: &Change) -> Self {
        Self::of(plan, &BTreeMap::new(), change)
    }

    /// Planned versus now: why a change that a fresh plan no longer proposes is refused, by that plan's
    /// [`Plan::by_page`]. Nothing where there is nothing to do by now.
    pub fn stale(&self, fresh: &Plan, by_page: &HashMap<PageId, &Change>) -> Option<Shown> {
        let now = by_page.get(&self.page_id.as_ref()?.parse().ok()?)?;
        let now = Self::one(fresh, now);
        Some(
            format!("planned for “{}” was to {}; now it is to {}", Shown::of(&self.name), self.words(), now.words())
                .into(),
        )
    }

    /// How far the approvals have come that it needs two of; nothing where it needs no second, or where something else
    /// was decided.
    pub fn second_words(&self) -> Option<Shown> {
        let decided = self.decided.as_ref();
        let is_open = decided.is_none_or(|decided| decided.decision == "approve");
        let names = decided.into_iter().flat_map(|decided| decided.approvals.iter().map(|by| &**by));
        (self.needs_second && is_open).then(|| four_eyes::words(names))
    }

    /// What it does and why, in a few words.
    fn words(&self) -> Shown {
        let shown = |value: &Option<String>| match value {
            Some(value) => format!("“{}”", Shown::of(value).clipped(VALUE_COLUMNS)),
            None => "nothing".to_owned(),
        };
        let fields = self.fields.iter().filter(|_| self.action != Action::Create);
        let fields = fields.map(|field| format!(", {}: {} → {}", field.field, shown(&field.from), shown(&field.to)));
        format!("{}{} ({})", self.action, fields.collect::<String>(), self.reason).into()
    }

    fn of(plan: &Plan, by_id: &BTreeMap<&ChangeId, &Change>, change: &Change) -> Self {
        let Change {
            id,
            kind,
            page,
            name,
            parent,
            claimed: _,
            cause,
            proposal,
            alternatives,
            hold,
            state,
            requires,
            tracked_seconds,
            refiling,
        } = change;
        let parent_id = requires.iter().find(|id| by_id.get(id).is_some_and(|other| Some(other.page) == *parent));
        Self {
            id: *id,
            kind: *kind,
            action: proposal.action,
            name: name.exact().to_owned(),
            page_id: page.in_notion().map(|page| page.to_string()),
            clockify_id: proposal.object.map(|object| object.to_string()),
            parent_id: parent_id.copied(),
            parent_page_id: parent.and_then(PageId::in_notion).map(|parent| parent.to_string()),
            path: plan.path(*page).into_iter().map(|name| name.exact().to_owned()).collect(),
            fields: proposal.fields.iter().map(|field| FieldText::of(*kind, field)).collect(),
            side: proposal.side,
            cause: *cause,
            confidence: proposal.confidence,
            reason: proposal.reason.clone(),
            state: *state,
            hold: hold.clone(),
            alternatives: alternatives.iter().map(|proposal| Alternative::of(*kind, proposal)).collect(),
            requires: requires.clone(),
            tracked_seconds: *tracked_seconds,
            refiling: refiling.as_deref().cloned(),
            needs_second: plan.needs_second(id),
            decided: None,
        }
    }
}

impl NoticeDocument {
    /// What is shown of a notice.
    pub fn of(notice: &Notice) -> Self {
        let Notice { code, kind, name, page, object, text } = notice;
        Self {
            id: notice.id(),
            code: *code,
            kind: *kind,
            name: name.exact().to_owned(),
            page_id: page.map(|page| page.to_string()),
            clockify_id: object.map(|object| object.to_string()),
            text: text.clone(),
        }
    }
}

/// A field of the document: values as plain JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldText {
    /// The field's word; a parent is called `client` or `project`.
    pub field: String,
    /// What the written side holds now; null when unset.
    pub from: Option<String>,
    /// What it will hold; null when unset.
    pub to: Option<String>,
}

impl FieldText {
    fn of(kind: Kind, change: &FieldChange) -> Self {
        let text = |value: &Value| (*value != Value::Empty).then(|| value.to_raw().exact().to_owned());
        Self { field: field_word(kind, change.field).to_owned(), from: text(&change.from), to: text(&change.to) }
    }
}

/// The word for a field of a kind: a parent is called by what it is.
pub fn field_word(kind: Kind, field: Field) -> &'static str {
    match (field, kind.parent()) {
        (Field::Parent, Some(parent)) => parent.word(),
        _ => field.word(),
    }
}

/// Another way to mend a difference, in the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alternative {
    pub action: Action,
    pub side: Service,
    pub clockify_id: Option<String>,
    pub fields: Vec<FieldText>,
    pub confidence: u8,
    pub reason: Shown,
}

impl Alternative {
    fn of(kind: Kind, proposal: &Proposal) -> Self {
        let Proposal { action, side, object, fields, confidence, reason } = proposal;
        Self {
            action: *action,
            side: *side,
            clockify_id: object.map(|object| object.to_string()),
            fields: fields.iter().map(|field| FieldText::of(kind, field)).collect(),
            confidence: *confidence,
            reason: reason.clone(),
        }
    }
}
