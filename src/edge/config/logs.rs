//! The keys of the two logs: the one that can be trusted, and the one for finding out what went wrong.

use std::path::PathBuf;

use strum::{IntoStaticStr, VariantArray};

use super::{layers::Content, reader::Reader};
use crate::edge::{
    secrets::SecretReference,
    stream::{Destination, EXAMPLES},
};

/// Days that something can be kept for: longer than anybody has to.
const DAYS_MAX: u32 = 36_500;
/// Days that the audit log is kept for, when nothing else is configured: a year, and a month to look back on it.
const KEEP_DAYS: u32 = 400;
/// Megabytes that a day's diagnostic log may grow to.
const MEGABYTES_MAX: u32 = 10_000;

/// What is logged, where its checkpoints are, and for how long it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// For how many days entries are kept at least.
    pub keep_days: u32,
    /// Where checkpoints are kept, if not beside the state.
    pub checkpoints: Option<PathBuf>,
    /// Where the key is that signs them, if not beside the state.
    pub key: Option<PathBuf>,
    /// Whether what is sent and answered is logged.
    pub bodies: bool,
    /// Where it is passed on to.
    pub stream: Vec<Destination>,
    /// Where the token is that addresses among those want.
    pub stream_token: Option<SecretReference>,
    /// The diagnostic log.
    pub diagnostics: DiagnosticSettings,
}

/// The diagnostic log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiagnosticSettings {
    /// What is written to it.
    pub level: DiagnosticLevel,
    /// For how many days its files are kept.
    pub keep_days: u32,
    /// How large a day's file may become.
    pub megabytes_max: u32,
}

/// How much is written to the diagnostic log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum DiagnosticLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// Of an address, only its host is kept: the rest may be a secret.
fn stream(reader: &mut Reader<'_>) -> Vec<Destination> {
    let environment = reader.environment();
    let read = |content: &Content| {
        let Content::Texts(texts) = content.typed() else { return Err(format!("a list of {EXAMPLES}")) };
        let all = texts.iter().map(|text| Destination::parse(text, environment)).collect::<Option<Vec<_>>>();
        all.ok_or_else(|| format!("a list of {EXAMPLES}"))
    };
    let keep = |all: &Vec<Destination>, _: &Content| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    reader.take_in_part("logs.stream", read, keep).unwrap_or_default()
}

pub(super) fn logs(reader: &mut Reader<'_>) -> LogSettings {
    LogSettings {
        keep_days: reader.whole("logs.keep_days", 1..=DAYS_MAX).unwrap_or(KEEP_DAYS),
        checkpoints: reader.file("logs.checkpoints"),
        key: reader.file("logs.key"),
        bodies: reader.flag("logs.bodies").unwrap_or(false),
        stream: stream(reader),
        stream_token: reader.secret("logs.stream_token"),
        diagnostics: DiagnosticSettings {
            level: reader.choice("diagnostics.level").unwrap_or(DiagnosticLevel::Info),
            keep_days: reader.whole("diagnostics.keep_days", 1..=DAYS_MAX).unwrap_or(7),
            megabytes_max: reader.whole("diagnostics.megabytes_max", 1..=MEGABYTES_MAX).unwrap_or(10),
        },
    }
}
