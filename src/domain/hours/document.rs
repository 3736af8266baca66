//! The format `punchlist/hours/1`, for scripts. Fields are only ever added.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    days::{Period, Zone},
    findings::Finding,
    read::{Read, Rounding, Unavailable},
    tree::{Figures, Node, Tree},
};
use crate::domain::{
    model::{Kind, ObjectId, PageId},
    text::Shown,
};

/// A period's figures and findings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    pub format: String,
    /// Its first day.
    pub from: Date,
    /// Its last day.
    pub to: Date,
    /// Where its days are.
    pub timezone: String,
    /// True where both sides showed everything, and the figures are those of everybody.
    pub complete: bool,
    /// What cannot be told, by the words of [`Unavailable`].
    pub unavailable: Vec<String>,
    /// How the workspace rounds each entry in reports, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounding: Option<Rounding>,
    pub totals: Totals,
    pub clients: Vec<NodeDocument>,
    pub findings: Vec<FindingDocument>,
    /// Requests that it took.
    pub calls: u64,
}

/// Sums, in seconds; null where they cannot be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub tracked_s: Option<u64>,
    pub billable_s: Option<u64>,
    pub unapproved_s: Option<u64>,
    pub uninvoiced_s: Option<u64>,
    /// All of it as the workspace rounds each entry in reports; left out where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounded_s: Option<u64>,
    /// What is billable of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounded_billable_s: Option<u64>,
}

impl Totals {
    /// The same without what rounding makes of it.
    #[must_use]
    pub fn as_tracked(self) -> Self {
        Self { rounded_s: None, rounded_billable_s: None, ..self }
    }

    /// All and what is billable as the workspace rounds, where that is not what was tracked.
    pub fn rounded(self) -> Option<[u64; 2]> {
        let rounded = self.rounded_s.zip(self.rounded_billable_s);
        let differ = (self.rounded_s, self.rounded_billable_s) != (self.tracked_s, self.billable_s);
        rounded.filter(|_| differ).map(<[u64; 2]>::from)
    }
}

impl From<Figures> for Totals {
    fn from(figures: Figures) -> Self {
        let Figures { tracked, billable, unapproved, uninvoiced, rounded, rounded_billable } = figures;
        Self {
            tracked_s: tracked,
            billable_s: billable,
            unapproved_s: unapproved,
            uninvoiced_s: uninvoiced,
            rounded_s: rounded,
            rounded_billable_s: rounded_billable,
        }
    }
}

/// A client, a project or a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeDocument {
    /// The same as `clockify_id`.
    pub id: Option<String>,
    pub clockify_id: Option<String>,
    pub page_id: Option<String>,
    pub name: Shown,
    #[serde(flatten)]
    pub figures: Totals,
    /// Planned for all of its time.
    pub planned_s: Option<u64>,
    /// True where that is what is planned of the things below it: its time may be on others, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub planned_is_sum: bool,
    /// Tracked in all of its time.
    pub total_s: Option<u64>,
    /// Of a client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projects: Option<Vec<Self>>,
    /// Of a project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Vec<Self>>,
}

impl NodeDocument {
    fn of(node: &Node) -> Self {
        let Node { kind, object, page, name, figures, planned, is_budget, total, children } = node;
        let children: Vec<Self> = children.iter().map(Self::of).collect();
        let (projects, tasks) = match kind {
            Kind::Client => (Some(children), None),
            Kind::Project => (None, Some(children)),
            Kind::Task => (None, None),
        };
        let id = object.as_ref().map(ObjectId::to_string);
        Self {
            id: id.clone(),
            clockify_id: id,
            page_id: page.as_ref().map(PageId::to_string),
            name: name.clone(),
            figures: (*figures).into(),
            planned_s: *planned,
            planned_is_sum: planned.is_some() && !is_budget,
            total_s: *total,
            projects,
            tasks,
        }
    }

    /// The same without what rounding makes of it, down to the tasks.
    #[must_use]
    pub fn as_tracked(&self) -> Self {
        let below =
            |nodes: &Option<Vec<Self>>| nodes.as_ref().map(|nodes| nodes.iter().map(Self::as_tracked).collect());
        let (projects, tasks) = (below(&self.projects), below(&self.tasks));
        Self { figures: self.figures.as_tracked(), projects, tasks, ..self.clone() }
    }

    /// What stands below it.
    pub fn children(&self) -> &[Self] {
        self.projects.as_deref().or(self.tasks.as_deref()).unwrap_or_default()
    }

    /// What it is, by what can stand below it.
    pub fn kind(&self) -> Kind {
        match (&self.projects, &self.tasks) {
            (Some(_), _) => Kind::Client,
            (_, Some(_)) => Kind::Project,
            (None, None) => Kind::Task,
        }
    }
}

/// Something that is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingDocument {
    pub id: String,
    pub code: String,
    pub severity: String,
    pub kind: Option<Kind>,
    pub name: Shown,
    pub page_id: Option<String>,
    pub clockify_id: Option<String>,
    pub seconds: Option<u64>,
    pub text: Shown,
}

impl FindingDocument {
    /// A finding as the format has it.
    pub fn of(finding: &Finding) -> Self {
        let Finding { id, code, severity, kind, name, page, object, seconds, text } = finding;
        Self {
            id: id.clone(),
            code: code.word().to_owned(),
            severity: severity.word().to_owned(),
            kind: *kind,
            name: name.clone(),
            page_id: page.as_ref().map(PageId::to_string),
            clockify_id: object.as_ref().map(ObjectId::to_string),
            seconds: *seconds,
            text: text.clone(),
        }
    }
}

impl Document {
    /// What the format calls itself.
    pub const FORMAT: &'static str = "punchlist/hours/1";

    /// A period as the format has it.
    pub fn of(read: &Read<'_>, tree: &Tree, found: &[Finding], period: Period, zone: &Zone, calls: u64) -> Self {
        let listed = |kind: Kind| {
            read.snapshots.pages[kind].complete().is_some() && read.snapshots.objects[kind].complete().is_some()
        };
        let is_whole = ![Unavailable::Reports, Unavailable::Others].iter().any(|what| read.unavailable.contains(what));
        Self {
            format: Self::FORMAT.to_owned(),
            from: period.from(),
            to: period.to(),
            timezone: zone.name.clone(),
            complete: is_whole && Kind::ALL.into_iter().all(listed),
            unavailable: read.unavailable.iter().map(|what| what.word().to_owned()).collect(),
            rounding: read.demands.rounding,
            totals: tree.totals.into(),
            clients: tree.clients.iter().map(NodeDocument::of).collect(),
            findings: found.iter().map(FindingDocument::of).collect(),
            calls,
        }
    }
}
