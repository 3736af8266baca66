//! Two reviewers, a daemon and one who goes on as if it held the right to run, in any order: over the real review and the
//! real state on a server. Time goes by, and a service makes what is sent to it, as the test wants.

use std::time::{Duration, Instant};

use futures_util::{FutureExt, future::join_all};

use super::{
    super::postgres::lease::{self, RUN},
    lease::{Chance, beside, holder, server_of},
    *,
};
use crate::{
    domain::{
        plan::Plan,
        review::reviewing::{Reviewer, decision, plan},
    },
    edge::holding::since_boot,
};

/// Steps of one history.
const STEPS: usize = 14;
/// Seconds that a write takes at the most, and for how long the right to it has to last.
const TAKES: u64 = 20;
const NEEDS: u64 = TAKES + 2;
/// Seconds that a lease lasts.
const LASTS: u64 = 30;
const RUNNERS: [&str; 2] = ["daemon", "stale"];

/// Who plans and applies, one write after the other.
struct Runner {
    by: &'static str,
    store: Store,
    run: String,
    epoch: i64,
    write: u32,
    /// The changes that were approved when it looked.
    todo: Vec<usize>,
    at: At,
}

/// What a runner is at.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    Nothing,
    /// It has the right, as far as it knows, and has not looked yet.
    Begun,
    Ready,
    /// A write is in the journal.
    Intended(usize),
    /// It has left, and is made when that time has come.
    Aloft(usize, u64),
    Made(usize),
}

/// All of it, and what is right.
struct History<'p> {
    name: u64,
    plan: &'p Plan,
    reviewers: [Reviewer<'p>; 2],
    runners: &'p mut [Runner; 2],
    /// Over which the reviewers decide.
    desk: &'p mut Store,
    /// Seconds since it began.
    now: u64,
    /// Who took the right last, and until when they have it.
    epoch: i64,
    until: u64,
    /// How often the service has made each change.
    made: Vec<u32>,
    /// The change that each write is for.
    writes: BTreeMap<(String, u32), usize>,
}

impl History<'_> {
    async fn standing(&self) -> Vec<Remembered> {
        self.desk.verdicts().await.expect("reads")
    }

    async fn arrive(&mut self, which: usize) -> bool {
        let reviewer = &mut self.reviewers[which];
        let Some(said) = reviewer.arriving() else { return false };
        let before = self.desk.verdicts().await.expect("reads");
        let overtaken = self.desk.save_verdicts(reviewer.by, at(1), None, &said).await.expect("saves");
        for overtaken in overtaken {
            reviewer.is_overtaken(overtaken.said.change, overtaken.stands.as_ref());
        }
        let after = self.desk.verdicts().await.expect("reads");
        for upon in &said {
            let [before, after] = [&before, &after].map(|standing| {
                let known = standing.iter().find(|known| known.said.change == upon.said.change);
                known.map(|known| known.said.verdict.clone()).unwrap_or_default()
            });
            let is_seen = before == after || before.agrees(&upon.seen);
            assert!(
                is_seen,
                "{}: {} has overruled what was not seen: {before:?} {after:?}",
                self.name, self.reviewers[which].by
            );
        }
        true
    }

    async fn review(&mut self, chance: &mut Chance) {
        let which = chance.below(2);
        match chance.below(8) {
            0..=2 => {
                let (at, what) = (chance.below(3), decision(u8::try_from(chance.below(4)).expect("small")));
                self.reviewers[which].step(|review| review.decide(&[at], what.as_ref()));
            }
            3 => self.reviewers[which].step(crate::domain::review::Review::undo),
            4..=6 => drop(self.arrive(which).await),
            _ => {
                let standing = self.standing().await;
                self.reviewers[which].hear(&standing);
            }
        }
    }

    fn holds(&self, which: usize) -> bool {
        self.runners[which].epoch == self.epoch && self.now < self.until
    }

    /// Seconds go by, for everybody alike.
    async fn pass(&mut self, seconds: u64) {
        self.now += seconds;
        let passed = format!("UPDATE lease SET expires_at = expires_at - {}", seconds * 1000);
        self.desk.tamper(&passed).await.expect("changes");
        for runner in self.runners.iter_mut() {
            let holding = runner.store.holding().expect("on a server");
            holding.set(since_boot() + holding.left().saturating_sub(Duration::from_secs(seconds)));
        }
        self.land();
    }

    /// What has left is made by now.
    fn land(&mut self) {
        for runner in self.runners.iter_mut() {
            if let At::Aloft(change, until) = runner.at
                && until <= self.now
            {
                self.made[change] += 1;
                assert_eq!(runner.epoch, self.epoch, "{}: it is made after another one took over", self.name);
                runner.at = At::Made(change);
            }
        }
    }

    /// Keeps something in the journal, which must be possible just as long as the right is held.
    async fn append(&mut self, which: usize, events: &[Event]) -> bool {
        let holds = self.holds(which);
        let runner = &mut self.runners[which];
        let kept = runner.store.append_all(events).await.is_ok();
        assert_eq!(kept, holds, "{}: {} at {:?} at {} s", self.name, runner.by, runner.at, self.now);
        if !kept {
            runner.at = At::Nothing;
        }
        kept
    }

    async fn renew(&mut self, which: usize) {
        let runner = &self.runners[which];
        if runner.at == At::Nothing {
            return;
        }
        let text = to_json(&holder(runner.by)).expect("JSON");
        let renewed = lease::renew(server_of(&runner.store), RUN, runner.epoch, &text).await.expect("asks");
        assert_eq!(renewed, self.holds(which), "{}: {} renews", self.name, runner.by);
        if renewed {
            self.until = self.now + LASTS;
            runner.store.holding().expect("on a server").set(since_boot() + lease::lasts());
        }
    }

    async fn run(&mut self, which: usize, takes: u64) {
        match self.runners[which].at {
            At::Nothing => self.begin(which).await,
            At::Begun => self.settle(which).await,
            At::Ready => self.intend(which).await,
            At::Intended(change) => {
                let runner = &mut self.runners[which];
                let holding = runner.store.holding().expect("on a server");
                if holding.lasts(Duration::from_secs(NEEDS)).now_or_never() == Some(true) {
                    runner.at = At::Aloft(change, self.now + takes);
                } else if !holding.is_held() {
                    let not_sent = Outcome::NotSent { error: "lost".into(), hint: "".into() };
                    let not_sent = outcome(&runner.run, runner.write, not_sent);
                    self.append(which, &[not_sent]).await;
                }
            }
            At::Aloft(..) => {}
            At::Made(_) => {
                let runner = &self.runners[which];
                let done = outcome(&runner.run, runner.write, Outcome::Done { object: None });
                if self.append(which, &[done]).await {
                    self.runners[which].at = At::Ready;
                }
            }
        }
    }

    async fn begin(&mut self, which: usize) {
        let runner = &mut self.runners[which];
        let taken = runner.store.lock(holder(runner.by)).await.is_ok();
        assert_eq!(taken, self.now >= self.until, "{}: {} takes it at {} s", self.name, runner.by, self.now);
        if taken {
            let Right::Lease { lease: Some((lease, _)), .. } = &runner.store.right else { panic!("it was taken") };
            // It is renewed where the history says so, however long that takes here.
            lease.renew_no_more();
            let epoch = runner.store.leased().await.expect("reads").expect("it is held").epoch;
            assert!(epoch > self.epoch, "{}: an epoch comes again", self.name);
            (self.epoch, self.until) = (epoch, self.now + LASTS);
            (runner.epoch, runner.run, runner.write) = (epoch, format!("h{}e{epoch}", self.name), 0);
            runner.at = At::Begun;
        }
    }

    /// Looks up what others have left, and then what is approved.
    async fn settle(&mut self, which: usize) {
        let open = self.runners[which].store.open_writes().await.expect("reads");
        let settled = open.iter().map(|open| {
            let change = self.writes[&(open.run.to_string(), open.write.0)];
            let is_made = self.made[change] > 0;
            outcome(
                open.run.as_str(),
                open.write.0,
                if is_made { Outcome::Done { object: None } } else { Outcome::Absent },
            )
        });
        let settled: Vec<Event> = settled.collect();
        if !settled.is_empty() && !self.append(which, &settled).await {
            return;
        }
        let standing = self.standing().await;
        let is_approved = |at: &usize| {
            let mut known = standing.iter().filter(|known| known.said.change == self.plan.changes[*at].id);
            known.any(|known| known.said.verdict.decision == Some(Decision::Approve)) && self.made[*at] == 0
        };
        self.runners[which].todo = (0..self.plan.changes.len()).filter(is_approved).collect();
        self.runners[which].at = At::Ready;
    }

    async fn intend(&mut self, which: usize) {
        let runner = &mut self.runners[which];
        let Some(change) = runner.todo.pop() else {
            runner.store.release().await.expect("asks");
            runner.at = At::Nothing;
            if self.runners[which].epoch == self.epoch {
                self.until = self.until.min(self.now);
            }
            return;
        };
        runner.write += 1;
        let mut intent = intent(&runner.run, runner.write);
        if let What::Intent { changes, .. } = &mut intent.what {
            *changes = vec![self.plan.changes[change].id];
        }
        self.writes.insert((runner.run.clone(), runner.write), change);
        if self.append(which, &[intent]).await {
            self.runners[which].at = At::Intended(change);
        }
    }

    async fn step(&mut self, chance: &mut Chance) {
        let (what, which) = (chance.below(12), chance.below(2));
        match what {
            0..=2 => self.review(chance).await,
            3..=6 => {
                for _ in 0..=chance.below(4) {
                    self.run(which, [1, TAKES][chance.below(2)]).await;
                }
            }
            7 => self.renew(which).await,
            _ => self.pass([1, 8, 15, 26][chance.below(4)]).await,
        }
    }

    /// Lets everybody come to rest, and looks at what has become of it.
    async fn end(mut self) {
        self.pass(LASTS + TAKES).await;
        for which in [0, 1] {
            while self.runners[which].at != At::Nothing {
                self.run(which, 0).await;
            }
            while self.arrive(which).await {}
        }
        self.run(0, 0).await;
        while self.runners[0].at != At::Nothing {
            self.run(0, 0).await;
            self.land();
        }

        let name = self.name;
        let standing = self.standing().await;
        for reviewer in &mut self.reviewers {
            reviewer.hear(&standing);
            assert_eq!(reviewer.lost(&standing), None, "{name}: {} has decided, and is not told", reviewer.by);
        }
        assert!(self.made.iter().all(|made| *made <= 1), "{name}: twice: {:?}", self.made);
        assert_eq!(self.desk.open_writes().await.expect("reads"), [], "{name}");
        for known in standing.iter().filter(|known| known.said.verdict.decision == Some(Decision::Approve)) {
            let at = self.plan.changes.iter().position(|change| change.id == known.said.change).expect("of the plan");
            assert_eq!(self.made[at], 1, "{name}: what is approved is made");
        }
        let sql = format!("SELECT run_id, status FROM write WHERE run_id LIKE 'h{name}e%' ORDER BY intent_n");
        let row = |row: &Row<'_>| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()));
        let written = self.desk.database.all(&sql, &[], row).await.expect("reads");
        let epochs: Vec<i64> =
            written.iter().map(|(run, _)| run.rsplit('e').next().expect("one").parse().expect("one")).collect();
        assert!(epochs.is_sorted(), "{name}: {epochs:?}");
        let done = written.iter().filter(|(_, status)| status == "done").count();
        let made: u32 = self.made.iter().sum();
        assert_eq!(u32::try_from(done).expect("few"), made, "{name}: each that was made has its intent: {written:?}");
        if !standing.is_empty() {
            self.desk.tamper("DELETE FROM verdict").await.expect("forgets");
        }
    }
}

/// Histories over one state: every so manieth from a first one on, until there are as many as wanted, or for a while.
async fn histories(first: u64, every: u64, wanted: Option<u64>) -> u64 {
    let (world, begun) = (world_on_server().expect("it runs"), Instant::now());
    let mut desk = beside(&world).await;
    let [daemon, stale] = RUNNERS.map(|by| (by, &world)).map(async |(by, world)| Runner {
        by,
        store: beside(world).await,
        run: String::new(),
        epoch: 0,
        write: 0,
        todo: Vec::new(),
        at: At::Nothing,
    });
    let mut runners = [daemon.await, stale.await];
    let plan = plan();
    let (mut name, mut epoch) = (first, 0);
    while wanted.map_or(begun.elapsed() < Duration::from_secs(5), |wanted| name < wanted) {
        let mut chance = Chance(name);
        let mut history = History {
            name,
            plan: &plan,
            reviewers: ["ana", "ben"].map(|by| Reviewer::new(&plan, by)),
            runners: &mut runners,
            desk: &mut desk,
            now: 0,
            epoch,
            until: 0,
            made: vec![0; plan.changes.len()],
            writes: BTreeMap::new(),
        };
        // Mostly something is approved before anybody runs.
        for at in 0..=chance.below(3) {
            history.reviewers[0].step(|review| review.decide(&[at], decision(0).as_ref()));
            history.arrive(0).await;
        }
        for _ in 0..STEPS {
            history.step(&mut chance).await;
        }
        epoch = history.epoch.max(epoch);
        history.end().await;
        epoch = runners.iter().map(|runner| runner.epoch).fold(epoch, i64::max);
        name += every;
    }
    (name - first) / every
}

/// As many histories as there is time for, or `PUNCHLIST_LEASES` of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_reviewers_a_daemon_and_a_stale_holder_make_nothing_twice_and_lose_no_decision() {
    const LANES: u64 = 3;
    if server::server().is_none() {
        return;
    }
    let wanted = std::env::var("PUNCHLIST_LEASES").ok().and_then(|wanted| wanted.parse().ok());
    let begun = Instant::now();
    let made: u64 = join_all((0..LANES).map(|lane| histories(lane, LANES, wanted))).await.into_iter().sum();
    assert!(made > 10, "{made} histories in {:?}", begun.elapsed());
}
