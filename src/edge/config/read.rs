//! Which keys there are, what each takes, and its default.

use std::{collections::BTreeMap, num::NonZeroU32, path::PathBuf, time::Duration};

use url::Url;

use super::{
    ClockifySettings, ConsoleSettings, KeysSetting, NotionSettings, ScheduleSettings, Settings, ThemeName, WebhookSettings,
    layers::Content,
    reader::{Reader, whole_of},
};
use crate::domain::{
    model::{Field, Kind, PerKind},
    rules::{
        Brake, Brakes, ClosedValues, ClosedWhen, IdStrategy, Mapping, OnConflict, OnDrift, Precedence, Rules, Threshold,
        Thresholds, Unmanaged,
    },
};

const NOTION_URL: &str = "https://api.notion.com";
const NOTION_API_VERSION: &str = "2026-03-11";
const NOTION_REQUESTS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(180).expect("not zero");
const CLOCKIFY_URL: &str = "https://api.clockify.me/api";
const CLOCKIFY_REPORTS_URL: &str = "https://reports.api.clockify.me";
const CLOCKIFY_REQUESTS_PER_SECOND: NonZeroU32 = NonZeroU32::new(50).expect("not zero");

const STALE_AFTER_SECONDS_MAX: u32 = 24 * 60 * 60;
const SETTLE_SECONDS_MAX: u32 = 10 * 60;
const COUNT_MAX: u32 = 1_000_000;

const ON_DRIFT: [(&str, OnDrift); 3] = [("review", OnDrift::Review), ("restore", OnDrift::Restore), ("accept", OnDrift::Accept)];
const ON_CONFLICT: [(&str, OnConflict); 3] =
    [("review", OnConflict::Review), ("notion", OnConflict::Notion), ("clockify", OnConflict::Clockify)];

/// Reads everything. Where the reader finds a problem, a default stands in, so that the next problem is found too.
pub(super) fn settings(reader: &mut Reader<'_>, file: Option<PathBuf>) -> Settings {
    Settings {
        file,
        notion: notion(reader),
        clockify: clockify(reader),
        rules: rules(reader),
        state_dir: reader.directory("state.dir"),
        schedule: ScheduleSettings {
            cron: reader.text("schedule.cron", "a cron expression, e.g. \"*/15 * * * *\""),
            timezone: reader.text("schedule.timezone", "a time zone, e.g. \"Europe/Berlin\""),
        },
        webhook: WebhookSettings { listen: reader.text("webhook.listen", "an address and port, e.g. \"127.0.0.1:8787\"") },
        console: console(reader),
        logs: super::logs::logs(reader),
        given: BTreeMap::new(),
        places: places(reader),
    }
}

fn console(reader: &mut Reader<'_>) -> ConsoleSettings {
    const THEMES: [(&str, ThemeName); 5] = [
        ("terminal", ThemeName::Terminal),
        ("dark", ThemeName::Dark),
        ("light", ThemeName::Light),
        ("high-contrast", ThemeName::HighContrast),
        ("mono", ThemeName::Mono),
    ];
    const SYMBOLS: [(&str, Option<bool>); 3] = [("auto", None), ("unicode", Some(true)), ("ascii", Some(false))];
    ConsoleSettings {
        theme: reader.choice("console.theme", &THEMES),
        unicode: reader.choice("console.symbols", &SYMBOLS).unwrap_or_default(),
        mouse: reader.flag("console.mouse").unwrap_or(true),
        plain: reader.flag("console.plain").unwrap_or(false),
        copy_command: reader.command("console.copy_command", "[\"wl-copy\"]"),
        open_command: reader.command("console.open_command", "[\"firefox\"]"),
        keys: reader
            .below("console.keys")
            .into_iter()
            .filter_map(|key| {
                let keys = reader.take(&key, |content| match content.typed() {
                    Content::Texts(keys) => Ok(keys),
                    Content::Text(single) => Ok(vec![single]),
                    _ => Err("a list of keys in quotes, e.g. [\"space\", \"ctrl-a\"]".to_owned()),
                })?;
                let place = reader.place(&key);
                Some((key.trim_start_matches("console.keys.").to_owned(), KeysSetting { keys, place }))
            })
            .collect(),
    }
}

/// Where the keys were set that can turn out wrong only when a service is asked.
fn places(reader: &Reader<'_>) -> BTreeMap<String, String> {
    let mut keys = vec!["notion.token".to_owned(), "clockify.token".to_owned(), "clockify.workspace".to_owned()];
    for kind in Kind::ALL {
        keys.push(format!("notion.{}.data_source", kind.plural()));
        let mapped = ["id", "closed"].into_iter().chain(kind.parent().map(Kind::word));
        keys.extend(mapped.map(|key| format!("mapping.{}.{key}", kind.plural())));
        keys.extend(Field::mappable(kind).iter().map(|field| format!("mapping.{}.fields.{field}", kind.plural())));
    }
    keys.into_iter().map(|key| (key.clone(), reader.place(&key))).collect()
}

fn notion(reader: &mut Reader<'_>) -> NotionSettings {
    NotionSettings {
        token: reader.secret("notion.token"),
        base_url: reader.url("notion.base_url", "api.notion.com").unwrap_or_else(|| ours(NOTION_URL)),
        api_version: reader
            .take("notion.api_version", |content| {
                let date =
                    content.text().filter(|text| text.parse::<jiff::civil::Date>().is_ok_and(|date| date.to_string() == **text));
                date.map(str::to_owned).ok_or_else(|| format!("a date in quotes, e.g. \"{NOTION_API_VERSION}\""))
            })
            .unwrap_or_else(|| NOTION_API_VERSION.to_owned()),
        requests_per_minute: reader.rate("notion.requests_per_minute").unwrap_or(NOTION_REQUESTS_PER_MINUTE),
        data_sources: PerKind::from_fn(|kind| reader.notion_id(&format!("notion.{}.data_source", kind.plural()))),
    }
}

fn clockify(reader: &mut Reader<'_>) -> ClockifySettings {
    ClockifySettings {
        token: reader.secret("clockify.token"),
        workspace: reader.text("clockify.workspace", "the ID of a workspace"),
        base_url: reader.url("clockify.base_url", "clockify.me").unwrap_or_else(|| ours(CLOCKIFY_URL)),
        reports_url: reader.url("clockify.reports_url", "clockify.me").unwrap_or_else(|| ours(CLOCKIFY_REPORTS_URL)),
        requests_per_second: reader.rate("clockify.requests_per_second").unwrap_or(CLOCKIFY_REQUESTS_PER_SECOND),
        requests_per_hour: reader.rate("clockify.requests_per_hour"),
    }
}

fn ours(url: &str) -> Url {
    Url::parse(url).expect("our own addresses are valid")
}

fn rules(reader: &mut Reader<'_>) -> Rules {
    let defaults = Rules::default();
    let (mapping, id_strategy) = mapping(reader);
    Rules {
        mapping,
        id_strategy,
        marker: reader.flag("mapping.marker").unwrap_or(defaults.marker),
        precedence: precedence(reader),
        thresholds: thresholds(reader, defaults.thresholds),
        brakes: brakes(reader, defaults.brakes),
        unmanaged: reader
            .choice("rules.unmanaged", &[("notice", Unmanaged::Notice), ("ignore", Unmanaged::Ignore)])
            .unwrap_or(defaults.unmanaged),
        stale_after: reader
            .whole("rules.stale_after_seconds", 0..=STALE_AFTER_SECONDS_MAX)
            .map_or(defaults.stale_after, |seconds| Duration::from_secs(seconds.into())),
        settle: reader
            .whole("rules.settle_seconds", 0..=SETTLE_SECONDS_MAX)
            .map_or(defaults.settle, |seconds| Duration::from_secs(seconds.into())),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Preset {
    N8n,
    None,
}

fn mapping(reader: &mut Reader<'_>) -> (PerKind<Mapping>, IdStrategy) {
    let preset = reader.choice("mapping.preset", &[("n8n", Preset::N8n), ("none", Preset::None)]).unwrap_or(Preset::N8n);
    let id_strategy = reader
        .choice("mapping.id_strategy", &[("property", IdStrategy::Property), ("local", IdStrategy::Local)])
        .unwrap_or_default();
    let mut mapping = match preset {
        Preset::N8n => Mapping::n8n(),
        Preset::None => PerKind::default(),
    };
    for kind in Kind::ALL {
        map_kind(reader, kind, id_strategy, &mut mapping[kind]);
    }
    (mapping, id_strategy)
}

/// Lays what is configured for a kind over its preset.
fn map_kind(reader: &mut Reader<'_>, kind: Kind, id_strategy: IdStrategy, mapping: &mut Mapping) {
    let section = format!("mapping.{}", kind.plural());
    let id = format!("{section}.id");
    match property(reader, &id) {
        Some(name) => mapping.id = name,
        None if mapping.id.is_empty() && id_strategy == IdStrategy::Property => require(reader, &id, "Clockify ID"),
        None => {}
    }
    if let Some(parent) = kind.parent() {
        let key = format!("{section}.{parent}");
        match property(reader, &key) {
            Some(name) => mapping.parent = Some(name),
            None if mapping.parent.is_none() => require(reader, &key, parent.word()),
            None => {}
        }
    }
    mapping.closed = closed(reader, &format!("{section}.closed"), mapping.closed.take());
    for &field in Field::mappable(kind) {
        if let Some(name) = property(reader, &format!("{section}.fields.{field}")) {
            mapping.fields.insert(field, name);
        }
    }
}

fn property(reader: &mut Reader<'_>, key: &str) -> Option<String> {
    reader.text(key, "the name of a Notion property")
}

/// Says that a property must be named that no preset names; silent when it was named wrong, which has been said.
fn require(reader: &mut Reader<'_>, key: &str, example: &str) {
    if reader.origin(key).is_none() {
        let place = reader.place("mapping.preset");
        reader.problem(place, format!("without a preset `{key}` must be set, e.g. {key} = \"{example}\""));
    }
}

fn closed(reader: &mut Reader<'_>, key: &str, preset: Option<ClosedWhen>) -> Option<ClosedWhen> {
    let (property_key, checked_key, values_key) = (format!("{key}.property"), format!("{key}.checked"), format!("{key}.values"));
    let property = property(reader, &property_key);
    let checked = reader.take(&checked_key, |content| match content.typed() {
        Content::Flag(true) => Ok(ClosedValues::Checked),
        _ => Err("true, for a checkbox; a status or select takes `values` instead".into()),
    });
    let values = reader.take(&values_key, |content| match content.typed() {
        Content::Texts(texts) if !texts.is_empty() => Ok(ClosedValues::OneOf(texts)),
        _ => Err("a list of options, e.g. [\"Done\", \"Obsolete\"]".into()),
    });
    if checked.is_some() && values.is_some() {
        let place = reader.place(&values_key);
        reader.problem(
            place,
            format!("`{key}` has both `checked` and `values`; a checkbox has the one, a status or select the other"),
        );
    }
    let (preset_property, preset_is) = preset.map(|ClosedWhen { property, is }| (property, is)).unzip();
    match (property.or(preset_property), checked.or(values).or(preset_is)) {
        (Some(property), Some(is)) => Some(ClosedWhen { property, is }),
        (None, None) => None,
        (property, _) => {
            let keys = [&property_key, &checked_key, &values_key];
            let (wanted, missing) = match property {
                Some(_) => ("`checked = true` or `values`", [&checked_key, &values_key]),
                None => ("`property`", [&property_key, &property_key]),
            };
            // What was given but is wrong has been said already.
            if missing.into_iter().all(|key| reader.origin(key).is_none()) {
                let place = keys.into_iter().find_map(|key| reader.origin(key)).map_or_else(String::new, ToString::to_string);
                reader.problem(place, format!("`{key}` also needs {wanted}"));
            }
            None
        }
    }
}

/// A rule for all, for a kind, for a field: the most specific one that is given.
fn precedence(reader: &mut Reader<'_>) -> PerKind<Precedence> {
    let everywhere = precedence_at(reader, "rules", (OnDrift::default(), OnConflict::default()));
    PerKind::from_fn(|kind| {
        let section = format!("rules.{}", kind.plural());
        let of_kind = precedence_at(reader, &section, everywhere);
        let always = [Field::Name, Field::State].into_iter().chain(kind.parent().map(|_| Field::Parent));
        let fields = always.chain(Field::mappable(kind).iter().copied()).filter_map(|field| {
            let of_field = precedence_at(reader, &format!("{section}.fields.{field}"), of_kind);
            (of_field != of_kind).then_some((field, of_field))
        });
        let fields = fields.collect();
        let (on_drift, on_conflict) = of_kind;
        Precedence { on_drift, on_conflict, fields }
    })
}

fn precedence_at(reader: &mut Reader<'_>, section: &str, otherwise: (OnDrift, OnConflict)) -> (OnDrift, OnConflict) {
    (
        reader.choice(&format!("{section}.on_drift"), &ON_DRIFT).unwrap_or(otherwise.0),
        reader.choice(&format!("{section}.on_conflict"), &ON_CONFLICT).unwrap_or(otherwise.1),
    )
}

fn thresholds(reader: &mut Reader<'_>, mut thresholds: Thresholds) -> Thresholds {
    let Thresholds { create, link, update, write_back, reopen, close, move_, clear_claim, recreate } = &mut thresholds;
    let actions = [
        ("create", create),
        ("link", link),
        ("update", update),
        ("write_back", write_back),
        ("reopen", reopen),
        ("close", close),
        ("move", move_),
        ("clear_claim", clear_claim),
        ("recreate", recreate),
    ];
    for (action, threshold) in actions {
        let given = reader.take(&format!("rules.thresholds.{action}"), |content| {
            if content.text() == Some("never") {
                return Ok(Threshold::Never);
            }
            let percent = whole_of(content, &(0..=100)).and_then(|percent| u8::try_from(percent).ok());
            percent.map(Threshold::At).ok_or_else(|| "a whole percent from 0 to 100, or \"never\"".into())
        });
        *threshold = given.unwrap_or(*threshold);
    }
    thresholds
}

fn brakes(reader: &mut Reader<'_>, mut brakes: Brakes) -> Brakes {
    let Brakes { close, reopen, rename, move_, lost_link } = &mut brakes;
    for (class, Brake { count, percent }) in
        [("close", close), ("reopen", reopen), ("rename", rename), ("move", move_), ("lost_link", lost_link)]
    {
        let given = reader.whole(&format!("brakes.{class}.count"), 0..=COUNT_MAX);
        *count = given.and_then(|given| usize::try_from(given).ok()).unwrap_or(*count);
        let given = reader.whole(&format!("brakes.{class}.percent"), 0..=100);
        *percent = given.and_then(|given| u8::try_from(given).ok()).unwrap_or(*percent);
    }
    brakes
}
