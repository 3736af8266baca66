//! The keys of `[rules]` and `[brakes]`: who wins, how sure is sure enough, how much is too much.

use std::time::Duration;

use strum::VariantArray;

use super::{
    mapping::{mapping, refuse_with_local_ids},
    reader::{Reader, whole_of},
};
use crate::domain::{
    action::Action,
    four_eyes::FourEyes,
    model::{Field, PerKind},
    rules::{
        Brake, Brakes, Class, Direction, FieldRule, IdStrategy, Mapping, OnConflict, Precedence, Rules, Threshold,
        Thresholds,
    },
};

const STALE_AFTER_SECONDS_MAX: u32 = 24 * 60 * 60;
const SETTLE_SECONDS_MAX: u32 = 10 * 60;
/// A day.
const UNSETTLED_MINUTES_MAX: u32 = 24 * 60;
const COUNT_MAX: u32 = 1_000_000;

pub(super) fn rules(reader: &mut Reader<'_>) -> Rules {
    let defaults = Rules::default();
    let (mapping, id_strategy) = mapping(reader);
    Rules {
        marker: reader.flag("mapping.marker").unwrap_or(defaults.marker),
        precedence: precedence(reader, id_strategy, &mapping),
        mapping,
        id_strategy,
        thresholds: thresholds(reader, defaults.thresholds),
        brakes: brakes(reader, defaults.brakes),
        unmanaged: reader.choice("rules.unmanaged").unwrap_or(defaults.unmanaged),
        close_children: reader.flag("rules.close_children").unwrap_or(defaults.close_children),
        without_client: reader.choice("rules.projects.without_client").unwrap_or(defaults.without_client),
        refile: reader.choice("rules.hours.refile").unwrap_or(defaults.refile),
        four_eyes: four_eyes(reader),
        let_through: Vec::new(),
        same_name: reader.choice("rules.tasks.same_name").unwrap_or(defaults.same_name),
        stale_after: reader
            .whole("rules.stale_after_seconds", 0..=STALE_AFTER_SECONDS_MAX)
            .map_or(defaults.stale_after, |seconds| Duration::from_secs(seconds.into())),
        settle: reader
            .whole("rules.settle_seconds", 0..=SETTLE_SECONDS_MAX)
            .map_or(defaults.settle, |seconds| Duration::from_secs(seconds.into())),
        unsettled: reader
            .whole("rules.unsettled_minutes", 0..=UNSETTLED_MINUTES_MAX)
            .map_or(defaults.unsettled, |minutes| Duration::from_mins(minutes.into())),
    }
}

/// What one person alone does not decide.
fn four_eyes(reader: &mut Reader<'_>) -> FourEyes {
    let mut is_on = |deed: &str| reader.flag(&format!("rules.four_eyes.{deed}")).unwrap_or_default();
    let (undo, release, refile) = (is_on("undo"), is_on("release"), is_on("refile"));
    FourEyes { close_hours: reader.whole("rules.four_eyes.close_hours", 0..=COUNT_MAX), undo, release, refile }
}

/// A rule for all, for a kind, for a field: the most specific one that is given.
fn precedence(reader: &mut Reader<'_>, id_strategy: IdStrategy, mapping: &PerKind<Mapping>) -> PerKind<Precedence> {
    let everywhere = rule_at(reader, "rules", FieldRule::default(), id_strategy);
    PerKind::from_fn(|kind| {
        let section = format!("rules.{}", kind.plural());
        let all = rule_at(reader, &section, everywhere, id_strategy);
        let always = [Field::Name, Field::State].into_iter().chain(kind.parent().map(|_| Field::Parent));
        let fields = always.chain(Field::mappable(kind).iter().copied()).filter_map(|field| {
            let key = format!("{section}.fields.{field}");
            let mut rule = rule_at(reader, &key, all, id_strategy);
            rule.direction = direction(reader, &key, id_strategy);
            if !field.is_writable_in_notion() {
                let because = format!("what a page says of its {field} is for Notion's users to set");
                refuse_unwritable(reader, &because, &key, rule);
            } else if mapping[kind].fixed.contains_key(&field) {
                let because =
                    format!("`mapping.{}.fields.{field}` says it for every page, and no page does", kind.plural());
                refuse_unwritable(reader, &because, &key, rule);
            }
            (rule != all).then_some((field, rule))
        });
        Precedence { all, fields: fields.collect() }
    })
}

fn rule_at(reader: &mut Reader<'_>, section: &str, otherwise: FieldRule, id_strategy: IdStrategy) -> FieldRule {
    let conflict_key = format!("{section}.on_conflict");
    let on_conflict = reader.choice(&conflict_key);
    if on_conflict == Some(OnConflict::Clockify) {
        refuse_with_local_ids(reader, &conflict_key, "clockify", id_strategy);
    }
    FieldRule {
        direction: Direction::default(),
        on_drift: reader.choice(&format!("{section}.on_drift")).unwrap_or(otherwise.on_drift),
        on_conflict: on_conflict.unwrap_or(otherwise.on_conflict),
    }
}

/// What no write can put into a page, and why, contradicts a rule that writes it.
fn refuse_unwritable(reader: &mut Reader<'_>, because: &str, key: &str, rule: FieldRule) {
    let writes = [
        ("direction", "to_notion", rule.direction == Direction::ToNotion),
        ("on_conflict", "clockify", rule.on_conflict == OnConflict::Clockify),
    ];
    for (name, word, _) in writes.into_iter().filter(|(_, _, writes)| *writes) {
        let key = format!("{key}.{name}");
        if reader.origin(&key).is_some() {
            let text = format!("`{key}` is \"{word}\", but {because}; remove it");
            reader.problem(reader.place(&key), text);
        }
    }
}

/// Which way a field goes. What else is said about it must not contradict that.
fn direction(reader: &mut Reader<'_>, field: &str, id_strategy: IdStrategy) -> Direction {
    let key = format!("{field}.direction");
    let direction = reader.choice(&key).unwrap_or_default();
    if direction == Direction::ToNotion {
        refuse_with_local_ids(reader, &key, "to_notion", id_strategy);
        for other in ["on_drift", "on_conflict"].map(|rule| format!("{field}.{rule}")) {
            if reader.origin(&other).is_some() {
                let text = format!(
                    "`{other}` has no meaning where `{key}` is \"to_notion\": Clockify always wins; remove one of them"
                );
                reader.problem(reader.place(&other), text);
            }
        }
    }
    direction
}

fn thresholds(reader: &mut Reader<'_>, mut thresholds: Thresholds) -> Thresholds {
    for action in Action::proposed() {
        threshold(reader, action.key(), &mut thresholds.of[action]);
    }
    threshold(reader, "recreate", &mut thresholds.recreate);
    thresholds
}

fn threshold(reader: &mut Reader<'_>, name: &str, threshold: &mut Threshold) {
    let given = reader.take(&format!("rules.thresholds.{name}"), |content| {
        if content.text() == Some("never") {
            return Ok(Threshold::Never);
        }
        let percent = whole_of(content, &(0..=100)).and_then(|percent| u8::try_from(percent).ok());
        percent.map(Threshold::At).ok_or_else(|| "a whole percent from 0 to 100, or \"never\"".into())
    });
    *threshold = given.unwrap_or(*threshold);
}

fn brakes(reader: &mut Reader<'_>, mut brakes: Brakes) -> Brakes {
    for class in Class::VARIANTS.iter().copied() {
        let (Brake { count, percent }, class) = (brakes.of_mut(class), class.word());
        let given = reader.whole(&format!("brakes.{class}.count"), 0..=COUNT_MAX);
        *count = given.and_then(|given| usize::try_from(given).ok()).unwrap_or(*count);
        let given = reader.whole(&format!("brakes.{class}.percent"), 0..=100);
        *percent = given.and_then(|given| u8::try_from(given).ok()).unwrap_or(*percent);
    }
    brakes
}
