//! A run in the middle of its apply that loses its right to run, and what must be so in the end, whoever takes it up.

use std::{
    cell::RefCell,
    process::{ChildStderr, Command, Stdio},
    thread,
    time::Duration,
};

use punchlist::sandbox::World;
use rustix::process::Pid;

use super::{Ended, asked, rig, until};
use crate::support::Rig;

/// A lease of a second and a half, instead of half a minute.
pub(super) const SHORT: (&str, &str) = ("PUNCHLIST_LEASE_SHORTENED", "20");
/// What ends it: it finds out that its right is lost, the server ends who was in the middle of a transaction, or says
/// nothing.
const REASONS: [&str; 3] = ["longer than its right to run lasts", "connection closed", "the server does not answer"];
const CLIENTS: [&str; 5] = ["Acme", "Globex", "Initech", "Hooli", "Umbrella"];

/// Such a run.
pub(super) struct Stale {
    pub(super) rig: Rig,
    child: Ended,
    said: ChildStderr,
    /// What was done to it, for messages.
    case: String,
    /// The run, and how many intents it has journaled, once it has lost its right.
    lost: Option<(String, String)>,
}

impl Stale {
    /// Lets a run, which is made otherwise first, come to so many writes; nothing where there is no server.
    pub(super) fn begin(writes: usize, otherwise: impl FnOnce(&Rig, &mut Command)) -> Option<Self> {
        let mut world = World::empty();
        for name in CLIENTS {
            let client = world.add_client_page(name);
            world.add_project_page("Website", client);
        }
        let rig = rig(world)?;
        rig.configure("rules.settle_seconds = 0\nrules.unsettled_minutes = 0\n");
        {
            let mut knobs = rig.sandbox.knobs();
            (knobs.latency, knobs.unique_names) = (Duration::from_millis(30), false);
        }
        let mut command = rig.command();
        command.arg("--auto-approve").envs([SHORT]).stdout(Stdio::null()).stderr(Stdio::piped());
        otherwise(&rig, &mut command);
        let mut child = Ended(command.spawn().expect("starts"));
        let said = child.0.stderr.take().expect("piped");
        until("it writes", || rig.mutations().len() >= writes);
        Some(Self { rig, child, said, case: format!("after {writes} writes"), lost: None })
    }

    pub(super) fn pid(&self) -> Pid {
        Pid::from_child(&self.child.0)
    }

    /// Waits until its lease has run out.
    pub(super) fn lose_right(&mut self) {
        until("its lease has run out", || self.rig.lock_holder().is_none());
        let run = asked(&self.rig, "SELECT run_id FROM run WHERE ended_at IS NULL");
        let intents = intents_of(&self.rig, &run);
        self.lost = Some((run, intents));
    }

    /// Another run takes it up, and is in sync. Returns how many writes have left, and what is in the journal.
    pub(super) fn is_taken_up(&self) -> (usize, String) {
        self.rig.sandbox.knobs().latency = Duration::ZERO;
        for outcome in [None, Some("in_sync")] {
            let (code, report) = self.rig.auto_approve();
            let is_so = code == 0 && outcome.is_none_or(|outcome| report["outcome"] == outcome);
            assert!(is_so, "{}: {code}: {report:#}", self.case);
        }
        self.so_far()
    }

    /// How many writes have left, and what is in the journal.
    pub(super) fn so_far(&self) -> (usize, String) {
        (self.rig.mutations().len(), asked(&self.rig, "SELECT count(*), max(n) FROM event"))
    }

    /// Waits until it ends by itself: with 6 and one of these reasons, and without a word to anybody since it lost its
    /// right, after `now`.
    pub(super) fn ends(mut self, now: Option<(usize, String)>) {
        let (code, said) = ended(&mut self.child, &mut self.said);
        let case = format!("{}: {said}", self.case);
        if let Some(now) = now {
            assert_eq!(self.so_far(), now, "{case}: it sent or journaled something");
        }
        assert_eq!(code, Some(6), "{case}");
        assert!(REASONS.iter().any(|words| said.contains(words)), "{case}");
        // Whoever takes its writes up says how they ended, in its name.
        let (run, intents) = self.lost.as_ref().expect("it has lost its right");
        assert_eq!(intents_of(&self.rig, run), *intents, "{case}: it wrote to the journal");
        let open = format!("SELECT count(*) FROM run WHERE run_id = '{run}' AND ended_at IS NULL");
        assert_eq!(asked(&self.rig, &open), "1", "{case}");
        comes_right(&self.rig, &case);
    }

    /// Waits until it ends by itself, in whatever way is right for one whose lease has not run out.
    pub(super) fn ends_either_way(mut self) {
        let (code, said) = ended(&mut self.child, &mut self.said);
        let case = format!("{}: {said}", self.case);
        assert!(matches!(code, Some(0 | 6)), "{case}");
        self.rig.unlock();
        comes_right(&self.rig, &case);
    }
}

/// Waits until a process ends by itself, but not for ever; returns its code and what it said.
pub(super) fn ended(child: &mut Ended, said: &mut ChildStderr) -> (Option<i32>, String) {
    let child = RefCell::new(&mut child.0);
    until("it ends", || child.borrow_mut().try_wait().expect("it is ours").is_some());
    let status = child.borrow_mut().wait().expect("it has ended");
    (status.code(), std::io::read_to_string(said).expect("UTF-8"))
}

/// Tries several cases at once.
pub(super) fn each<T: Copy + Send>(cases: &[T], tried: impl Fn(T) + Sync) {
    thread::scope(|scope| {
        for &case in cases {
            let tried = &tried;
            scope.spawn(move || tried(case));
        }
    });
}

fn intents_of(rig: &Rig, run: &str) -> String {
    asked(rig, &format!("SELECT count(*) FROM event WHERE run_id = '{run}' AND kind = 'intent'"))
}

/// The next runs end in sync, and everything is as if there had been one run.
fn comes_right(rig: &Rig, case: &str) {
    rig.sandbox.knobs().latency = Duration::ZERO;
    let (code, report) = rig.auto_approve();
    assert_eq!(code, 0, "{case}: {report:#}");
    assert_eq!(rig.auto_approve().1["outcome"], "in_sync", "{case}");
    let mutations = rig.mutations();
    let intents: usize = asked(rig, "SELECT count(*) FROM event WHERE kind = 'intent'").parse().expect("a number");
    assert!(mutations.len() <= intents, "{case}: {} writes and {intents} intents", mutations.len());
    let created = mutations.iter().filter(|call| call.method == "POST" && call.executed).count();
    assert_eq!(created, 2 * CLIENTS.len(), "{case}: nothing is made twice");
    let world = rig.sandbox.world();
    let mut clients: Vec<String> = world.clients().into_iter().map(|client| client.name).collect();
    clients.sort();
    let mut expected = CLIENTS;
    expected.sort_unstable();
    assert_eq!((clients, world.projects().len()), (expected.map(String::from).to_vec(), CLIENTS.len()), "{case}");
}
