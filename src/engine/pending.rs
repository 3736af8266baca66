//! What waits for a person and what was ignored for good, and deciding about it outside any run. Only the state is
//! looked at.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    failure::{Code, RunError},
    run::Installation,
    session::{KeptNotice, NOTICES},
    state::State,
};
use crate::{
    domain::{
        four_eyes::{self, Approval},
        model::{Kind, ObjectId, PageId},
        pending::Waits,
        plan::{Action, ChangeId, document::ChangeDocument},
        reference::{self, Nameable, NotFound},
        reservation::Reservation,
        review::{Decision, Overtaken, Remembered, Resolution, Said, SaidUpon, waits_words, with_needed},
        text::{Raw, Shown},
    },
    edge::store::PendingRow,
};

/// Columns of a name; longer ones are cut in the middle.
const NAME_COLUMNS: usize = 60;

/// Which of the changes that wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those with these IDs, or with IDs that begin so.
    Ids(Vec<String>),
    All,
    /// Those of this kind and with this action, where it is said.
    Of(Option<Kind>, Option<Action>),
}

/// What waits, and what people said about it.
pub struct Queue {
    /// The changes that wait.
    pub rows: Vec<PendingRow>,
    said: BTreeMap<ChangeId, Remembered>,
    /// What the last plan said without a change.
    pub notices: Vec<KeptNotice>,
    /// Who decides below which client now.
    pub reserved: Vec<Reservation>,
}

impl Queue {
    /// What waits in a state, but for what was ignored.
    ///
    /// # Errors
    /// Where the state cannot be read.
    pub async fn of(state: &State, now: Timestamp) -> Result<Self, RunError> {
        let said = state.verdicts().await?.into_iter().map(|known| (known.said.change, known.vouched())).collect();
        let (rows, notices) = (state.pending().await?, state.recall(NOTICES).await?.unwrap_or_default());
        let mut queue = Self { rows, said, notices, reserved: state.reservations(now).await? };
        // What was ignored since waits for nobody, although no run has said so yet.
        let ignored: BTreeSet<ChangeId> =
            queue.said.values().filter(|known| is_ignored(known)).map(|known| known.said.change).collect();
        queue.rows.retain(|row| !ignored.contains(&row.change.id));
        queue.notices.retain(|kept| !ignored.contains(&kept.notice.id));
        for row in &mut queue.rows {
            let known = queue.said.get(&row.change.id).filter(|_| row.waits != Waits::Held);
            let Some((known, made)) = known.and_then(|known| Some((known, known.said.verdict.decision.as_ref()?)))
            else {
                continue;
            };
            let lacks_second = lacks_second(&row.change, &known.said.verdict);
            let (waits, words) = match made {
                Decision::Flag { .. } => (Waits::Flagged, made.words(&known.by)),
                Decision::Skip => (Waits::Skipped, made.words(&known.by)),
                Decision::Approve if lacks_second && row.waits != Waits::Failed => {
                    (Waits::Review, four_eyes::words(four_eyes::names(&known.said.verdict.approvals)))
                }
                Decision::Approve if row.change.needs_second && row.waits != Waits::Failed => {
                    (row.waits, row.change.reason.clone())
                }
                Decision::Approve | Decision::Ignore => continue,
            };
            (row.waits, row.reason) = (waits, words);
        }
        Ok(queue)
    }

    /// What is said now, upon what is known to have been said.
    fn upon(&self, said: Said) -> SaidUpon {
        let seen = self.said.get(&said.change).map(|known| known.said.verdict.clone()).unwrap_or_default();
        SaidUpon { said, seen }
    }

    /// What was decided about a change, and by whom.
    pub fn decision(&self, id: ChangeId) -> Option<(&Decision, &str)> {
        let known = self.said.get(&id)?;
        Some((known.said.verdict.decision.as_ref()?, known.by.as_str()))
    }

    /// Who has approved a change, where that takes two.
    pub fn approvals(&self, row: &PendingRow) -> &[Approval] {
        let known = self.said.get(&row.change.id).filter(|_| row.change.needs_second);
        known.map_or(&[], |known| &known.said.verdict.approvals)
    }

    /// True when as many people have approved it as it takes: the next run applies it.
    pub fn is_approved(&self, row: &PendingRow) -> bool {
        let known = self.said.get(&row.change.id);
        known.is_some_and(|known| is_approval(known) && !lacks_second(&row.change, &known.said.verdict))
    }

    /// What was said about changes that no run has left, as in a review that ended before anything was applied.
    pub fn standing(&self) -> impl Iterator<Item = &Remembered> {
        let left: BTreeSet<ChangeId> = self.rows.iter().map(|row| row.change.id).collect();
        let stands = move |known: &&Remembered| !is_ignored(known) && !left.contains(&known.said.change);
        self.said.values().filter(stands)
    }
}

/// True for what was ignored for good.
fn is_ignored(known: &Remembered) -> bool {
    known.said.verdict.decision == Some(Decision::Ignore)
}

/// True for what one person has approved, where that takes two.
fn lacks_second(change: &ChangeDocument, verdict: &Resolution) -> bool {
    let is_approved = verdict.decision == Some(Decision::Approve);
    is_approved && change.needs_second && !four_eyes::is_enough(four_eyes::names(&verdict.approvals))
}

/// True for an approval.
pub fn is_approval(known: &Remembered) -> bool {
    known.said.verdict.decision == Some(Decision::Approve)
}

/// What deciding has come to.
pub struct Kept<T> {
    /// What was decided.
    pub kept: Vec<T>,
    /// What was not, since somebody else decided otherwise at the same time.
    pub overtaken: Vec<Overtaken>,
}

/// Keeps what was said, each with what is told of it.
async fn keep<T>(
    installation: &Installation,
    state: &mut State,
    trigger: &str,
    said: Vec<(SaidUpon, T)>,
) -> Result<Kept<T>, RunError> {
    let (said, told): (Vec<SaidUpon>, Vec<T>) = said.into_iter().unzip();
    if said.is_empty() {
        return Ok(Kept { kept: told, overtaken: Vec::new() });
    }
    let overtaken = installation.keep(state, trigger, &said).await?;
    let lost: BTreeSet<ChangeId> = overtaken.iter().map(|lost| lost.said.change).collect();
    let kept = said.iter().zip(told).filter(|(upon, _)| !lost.contains(&upon.said.change)).map(|(_, told)| told);
    Ok(Kept { kept: kept.collect(), overtaken })
}

/// What approving changes that wait has come to.
pub struct QueueApproval {
    /// What the next run makes, in words.
    pub approved: Vec<Shown>,
    /// What one person has approved now, and what needs a second one.
    pub half: Vec<Shown>,
    /// What the same person had approved before, and what needs a second one.
    pub again: Vec<Shown>,
    /// What was not approved, since somebody else decided otherwise at the same time.
    pub overtaken: Vec<Overtaken>,
    /// How many of those that were meant are held, and so were not approved.
    pub held: usize,
    /// What the others that were approved wait for since it was decided otherwise: in words, and which that is.
    pub waits: Option<(String, Vec<ChangeId>)>,
}

/// Approves changes that wait, together with those that wait too and that they need, but for what somebody decided
/// otherwise about: that stays so.
///
/// # Errors
/// Where an ID means none or several, and where one of them, or what one needs, is held; nothing is kept then.
pub async fn approve(installation: &Installation, which: &Which) -> Result<QueueApproval, RunError> {
    let mut state = installation.open_state().await?;
    let queue = Queue::of(&state, (installation.clock)()).await?;
    let is_held = |at: &usize| queue.rows[*at].waits == Waits::Held;
    let (held, chosen): (BTreeSet<usize>, BTreeSet<usize>) = choose(&queue, which)?.into_iter().partition(is_held);
    if let (Which::Ids(_), Some(at)) = (which, held.first()) {
        let PendingRow { change, reason, .. } = &queue.rows[*at];
        return Err(RunError::new(Code::Error, format!("{} cannot be approved now: {reason}", change.id))
            .hint(format!("mend what holds it; or `punchlist pending ignore {}` asks about it no more", change.id)));
    }
    // All at once overrules nobody; a change that is named itself is meant.
    let otherwise = |at: usize| queue.decision(queue.rows[at].change.id).filter(|(made, _)| made.is_otherwise());
    let is_meant = |at: &usize| matches!(which, Which::Ids(_)) || otherwise(*at).is_none();
    let chosen: BTreeSet<usize> = chosen.into_iter().filter(is_meant).collect();
    let by_id: BTreeMap<ChangeId, usize> = queue.rows.iter().enumerate().map(|(at, row)| (row.change.id, at)).collect();
    let needs = |at: usize| queue.rows[at].change.requires.iter().filter_map(|id| by_id.get(id).copied());
    let stays = |at: usize| otherwise(at).is_some() && !chosen.contains(&at);
    let approving = with_needed(chosen.clone(), |at| needs(at).filter(|&needed| !stays(needed)));
    let needed = approving.iter().flat_map(|&at| needs(at).map(move |needed| (at, needed)));
    if let Some((at, needed)) = needed.into_iter().find(|(_, needed)| is_held(needed) && !stays(*needed)) {
        let (row, needed) = (&queue.rows[at], &queue.rows[needed]);
        let error = format!("{} needs {}, which is held", words(&row.change), words(&needed.change));
        return Err(RunError::new(Code::Error, error).hint(needed.reason.clone()));
    }
    let in_the_way = |at: usize| -> Vec<usize> {
        with_needed(BTreeSet::from([at]), needs).into_iter().filter(|&needed| stays(needed)).collect()
    };
    let (waiting, free): (Vec<usize>, Vec<usize>) = approving.iter().partition(|&&at| !in_the_way(at).is_empty());
    let stands: BTreeSet<usize> = waiting.iter().flat_map(|&at| in_the_way(at)).collect();
    let waits = stands.first().and_then(|&at| {
        let name = |at: usize| Shown::of(&queue.rows[at].change.name);
        let (made, _) = otherwise(at)?;
        let said = waits_words(waiting.len(), &name(*waiting.first()?), &name(at), made, stands.len() - 1);
        Some((said, stands.iter().map(|&at| queue.rows[at].change.id).collect()))
    });
    let by = &installation.by;
    let is_again = |at: &usize| {
        let row = &queue.rows[*at];
        !queue.is_approved(row) && four_eyes::has(queue.approvals(row), by)
    };
    let anew = approving.iter().filter(|at| !is_again(at));
    let said = anew.map(|at| (queue.upon(approved(&queue, &queue.rows[*at], by)), *at)).collect();
    let Kept { kept, overtaken } = keep(installation, &mut state, "pending approve", said).await?;
    let kept: BTreeSet<usize> = kept.into_iter().collect();
    let mut done = QueueApproval { approved: vec![], half: vec![], again: vec![], overtaken, held: held.len(), waits };
    for at in free {
        let row = &queue.rows[at];
        let Said { what, verdict, .. } = approved(&queue, row, by);
        match lacks_second(&row.change, &verdict) {
            _ if is_again(&at) => done.again.push(what),
            _ if !kept.contains(&at) => {}
            lacks if lacks => done.half.push(what),
            _ => done.approved.push(what),
        }
    }
    Ok(done)
}

/// Takes back what was decided: about what waits, and about what no run has left yet. It is told in words.
///
/// # Errors
/// Where an ID means none or several; nothing is taken back then.
pub async fn clear(installation: &Installation, which: &Which) -> Result<Kept<String>, RunError> {
    let mut state = installation.open_state().await?;
    let queue = Queue::of(&state, (installation.clock)()).await?;
    let standing: Vec<&Remembered> = queue.standing().collect();
    // Of what no run has left, only IDs and words are known: kinds and actions name what waits alone.
    let (rows, standing): (Vec<usize>, Vec<&Remembered>) = match which {
        Which::Ids(ids) => {
            let all =
                queue.rows.iter().map(Waiting::row).chain(standing.iter().map(|known| Waiting::said(&known.said)));
            let (rows, others): (Vec<usize>, Vec<usize>) =
                named(ids, all)?.into_iter().partition(|at| *at < queue.rows.len());
            (rows, others.into_iter().map(|at| standing[at - queue.rows.len()]).collect())
        }
        Which::All => (choose(&queue, which)?.into_iter().collect(), standing),
        Which::Of(..) => (choose(&queue, which)?.into_iter().collect(), Vec::new()),
    };
    let is_decided = |row: &&PendingRow| queue.said.contains_key(&row.change.id);
    let rows = rows.into_iter().map(|at| &queue.rows[at]).filter(is_decided);
    let of_rows = rows.map(|row| (said(row, Resolution::default()), words(&row.change)));
    let of_standing = standing.into_iter().map(|known| {
        let what = format!("{} ({})", known.said.what, known.said.change);
        (Said { verdict: Resolution::default(), ..known.said.clone() }, what)
    });
    let said = of_rows.chain(of_standing).map(|(said, what)| (queue.upon(said), what)).collect();
    keep(installation, &mut state, "pending clear", said).await
}

/// Settles notices and changes that come in every run, as long as they say the same.
///
/// # Errors
/// Where an ID means none or several; nothing is settled then.
pub async fn ignore(installation: &Installation, ids: &[String]) -> Result<Kept<Said>, RunError> {
    let mut state = installation.open_state().await?;
    let queue = Queue::of(&state, (installation.clock)()).await?;
    let ignored = || Resolution { decision: Some(Decision::Ignore), ..Resolution::default() };
    let of_rows = queue.rows.iter().map(|row| said(row, ignored()));
    let of_notices = queue.notices.iter().map(|kept| {
        let KeptNotice { what, page, notice } = kept;
        Said { change: notice.id, page: *page, what: what.to_string().into(), verdict: ignored() }
    });
    let all: Vec<Said> = of_rows.chain(of_notices).collect();
    let of_rows = queue.rows.iter().map(Waiting::row);
    let of_notices = queue.notices.iter().map(|KeptNotice { what, page, notice }| {
        let object = notice.clockify_id.as_deref().and_then(|object| object.parse().ok());
        let (name, told) = (notice.name.as_str().into(), what.clone());
        Waiting { id: notice.id, page: page.in_notion(), object, name, told }
    });
    let meant = named(ids, of_rows.chain(of_notices))?;
    let said = meant.into_iter().map(|at| (queue.upon(all[at].clone()), all[at].clone())).collect();
    keep(installation, &mut state, "pending ignore", said).await
}

/// What was ignored for good.
///
/// # Errors
/// Where the state cannot be read.
pub async fn ignored(state: &State) -> Result<Vec<Remembered>, RunError> {
    Ok(state.verdicts().await?.into_iter().filter(is_ignored).collect())
}

/// Asks again about what was ignored: about these, or without any about all.
///
/// # Errors
/// Where an ID means none or several; nothing is asked about again then.
pub async fn revoke(installation: &Installation, ids: Option<&[String]>) -> Result<Kept<Said>, RunError> {
    let mut state = installation.open_state().await?;
    let known = ignored(&state).await?;
    let revoked = match ids {
        None => (0..known.len()).collect(),
        Some(ids) => named(ids, known.iter().map(|known| Waiting::said(&known.said))).map_err(|failure| RunError {
            hints: vec!["`punchlist ignored` lists what is ignored".into()],
            ..failure
        })?,
    };
    let revoked = revoked.into_iter().map(|at| {
        let said = Said { verdict: Resolution::default(), ..known[at].said.clone() };
        (SaidUpon { seen: known[at].said.verdict.clone(), said: said.clone() }, said)
    });
    keep(installation, &mut state, "ignored revoke", revoked.collect()).await
}

/// The places of the rows that are meant.
fn choose(queue: &Queue, which: &Which) -> Result<BTreeSet<usize>, RunError> {
    let (kind, action) = match which {
        Which::Ids(ids) => return named(ids, queue.rows.iter().map(Waiting::row)),
        Which::All => (None, None),
        Which::Of(kind, action) => (*kind, *action),
    };
    let meant = |row: &PendingRow| {
        kind.is_none_or(|kind| row.change.kind == kind) && action.is_none_or(|action| row.change.action == action)
    };
    Ok(queue.rows.iter().enumerate().filter(|(_, row)| meant(row)).map(|(at, _)| at).collect())
}

/// What can be meant: by the ID of a change or notice, or by what that is about.
struct Waiting {
    id: ChangeId,
    page: Option<PageId>,
    object: Option<ObjectId>,
    name: Raw,
    told: Shown,
}

impl Waiting {
    fn row(row: &PendingRow) -> Self {
        let ChangeDocument { id, page_id, clockify_id, name, .. } = &row.change;
        let page = page_id.as_deref().and_then(|page| page.parse().ok());
        let object = clockify_id.as_deref().and_then(|object| object.parse().ok());
        Self { id: *id, page, object, name: name.as_str().into(), told: words(&row.change).into() }
    }

    fn said(said: &Said) -> Self {
        let (page, name) = (said.page.in_notion(), Raw::from(""));
        Self { id: said.change, page, object: None, name, told: said.what.clone() }
    }
}

/// The places of those that are meant: by IDs or their beginnings, or by the names, IDs or addresses of pages and objects.
fn named(texts: &[String], all: impl Iterator<Item = Waiting>) -> Result<BTreeSet<usize>, RunError> {
    let all: Vec<Waiting> = all.collect();
    let named = |text: &String| {
        let ids = all.iter().enumerate().filter(|(_, known)| !text.is_empty() && known.id.begins_with(text));
        let ids: Vec<usize> = ids.map(|(at, _)| at).collect();
        match ids.as_slice() {
            [_] => return Ok(ids),
            [] => {}
            several => {
                return Err(RunError::new(
                    Code::Error,
                    format!("{} IDs begin with {}", several.len(), Shown::of(text)),
                )
                .hint("give more of it"));
            }
        }
        let nameable = |(at, Waiting { id: _, page, object, name, told }): (usize, &Waiting)| Nameable {
            what: at,
            page: *page,
            object: *object,
            name: name.clone(),
            told: told.clone(),
        };
        reference::find(text, all.iter().enumerate().map(nameable)).map_err(|unclear| match unclear {
            NotFound::Unknown => RunError::new(Code::Error, format!("nothing that waits is {}", Shown::of(text)))
                .hint("`punchlist pending` lists what waits; it may have been withdrawn, since it is no longer true"),
            NotFound::Several(told, count) => RunError::ambiguous(text, &told, count),
        })
    };
    texts.iter().map(named).try_fold(BTreeSet::new(), |mut found, named| {
        found.extend(named?);
        Ok(found)
    })
}

fn words(change: &ChangeDocument) -> String {
    format!("{} {} “{}” ({})", change.action, change.kind, Shown::of(&change.name).clipped(NAME_COLUMNS), change.id)
}

/// The verdict that approves it; the way, the fields and the values that were chosen before stay.
fn approved(queue: &Queue, row: &PendingRow, by: &str) -> Said {
    let before = queue.said.get(&row.change.id).map(|known| known.said.verdict.clone()).unwrap_or_default();
    let verdict = Resolution { decision: Some(Decision::Approve), ..before.clone() };
    let one_is_enough = |verdict| Resolution { approvals: Vec::new(), ..verdict };
    said(row, if row.change.needs_second { verdict.said_by(by, &before) } else { one_is_enough(verdict) })
}

fn said(row: &PendingRow, verdict: Resolution) -> Said {
    let page = row.change.page_id.as_deref().and_then(|page| page.parse().ok());
    let stand_in = || row.change.clockify_id.as_deref().and_then(|id| PageId::stand_in(id.parse::<ObjectId>().ok()?));
    let page = page.or_else(stand_in).unwrap_or(PageId::from_number(0));
    Said { change: row.change.id, page, what: words(&row.change).into(), verdict }
}
