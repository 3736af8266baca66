//! What hours and plan say about each other that would make an invoice wrong. Same inputs, same findings, same order.

use std::collections::HashMap;

use super::{
    days::{Period, Zone},
    read::{Read, Slice, Unavailable},
    tree::{Node, Sides, Tree},
};
use crate::domain::{
    model::{Field, Kind, Object, ObjectId, Page, PageId, Running, Standing, Value, duration_words},
    plan::sha256,
    text::{Raw, Shown},
};

/// Columns of a name in a sentence; longer ones are cut in the middle.
const NAME_COLUMNS: usize = 60;
/// Characters of a finding's ID.
const ID_CHARACTERS: usize = 12;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// An invoice would be wrong: a month is not sealed before somebody has accepted it.
    Error,
    /// It may well be.
    Warning,
    /// To know about.
    Info,
}

impl Severity {
    /// What the format calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// What is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// A figure of a sealed month is another one by now.
    SealedChanged,
    /// More is tracked than planned.
    OverBudget,
    /// Time on what its page has closed.
    TrackedAfterClose,
    /// A timer runs on what its page has closed.
    ClosedRunning,
    /// Time without a project, where the workspace wants one.
    WithoutProject,
    /// Time without a task, where the workspace wants one.
    WithoutTask,
    /// Time that nobody has approved.
    Unapproved,
    /// Nearly all that is planned is tracked.
    NearBudget,
    /// Time on what no page links to.
    Unlinked,
    /// Time that is billable where it should not be, or the other way round.
    BillableMismatch,
    /// It is due in the period, and something below it is open.
    MilestoneDue,
    /// A timer runs: it is in no figure.
    RunningTimer,
    /// The period is not over.
    NotOver,
    /// Time that is not marked as invoiced.
    Uninvoiced,
    /// An open project without any time in the period.
    Idle,
}

impl Code {
    /// What the format calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::SealedChanged => "sealed_changed",
            Self::OverBudget => "over_budget",
            Self::TrackedAfterClose => "tracked_after_close",
            Self::ClosedRunning => "closed_running",
            Self::WithoutProject => "without_project",
            Self::WithoutTask => "without_task",
            Self::Unapproved => "unapproved",
            Self::NearBudget => "near_budget",
            Self::Unlinked => "unlinked",
            Self::BillableMismatch => "billable_mismatch",
            Self::MilestoneDue => "milestone_due",
            Self::RunningTimer => "running_timer",
            Self::NotOver => "not_over",
            Self::Uninvoiced => "uninvoiced",
            Self::Idle => "idle",
        }
    }
}

/// Something that hours and plan say about each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The same for the same thing in the same period, whatever the amount.
    pub id: String,
    pub code: Code,
    pub severity: Severity,
    /// What it is about; nothing where it is about time without a project, or about the whole.
    pub kind: Option<Kind>,
    pub name: Shown,
    pub page: Option<PageId>,
    pub object: Option<ObjectId>,
    /// How much time it is about.
    pub seconds: Option<u64>,
    /// In a sentence.
    pub text: Shown,
}

impl Finding {
    /// A finding about a node, or about the whole.
    pub fn new(code: Code, severity: Severity, about: About<'_>, period: Period, text: &str) -> Self {
        let About { kind, name, page, object, seconds, entry } = about;
        let key = (
            code.word(),
            period.from(),
            period.to(),
            object.map(|id| id.to_string()),
            page.map(|id| id.to_string()),
            entry,
        );
        let id = sha256(&key)[..ID_CHARACTERS].to_owned();
        Self { id, code, severity, kind, name, page, object, seconds, text: Shown::of(text) }
    }
}

/// What a finding is about.
#[derive(Clone, Debug, Default)]
pub struct About<'a> {
    pub kind: Option<Kind>,
    pub name: Shown,
    pub page: Option<PageId>,
    pub object: Option<ObjectId>,
    pub seconds: Option<u64>,
    /// What tells it from others about the same: the ID of the entry or of the client that it is about.
    pub entry: Option<&'a str>,
}

impl About<'_> {
    fn node(node: &Node, seconds: Option<u64>) -> Self {
        let Node { kind, object, page, name, .. } = node;
        Self { kind: Some(*kind), name: name.clone(), page: *page, object: *object, seconds, entry: None }
    }
}

/// What counts as near.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// From this share of what is planned on, in percent.
    pub near_percent: u8,
}

impl Policy {
    /// True where nearly all that is planned is tracked, or more.
    pub fn is_near(self, tracked: u64, planned: u64) -> bool {
        tracked.saturating_mul(100) >= planned.saturating_mul(u64::from(self.near_percent))
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self { near_percent: 80 }
    }
}

/// All that is found in a period, the gravest first.
pub fn findings(read: &Read<'_>, tree: &Tree, period: Period, zone: &Zone, policy: Policy) -> Vec<Finding> {
    let mut search = Search { read, sides: Sides::of(read), period, zone, policy, found: Vec::new() };
    if period.to() >= zone.day(read.now) {
        let text = format!("{period} is not over: what is tracked from now on is missing");
        search.find(Code::NotOver, Severity::Warning, About::default(), &text);
    }
    for client in &tree.clients {
        search.node(client, false);
        search.approvals(client, tree);
        search.invoicing(client);
    }
    search.pages();
    for timer in &read.running {
        search.timer(timer);
    }
    let mut found = search.found;
    found.sort_unstable_by(|a, b| (a.severity, a.code, &a.name, &a.id).cmp(&(b.severity, b.code, &b.name, &b.id)));
    found
}

struct Search<'a> {
    read: &'a Read<'a>,
    sides: Sides<'a>,
    period: Period,
    zone: &'a Zone,
    policy: Policy,
    found: Vec<Finding>,
}

impl Search<'_> {
    fn find(&mut self, code: Code, severity: Severity, about: About<'_>, text: &str) {
        self.found.push(Finding::new(code, severity, about, self.period, text));
    }

    /// What a node says, and what stands below it.
    fn node(&mut self, node: &Node, above_is_unlinked: bool) {
        let tracked = node.figures.tracked.unwrap_or_default();
        self.budget(node);
        self.without(node);
        let mut is_unlinked = above_is_unlinked;
        if let Some(object) = node.object {
            is_unlinked = !self.sides.pages.contains_key(&object);
            if is_unlinked && !above_is_unlinked && tracked > 0 {
                let text = format!(
                    "{}: {} on a {} that no page links to",
                    short(&node.name),
                    duration_words(tracked),
                    node.kind
                );
                self.find(Code::Unlinked, Severity::Warning, About::node(node, Some(tracked)), &text);
            }
            self.closed(node, object, tracked);
            self.billable(node, object);
        }
        for child in &node.children {
            self.node(child, is_unlinked);
        }
    }

    fn budget(&mut self, node: &Node) {
        let (Some(planned), Some(total), true) = (node.planned, node.total, node.is_budget) else { return };
        let is_near = self.policy.is_near(total, planned);
        let (code, severity, rest, word) = match total.checked_sub(planned) {
            Some(over) if over > 0 => (Code::OverBudget, Severity::Error, over, "over"),
            _ if is_near => (Code::NearBudget, Severity::Warning, planned - total, "left"),
            _ => return,
        };
        let [total, planned, left] = [total, planned, rest].map(duration_words);
        let text = format!("{}: {total} tracked in all, {planned} planned: {left} {word}", short(&node.name));
        self.find(code, severity, About::node(node, Some(rest)), &text);
    }

    /// Time without a project or a task, where the workspace wants one.
    fn without(&mut self, node: &Node) {
        let Some(loose) = node.children.iter().find(|child| child.object.is_none()) else { return };
        let Some(seconds) = loose.figures.tracked.filter(|seconds| *seconds > 0) else { return };
        let time = duration_words(seconds);
        let text = match node.object {
            Some(_) => format!("{}: {time} without a {}", short(&node.name), loose.kind),
            None => format!("{time} without a {}", loose.kind),
        };
        let text = format!("{text}, which the workspace wants of every entry");
        if node.kind == Kind::Client && self.read.demands.project {
            // Time without a project can be that of several clients.
            let client = node.object.map(|client| client.to_string());
            let about = About { entry: client.as_deref(), ..About::node(loose, Some(seconds)) };
            self.find(Code::WithoutProject, Severity::Error, about, &text);
        } else if node.kind == Kind::Project && node.object.is_some() && self.read.demands.task {
            self.find(Code::WithoutTask, Severity::Error, About::node(node, Some(seconds)), &text);
        }
    }

    /// Time on what its page, or one above it, has closed.
    fn closed(&mut self, node: &Node, object: ObjectId, tracked: u64) {
        let own = tracked.saturating_sub(
            node.children.iter().filter(|child| child.object.is_some()).filter_map(|child| child.figures.tracked).sum(),
        );
        if own == 0 || node.kind == Kind::Client {
            return;
        }
        let Some((page, because)) = self.closing(object) else { return };
        let name = short(&node.name);
        let since = self.zone.day(page.edited);
        let (severity, text) = if since < self.period.from() {
            let text =
                format!("{name}: {} after it was closed ({because}; not edited since {since})", duration_words(own));
            (Severity::Error, text)
        } else {
            (Severity::Info, format!("{name}: {}, and it is closed by now ({because})", duration_words(own)))
        };
        self.find(Code::TrackedAfterClose, severity, About::node(node, Some(own)), &text);
    }

    /// The page that closes an object: its own, or the nearest above it.
    fn closing(&self, object: ObjectId) -> Option<(&Page, Shown)> {
        let mut at = Some(object);
        while let Some(object) = at {
            let page = self.sides.pages.get(&object).copied();
            match page.map(|page| (page, &page.standing)) {
                Some((page, Standing::Closed { because })) => return Some((page, because.shown())),
                Some((page, Standing::Trashed)) => return Some((page, Shown::of("in the trash"))),
                _ => {}
            }
            at = self.sides.objects.get(&object).and_then(|object| object.parent);
        }
        None
    }

    /// Time that is billable where it should not be, or the other way round: on a project without tasks, or on a task.
    fn billable(&mut self, node: &Node, object: ObjectId) {
        let (Some(tracked), Some(billable)) = (node.figures.tracked, node.figures.billable) else { return };
        if node.kind == Kind::Client {
            return;
        }
        let below = |of: fn(&Node) -> Option<u64>| -> u64 {
            node.children.iter().filter(|child| child.object.is_some()).filter_map(of).sum()
        };
        let tracked = tracked.saturating_sub(below(|child| child.figures.tracked));
        let billable = billable.saturating_sub(below(|child| child.figures.billable));
        let (wrong, text) = match self.is_billable(object) {
            Some(true) => (tracked.saturating_sub(billable), "that is not billable, and it should be"),
            Some(false) => (billable, "that is billable, and it should not be"),
            None => return,
        };
        if wrong > 0 {
            let text = format!("{}: {} {text}", short(&node.name), duration_words(wrong));
            self.find(Code::BillableMismatch, Severity::Warning, About::node(node, Some(wrong)), &text);
        }
    }

    /// What the page says, else what Clockify has set.
    fn is_billable(&self, object: ObjectId) -> Option<bool> {
        let of_page = self.sides.pages.get(&object).and_then(|page| match page.values.get(Field::Billable) {
            Some(Value::Flag(flag)) => Some(*flag),
            _ => None,
        });
        of_page.or_else(|| self.read.facts.get(&object).and_then(|facts| facts.billable))
    }

    fn approvals(&mut self, client: &Node, tree: &Tree) {
        let Some(unapproved) = client.figures.unapproved.filter(|seconds| *seconds > 0) else { return };
        // Where nobody approves anything, nothing is missing.
        let approves = tree.totals.unapproved < tree.totals.tracked;
        let severity = if approves { Severity::Error } else { Severity::Info };
        let text = format!("{}: {} that nobody has approved", short(&client.name), duration_words(unapproved));
        self.find(Code::Unapproved, severity, About::node(client, Some(unapproved)), &text);
    }

    fn invoicing(&mut self, client: &Node) {
        let Some(uninvoiced) = client.figures.uninvoiced.filter(|seconds| *seconds > 0) else { return };
        if client.figures.billable.is_none_or(|seconds| seconds == 0) {
            return;
        }
        let text = format!("{}: {} that is not marked as invoiced", short(&client.name), duration_words(uninvoiced));
        self.find(Code::Uninvoiced, Severity::Info, About::node(client, Some(uninvoiced)), &text);
    }

    /// What pages say of the period: what is due, and what nobody works on.
    fn pages(&mut self) {
        let mut open_tasks: HashMap<PageId, usize> = HashMap::new();
        for task in self.read.snapshots.pages[Kind::Task].rows().iter().filter(|task| task.standing.is_open()) {
            if let Some(project) = task.parent.one() {
                *open_tasks.entry(project).or_default() += 1;
            }
        }
        let mut worked: HashMap<ObjectId, u64> = HashMap::new();
        for row in self.read.summaries.get(&Slice::All).into_iter().flatten() {
            if let Some(project) = row.place[1].0 {
                *worked.entry(project).or_default() += row.seconds;
            }
        }
        let objects: HashMap<PageId, &Object> = self
            .sides
            .pages
            .iter()
            .filter_map(|(object, page)| Some((page.id, *self.sides.objects.get(object)?)))
            .collect();
        let pages =
            self.read.snapshots.pages[Kind::Project].rows().iter().chain(self.read.snapshots.pages[Kind::Task].rows());
        for page in pages.filter(|page| page.standing.is_open()) {
            let object = objects.get(&page.id).copied();
            let about = || About {
                kind: Some(page.kind),
                name: page.title.shown(),
                page: Some(page.id),
                object: object.map(|object| object.id),
                ..About::default()
            };
            let name = short(&page.title.shown());
            if let Some(due) = page.schedule.due.filter(|due| self.period.holds(*due)) {
                let open = open_tasks.get(&page.id).copied().unwrap_or_default();
                let text = match (page.kind, open) {
                    (Kind::Project, 0) => format!("{name}: due on {due}, and it is open"),
                    (Kind::Project, open) => format!(
                        "{name}: due on {due}, and {open} of its tasks {} open",
                        if open == 1 { "is" } else { "are" }
                    ),
                    _ => format!("{name}: due on {due}, and it is open"),
                };
                self.find(Code::MilestoneDue, Severity::Warning, about(), &text);
            }
            let is_idle = page.kind == Kind::Project
                && object.is_some_and(|object| object.is_open() && !worked.contains_key(&object.id));
            if is_idle && !self.read.unavailable.contains(&Unavailable::Reports) {
                self.find(
                    Code::Idle,
                    Severity::Info,
                    about(),
                    &format!("{name}: open, and no time in {}", self.period),
                );
            }
        }
    }

    /// A timer that was started in the period.
    fn timer(&mut self, timer: &Running) {
        let day = self.zone.day(timer.start);
        if !self.period.holds(day) {
            return;
        }
        let object = timer.task.or(timer.project);
        let known = object.and_then(|object| self.sides.objects.get(&object).copied());
        let seconds = u64::try_from(self.read.now.duration_since(timer.start).as_secs()).unwrap_or_default();
        let name = known.map_or_else(|| Shown::of("(no project)"), |known| Raw::shown(&known.name));
        let page = object.and_then(|object| self.sides.pages.get(&object)).map(|page| page.id);
        let about = About {
            kind: known.map(|known| known.kind),
            name: name.clone(),
            page,
            object,
            seconds: Some(seconds),
            entry: Some(&timer.entry),
        };
        let closing = object.and_then(|object| self.closing(object)).map(|(_, because)| because);
        if let Some(because) = closing {
            let text = format!("{}: a timer runs since {day}, and it is closed ({because})", short(&name));
            self.find(Code::ClosedRunning, Severity::Error, about, &text);
        } else {
            let text = format!("{}: a timer runs since {day}, and is in no figure", short(&name));
            self.find(Code::RunningTimer, Severity::Warning, about, &text);
        }
    }
}

fn short(name: &Shown) -> Shown {
    name.clipped(NAME_COLUMNS)
}
