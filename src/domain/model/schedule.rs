//! What a page plans, besides what it mirrors.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What a page plans; it is read, and neither mirrored nor written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Planned time in seconds.
    pub planned: Option<u64>,
    /// The last day.
    pub due: Option<Date>,
}
