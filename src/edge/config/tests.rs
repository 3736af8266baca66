mod schema;

use std::fs;

use super::*;
use crate::domain::{
    action::Action,
    model::{Field, Value},
    reach::Extent,
    rules::{Brake, Condition, Holds, IdStrategy, Mapped, OnConflict, OnDrift, Strangers, Threshold, Unit},
    trigger::Mode,
};

const EXAMPLE: &str = include_str!("../../../config.example.toml");

/// A directory with a `config.toml`, and what else a loader is given.
struct World {
    directory: tempfile::TempDir,
    loader: Loader,
}

fn world(file: &str) -> World {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("config.toml");
    fs::write(&path, file).expect("writes");
    World { loader: Loader { config_path: Some(path), ..Loader::default() }, directory }
}

impl World {
    fn with_variables(mut self, variables: &[(&str, &str)]) -> Self {
        self.loader.environment = variables.iter().copied().collect();
        self
    }

    fn with_flag(mut self, key: &str, value: &str) -> Self {
        self.loader.overrides.push(Override { key: key.into(), value: value.into(), place: "--flag".into() });
        self
    }

    #[track_caller]
    fn settings(&self) -> Settings {
        self.loader.load().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The problems, with the directory's name left out.
    #[track_caller]
    fn problems(&self) -> Vec<String> {
        let error = self.loader.load().expect_err("problems");
        let directory = format!("{}{}", self.directory.path().display(), std::path::MAIN_SEPARATOR);
        error.problems().iter().map(|problem| problem.to_string().replace(&directory, "")).collect()
    }
}

#[track_caller]
fn check_problem(file: &str, expected: &str) {
    assert_eq!(world(file).problems(), [expected]);
}

/// The example with the keys that it only shows.
fn example_in_full() -> String {
    EXAMPLE
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| rest.starts_with(char::is_alphabetic)).unwrap_or(line))
        .fold(String::new(), |mut all, line| {
            all.push_str(line);
            all.push('\n');
            all
        })
}

#[test]
fn the_example_is_the_defaults() {
    let example = world(EXAMPLE).settings();
    let defaults = Settings {
        file: example.file.clone(),
        configuration: example.configuration.clone(),
        places: example.places.clone(),
        given: example.given.clone(),
        ..world("").settings()
    };
    assert_eq!(example, defaults);
    assert_eq!(example.rules, Rules::default());
    assert!(example.require_endpoints().is_err());
}

#[test]
fn the_example_in_full_is_valid_and_enough() {
    let home = Path::new(if cfg!(windows) { r"C:\home\anna" } else { "/home/anna" });
    let settings = world(&example_in_full()).with_variables(&[("HOME", &home.to_string_lossy())]).settings();
    let endpoints = settings.require_endpoints().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(endpoints.notion.data_sources.tasks.to_string(), "1f2c0000-0000-4000-8000-0000000009a2");
    assert_eq!(endpoints.clockify.requests_per_hour, NonZeroU32::new(30));
    let state_dir = home.join(".local/state/punchlist");
    assert_eq!(settings.state_dir, Some(state_dir));
    assert_eq!(settings.rules.mapping.clients.fields[&Field::Email].property, "Email");
    assert_eq!(settings.rules.precedence.projects.of(Field::Name).on_drift, OnDrift::Restore);
}

#[test]
fn the_example_documents_every_key() {
    let full = world(&example_in_full());
    let mut layers = Layers::default();
    layers.add_file(full.loader.config_path.as_deref().expect("a file"), true);
    let shown: Vec<String> = layers.given.keys().cloned().collect();

    let mut reader = Reader::new(Layers::default(), &full.loader.environment);
    read::settings(&mut reader, None);
    let of_single_fields = |key: &str| key.starts_with("rules.") && key.contains(".fields.");
    // A page is closed by a checkbox or by values, so the example can show but one of the two.
    let other_way_to_close = |key: &str| key.contains(".closed.") || key.contains(".only.");
    // The state is in one place.
    let other_place = |key: &str| key == "state.url";
    // A field's property is named alone or in a table; the example shows one way for each.
    let mapped = |key: &str| {
        let alone = key.trim_end_matches(".property").trim_end_matches(".unit");
        key.starts_with("mapping.")
            && shown.iter().any(|shown| shown == alone || shown.starts_with(&format!("{alone}.")))
    };
    let undocumented: Vec<&str> = reader
        .known_keys()
        .filter(|key| {
            !of_single_fields(key)
                && !other_way_to_close(key)
                && !mapped(key)
                && !other_place(key)
                && !shown.iter().any(|shown| shown == key)
        })
        .collect();
    assert_eq!(undocumented, [""; 0]);
}

#[test]
fn every_problem_is_told_with_its_line_and_the_nearest_key() {
    let file = "[notion]\ntokn = \"env:X\"\nrequests_per_minute = \"fast\"\n\n[breaks]\nclose = { count = 1 }\n";

    let problems = world(file).problems();

    assert_eq!(
        problems,
        [
            "config.toml:3: `notion.requests_per_minute` is \"fast\"; it takes a whole number from 1 to 1000000",
            "config.toml:6: unknown key `breaks.close.count`; the nearest known key is `brakes.close.count`",
            "config.toml:2: unknown key `notion.tokn`; the nearest known key is `notion.token`",
        ]
    );
}

#[test]
fn a_key_outside_its_section_is_found() {
    check_problem(
        "data_sources = 1\n",
        "config.toml:1: unknown key `data_sources`; the nearest known key is `notion.tasks.data_source`",
    );
}

#[test]
fn what_is_missing_is_told_with_where_to_set_it() {
    let world =
        world("[clockify]\ntoken = \"env:C\"\n[notion.clients]\ndata_source = \"1f2c00000000400080000000000009a0\"\n");

    let error = world.settings().require_endpoints().expect_err("missing");

    let text = error.to_string();
    assert!(text.starts_with("the configuration has 3 problems\n"), "{text}");
    assert!(
        text.contains("config.toml: `notion.token` is missing; set it here, e.g. notion.token = \"env:NOTION_TOKEN\""),
        "{text}"
    );
    assert!(text.contains("or as PUNCHLIST__NOTION__TASKS__DATA_SOURCE in the environment"), "{text}");
}

#[test]
fn flags_have_the_last_word_then_the_environment_then_the_file() {
    let settings =
        world("[notion]\nrequests_per_minute = 1\n[clockify]\nrequests_per_second = 1\nrequests_per_hour = 1\n")
            .with_variables(&[
                ("PUNCHLIST__CLOCKIFY__REQUESTS_PER_SECOND", "2"),
                ("PUNCHLIST__NOTION__REQUESTS_PER_MINUTE", ""),
                ("punchlist__Clockify__Requests_Per_Hour", "2"),
            ])
            .with_flag("clockify.requests_per_hour", "3")
            .settings();

    assert_eq!(settings.notion.requests_per_minute.get(), 1);
    assert_eq!(settings.clockify.requests_per_second.get(), 2);
    assert_eq!(settings.clockify.requests_per_hour.map(NonZeroU32::get), Some(3));
}

#[test]
fn the_environment_is_read_by_what_the_key_takes() {
    let settings = world("[mapping.clients]\nclosed = { property = \"Archived\", checked = true }\n")
        .with_variables(&[
            ("PUNCHLIST__NOTION__CLIENTS__DATA_SOURCE", "1f2c00000000400080000000000009a0"),
            ("PUNCHLIST__MAPPING__PROJECTS__ID", "2026"),
            ("PUNCHLIST__MAPPING__CLIENTS__CLOSED", "{ property = \"Status\", values = [\"Gone\"] }"),
            ("PUNCHLIST__MAPPING__TASKS__CLOSED__VALUES", "['Done']"),
            ("PUNCHLIST__RULES__THRESHOLDS__CREATE", "never"),
            ("PUNCHLIST__BRAKES__CLOSE", "{ count = 0 }"),
            ("PUNCHLIST__CLOCKIFY__TOKEN", "command:[\"cat\", \"key\"]"),
        ])
        .settings();

    let gone = Condition { property: "Status".into(), is: Holds::OneOf(vec!["Gone".into()]) };
    assert!(settings.notion.data_sources.clients.is_some());
    assert_eq!(settings.rules.mapping.projects.id, "2026");
    assert_eq!(settings.rules.mapping.clients.closed, Some(gone));
    assert_eq!(settings.rules.mapping.tasks.closed.expect("closed").is, Holds::OneOf(vec!["Done".into()]));
    assert_eq!(settings.rules.thresholds.of[Action::Create], Threshold::Never);
    assert_eq!(settings.rules.brakes.close, Brake { count: 0, percent: 10 });
    assert_eq!(settings.clockify.token.expect("a token").to_string(), "command:[\"cat\", …]");
}

#[test]
fn a_wrong_variable_is_named() {
    let world = world("").with_variables(&[("PUNCHLIST__RULES__UNMANAGED", "loud"), ("PUNCHLIST__NOTION__TOKN", "x")]);

    assert_eq!(
        world.problems(),
        [
            "environment variable PUNCHLIST__RULES__UNMANAGED: `rules.unmanaged` is \"loud\"; it takes \"notice\" or \"ignore\" or \"close\"",
            "environment variable PUNCHLIST__NOTION__TOKN: unknown key `notion.tokn`; the nearest known key is `notion.token`",
        ]
    );
}

#[test]
fn a_secret_is_never_repeated() {
    let notion = "ntn_284756canary9vQ";
    let clockify = "Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5";
    let files = [
        format!("[notion]\ntoken = \"{notion}\""),
        format!("[notion]\ntoken = {notion}"),
        format!("[notion]\ntoken = [\"{notion}\"]"),
        format!("[notion]\napi_version = \"{notion}\""),
        format!("[notion]\nbase_url = \"https://{notion}@api.notion.com\""),
        format!("[clockify]\ntoken = \"{clockify}\""),
        format!("[clockify]\nbase_url = \"{clockify}\""),
        format!("[clockify]\ntoken = \"env:\"\nbase_url = \"https://x/\"\nworkspace = [\"{clockify}\"]"),
    ];
    for file in files {
        let problems = world(&file).problems().join("\n");
        assert!(!problems.contains("canary") && !problems.contains("Y2Fu"), "{problems}");
    }
}

#[test]
fn a_bare_token_is_told_what_to_write_instead() {
    check_problem(
        "[notion]\ntoken = \"ntn_x\"\n",
        "config.toml:2: `notion.token`: this is not a reference to a secret but perhaps a secret itself; it is not repeated here; \
         name where the secret is, e.g. env:NOTION_TOKEN or keyring:notion or file:~/.secrets/notion or credential:notion or \
         command:[\"op\", \"read\", \"op://Work/Notion/token\"]",
    );
}

#[test]
fn of_secrets_and_commands_is_kept_what_cannot_be_secret() {
    let settings = world(
        "notion.token = \"env:NOTION_TOKEN\"\nclockify.token = 'command:[\"op\", \"read\", \"canary\"]'\n\
         clockify.workspace = \"64a9\"\nnotify.command = [\"/bin/sh\", \"-c\", \"canary\"]\n\
         console.open_command = [\"firefox\"]\nconsole.keys.approve = [\"space\", \"a\"]\n",
    )
    .with_variables(&[
        ("PUNCHLIST__NOTIFY__WEBHOOK", "command:[\"canary0123456789\"]"),
        ("PUNCHLIST__CONSOLE__COPY_COMMAND", "['xclip', 'canary']"),
        ("PUNCHLIST__BRAKES__CLOSE", "{ count = 2 }"),
    ])
    .settings();
    let kept: Vec<(&str, &str)> = settings.given.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
    assert_eq!(
        kept,
        [
            ("brakes.close.count", "2"),
            ("clockify.token", "command:[\"op\", …]"),
            ("clockify.workspace", "64a9"),
            ("console.copy_command", "xclip with 1 argument"),
            ("console.keys.approve", "[\"space\", \"a\"]"),
            ("console.open_command", "firefox"),
            ("notify.command", "/bin/sh with 2 arguments"),
            ("notify.webhook", "command:[\"…\"]"),
            ("notion.token", "env:NOTION_TOKEN"),
        ]
    );
}

#[test]
fn every_key_was_set_in_a_line_whatever_way_it_is_spelt() {
    let place = |file: &str, key: &str| {
        let world = world(file);
        let directory = format!("{}{}", world.directory.path().display(), std::path::MAIN_SEPARATOR);
        world.settings().places[key].to_string().replace(&directory, "")
    };
    for (file, key, line) in [
        ("[mapping.projects.closed]\nproperty = \"Stage\"\nvalues = [\"Done\"]\n", "mapping.projects.closed", 2),
        ("\nmapping.projects.closed = { property = \"Stage\", values = [\"Done\"] }\n", "mapping.projects.closed", 2),
        (
            "\nmapping = { projects = { closed = { property = \"Stage\", values = [\"Done\"] } } }\n",
            "mapping.projects.closed",
            2,
        ),
        ("[mapping]\nprojects.closed.values = [\n  \"Done\",\n  \"Gone\",\n]\n", "mapping.projects.closed", 2),
        ("[mapping]\n[mapping.projects]\n\"closed\".'values' = [\"Done\"]\n", "mapping.projects.closed", 3),
        ("[mapping.projects]\nclosed.values = [\"Done\"]\nfields.note = \"Note\"\n", "mapping.projects.fields.note", 3),
        (
            "[mapping.projects.fields]\n\nestimate = { unit = \"days\", property = \"Size\" }\n",
            "mapping.projects.fields.estimate",
            3,
        ),
        ("[mapping.projects.fields.estimate]\nproperty = \"Size\"\n", "mapping.projects.fields.estimate", 2),
        (
            "mapping.projects.fields = { public = true, color = { property = \"C\", values = { D = \"#000000\" } } }\n",
            "mapping.projects.fields.color",
            1,
        ),
        ("[notion]\nclients.data_source = \"1f2c00000000400080000000000009a0\"\n", "notion.clients.data_source", 2),
        ("[notion.clients]\n\ndata_source = \"1f2c00000000400080000000000009a0\"\n", "notion.clients.data_source", 3),
        ("brakes = { close = { count = 1 } }\n", "brakes.close.count", 1),
        ("[rules.projects.fields]\nname = { on_drift = \"accept\" }\n", "rules.projects.fields.name.on_drift", 2),
    ] {
        assert_eq!(place(file, key), format!("config.toml:{line}"), "{file}");
    }
    assert_eq!(place("", "mapping.projects.closed"), "the defaults");
    check_problem(
        "\n[[mapping.projects.closed]]\nproperty = \"Stage\"\n",
        "config.toml:2: `mapping.projects.closed` is a list of other things than text; it takes keys, e.g. \
         `mapping.projects.closed.checked`",
    );
    check_problem(
        "[mapping.projects]\nonly = [{ property = \"Stage\" }]\n",
        "config.toml:2: `mapping.projects.only` is a list of other things than text; it takes keys, e.g. \
         `mapping.projects.only.checked`",
    );
    for (name, value) in [
        ("PUNCHLIST__MAPPING__PROJECTS__CLOSED", "{ property = \"Stage\", values = [\"Done\"] }"),
        ("PUNCHLIST__MAPPING__PROJECTS", "{ closed = { values = [\"Done\"] } }"),
        ("PUNCHLIST__MAPPING__PROJECTS__CLOSED__VALUES", "['Done']"),
    ] {
        let settings = world("mapping.preset = \"n8n\"\n").with_variables(&[(name, value)]).settings();
        assert_eq!(settings.places["mapping.projects.closed"], Origin::Variable(name.to_owned()));
    }
}

#[test]
fn tokens_go_to_the_services_alone() {
    let accepted = [
        "https://api.clockify.me/api",
        "https://euc1.clockify.me/api/",
        "http://127.0.0.1:8080/api",
        "http://[::1]:8080",
        "http://localhost:8080",
    ];
    for url in accepted {
        let settings = world(&format!("[clockify]\nbase_url = \"{url}\"\n")).settings();
        assert!(!settings.clockify.base_url.path().trim_start_matches('/').ends_with('/'), "{url}");
    }
    let refused = [
        "http://api.clockify.me/api",
        "https://api.clockify.me.evil.example/api",
        "https://evilclockify.me",
        "https://93.184.216.34/api",
        "file:///etc/passwd",
        "https://user@api.clockify.me",
        "https://api.clockify.me/api?x=1",
        "not an address",
    ];
    for url in refused {
        let problems = world(&format!("[clockify]\nbase_url = \"{url}\"\n")).problems().join("\n");
        assert!(
            problems.contains("it takes an https address on clockify.me, or one on this machine"),
            "{url}: {problems}"
        );
    }
}

#[test]
fn data_sources_are_read_however_they_are_copied() {
    let id = "1f2c0000-0000-4000-8000-0000000009a0";
    let spellings = [
        id,
        "1F2C00000000400080000000000009A0",
        "https://www.notion.so/agency/1f2c00000000400080000000000009a0?v=2f2c00000000400080000000000009a0",
        "https://www.notion.so/agency/Our-Cafe-1f2c00000000400080000000000009a0?pvs=4",
        "https://app.notion.com/p/1f2c0000-0000-4000-8000-0000000009a0/",
        "collection://1f2c0000-0000-4000-8000-0000000009a0",
    ];
    for spelling in spellings {
        let settings = world(&format!("[notion.clients]\ndata_source = \"{spelling}\"\n")).settings();
        assert_eq!(settings.notion.data_sources.clients.map(|id| id.to_string()).as_deref(), Some(id), "{spelling}");
    }
    check_problem(
        "[notion.clients]\ndata_source = \"https://www.notion.so/agency/Clients\"\n",
        "config.toml:2: `notion.clients.data_source` is \"https://www.notion.so/agency/Clients\"; it takes the ID of a data source or \
         database (32 hexadecimal digits), or its address copied from Notion",
    );
}

/// A bad value each, and what is said of it.
const BAD_VALUES: [(&str, &str); 42] = [
    ("notion.requests_per_minute = 0", "`notion.requests_per_minute` is 0; it takes a whole number from 1 to 1000000"),
    (
        "notion.requests_per_minute = 1.5",
        "`notion.requests_per_minute` is a fraction; it takes a whole number from 1 to 1000000",
    ),
    (
        "notion.api_version = 2026-03-11",
        "`notion.api_version` is a date; it takes a date in quotes, e.g. \"2026-03-11\"",
    ),
    (
        "notion.api_version = \"latest\"",
        "`notion.api_version` is \"latest\"; it takes a date in quotes, e.g. \"2026-03-11\"",
    ),
    ("notion.base_url.x = 1", "`notion.base_url` takes a value and not keys such as `notion.base_url.x`"),
    ("notion = 3", "`notion` is 3; it takes keys, e.g. `notion.api_version`"),
    (
        "notion.clients = {}\nnotion.token = 1",
        "`notion.token` is 1; it takes a reference to a secret in quotes, e.g. \"env:NOTION_TOKEN\"",
    ),
    ("mapping.preset = \"N8N\"", "`mapping.preset` is \"N8N\"; it takes \"n8n\" or \"none\""),
    ("mapping.clients.id = \" \"", "`mapping.clients.id` is \" \"; it takes the name of a Notion property"),
    (
        "mapping.clients.fields.billable = \"Billable\"",
        "a client has no field `billable` to map; there are email, address, note",
    ),
    (
        "mapping.clients.closed.checked = \"no\"",
        "`mapping.clients.closed.checked` is \"no\"; it takes true or false, for a checkbox; a status or select takes `values` instead",
    ),
    (
        "mapping.tasks.closed.values = \"Done\"",
        "`mapping.tasks.closed.values` is \"Done\"; it takes a list of options, e.g. [\"Done\", \"Obsolete\"]",
    ),
    (
        "mapping.tasks.closed = { checked = true, values = [\"Done\"] }",
        "`mapping.tasks.closed` has both `checked` and `values`; a checkbox has the one, a status or select the other",
    ),
    (
        "mapping.tasks.closed.groups = \"Complete\"",
        "`mapping.tasks.closed.groups` is \"Complete\"; it takes a list of groups of a status, e.g. [\"Complete\"]",
    ),
    (
        "mapping.tasks.only = { property = \"Status\", groups = [] }",
        "`mapping.tasks.only.groups` is a list; it takes a list of groups of a status, e.g. [\"Complete\"]",
    ),
    (
        "mapping.tasks.closed = { checked = true, groups = [\"Complete\"] }",
        "`mapping.tasks.closed` has both `checked` and `groups`; a checkbox has the one, a status or select the other",
    ),
    (
        "mapping.projects.fields.public = 3",
        "`mapping.projects.fields.public` is 3; it takes the name of a Notion property, or true or false for every page",
    ),
    (
        "mapping.projects.fields.note = true",
        "`mapping.projects.fields.note` is true; it takes the name of a Notion property",
    ),
    (
        "mapping.tasks.fields.assignees = { property = \"Assignee\", unknown = \"ada\" }",
        "`mapping.tasks.fields.assignees.unknown` is \"ada\"; it takes \"hold\" or \"leave\", or the e-mail address of somebody who stands in",
    ),
    (
        "mapping.tasks.fields.assignees.unknown = \"leave\"",
        "`mapping.tasks.fields.assignees` also needs `property`, the name of a Notion property",
    ),
    ("rules.on_drift = \"notion\"", "`rules.on_drift` is \"notion\"; it takes \"review\" or \"restore\" or \"accept\""),
    (
        "rules.thresholds.close = 101",
        "`rules.thresholds.close` is 101; it takes a whole percent from 0 to 100, or \"never\"",
    ),
    (
        "rules.thresholds.close = 0.9",
        "`rules.thresholds.close` is a fraction; it takes a whole percent from 0 to 100, or \"never\"",
    ),
    ("brakes.move.percent = 120", "`brakes.move.percent` is 120; it takes a whole number from 0 to 100"),
    ("brakes.move = 3", "`brakes.move` is 3; it takes keys, e.g. `brakes.move.count`"),
    ("clockify.workspace = \"\"", "`clockify.workspace` is \"\"; it takes the ID of a workspace"),
    (
        "logs.stream = [\"http://example.com/\"]",
        "`logs.stream` is a list; it takes a list of \"file:PATH\", \"syslog\", \"journald\" or an https address",
    ),
    (
        "schedule.cron = \"daily\"",
        "`schedule.cron` is \"daily\"; it takes a cron expression of five fields, e.g. \"0 4 * * *\"",
    ),
    (
        "schedule.cron = \"0 0 30 2 *\"",
        "`schedule.cron` is \"0 0 30 2 *\"; it takes a cron expression that names a day that there is",
    ),
    (
        "schedule.timezone = \"Mars/Olympus\"",
        "`schedule.timezone` is \"Mars/Olympus\"; it takes a time zone of the IANA database, e.g. \"Europe/Berlin\"",
    ),
    ("schedule.mode = \"dry\"", "`schedule.mode` is \"dry\"; it takes \"plan\" or \"apply\""),
    ("schedule.jitter = -1", "`schedule.jitter` is -1; it takes a whole number from 0 to 86400"),
    (
        "webhook.listen = \"localhost\"",
        "`webhook.listen` is \"localhost\"; it takes an address and port, e.g. \"127.0.0.1:8787\"",
    ),
    ("webhook.arm_minutes = 0", "`webhook.arm_minutes` is 0; it takes a whole number from 1 to 1440"),
    (
        "webhook.callers.a = { kind = \"slack\", secret = \"env:A\" }",
        "`webhook.callers.a.kind` is \"slack\"; it takes \"notion-button\" or \"notion-events\" or \"clockify\" or \"bearer\"",
    ),
    (
        "webhook.callers.a = { secret = \"env:A\" }",
        "`webhook.callers.a.kind` is missing; it is \"notion-button\" or \"notion-events\" or \"clockify\" or \"bearer\"",
    ),
    (
        "webhook.callers.a = { kind = \"bearer\" }",
        "`webhook.callers.a.secret` is missing; it is where the secret is, or its hash: sha256:HEX",
    ),
    (
        "webhook.callers.a = { kind = \"bearer\", secret = \"sha256:\" }",
        "`webhook.callers.a.secret` is \"sha256:\"; it takes sha256: and 64 hexadecimal digits, or a reference to the secret",
    ),
    (
        "webhook.callers.\"a b\" = { kind = \"bearer\", secret = \"env:A\" }",
        "a caller cannot be called `a b`: take letters, digits, - and _",
    ),
    (
        "[state]\ndir = \"/state\"\nurl = \"env:PG\"",
        "`state.url` and `state.dir` are both set: the state is in one place; take one away",
    ),
    ("state.dir = \"~/state\"", "`state.dir` is \"~/state\"; it takes the path of a directory"),
    (
        "rules.unmanaged = \"\\u001b[2J\"",
        "`rules.unmanaged` is \"⟨U+001B⟩[2J\"; it takes \"notice\" or \"ignore\" or \"close\"",
    ),
];

#[test]
fn each_bad_value_says_what_the_key_takes() {
    for (file, expected) in BAD_VALUES {
        let line = file.lines().count();
        assert_eq!(world(file).problems(), [format!("config.toml:{line}: {expected}")], "{file}");
    }
}

#[test]
fn who_may_call_is_kept_by_name_and_no_hash_of_a_secret_is_told() {
    let hash = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
    let settings = world(&format!(
        "schedule.mode = \"plan\"\nwebhook.callers.ci = {{ kind = \"bearer\", secret = \"sha256:{hash}\", scope = \"plan\" }}\n\
         webhook.callers.events = {{ kind = \"notion-events\", test = true }}\n\
         webhook.callers.acme = {{ kind = \"bearer\", secret = \"env:A\", scope = \"client: Acme, Inc.\" }}\n",
    ))
    .with_variables(&[("PUNCHLIST__WEBHOOK__CALLERS__BUTTON__KIND", "notion-button"), ("PUNCHLIST__WEBHOOK__CALLERS__BUTTON__SECRET", "env:B")])
    .settings();

    let callers: Vec<(&str, &str, &Extent, bool, bool)> = settings
        .webhook
        .callers
        .iter()
        .map(|(name, caller)| (name.as_str(), caller.kind.word(), &caller.extent, caller.test, caller.secret.is_some()))
        .collect();
    assert_eq!(
        callers,
        [
            ("acme", "bearer", &Extent::client("Acme, Inc."), false, true),
            ("button", "notion-button", &Extent::EVERYTHING, false, true),
            ("ci", "bearer", &Extent::PLAN, false, true),
            ("events", "notion-events", &Extent::EVERYTHING, true, false),
        ]
    );
    assert_eq!(settings.schedule.mode, Mode::Plan);
    assert!(!format!("{settings:?}").contains(&hash[..14]), "not in any message");
    assert!(settings.given.values().all(|given| !given.contains(&hash[..14])), "{:?}", settings.given);
    let signed = format!("webhook.callers.e = {{ kind = \"notion-events\", secret = \"sha256:{hash}\" }}\n");
    let problems = world(&signed).problems().join("\n");
    assert!(
        problems.contains("a signature cannot be checked with a hash") && !problems.contains(&hash[..14]),
        "{problems}"
    );
}

#[test]
fn all_mistakes_of_spelling_are_told_at_once() {
    let problems = world("[notion]\nbase_url = https://x\nclients = \n[rules]\nunmanaged = 1\n").problems();

    assert!(problems.iter().any(|problem| problem.starts_with("config.toml:2: this is not TOML: ")), "{problems:?}");
    assert!(problems.iter().any(|problem| problem.starts_with("config.toml:3: this is not TOML: ")), "{problems:?}");
    assert!(problems.iter().all(|problem| problem.contains("this is not TOML")), "{problems:?}");
}

#[test]
fn without_a_preset_every_property_must_be_named() {
    let local = "[mapping]\npreset = \"none\"\nid_strategy = \"local\"\nprojects.client = \"Client\"\ntasks.project = \"Project\"\n";
    let settings = world(local).settings();
    assert_eq!(settings.rules.id_strategy, IdStrategy::Local);
    assert_eq!(settings.rules.mapping.clients.closed, None);

    assert_eq!(
        world(
            "[mapping]\npreset = \"none\"\nclients.id = \"ID\"\nprojects.id = \"ID\"\ntasks = { id = 3, project = \"Project\" }\n\
               projects.closed.property = \"Done\"\n"
        )
        .problems(),
        [
            "config.toml:2: without a preset `mapping.projects.client` must be set, e.g. mapping.projects.client = \"client\"",
            "config.toml:6: `mapping.projects.closed` also needs `checked`, `values` or `groups`",
            "config.toml:5: `mapping.tasks.id` is 3; it takes the name of a Notion property",
        ]
    );
}

#[test]
fn the_most_specific_rule_counts() {
    let rules = world(
        "[rules]\non_drift = \"restore\"\n[rules.projects]\non_conflict = \"notion\"\n[rules.projects.fields.name]\non_drift = \"accept\"\n",
    )
    .settings()
    .rules
    .precedence;

    assert_eq!(rules.tasks.of(Field::Name).on_drift, OnDrift::Restore);
    assert_eq!(rules.projects.of(Field::Note).on_drift, OnDrift::Restore);
    assert_eq!(rules.projects.of(Field::Name).on_drift, OnDrift::Accept);
    assert_eq!(rules.projects.of(Field::Name).on_conflict, OnConflict::Notion);
    assert_eq!(rules.clients.of(Field::Name).on_conflict, OnConflict::Review);
}

#[test]
fn a_field_is_mapped_by_a_name_or_with_what_its_words_stand_for() {
    let mapping = world(
        "[mapping.projects]\nonly = { property = \"Team\", values = [\"Studio\"] }\nclosed = { property = \"Active\", checked = false }\n\
         fields.note = \"Note\"\nfields.estimate = { property = \"Size\", unit = \"days\", values = { \"v1.2 big\" = \"40 h\" } }\n\
         fields.billable = { property = \"Type\", values = { Internal = false, \"Client work\" = \"yes\" } }\n",
    )
    .settings()
    .rules
    .mapping
    .projects;

    assert_eq!(mapping.only, Some(Condition { property: "Team".into(), is: Holds::OneOf(vec!["Studio".into()]) }));
    assert_eq!(mapping.closed, Some(Condition { property: "Active".into(), is: Holds::Checked(false) }));
    assert_eq!(mapping.fields[&Field::Note], Mapped::as_is("Note"));
    let values = [("v1.2 big".to_owned(), Value::Seconds(144_000))].into();
    assert_eq!(mapping.fields[&Field::Estimate], Mapped { property: "Size".into(), unit: Unit::Days, values });
    let values = [("Client work".to_owned(), Value::Flag(true)), ("Internal".to_owned(), Value::Flag(false))].into();
    assert_eq!(mapping.fields[&Field::Billable], Mapped { property: "Type".into(), unit: Unit::Hours, values });
}

#[test]
fn a_flag_can_be_the_same_for_every_page() {
    let file = world("mapping.projects.fields.public = true\nmapping.projects.fields.billable = \"true\"\n");
    let file = file.with_variables(&[("PUNCHLIST__MAPPING__TASKS__FIELDS__BILLABLE", "false")]);
    let mapping = file.settings().rules.mapping;
    assert_eq!(mapping.projects.fixed, [(Field::Public, Value::Flag(true))].into());
    assert_eq!(mapping.projects.fields[&Field::Billable], Mapped::as_is("true"), "in quotes it is a name");
    assert_eq!(mapping.tasks.fixed, [(Field::Billable, Value::Flag(false))].into());
}

#[test]
fn what_the_configuration_says_for_every_page_goes_to_no_page() {
    let text = "mapping.projects.fields = { public = true, billable = false }\n\
         rules.projects.fields.public.direction = \"to_notion\"\nrules.projects.fields.billable.on_conflict = \"clockify\"\n";
    let says = |field: &str| {
        format!("but `mapping.projects.fields.{field}` says it for every page, and no page does; remove it")
    };
    assert_eq!(
        world(text).problems(),
        [
            format!(
                "config.toml:3: `rules.projects.fields.billable.on_conflict` is \"clockify\", {}",
                says("billable")
            ),
            format!("config.toml:2: `rules.projects.fields.public.direction` is \"to_notion\", {}", says("public")),
        ]
    );
    let both = world("mapping.projects.fields.public.property = \"Public\"\n")
        .with_variables(&[("PUNCHLIST__MAPPING__PROJECTS__FIELDS__PUBLIC", "true")]);
    assert_eq!(
        both.problems(),
        [
            "environment variable PUNCHLIST__MAPPING__PROJECTS__FIELDS__PUBLIC: `mapping.projects.fields.public` is the same for every page, \
          and is read from a property, too; leave one out"
        ]
    );
}

#[test]
fn people_without_an_account_are_held_left_out_or_replaced() {
    let strangers = |unknown: &str| {
        let file = format!("mapping.tasks.fields.assignees = {{ property = \"Assignee\", unknown = \"{unknown}\" }}\n");
        world(&file).settings().rules.mapping.tasks.strangers
    };
    assert_eq!(strangers("hold"), Strangers::default());
    assert_eq!(strangers("leave"), Strangers::Leave);
    assert_eq!(strangers("Ada@Agency.example"), Strangers::StandIn("ada@agency.example".into()));
}

#[test]
fn a_task_can_have_its_project_from_its_parent_item() {
    let settings = world("mapping.tasks.project_from = \"Parent item\"\n").settings();
    assert_eq!(settings.rules.mapping.tasks.parent_from.as_deref(), Some("Parent item"));
    check_problem(
        "mapping.tasks.project_from = 1\n",
        "config.toml:1: `mapping.tasks.project_from` is 1; it takes the name of a Notion property",
    );
    let problems = world("mapping.projects.project_from = \"Parent item\"\n").problems();
    assert!(problems[0].contains("unknown key `mapping.projects.project_from`"), "{problems:?}");
    check_problem(
        "mapping.tasks = { project_from = \"Up\", sync_note = \"Up\" }\n",
        "config.toml:1: `mapping.tasks.sync_note` is \"Up\", which `mapping.tasks.project_from` names too; give it a property of its own",
    );
}

#[test]
fn groups_take_the_place_of_the_options_of_the_preset_and_can_have_others_beside_them() {
    let groups = |options: &[&str]| Holds::InGroups {
        groups: vec!["Complete".into()],
        options: options.iter().map(|&option| option.to_owned()).collect(),
    };
    let file = world(
        "mapping.projects.closed = { property = \"Status\", groups = [\"Complete\"] }\n\
         mapping.tasks.closed = { groups = [\"Complete\"], values = [\"Paused\"] }\n",
    );
    let mapping = file.settings().rules.mapping;
    assert_eq!(mapping.projects.closed, Some(Condition { property: "Status".into(), is: groups(&[]) }));
    assert_eq!(mapping.tasks.closed, Some(Condition { property: "Status".into(), is: groups(&["Paused"]) }));
    let variables = [("PUNCHLIST__MAPPING__PROJECTS__CLOSED__VALUES", "['Paused']")];
    let mapping = file.with_variables(&variables).settings().rules.mapping;
    assert_eq!(mapping.projects.closed.expect("closed").is, groups(&["Paused"]));
}

#[test]
fn what_words_stand_for_must_be_a_value_of_the_field() {
    assert_eq!(
        world(
            "[mapping.projects]\nfields.color = { property = \"Area\", values = { Design = \"mauve\" } }\n\
             fields.billable = { property = \"Type\", values = { Internal = \"perhaps\" } }\n\
             fields.public = { values = { Open = \"yes\" } }\nfields.note = { property = \"Note\", unit = \"days\" }\n"
        )
        .problems(),
        [
            "config.toml:3: `mapping.projects.fields.billable.values.Internal` is \"perhaps\"; it takes yes or no",
            "config.toml:4: `mapping.projects.fields.public` also needs `property`, the name of a Notion property",
            "config.toml:2: `mapping.projects.fields.color.values.Design` is \"mauve\"; it takes a colour as #rrggbb, e.g. #03a9f4",
            "config.toml:5: unknown key `mapping.projects.fields.note.unit`; the nearest known key is \
             `mapping.projects.fields.estimate.unit`",
        ]
    );
}

#[test]
fn rules_that_contradict_each_other_are_refused() {
    assert_eq!(
        world(
            "[mapping]\nid_strategy = \"local\"\n[rules.clients]\non_conflict = \"clockify\"\n[rules.projects.fields]\n\
             color = { direction = \"to_notion\", on_drift = \"restore\" }\n[mapping.tasks]\nsync_note = \"Why\"\n"
        )
        .problems(),
        [
            "config.toml:8: `mapping.tasks.sync_note` is \"Why\", but `mapping.id_strategy` is \"local\", with which Notion is never \
             written; change one of them",
            "config.toml:4: `rules.clients.on_conflict` is \"clockify\", but `mapping.id_strategy` is \"local\", with which Notion is \
             never written; change one of them",
            "config.toml:6: `rules.projects.fields.color.direction` is \"to_notion\", but `mapping.id_strategy` is \"local\", with \
             which Notion is never written; change one of them",
            "config.toml:6: `rules.projects.fields.color.on_drift` has no meaning where `rules.projects.fields.color.direction` is \
             \"to_notion\": Clockify always wins; remove one of them",
        ]
    );
    assert_eq!(
        world("[rules.tasks.fields]\nassignees.direction = \"to_notion\"\nparent.on_conflict = \"clockify\"\n")
            .problems(),
        [
            "config.toml:3: `rules.tasks.fields.parent.on_conflict` is \"clockify\", but what a page says of its parent is for \
             Notion's users to set; remove it",
            "config.toml:2: `rules.tasks.fields.assignees.direction` is \"to_notion\", but what a page says of its assignees is \
             for Notion's users to set; remove it",
        ]
    );
}

#[test]
fn what_pages_tell_is_written_over_nothing_else() {
    let file = "[mapping.projects]\nsync_status = \"Status\"\nsync_note = \"Why\"\nfields.note = \"Why\"\n\
                [mapping.tasks]\nsync_status = \"Sync\"\nsync_note = \"Sync\"\n";
    assert_eq!(
        world(file).problems(),
        [
            "config.toml:2: `mapping.projects.sync_status` is \"Status\", which `mapping.projects.closed` names too; give it a \
             property of its own",
            "config.toml:3: `mapping.projects.sync_note` is \"Why\", which `mapping.projects.fields.note` names too; give it a \
             property of its own",
            "config.toml:7: `mapping.tasks.sync_note` is \"Sync\", which `mapping.tasks.sync_status` names too; give it a \
             property of its own",
        ]
    );
}

#[test]
fn a_file_that_was_named_must_exist() {
    let directory = tempfile::tempdir().expect("a directory");
    let missing = directory.path().join("missing.toml");
    let named = Loader {
        environment: [(FILE_VARIABLE, missing.to_str().expect("UTF-8"))].into_iter().collect(),
        ..Loader::default()
    };

    let error = named.load().expect_err("missing").to_string();

    let why = if cfg!(unix) { "No such file" } else { "" };
    assert!(error.contains(&format!("missing.toml: failed to read the configuration: {why}")), "{error}");
    let mut layers = Layers::default();
    layers.add_file(&missing, false);
    assert!(layers.problems.is_empty() && layers.given.is_empty());
}

#[test]
fn of_a_file_whose_looks_are_read_nothing_else_matters() {
    let own = world("notion.token = 7\nno_such_key = 1\n[console]\ntheme = \"light\"\nmouse = false\n");
    let (file, variables) = Loader {
        environment: [("PUNCHLIST__CONSOLE__SYMBOLS", "ascii"), ("PUNCHLIST__NOTION__TOKEN", "secret")]
            .into_iter()
            .collect(),
        ..own.loader.clone()
    }
    .looks();
    assert_eq!(variables.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["PUNCHLIST__CONSOLE__SYMBOLS"]);
    let tried = Loader { looks: file, environment: variables, config_path: Some(NO_FILE.into()), ..Loader::default() };

    let settings = tried.load().expect("nothing that matters is wrong");

    let ConsoleSettings { theme, unicode, mouse, .. } = settings.console;
    assert_eq!((theme, unicode, mouse), (Some(ThemeName::Light), Some(false), false));
    assert_eq!((settings.notion.token, settings.configuration), (None, None));
}

#[test]
fn a_relative_state_directory_in_the_file_is_beside_the_file() {
    let world = world("[state]\ndir = \"state\"\n");
    assert_eq!(world.settings().state_dir, Some(world.directory.path().join("state")));
    assert_eq!(world.with_flag("state.dir", "other").settings().state_dir, Some(PathBuf::from("other")));
}

#[cfg(unix)]
#[test]
fn a_file_that_others_may_write_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let world = world("[clockify]\nworkspace = \"w\"\n");
    let path = world.loader.config_path.clone().expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).expect("sets");

    let expected =
        "config.toml: others may write this file, and it can name commands to run; take that away: chmod go-w";
    assert_eq!(world.problems()[0].replace(&format!("{}/", world.directory.path().display()), ""), expected);
}
