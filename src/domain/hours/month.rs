//! A month that is sealed: its figures and what was accepted of its findings, under a hash. The format
//! `punchlist/month/1`, for scripts; fields are only ever added.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    days::{Period, month_name},
    document::{Document, FindingDocument, NodeDocument, Totals},
    findings::{About, Code, Finding, Severity},
};
use crate::domain::{
    model::{Kind, duration_words},
    plan::sha256,
    text::{Raw, Shown},
};

/// Characters that an ID needs to be known by its beginning.
const BEGINNING_MIN: usize = 4;

/// A month that is sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    pub format: String,
    /// `2026-10`.
    pub month: String,
    /// Where its days are.
    pub timezone: String,
    pub sealed_at: Timestamp,
    pub by: String,
    pub totals: Totals,
    pub clients: Vec<NodeDocument>,
    pub accepted: Vec<Accepted>,
    /// False where the workspace rounds in reports: these figures are as tracked, to the second, all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounded: Option<bool>,
    /// Of all the others.
    pub hash: String,
}

/// A finding that somebody lets stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Its ID.
    pub finding: String,
    pub code: String,
    /// What it said.
    pub text: Shown,
    /// Why it may stand.
    pub note: Raw,
    pub by: String,
}

/// What is asked of a close.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepting {
    /// IDs of findings, or their beginnings; `all` is each of them.
    pub findings: Vec<String>,
    /// Why they may stand.
    pub note: String,
}

/// How a close ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Close {
    Sealed(Box<Sealed>),
    /// These would make an invoice wrong, and nobody has accepted them.
    Open(Vec<FindingDocument>),
}

impl Sealed {
    /// What the format calls itself.
    pub const FORMAT: &'static str = "punchlist/month/1";

    /// Its hash as it should be.
    fn reckoned(&self) -> String {
        let Self { format, month, timezone, sealed_at, by, totals, clients, accepted, rounded, hash: _ } = self;
        let all = (format, month, timezone, sealed_at, by, totals, clients, accepted);
        // What was sealed before workspaces' rounding was known of keeps its hash.
        rounded.map_or_else(|| sha256(&all), |rounded| sha256(&(all, rounded)))
    }

    /// True where it is what was sealed.
    pub fn is_intact(&self) -> bool {
        self.hash == self.reckoned()
    }

    /// What of a month is other by now than when it was sealed: of each client, project and task, the time that was
    /// tracked, and how much of that is billable. Approvals and invoices follow a close, and change nothing.
    pub fn changes(&self, now: &[NodeDocument]) -> Vec<Change> {
        let (was, is) = (figures(&self.clients), figures(now));
        let places: BTreeSet<&(Kind, Place)> = was.keys().chain(is.keys()).collect();
        let mut changes = Vec::new();
        for place in places {
            let (before, after) = (was.get(place), is.get(place));
            let known = after.or(before).map(|(node, _)| *node);
            let Some(known) = known else { continue };
            let of = |side: Option<&(&NodeDocument, Totals)>| side.map(|(_, totals)| *totals).unwrap_or_default();
            let (before, after) = (of(before), of(after));
            for (figure, was, is) in
                [("tracked", before.tracked_s, after.tracked_s), ("billable", before.billable_s, after.billable_s)]
            {
                let (was_s, is_s) = (was.unwrap_or_default(), is.unwrap_or_default());
                if was_s != is_s {
                    changes.push(Change {
                        clockify_id: known.clockify_id.clone(),
                        page_id: known.page_id.clone(),
                        kind: known.kind(),
                        name: known.name.clone(),
                        figure: figure.to_owned(),
                        was_s,
                        is_s,
                    });
                }
            }
        }
        changes
    }
}

/// The client, project and task of a node, by their IDs.
type Place = [Option<String>; 3];

/// The figures of each node, by its place. Those of a project that has moved to another client are others there.
fn figures(clients: &[NodeDocument]) -> BTreeMap<(Kind, Place), (&NodeDocument, Totals)> {
    fn walk<'a>(
        nodes: &'a [NodeDocument],
        above: &Place,
        level: usize,
        into: &mut BTreeMap<(Kind, Place), (&'a NodeDocument, Totals)>,
    ) {
        for node in nodes {
            let mut place = above.clone();
            place[level].clone_from(&node.clockify_id);
            walk(node.children(), &place, level + 1, into);
            into.insert((node.kind(), place), (node, node.figures));
        }
    }
    let mut found = BTreeMap::new();
    walk(clients, &Place::default(), 0, &mut found);
    found
}

/// A figure of a sealed month that is another one by now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub clockify_id: Option<String>,
    pub page_id: Option<String>,
    pub kind: Kind,
    pub name: Shown,
    /// `tracked` or `billable`.
    pub figure: String,
    pub was_s: u64,
    pub is_s: u64,
}

impl Change {
    /// The change in words.
    pub fn words(&self) -> String {
        let Self { kind, name, figure, was_s, is_s, .. } = self;
        let (word, by) = if is_s > was_s { ("more", is_s - was_s) } else { ("less", was_s - is_s) };
        let (was, is, by) = (duration_words(*was_s), duration_words(*is_s), duration_words(by));
        format!("{kind} {name}: {figure} {was} when it was sealed, {is} now: {by} {word}")
    }

    /// The change as a finding.
    pub fn finding(&self, period: Period) -> Finding {
        let about = About {
            kind: Some(self.kind),
            name: self.name.clone(),
            page: self.page_id.as_deref().and_then(|id| id.parse().ok()),
            object: self.clockify_id.as_deref().and_then(|id| id.parse().ok()),
            seconds: Some(self.was_s.abs_diff(self.is_s)),
            entry: Some(&self.figure),
        };
        Finding::new(Code::SealedChanged, Severity::Error, about, period, &self.words())
    }
}

/// Seals a month, unless an error among its findings is not accepted.
///
/// # Errors
/// Why what is asked cannot be done, for people: a finding that is none, or figures that cannot be told.
pub fn close(
    document: &Document,
    period: Period,
    accepting: &Accepting,
    by: &str,
    now: Timestamp,
) -> Result<Close, String> {
    if !document.complete {
        return Err("the figures are not whole, and what is not whole is not sealed".to_owned());
    }
    let accepted = accepted(&document.findings, accepting, by)?;
    let is_accepted = |finding: &FindingDocument| accepted.iter().any(|known| known.finding == finding.id);
    let open =
        document.findings.iter().filter(|finding| finding.severity == Severity::Error.word() && !is_accepted(finding));
    let open: Vec<FindingDocument> = open.cloned().collect();
    if !open.is_empty() {
        return Ok(Close::Open(open));
    }
    let mut sealed = Sealed {
        format: Sealed::FORMAT.to_owned(),
        month: month_name(period),
        timezone: document.timezone.clone(),
        sealed_at: now,
        by: by.to_owned(),
        totals: document.totals.as_tracked(),
        clients: document.clients.iter().map(NodeDocument::as_tracked).collect(),
        accepted,
        rounded: document.rounding.map(|_| false),
        hash: String::new(),
    };
    sealed.hash = sealed.reckoned();
    Ok(Close::Sealed(Box::new(sealed)))
}

fn accepted(findings: &[FindingDocument], accepting: &Accepting, by: &str) -> Result<Vec<Accepted>, String> {
    let mut meant: BTreeSet<usize> = BTreeSet::new();
    for wanted in &accepting.findings {
        if wanted == "all" {
            meant.extend(0..findings.len());
            continue;
        }
        let fits = |finding: &FindingDocument| {
            finding.id == *wanted || wanted.len() >= BEGINNING_MIN && finding.id.starts_with(wanted.as_str())
        };
        let found: Vec<usize> = (0..findings.len()).filter(|at| fits(&findings[*at])).collect();
        match found.as_slice() {
            [at] => drop(meant.insert(*at)),
            [] => return Err(format!("there is no finding {}", Shown::of(wanted))),
            several => return Err(format!("{} findings begin with {}", several.len(), Shown::of(wanted))),
        }
    }
    let accepted = meant.into_iter().map(|at| {
        let FindingDocument { id, code, text, .. } = &findings[at];
        Accepted {
            finding: id.clone(),
            code: code.clone(),
            text: text.clone(),
            note: accepting.note.as_str().into(),
            by: by.to_owned(),
        }
    });
    Ok(accepted.collect())
}
