//! Periods: civil days in a zone, both ends included. Their edges are never instants, and their days are counted as
//! days: an October in Berlin has 31 of them, and 745 hours.

use std::fmt;

use jiff::{
    Timestamp,
    civil::{Date, date},
    tz::TimeZone,
};

/// The most days of a period: whoever asks for more asks for it in parts.
const DAYS_MAX: u32 = 366;

/// A time zone that has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its IANA name, e.g. `Europe/Berlin`.
    pub name: String,
    /// Its rules.
    pub rules: TimeZone,
}

impl Zone {
    /// The day that it is there.
    pub fn day(&self, at: Timestamp) -> Date {
        at.to_zoned(self.rules.clone()).date()
    }
}

/// Civil days, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    from: Date,
    to: Date,
}

impl Period {
    /// From one day to another.
    ///
    /// # Errors
    /// Why there is no such period, for people.
    pub fn new(from: Date, to: Date) -> Result<Self, String> {
        if to < from {
            return Err(format!("{from} is after {to}: the first day comes first"));
        }
        let period = Self { from, to };
        match period.days() {
            days if days > DAYS_MAX => Err(format!("{days} days are too many at once: ask for {DAYS_MAX} at the most")),
            _ => Ok(period),
        }
    }

    /// The month that a day is in.
    pub fn month_of(day: Date) -> Self {
        Self { from: day.first_of_month(), to: day.last_of_month() }
    }

    /// Reads `2026-10`.
    ///
    /// # Errors
    /// What it should be, for people.
    pub fn month(text: &str) -> Result<Self, String> {
        let wrong = || "a month is a year and a number, e.g. 2026-10".to_owned();
        let (year, month) =
            text.split_once('-').filter(|(year, month)| (year.len(), month.len()) == (4, 2)).ok_or_else(wrong)?;
        let (year, month) = (year.parse().map_err(|_| wrong())?, month.parse().map_err(|_| wrong())?);
        if !(1..=12).contains(&month) {
            return Err(wrong());
        }
        Ok(Self::month_of(date(year, month, 1)))
    }

    /// Reads a month, `2026-10`, or a first and a last day, `2026-10-05..2026-10-11`.
    ///
    /// # Errors
    /// What it should be, for people.
    pub fn of_words(text: &str) -> Result<Self, String> {
        let Some((from, to)) = text.split_once("..") else { return Self::month(text.trim()) };
        let day = |text: &str| text.trim().parse::<Date>().map_err(|_| "a day is e.g. 2026-10-05".to_owned());
        Self::new(day(from)?, day(to)?)
    }

    /// The month after the one that it begins in.
    #[must_use]
    pub fn next_month(self) -> Self {
        self.from.last_of_month().tomorrow().map_or(self, Self::month_of)
    }

    /// The month before the one that it begins in.
    #[must_use]
    pub fn previous_month(self) -> Self {
        self.from.first_of_month().yesterday().map_or(self, Self::month_of)
    }

    /// True for a whole month.
    pub fn is_month(self) -> bool {
        self == Self::month_of(self.from)
    }

    /// Its first day.
    pub fn from(self) -> Date {
        self.from
    }

    /// Its last day.
    pub fn to(self) -> Date {
        self.to
    }

    /// How many civil days it has.
    pub fn days(self) -> u32 {
        let days = self.from.until(self.to).map_or(i32::MAX, |span| span.get_days());
        u32::try_from(days).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// True for a day in it.
    pub fn holds(self, day: Date) -> bool {
        (self.from..=self.to).contains(&day)
    }

    /// The same days in parts of so many at the most, in order.
    pub fn parts(self, days: u32) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut rest = Some(self);
        while let Some(Self { from, to }) = rest {
            let last = from.checked_add(jiff::Span::new().days(i64::from(days.max(1)) - 1)).unwrap_or(to).min(to);
            parts.push(Self { from, to: last });
            rest = last.tomorrow().ok().filter(|next| *next <= to).map(|from| Self { from, to });
        }
        parts
    }
}

/// The month of a period that is one: `2026-10`.
pub fn month_name(period: Period) -> String {
    period.from.strftime("%Y-%m").to_string()
}

impl fmt::Display for Period {
    /// `2026-10` where it is a month, else its first and last day.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = *self;
        if self.is_month() {
            formatter.pad(&month_name(*self))
        } else if from == to {
            write!(formatter, "{from}")
        } else {
            write!(formatter, "{from} to {to}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_october_in_berlin_has_31_days_and_745_hours() {
        let october = Period::month("2026-10").expect("a month");
        let berlin = TimeZone::get("Europe/Berlin").expect("a zone");
        let begins = |day: Date| day.to_zoned(berlin.clone()).expect("a day begins").timestamp();
        let after = october.to().tomorrow().expect("November");

        assert_eq!(october.days(), 31);
        assert_eq!(begins(after).duration_since(begins(october.from())).as_hours(), 745);
        assert_eq!(october.parts(31), [october], "one report shows it");
    }

    #[test]
    fn parts_are_the_same_days_in_order() {
        let period = Period::new(date(2026, 1, 15), date(2026, 4, 2)).expect("a period");
        let parts = period.parts(31);
        assert_eq!(parts.iter().map(|part| part.days()).sum::<u32>(), period.days());
        assert!(parts.iter().all(|part| part.days() <= 31));
        assert!(parts.windows(2).all(|pair| pair[0].to().tomorrow().is_ok_and(|next| next == pair[1].from())));
        assert_eq!((parts[0].from(), parts[parts.len() - 1].to()), (period.from(), period.to()));
    }

    #[test]
    fn a_period_is_a_month_or_two_days_and_months_follow_each_other() {
        let of = |text| Period::of_words(text).expect("a period");
        assert_eq!(of("2026-10"), Period::month("2026-10").expect("a month"));
        assert_eq!(of("2026-10-05..2026-10-11"), Period::new(date(2026, 10, 5), date(2026, 10, 11)).expect("a week"));
        assert_eq!(of("2026-12").next_month(), of("2027-01"));
        assert_eq!(of("2026-03").previous_month(), of("2026-02"));
        assert_eq!(of("2026-10-05 .. 2026-11-11").next_month(), of("2026-11"), "after the one that it begins in");
        assert!(of("2026-02").is_month() && !of("2026-02-01..2026-02-27").is_month());
        for text in ["", "2026", "..", "2026-10-05..", "2026-10-05..2026-10", "2026-10-05"] {
            assert!(Period::of_words(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_period_is_said() {
        for text in ["2026", "2026-13", "2026-00", "26-10", "2026-1", "2026-10-01", "October"] {
            assert!(Period::month(text).is_err(), "{text}");
        }
        assert_eq!(Period::month("2024-02").expect("a month").days(), 29);
        assert!(Period::new(date(2026, 10, 2), date(2026, 10, 1)).is_err_and(|why| why.contains("is after")));
        assert!(Period::new(date(2024, 1, 1), date(2026, 1, 1)).is_err_and(|why| why.contains("at the most")));
    }
}
