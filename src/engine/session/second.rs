//! Nothing is made on approvals that were taken back meanwhile, where it takes two persons.

use std::collections::{BTreeMap, BTreeSet};

use super::{Session, SessionError};
use crate::{
    domain::{
        four_eyes,
        journal::What,
        plan::{ChangeId, Plan},
        review::{Approved, Remembered, Review, Said},
    },
    edge::store::{Store, StoreError},
};

async fn known(store: &Store) -> Result<BTreeMap<ChangeId, Remembered>, StoreError> {
    Ok(store.verdicts().await?.into_iter().map(|known| (known.said.change, known.vouched())).collect())
}

impl Session<'_> {
    /// Of what was approved, what two persons stand for in the state, wherever that is needed; the rest is not started.
    pub(super) async fn with_second(&mut self, approved: Approved, plan: &Plan) -> Result<Approved, SessionError> {
        if !approved.changes().iter().any(|change| plan.needs_second(&change.id)) {
            return Ok(approved);
        }
        let known = known(self.store).await?;
        let stands = |said: &Said| {
            let Some(known) = known.get(&said.change).map(|known| &known.said.verdict) else { return false };
            known.approves_as(&said.verdict) && four_eyes::is_enough(four_eyes::names(&known.approvals))
        };
        let stands = approved.verdicts().iter().filter(|(said, _)| !plan.needs_second(&said.change) || stands(said));
        let mut review = Review::new(plan, "");
        review.recall(stands.cloned());
        let still = review.approved();
        let kept: BTreeSet<ChangeId> = still.changes().iter().map(|change| change.id).collect();
        let gone = approved.changes().iter().map(|change| change.id).filter(|id| !kept.contains(id));
        let because = "an approval was taken back meanwhile, of it or of what it needs: that takes two persons";
        self.tell(gone.map(|change| What::NotStarted { change, because: because.into() }).collect()).await?;
        Ok(still)
    }
}
