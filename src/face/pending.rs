//! What waits for a person and what was ignored for good: listed, approved for the next run, taken back. Only the state is looked at.

use std::collections::{BTreeMap, BTreeSet};

use clap::{Args, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{
    cli::say,
    failure::{Code, Failure},
    text::put,
    workplace::Setup,
};
use crate::{
    domain::{
        model::{Kind, ObjectId, PageId},
        pending::Waits,
        plan::{
            Action, ChangeId,
            document::{ChangeDocument, NoticeDocument},
        },
        review::{Decision, Remembered, Said, Verdict, with_needed},
        text::{Display, json},
    },
    edge::store::{PendingRow, Store},
    engine::session::{NOTICES, Told},
};

/// The format's name and version.
const FORMAT: &str = "punchlist/pending/1";
/// Columns of a name; longer ones are cut in the middle.
const NAME_COLUMNS: usize = 60;

/// What to do about what waits.
#[derive(Subcommand)]
pub(super) enum Act {
    /// Approve changes that wait: the next run with --auto-approve applies them, or `punchlist apply --pending` at once
    Approve(Which),
    /// Take back what was decided about changes that wait
    Clear(Which),
    /// Settle what comes in every run: notices that you know of and changes that you do not want, as long as they say the same
    Ignore {
        /// Their IDs, or how they begin
        #[arg(required = true)]
        ids: Vec<String>,
    },
}

/// Which of the changes that wait.
#[derive(Args)]
pub(super) struct Which {
    /// Their IDs, or how they begin
    #[arg(required_unless_present_any = ["all", "kind", "action"])]
    ids: Vec<String>,
    /// All of them
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// All of one kind
    #[arg(long, conflicts_with = "ids")]
    kind: Option<KindWord>,
    /// All with one action, e.g. update or close
    #[arg(long, conflicts_with = "ids", value_parser = action)]
    action: Option<Action>,
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

#[derive(Clone, Copy, ValueEnum)]
enum KindWord {
    Client,
    Project,
    Task,
}

fn action(word: &str) -> Result<Action, String> {
    let all = [
        Action::Create,
        Action::Link,
        Action::Update,
        Action::Move,
        Action::Close,
        Action::Reopen,
        Action::WriteBack,
        Action::ClearClaim,
    ];
    let words = || all.map(Action::word).join(", ");
    all.into_iter().find(|action| action.word() == word).ok_or_else(|| format!("it is one of {}", words()))
}

/// A change that waits, as `pending/1` shows it.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    change: &'a ChangeDocument,
    /// How it waits: `review`, `held`, `flagged`, `skipped` or `failed`.
    waits: Waits,
    /// Why.
    because: &'a str,
    /// When a run first left it.
    first_seen: Timestamp,
    /// True when somebody has approved it: the next run applies it.
    approved: bool,
    /// Who has decided something about it.
    decided_by: Option<&'a str>,
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
    changes: Vec<Row<'a>>,
    /// Decisions about changes that are not among these: they hold as long as the plan has the change.
    decisions: Vec<Standing<'a>>,
    /// What the last plan said without a change.
    notices: Vec<&'a NoticeDocument>,
}

/// What waits, and what people said about it.
#[derive(Default)]
struct Queue {
    rows: Vec<PendingRow>,
    said: BTreeMap<ChangeId, Remembered>,
    notices: Vec<Told>,
}

impl Queue {
    fn of(store: &Store) -> Result<Self, Failure> {
        let said = store.verdicts()?.into_iter().map(|known| (known.said.change.clone(), known)).collect();
        let mut queue = Self { rows: store.pending()?, said, notices: store.recall(NOTICES)?.unwrap_or_default() };
        // What was ignored since waits for nobody, although no run has said so yet.
        let ignored: BTreeSet<ChangeId> =
            queue.said.values().filter(|known| is_ignored(known)).map(|known| known.said.change.clone()).collect();
        queue.rows.retain(|row| !ignored.contains(&ChangeId(row.change.id.clone())));
        queue.notices.retain(|told| !ignored.contains(&ChangeId(told.notice.id.clone())));
        Ok(queue)
    }

    fn decision(&self, id: &str) -> Option<(&Decision, &str)> {
        let known = self.said.get(&ChangeId(id.to_owned()))?;
        Some((known.said.verdict.decision.as_ref()?, known.by.as_str()))
    }

    fn shown<'a>(&'a self, row: &'a PendingRow) -> Row<'a> {
        let PendingRow { change, waits, reason, first_seen } = row;
        let decided_by = self.decision(&change.id).map(|(_, by)| by);
        let approved = self.is_approved(row);
        Row { change, waits: *waits, because: reason, first_seen: *first_seen, approved, decided_by }
    }

    fn is_approved(&self, row: &PendingRow) -> bool {
        matches!(self.decision(&row.change.id), Some((Decision::Approve, _)))
    }

    /// What was said about changes that no run has left, as in a review that ended before anything was applied.
    fn standing(&self) -> impl Iterator<Item = &Remembered> {
        let left: BTreeSet<&str> = self.rows.iter().map(|row| row.change.id.as_str()).collect();
        let stands = move |known: &&Remembered| !is_ignored(known) && !left.contains(known.said.change.0.as_str());
        self.said.values().filter(stands)
    }
}

fn is_ignored(known: &Remembered) -> bool {
    known.said.verdict.decision == Some(Decision::Ignore)
}

fn is_approval(known: &Remembered) -> bool {
    known.said.verdict.decision == Some(Decision::Approve)
}

fn stands(known: &Remembered) -> Standing<'_> {
    let Remembered { said, by, at } = known;
    let page_id = said.page.in_notion().map(|page| page.to_string());
    Standing { id: &said.change, page_id, what: &said.what, approved: is_approval(known), decided_by: by, decided_at: *at }
}

/// Lists what waits.
pub(super) fn list(setup: &Setup, as_json: bool) -> Result<(), Failure> {
    let queue = match setup.look_at_state()? {
        Some(store) => Queue::of(&store)?,
        None => Queue::default(),
    };
    if as_json {
        let changes = queue.rows.iter().map(|row| queue.shown(row)).collect();
        let notices = queue.notices.iter().map(|told| &told.notice).collect();
        let document = Document { format: FORMAT, changes, decisions: queue.standing().map(stands).collect(), notices };
        return say(&format!("{}\n", json(&document).map_err(|error| Failure::new(Code::Error, error))?));
    }
    say(&text(&queue, Timestamp::now()))
}

fn text(queue: &Queue, now: Timestamp) -> String {
    let mut text = String::new();
    for row in &queue.rows {
        let PendingRow { change, waits, reason, first_seen } = row;
        let name = Display::of(&change.name);
        let above = change.path.iter().map(|name| Display::of(name).clipped(NAME_COLUMNS).to_string());
        let path = above.chain([name.clipped(NAME_COLUMNS).to_string()]).collect::<Vec<_>>().join(" › ");
        let state = match queue.decision(&change.id) {
            Some((Decision::Approve, by)) if *waits == Waits::Failed => format!("failed, and approved by {by} for the next run"),
            Some((Decision::Approve, by)) => format!("approved by {by}, for the next run"),
            _ => waits.word().to_owned(),
        };
        put(&mut text, format_args!("{} {} {path}\n", change.action, change.kind));
        put(&mut text, format_args!("    {state}: {reason}\n"));
        put(&mut text, format_args!("    {} %, waits {}, ID {}\n", change.confidence, age(now, *first_seen), change.id));
    }
    for known in queue.standing() {
        let Remembered { said, by, at } = known;
        let state = match &said.verdict.decision {
            Some(Decision::Approve) => format!("approved by {by}, for the next run"),
            Some(Decision::Flag { .. }) => format!("flagged by {by}"),
            Some(Decision::Skip | Decision::Ignore) => format!("skipped by {by}"),
            None => format!("{by} has begun to decide about it"),
        };
        put(&mut text, format_args!("{}\n", Display::of(&said.what)));
        put(&mut text, format_args!("    {}, {}, ID {}\n", Display::of(&state), age(now, *at), said.change));
    }
    let of_rows = queue.rows.iter().filter(|row| queue.is_approved(row)).count();
    let approved = of_rows + queue.standing().filter(|known| is_approval(known)).count();
    let waiting = queue.rows.len() - of_rows;
    match queue.rows.len() {
        0 if approved == 0 => text.push_str("Nothing waits for a person.\n"),
        _ => put(&mut text, format_args!("\n{}.", people_needed(waiting))),
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
        for Told { what, notice, .. } in &queue.notices {
            put(&mut text, format_args!("  {what}\n    ID {}\n", notice.id));
        }
    }
    text
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

/// Approves changes, together with those that wait too and that they need; or takes decisions back, also about what no run has left.
pub(super) fn act(setup: &Setup, act: &Act) -> Result<(), Failure> {
    let mut store = setup.open_state()?;
    let queue = Queue::of(&store)?;
    let which = match act {
        Act::Approve(which) => which,
        Act::Clear(which) => return clear(setup, &mut store, &queue, which),
        Act::Ignore { ids } => return ignore(setup, &mut store, &queue, ids),
    };
    let chosen = choose(&queue, which)?;
    let mut chosen: BTreeSet<usize> = chosen.into_iter().collect();
    let held = chosen.iter().filter(|at| queue.rows[**at].waits == Waits::Held).count();
    if let Some(at) = chosen.iter().find(|at| !which.ids.is_empty() && queue.rows[**at].waits == Waits::Held) {
        let row = &queue.rows[*at];
        let error = format!("{} cannot be approved now: {}", row.change.id, row.reason);
        return Err(Failure::new(Code::Error, error)
            .hint(format!("mend what holds it; or `punchlist pending ignore {}` asks about it no more", row.change.id)));
    }
    chosen.retain(|at| queue.rows[*at].waits != Waits::Held);
    let by_id: BTreeMap<&str, usize> = queue.rows.iter().enumerate().map(|(at, row)| (row.change.id.as_str(), at)).collect();
    let needs = |at: usize| queue.rows[at].change.requires.iter().filter_map(|id| by_id.get(id.as_str()).copied());
    let chosen = with_needed(chosen, needs);
    let needed = chosen.iter().flat_map(|&at| needs(at).map(move |needed| (at, needed)));
    if let Some((at, needed)) = needed.into_iter().find(|(_, needed)| queue.rows[*needed].waits == Waits::Held) {
        let (row, needed) = (&queue.rows[at], &queue.rows[needed]);
        let error = format!("{} needs {}, which is held", words(&row.change), words(&needed.change));
        return Err(Failure::new(Code::Error, error).hint(needed.reason.clone()));
    }
    let said: Vec<Said> = chosen.iter().map(|at| approved(&queue, &queue.rows[*at])).collect();
    if !said.is_empty() {
        setup.keep(&mut store, "pending approve", &said)?;
    }
    let mut text = String::new();
    for at in &chosen {
        put(&mut text, format_args!("approved: {}\n", words(&queue.rows[*at].change)));
    }
    if held > 0 {
        put(&mut text, format_args!("{held} are held, and cannot be approved now.\n"));
    }
    if !chosen.is_empty() {
        text.push_str("`punchlist apply --pending` applies them now; otherwise the next run with --auto-approve does.\n");
    }
    if text.is_empty() {
        text.push_str("Nothing waits that this names.\n");
    }
    say(&text)
}

/// Takes back what was decided: about what waits, and about what no run has left yet.
fn clear(setup: &Setup, store: &mut Store, queue: &Queue, which: &Which) -> Result<(), Failure> {
    let standing: Vec<&Remembered> = queue.standing().collect();
    // Of what no run has left, only IDs and words are known: kinds and actions name what waits alone.
    let (rows, standing): (Vec<usize>, Vec<&Remembered>) = if which.ids.is_empty() {
        (choose(queue, which)?, if which.all { standing } else { Vec::new() })
    } else {
        let of_rows = queue.rows.iter().map(|row| row.change.id.as_str());
        let ids = of_rows.chain(standing.iter().map(|known| known.said.change.0.as_str())).enumerate();
        let named: BTreeSet<usize> = which.ids.iter().map(|id| named(id, ids.clone())).collect::<Result<_, _>>()?;
        let (rows, others): (Vec<usize>, Vec<usize>) = named.into_iter().partition(|at| *at < queue.rows.len());
        (rows, others.into_iter().map(|at| standing[at - queue.rows.len()]).collect())
    };
    let of_rows = rows.into_iter().map(|at| &queue.rows[at]).map(|row| (said(row, Verdict::default()), words(&row.change)));
    let of_standing = standing.into_iter().map(|known| {
        let what = format!("{} ({})", Display::of(&known.said.what), known.said.change);
        (Said { verdict: Verdict::default(), ..known.said.clone() }, what)
    });
    let (said, cleared): (Vec<Said>, Vec<String>) = of_rows.chain(of_standing).unzip();
    if said.is_empty() {
        return say("Nothing waits that this names.\n");
    }
    setup.keep(store, "pending clear", &said)?;
    let mut text = String::new();
    for what in cleared {
        put(&mut text, format_args!("not decided any more: {what}\n"));
    }
    say(&text)
}

/// Settles notices and changes that come in every run, as long as they say the same.
fn ignore(setup: &Setup, store: &mut Store, queue: &Queue, ids: &[String]) -> Result<(), Failure> {
    let ignored = || Verdict { decision: Some(Decision::Ignore), ..Verdict::default() };
    let of_rows = queue.rows.iter().map(|row| said(row, ignored()));
    let of_notices = queue.notices.iter().map(|told| {
        let Told { what, page, notice } = told;
        Said { change: ChangeId(notice.id.clone()), page: *page, what: what.clone(), verdict: ignored() }
    });
    let all: Vec<Said> = of_rows.chain(of_notices).collect();
    let known = || all.iter().enumerate().map(|(at, said)| (at, said.change.0.as_str()));
    let meant: BTreeSet<usize> = ids.iter().map(|id| named(id, known())).collect::<Result<_, _>>()?;
    let said: Vec<Said> = meant.into_iter().map(|at| all[at].clone()).collect();
    setup.keep(store, "pending ignore", &said)?;
    let mut text = String::new();
    for said in &said {
        put(&mut text, format_args!("ignored: {}\n", Display::of(&said.what)));
    }
    text.push_str("It holds as long as the same is said; `punchlist ignored revoke ID…` takes it back.\n");
    say(&text)
}

fn words(change: &ChangeDocument) -> String {
    format!("{} {} “{}” ({})", change.action, change.kind, Display::of(&change.name).clipped(NAME_COLUMNS), change.id)
}

/// The places of the rows that are meant.
fn choose(queue: &Queue, which: &Which) -> Result<Vec<usize>, Failure> {
    let rows = || queue.rows.iter().enumerate();
    if which.ids.is_empty() {
        let kind = which.kind.map(|kind| match kind {
            KindWord::Client => Kind::Client,
            KindWord::Project => Kind::Project,
            KindWord::Task => Kind::Task,
        });
        let meant = |row: &PendingRow| {
            kind.is_none_or(|kind| row.change.kind == kind) && which.action.is_none_or(|action| row.change.action == action)
        };
        return Ok(rows().filter(|(_, row)| meant(row)).map(|(at, _)| at).collect());
    }
    which.ids.iter().map(|id| named(id, rows().map(|(at, row)| (at, row.change.id.as_str())))).collect()
}

/// The one that an ID means, or its beginning.
fn named<'a>(id: &str, all: impl Iterator<Item = (usize, &'a str)>) -> Result<usize, Failure> {
    let shown = Display::of(id);
    let found: Vec<usize> = all.filter(|(_, known)| !id.is_empty() && known.starts_with(id)).map(|(at, _)| at).collect();
    match found.as_slice() {
        [at] => Ok(*at),
        [] => Err(Failure::new(Code::Error, format!("nothing waits with the ID {shown}"))
            .hint("`punchlist pending` lists what waits; it may have been withdrawn, since it is no longer true")),
        several => Err(Failure::new(Code::Error, format!("{} IDs begin with {shown}", several.len())).hint("give more of it")),
    }
}

/// The verdict that approves it; the way, the fields and the values that were chosen before stay.
fn approved(queue: &Queue, row: &PendingRow) -> Said {
    let before = queue.said.get(&ChangeId(row.change.id.clone())).map(|known| known.said.verdict.clone());
    said(row, Verdict { decision: Some(Decision::Approve), ..before.unwrap_or_default() })
}

fn said(row: &PendingRow, verdict: Verdict) -> Said {
    let page = row.change.page_id.as_deref().and_then(|page| page.parse().ok());
    let stand_in = || row.change.clockify_id.as_deref().and_then(|id| PageId::stand_in(id.parse::<ObjectId>().ok()?));
    let page = page.or_else(stand_in).unwrap_or(PageId::from_number(0));
    Said { change: ChangeId(row.change.id.clone()), page, what: words(&row.change), verdict }
}

/// Lists what was ignored for good, or asks about some of it again.
pub(super) fn ignored(setup: &Setup, revoke: Option<&Ignored>, as_json: bool) -> Result<(), Failure> {
    let Some(Ignored::Revoke { ids, all }) = revoke else {
        let known = setup.look_at_state()?.map(|store| store.verdicts()).transpose()?.unwrap_or_default();
        let known: Vec<Remembered> = known.into_iter().filter(is_ignored).collect();
        return say(&if as_json { ignored_json(&known)? } else { ignored_text(&known) });
    };
    let mut store = setup.open_state()?;
    let known: Vec<Remembered> = store.verdicts()?.into_iter().filter(is_ignored).collect();
    let ids_known = || known.iter().enumerate().map(|(at, known)| (at, known.said.change.0.as_str()));
    let revoked: Vec<usize> = if *all {
        (0..known.len()).collect()
    } else {
        ids.iter()
            .map(|id| named(id, ids_known()))
            .collect::<Result<_, Failure>>()
            .map_err(|failure| Failure { hints: vec!["`punchlist ignored` lists what is ignored".to_owned()], ..failure })?
    };
    let said: Vec<Said> = revoked.iter().map(|at| Said { verdict: Verdict::default(), ..known[*at].said.clone() }).collect();
    if !said.is_empty() {
        setup.keep(&mut store, "ignored revoke", &said)?;
    }
    let mut text = String::new();
    for said in &said {
        put(&mut text, format_args!("asked about again: {}\n", Display::of(&said.what)));
    }
    if text.is_empty() {
        text.push_str("Nothing is ignored.\n");
    }
    say(&text)
}

fn ignored_json(known: &[Remembered]) -> Result<String, Failure> {
    let row = |Remembered { said, by, at }: &Remembered| {
        serde_json::json!({
            "id": said.change, "page_id": said.page.in_notion().map(|page| page.to_string()), "what": said.what, "by": by, "at": at,
        })
    };
    let document = serde_json::json!({ "format": "punchlist/ignored/1", "changes": known.iter().map(row).collect::<Vec<_>>() });
    Ok(format!("{}\n", json(&document).map_err(|error| Failure::new(Code::Error, error))?))
}

fn ignored_text(known: &[Remembered]) -> String {
    let mut text = String::new();
    for Remembered { said, by, at } in known {
        put(&mut text, format_args!("{}\n", Display::of(&said.what)));
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
