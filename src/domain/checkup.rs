//! What a check-up says: which checks there are, in their fixed order, and what the findings come to.

mod delivered;
mod finding;

use serde::Serialize;
use strum::{IntoStaticStr, VariantArray};

use super::text::Shown;

pub use delivered::Delivered;
pub use finding::{
    Account, Lookalike, NETWORK_DISK, Rights, budget, bytes_words, clock, data, disk, lookalikes, rights, secret,
};

/// The format's name and version.
pub const FORMAT: &str = "punchlist/doctor/1";

/// What is looked at, in the order in which it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CheckCode {
    /// The configuration can be read.
    Configuration,
    /// Every key is known, has a value that makes sense, and none is missing.
    Keys,
    /// The programs that are configured exist.
    Programs,
    /// The secret can be had.
    NotionToken,
    ClockifyToken,
    NotifyWebhook,
    /// The service answers, and proves to be itself.
    NotionReached,
    ClockifyReached,
    /// This machine's clock agrees with theirs.
    Clock,
    /// The credentials are accepted, and those of the workspace that the state belongs to.
    NotionIdentity,
    ClockifyIdentity,
    /// They allow what a run does.
    NotionRights,
    ClockifyRights,
    /// The requests that are configured are those that the services allow.
    Budget,
    /// Each kind has its data source.
    Databases,
    /// None of them is last year's copy of another.
    Copies,
    /// What is mapped is there, and of a type that can be used.
    Properties,
    /// Relations lead to the data sources that are read.
    Relations,
    /// Both sides can be read as a whole.
    Data,
    /// No page has another page's ID.
    CopiedIds,
    /// Every ID in a page leads to something.
    UnknownIds,
    /// Clockify takes every name.
    Names,
    /// No two names look the same.
    NearTwins,
    /// Everybody who is assigned has an account.
    People,
    /// Every object has a page.
    Unmanaged,
    /// Nothing else about a page waits for somebody.
    Pages,
    /// The state can be opened, and is whole.
    State,
    /// Nobody else can read or write it, or a file that holds a secret.
    Permissions,
    /// Its disk has room and gives locks.
    Disk,
    /// Nobody holds its lock.
    Lock,
    /// Its log is what the last checkpoint has seen.
    Log,
    /// When it is to run by itself.
    Schedule,
    /// Who may make it run.
    Webhooks,
    /// Clockify's calls arrive.
    Deliveries,
}

impl CheckCode {
    /// The word for it, as scripts know it: `near_twins`.
    pub fn word(self) -> &'static str {
        self.into()
    }

    /// Without what it cannot be looked at.
    fn needs(self) -> &'static [Self] {
        use CheckCode::{
            ClockifyIdentity, ClockifyReached, ClockifyToken, Configuration, Data, Databases, Keys, NotionIdentity,
            NotionReached, NotionToken, Properties, Relations, State,
        };
        match self {
            Configuration => &[],
            Self::Programs | NotionToken | ClockifyToken | Self::NotifyWebhook | Self::Schedule | Self::Webhooks => {
                &[Configuration, Keys]
            }
            NotionReached => &[Configuration, NotionToken, Keys],
            ClockifyReached => &[Configuration, ClockifyToken, Keys],
            Self::Clock => &[NotionReached, ClockifyReached],
            NotionIdentity => &[NotionReached],
            ClockifyIdentity => &[ClockifyReached],
            Self::ClockifyRights | Self::Budget | Self::Deliveries => &[ClockifyIdentity],
            Databases | Self::Copies => &[NotionIdentity],
            Properties => &[Databases],
            Relations => &[Databases, Properties],
            Data => &[State, Databases, Properties, ClockifyIdentity, Keys],
            Self::NotionRights
            | Self::CopiedIds
            | Self::UnknownIds
            | Self::Names
            | Self::NearTwins
            | Self::People
            | Self::Unmanaged
            | Self::Pages => &[Data],
            Keys | State | Self::Permissions | Self::Disk | Self::Lock => &[Configuration],
            Self::Log => &[State],
        }
    }
}

/// How a check ended, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Verdict {
    /// It could not be looked at.
    Skip,
    Ok,
    /// Runs go on, and somebody should know.
    Warn,
    /// Runs fail, or do not do what they are for.
    Fail,
}

/// One check and how it ended.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    pub code: CheckCode,
    pub verdict: Verdict,
    /// What was found.
    pub text: Shown,
    /// What mends it: a command, or where to click.
    pub mend: Option<Shown>,
    /// Where: file and line, variable, flag or ID.
    pub place: Option<Shown>,
}

impl Check {
    /// All is well.
    pub fn ok(code: CheckCode, text: impl Into<Shown>) -> Self {
        Self { code, verdict: Verdict::Ok, text: text.into(), mend: None, place: None }
    }

    /// It could not be looked at, and why.
    pub fn skip(code: CheckCode, text: impl Into<Shown>) -> Self {
        Self { verdict: Verdict::Skip, ..Self::ok(code, text) }
    }

    /// Somebody should know, and what mends it.
    pub fn warn(code: CheckCode, text: impl Into<Shown>, mend: impl Into<Shown>) -> Self {
        let mend: Shown = mend.into();
        let mend = Some(mend).filter(|mend| mend.width() > 0);
        Self { verdict: Verdict::Warn, mend, ..Self::ok(code, text) }
    }

    /// It is broken, and what mends it.
    pub fn fail(code: CheckCode, text: impl Into<Shown>, mend: impl Into<Shown>) -> Self {
        Self { verdict: Verdict::Fail, ..Self::warn(code, text, mend) }
    }

    /// The same with its place, where there is one.
    #[must_use]
    pub fn at(mut self, place: Option<impl Into<Shown>>) -> Self {
        self.place = place.map(Into::into);
        self
    }
}

/// All checks, in their order; none is missing.
#[derive(Clone, Debug)]
pub struct Checkup {
    pub checks: Vec<Check>,
}

impl Checkup {
    /// Puts checks in order. What nobody could look at is skipped, and says what that is for.
    pub fn of(mut checks: Vec<Check>) -> Self {
        let missing = CheckCode::VARIANTS.iter().filter(|code| !checks.iter().any(|check| check.code == **code));
        let skipped: Vec<Check> = missing.map(|&code| Check::skip(code, because(code, &checks))).collect();
        checks.extend(skipped);
        checks.sort_by_key(|check| check.code);
        Self { checks }
    }

    /// The worst verdict; what was skipped is for another one that failed.
    pub fn verdict(&self) -> Verdict {
        self.checks.iter().map(|check| check.verdict).max().unwrap_or(Verdict::Ok).max(Verdict::Ok)
    }

    /// How many checks ended so.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.checks.iter().filter(|check| check.verdict == verdict).count()
    }
}

/// Why something could not be looked at: the first of what it needs that failed, or that was skipped for a reason of
/// its own.
fn because(code: CheckCode, checks: &[Check]) -> String {
    fn root(code: CheckCode, checks: &[Check]) -> Option<String> {
        let of = |code| checks.iter().filter(move |check: &&Check| check.code == code);
        code.needs().iter().find_map(|&need| {
            let word = need.word().replace('_', " ");
            if of(need).any(|check| check.verdict == Verdict::Fail) {
                return Some(format!("not looked at, since the check “{word}” failed"));
            }
            let skipped = of(need).find(|check| check.verdict == Verdict::Skip);
            skipped.map(|check| check.text.to_string()).or_else(|| {
                // What is missing itself has a reason.
                of(need).next().is_none().then(|| root(need, checks)).flatten()
            })
        })
    }
    root(code, checks).unwrap_or_else(|| "not looked at".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_looked_at_says_why_and_nothing_is_missing() {
        let checks = vec![
            Check::warn(CheckCode::Disk, "little room", "make room"),
            Check::fail(CheckCode::NotionReached, "no connection", ""),
            Check::ok(CheckCode::Configuration, "it is there"),
        ];
        let checkup = Checkup::of(checks);
        let codes: Vec<CheckCode> = checkup.checks.iter().map(|check| check.code).collect();
        assert_eq!(codes, CheckCode::VARIANTS);
        assert_eq!(checkup.verdict(), Verdict::Fail);
        let text = |code| checkup.checks.iter().find(|check| check.code == code).expect("there").text.to_string();
        let reason = "not looked at, since the check “notion reached” failed";
        assert_eq!(text(CheckCode::Relations), reason);
        assert_eq!(text(CheckCode::NearTwins), reason);
        assert_eq!(text(CheckCode::ClockifyIdentity), "not looked at");
        assert!(checkup.checks.iter().all(|check| check.mend.as_ref().is_none_or(|mend| mend.width() > 0)));
    }

    #[test]
    fn what_is_needed_comes_before_what_needs_it() {
        let later = [CheckCode::NotionRights, CheckCode::Data];
        for code in CheckCode::VARIANTS.iter().filter(|code| !later.contains(code)) {
            assert!(code.needs().iter().all(|need| need < code), "{code:?}");
        }
    }

    #[test]
    fn skipped_checks_are_no_worse_than_what_they_wait_for() {
        assert_eq!(Checkup::of(Vec::new()).verdict(), Verdict::Ok);
        assert_eq!(Checkup::of(vec![Check::warn(CheckCode::Log, "", "")]).verdict(), Verdict::Warn);
    }
}
