//! Durations as Clockify writes them: ISO 8601, e.g. `PT2280H28M11S`.

/// Seconds of an ISO 8601 duration of days or smaller units, e.g. `PT2280H28M11S`.
pub(super) fn parse_duration(text: &str) -> Option<u64> {
    let mut total = 0_u64;
    let mut digits = String::new();
    let mut any = false;
    for c in text.trim().strip_prefix('P')?.chars() {
        let unit = match c {
            'T' if digits.is_empty() => continue,
            '0'..='9' | '.' => {
                digits.push(c);
                continue;
            }
            'D' => 86_400,
            'H' => 3600,
            'M' => 60,
            'S' => 1,
            _ => return None,
        };
        // Parts of a second do not matter to planned and tracked time.
        let whole = digits.split('.').next()?;
        total = total.checked_add(whole.parse::<u64>().ok()?.checked_mul(unit)?)?;
        digits.clear();
        any = true;
    }
    (any && digits.is_empty()).then_some(total)
}

/// The ISO 8601 form of a duration, as Clockify writes it.
pub(super) fn iso_duration(seconds: u64) -> String {
    use std::fmt::Write;
    let mut text = "PT".to_owned();
    for (count, unit) in [(seconds / 3600, 'H'), (seconds / 60 % 60, 'M'), (seconds % 60, 'S')] {
        if count > 0 {
            // Writing to a string cannot fail.
            write!(text, "{count}{unit}").unwrap_or_default();
        }
    }
    if text == "PT" { "PT0S".to_owned() } else { text }
}
