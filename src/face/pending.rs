//! What waits for a person and what was ignored for good: listed, approved for the next run, taken back.

use std::collections::BTreeMap;

use clap::{Args, Subcommand, ValueEnum, builder::PossibleValue};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{
    failure::RunError,
    print::{page, say, say_json, tell_done},
    setup::Global,
    text::{overtaken_line, put, when},
};
use crate::{
    domain::{
        four_eyes,
        model::Kind,
        pending::Waits,
        plan::{
            Action, ChangeId, NoticeCode,
            document::{ChangeDocument, NoticeDocument},
        },
        reservation::Reservation,
        review::{Decision, Overtaken, Remembered},
        text::Shown,
    },
    edge::store::PendingRow,
    engine::{
        pending::{self, Kept, Queue, QueueApproval, is_approval},
        run::Installation,
        session::KeptNotice,
    },
};

/// The format's name and version.
const FORMAT: &str = "punchlist/pending/1";
/// So many that wait alike stand under a heading of their own.
const ALIKE_FROM: usize = 4;
/// Columns of a name; longer ones are cut in the middle.
const NAME_COLUMNS: usize = 60;

/// What to do about what waits.
#[derive(Subcommand)]
pub(super) enum Act {
    /// Approve changes that wait: the next run with --auto-approve applies them, or `punchlist apply --pending` at once
    Approve(Which),
    /// Take back what was decided about changes that wait
    Clear(Which),
    /// Settle what comes in every run: notices that you know of and changes that you do not want, as long as they say
    /// the same
    Ignore {
        /// Their IDs or how those begin, or the names, IDs or addresses of their pages or objects
        #[arg(value_name = "WHAT", required = true)]
        ids: Vec<String>,
    },
}

/// Which of the changes that wait.
#[derive(Args)]
pub(super) struct Which {
    /// Their IDs or how those begin, or the names, IDs or addresses of their pages or objects
    #[arg(value_name = "WHAT", required_unless_present_any = ["all", "kind", "action"])]
    ids: Vec<String>,
    /// All of them
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// All of one kind
    #[arg(long, conflicts_with = "ids")]
    kind: Option<Kind>,
    /// All with one action, e.g. update or close
    #[arg(long, conflicts_with = "ids", value_parser = action)]
    action: Option<Action>,
}

impl Which {
    fn meant(self) -> pending::Which {
        match (self.ids.is_empty(), self.kind, self.action) {
            (false, ..) => pending::Which::Ids(self.ids),
            (true, None, None) => pending::Which::All,
            (true, kind, action) => pending::Which::Of(kind, action),
        }
    }
}

/// What to do about what was ignored.
#[derive(Subcommand)]
pub(super) enum Ignored {
    /// Ask about ignored changes again
    Revoke {
        /// Their IDs, or how they begin
        #[arg(required_unless_present = "all")]
        ids: Vec<String>,
        /// All of them
        #[arg(long, conflicts_with = "ids")]
        all: bool,
    },
}

impl ValueEnum for Kind {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}

fn action(word: &str) -> Result<Action, String> {
    Action::proposed().find(|action| action.word() == word).ok_or_else(|| {
        let words: Vec<&str> = Action::proposed().map(Action::word).collect();
        format!("it is one of {}", words.join(", "))
    })
}

/// A change that waits, as `pending/1` shows it.
#[derive(Serialize)]
struct WaitingChange<'a> {
    #[serde(flatten)]
    change: &'a ChangeDocument,
    /// How it waits: `review`, `held`, `flagged`, `skipped` or `failed`.
    waits: Waits,
    /// Why.
    because: &'a str,
    /// When a run first left it.
    first_seen: Timestamp,
    /// True when as many people have approved it as it takes: the next run applies it.
    approved: bool,
    /// What somebody has decided: `approve`, `skip` or `flag`.
    decision: Option<&'static str>,
    /// Who has decided something about it.
    decided_by: Option<&'a str>,
    /// Who has approved it, where that takes two.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    approvals: Vec<&'a str>,
}

/// What somebody has said about a change that no run has left yet, as `pending/1` shows it.
#[derive(Serialize)]
struct Standing<'a> {
    id: &'a ChangeId,
    page_id: Option<String>,
    what: &'a str,
    approved: bool,
    decided_by: &'a str,
    decided_at: Timestamp,
}

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    changes: Vec<WaitingChange<'a>>,
    /// Decisions about changes that are not among these: they hold as long as the plan has the change.
    decisions: Vec<Standing<'a>>,
    /// What the last plan said without a change.
    notices: Vec<&'a NoticeDocument>,
    /// Who decides below which client now, for others to take another one.
    reserved: Vec<Reserved<'a>>,
}

/// That somebody is on a client, as `pending/1` shows it.
#[derive(Serialize)]
struct Reserved<'a> {
    page_id: Option<String>,
    name: &'a str,
    by: &'a str,
    host: &'a str,
    /// When it ends unless they decide on.
    until: Timestamp,
}

fn shown<'a>(queue: &'a Queue, row: &'a PendingRow) -> WaitingChange<'a> {
    let PendingRow { change, waits, reason, first_seen } = row;
    let (decision, decided_by) = queue.decision(change.id).map(|(made, by)| (made.key(), by)).unzip();
    let approved = queue.is_approved(row);
    let approvals = four_eyes::names(queue.approvals(row)).collect();
    let (waits, first_seen) = (*waits, *first_seen);
    WaitingChange { change, waits, because: reason, first_seen, approved, decision, decided_by, approvals }
}

fn stands(known: &Remembered) -> Standing<'_> {
    let Remembered { said, by, at } = known;
    let page_id = said.page.in_notion().map(|page| page.to_string());
    Standing {
        id: &said.change,
        page_id,
        what: &said.what,
        approved: is_approval(known),
        decided_by: by,
        decided_at: *at,
    }
}

fn reserved(on: &Reservation) -> Reserved<'_> {
    let Reservation { client, name, by, host, process: _, until } = on;
    Reserved { page_id: client.in_notion().map(|page| page.to_string()), name: name.exact(), by, host, until: *until }
}

/// Lists what waits.
pub(super) async fn list(installation: &Installation, global: &Global) -> Result<(), RunError> {
    let now = (installation.clock)();
    let queue = Queue::of(&installation.read_state().await?, now).await?;
    if global.json {
        let changes = queue.rows.iter().map(|row| shown(&queue, row)).collect();
        let notices = queue.notices.iter().map(|kept| &kept.notice).collect();
        let decisions = queue.standing().map(stands).collect();
        let reserved = queue.reserved.iter().map(reserved).collect();
        let document = Document { format: FORMAT, changes, decisions, notices, reserved };
        return say_json(&document);
    }
    page(&text(&queue, now), global)
}

fn text(queue: &Queue, now: Timestamp) -> String {
    let mut text = String::new();
    for alike in alike(queue) {
        let PendingRow { change, reason, .. } = alike[0];
        let state = standing_of(queue, alike[0]);
        let what = format!("{} {}", change.action, change.kind);
        if alike.len() < ALIKE_FROM {
            for row in alike {
                put(
                    &mut text,
                    format_args!("{what} {}\n    {}: {}\n", path(&row.change), standing_of(queue, row), row.reason),
                );
                put(&mut text, format_args!("    {}\n", details(row, now)));
            }
            continue;
        }
        let why = match &change.hold {
            Some(hold) if alike.iter().any(|row| row.reason != *reason) => {
                format!("{}; `punchlist explain ID` says more", hold.code.word().replace('_', " ")).into()
            }
            _ => reason.clone(),
        };
        put(&mut text, format_args!("{} × {what}, {state}: {why}\n", alike.len()));
        for row in alike {
            put(&mut text, format_args!("    {}  {}\n", path(&row.change), details(row, now)));
        }
    }
    for known in queue.standing() {
        let Remembered { said, by, at } = known;
        let state = match &said.verdict.decision {
            Some(made) => made.words(by),
            None => format!("{by} has begun to decide about it").into(),
        };
        put(&mut text, format_args!("{}\n", said.what));
        put(&mut text, format_args!("    {state}, {}, ID {}\n", age(now, *at), said.change));
    }
    for on in &queue.reserved {
        put(&mut text, format_args!("{}, until {} unless they decide on\n", on.words(), when(on.until)));
    }
    let of_rows = queue.rows.iter().filter(|row| queue.is_approved(row)).count();
    let (approvals, others): (Vec<_>, Vec<_>) = queue.standing().partition(|known| is_approval(known));
    let (approved, waiting) = (of_rows + approvals.len(), queue.rows.len() - of_rows + others.len());
    match approved + waiting {
        0 => text.push_str("Nothing waits for a person.\n"),
        _ => put(&mut text, format_args!("\n{}{}.", people_needed(waiting), how(queue, &others))),
    }
    if approved > 0 {
        put(
            &mut text,
            format_args!(" {approved} approved: `punchlist apply --pending` applies them now, or the next run will.\n"),
        );
    } else if waiting > 0 {
        text.push_str(" Review them with `punchlist`, or approve some with `punchlist pending approve ID…`.\n");
    }
    if !queue.notices.is_empty() {
        text.push_str("\nNotices of the last plan; `punchlist pending ignore ID…` says no more of them:\n");
        for alike in queue.notices.chunk_by(|one, other| kind(one) == kind(other)) {
            if alike.len() >= ALIKE_FROM {
                let (code, of) = kind(&alike[0]);
                put(
                    &mut text,
                    format_args!("  {} × {}, {}:\n", alike.len(), code.word().replace('_', " "), of.plural()),
                );
            }
            for KeptNotice { what, notice, .. } in alike {
                put(&mut text, format_args!("  {what}\n    ID {}\n", notice.id));
            }
        }
    }
    text
}

/// What a notice is, and about which kind of row.
fn kind(kept: &KeptNotice) -> (NoticeCode, Kind) {
    (kept.notice.code, kept.notice.kind)
}

/// Where it stands: the names above it, and its own.
fn path(change: &ChangeDocument) -> String {
    let names = change.path.iter().chain([&change.name]);
    names.map(|name| Shown::of(name).clipped(NAME_COLUMNS).to_string()).collect::<Vec<_>>().join(" › ")
}

fn details(row: &PendingRow, now: Timestamp) -> String {
    format!("{} %, waits {}, ID {}", row.change.confidence, age(now, row.first_seen), row.change.id)
}

/// What waits, with what waits alike beside it, in the order of the first of each.
fn alike(queue: &Queue) -> Vec<Vec<&PendingRow>> {
    let mut places = BTreeMap::new();
    let mut groups: Vec<Vec<&PendingRow>> = Vec::new();
    for row in &queue.rows {
        let PendingRow { change, waits, reason, .. } = row;
        // What holds each of them back may be another row; what is for review differs by its reason.
        let why = change.hold.as_ref().map_or(Err(reason), |hold| Ok(hold.code));
        let place =
            *places.entry((change.action, change.kind, *waits, why, queue.is_approved(row))).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    groups
}

/// How it waits, and whether somebody has approved it.
fn standing_of(queue: &Queue, row: &PendingRow) -> String {
    match queue.decision(row.change.id) {
        Some((Decision::Approve, by)) if row.waits == Waits::Failed => {
            format!("failed, and approved by {by} for the next run")
        }
        Some((Decision::Approve, _)) if row.change.needs_second => {
            let words = four_eyes::words(four_eyes::names(queue.approvals(row)));
            if queue.is_approved(row) { format!("{words}, for the next run") } else { row.waits.word().to_owned() }
        }
        Some((made @ Decision::Approve, by)) => made.words(by).to_string(),
        None if row.change.needs_second && row.waits == Waits::Review => {
            format!("{}, {}", row.waits.word(), four_eyes::words([]))
        }
        _ => row.waits.word().to_owned(),
    }
}

/// How many wait how, as ` (17 for review, 13 held)`; nothing where none does.
fn how(queue: &Queue, standing: &[&Remembered]) -> String {
    let mut counts: BTreeMap<Waits, usize> = BTreeMap::new();
    let rows = queue.rows.iter().filter(|row| !queue.is_approved(row)).map(|row| row.waits);
    let standing = standing.iter().map(|known| match known.said.verdict.decision {
        Some(Decision::Flag { .. }) => Waits::Flagged,
        Some(_) => Waits::Skipped,
        None => Waits::Review,
    });
    rows.chain(standing).for_each(|waits| *counts.entry(waits).or_default() += 1);
    let word = |waits: &Waits| if *waits == Waits::Review { "for review" } else { waits.word() };
    let counts: Vec<String> = counts.iter().map(|(waits, count)| format!("{count} {}", word(waits))).collect();
    if counts.is_empty() { String::new() } else { format!(" ({})", counts.join(", ")) }
}

fn people_needed(waiting: usize) -> String {
    match waiting {
        0 => "Nothing waits for a person".to_owned(),
        1 => "1 change waits for a person".to_owned(),
        _ => format!("{waiting} changes wait for a person"),
    }
}

/// How long something has waited, in its largest unit.
pub(super) fn age(now: Timestamp, since: Timestamp) -> String {
    let waited = now.duration_since(since).max(SignedDuration::ZERO);
    match (waited.as_hours(), waited.as_mins()) {
        (48.., _) => format!("for {} days", waited.as_hours() / 24),
        (2.., _) => format!("for {} hours", waited.as_hours()),
        (_, 2..) => format!("for {} minutes", waited.as_mins()),
        _ => "since just now".to_owned(),
    }
}

/// Decides about what waits, or takes decisions back.
pub(super) async fn act(installation: &Installation, act: Act, as_json: bool) -> Result<(), RunError> {
    let mut text = String::new();
    match act {
        Act::Approve(which) => {
            let QueueApproval { approved, half, again, overtaken, held, waits } =
                pending::approve(installation, &which.meant()).await?;
            for what in &approved {
                put(&mut text, format_args!("approved: {what}\n"));
            }
            for what in &half {
                put(&mut text, format_args!("approved by you, and needs a second person: {what}\n"));
            }
            for what in &again {
                put(&mut text, format_args!("{}\n", four_eyes::again_words(what)));
            }
            put_overtaken(&mut text, &overtaken);
            if let Some((waits, otherwise)) = waits {
                let ids: Vec<String> = otherwise.iter().map(ToString::to_string).collect();
                let ids = ids.join(" ");
                put(&mut text, format_args!("{waits}; `punchlist pending approve {ids}` approves it too.\n"));
            }
            if held > 0 {
                put(&mut text, format_args!("{held} are held, and cannot be approved now.\n"));
            }
            if !approved.is_empty() {
                text.push_str(
                    "`punchlist apply --pending` applies them now; otherwise the next run with --auto-approve does.\n",
                );
            }
        }
        Act::Clear(which) => {
            let Kept { kept, overtaken } = pending::clear(installation, &which.meant()).await?;
            for what in kept {
                put(&mut text, format_args!("not decided any more: {what}\n"));
            }
            put_overtaken(&mut text, &overtaken);
            if text.is_empty() {
                text.push_str("Nothing was decided about what this names.\n");
            }
        }
        Act::Ignore { ids } => {
            let Kept { kept, overtaken } = pending::ignore(installation, &ids).await?;
            for said in kept {
                put(&mut text, format_args!("ignored: {}\n", said.what));
            }
            put_overtaken(&mut text, &overtaken);
            text.push_str("It holds as long as the same is said; `punchlist ignored revoke ID…` takes it back.\n");
        }
    }
    if text.is_empty() {
        text.push_str("Nothing waits that this names.\n");
    }
    tell_done(&text, as_json)
}

/// Tells what was not kept.
fn put_overtaken(text: &mut String, overtaken: &[Overtaken]) {
    for lost in overtaken {
        put(text, format_args!("{}\n", overtaken_line(lost)));
    }
}

/// Lists what was ignored for good, or asks about some of it again.
pub(super) async fn ignored(
    installation: &Installation,
    revoke: Option<Ignored>,
    as_json: bool,
) -> Result<(), RunError> {
    let Some(Ignored::Revoke { ids, all }) = revoke else {
        let known = pending::ignored(&installation.read_state().await?).await?;
        return if as_json { say_json(&ignored_json(&known)) } else { say(&ignored_text(&known)) };
    };
    let mut text = String::new();
    let Kept { kept, overtaken } = pending::revoke(installation, Some(ids.as_slice()).filter(|_| !all)).await?;
    put_overtaken(&mut text, &overtaken);
    for said in kept {
        put(&mut text, format_args!("asked about again: {}\n", said.what));
    }
    if text.is_empty() {
        text.push_str("Nothing is ignored.\n");
    }
    tell_done(&text, as_json)
}

fn ignored_json(known: &[Remembered]) -> serde_json::Value {
    let row = |Remembered { said, by, at }: &Remembered| {
        serde_json::json!({
            "id": said.change, "page_id": said.page.in_notion().map(|page| page.to_string()), "what": said.what, "by": by, "at": at,
        })
    };
    serde_json::json!({ "format": "punchlist/ignored/1", "changes": known.iter().map(row).collect::<Vec<_>>() })
}

fn ignored_text(known: &[Remembered]) -> String {
    let mut text = String::new();
    for Remembered { said, by, at } in known {
        put(&mut text, format_args!("{}\n", said.what));
        put(&mut text, format_args!("    ignored by {by} on {}, ID {}\n", at.strftime("%Y-%m-%d"), said.change));
    }
    match known.len() {
        0 => text.push_str("Nothing is ignored.\n"),
        _ => text.push_str(
            "\nEach holds as long as the change proposes the same. `punchlist ignored revoke ID…` asks about it again.\n",
        ),
    }
    text
}
