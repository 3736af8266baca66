//! What several people have said about the same changes, in words.

use super::when;
use crate::domain::{review::Overtaken, text::Shown};

/// Why nothing was applied of what somebody else has decided about since.
pub(crate) const OVERRULED: &str = "somebody has decided otherwise meanwhile: look again";

/// What was not kept, who decided otherwise and when: `not kept: create client “Acme”: ben has skipped it meanwhile
/// (2026-11-23 12:00:00)`.
pub(crate) fn overtaken_line(lost: &Overtaken) -> Shown {
    let at = lost.stands.as_ref().map(|known| format!(" ({})", when(known.at))).unwrap_or_default();
    format!("not kept: {}: {}{at}; decide again if yours is to hold", lost.said.what, lost.words()).into()
}
