use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::domain::{
    diff::tests::laws::cases,
    four_eyes::{FourEyes, POLICY},
    model::{Kind, PageId, Service},
    plan::{Action, Cause, Change, Proposal, State},
    rules::Rules,
    text::Raw,
};

const PERSONS: [&str; 3] = ["ana", "ben", "cleo"];

/// What is said of some changes, whatever was seen of them.
fn said(review: &mut Review<&Plan>, changed: &[usize]) -> Vec<Said> {
    review.unworded(changed).said().into_iter().map(|upon| upon.said).collect()
}

fn change(number: u64, cause: Cause, requires: &[u64]) -> Change {
    let proposal = Proposal {
        action: Action::Create,
        side: Service::Clockify,
        object: None,
        fields: vec![],
        confidence: 100,
        reason: Shown::default(),
    };
    Change {
        id: ChangeId::from_number(number),
        kind: Kind::Client,
        page: PageId::from_number(number.into()),
        name: Raw::from("Acme"),
        parent: None,
        claimed: None,
        cause,
        alternatives: vec![Proposal { action: Action::Link, ..proposal.clone() }],
        proposal,
        hold: None,
        state: State::Review,
        requires: requires.iter().copied().map(ChangeId::from_number).collect(),
        tracked_seconds: None,
        refiling: None,
    }
}

/// A change that needs two persons, one that rests on it, and one that needs nobody.
fn plan() -> Plan {
    let changes = vec![change(1, Cause::Undone, &[]), change(2, Cause::New, &[1]), change(3, Cause::New, &[])];
    let rules = Rules { four_eyes: FourEyes { undo: true, ..FourEyes::default() }, ..Rules::default() };
    Plan { changes, ..Plan::default() }.seal(&rules)
}

/// What is kept, as a state keeps it.
#[derive(Default)]
struct Kept(BTreeMap<ChangeId, Remembered>);

impl Kept {
    fn keep(&mut self, by: &str, said: Vec<Said>) {
        for said in said {
            let said = said.kept_by(by, Timestamp::UNIX_EPOCH, &self.0);
            let (change, is_void) = (said.change, said.verdict == Resolution::default());
            let known = Remembered { said, by: by.to_owned(), at: Timestamp::UNIX_EPOCH };
            self.0.insert(change, known);
            self.0.retain(|other, _| *other != change || !is_void);
        }
    }

    fn review<'p>(&self, plan: &'p Plan, by: &str) -> Review<&'p Plan> {
        let mut review = Review::new(plan, by);
        review.recall(self.0.values().cloned().map(Remembered::recalled));
        review
    }

    fn approve(&mut self, plan: &Plan, by: &str) -> usize {
        let mut review = self.review(plan, by);
        let changed = review.decide(&[0], Some(&Decision::Approve));
        self.keep(by, said(&mut review, &changed));
        changed.len()
    }

    fn is_approved(&self, plan: &Plan) -> bool {
        self.review(plan, POLICY).is_approved(0)
    }
}

#[test]
fn policy_approves_nothing_that_needs_two_persons_nor_what_rests_on_it() {
    let plan = plan();
    assert_eq!(plan.changes.iter().map(|change| change.state).collect::<Vec<_>>(), {
        [State::Review, State::Review, State::Ready]
    });

    let mut review = Review::by_policy(&plan);
    review.approve_all(|_| true);
    review.approve_undecided(|_| true);
    review.decide(&[0, 1], Some(&Decision::Approve));

    let made: Vec<ChangeId> = review.approved().changes().iter().map(|change| change.id).collect();
    assert_eq!(made, [ChangeId::from_number(3)]);
}

#[test]
fn two_persons_approve_and_the_first_one_again_changes_nothing() {
    let (plan, mut kept) = (plan(), Kept::default());

    assert_eq!(kept.approve(&plan, "ana"), 1);
    assert!(!kept.is_approved(&plan));
    let ana = kept.review(&plan, "ana");
    assert_eq!(ana.second_words(0).as_deref(), Some("approved by ana; needs a second person"));
    assert!(ana.has_own_approval(0) && !kept.review(&plan, "ben").has_own_approval(0));
    assert_eq!(kept.approve(&plan, "ana"), 0, "again");
    assert!(!kept.is_approved(&plan));

    assert_eq!(kept.approve(&plan, "ben"), 1);

    assert!(kept.is_approved(&plan));
    let approved = kept.review(&plan, POLICY).approved();
    let names: Vec<&str> = four_eyes::names(&approved.verdicts()[0].0.verdict.approvals).collect();
    assert_eq!(names, ["ana", "ben"]);
}

#[test]
fn an_approval_of_before_the_rule_counts_for_whoever_has_given_it() {
    let plan = plan();
    let before = Plan { second: BTreeSet::new(), ..plan.clone() };
    let mut kept = Kept::default();
    kept.approve(&before, "ana");
    assert_eq!(kept.0.values().next().expect("kept").said.verdict.approvals, [], "one is enough: nothing is noted");

    assert!(!kept.is_approved(&plan));
    assert_eq!(kept.approve(&plan, "ana"), 0);
    kept.approve(&plan, "ben");

    assert!(kept.is_approved(&plan));
}

#[test]
fn another_decision_takes_the_approvals_back_and_undoing_it_brings_nobody_elses_back() {
    let (plan, mut kept) = (plan(), Kept::default());
    kept.approve(&plan, "ana");
    for decision in [Some(Decision::Skip), Some(Decision::Flag { note: String::new() }), Some(Decision::Ignore), None] {
        let mut ben = kept.review(&plan, "ben");
        let changed = ben.decide(&[0], decision.as_ref());
        assert!(ben.verdict(0).approvals.is_empty(), "{decision:?}");
        let said = said(&mut ben, &changed);
        assert_eq!(said.len(), 1);
        let undone = ben.undo();
        assert_eq!(ben.verdict(0).decision, None, "{decision:?}: ana is asked again");
        assert_eq!(undone, [0]);
    }
}

#[test]
fn another_way_is_not_what_the_first_person_has_approved() {
    let (plan, mut kept) = (plan(), Kept::default());
    kept.approve(&plan, "ana");
    let mut ben = kept.review(&plan, "ben");
    let changed = ben.resolve(&[0], 1);
    kept.keep("ben", said(&mut ben, &changed));

    assert!(!kept.is_approved(&plan));
    assert_eq!(kept.review(&plan, "ana").second_words(0).as_deref(), Some("approved by ben; needs a second person"));
    kept.approve(&plan, "ana");
    assert!(kept.is_approved(&plan));
}

#[test]
fn what_was_taken_back_meanwhile_does_not_come_back_with_a_stale_view() {
    let (plan, mut kept) = (plan(), Kept::default());
    kept.approve(&plan, "ana");
    let mut ben = kept.review(&plan, "ben");
    let mut ana = kept.review(&plan, "ana");
    let changed = ana.decide(&[0], Some(&Decision::Skip));
    kept.keep("ana", said(&mut ana, &changed));

    let changed = ben.decide(&[0], Some(&Decision::Approve));
    kept.keep("ben", said(&mut ben, &changed));

    assert!(!kept.is_approved(&plan));
}

proptest! {
    #![proptest_config(cases(512))]

    /// Whatever people say, in whatever order, on however old a view: what is made was approved by two of them since it
    /// was last said otherwise.
    #[test]
    fn nothing_is_made_with_fewer_than_two_persons(acts in vec((0..PERSONS.len(), 0..10_u8), 0..24)) {
        let (plan, mut kept) = (plan(), Kept::default());
        let mut views: Vec<_> = PERSONS.iter().map(|by| kept.review(&plan, by)).collect();
        // Who has approved it, in which way, since it was last said otherwise.
        let mut approvers: BTreeSet<&str> = BTreeSet::new();
        let mut way = 0;
        for (who, act) in acts {
            let (by, view) = (PERSONS[who], &mut views[who]);
            let changed = match act {
                0..=2 => view.decide(&[0], Some(&Decision::Approve)),
                3 => view.decide(&[1], Some(&Decision::Approve)),
                4 => view.decide(&[0], Some(&Decision::Skip)),
                5 => view.decide(&[0], None),
                6 => view.choose(0, 1 - view.verdict(0).way),
                7 => view.undo(),
                8 => view.redo(),
                _ => {
                    *view = kept.review(&plan, by);
                    continue;
                }
            };
            kept.keep(by, said(view, &changed));
            let now = kept.0.get(&plan.changes[0].id).map(|known| known.said.verdict.clone()).unwrap_or_default();
            if now.decision != Some(Decision::Approve) || now.way != way {
                approvers.clear();
            }
            way = now.way;
            if changed.contains(&0) {
                approvers.remove(by);
                let own = view.verdict(0);
                if own.decision == Some(Decision::Approve) && four_eyes::has(&own.approvals, by) {
                    approvers.insert(by);
                }
            }
            let mut review = kept.review(&plan, POLICY);
            review.approve_undecided(|_| true);
            review.approve_recalled();
            let made = review.approved();
            let is_made = made.changes().iter().any(|change| change.id == plan.changes[0].id);
            prop_assert!(!is_made || approvers.len() >= 2, "made with {approvers:?}");
            let rests = made.changes().iter().any(|change| change.id == plan.changes[1].id);
            prop_assert!(!rests || is_made, "what rests on it was made without it");
            prop_assert!(is_made || approvers.len() < 2 || now.decision != Some(Decision::Approve), "{approvers:?} were not enough");
        }
    }
}
