//! Saved plans: made and signed here, and later bound to what both sides say then.

use std::{collections::BTreeSet, path::Path};

use super::{
    failure::{Code, RunError},
    session::{Session, Sides},
};
use crate::{
    domain::{
        journal::What,
        plan::{
            ChangeId, Estimate, Plan, Scope, State,
            document::{ChangeDocument, Cost, Document, Saved, Signature},
            sha256,
        },
        reach::Reach,
        report::Stopped,
        review::{Approved, Review},
        rules::Allowance,
        steps::estimate,
        text::{Shown, json},
    },
    edge::{
        checkpoints::{Checkpoints, is_signed},
        saved,
    },
};

/// Bytes of a saved plan that are read.
const PLAN_BYTES_MAX: u64 = 512 << 20;

/// Reads a saved plan that our own planner has made, and nobody has changed since.
///
/// # Errors
/// Why it is not trusted.
pub fn read(file: &Path, checkpoints: &Checkpoints) -> Result<Saved, RunError> {
    let shown = Shown::of(&file.display().to_string());
    let refused = |because: &dyn std::fmt::Display, hint: &str| {
        RunError::new(Code::Error, format!("the plan {shown} cannot be used: {because}")).hint(hint)
    };
    let text = saved::read(file, PLAN_BYTES_MAX).map_err(|error| refused(&error, error.hint()))?;
    let document = Saved::read(&text).map_err(|error| refused(&error, error.hint()))?;
    let again = "make a new plan with `punchlist plan --out FILE`";
    let Some(Signature { key, value }) = &document.signature else {
        return Err(refused(&"it is not signed: an older version has made it, or somebody else", again));
    };
    if checkpoints.public_key()?.as_ref() != Some(key) {
        return Err(refused(
            &"it is signed with another key than this state's: it was made with another state, or by somebody else",
            "apply it with the state that it was made with, or make a new plan with `punchlist plan --out FILE`",
        ));
    }
    if !is_signed(&document.signed_text(), key, value) {
        return Err(refused(&"its signature does not hold: somebody else has sealed it", again));
    }
    Ok(document)
}

/// Signs a plan, so that it can be told from one that somebody else has made.
///
/// # Errors
/// Where there is no key and none can be made.
pub fn sign(document: &mut Document<'_>, checkpoints: &Checkpoints) -> Result<(), RunError> {
    let (key, value) = checkpoints.sign(&document.signed_text())?;
    document.signature = Some(Signature { key, value });
    Ok(())
}

/// Saves a plan whole or not at all, readable by its owner only: it names clients and projects.
///
/// # Errors
/// Where it cannot be written; what was there is as it was then.
pub fn save(out: &Path, document: &Document<'_>) -> Result<(), RunError> {
    let text = json(document).map_err(|error| RunError::new(Code::Error, error))?;
    let failed = |error| RunError::new(Code::Error, format!("could not save the plan to {}: {error}", out.display()));
    saved::save(out, &format!("{text}\n")).map_err(failed)
}

impl Session<'_> {
    /// What a plan has cost so far, and what applying its ready changes would cost.
    pub fn cost(&self, plan: &Plan, sides: &Sides) -> Cost {
        let estimate = self.estimate(&Review::by_policy(plan).approved(), sides);
        Cost { created_at: (self.turn.clock)(), calls: self.calls(), estimate }
    }

    /// What applying what was approved would cost, and when it would be done.
    pub fn estimate(&self, approved: &Approved, sides: &Sides) -> Estimate {
        let estimate = estimate(approved, &sides.snapshots, self.rules, &self.pace_now());
        Estimate { hourly: estimate.hourly.map(|hourly| hourly.dated((self.turn.clock)())), ..estimate }
    }

    /// Applies, of a saved plan's ready changes, those that a fresh plan proposes unchanged, and of those that its
    /// brakes hold as many as somebody lets through. The rest is refused as stale.
    ///
    /// # Errors
    /// Where the plan was made with other rules or for other workspaces, and where `allow` is said about a plan that
    /// has moved since; nothing was written then.
    pub async fn apply_saved(&mut self, saved: &Saved, allow: Vec<Allowance>) -> Result<(Plan, Stopped), RunError> {
        let again = match &saved.scope.undoes {
            None => "`punchlist plan --out FILE`".to_owned(),
            Some(run) => format!("`punchlist undo {run} --out FILE`"),
        };
        if saved.scope.rules != sha256(self.rules) {
            return Err(RunError::new(
                Code::Error,
                "the plan was made with other rules than those of the configuration",
            )
            .hint(format!("make a new plan with {again}")));
        }
        self.undoes = saved.scope.undoes;
        if !saved.scope.clients.is_empty() {
            self.reach = Reach::Clients(saved.scope.clients.iter().map(ToString::to_string).collect());
        }
        let (mut sides, mut plan) = self.fetch_and_plan().await?;
        if !of_the_same_workspaces(&saved.scope, &plan.scope) {
            return Err(RunError::new(Code::Refused, "the plan was made for other workspaces")
                .hint("use the configuration that it was made with"));
        }
        let mut ready: BTreeSet<ChangeId> = ready_of(saved).map(|change| change.id).collect();
        if !allow.is_empty() {
            if plan.hash != saved.plan_hash {
                return Err(RunError::new(
                    Code::Error,
                    "something has changed since the plan was saved, and --allow holds for that plan alone",
                )
                .hint(format!("make a new plan with {again}, and look at what it holds")));
            }
            self.release(allow).await?;
            plan = self.plan(&mut sides).await?;
            let let_through = plan.changes.iter().filter(|change| change.state == State::Ready);
            let let_through: BTreeSet<ChangeId> = let_through.map(|change| change.id).collect();
            let held = saved.changes.iter().filter(|change| change.hold.is_some());
            ready.extend(held.map(|change| change.id).filter(|id| let_through.contains(id)));
        }
        // What the file calls ready is ready where the plan of this moment says so, or where a person has approved it.
        let mut review = self.decided(&plan, "policy").await?;
        let asked: BTreeSet<ChangeId> = saved.changes.iter().map(|change| change.id).collect();
        let others = (0..plan.changes.len()).filter(|&at| !asked.contains(&plan.changes[at].id));
        review.decide(&others.collect::<Vec<_>>(), None);
        review.approve_undecided(|change| change.state == State::Ready && ready.contains(&change.id));
        self.tell(stale(saved, &review)).await?;
        let approved = review.approved();
        Ok(self.apply(sides, plan, approved).await?)
    }
}

fn ready_of(saved: &Saved) -> impl Iterator<Item = &ChangeDocument> {
    saved.changes.iter().filter(|change| change.state == State::Ready)
}

/// The saved plan's ready changes that a fresh plan would make otherwise, or leaves to a person. Where it has nothing
/// to do, what was planned is so already.
fn stale(saved: &Saved, review: &Review<&Plan>) -> Vec<What> {
    let fresh = review.plan();
    let by_page = fresh.by_page();
    let why = |change: &ChangeDocument| {
        let Some(at) = review.place(&change.id) else { return change.stale(fresh, &by_page) };
        let now = &fresh.changes[at];
        let waits = now.state == State::Review && review.verdict(at).decision.is_none();
        let (confidence, reason) = (now.proposal.confidence, &now.proposal.reason);
        waits.then(|| format!("it is for a person to decide ({confidence} %): {reason}").into())
    };
    let stale = ready_of(saved).filter_map(|change| Some((change.id, why(change)?)));
    stale.map(|(change, because)| What::NotStarted { change, because }).collect()
}

/// True where nothing says that two plans are about different workspaces. Notion's may not be told.
fn of_the_same_workspaces(one: &Scope, other: &Scope) -> bool {
    let [ones, others] = [one, other].map(|scope| scope.notion_workspace.as_str());
    let is_untold = ones.is_empty() || others.is_empty();
    (is_untold || ones == others) && one.clockify_workspace == other.clockify_workspace
}
