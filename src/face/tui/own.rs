//! Programs of the user's about a row: what they get, and how they are run.

use std::{
    io::Read,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use super::{
    command::Tab,
    outside::{object_url, page_url},
    state::{State, ran::Ran, subject::name},
};
use crate::{
    domain::{
        plan::document::ChangeDocument,
        text::{Shown, json},
    },
    edge::{
        config::{OutputPlace, OwnCommand},
        environment::Environment,
    },
};

/// How long a program may take.
const LIMIT: Duration = Duration::from_secs(30);
/// Bytes of its output that are kept.
const OUTPUT_MAX: usize = 128 << 10;
/// How often its end is looked for.
const POLL: Duration = Duration::from_millis(20);
/// How long what it has said is waited for after its end: something that it started may go on and hold the pipe.
const AFTER_END: Duration = Duration::from_millis(300);

/// What can stand in an argument.
const KNOWN: [&str; 8] = ["name", "kind", "page", "page_url", "object", "object_url", "change", "json"];

/// A program with all that it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) output: OutputPlace,
}

/// A program about the row under the cursor.
///
/// # Errors
/// What the row does not have.
pub(crate) fn job(state: &State, own: &OwnCommand) -> Result<Job, String> {
    if state.tab != Tab::Review || state.reviewing.subject().is_none() {
        return Err(format!("{} is about a row of the review", own.name));
    }
    let arguments = own.args.iter().map(|argument| {
        replaced(argument, |word| {
            value(state, word).ok_or_else(|| format!("this row has no {}", word.replace('_', " ")))
        })
    });
    let arguments = arguments.collect::<Result<_, _>>()?;
    Ok(Job { name: own.name.clone(), program: own.program.clone(), arguments, output: own.output })
}

fn value(state: &State, word: &str) -> Option<String> {
    let reviewing = &state.reviewing;
    let plan = reviewing.plan()?;
    let change = || reviewing.current_change().map(|at| &plan.changes[at]);
    match word {
        "name" => Some(Shown::of(name(plan, reviewing.subject()?).canonical().as_str()).to_string()),
        "kind" => reviewing.page().map(|(kind, _)| kind.word().to_owned()),
        "page" => reviewing.page()?.1.in_notion().map(|page| page.to_string()),
        "page_url" => page_url(state),
        "object" => reviewing.object().map(|(_, object)| object.to_string()),
        "object_url" => object_url(state),
        "change" => change().map(|change| change.id.to_string()),
        "json" => json(&ChangeDocument::one(plan, change()?)).ok(),
        _ => None,
    }
}

/// A text in which each `{word}` stands for something; other braces stay.
fn replaced(text: &str, value: impl Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let (mut whole, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        whole.push_str(before);
        let word = after
            .split_once('}')
            .filter(|(word, _)| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        if let Some((word, behind)) = word {
            whole.push_str(&value(word)?);
            rest = behind;
        } else {
            whole.push('{');
            rest = after;
        }
    }
    Ok(whole + rest)
}

/// What is wrong with a program's arguments, if anything.
pub(crate) fn unknown_word(own: &OwnCommand) -> Option<String> {
    let known = |word: &str| {
        if KNOWN.contains(&word) {
            return Ok(String::new());
        }
        let name = Shown::of(&own.name).clipped(30);
        Err(format!("`console.commands.{name}.args` has {{{word}}}; there is {{{}}}", KNOWN.join("} {")))
    };
    own.args.iter().find_map(|argument| replaced(argument, known).err())
}

/// Runs a program to its end, or until it has taken too long.
pub(super) fn run(job: Job) -> Ran {
    run_within(LIMIT, job)
}

fn run_within(limit: Duration, job: Job) -> Ran {
    let Job { name, program, arguments, output } = job;
    let (bytes, failed) = match start(&program, &arguments) {
        Ok(child) => heard(child, limit),
        Err(error) => (Vec::new(), Some(error)),
    };
    let cut = bytes.len() >= OUTPUT_MAX;
    let text = String::from_utf8_lossy(&bytes);
    let mut lines: Vec<Shown> = text.lines().map(|line| Shown::of(&line.replace('\t', "    "))).collect();
    if cut {
        lines.push(format!("… and more: {} KiB are shown", OUTPUT_MAX >> 10).into());
    }
    Ran { name, output, lines, failed: failed.map(Shown::from) }
}

fn start(program: &str, arguments: &[String]) -> Result<Child, String> {
    let environment = Environment::of_process();
    let shown = Shown::of(program).clipped(40);
    let found = environment.program(program).filter(|found| found.is_file());
    let found = found.ok_or_else(|| format!("there is no program {shown}"))?;
    let mut command = Command::new(found);
    command.args(arguments).env_clear().envs(environment.for_helpers());
    // It must not write over the screen, nor read its keys.
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().map_err(|error| format!("{shown}: {error}"))
}

/// What a program says on both its outputs, and how it ended where that is not well.
fn heard(mut child: Child, limit: Duration) -> (Vec<u8>, Option<String>) {
    let (kept, (ended, ends)) = (Arc::new(Mutex::new(Vec::new())), mpsc::channel());
    let outputs: [Option<Box<dyn Read + Send>>; 2] =
        [child.stdout.take().map(|out| Box::new(out) as _), child.stderr.take().map(|out| Box::new(out) as _)];
    for mut output in outputs.into_iter().flatten() {
        let (kept, ended) = (Arc::clone(&kept), ended.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // What is too much is read all the same: else the program would wait for ever.
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                let room = OUTPUT_MAX.saturating_sub(kept.len());
                kept.extend_from_slice(&buffer[..length.min(room)]);
            }
            ended.send(()).ok();
        });
    }
    let failed = waited_for(&mut child, limit);
    for _ in 0..2 {
        ends.recv_timeout(AFTER_END).ok();
    }
    let kept = kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
    (kept, failed)
}

fn waited_for(child: &mut Child, limit: Duration) -> Option<String> {
    let begun = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return (!status.success()).then(|| format!("it ended with {status}")),
            Ok(None) if begun.elapsed() < limit => std::thread::sleep(POLL),
            Ok(None) => {
                #[cfg(unix)]
                if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
                    rustix::process::kill_process_group(group, rustix::process::Signal::KILL).ok();
                }
                drop(child.kill());
                drop(child.wait());
                return Some(format!("it was ended after {} s", limit.as_secs()));
            }
            Err(error) => return Some(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    fn ran(script: &str) -> Ran {
        let arguments = vec!["-c".to_owned(), script.to_owned()];
        run(Job { name: "x".into(), program: "/bin/sh".into(), arguments, output: OutputPlace::Pager })
    }

    #[cfg(unix)]
    #[test]
    fn a_program_is_heard_and_what_it_says_is_safe_to_show() {
        let told = ran("printf 'a\\033[31mb\\n'; echo c >&2; exit 3");
        assert_eq!(told.lines.len(), 2, "{told:?}");
        assert!(told.lines.iter().any(|line| line.as_str() == "a⟨U+001B⟩[31mb"), "{told:?}");
        assert!(told.failed.as_ref().is_some_and(|failed| failed.contains('3')), "{told:?}");
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_hangs_is_ended_with_all_that_it_has_started() {
        let arguments = vec!["-c".to_owned(), "echo begun; sleep 600 & sleep 600".to_owned()];
        let job = Job { name: "x".into(), program: "/bin/sh".into(), arguments, output: OutputPlace::Pager };
        let begun = Instant::now();
        let told = run_within(Duration::from_secs(1), job);
        assert_eq!(told.failed.expect("ended").as_str(), "it was ended after 1 s");
        assert_eq!(told.lines.len(), 1);
        assert!(begun.elapsed() < Duration::from_mins(1));
    }

    #[cfg(unix)]
    #[test]
    fn much_output_is_cut() {
        let told = ran("head -c 1048576 /dev/zero | tr '\\0' 'x' | fold -w 100");
        assert!(told.failed.is_none(), "{:?}", told.failed);
        assert!(told.lines.last().is_some_and(|line| line.contains("128 KiB are shown")));
    }

    #[test]
    fn a_program_that_is_missing_is_said() {
        let missing =
            Job { program: "no-such-program".into(), arguments: vec![], name: "x".into(), output: OutputPlace::Toast };
        assert_eq!(run(missing).failed.expect("refused").as_str(), "there is no program no-such-program");
    }

    #[test]
    fn words_in_braces_stand_for_something_and_other_braces_stay() {
        let value = |word: &str| if word == "page" { Ok("1".to_owned()) } else { Err(word.to_owned()) };
        assert_eq!(replaced("--x={page}{\"a\": {page}}", value), Ok("--x=1{\"a\": 1}".to_owned()));
        assert_eq!(replaced("{pge}", value), Err("pge".to_owned()));
    }
}
