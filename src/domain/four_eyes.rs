//! Four eyes by rule: what one person alone does not decide. Which deeds those are is configured; who has approved one is
//! kept with what was decided about it, and it counts from the second person on. Policy is nobody.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::text::Shown;

/// As whom policy decides, which is no person.
pub const POLICY: &str = "policy";
/// How many persons it takes.
const PERSONS: usize = 2;
const SECONDS_PER_HOUR: u64 = 60 * 60;

/// Which deeds need a second person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FourEyes {
    /// Closing something with more hours tracked on it than this; never where nothing is said.
    pub close_hours: Option<u32>,
    /// Taking back what a run has written.
    pub undo: bool,
    /// What a brake withholds, once somebody has released that.
    pub release: bool,
    /// Filing time entries elsewhere, and moving a task to another project, which leaves its time behind.
    pub refile: bool,
}

/// What a change comes to, as far as four eyes look at it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deed {
    /// It closes something, in one of the ways that can be chosen.
    pub closes: bool,
    /// Time tracked on that, in seconds; nothing where that is not known.
    pub tracked_seconds: Option<u64>,
    /// It takes back what a run has written.
    pub undoes: bool,
    /// A brake would withhold it, had nobody released that.
    pub is_released: bool,
    /// It files time elsewhere, or moves a task.
    pub refiles: bool,
}

impl FourEyes {
    /// What came later is no part of the hash of rules that do not set it.
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }

    /// The rule by which one person alone does not decide it, if there is one: its key, and what that is set to. Hours
    /// that nobody knows are too many.
    pub fn rule_on(self, deed: Deed) -> Option<(&'static str, String)> {
        let Deed { closes, tracked_seconds, undoes, is_released, refiles } = deed;
        let is_more =
            |hours: &u32| tracked_seconds.is_none_or(|seconds| seconds > u64::from(*hours) * SECONDS_PER_HOUR);
        let close = self.close_hours.filter(|hours| closes && is_more(hours));
        let others = [
            ("undo", undoes && self.undo),
            ("release", is_released && self.release),
            ("refile", refiles && self.refile),
        ];
        let other = others.into_iter().find_map(|(key, holds)| holds.then(|| (key, true.to_string())));
        close.map(|hours| ("close_hours", hours.to_string())).or(other)
    }
}

/// That somebody has approved a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The person, as the log names them.
    pub by: String,
    /// When it was kept; nothing until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// Approvals with one more, unless it is the same person's, or policy's.
pub fn joined(approvals: &[Approval], by: &str) -> Vec<Approval> {
    let mut joined = approvals.to_vec();
    if by != POLICY && !by.is_empty() && !has(approvals, by) {
        joined.push(Approval { by: by.to_owned(), at: None });
    }
    joined
}

/// True where one of the approvals is this person's.
pub fn has(approvals: &[Approval], by: &str) -> bool {
    approvals.iter().any(|approval| approval.by == by)
}

/// True where enough persons have approved; none counts twice.
pub fn is_enough<'a>(names: impl IntoIterator<Item = &'a str>) -> bool {
    names.into_iter().filter(|by| *by != POLICY).collect::<BTreeSet<&str>>().len() >= PERSONS
}

/// The names of those who have approved.
pub fn names(approvals: &[Approval]) -> impl Iterator<Item = &str> + Clone {
    approvals.iter().map(|approval| approval.by.as_str())
}

/// How far approvals have come: `approved by ana; needs a second person`.
pub fn words<'a>(names: impl IntoIterator<Item = &'a str>) -> Shown {
    let names: Vec<&str> = names.into_iter().collect();
    let all = names.join(" and ");
    match names.as_slice() {
        [] => "needs two persons".into(),
        some if is_enough(some.iter().copied()) => format!("approved by {all}").into(),
        _ => format!("approved by {all}; needs a second person").into(),
    }
}

/// Why it changes nothing that the same person approves again.
pub fn again_words(what: &Shown) -> Shown {
    format!("{what} has your approval already; it needs a second person, who cannot be you").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;

    #[test]
    fn nothing_needs_a_second_person_unless_it_is_configured() {
        let deed = Deed { closes: true, tracked_seconds: None, undoes: true, is_released: true, refiles: true };

        assert_eq!(FourEyes::default().rule_on(deed), None);
    }

    #[test]
    fn a_close_needs_one_from_more_than_the_hours_on_and_where_nobody_knows_them() {
        let rule = FourEyes { close_hours: Some(8), ..FourEyes::default() };
        let close = |tracked_seconds| Deed { closes: true, tracked_seconds, ..Deed::default() };

        let by = Some(("close_hours", "8".to_owned()));
        assert_eq!(rule.rule_on(close(Some(8 * HOUR))), None, "so many are not more");
        assert_eq!(rule.rule_on(close(Some(8 * HOUR + 1))), by);
        assert_eq!(rule.rule_on(close(None)), by);
        assert_eq!(rule.rule_on(Deed { closes: false, ..close(Some(9 * HOUR)) }), None);
    }

    #[test]
    fn each_rule_is_about_its_own_deed() {
        let off = FourEyes::default();
        let deeds = [
            (FourEyes { undo: true, ..off }, Deed { undoes: true, ..Deed::default() }),
            (FourEyes { release: true, ..off }, Deed { is_released: true, ..Deed::default() }),
            (FourEyes { refile: true, ..off }, Deed { refiles: true, ..Deed::default() }),
        ];
        for (rule, own) in deeds {
            for (_, deed) in deeds {
                assert_eq!(rule.rule_on(deed).is_some(), deed == own, "{rule:?} {deed:?}");
            }
        }
    }

    #[test]
    fn neither_the_same_person_nor_policy_is_a_second_one() {
        let one = joined(&[], "ana");

        assert!(!is_enough(names(&joined(&joined(&one, "ana"), POLICY))));
        assert!(!is_enough(["ana", "ana", POLICY]), "none counts twice, whatever was kept");
        assert!(is_enough(names(&joined(&one, "Ana"))), "names are compared as they are");
        assert_eq!(&*words(names(&one)), "approved by ana; needs a second person");
        assert_eq!(&*words(names(&joined(&one, "ben"))), "approved by ana and ben");
    }
}
