//! Cells of CSV that no spreadsheet takes for more than text.

use crate::domain::text::Shown;

/// A cell as it is shown, quoted, and no formula for any spreadsheet: quoting alone does not help against that.
pub(super) fn cell(text: &str) -> String {
    let shown = Shown::of(text).to_string();
    let begins = shown.trim_start().chars().next();
    let formula = matches!(begins, Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '⇥'));
    format!("\"{}{}\"", if formula { "'" } else { "" }, shown.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_no_formula() {
        for (text, expected) in [
            ("Acme", "\"Acme\""),
            ("=1+1", "\"'=1+1\""),
            ("+49", "\"'+49\""),
            ("-2", "\"'-2\""),
            ("@SUM", "\"'@SUM\""),
            (" =1", "\"' =1\""),
            ("\t=1", "\"'⇥=1\""),
            ("\r=1", "\"⟨U+000D⟩=1\""),
            ("a\"b,c\nd", "\"a\"\"b,c⏎d\""),
            ("a\u{202E}b", "\"a⟨U+202E⟩b\""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
