//! What people read beside the program: every link leads somewhere, every command is one that the program takes, and
//! what is made from something else is as that says.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use punchlist::sandbox::World;

use crate::support::{Ran, Rig, punchlist};

mod comparison;
mod public;
mod reference;

/// Where the project is.
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Programs of others that pages name. What they are given is theirs to judge.
const OTHERS: [&str; 15] = [
    ".ci/deb",
    ".ci/run",
    "cargo",
    "curl",
    "cd",
    "install",
    "journalctl",
    "mkdir",
    "openssl",
    "printf",
    "sudo apt",
    "sudo systemctl",
    "sudo useradd",
    "systemctl",
    "target/release/punchlist",
];

/// A page: where it is, and what it says.
pub(crate) struct Page {
    path: PathBuf,
    text: String,
}

impl Page {
    fn name(&self) -> String {
        self.path.strip_prefix(ROOT).expect("of the project").display().to_string()
    }

    /// The lines in fenced blocks, each with the language of its block.
    fn fenced(&self) -> Vec<(&str, &str)> {
        let (mut language, mut lines) = (None, Vec::new());
        for line in self.text.lines() {
            match (line.trim_start().strip_prefix("```"), language) {
                (Some(opened), None) => language = Some(opened),
                (Some(_), Some(_)) => language = None,
                (None, Some(of)) => lines.push((of, line.trim())),
                (None, None) => {}
            }
        }
        assert!(language.is_none(), "{}: a block does not end", self.name());
        lines
    }

    /// What stands outside of fenced blocks.
    fn prose(&self) -> String {
        let mut inside = false;
        let is_prose = |line: &&str| {
            let fence = line.trim_start().starts_with("```");
            inside ^= fence;
            !inside && !fence
        };
        self.text.lines().filter(is_prose).collect::<Vec<_>>().join("\n")
    }

    /// What the headings are linked by.
    fn anchors(&self) -> BTreeSet<String> {
        let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
        let anchor =
            |heading: &str| heading.to_lowercase().chars().filter(kept).collect::<String>().trim().replace(' ', "-");
        self.prose()
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .map(|line| anchor(line.trim_start_matches('#')))
            .collect()
    }

    /// Where its links and pictures lead.
    fn links(&self) -> Vec<String> {
        let prose = self.prose();
        let targets = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        targets.map(str::to_owned).collect()
    }
}

/// All pages of the project.
fn pages() -> Vec<Page> {
    let of = |directory: &str| {
        let entries = fs::read_dir(Path::new(ROOT).join(directory)).expect("a directory");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect::<Vec<_>>()
    };
    let mut paths = [of(""), of("assets/docs"), of(".github"), of("tests")].concat();
    paths.sort();
    paths.into_iter().map(|path| Page { text: fs::read_to_string(&path).expect("UTF-8"), path }).collect()
}

/// The pages for users, which speak of commands.
fn manual() -> Vec<Page> {
    let is_of_it = |page: &Page| {
        let name = page.name();
        name == "README.md" || name.starts_with("assets/docs/") || name.starts_with(".github/")
    };
    pages().into_iter().filter(is_of_it).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let pages = pages();
    for page in &pages {
        for link in page.links() {
            if link.contains("://") {
                let url = url::Url::parse(&link).unwrap_or_else(|error| panic!("{}: {link}: {error}", page.name()));
                assert_eq!(url.scheme(), "https", "{}: {link}", page.name());
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let to = if path.is_empty() { page.path.clone() } else { page.path.parent().expect("one").join(path) };
            let to = to.canonicalize().unwrap_or_else(|_| panic!("{}: {link} leads nowhere", page.name()));
            let target = pages.iter().find(|page| page.path == to);
            let is_there = anchor.is_empty() || target.is_some_and(|target| target.anchors().contains(anchor));
            assert!(is_there, "{}: {link} names no heading", page.name());
        }
    }
}

#[test]
fn every_page_is_linked_from_the_index_and_that_from_the_readme() {
    let pages = pages();
    let linked = |name: &str| {
        let page = pages.iter().find(|page| page.name() == name).expect("a page");
        let to = |link: String| {
            page.path.parent().expect("one").join(link.split('#').next().unwrap_or_default()).canonicalize()
        };
        page.links()
            .into_iter()
            .filter(|link| !link.contains("://"))
            .filter_map(|link| to(link).ok())
            .collect::<BTreeSet<_>>()
    };
    let index = linked("assets/docs/README.md");
    for page in
        pages.iter().filter(|page| page.name().starts_with("assets/docs/") && !page.name().ends_with("README.md"))
    {
        assert!(index.contains(&page.path), "the index does not name {}", page.name());
    }
    assert!(linked("README.md").contains(&Path::new(ROOT).join("assets/docs/README.md")));
}

/// The arguments in a line of a shell, up to where something else begins.
fn arguments(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (c, quote) {
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, Some(mark)) if c == mark => quote = None,
            ('|' | '>' | ';' | '&' | ')', None) => break,
            ('#', None) if word.is_none() => break,
            (' ', None) => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The command of ours in a line of a block, if it has one.
fn command(language: &str, line: &str) -> Option<Vec<String>> {
    let line = match language {
        "yaml" => line.trim_start_matches("- ").strip_prefix("run: ")?,
        "sh" | "crontab" => line,
        _ => return None,
    };
    // Variables that go before a program.
    let line = line.split_inclusive(' ').skip_while(|word| word.contains('=')).collect::<String>();
    let line = line.as_str();
    if line.is_empty()
        || line.starts_with('#')
        || OTHERS.iter().any(|other| line == *other || line.starts_with(&format!("{other} ")))
    {
        return None;
    }
    // Also through a shell elsewhere, as another user, and at a time.
    let is_ours = |at: &usize| {
        let before = line[..*at].chars().next_back();
        let after = line[at + "punchlist".len()..].chars().next();
        before.is_none_or(|c| matches!(c, ' ' | '/' | '=')) && after.is_none_or(|c| c == ' ')
    };
    let through_others = line.split(['|', '#']).next().unwrap_or(line);
    let at = if line.starts_with("ssh") {
        through_others.match_indices("punchlist").map(|(at, _)| at).filter(is_ours).last()
    } else {
        line.match_indices("punchlist").map(|(at, _)| at).find(is_ours)
    };
    let at = at.unwrap_or_else(|| panic!("{line:?} is neither a command of ours nor of a program that pages may name"));
    Some(arguments(&line[at + "punchlist".len()..]))
}

/// True for what does not end by itself, waits by chance, or is about files that a rig does not have.
fn is_only_parsed(arguments: &[String]) -> bool {
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    has("sandbox") || has("serve") || has("--jitter") || has("--config") || has("--profile") || has("--demo")
}

#[test]
fn every_command_of_a_page_is_run() {
    let mut count = 0;
    for page in manual() {
        let commands = page.fenced().into_iter().filter_map(|(language, line)| Some((line, command(language, line)?)));
        let commands: Vec<_> = commands.collect();
        if commands.is_empty() {
            continue;
        }
        // There is something to look back at.
        let rig = Rig::new(World::agency());
        rig.auto_approve();
        for (line, mut arguments) in commands {
            count += 1;
            if is_only_parsed(&arguments) {
                arguments.push("--help".to_owned());
            }
            let mut ours = punchlist(rig.home.path());
            ours.env("PUNCHLIST_CONFIG", rig.configuration());
            ours.env("PUNCHLIST__STATE__DIR", rig.home.path().join("state"));
            // Where pages put something.
            fs::create_dir_all(rig.home.path().join(".local/share/man")).expect("writable");
            let ran = Ran::of(ours.args(&arguments).stdin(std::process::Stdio::null()).output().expect("runs"));
            // Those that need a person, or name something that the sample does not have, end with 1.
            assert!([0, 1, 2, 3].contains(&ran.code), "{}: {line}: {} {}", page.name(), ran.code, ran.stderr);
        }
    }
    assert!(count > 40, "{count}");
}

#[test]
fn every_command_in_a_sentence_is_one() {
    let home = tempfile::TempDir::new().expect("a directory");
    let mut seen = BTreeSet::new();
    for page in manual() {
        let prose = page.prose();
        let spans = prose.split('`').skip(1).step_by(2).filter_map(|span| span.strip_prefix("punchlist "));
        // What may be left out, and what is one of several, is for people.
        for span in spans.filter(|span| !span.contains(['[', '|', '…', '\n']) && !span.contains(" or ")) {
            let span = &span.replace(" SHELL", " bash").replace("=N", "=12");
            let words = arguments(span);
            if !seen.insert(words.clone()) {
                continue;
            }
            let ran = Ran::of(punchlist(home.path()).args(&words).arg("--help").output().expect("runs"));
            assert_eq!(ran.code, 0, "{}: {span}: {}", page.name(), ran.stderr);
        }
    }
    assert!(seen.len() > 30, "{seen:?}");
}

#[test]
fn a_line_is_read_as_a_shell_reads_it() {
    let read = |language, line| command(language, line).map(|words| words.join("·"));
    assert_eq!(read("sh", "punchlist explain \"Old intranet\" # why").as_deref(), Some("explain·Old intranet"));
    assert_eq!(read("sh", "ssh -t punchlist.example.com sudo -u punchlist punchlist plan").as_deref(), Some("plan"));
    assert_eq!(read("crontab", "0 4 * * * /usr/bin/punchlist -q --jitter 3").as_deref(), Some("-q·--jitter·3"));
    assert_eq!(read("yaml", "- run: punchlist plan > plan.txt || true").as_deref(), Some("plan"));
    assert_eq!(read("sh", "cargo install punchlist"), None);
}
