//! Plans and reports as text that a person can read. Everything from outside is printed as `Shown`.

mod together;

use std::{
    collections::BTreeSet,
    fmt::{self, Write as _},
    ops::Deref,
    path::Path,
};

use anstyle::{AnsiColor, Style};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use unicode_width::UnicodeWidthStr;

pub(crate) use together::{OVERRULED, overtaken_line};

pub(crate) use crate::domain::audit::{
    ended, everything, from_to as event_from_to, line_of, outcome_words, shown_value, when,
};
use crate::domain::{
    action::Sort,
    model::{Kind, PageId, Service, duration_words},
    plan::{
        Action, Change, Estimate, FieldChange, Hourly, Plan, Proposal, State, Summary, client_names, document::Cost,
        field_word,
    },
    report::{Alike, AppliedChange, Ending, Report},
    review::{Review, Tally},
    text::Shown,
};

/// Characters of a change's ID that are shown: enough to name it, in all but the largest plans.
const ID_SHOWN: usize = 8;
/// Changes that a report shows one by one.
const APPLIED_SHOWN: usize = 100;
/// Columns of the name of a workspace.
const WORKSPACE_COLUMNS: usize = 40;
/// Columns of a name in the tree; longer ones are cut in the middle.
const NAME_COLUMNS: usize = 52;
/// Columns of a value; longer ones are cut in the middle.
const VALUE_COLUMNS: usize = 60;
/// So many notices of one kind are shown one by one.
const ALIKE_MAX: usize = 5;
/// So many of more of them.
const ALIKE_SHOWN: usize = 3;
/// Column at which the action begins.
const ACTION_COLUMN: usize = 58;

/// How text may be dressed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Styling {
    /// With colour. Each colour has a word or symbol beside it.
    pub(super) colour: bool,
    /// With symbols beyond ASCII.
    pub(super) unicode: bool,
}

impl Styling {
    pub(super) fn paint(self, style: Style, text: impl fmt::Display) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_string() }
    }

    pub(super) fn bold(self, text: impl fmt::Display) -> String {
        self.paint(Style::new().bold(), text)
    }

    fn symbol(self, action: Action) -> &'static str {
        action.symbol(self.unicode)
    }

    pub(super) fn arrow(self) -> &'static str {
        if self.unicode { "→" } else { "->" }
    }

    fn dot(self) -> &'static str {
        if self.unicode { "·" } else { "|" }
    }
}

/// The style of an action's symbol: of the terminal's own colours, black on a bright one is what can be read in all
/// schemes, on dark and on light.
pub(super) fn colour(action: Action) -> Style {
    let on = |colour: AnsiColor| AnsiColor::Black.on(colour);
    match action.sort() {
        Sort::Opens | Sort::Links => on(AnsiColor::BrightCyan),
        Sort::Changes => on(AnsiColor::BrightYellow),
        Sort::Closes | Sort::Odd => Style::new().invert(),
    }
}

/// The plan as a tree with reasons and with what was decided, then the notices, then what it comes to.
pub(super) fn plan(
    review: &Review<impl Deref<Target = Plan>>,
    cost: Cost,
    typed: &Typed<'_>,
    styling: Styling,
) -> String {
    let plan = review.plan();
    let mut text = format!("{}\n\n", plan.workspaces.words(WORKSPACE_COLUMNS));
    let mut shown: BTreeSet<PageId> = plan.changes.iter().map(|change| change.page).collect();
    for (at, change) in plan.changes.iter().enumerate() {
        for ancestor in ancestors(plan, change) {
            if shown.insert(ancestor) {
                let place = &plan.places[&ancestor];
                let name = place.name.shown().clipped(NAME_COLUMNS);
                put(&mut text, format_args!("{}  {name}\n", indent(place.kind)));
            }
        }
        line(&mut text, change, styling);
        let said = review.verdict(at).decision.as_ref().map(|made| made.words(review.by(at)));
        if let Some(words) = review.second_words(at).or(said) {
            put(&mut text, format_args!("{}      {}\n", indent(change.kind), styling.bold(words)));
        }
    }
    notices(&mut text, plan, styling);
    if !plan.changes.is_empty() || !plan.notices.is_empty() {
        text.push('\n');
    }
    totals(&mut text, plan, Tally::of(review), styling);
    costs(&mut text, cost);
    next(&mut text, plan, typed, styling);
    text
}

/// A text as it is typed into a shell: in quotation marks where it has more than letters, digits and the like.
pub(super) fn for_shell(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '~');
    let shown = Shown::of(text);
    if text.chars().all(is_plain) { shown.to_string() } else { format!("'{}'", shown.replace('\'', "'\\''")) }
}

/// How a command was typed, for what to type next.
pub(super) struct Typed<'a> {
    /// The program with what was said to it, e.g. `punchlist --profile berlin`.
    pub(super) command: String,
    /// The clients that it was about alone, e.g. ` --client Acme`.
    pub(super) clients: String,
    /// Where the plan was saved.
    pub(super) out: Option<&'a Path>,
}

/// The ways on from a plan.
fn next(text: &mut String, plan: &Plan, typed: &Typed<'_>, styling: Styling) {
    let Typed { command, clients, out } = typed;
    if plan.changes.is_empty() {
        return;
    }
    let is_ready = plan.changes.iter().any(|change| change.state == State::Ready);
    let run = plan.scope.undoes;
    let mut ways = Vec::new();
    if let Some(out) = out {
        let file = for_shell(&out.display().to_string());
        put(text, format_args!("\nSaved as {file}: this plan, for these workspaces and rules alone.\n"));
        ways.push((format!("{command} apply {file}"), "apply what is ready of it"));
    }
    match run {
        None => ways.push((format!("{command}{clients}"), "review these changes, and apply what you approve")),
        Some(run) => ways.push((format!("{command} undo {run}"), "review these changes, and apply what you approve")),
    }
    if is_ready && run.is_none() {
        ways.push((format!("{command} --auto-approve{clients}"), "apply what policy approves, and leave the rest"));
    }
    put(text, format_args!("\nNext:\n"));
    let columns = ways.iter().map(|(way, _)| way.width()).max().unwrap_or_default();
    for (way, does) in ways {
        let gap = " ".repeat(columns.saturating_sub(way.width()));
        put(text, format_args!("  {}{gap}  {does}\n", styling.bold(way)));
    }
}

/// Writing into a string cannot fail.
pub(super) fn put(text: &mut String, arguments: fmt::Arguments<'_>) {
    text.write_fmt(arguments).unwrap_or_default();
}

fn indent(kind: Kind) -> &'static str {
    match kind {
        Kind::Client => "",
        Kind::Project => "  ",
        Kind::Task => "    ",
    }
}

/// The pages above a change's page, outermost first.
fn ancestors(plan: &Plan, change: &Change) -> Vec<PageId> {
    let mut ancestors = Vec::new();
    let mut at = change.parent;
    while let Some((page, place)) = at.and_then(|page| Some((page, plan.places.get(&page)?))) {
        ancestors.push(page);
        at = place.parent.filter(|_| ancestors.len() < Kind::ALL.len());
    }
    ancestors.reverse();
    ancestors
}

fn line(text: &mut String, change: &Change, styling: Styling) {
    let Proposal { action, fields, confidence, reason, .. } = &change.proposal;
    let indent = indent(change.kind);
    let name = Shown::of(change.name.canonical().as_str());
    let badge = if name.has_hidden() { " [hidden characters]" } else { "" };
    let name = name.clipped(NAME_COLUMNS);
    let symbol = styling.paint(colour(*action), styling.symbol(*action));
    let width = indent.len() + 2 + name.width() + badge.len();
    let gap = " ".repeat(ACTION_COLUMN.saturating_sub(width).max(1));
    let state = match change.state {
        State::Ready => format!("{confidence} %"),
        State::Review => format!("{confidence} %  {}", styling.bold("? for review")),
        State::Held => styling.bold("! held"),
    };
    let id = change.id.to_string();
    let id = &id[..ID_SHOWN.min(id.len())];
    put(text, format_args!("{indent}{symbol} {name}{badge}{gap}{action} {}  {state}  {id}\n", change.kind));
    let inset = format!("{indent}      ");
    for field in fields.iter().filter(|_| *action != Action::Create) {
        put(text, format_args!("{inset}{}\n", from_to(change.kind, field, VALUE_COLUMNS, styling)));
    }
    if let Some(seconds) = change.tracked_seconds.filter(|&seconds| seconds > 0) {
        put(text, format_args!("{inset}{} tracked on it stay\n", duration_words(seconds)));
    }
    match &change.hold {
        Some(hold) => put(text, format_args!("{inset}{}\n", hold.text)),
        None if change.state == State::Review || *action != Action::Create => {
            put(text, format_args!("{inset}{reason}\n"));
        }
        None => {}
    }
    for way in change.alternatives.iter().filter(|_| change.state == State::Review) {
        put(text, format_args!("{inset}or {} ({} %): {}\n", way.action, way.confidence, way.reason));
    }
}

/// `name: “a” → “b”`, with values cut to so many columns.
pub(super) fn from_to(kind: Kind, field: &FieldChange, columns: usize, styling: Styling) -> String {
    let (from, to) = (shown_value(&field.from, columns), shown_value(&field.to, columns));
    format!("{}: {from} {} {to}", field_word(kind, field.field), styling.arrow())
}

fn notices(text: &mut String, plan: &Plan, styling: Styling) {
    if plan.notices.is_empty() {
        return;
    }
    put(text, format_args!("\n{}\n", styling.bold("Notices")));
    for line in notice_lines(plan) {
        put(text, format_args!("  {line}\n"));
    }
    text.push_str("  `punchlist pending ignore ID` settles what you know of; `punchlist pending` has all IDs.\n");
}

/// The notices as lines, each with its ID. Of many of one kind the first are shown, and how many more there are.
pub(super) fn notice_lines(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for (_, alike) in plan.notices_alike() {
        let shown = if alike.len() > ALIKE_MAX { ALIKE_SHOWN } else { alike.len() };
        lines.extend(alike[..shown].iter().map(|notice| format!("{} [{}]", plan.notice_words(notice), notice.id())));
        if shown < alike.len() {
            lines.push(format!("and {} more {} like it", alike.len() - shown, alike[0].kind.plural()));
        }
    }
    lines
}

fn totals(text: &mut String, plan: &Plan, tally: Tally, styling: Styling) {
    let summary = plan.summary();
    if plan.changes.is_empty() {
        put(text, format_args!("{}\n", styling.bold(nothing_to_do(plan))));
        return;
    }
    let counts = counts(&summary);
    let of = undo_of(plan).map(|of| format!(", the {of}")).unwrap_or_default();
    let alone = plan.of_whom().map(|clients| format!(" of {clients} alone")).unwrap_or_default();
    let title = format!("Plan{of}{alone}:");
    let all = tally.changes;
    let all = if all == 1 { "1 change".to_owned() } else { format!("{all} changes") };
    put(text, format_args!("{} {}\n", styling.bold(title), counts.join(&format!(" {} ", styling.dot()))));
    let ready = plan.changes.len() - summary.review - summary.held;
    put(
        text,
        format_args!(
            "{all}: {ready} ready, {} for review, {} held{}. Plan {}.\n",
            summary.review,
            summary.held,
            held_by(plan),
            &plan.hash[..12.min(plan.hash.len())]
        ),
    );
    if tally.decided() > 0 {
        put(text, format_args!("Decided: {}.\n", tally.words()));
    }
}

/// What holds changes back, and how many, as ` (12 brake, 3 name taken)`; nothing where nothing is held.
pub(super) fn held_by(plan: &Plan) -> String {
    let counts: Vec<String> =
        plan.held_by().into_iter().map(|(code, count)| format!("{count} {}", code.word().replace('_', " "))).collect();
    if counts.is_empty() { String::new() } else { format!(" ({})", counts.join(", ")) }
}

fn costs(text: &mut String, cost: Cost) {
    let Cost { calls, estimate, .. } = cost;
    put(text, format_args!("Reading cost {} Notion and {} Clockify calls.", calls.notion, calls.clockify));
    if estimate.notion_calls + estimate.clockify_calls > 0 {
        let time = match estimate.seconds {
            0 => "a moment".to_owned(),
            seconds => duration_words(seconds),
        };
        let clockify = dated_calls(&estimate, cost.created_at, &TimeZone::system())
            .unwrap_or_else(|| format!("{} Clockify calls, about {time}", estimate.clockify_calls));
        put(text, format_args!(" Applying what is ready costs {} Notion and {clockify}.\n", estimate.notion_calls));
    } else {
        text.push('\n');
    }
    if let Some(hourly) = estimate.hourly {
        put(text, format_args!("{}\n", spent_of(hourly.spent, hourly.per_hour)));
    }
}

/// How much of an hourly budget is spent.
pub(super) fn spent_of(spent: impl fmt::Display, per_hour: impl fmt::Display) -> String {
    format!("Clockify takes {per_hour} calls an hour, and {spent} were made within the last one.")
}

/// What an hourly budget makes of the calls to Clockify: `412 Clockify calls: done Tuesday 14:20 at 30 an hour, …`;
/// nothing where this hour is enough.
pub(super) fn dated_calls(estimate: &Estimate, now: Timestamp, zone: &TimeZone) -> Option<String> {
    let done = done_at(estimate.hourly.as_ref()?, now, zone)?;
    let calls = estimate.clockify_calls;
    Some(format!("{calls} Clockify calls: {done}, what people wait for and track time on first"))
}

/// When an hourly budget lets the last call leave: `done Tuesday 14:20 at 30 an hour`; nothing where this hour is
/// enough.
pub(super) fn done_at(hourly: &Hourly, now: Timestamp, zone: &TimeZone) -> Option<String> {
    Some(format!("done {} at {} an hour", weekday(hourly.done_at?, now, zone), hourly.per_hour))
}

/// A time after another: `Tuesday 14:20`, with the date where that is about a week later.
fn weekday(at: Timestamp, after: Timestamp, zone: &TimeZone) -> String {
    let is_near = at.duration_since(after) < SignedDuration::from_hours(6 * 24);
    at.to_zoned(zone.clone()).strftime(if is_near { "%A %H:%M" } else { "%A %Y-%m-%d %H:%M" }).to_string()
}

/// What a plan without changes comes to.
pub(super) fn nothing_to_do(plan: &Plan) -> String {
    match (&plan.scope.undoes, plan.complete, plan.of_whom()) {
        (Some(_), ..) => "Nothing of it is left to undo.".to_owned(),
        (None, false, _) => "Nothing to do in what could be read; not everything could.".to_owned(),
        (None, true, None) => "In sync: nothing to do.".to_owned(),
        (None, true, Some(clients)) => in_sync_alone(&clients),
    }
}

fn in_sync_alone(clients: &str) -> String {
    format!("Nothing to do for {clients}; this says nothing of other clients.")
}

/// `undo of run 20261123T120000Z-3f2a`, where the plan is one.
pub(super) fn undo_of(plan: &Plan) -> Option<String> {
    plan.scope.undoes.as_ref().map(|run| format!("undo of run {run}"))
}

/// How many changes there are of each action that there is: `29 create`.
pub(super) fn counts(summary: &Summary) -> Vec<String> {
    let counts = Action::counted().map(|action| (summary.of[action], action)).filter(|(count, _)| *count > 0);
    counts.map(|(count, action)| format!("{count} {action}")).collect()
}

/// `failed`, or `failed 40` where several changes ended alike.
fn counted(word: &str, alike: &Alike) -> String {
    if alike.count > 1 { format!("{word} {}", alike.count) } else { word.to_owned() }
}

/// What a run applied, a line each, as far as it is not too much.
pub(super) fn applied(report: &Report, styling: Styling) -> String {
    let mut text = String::new();
    for AppliedChange { action, kind, name, path, .. } in report.applied_changes.iter().take(APPLIED_SHOWN) {
        let names = path.iter().chain([name]).map(|name| name.clipped(NAME_COLUMNS).to_string());
        let name = names.collect::<Vec<_>>().join(" › ");
        match action {
            Some(action) => {
                let symbol = styling.paint(colour(*action), styling.symbol(*action));
                put(&mut text, format_args!("{symbol} {action} {kind} “{name}”\n"));
            }
            None => put(&mut text, format_args!("{kind} “{name}”\n")),
        }
    }
    if let Some(more @ 1..) = report.applied_changes.len().checked_sub(APPLIED_SHOWN) {
        put(&mut text, format_args!("and {more} more: `punchlist logs show {}` has all\n", report.run_id));
    }
    text
}

/// What a run did, in a few sentences; failures and their hints first.
pub(super) fn report(report: &Report, styling: Styling) -> String {
    report_and(report, "`punchlist --auto-approve` applies what is ready", styling)
}

/// The same, where what goes on with what is ready is something else.
pub(super) fn report_and(report: &Report, goes_on: &str, styling: Styling) -> String {
    let mut text = String::new();
    for failure in &report.failures {
        put(
            &mut text,
            format_args!(
                "{} {}: {}\n   hint: {}\n",
                styling.bold(counted("failed", &failure.alike)),
                failure.alike.names(),
                failure.error,
                failure.hint
            ),
        );
    }
    let left = report.begun.iter().map(|left| ("begun", left));
    for (word, left) in left.chain(report.not_started.iter().map(|left| ("not started", left))) {
        let names = left.alike.names();
        let gap = if names.is_empty() { "" } else { " " };
        put(&mut text, format_args!("{}{gap}{names}: {}\n", counted(word, &left.alike), left.because));
    }
    for warning in &report.warnings {
        put(&mut text, format_args!("{}: {}\n", styling.bold("warning"), Shown::of(warning)));
    }
    for (brake, count) in &report.brakes {
        put(&mut text, format_args!("withheld {count}: {brake}\n"));
    }
    let headline = if report.outcome == Ending::InSync && report.clients.is_empty() {
        "In sync: nothing to do.".to_owned()
    } else if report.outcome == Ending::InSync {
        in_sync_alone(&client_names(&report.clients))
    } else {
        let begun: usize = report.begun.iter().map(|begun| begun.alike.count).sum();
        let begun = if begun == 0 { String::new() } else { format!(", {begun} begun") };
        format!("{} applied, {} failed{begun}, {} not started.", report.applied, report.failed, report.skipped)
    };
    put(&mut text, format_args!("{}", styling.bold(headline)));
    if report.pending + report.held > 0 {
        put(&mut text, format_args!(" {} for review and {} held are left for a person.", report.pending, report.held));
    }
    match report.second_person {
        0 => {}
        1 => text.push_str(" 1 of them is approved by one person, and needs a second."),
        more => put(&mut text, format_args!(" {more} of them are approved by one person, and need a second.")),
    }
    if report.ready > 0 {
        let are = if report.ready == 1 { "1 more is" } else { &format!("{} more are", report.ready) };
        put(&mut text, format_args!(" {are} ready, and this run was not asked for that: {goes_on}."));
    }
    if report.statuses > 0 {
        put(
            &mut text,
            format_args!(
                " The sync status of {} was written.",
                if report.statuses == 1 { "1 page".to_owned() } else { format!("{} pages", report.statuses) }
            ),
        );
    }
    text.push('\n');
    if !report.workspaces.is_unknown() {
        put(&mut text, format_args!("{}\n", report.workspaces.words(WORKSPACE_COLUMNS)));
    }
    put(
        &mut text,
        format_args!(
            "Run {}: {}, {:.1} s, {} Notion and {} Clockify calls.\n",
            report.run_id,
            report.outcome.words(),
            report.seconds,
            report.calls.notion,
            report.calls.clockify
        ),
    );
    if let Some(hourly) = &report.hourly {
        put(&mut text, format_args!("{}", spent_of(hourly.spent, hourly.per_hour)));
        let zone = TimeZone::system();
        if hourly.left > 0 {
            let are = if hourly.left == 1 { "1 change is" } else { &format!("{} changes are", hourly.left) };
            let again =
                report.not_before.map(|at| format!(": run again {}", weekday(at, at, &zone))).unwrap_or_default();
            let after = report.not_before.or(hourly.done_at).unwrap_or_default();
            let done = done_at(hourly, after, &zone).map(|done| format!("; {done}")).unwrap_or_default();
            put(&mut text, format_args!(" {are} left for that{again}{done}."));
        }
        text.push('\n');
    }
    text
}

/// What a way does, in a word or two.
pub(super) fn way(change: &Change, way: &Proposal) -> String {
    match (way.action, way.side) {
        (Action::Update, Service::Clockify) if change.is_contested() => "Notion wins".to_owned(),
        (Action::Update, Service::Notion) if change.is_contested() => "Clockify wins".to_owned(),
        (Action::Update, Service::Notion) => "update the page".to_owned(),
        (Action::Accept, _) => "leave both".to_owned(),
        (action, _) => format!("{action} {}", change.kind),
    }
}
