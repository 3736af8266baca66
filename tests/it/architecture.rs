//! The layers of `lib.rs`, held to: a module uses only what is on its left, and `domain` touches nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
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

/// A module's path below the crate: `["domain", "plan", "document"]`.
type Module = Vec<String>;

/// All modules of the crate but tests, with their code.
fn modules() -> BTreeMap<Module, String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let named = |(path, text): (PathBuf, String)| {
        let path = path.strip_prefix(&src).expect("below src").with_extension("");
        let mut module: Module = path.iter().map(|part| part.to_str().expect("UTF-8").to_owned()).collect();
        module.pop_if(|last| last == "mod");
        (module, code(&text).collect::<Vec<_>>().join("\n"))
    };
    LAYERS.iter().chain(&["sandbox"]).flat_map(|name| layer(name)).map(named).collect()
}

/// The paths of a use tree: `a::{b, c::{d}}` is `a::b` and `a::c::d`.
fn paths(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((before, group)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap_or_default().trim().to_owned()];
    };
    let group = group.trim_end().strip_suffix('}').expect("a group ends");
    let (mut depth, mut from, mut found) = (0, 0, Vec::new());
    for (at, c) in group.char_indices().chain([(group.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let inner = group[from..at].trim();
                found.extend(
                    paths(inner)
                        .into_iter()
                        .filter(|_| !inner.is_empty())
                        .map(|path| format!("{}{path}", before.trim())),
                );
                from = at + 1;
            }
            _ => {}
        }
    }
    found
}

/// What a module names of the crate, in use declarations and elsewhere, as modules.
fn used(module: &Module, code: &str, modules: &BTreeMap<Module, String>) -> BTreeSet<Module> {
    let (mut named, mut rest) = (Vec::new(), String::new());
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let mut declares = ["use ", "pub use ", "pub(crate) use ", "pub(super) use "].into_iter();
        let Some(first) = declares.find_map(|words| line.trim_start().strip_prefix(words)) else {
            rest.extend([line, "\n"]);
            continue;
        };
        let mut tree = first.to_owned();
        while !tree.ends_with(';') {
            tree.extend([" ", lines.next().expect("a declaration ends").trim()]);
        }
        named.extend(paths(tree.trim_end_matches(';')));
    }
    let is_of_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    named.extend(rest.split(|c| !is_of_path(c)).filter(|word| word.contains("::")).map(str::to_owned));
    let resolve = |path: String| {
        let mut at = module.clone();
        let mut parts = path.split("::").peekable();
        match parts.peek() {
            Some(&"crate") => {
                parts.next();
                at.clear();
            }
            Some(&"self") => drop(parts.next()),
            _ => {}
        }
        while parts.next_if_eq(&"super").is_some() {
            at.pop();
        }
        at.extend(parts.map(str::to_owned));
        while !at.is_empty() && !modules.contains_key(&at) {
            at.pop();
        }
        at
    };
    named.into_iter().map(resolve).filter(|used| !used.is_empty() && used != module).collect()
}

/// All uses of one module by another.
fn uses() -> Vec<(Module, Module)> {
    let modules = modules();
    let uses = modules
        .iter()
        .map(|(module, code)| used(module, code, &modules).into_iter().map(move |used| (module.clone(), used)));
    uses.flatten().collect()
}

#[test]
fn a_module_uses_only_what_is_on_its_left() {
    let place = |module: &Module| LAYERS.iter().position(|layer| *layer == module[0]);
    for (module, used) in uses() {
        let allowed = match (place(&module), place(&used)) {
            (Some(from), Some(to)) => to <= from,
            // The demonstration of the faces starts the sandbox, which stands alone.
            (Some(from), None) => LAYERS[from] == "face",
            (None, _) => used[0] == "sandbox",
        };
        assert!(allowed, "{} uses {}", module.join("::"), used.join("::"));
    }
}

/// Neighbours are modules with the same parent; what stands below them counts as they do.
#[test]
fn no_neighbours_use_each_other_in_a_circle() {
    let mut uses_of: BTreeMap<(Module, String), BTreeMap<String, String>> = BTreeMap::new();
    for (module, used) in uses() {
        let shared = module.iter().zip(&used).take_while(|(one, other)| one == other).count();
        // A parent and what stands below it are one thing.
        if let (Some(from), Some(to)) = (module.get(shared), used.get(shared)) {
            let example = format!("{} uses {}", module.join("::"), used.join("::"));
            uses_of.entry((module[..shared].to_vec(), from.clone())).or_default().insert(to.clone(), example);
        }
    }
    for (parent, first) in uses_of.keys() {
        // Whatever can be reached from a module must not lead back to it.
        let (mut open, mut seen) = (vec![(first.clone(), Vec::new())], BTreeSet::new());
        while let Some((at, way)) = open.pop() {
            for (to, example) in uses_of.get(&(parent.clone(), at)).into_iter().flatten() {
                let way: Vec<&String> = way.iter().copied().chain([example]).collect();
                assert!(to != first, "a circle: {way:#?}");
                if seen.insert(to.clone()) {
                    open.push((to.clone(), way));
                }
            }
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
            let names =
                |word: &str| line.split(|character: char| !character.is_alphanumeric()).any(|other| other == word);
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
    let names: Vec<_> =
        makers.iter().filter_map(|path| path.file_name()?.to_str()).filter(|name| *name != "event.rs").collect();
    assert_eq!(names, ["review.rs"]);
}

/// Fields and variants speak for themselves where their names do.
#[test]
fn what_is_public_says_what_it_is_and_every_file_what_it_is_for() {
    let items = [
        "pub fn ",
        "pub async fn ",
        "pub const ",
        "pub static ",
        "pub struct ",
        "pub enum ",
        "pub trait ",
        "pub type ",
    ];
    for (path, text) in LAYERS.iter().chain(&["sandbox"]).flat_map(|name| layer(name)) {
        assert!(text.starts_with("//!"), "{} does not say what it is for", path.display());
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in
            lines.iter().enumerate().filter(|(_, line)| items.iter().any(|item| line.trim_start().starts_with(item)))
        {
            let indent = line.len() - line.trim_start().len();
            // Attributes stand between, on lines of their own or of several.
            let above = lines[..at].iter().rev().find(|above| {
                let is_of_attribute = above.trim_start().starts_with("#[") || above.trim_start().starts_with(")]");
                !is_of_attribute && above.len() - above.trim_start().len() == indent
            });
            assert!(above.is_some_and(|above| above.trim_start().starts_with("///")), "{}: {line}", path.display());
        }
    }
}
