//! The layers of `lib.rs`, held to: a module uses only what is on its left, and `domain` touches nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The layers, from left to right. `sandbox` stands alone.
const LAYERS: [&str; 4] = ["domain", "edge", "engine", "face"];
/// What `domain` must not even name.
const TOUCHING: [&str; 16] = [
    "async fn",
    ".await",
    "tokio",
    "reqwest",
    "rusqlite",
    "ratatui",
    "crossterm",
    "tracing",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "Instant",
    "SystemTime",
    "::now()",
    "println!",
];

fn sources(directory: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            found.extend(sources(&entry));
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&entry).expect("UTF-8");
            found.push((entry, text));
        }
    }
    found
}

fn layer(name: &str) -> Vec<(PathBuf, String)> {
    let mut files = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name));
    // Tests may reach for whatever they need.
    files.retain(|(path, _)| !path.iter().any(|part| part == "tests" || part == "tests.rs"));
    for (_, text) in &mut files {
        if let Some(at) = text.find("#[cfg(test)]\nmod tests {") {
            text.truncate(at);
        }
    }
    assert!(!files.is_empty(), "the layer {name} has files");
    files
}

/// Lines of code: comments may speak of anything.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

#[test]
fn a_module_uses_only_what_is_on_its_left() {
    for (at, name) in LAYERS.iter().enumerate() {
        let forbidden: Vec<&str> = LAYERS[at + 1..].iter().copied().chain((at < 3).then_some("sandbox")).collect();
        for (path, text) in layer(name) {
            let flat: String = code(&text).collect::<Vec<_>>().join(" ");
            for other in &forbidden {
                assert!(!flat.contains(&format!("crate::{other}")), "{} uses {other}", path.display());
                // The grouped form: `use crate::{ domain::…, engine::… }`.
                for group in flat.split("crate::{").skip(1) {
                    let group = group.split("};").next().unwrap_or_default();
                    assert!(!group.contains(&format!(" {other}::")), "{} uses {other}", path.display());
                }
            }
        }
    }
}

#[test]
fn the_sandbox_stands_alone() {
    for (path, text) in layer("sandbox") {
        for line in code(&text).filter(|line| line.contains("crate::")) {
            assert!(line.contains("crate::sandbox"), "{}: {line}", path.display());
        }
    }
}

#[test]
fn the_domain_touches_nothing() {
    for (path, text) in layer("domain") {
        for line in code(&text) {
            for word in TOUCHING {
                assert!(!line.contains(word), "{} names {word}: {line}", path.display());
            }
        }
    }
}

#[test]
fn no_face_names_the_database() {
    for (path, text) in layer("face") {
        for line in code(&text) {
            let names = |word: &str| line.split(|character: char| !character.is_alphanumeric()).any(|other| other == word);
            assert!(!names("Store") && !names("StoreError"), "{}: {line}", path.display());
        }
    }
}

#[test]
fn only_a_review_makes_something_approved() {
    let makers: Vec<PathBuf> = LAYERS
        .iter()
        .flat_map(|name| layer(name))
        .filter(|(_, text)| {
            code(text).any(|line| {
                line.contains("Approved {")
                    && !line.contains("struct")
                    && !line.contains("impl")
                    && !line.contains("What::Approved")
            })
        })
        .map(|(path, _)| path)
        .collect();
    let names: Vec<_> = makers.iter().filter_map(|path| path.file_name()?.to_str()).filter(|name| *name != "event.rs").collect();
    assert_eq!(names, ["review.rs"]);
}
