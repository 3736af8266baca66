//! What GitHub and packagers read: it names what there is, and the same of each thing everywhere.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::ROOT;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn manifest() -> toml::Table {
    toml::from_str(&read("Cargo.toml")).expect("TOML")
}

/// The names of the files in a directory.
fn names(directory: &str) -> Vec<String> {
    let entries = fs::read_dir(Path::new(ROOT).join(directory)).expect("a directory");
    entries.map(|entry| format!("{directory}/{}", entry.expect("an entry").file_name().display())).collect()
}

#[test]
fn the_oldest_rust_is_the_same_everywhere() {
    let package = manifest()["package"].clone();
    let oldest = package["rust-version"].as_str().expect("a version").to_owned();
    for (path, says) in [
        ("README.md", format!("with Rust {oldest} and a C compiler")),
        ("assets/docs/install.md", format!("with Rust {oldest} or later")),
        (".github/workflows/ci.yml", format!("rustup toolchain install {oldest} --profile minimal")),
    ] {
        assert!(read(path).contains(&says), "{path} does not say: {says}");
    }
    let pinned = ["rust-toolchain", "rust-toolchain.toml"].map(|name| Path::new(ROOT).join(name).exists());
    assert_eq!(pinned, [false, false], "nothing keeps anybody on another one");
}

#[test]
fn a_workflow_takes_little_and_ends() {
    let workflows = names(".github/workflows");
    assert!(workflows.len() >= 3, "{workflows:?}");
    for path in workflows {
        let text = read(&path);
        assert!(text.contains("\npermissions:\n  contents: read\n"), "{path} takes more than it needs");
        let (_, jobs) = text.split_once("\njobs:\n").expect("jobs");
        let count = |what: &str| jobs.lines().filter(|line| line.trim_start().starts_with(what)).count();
        assert_eq!(count("runs-on:"), count("timeout-minutes:"), "{path}: each job has an end");
        for used in jobs.lines().filter_map(|line| line.trim_start_matches(['-', ' ']).strip_prefix("uses: ")) {
            assert!(used.split_once('@').is_some_and(|(_, version)| version.starts_with('v')), "{path}: {used}");
        }
        // What runs is in the checkout, or one of the tools that are installed before.
        for script in jobs.split_whitespace().filter(|word| word.starts_with(".ci/")) {
            assert!(Path::new(ROOT).join(script).exists(), "{path}: {script}");
        }
        assert!(!text.contains('\t'), "{path} is YAML");
    }
    let nightly = read(".github/workflows/nightly.yml");
    assert!(nightly.contains("PUNCHLIST_SEEDS: 100000\n") && nightly.contains("part: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"));
}

#[test]
fn archives_are_made_by_the_version_that_their_configuration_is_for() {
    let dist = manifest()["workspace"]["metadata"]["dist"].clone();
    let version = dist["cargo-dist-version"].as_str().expect("it makes nothing without one").to_owned();
    assert!(read(".github/workflows/release.yml").contains(&format!(" cargo-dist@{version} ")));
}

#[test]
fn who_reports_a_fault_is_asked_for_what_finds_it() {
    let form = read(".github/ISSUE_TEMPLATE/wrong.yml");
    for asked in ["punchlist doctor --json", "punchlist logs show last", "punchlist --version"] {
        assert!(form.contains(asked), "{asked}");
    }
    assert!(form.contains("Redacted") && form.matches("required: true").count() == 6);
}

#[test]
fn the_package_takes_what_there_is() {
    let deb = manifest()["package"]["metadata"]["deb"].clone();
    let made = read(".ci/deb");
    for asset in deb["assets"].as_array().expect("assets") {
        let from = asset[0].as_str().expect("a path");
        let directory = from.rsplit_once('/').map_or("", |(directory, _)| directory);
        // What is made first is made by the script.
        let is_there = match from.strip_prefix("target/") {
            Some(made_as) => {
                let name = made_as.rsplit('/').next().unwrap_or_default().split('.').next_back().unwrap_or_default();
                made.contains(name) || made.contains(&format!("punchlist.{name}"))
            }
            None if from.contains('*') => {
                let ending = from.rsplit('*').next().unwrap_or_default();
                names(directory).iter().any(|name| name.ends_with(ending))
            }
            None => Path::new(ROOT).join(from).exists(),
        };
        assert!(is_there, "{from}");
    }
}

/// The Rust files below a directory, but for tests.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    let paths = paths.filter(|path| path.file_stem().is_some_and(|stem| stem != "tests"));
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

#[test]
fn the_container_is_built_from_all_that_the_program_takes_in() {
    let recipe = read("assets/service/Containerfile");
    let copied: Vec<PathBuf> = recipe
        .lines()
        .filter_map(|line| line.strip_prefix("COPY ").filter(|line| !line.starts_with("--from")))
        .flat_map(|line| line.split(' ').rev().skip(1))
        .map(|path| Path::new(ROOT).join(path))
        .collect();
    let mut taken_in = 0;
    for source in sources(&Path::new(ROOT).join("src")) {
        let text = fs::read_to_string(&source).expect("UTF-8");
        for included in text.split("include_str!(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let path = source.parent().expect("one").join(included).canonicalize().expect("it is there");
            taken_in += 1;
            assert!(copied.iter().any(|copied| path.starts_with(copied)), "the container lacks {}", path.display());
        }
    }
    assert!(taken_in > 3, "{taken_in}");
}

#[test]
fn settings_of_tools_are_readable() {
    for path in [".deny.toml", ".typos.toml", ".clippy.toml", ".rustfmt.toml"] {
        toml::from_str::<toml::Table>(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    let changelog = read("CHANGELOG.md");
    assert!(changelog.contains("\n## [Unreleased]\n\n### Upgrade\n"), "in the form of Keep a Changelog");
}
