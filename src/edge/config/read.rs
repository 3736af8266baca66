//! Which keys there are, what each takes, and its default.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    path::PathBuf,
};

use jiff::SignedDuration;
use strum::{IntoStaticStr, VariantArray};
use url::Url;

use super::{
    ClockifySettings, ConsoleSettings, KeysSetting, NotionSettings, OutputPlace, OwnCommand, Settings, layers::Content,
    reader::Reader, rules::rules,
};
use crate::{
    domain::model::{Field, Kind, PerKind},
    edge::{origin::Origin, secrets::SecretReference},
};

const NOTION_URL: &str = "https://api.notion.com";
/// All pages are read once a day.
const FULL_PASS_HOURS: u32 = 24;
const NOTION_API_VERSION: &str = "2026-03-11";
/// Requests a minute that Notion takes on every plan (Notion docs, request limits).
pub const NOTION_REQUESTS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(180).expect("not zero");
const CLOCKIFY_URL: &str = "https://api.clockify.me/api";
const CLOCKIFY_REPORTS_URL: &str = "https://reports.api.clockify.me";
const CLOCKIFY_REQUESTS_PER_SECOND: NonZeroU32 = NonZeroU32::new(50).expect("not zero");

/// Reads everything. Where the reader finds a problem, a default stands in, so that the next problem is found too.
pub(super) fn settings(reader: &mut Reader<'_>, file: Option<PathBuf>) -> Settings {
    Settings {
        file,
        configuration: None,
        profile: None,
        notion: notion(reader),
        clockify: clockify(reader),
        rules: rules(reader),
        state_dir: reader.directory("state.dir"),
        state_url: state_url(reader),
        person: reader.text("state.person", "the name of a person"),
        schedule: super::serve::schedule(reader),
        webhook: super::serve::webhook(reader),
        console: console(reader),
        hours: super::hours::hours(reader),
        logs: super::logs::logs(reader),
        notify: super::notify::notify(reader),
        rotate_after: reader.days("secrets.rotate_after"),
        given: BTreeMap::new(),
        places: places(reader),
    }
}

/// Where the address of the database is that the state is in; it is in one place alone.
fn state_url(reader: &mut Reader<'_>) -> Option<SecretReference> {
    let url = reader.secret("state.url")?;
    if reader.origin("state.dir").is_some() {
        let place = reader.place("state.url");
        reader.problem(
            place,
            "`state.url` and `state.dir` are both set: the state is in one place; take one away".to_owned(),
        );
    }
    Some(url)
}

/// With which symbols the console is drawn.
#[derive(Clone, Copy, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
enum Symbols {
    /// As the locale says.
    Auto,
    Unicode,
    Ascii,
}

fn console(reader: &mut Reader<'_>) -> ConsoleSettings {
    let unicode = match reader.choice("console.symbols") {
        Some(Symbols::Unicode) => Some(true),
        Some(Symbols::Ascii) => Some(false),
        Some(Symbols::Auto) | None => None,
    };
    ConsoleSettings {
        theme: reader.choice("console.theme"),
        unicode,
        mouse: reader.flag("console.mouse").unwrap_or(true),
        progress: reader.flag("console.progress").unwrap_or(true),
        plain: reader.flag("console.plain").unwrap_or(false),
        copy_command: reader.command("console.copy_command", "[\"wl-copy\"]"),
        open_command: reader.command("console.open_command", "[\"firefox\"]"),
        commands: commands(reader),
        filters: reader
            .below("console.filters")
            .into_iter()
            .filter_map(|key| {
                let text = reader.text(&key, "a filter in quotes, e.g. \"is:undecided client:acme\"")?;
                Some((key.trim_start_matches("console.filters.").to_owned(), text))
            })
            .collect(),
        keys: reader
            .below("console.keys")
            .into_iter()
            .filter_map(|key| {
                let keys = reader.take(&key, |content| match content.typed() {
                    Content::Texts(keys) => Ok(keys),
                    Content::Text(single) => Ok(vec![single]),
                    _ => Err("a list of keys in quotes, e.g. [\"space\", \"ctrl-a\"]".to_owned()),
                })?;
                let place = reader.place(&key).to_string();
                Some((key.trim_start_matches("console.keys.").to_owned(), KeysSetting { keys, place }))
            })
            .collect(),
    }
}

/// The programs of the user's that the console runs.
fn commands(reader: &mut Reader<'_>) -> Vec<OwnCommand> {
    let given = reader.below("console.commands");
    let name = |key: &String| key.trim_start_matches("console.commands.").split('.').next().map(str::to_owned);
    let names: BTreeSet<String> = given.iter().filter_map(name).collect();
    let of_name = |name: String| {
        let key_of = |part: &str| format!("console.commands.{name}.{part}");
        let key = reader.text(&key_of("key"), "a key in quotes, e.g. \"g x\"");
        let program = reader.text(&key_of("program"), "a program in quotes, e.g. \"git\"");
        // An argument may be a secret.
        let args = reader.take_in_part(
            &key_of("args"),
            |content| match content.typed() {
                Content::Texts(args) => Ok(args),
                _ => Err("a list of arguments, e.g. [\"{page_url}\"]".to_owned()),
            },
            |args, _| format!("{} arguments", args.len()),
        );
        let output = reader.choice(&key_of("output")).unwrap_or(OutputPlace::Pager);
        let place = reader.place(&format!("console.commands.{name}"));
        let (Some(key), Some(program)) = (key, program) else {
            reader.problem(place, format!("`console.commands.{name}` needs a key and a program"));
            return None;
        };
        Some(OwnCommand { name, key, program, args: args.unwrap_or_default(), output })
    };
    names.into_iter().filter_map(of_name).collect()
}

/// Where the keys were set: those that can turn out wrong only when a service is asked, and those that decide
/// something.
fn places(reader: &Reader<'_>) -> BTreeMap<String, Origin> {
    let reaching = ["notion.token", "notion.base_url", "clockify.token", "clockify.base_url", "clockify.workspace"];
    let mut keys = reaching.map(str::to_owned).to_vec();
    for kind in Kind::ALL {
        keys.push(format!("notion.{}.data_source", kind.plural()));
        let mapped = ["id", "closed", "only", "project_from", "sync_status", "sync_note", "planned", "due"]
            .into_iter()
            .chain(kind.parent().map(Kind::word));
        keys.extend(mapped.map(|key| format!("mapping.{}.{key}", kind.plural())));
        keys.extend(Field::tracked(kind).iter().map(|field| format!("mapping.{}.{field}", kind.plural())));
        keys.extend(Field::mappable(kind).iter().map(|field| format!("mapping.{}.fields.{field}", kind.plural())));
    }
    let consumed = [
        "clockify.requests_per_hour",
        "notify.command",
        "notify.email.command",
        "console.copy_command",
        "console.open_command",
    ];
    keys.extend(consumed.map(str::to_owned));
    keys.extend(reader.taken("rules").chain(reader.taken("brakes")).map(str::to_owned));
    keys.into_iter().map(|key| (key.clone(), reader.place(&key))).collect()
}

fn notion(reader: &mut Reader<'_>) -> NotionSettings {
    NotionSettings {
        token: reader.secret("notion.token"),
        base_url: reader.url("notion.base_url", "api.notion.com").unwrap_or_else(|| ours(NOTION_URL)),
        api_version: reader
            .take("notion.api_version", |content| {
                let date = content
                    .text()
                    .filter(|text| text.parse::<jiff::civil::Date>().is_ok_and(|date| date.to_string() == **text));
                date.map(str::to_owned).ok_or_else(|| format!("a date in quotes, e.g. \"{NOTION_API_VERSION}\""))
            })
            .unwrap_or_else(|| NOTION_API_VERSION.to_owned()),
        requests_per_minute: reader.rate("notion.requests_per_minute").unwrap_or(NOTION_REQUESTS_PER_MINUTE),
        full_pass_every: SignedDuration::from_hours(
            reader.whole("notion.full_pass_hours", 1..=8760).unwrap_or(FULL_PASS_HOURS).into(),
        ),
        data_sources: PerKind::from_fn(|kind| reader.notion_id(&format!("notion.{}.data_source", kind.plural()))),
    }
}

fn clockify(reader: &mut Reader<'_>) -> ClockifySettings {
    let base_url = reader.url("clockify.base_url", "clockify.me").unwrap_or_else(|| ours(CLOCKIFY_URL));
    ClockifySettings {
        token: reader.secret("clockify.token"),
        workspace: reader.text("clockify.workspace", "the ID of a workspace"),
        reports_url: reader.url("clockify.reports_url", "clockify.me").unwrap_or_else(|| reports_of(&base_url)),
        base_url,
        requests_per_second: reader.rate("clockify.requests_per_second").unwrap_or(CLOCKIFY_REQUESTS_PER_SECOND),
        requests_per_hour: reader.rate("clockify.requests_per_hour"),
    }
}

/// Where the reports of an API are: a region, or a sub-domain, has both on one host (`OpenAPI` document).
fn reports_of(base_url: &Url) -> Url {
    if *base_url == ours(CLOCKIFY_URL) {
        return ours(CLOCKIFY_REPORTS_URL);
    }
    let mut reports = base_url.clone();
    let path = base_url.path().trim_end_matches('/');
    let path = path.strip_suffix("/v1").unwrap_or(path);
    reports.set_path(&format!("{}/report", path.strip_suffix("/api").unwrap_or(path)));
    reports
}

fn ours(url: &str) -> Url {
    Url::parse(url).expect("our own addresses are valid")
}
