//! Completions and pages for `man`: what they say is what the program takes, and what reads them has nothing to complain
//! of.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    process::{Command, Stdio},
};

use crate::support::{Ran, punchlist};

fn run(arguments: &[&str]) -> String {
    let home = tempfile::TempDir::new().expect("a directory");
    let ran = Ran::of(punchlist(home.path()).args(arguments).output().expect("runs"));
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.stderr);
    ran.stdout
}

/// The verbs that the help names.
fn verbs() -> Vec<String> {
    let help = run(&["-h"]);
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let first = |line: &str| {
        line.strip_prefix("  ").filter(|line| !line.starts_with(' '))?.split(' ').next().map(str::to_owned)
    };
    let verbs: Vec<String> = listed.filter_map(first).filter(|verb| verb != "help").collect();
    assert!(verbs.len() > 9 && verbs.iter().any(|verb| verb == "secrets"), "{verbs:?}");
    verbs
}

/// Whether a program is there, and what it says of a text on its standard input.
fn judged(program: &str, arguments: &[&str], text: &str) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().ok()?;
    child.stdin.take().expect("piped").write_all(text.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    Some(if output.status.success() { String::new() } else { String::from_utf8_lossy(&said).into_owned() })
}

#[test]
fn the_commands_have_a_row_for_every_verb() {
    let page = include_str!("../../assets/docs/commands.md");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `punchlist")).collect();
    for verb in verbs() {
        assert!(rows.iter().any(|row| row.contains(&format!("`punchlist {verb}"))), "{verb} is in no row");
    }
}

#[test]
fn a_configuration_with_every_key_is_at_hand_without_the_source() {
    assert_eq!(run(&["man", "--keys"]), include_str!("../../config.example.toml"));
}

#[test]
fn completions_know_every_verb() {
    let verbs = verbs();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(&["completions", shell]);
        for verb in &verbs {
            assert!(script.contains(verb.as_str()), "{shell}: {verb}");
        }
        for word in ["--auto-approve", "--lock-timeout", "rotate"] {
            assert!(script.contains(word.trim_start_matches('-')), "{shell}: {word}");
        }
        if cfg!(unix) && ["bash", "zsh", "fish"].contains(&shell) {
            // A shell that is not there has nothing to complain of.
            assert_eq!(judged(shell, &["-n"], &script).unwrap_or_default(), "", "{shell}");
        }
    }
    assert!(
        cfg!(windows) || judged("bash", &["-n"], "if").is_some_and(|said| !said.is_empty()),
        "bash is there, and judges"
    );
}

#[test]
fn every_verb_has_a_page() {
    let home = tempfile::TempDir::new().expect("a directory");
    let pages = home.path().join("man");
    run(&["man", "--out", pages.to_str().expect("UTF-8")]);
    let names: BTreeSet<String> = fs::read_dir(&pages)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    for verb in verbs() {
        assert!(names.contains(&format!("punchlist-{verb}.1")), "{verb}: {names:?}");
    }
    assert!(names.contains("punchlist-secrets-rotate.1"), "{names:?}");
    let program = fs::read_to_string(pages.join("punchlist.1")).expect("a page");
    assert_eq!(run(&["man"]), program);
    for name in &names {
        let page = fs::read_to_string(pages.join(name)).expect("a page");
        let title = name.trim_end_matches(".1");
        let version = env!("CARGO_PKG_VERSION");
        assert!(
            page.contains(&format!(".TH {title} 1 \" \" \"punchlist {version}\" \"punchlist manual\"\n")),
            "{name}: {page}"
        );
        assert!(!page.contains("\n.br\n\n") && page.lines().all(|line| !line.ends_with(' ')), "{name}");
        // Whatever formatter is there; titles are spelled as the program is, and nobody knows a date.
        let lint = judged("mandoc", &["-T", "lint", "-W", "warning"], &page).unwrap_or_default();
        let complaints: Vec<&str> = lint.lines().filter(|line| !line.contains("date")).collect();
        assert_eq!(complaints, Vec::<&str>::new(), "{name}");
        let groff = judged("groff", &["-man", "-ww", "-z", "-Tutf8"], &page).unwrap_or_default();
        assert_eq!(groff, "", "{name}");
    }
}
