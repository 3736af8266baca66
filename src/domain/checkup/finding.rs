//! What single findings come to, and how they are told.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{Check, CheckCode, Verdict};
use crate::domain::{
    model::{Kind, ObjectId, PageId, Service, Snapshots},
    plan::{Calls, Cause, Change, HoldCode, Notice, NoticeCode, Plan},
    text::{Raw, Shown},
};

/// So far may clocks be apart: the services tell the time in whole seconds, and answers take a while.
const SKEW_MAX: SignedDuration = SignedDuration::from_secs(60);
/// Days after which a token should be made anew.
const SECRET_DAYS_MAX: i64 = 365;
/// Requests that the Free plan allows new workspaces in an hour (Clockify help, API limitations).
const FREE_PER_HOUR: u32 = 30;
/// Workspaces that were born before are perhaps exempt from that (Clockify help; a third party dates it to April 2026).
const FREE_SINCE: Timestamp = Timestamp::constant(1_775_001_600, 0);
/// Room that a state and its copies take in a while.
const ROOM_MIN: u64 = 256 << 20;
/// Less than this, and the answers of a run may not find room.
const ROOM_NONE: u64 = 16 << 20;
/// Examples of what many have in common.
const EXAMPLES: usize = 3;
/// Likeness of two titles from which on one may be a copy of the other.
const SIMILAR: f64 = 0.85;
/// Percent of properties that a copy has in common with what it is a copy of.
const COMMON_MIN: usize = 80;
/// What is said of a disk on the network.
pub const NETWORK_DISK: &str =
    "keep the state on a disk of this machine: --state-dir DIR, or state.dir in the configuration";

/// What a secret that can be had is like. `days` is the age of the file that it stands in.
pub fn secret(code: CheckCode, key: &str, reference: &str, days: Option<i64>) -> Check {
    let age = match days {
        None => String::new(),
        Some(0) => ", written today".to_owned(),
        Some(1) => ", written yesterday".to_owned(),
        Some(days) => format!(", written {days} days ago"),
    };
    let text = format!("{reference} can be read{age}");
    if days.is_some_and(|days| days > SECRET_DAYS_MAX) {
        return Check::warn(code, text, format!("make a new token, and put it where {key} says that it is"));
    }
    Check::ok(code, text)
}

/// How far this machine's clock is ahead of each service's.
pub fn clock(ahead: &[(Service, SignedDuration)]) -> Check {
    let code = CheckCode::Clock;
    let wrong: Vec<String> = ahead
        .iter()
        .filter(|(_, ahead)| ahead.abs() > SKEW_MAX)
        .map(|(service, ahead)| {
            let side = if ahead.is_negative() { "behind" } else { "ahead of" };
            format!("{:#} {side} {service}'s", SignedDuration::from_secs(ahead.abs().as_secs()))
        })
        .collect();
    if wrong.is_empty() {
        return Check::ok(code, "this machine's clock agrees with the services'");
    }
    let text = format!("this machine's clock is {}", wrong.join(" and "));
    Check::warn(code, text, "let the network set this machine's clock, e.g. `timedatectl set-ntp true`")
}

/// Whether as many requests are configured as the Clockify plan of a workspace gives.
pub fn budget(plan: &str, workspace: &str, per_hour: Option<u32>) -> Check {
    let code = CheckCode::Budget;
    let shown = Shown::of(plan).clipped(40);
    let born = workspace.get(..8).and_then(|second| i64::from_str_radix(second, 16).ok());
    let is_new = born.is_none_or(|second| second >= FREE_SINCE.as_second());
    let mend = format!("set clockify.requests_per_hour = {FREE_PER_HOUR}, or take a paid plan");
    match (plan.eq_ignore_ascii_case("FREE"), is_new, per_hour) {
        (true, true, None) => Check::warn(
            code,
            format!(
                "Clockify's Free plan allows new workspaces {FREE_PER_HOUR} requests an hour, and clockify.requests_per_hour is not set"
            ),
            mend,
        ),
        (true, true, Some(set)) if set > FREE_PER_HOUR => Check::warn(
            code,
            format!(
                "clockify.requests_per_hour is {set}, and Clockify's Free plan allows new workspaces {FREE_PER_HOUR}"
            ),
            mend,
        ),
        (true, _, Some(set)) => Check::ok(code, format!("{set} requests an hour, on Clockify's Free plan")),
        (true, false, None) => {
            Check::ok(code, "Clockify's Free plan, of a workspace from before it was limited by the hour")
        }
        (false, _, None) => Check::ok(code, format!("Clockify's plan {shown} has no hourly limit")),
        (false, _, Some(set)) => Check::ok(
            code,
            format!("Clockify's plan {shown} has no hourly limit; clockify.requests_per_hour = {set} slows runs"),
        ),
    }
}

/// What the Clockify key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// It is an owner's or admin's.
    pub is_admin: bool,
    /// Every member may create clients, projects and tasks.
    pub everyone_creates: bool,
}

/// What the rights of the Clockify key mean.
pub fn rights(Rights { is_admin, everyone_creates }: Rights) -> Check {
    let code = CheckCode::ClockifyRights;
    if is_admin {
        return Check::ok(
            code,
            "clockify.token is an owner's or admin's key: it sees private projects, may create and archive",
        );
    }
    let mend = "use the key of an owner or admin, or make this member one: Clockify → Team → the member's role";
    let member =
        "clockify.token is a plain member's key: it does not see other people's private projects, and may not archive";
    if everyone_creates {
        Check::warn(code, format!("{member}; it may create"), mend)
    } else {
        Check::fail(code, format!("{member} or create clients and projects"), mend)
    }
}

/// Who we are on a side.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    pub service: Service,
    /// The person or connection.
    pub name: &'a Raw,
    /// What that is: `the connection`, `the person`.
    pub what: &'a str,
    /// The workspace; empty where the service does not say it.
    pub workspace: &'a Raw,
}

impl Account<'_> {
    /// Tells who it is.
    pub fn told(&self) -> Check {
        let code = match self.service {
            Service::Notion => CheckCode::NotionIdentity,
            Service::Clockify => CheckCode::ClockifyIdentity,
        };
        let named = |name: &Raw| format!("“{}”", name.shown().clipped(40));
        let name = if self.name.is_blank() { String::new() } else { format!(" {}", named(self.name)) };
        let workspace = if self.workspace.is_blank() {
            "; Notion does not say in which workspace".to_owned()
        } else {
            format!(" in the workspace {}", named(self.workspace))
        };
        Check::ok(code, format!("{}{name}{workspace}", self.what))
    }
}

/// A data source, as far as it tells whether it is a copy of another.
#[derive(Clone, Debug)]
pub struct Lookalike {
    pub id: PageId,
    pub title: Raw,
    /// Names and types of its properties.
    pub properties: BTreeSet<(Raw, String)>,
    pub created: Option<Timestamp>,
}

impl Lookalike {
    /// True where this may be what somebody has made of the other one: nearly the same title and properties, and newer.
    fn is_newer_copy_of(&self, other: &Self) -> bool {
        let common = self.properties.intersection(&other.properties).count();
        let all = self.properties.union(&other.properties).count();
        let is_newer = matches!((self.created, other.created), (Some(this), Some(other)) if this > other);
        self.id != other.id && is_newer && common * 100 >= all * COMMON_MIN && is_like(&self.title, &other.title)
    }
}

/// True where titles differ by a year, a number, `Copy of` or a slip.
fn is_like(one: &Raw, other: &Raw) -> bool {
    let bare = |title: &Raw| {
        let lower = title.canonical().as_str().to_lowercase();
        let words = lower.split(|c: char| !c.is_alphabetic()).filter(|word| !["", "copy", "of"].contains(word));
        words.collect::<Vec<_>>().join(" ")
    };
    let (one, other) = (bare(one), bare(other));
    !one.is_empty() && strsim::jaro_winkler(&one, &other) >= SIMILAR
}

/// Warns of data sources that look like one that is configured, and are newer: perhaps it is last year's.
pub fn lookalikes(kind: Kind, configured: &Lookalike, all: &[Lookalike]) -> Vec<Check> {
    let copies = all.iter().filter(|other| other.is_newer_copy_of(configured));
    let told = copies.map(|copy| {
        let (title, this) = (copy.title.shown().clipped(40), configured.title.shown().clipped(40));
        let key = format!("notion.{}.data_source", kind.plural());
        let text = format!("{key} is “{this}”, and “{title}” ({}) looks like it and is newer", copy.id);
        let mend = format!("where that is meant, set {key} to \"{}\"; otherwise rename one of them", copy.id);
        Check::warn(CheckCode::Copies, text, mend)
    });
    told.collect()
}

/// A size for people.
pub fn bytes_words(bytes: u64) -> String {
    match bytes {
        0..0x400 => format!("{bytes} bytes"),
        0x400..0x0010_0000 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

/// Whether a disk is fit to hold a state.
pub fn disk(free_bytes: Option<u64>, network: Option<&str>) -> Check {
    let code = CheckCode::Disk;
    if let Some(sort) = network {
        return Check::fail(
            code,
            format!("the state lies on a network file system ({sort}), which may lose its locks"),
            NETWORK_DISK,
        );
    }
    let free = |bytes: u64| format!("{} MiB are free on the disk of the state", bytes >> 20);
    match free_bytes {
        None => Check::ok(code, "the disk of the state gives locks"),
        Some(bytes) if bytes < ROOM_NONE => Check::fail(code, free(bytes), "make room on that disk"),
        Some(bytes) if bytes < ROOM_MIN => Check::warn(code, free(bytes), "make room on that disk"),
        Some(bytes) => Check::ok(code, free(bytes)),
    }
}

/// What the rows of both sides show, by what a plan says of them; `calls` were made to see that.
pub fn data(plan: &Plan, snapshots: &Snapshots, calls: Calls) -> Vec<Check> {
    let mut checks: Vec<Check> = vec![read(plan, snapshots, calls)];
    let of_notices = |code: NoticeCode| plan.notices.iter().filter(move |notice| notice.code == code);
    let found = |code: NoticeCode| of_notices(code).map(Example::of_notice).collect::<Vec<_>>();
    let held = |is: &dyn Fn(&Change) -> bool| {
        plan.changes.iter().filter(|change| is(change)).map(Example::of_change).collect::<Vec<_>>()
    };
    let holds = |change: &Change, code: HoldCode| change.hold.as_ref().is_some_and(|hold| hold.code == code);
    let is_about_people =
        |change: &Change| change.hold.as_ref().is_some_and(|hold| hold.text.as_str().contains(" no account "));

    let mut strangers = found(NoticeCode::NoAccount);
    strangers.extend(held(&|change| holds(change, HoldCode::NotTaken) && is_about_people(change)));
    let names = held(&|change| holds(change, HoldCode::InvalidName) || holds(change, HoldCode::NameTaken));
    let unknown = held(&|change| change.cause == Cause::Vanished);
    for (code, none, what, mend, examples) in [
        (
            CheckCode::CopiedIds,
            "no page has another page's ID",
            "pages with another page's Clockify ID",
            "`punchlist` shows them; approve to empty the copied ID and create an object for the copy",
            found(NoticeCode::CopiedId),
        ),
        (
            CheckCode::UnknownIds,
            "every ID in a page leads to an object",
            "pages with an ID that leads to nothing in this workspace",
            "`punchlist` shows them: create it again, link another object, or empty the ID",
            unknown,
        ),
        (
            CheckCode::Names,
            "Clockify takes every name",
            "names that Clockify would refuse",
            "rename them in Notion",
            names,
        ),
        (
            CheckCode::NearTwins,
            "no two names look the same",
            "names that can be mistaken for others",
            "rename one of them; `punchlist pending ignore ID` settles what is meant so",
            found(NoticeCode::NearTwin),
        ),
        (
            CheckCode::People,
            "everybody who is assigned has an account",
            "people without an account in Clockify",
            "invite them: Clockify → Team → Add members; or set mapping.tasks.fields.assignees.unknown = \"leave\"",
            strangers,
        ),
        (
            CheckCode::Unmanaged,
            "every active object has a page",
            "objects in Clockify without a page",
            "nothing has to be done: they are left alone; rules.unmanaged says what becomes of them",
            found(NoticeCode::Unmanaged),
        ),
    ] {
        checks.push(many(code, none, what, mend, &examples));
    }
    checks.extend(others(plan));
    checks
}

/// Whether everything could be read.
fn read(plan: &Plan, snapshots: &Snapshots, calls: Calls) -> Check {
    let incomplete: Vec<String> = plan
        .notices
        .iter()
        .filter(|notice| notice.code == NoticeCode::Incomplete)
        .map(|notice| notice.text.to_string())
        .collect();
    if !incomplete.is_empty() {
        let mend = "run again; what was not seen is neither closed nor taken for gone meanwhile";
        return Check::warn(CheckCode::Data, incomplete.join("; "), mend);
    }
    let [pages, objects]: [usize; 2] = [
        Kind::ALL.iter().map(|&kind| snapshots.pages[kind].rows().len()).sum(),
        Kind::ALL.iter().map(|&kind| snapshots.objects[kind].rows().len()).sum(),
    ];
    let Calls { notion, clockify } = calls;
    let text = format!("{pages} pages and {objects} objects, read in {notion} Notion and {clockify} Clockify calls");
    Check::ok(CheckCode::Data, text)
}

/// What is said of one of many.
struct Example {
    words: Shown,
    place: Option<String>,
}

impl Example {
    fn of_notice(notice: &Notice) -> Self {
        let page = notice.page.map(|page| page.to_string());
        Self { words: notice.words(), place: page.or_else(|| notice.object.map(|object| object.to_string())) }
    }

    fn of_change(change: &Change) -> Self {
        let reason = change.hold.as_ref().map_or(&change.proposal.reason, |hold| &hold.text);
        let words = format!("{} “{}”: {reason}", change.kind, change.name.shown().clipped(60)).into();
        let object = || change.proposal.object.as_ref().map(ObjectId::to_string);
        Self { words, place: change.page.in_notion().map(|page| page.to_string()).or_else(object) }
    }
}

/// What many have in common, with a few of them.
fn many(code: CheckCode, none: &str, what: &str, mend: &str, examples: &[Example]) -> Check {
    let Some(first) = examples.first() else { return Check::ok(code, none) };
    let mut words: Vec<&str> = examples.iter().take(EXAMPLES).map(|example| example.words.as_str()).collect();
    let more = format!("and {} more", examples.len().saturating_sub(EXAMPLES));
    if examples.len() > EXAMPLES {
        words.push(&more);
    }
    Check::warn(code, format!("{what}: {} ({})", examples.len(), words.join("; ")), mend).at(first.place.clone())
}

/// What else waits for somebody, one check for each sort of it.
fn others(plan: &Plan) -> Vec<Check> {
    use HoldCode as Hold;
    use NoticeCode as Code;
    let of_notices = [
        (Code::LostSight, "linked pages that are not shown any more", "share them again, or `punchlist unlink PAGE`"),
        (Code::MovedOut, "linked pages that were moved away", "move them back, or `punchlist unlink PAGE`"),
        (Code::NotMeant, "linked pages that are not mirrored any more", "`punchlist unlink PAGE` ends the link"),
        (Code::Unreadable, "pages that cannot be read as a whole", "mend what is named in Notion"),
        (Code::Unknown, "pages of which something cannot be told", "`punchlist explain PAGE` says what waits for it"),
        (
            Code::OpenBelowClosed,
            "pages that are open below what is closed",
            "close them in Notion, or open what is above",
        ),
        (Code::ForeignRun, "objects of another punchlist", "let one machine write"),
        (Code::NewOption, "new options", "add those that close to mapping.*.closed.values"),
    ];
    let of_holds = [
        (Hold::NoParent, "pages that name no client or project", "name one in Notion"),
        (Hold::RelationRemoved, "pages that name no client or project any more", "name one in Notion"),
        (Hold::SeveralParents, "pages that name several clients or projects", "name one in Notion"),
        (Hold::ParentUnknown, "pages under what is not seen", "share it with the connection"),
        (Hold::Template, "pages that are linked to a template", "unlink them: `punchlist unlink PAGE`"),
        (Hold::NotWritable, "values that cannot be written", "change them on the side that holds them"),
        (Hold::Unsettled, "creates with an unknown outcome", "`punchlist` asks which object it is"),
    ];
    let mut checks = Vec::new();
    let mut tell = |what: &str, mend: &str, examples: Vec<Example>| {
        let check = many(CheckCode::Pages, "", what, mend, &examples);
        if check.verdict != Verdict::Ok {
            checks.push(check);
        }
    };
    for (code, what, mend) in of_notices {
        tell(what, mend, plan.notices.iter().filter(|notice| notice.code == code).map(Example::of_notice).collect());
    }
    for (code, what, mend) in of_holds {
        let is_held = |change: &&Change| change.hold.as_ref().is_some_and(|hold| hold.code == code);
        tell(what, mend, plan.changes.iter().filter(is_held).map(Example::of_change).collect());
    }
    if checks.is_empty() {
        checks.push(Check::ok(CheckCode::Pages, "nothing else about a page waits for somebody"));
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(check: &Check) -> Verdict {
        check.verdict
    }

    #[test]
    fn clocks_may_be_a_minute_apart() {
        let ahead = |seconds| (Service::Notion, SignedDuration::from_secs(seconds));
        assert_eq!(verdict(&clock(&[ahead(60), ahead(-60)])), Verdict::Ok);
        for seconds in [61, -61] {
            assert_eq!(verdict(&clock(&[ahead(seconds)])), Verdict::Warn, "{seconds}");
        }
        let both = clock(&[ahead(-3600), (Service::Clockify, SignedDuration::from_secs(90))]);
        assert_eq!(both.text.as_str(), "this machine's clock is 1h behind Notion's and 1m 30s ahead of Clockify's");
    }

    #[test]
    fn the_budget_is_that_of_the_plan() {
        // Born in November 2026, and in January 2024.
        let (new, old) = ("6b0434d00000000000000001", "659200800000000000000001");
        for (plan, workspace, per_hour, expected) in [
            ("FREE", new, None, Verdict::Warn),
            ("FREE", new, Some(31), Verdict::Warn),
            ("FREE", new, Some(30), Verdict::Ok),
            ("FREE", old, None, Verdict::Ok),
            ("STANDARD_2021", new, None, Verdict::Ok),
            ("PREMIUM", new, Some(30), Verdict::Ok),
        ] {
            let check = budget(plan, workspace, per_hour);
            assert_eq!(check.verdict, expected, "{plan} {workspace} {per_hour:?}: {}", check.text);
        }
    }

    #[test]
    fn a_newer_copy_is_nearly_the_same_and_an_older_one_is_no_news() {
        let source = |id: u128, title: &str, names: &[&str], day| Lookalike {
            id: PageId::from_number(id),
            title: title.into(),
            properties: names.iter().map(|&name| (name.into(), "rich_text".to_owned())).collect(),
            created: Timestamp::from_second(i64::from(day) * 86_400).ok(),
        };
        let names = ["a", "b", "c", "d", "e"];
        let this = source(1, "Projects 2025", &names, 10);
        let told = |other: &Lookalike| !lookalikes(Kind::Project, &this, std::slice::from_ref(other)).is_empty();
        for (title, day, expected) in [
            ("Projects 2026", 11, true),
            ("Copy of Projects", 11, true),
            ("Projects (1)", 11, true),
            ("Projects 2024", 9, false),
            ("Invoices", 11, false),
        ] {
            assert_eq!(told(&source(2, title, &names, day)), expected, "{title}");
        }
        assert!(!told(&this));
        assert!(!told(&source(2, "Projects 2026", &names[..3], 11)));
        assert!(told(&source(2, "Projects 2026", &names[..4], 11)));
    }

    #[test]
    fn a_members_key_and_a_full_disk() {
        let of = |is_admin, everyone_creates| rights(Rights { is_admin, everyone_creates }).verdict;
        assert_eq!([of(true, false), of(false, true), of(false, false)], [Verdict::Ok, Verdict::Warn, Verdict::Fail]);
        let of = |free, network| disk(free, network).verdict;
        assert_eq!(of(Some(1 << 40), None), Verdict::Ok);
        assert_eq!(of(Some(100 << 20), None), Verdict::Warn);
        assert_eq!(of(Some(1 << 20), None), Verdict::Fail);
        assert_eq!(of(Some(1 << 40), Some("NFS")), Verdict::Fail);
        let of = |days| secret(CheckCode::NotionToken, "notion.token", "file:/x", days).verdict;
        assert_eq!([of(None), of(Some(365)), of(Some(366))], [Verdict::Ok, Verdict::Ok, Verdict::Warn]);
    }
}
