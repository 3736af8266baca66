//! What a person types as the value of a field, in place of the proposed one.

use super::{
    model::{Field, Kind, Limits, Nature, Service, Value},
    possible::{HOURS_MAX, in_clockify, in_notion, is_address, is_color},
    text::{Raw, Shown, forbidden_in_name},
};

/// True for fields whose value can be typed: a parent, an ID and whether something is closed are decided, not typed.
pub fn is_typable(field: Field) -> bool {
    !matches!(field, Field::Parent | Field::State | Field::Claim) && !field.is_sync_status() && !field.is_tracked()
}

/// Reads what was typed.
///
/// # Errors
/// Why it is not taken: it is no value of the field, or the side that it is written to would refuse it.
pub fn read(kind: Kind, side: Service, field: Field, typed: &str, limits: &Limits) -> Result<Value, Shown> {
    let value = parse(field, typed)?;
    let refused = match side {
        Service::Clockify => in_clockify(kind, field, &value, Nature::default(), limits),
        Service::Notion => limits.properties[kind]
            .get(&field)
            .and_then(|property| in_notion(field, &value, &property.takes, &property.words)),
    };
    refused.map_or(Ok(value), Err)
}

fn parse(field: Field, typed: &str) -> Result<Value, Shown> {
    let text = typed.trim();
    if let Some(hidden) = forbidden_in_name(text) {
        return Err(format!("there is a hidden character in it, U+{:04X}", u32::from(hidden)).into());
    }
    match field {
        Field::Name => Ok(Value::Text(Raw::from(text).canonical().into_raw())),
        _ if text.is_empty() => Ok(Value::Empty),
        Field::Email if !is_address(text) => Err("it takes an e-mail address, e.g. billing@example.com".into()),
        Field::Email | Field::Address | Field::Note => Ok(Value::text(text)),
        Field::Billable | Field::Public => match text.to_lowercase().as_str() {
            "yes" | "y" | "true" => Ok(Value::Flag(true)),
            "no" | "n" | "false" => Ok(Value::Flag(false)),
            _ => Err("it takes yes or no".into()),
        },
        Field::Color if is_color(text) => Ok(Value::text(&text.to_lowercase())),
        Field::Color => Err("it takes a colour as #rrggbb, e.g. #03a9f4".into()),
        Field::Estimate => {
            seconds(text).map(Value::Seconds).ok_or_else(|| "it takes a time, e.g. 12 h 30 min or 12.5".into())
        }
        Field::Assignees => {
            let people = text.split([',', ' ']).map(str::trim).filter(|address| !address.is_empty());
            let people: Vec<String> = people.map(str::to_lowercase).collect();
            match people.iter().find(|address| !is_address(address)) {
                Some(_) => Err("it takes e-mail addresses, separated by commas".into()),
                None => Ok(Value::People(people.into_iter().map(Raw::from).collect())),
            }
        }
        Field::Parent
        | Field::State
        | Field::Claim
        | Field::SyncStatus
        | Field::SyncNote
        | Field::Hours
        | Field::LastTracked
        | Field::BudgetState
        | Field::Report => Err("it takes nothing that can be typed".into()),
    }
}

/// Reads `1 h 30 min`, `45 min`, `90 s` and bare hours such as `1.5`.
fn seconds(text: &str) -> Option<u64> {
    let whole = |hours: f64| {
        let seconds = (hours * 3600.0).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 to HOURS_MAX hours")]
        (0.0..=f64::from(HOURS_MAX)).contains(&hours).then_some(seconds as u64)
    };
    if let Ok(hours) = text.replace(',', ".").parse::<f64>() {
        return whole(hours);
    }
    let spaced: String = text
        .char_indices()
        .flat_map(|(at, c)| {
            let before = text[..at].chars().next_back();
            let splits = before.is_some_and(|before| {
                c.is_alphabetic() && before.is_ascii_digit() || c.is_ascii_digit() && before.is_alphabetic()
            });
            splits.then_some(' ').into_iter().chain([c])
        })
        .collect();
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut hours = 0.0;
    for pair in words.chunks(2) {
        let [number, unit] = pair else { return None };
        let number: f64 = number.replace(',', ".").parse().ok()?;
        hours += match *unit {
            "h" | "hours" | "hour" => number,
            "m" | "min" | "minutes" => number / 60.0,
            "s" | "sec" | "seconds" => number / 3600.0,
            _ => return None,
        };
    }
    if words.is_empty() { None } else { whole(hours) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::duration_words;

    #[test]
    fn what_is_typed_is_read_as_the_field_holds_it() {
        let read = |field, typed| read(Kind::Project, Service::Clockify, field, typed, &Limits::default());
        assert_eq!(read(Field::Name, "  Web   shop "), Ok(Value::text("Web shop")));
        assert_eq!(read(Field::Billable, "Yes"), Ok(Value::Flag(true)));
        assert_eq!(read(Field::Color, "#03A9F4"), Ok(Value::text("#03a9f4")));
        assert_eq!(read(Field::Note, "  "), Ok(Value::Empty));
        let people = Value::People(["a@b.ch", "c@d.de"].map(Raw::from).into_iter().collect());
        assert_eq!(read(Field::Assignees, "A@b.ch, c@d.de"), Ok(people));
        for (typed, wanted) in [("1.5", 5400), ("1 h 30 min", 5400), ("1h30m", 5400), ("90 s", 90), ("0,25", 900)] {
            assert_eq!(read(Field::Estimate, typed), Ok(Value::Seconds(wanted)), "{typed}");
        }
    }

    #[test]
    fn what_a_field_does_not_take_is_refused_with_what_it_takes() {
        for (field, typed) in [
            (Field::Name, "x"),
            (Field::Name, "<b>"),
            (Field::Name, "a\u{202E}b"),
            (Field::Email, "nobody"),
            (Field::Billable, "perhaps"),
            (Field::Color, "red"),
            (Field::Estimate, "soon"),
            (Field::Estimate, "-1"),
            (Field::Estimate, "1 h 30"),
            (Field::Estimate, "1e300"),
            (Field::Assignees, "a@b.ch, bob"),
            (Field::State, "closed"),
            (Field::Parent, "Acme"),
        ] {
            assert!(
                read(Kind::Project, Service::Clockify, field, typed, &Limits::default()).is_err(),
                "{field}: {typed}"
            );
        }
    }

    #[test]
    fn a_time_that_was_spelled_is_read_back() {
        for time in [1, 59, 60, 3600, 5400, 5461, 86_399, 360_000] {
            assert_eq!(seconds(&duration_words(time)), Some(time), "{}", duration_words(time));
        }
    }
}
