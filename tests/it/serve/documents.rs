//! What the pages and service files tell people to run and to paste is what there is.

use std::{fs, path::Path, process::Command};

use crate::support::{Rig, punchlist};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The arguments of a command line; a word in quotation marks is one of them.
fn words(line: &str) -> Vec<&str> {
    let mut words: Vec<&str> = Vec::new();
    for (part, is_quoted) in line.split('"').zip([false, true].into_iter().cycle()) {
        if is_quoted { words.push(part) } else { words.extend(part.split_whitespace()) }
    }
    words
}

/// The help of a command is shown where everything before it is known.
#[track_caller]
fn is_known(rig: &Rig, arguments: &[&str]) {
    let ran = punchlist(rig.home.path()).args(arguments).arg("--help").output().expect("the binary runs");
    assert!(ran.status.success(), "punchlist {}: {}", arguments.join(" "), String::from_utf8_lossy(&ran.stderr));
}

/// The tags of an XML text in their order, without their attributes, each with the text after it; all are closed.
fn tags(text: &str) -> Vec<(&str, &str)> {
    let (mut open, mut tags) = (Vec::new(), Vec::new());
    for part in text.split('<').skip(1) {
        let (tag, after) = part.split_once('>').unwrap_or_else(|| panic!("a tag without an end: {part}"));
        let name = tag.split([' ', '\n', '/']).find(|name| !name.is_empty()).unwrap_or_default();
        match tag.as_bytes() {
            [b'?' | b'!', ..] => continue,
            [b'/', ..] => assert_eq!(open.pop(), Some(name), "{part}"),
            [.., b'/'] => tags.push((name, after.trim())),
            _ => {
                open.push(name);
                tags.push((name, after.trim()));
            }
        }
        assert!(!after.contains('>') && !after.replace("&amp;", "").contains('&'), "{part}");
    }
    assert_eq!(open, Vec::<&str>::new());
    tags
}

#[test]
fn every_command_of_the_page_and_of_the_units_is_one() {
    let rig = Rig::of_one_project();
    let page = read("docs/serve.md");
    let told: Vec<&str> =
        page.split('`').skip(1).step_by(2).filter_map(|code| code.strip_prefix("punchlist ")).collect();
    let units = ["punchlist.service", "punchlist-auto.service"].map(|unit| read(&format!("service/{unit}")));
    let lines = units.iter().flat_map(|unit| unit.lines());
    let lines: Vec<&str> = lines
        .filter_map(|line| line.strip_prefix("Exec")?.split_once("=/usr/bin/punchlist ").map(|(_, rest)| rest))
        .collect();
    assert!(told.len() > 5 && lines.len() == 3, "{told:?} {lines:?}");
    for line in told.iter().chain(&lines) {
        is_known(&rig, &words(line));
    }
    // What makes a secret and its hash.
    let [make, hash] = ["openssl rand -hex 32", "printf %s SECRET | sha256sum"];
    assert!(page.contains(make) && page.contains(hash));
    let ran = Command::new("sh").args(["-c", hash]).output().expect("a shell");
    let digits = String::from_utf8_lossy(&ran.stdout).chars().take(64).collect::<String>();
    rig.configure(&format!("webhook.callers.billing = {{ kind = \"notion-button\", secret = \"sha256:{digits}\" }}\n"));
    let proved = rig.run(&["serve", "--check"]);
    assert!(proved.code == 0 && proved.stdout.contains("billing (notion-button)"), "{}", proved.stderr);
}

#[test]
fn the_units_are_what_systemd_takes() {
    let rig = Rig::of_one_project();
    for unit in ["punchlist.service", "punchlist-auto.service", "punchlist-auto.timer"] {
        let text = read(&format!("service/{unit}"));
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let is_section = line.starts_with('[') && line.ends_with(']');
            let is_setting =
                line.split_once('=').is_some_and(|(key, _)| key.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            assert!(is_section || is_setting, "{unit}: {line}");
        }
        let text = text.replace("/usr/bin/punchlist", env!("CARGO_BIN_EXE_punchlist"));
        fs::write(rig.home.path().join(unit), text.replace("Documentation=man:punchlist(1)\n", "")).expect("writes");
    }
    // Where there is no systemd, the form has to do.
    for unit in ["punchlist.service", "punchlist-auto.timer"] {
        let verify = Command::new("systemd-analyze").arg("verify").arg(rig.home.path().join(unit)).output();
        if let Ok(ran) = verify {
            let said = String::from_utf8_lossy(&ran.stderr);
            assert!(ran.status.success() && !said.contains(unit), "{unit}: {said}");
        }
    }
}

#[test]
fn the_mac_and_the_container_start_the_daemon_as_nobody_special() {
    let rig = Rig::of_one_project();
    let agent = read("service/punchlist.plist");
    let tags = tags(&agent);
    let after = |key: &str| tags.iter().position(|tag| *tag == ("key", key)).expect("a key") + 1;
    let arguments = tags[after("ProgramArguments") + 1..].iter().take_while(|(tag, _)| *tag == "string");
    let arguments: Vec<&str> = arguments.map(|(_, text)| *text).collect();
    assert!(arguments[0].ends_with("/punchlist"), "{arguments:?}");
    is_known(&rig, &arguments[1..]);
    assert_eq!((tags[after("Label")].1, tags[after("Umask")].1), ("punchlist", "63"));

    let container = read("service/Containerfile");
    let lines = |instruction: &str| -> Vec<String> {
        let lines = container.lines().filter_map(|line| line.strip_prefix(instruction));
        lines.map(|line| line.trim().to_owned()).collect()
    };
    for image in lines("FROM ") {
        let (_, tag) = image.split(' ').next().expect("a name").rsplit_once(':').expect("a tag");
        assert!(tag != "latest" && tag.contains("bookworm"), "{image}");
    }
    let [user] = lines("USER ").try_into().expect("one user");
    let is_somebody = |id: &str| id.parse::<u32>().is_ok_and(|id| id > 0);
    assert!(user.split(':').all(is_somebody) && user.contains(':'), "{user}");
    let run: Vec<String> = [lines("ENTRYPOINT "), lines("CMD ")].concat();
    let run: Vec<String> =
        run.iter().flat_map(|list| serde_json::from_str::<Vec<String>>(list).expect("a list of words")).collect();
    assert_eq!(run[0], "/usr/bin/punchlist");
    is_known(&rig, &run[1..].iter().map(String::as_str).collect::<Vec<_>>());
    for copied in lines("COPY ").iter().filter(|line| !line.starts_with("--from")) {
        let (from, _) = copied.rsplit_once(' ').expect("from and to");
        for path in from.split(' ') {
            assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists(), "{path}");
        }
    }
}

#[test]
fn the_pictures_show_what_the_page_says() {
    let page = read("docs/serve.md");
    let pictures: Vec<&str> =
        page.split("](").filter_map(|part| part.split_once(')')?.0.strip_suffix(".svg")).collect();
    assert_eq!(pictures, ["notion-button-action", "notion-button-webhook"]);
    let drawn: Vec<String> = pictures.iter().map(|name| read(&format!("docs/{name}.svg"))).collect();
    for (picture, texts) in drawn.iter().zip([
        &["Button", "Add action", "Send webhook"][..],
        &[
            "URL",
            "https://punchlist.example.com/hooks/notion/button/billing",
            "Custom headers",
            "X-Punchlist-Secret",
            "Done",
        ],
    ]) {
        let said: Vec<&str> = tags(picture).into_iter().map(|(_, text)| text).collect();
        for text in texts {
            assert!(said.iter().any(|said| said.contains(text)) && page.contains(text), "{text}: {said:?}");
        }
    }
}
