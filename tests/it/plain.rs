//! The review as line prompts: what is typed into a pipe, what is answered, and what the world looks like afterwards.

use std::{
    io::{Read, Write},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use punchlist::sandbox::{Fault, FaultKind, Service, World};
use serde_json::json;

use crate::support::{Ran, Rig, punchlist};

/// How long a conversation may take before it counts as stuck.
const DEADLINE: Duration = Duration::from_mins(1);

/// Acme Corp › Website › Design, in Notion only.
fn acme() -> Rig {
    let mut world = World::empty();
    let client = world.add_client_page("Acme Corp");
    let project = world.add_project_page("Website", client);
    world.add_task_page("Design", project);
    Rig::new(world)
}

/// Holds a conversation to its end.
fn talk(rig: &Rig, lines: &[&str]) -> Ran {
    converse(rig.command().arg("--plain"), lines)
}

fn converse(command: &mut Command, lines: &[&str]) -> Ran {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let mut input = child.stdin.take().expect("piped");
    for line in lines {
        // A conversation that is over already reads no more.
        if writeln!(input, "{line}").is_err() {
            break;
        }
    }
    drop(input);
    Ran::of(child.wait_with_output().expect("it ends"))
}

#[track_caller]
fn says(ran: &Ran, texts: &[&str]) {
    for text in texts {
        assert!(ran.stdout.contains(text), "it should say {text:?}:\n{}\n{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn changes_are_approved_one_by_one_and_applied_and_then_both_sides_agree() {
    let rig = acme();

    let ran = talk(&rig, &["a", "approve", "a", "P", "yes"]);

    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    says(
        &ran,
        &[
            "read Notion: 1 client, 1 project, 1 task\n",
            "The plan has 3 changes: 3 create. 3 ready, 0 for review, 0 held.\n",
            "[1/3] create client “Acme Corp”, 95 %, ready\n  why: new in Notion",
            "[3/3] create task “Design” in Acme Corp › Website, 95 %, ready\n",
            "3 approved changes are about to be applied",
            "3 create: 1 client, 1 project, 1 task",
            "3 of 3 done, 100 %\n",
            "3 applied, 0 failed, 0 not started.",
        ],
    );
    {
        let world = rig.sandbox.world();
        let client = world.find_client("Acme Corp").expect("a client");
        let project = world.find_project("Website", Some(client)).expect("a project");
        assert!(world.find_task("Design", project).is_some());
    }
    rig.sandbox.clear_calls();
    let ran = talk(&rig, &["A", "P", "yes"]);
    assert_eq!(ran.code, 0);
    says(&ran, &["In sync: nothing to do."]);
    assert!(rig.mutations().is_empty());
}

#[test]
fn approving_takes_what_is_needed_along_and_leaves_the_rest() {
    let rig = acme();

    let ran = talk(&rig, &["g 2", "a", "P", "yes"]);

    assert_eq!(ran.code, 2, "what was left alone is ready, and still to do");
    says(
        &ran,
        &[
            "approved: create project “Website”, and 1 that it needs",
            "Left alone: 1 undecided.",
            "1 more is ready, and this run was not asked for that",
        ],
    );
    let world = rig.sandbox.world();
    assert_eq!((world.clients().len(), world.projects().len(), world.tasks().len()), (1, 1, 0));
}

#[test]
fn a_close_needs_the_typed_count() {
    let rig = acme();
    rig.settle();
    {
        let mut world = rig.sandbox.world();
        let client = world.find_page("Clients", "Acme Corp").expect("a page");
        let project = world.find_page("Projects", "Website").expect("a page");
        let task = world.find_page("Tasks", "Design").expect("a page");
        world.set_checkbox(client, "Archive", true);
        world.set(project, "Status", "Done");
        world.set(task, "Status", "Done");
    }

    let refused = talk(&rig, &["A", "P", "yes", "P", "2", "P", "", "P"]);

    assert_eq!(refused.code, 0);
    says(&refused, &["3 of them close something: type that number", "nothing was applied\n"]);
    assert!(rig.mutations().is_empty(), "a wrong count applies nothing");

    let ran = talk(&rig, &["P", "3"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    let world = rig.sandbox.world();
    assert!(world.clients()[0].archived && world.projects()[0].archived && world.tasks()[0].done);
}

#[test]
fn without_a_close_a_number_or_an_empty_line_is_no_yes() {
    let rig = acme();
    let ran = talk(&rig, &["A", "P", "", "P", "3", "P", "Yes please", "P", "YES"]);
    assert_eq!(ran.code, 0);
    assert!(rig.mutations().is_empty());
    assert_eq!(ran.stdout.matches("nothing was applied\n").count(), 4, "{}", ran.stdout);
}

#[test]
fn skipping_flagging_and_undoing() {
    let rig = acme();

    let ran = talk(&rig, &["a", "s", "f rate not confirmed", "u", "f", "ask Anna", "b", "c", "i", "l", "q"]);

    assert_eq!(ran.code, 0);
    says(
        &ran,
        &[
            "skipped: create project “Website”\n",
            "needs: create project “Website”, skipped; g 2 and then a approves it too\n",
            "flagged: create task “Design”\n",
            "undone: 1 change\n",
            "a note on one line, or nothing > ",
            "note: ask Anna\n",
            "taken back\n",
            "ignored for good: create task “Design”\n",
            "1. create client “Acme Corp”: ready, approved\n",
            "2. create project “Website” in Acme Corp: ready, skipped\n",
            "3. create task “Design” in Acme Corp › Website: ready, ignored for good\n",
            "Decisions are kept: 1 approved, 1 skipped, 1 ignored for good. Nothing was applied.\n",
        ],
    );
    assert!(rig.mutations().is_empty());
}

#[test]
fn decisions_survive_leaving() {
    let rig = acme();
    talk(&rig, &["a", "s", "f later", "q"]);

    let ran = talk(&rig, &["l", "P", "yes"]);

    says(
        &ran,
        &[
            "Decided before: 1 approved, 1 skipped, 1 flagged.\n",
            "That was the last change",
            "2. create project “Website” in Acme Corp: ready, skipped\n",
            "1 approved change is about to be applied",
        ],
    );
    let world = rig.sandbox.world();
    assert_eq!((world.clients().len(), world.projects().len()), (1, 0));
}

#[test]
fn approving_all_that_is_ready_overrules_nobody() {
    let rig = acme();

    let ran = talk(&rig, &["n", "s", "A", "P", "yes"]);

    says(
        &ran,
        &["approved: 1 change; “Design” waits for “Website”, which was skipped; g 2 and then a approves it too\n"],
    );
    let world = rig.sandbox.world();
    assert_eq!(
        (world.clients().len(), world.projects().len()),
        (1, 0),
        "the skipped project and its task are left alone"
    );
}

#[test]
fn what_is_skipped_later_makes_what_needs_it_wait() {
    let rig = acme();

    let ran = talk(&rig, &["A", "g 2", "s", "g 3", "P", "no", "q"]);

    says(
        &ran,
        &[
            "skipped: create project “Website”; 1 approved before must wait\n",
            "waits for: create project “Website”\n",
            "1 approved but waiting for something that is not",
        ],
    );
}

#[test]
fn another_way_is_chosen_by_its_number() {
    let rig = acme();
    rig.settle();
    {
        let mut world = rig.sandbox.world();
        let client = world.find_client("Acme Corp").expect("a client");
        world.rename_object(client, "Acme Corporation");
    }

    let ran = talk(&rig, &["w 7", "w", "w 1", "u", "w1", "a", "P", "yes"]);

    says(
        &ran,
        &[
            "[1/1] update client “Acme Corp”, 50 %, for review\n  name: “Acme Corporation” → “Acme Corp”\n",
            "  other ways:\n  1) Clockify wins, 50 %: take Clockify's value into Notion\n  2) leave both, 50 %",
            "its other ways are numbered 1 to 2, and 0 is the proposal\n",
            "w takes one number after it; nothing was done\n",
            "  name: “Acme Corp” → “Acme Corporation”\n",
            "  0) Notion wins, 50 %: edited in Clockify since both agreed\n",
        ],
    );
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    let world = rig.sandbox.world();
    assert!(world.find_page("Clients", "Acme Corporation").is_some(), "the page took Clockify's name");
}

#[test]
fn what_is_held_says_why_and_cannot_be_approved() {
    let mut world = World::empty();
    let client = world.add_client_page("Acme Corp");
    world.add_project_page("A <b> test", client);
    let rig = Rig::new(world);

    let ran = talk(&rig, &["A", "a", "approve", "P", "yes"]);

    says(
        &ran,
        &[
            "held: Clockify refuses '<' in names\n",
            "it is held and cannot be approved: Clockify refuses '<' in names\n",
        ],
    );
    assert_eq!(ran.code, 2, "it is left for a person");
    let world = rig.sandbox.world();
    assert_eq!((world.clients().len(), world.projects().len()), (1, 0));
}

#[test]
fn the_end_of_the_input_leaves_and_applies_nothing() {
    let rig = acme();
    for lines in [&[][..], &["a"], &["A", "P"], &["f"]] {
        let ran = talk(&rig, lines);
        assert_eq!(ran.code, 0, "{lines:?}: {}", ran.stderr);
        says(&ran, &["Decisions are kept: ", "Nothing was applied.\n"]);
    }
    assert!(rig.mutations().is_empty());
}

#[test]
fn what_cannot_be_understood_is_answered_in_one_line_and_does_nothing() {
    let rig = acme();
    let long = "a".repeat(5000);
    let most = "x".repeat(1000);

    let ran = talk(
        &rig,
        &["frobnicate", "a\u{1b}[A", "\u{1b}]0;title\u{7}", "g 0", "g 4", "g x", "approve all", &long, &most, "q"],
    );

    assert_eq!(ran.code, 0);
    says(
        &ran,
        &[
            "“frobnicate” is no command; ? lists them\n",
            "“a⟨U+001B⟩[A” is no command",
            "changes are numbered 1 to 3\n",
            "g takes one number after it; nothing was done\n",
            "approve takes nothing after it; nothing was done\n",
            "that line is longer than 1000 characters; nothing was done\n",
            "Decisions are kept: 3 undecided. Nothing was applied.\n",
        ],
    );
    assert!(ran.stdout.lines().all(|line| line.chars().count() < 400), "nothing is echoed at length");
}

#[test]
fn bytes_that_are_no_text_are_refused_as_a_command() {
    let rig = acme();
    let mut child = rig.command().arg("--plain").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
    child.stdin.take().expect("piped").write_all(b"\xff\xfe\x00a\nq\n").expect("it reads");
    let ran = Ran::of(child.wait_with_output().expect("it ends"));
    says(&ran, &["is no command", "3 undecided"]);
}

#[test]
fn a_failure_is_told_at_once_and_again_in_the_end() {
    let rig = acme();
    let refusal = Fault::new(FaultKind::Status(403, json!({"message": "Access Denied", "code": 501}).to_string()));
    rig.sandbox.knobs().faults.push(refusal.service(Service::Clockify).on("POST", "/clients"));

    let ran = talk(&rig, &["A", "P", "yes"]);

    assert_eq!(ran.code, 1, "{}", ran.stdout);
    says(
        &ran,
        &[
            "failed to create client “Acme Corp”: ",
            "  hint: ",
            "1 of 3 done, 33 %, 1 failed",
            "0 applied, 1 failed, 2 not started.",
        ],
    );
}

#[test]
fn nothing_hidden_or_active_is_said() {
    let home = tempfile::TempDir::new().expect("a directory");
    let lines: Vec<&str> = ["l", "N", "?"].into_iter().chain(["n"; 70]).chain(["A", "P", "9"]).collect();
    let mut command = punchlist(home.path());

    let ran = converse(command.args(["--demo", "--plain", "--color", "always"]), &lines);

    assert_eq!(ran.code, 2, "{}", ran.stderr);
    says(&ran, &["[62/62] ", "⟨U+202E⟩", "[hidden characters]", "9 of them close something", "applied, 0 failed"]);
    for text in [&ran.stdout, &ran.stderr] {
        let hidden =
            text.chars().find(|&c| c.is_control() && c != '\n' || matches!(c, '\u{200B}' | '\u{202A}'..='\u{202E}'));
        assert_eq!(hidden, None);
    }
}

#[test]
fn it_goes_with_the_review_alone() {
    let rig = acme();
    for arguments in [&["--plain", "--json"][..], &["plan", "--plain"], &["--plain", "--auto-approve"]] {
        let ran = rig.run(arguments);
        assert_eq!(ran.code, 64, "{arguments:?}");
        assert!(ran.stderr.contains("hint: run `punchlist --plain`"), "{}", ran.stderr);
    }
    assert_eq!(rig.call_counts(), (0, 0));
}

#[test]
fn where_nobody_can_answer_the_plan_is_printed() {
    let rig = acme();
    let asked = rig.run(&["--plain", "--no-input"]);
    let accessible = Ran::of(rig.command().env("ACCESSIBLE", "1").output().expect("runs"));
    for ran in [asked, accessible] {
        assert_eq!(ran.code, 0);
        assert!(ran.stdout.contains("Plan: 3 create") && !ran.stdout.contains("(q)uit"), "{}", ran.stdout);
    }
}

/// Waits for the end, and fails where there is none.
#[track_caller]
fn ended(mut child: Child) -> Option<i32> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            return status.code();
        }
        if begun.elapsed() > DEADLINE {
            child.kill().expect("it was running");
            panic!("it goes on and on");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Reads until something was said.
fn hear(output: &mut impl Read, text: &str) {
    let (mut heard, mut byte) = (Vec::new(), [0]);
    while !heard.ends_with(text.as_bytes()) {
        output
            .read_exact(&mut byte)
            .unwrap_or_else(|_| panic!("it ended before {text:?}: {}", String::from_utf8_lossy(&heard)));
        heard.push(byte[0]);
    }
}

#[test]
fn who_is_on_it_is_said_and_what_somebody_refuses_meanwhile_is_not_applied() {
    let mut world = World::empty();
    world.add_client_page("Acme Corp");
    let rig = Rig::new(world);
    let open = |name: &str| {
        let mut command = rig.command();
        command.arg("--plain").env("USER", name).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        let (mut input, mut output) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        hear(&mut output, "(?)help > ");
        let mut ask = move |line: &str, wanted: &str| {
            writeln!(input, "{line}").expect("it reads");
            hear(&mut output, wanted);
        };
        (child, move |line: &str, wanted: &str| ask(line, wanted))
    };
    let (ana, mut ask_ana) = open("ana");
    ask_ana("a", "(?)help > ");

    let (ben, mut ask_ben) = open("ben");
    ask_ben("g 1", "ana is on “Acme Corp”");
    ask_ben("s", "skipped: create client “Acme Corp”");
    ask_ana("P", "type yes to apply");
    ask_ana("yes", "somebody has decided otherwise meanwhile: look again");
    ask_ana("g 1", "skipped");
    for (child, mut ask) in [(ana, ask_ana), (ben, ask_ben)] {
        ask("q", "Nothing was applied.");
        assert_eq!(ended(child), Some(0));
    }

    assert_eq!(rig.sandbox.world().clients().len(), 0);
    assert!(!rig.run(&["pending"]).stdout.contains("is on “"), "who has left is on nothing");
}

#[test]
fn what_has_changed_since_it_was_shown_is_not_applied() {
    let rig = acme();
    rig.configure("rules.stale_after_seconds = 0\n");
    let mut child = rig.command().arg("--plain").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
    let mut output = child.stdout.take().expect("piped");
    hear(&mut output, "(?)help > ");
    {
        let mut world = rig.sandbox.world();
        let task = world.find_page("Tasks", "Design").expect("a page");
        world.set_title(task, "Design and print");
    }

    child.stdin.take().expect("piped").write_all(b"A\nP\nyes\n").expect("it reads");

    let mut told = String::new();
    output.read_to_string(&mut told).expect("UTF-8");
    assert_eq!(ended(child), Some(4), "{told}");
    assert!(told.contains("not going to create task “Design”: planned for “Design” was to create"), "{told}");
    assert!(told.contains("2 applied, 0 failed, 1 not started."), "{told}");
    assert!(rig.sandbox.world().tasks().is_empty());
}

#[cfg(unix)]
#[test]
fn a_signal_at_the_prompt_leaves_with_what_was_decided() {
    let rig = acme();
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::INT] {
        let mut command = rig.command();
        command.arg("--plain").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        let mut output = child.stdout.take().expect("piped");
        hear(&mut output, "(?)help > ");
        // The pipe stays open: it waits for a line that never comes.
        let mut input = child.stdin.take().expect("piped");
        writeln!(input, "a").expect("it reads");
        hear(&mut output, "(?)help > ");

        rustix::process::kill_process(rustix::process::Pid::from_child(&child), signal).expect("it runs");

        let mut told = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut told).expect("UTF-8");
        assert_eq!(ended(child), Some(4));
        assert!(told.contains("decisions are kept, and nothing was applied"), "{told}");
        drop(input);
    }
    says(&talk(&rig, &["q"]), &["Decided before: 2 approved"]);
    assert!(rig.mutations().is_empty());
}

#[cfg(unix)]
#[test]
fn a_signal_while_applying_stops_between_writes() {
    use std::io::{BufRead, BufReader};
    let mut world = World::empty();
    for number in 0..40 {
        world.add_client_page(&format!("Client {number}"));
    }
    let rig = Rig::new(world);
    rig.configure("clockify.requests_per_second = 5\n");
    let mut command = rig.command();
    command.arg("--plain").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let mut input = child.stdin.take().expect("piped");
    input.write_all(b"A\nP\nyes\n").expect("it reads");
    hear(&mut output, "4 of 40 done, 10 %\n");

    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT)
        .expect("it runs");

    let told: Vec<String> = output.lines().map(|line| line.expect("UTF-8")).collect();
    assert_eq!(ended(child), Some(4), "{told:?}");
    assert!(told.iter().any(|line| line == "stopping after what is under way"), "{told:?}");
    assert!(!told.iter().any(|line| line.ends_with("100 %")), "what was not started is not done: {told:?}");
    let created = rig.sandbox.world().clients().len();
    assert!((4..40).contains(&created), "{created}");
    rig.configure("");
    assert_eq!(rig.auto_approve().0, 0);
    assert_eq!(
        rig.sandbox.world().clients().len(),
        40,
        "the next run goes on where this one stopped, and creates nothing twice"
    );
}

#[test]
fn it_does_not_talk_on_when_nobody_hears() {
    let rig = acme();
    let mut command = rig.command();
    let mut child = command.arg("--plain").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
    let mut input = child.stdin.take().expect("piped");
    hear(&mut child.stdout.take().expect("piped"), "(?)help > ");

    // Nobody reads any more, and lines go on coming.
    let feeding = std::thread::spawn(move || while input.write_all(b"\n").is_ok() {});

    assert_eq!(ended(child), Some(0));
    feeding.join().expect("it stops with its reader");
}

#[test]
fn single_fields_are_left_alone_and_values_typed() {
    let rig = acme();

    let ran = talk(&rig, &["e name <b>", "e colour red", "e name Acme Group", "a", "P", "yes"]);

    says(
        &ran,
        &[
            "name: Clockify refuses '<' in names; nothing was done\n",
            "this change has no field of that name; it has name\n",
            "“Acme Group”",
            "1 applied, 0 failed",
        ],
    );
    assert!(rig.sandbox.world().find_client("Acme Group").is_some());
    assert!(
        rig.plan_lines().iter().all(|line| !line.contains("client")),
        "the difference is on purpose: {:?}",
        rig.plan_lines()
    );
}

#[test]
fn who_only_looks_decides_nothing_and_leaves_nothing() {
    let rig = acme();

    let ran = converse(rig.command().args(["--plain", "--read-only"]), &["a", "s", "f why?", "P", "yes", "q"]);

    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    let refused = "only looking (--read-only): nothing can be decided or applied\n";
    assert_eq!(ran.stdout.matches(refused).count(), 4, "{}", ran.stdout);
    assert!(rig.mutations().is_empty());
    let pending = rig.run(&["pending", "--json"]).json();
    assert_eq!((&pending["changes"], &pending["decisions"]), (&json!([]), &json!([])), "{pending}");
}

#[test]
fn before_an_apply_under_an_hourly_budget_it_says_when_it_is_done() {
    let mut world = World::empty();
    for number in 0..40 {
        world.add_client_page(&format!("Client {number}"));
    }
    let rig = Rig::new(world);
    rig.configure("clockify.requests_per_hour = 30\n");

    let ran = talk(&rig, &["A", "P", "no", "q"]);

    says(&ran, &["40 Clockify calls: done ", " at 30 an hour, what people wait for and track time on first.\n"]);
}
