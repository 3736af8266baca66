//! What a query's filter accepts and which rows it matches (Notion docs, filter data source entries).
//!
//! A filter is read and checked against the schema before any row is looked at, so that a wrong one is refused also
//! when there are no rows.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Value, json};

use super::Refusal;
use super::render::unknown_property;
use crate::sandbox::world::Page;
use crate::sandbox::world::schema::{DataSource, Property, PropertyKind};
use crate::sandbox::world::values::{id_texts, minute, plain, plain_text, unset};

/// `and` and `or` may be nested that deep.
const NESTING_MAX: usize = 2;

/// A filter that the schema accepts.
pub(super) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Test { subject: Subject, operator: String, operand: Value },
}

/// What a test looks at.
pub(super) enum Subject {
    Created,
    Edited,
    Property(Box<Property>),
}

impl Filter {
    pub(super) fn read(filter: &Value, source: &DataSource) -> Result<Self, Refusal> {
        Self::read_nested(filter, source, 0)
    }

    fn read_nested(filter: &Value, source: &DataSource, depth: usize) -> Result<Self, Refusal> {
        for (key, group) in [("and", Self::And as fn(Vec<Self>) -> Self), ("or", Self::Or)] {
            let Some(members) = filter.get(key) else {
                continue;
            };
            if depth == NESTING_MAX {
                return Err(malformed("filters nest two levels deep at most"));
            }
            let members = members.as_array().ok_or_else(|| malformed("a group is an array"))?;
            let members = members.iter().map(|member| Self::read_nested(member, source, depth + 1));
            return members.collect::<Result<_, _>>().map(group);
        }
        match (filter.get("timestamp"), filter.get("property")) {
            (Some(_), Some(_)) => Err(malformed("a timestamp filter has no property")),
            (Some(timestamp), None) => read_timestamp(filter, timestamp),
            (None, Some(Value::String(key))) => read_property(filter, key, source),
            _ => Err(malformed("a filter has a property, a timestamp, `and` or `or`")),
        }
    }

    pub(super) fn matches(&self, page: &Page, now: Timestamp) -> bool {
        match self {
            Self::And(members) => members.iter().all(|member| member.matches(page, now)),
            Self::Or(members) => members.iter().any(|member| member.matches(page, now)),
            Self::Test { subject, operator, operand } => {
                let (kind, value) = subject.value(page);
                test(kind, &value, operator, operand, now)
            }
        }
    }
}

/// Looking for the first row of an order.
impl Filter {
    /// A time before which nothing that it matches was created, as rows show it.
    pub(super) fn created_from(&self) -> Option<String> {
        match self {
            Self::And(members) => members.iter().filter_map(Self::created_from).max(),
            Self::Test { subject: Subject::Created, operator, operand } if operator == "on_or_after" => {
                match moment(operand.as_str()?, Timestamp::UNIX_EPOCH)? {
                    Moment::Instant(instant) => Some(minute(instant)),
                    Moment::Day(_) => None,
                }
            }
            Self::Or(_) | Self::Test { .. } => None,
        }
    }
}

fn malformed(why: &str) -> Refusal {
    Refusal::validation(format!("body failed validation. Fix one: body.filter: {why}."))
}

/// The rules that a value of some type is tested by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Text,
    Number,
    Checkbox,
    Choice,
    /// Lists of options, people or related pages.
    List,
    Date,
    Files,
}

impl Family {
    fn operators(self) -> &'static [&'static str] {
        match self {
            Self::Text => &[
                "equals",
                "does_not_equal",
                "contains",
                "does_not_contain",
                "starts_with",
                "ends_with",
                "is_empty",
                "is_not_empty",
            ],
            Self::Number => &[
                "equals",
                "does_not_equal",
                "greater_than",
                "less_than",
                "greater_than_or_equal_to",
                "less_than_or_equal_to",
                "is_empty",
                "is_not_empty",
            ],
            Self::Checkbox => &["equals", "does_not_equal"],
            Self::Choice => &["equals", "does_not_equal", "is_empty", "is_not_empty"],
            Self::List => &["contains", "does_not_contain", "is_empty", "is_not_empty"],
            Self::Date => &[
                "equals",
                "before",
                "after",
                "on_or_before",
                "on_or_after",
                "this_week",
                "past_week",
                "past_month",
                "past_year",
                "next_week",
                "next_month",
                "next_year",
                "is_empty",
                "is_not_empty",
            ],
            Self::Files => &["is_empty", "is_not_empty"],
        }
    }
}

fn family(kind: &PropertyKind) -> Option<Family> {
    Some(match kind {
        PropertyKind::Title
        | PropertyKind::RichText
        | PropertyKind::Url
        | PropertyKind::Email
        | PropertyKind::PhoneNumber
        | PropertyKind::Formula { .. } => Family::Text,
        PropertyKind::Number { .. } | PropertyKind::UniqueId { .. } => Family::Number,
        PropertyKind::Checkbox => Family::Checkbox,
        PropertyKind::Select(_) | PropertyKind::Status(_) => Family::Choice,
        PropertyKind::MultiSelect(_)
        | PropertyKind::Relation(_)
        | PropertyKind::People
        | PropertyKind::CreatedBy
        | PropertyKind::LastEditedBy => Family::List,
        PropertyKind::Date | PropertyKind::CreatedTime | PropertyKind::LastEditedTime => Family::Date,
        PropertyKind::Files => Family::Files,
        PropertyKind::Rollup { .. } => return None,
    })
}

fn read_timestamp(filter: &Value, timestamp: &Value) -> Result<Filter, Refusal> {
    let subject = match timestamp.as_str() {
        Some("created_time") => Subject::Created,
        Some("last_edited_time") => Subject::Edited,
        _ => {
            return Err(malformed("timestamp is `created_time` or `last_edited_time`"));
        }
    };
    let condition = timestamp.as_str().and_then(|name| filter.get(name));
    let condition = condition.ok_or_else(|| malformed("the timestamp's own key holds the condition"))?;
    read_condition(subject, Family::Date, condition)
}

fn read_property(filter: &Value, key: &str, source: &DataSource) -> Result<Filter, Refusal> {
    let property = source.property(key).ok_or_else(|| unknown_property(key))?;
    let kind = property.kind.name();
    let Some(family) = family(&property.kind) else {
        return Err(malformed("the sandbox does not emulate filters on rollups"));
    };
    let Some(condition) = filter.get(kind) else {
        let keys = filter.as_object().into_iter().flat_map(|filter| filter.keys());
        let other = keys.into_iter().find(|key| *key != "property" && *key != "type");
        return Err(Refusal::validation(format!(
            "database property {kind} does not match filter {}",
            other.map_or("", String::as_str)
        )));
    };
    let condition = if kind == "formula" { &condition["string"] } else { condition };
    read_condition(Subject::Property(Box::new(property.clone())), family, condition)
}

fn read_condition(subject: Subject, family: Family, condition: &Value) -> Result<Filter, Refusal> {
    let entries = condition.as_object().into_iter().flatten();
    let entries: Vec<(&String, &Value)> = entries.collect();
    let [(operator, operand)] = entries.as_slice() else {
        return Err(malformed("a condition has exactly one operator"));
    };
    if !family.operators().contains(&operator.as_str()) {
        return Err(malformed(&format!("`{operator}` is no operator of this type")));
    }
    let dated = matches!(operator.as_str(), "equals" | "before" | "after" | "on_or_before" | "on_or_after");
    let readable = |operand: &Value| operand.as_str().is_some_and(|text| moment(text, Timestamp::UNIX_EPOCH).is_some());
    if family == Family::Date && dated && !readable(operand) {
        return Err(malformed(&format!("`{operand}` is no date")));
    }
    Ok(Filter::Test { subject, operator: (*operator).clone(), operand: (*operand).clone() })
}

impl Subject {
    fn value(&self, page: &Page) -> (Family, Value) {
        let property = match self {
            Self::Created => return (Family::Date, json!(minute(page.created))),
            Self::Edited => return (Family::Date, json!(minute(page.edited))),
            Self::Property(property) => property,
        };
        let kept = page.values.get(&property.id).unwrap_or_else(|| unset(&property.kind));
        let value = match &property.kind {
            PropertyKind::Formula { .. } => json!(page.title()),
            PropertyKind::Title | PropertyKind::RichText => json!(plain_text(&kept)),
            PropertyKind::Date => kept["start"].clone(),
            PropertyKind::UniqueId { .. } => json!(page.number),
            PropertyKind::CreatedTime => json!(minute(page.created)),
            PropertyKind::LastEditedTime => json!(minute(page.edited)),
            PropertyKind::CreatedBy => json!([page.created_by]),
            PropertyKind::LastEditedBy => json!([page.edited_by]),
            _ => plain(property, &kept),
        };
        (family(&property.kind).unwrap_or(Family::Text), value)
    }
}

fn test(family: Family, value: &Value, operator: &str, operand: &Value, now: Timestamp) -> bool {
    let empty = match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    match operator {
        "is_empty" => return empty,
        "is_not_empty" => return !empty,
        _ => {}
    }
    match family {
        Family::Text => test_text(value.as_str().unwrap_or_default(), operator, operand.as_str().unwrap_or_default()),
        Family::Number => test_number(value.as_f64(), operator, operand.as_f64().unwrap_or_default()),
        Family::Checkbox => (value == operand) == (operator == "equals"),
        Family::Choice => {
            let listed = match operand {
                Value::Array(names) => names.contains(value),
                name => name == value,
            };
            listed == (operator == "equals")
        }
        Family::List => {
            let wanted: Vec<&str> = operand.as_str().into_iter().chain(id_texts(operand)).collect();
            let dashless = |text: &str| text.replace('-', "");
            let holds = |item: &str| wanted.iter().any(|wanted| *wanted == item || dashless(wanted) == dashless(item));
            id_texts(value).any(holds) == (operator == "contains")
        }
        Family::Date => value.as_str().is_some_and(|value| test_date(value, operator, operand, now)),
        Family::Files => false,
    }
}

/// Texts are compared without regard to case, as the user interface's filters do.
fn test_text(value: &str, operator: &str, operand: &str) -> bool {
    let (value, operand) = (value.to_lowercase(), operand.to_lowercase());
    match operator {
        "equals" => value == operand,
        "does_not_equal" => value != operand,
        "contains" => value.contains(&operand),
        "does_not_contain" => !value.contains(&operand),
        "starts_with" => value.starts_with(&operand),
        _ => value.ends_with(&operand),
    }
}

fn test_number(value: Option<f64>, operator: &str, operand: f64) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = value.and_then(|value| value.partial_cmp(&operand));
    match operator {
        "equals" => order == Some(Equal),
        "does_not_equal" => order != Some(Equal),
        "greater_than" => order == Some(Greater),
        "less_than" => order == Some(Less),
        "greater_than_or_equal_to" => matches!(order, Some(Greater | Equal)),
        _ => matches!(order, Some(Less | Equal)),
    }
}

/// A date or an instant. A date stands for its whole day in UTC; an instant is compared by the millisecond.
#[derive(Clone, Copy)]
enum Moment {
    Day(Date),
    Instant(Timestamp),
}

impl Moment {
    fn day(self) -> Date {
        match self {
            Self::Day(day) => day,
            Self::Instant(instant) => instant.to_zoned(TimeZone::UTC).date(),
        }
    }

    fn compare(self, other: Self) -> std::cmp::Ordering {
        match (self, other) {
            (Self::Instant(one), Self::Instant(two)) => one.as_millisecond().cmp(&two.as_millisecond()),
            _ => self.day().cmp(&other.day()),
        }
    }
}

fn moment(text: &str, now: Timestamp) -> Option<Moment> {
    let today = now.to_zoned(TimeZone::UTC).date();
    let from_now = |days: i64| today.checked_add(SignedDuration::from_hours(24 * days)).ok().map(Moment::Day);
    match text {
        "today" => return from_now(0),
        "tomorrow" => return from_now(1),
        "yesterday" => return from_now(-1),
        "one_week_ago" => return from_now(-7),
        "one_week_from_now" => return from_now(7),
        "one_month_ago" => return from_now(-30),
        "one_month_from_now" => return from_now(30),
        _ => {}
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(Moment::Instant(instant));
    }
    if !text.contains('T') {
        return text.parse::<Date>().ok().map(Moment::Day);
    }
    // Without a time zone: UTC (Notion docs).
    let local = text.parse::<jiff::civil::DateTime>().ok()?;
    local.to_zoned(TimeZone::UTC).ok().map(|zoned| Moment::Instant(zoned.timestamp()))
}

fn test_date(value: &str, operator: &str, operand: &Value, now: Timestamp) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let Some(value) = moment(value, now) else {
        return false;
    };
    let within = |from: i64, to: i64| {
        let today = now.to_zoned(TimeZone::UTC).date();
        let edge = |days: i64| today.saturating_add(SignedDuration::from_hours(24 * days));
        (edge(from)..=edge(to)).contains(&value.day())
    };
    match operator {
        "past_week" => return within(-7, 0),
        "past_month" => return within(-30, 0),
        "past_year" => return within(-365, 0),
        "next_week" => return within(0, 7),
        "next_month" => return within(0, 30),
        "next_year" => return within(0, 365),
        "this_week" => return within(-3, 3),
        _ => {}
    }
    let Some(operand) = operand.as_str().and_then(|text| moment(text, now)) else {
        return false;
    };
    let order = value.compare(operand);
    match operator {
        "equals" => order == Equal,
        "before" => order == Less,
        "after" => order == Greater,
        "on_or_before" => order != Greater,
        _ => order != Less,
    }
}
