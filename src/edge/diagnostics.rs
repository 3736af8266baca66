//! The diagnostic log: JSON lines for finding out why something went wrong, a file a day, none larger than it may be.
//! It is no evidence: the audit log is.

use std::{
    fs::{self, File},
    io::{self, Write},
    panic,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, Once, PoisonError},
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer, filter::Targets, fmt::MakeWriter, layer::SubscriberExt, util::SubscriberInitExt};

use super::{
    config::{DiagnosticLevel, DiagnosticSettings},
    files,
    scrub::scrub,
};
use crate::domain::text::safe_json;

/// The directory of the files, in that of the state.
pub(super) const DIRECTORY: &str = "diagnostics";
/// What the names of the files begin and end with.
const NAME: (&str, &str) = ("punchlist.", ".jsonl");

/// A process has one log.
static ONCE: Once = Once::new();

/// Starts the log of this process; once. Where it cannot be written, the program goes on without it.
pub fn start(state: &Path, settings: DiagnosticSettings) {
    let level = match settings.level {
        DiagnosticLevel::Off => return,
        DiagnosticLevel::Error => LevelFilter::ERROR,
        DiagnosticLevel::Warn => LevelFilter::WARN,
        DiagnosticLevel::Info => LevelFilter::INFO,
        DiagnosticLevel::Debug => LevelFilter::DEBUG,
        DiagnosticLevel::Trace => LevelFilter::TRACE,
    };
    let files = Files { directory: state.join(DIRECTORY), settings, open: Arc::default() };
    // What libraries say in detail may hold what they were given, so only their warnings are taken.
    let targets = Targets::new().with_default(level.min(LevelFilter::WARN)).with_target("punchlist", level);
    let layer = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(files).with_filter(targets);
    ONCE.call_once(|| {
        drop(tracing_subscriber::registry().with(layer).try_init());
        let earlier = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            // Where, and not what: the words of a panic may quote what was worked on.
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(place, "panicked");
            earlier(panic);
        }));
    });
}

/// The files of the log; the one of today is open.
#[derive(Clone)]
struct Files {
    directory: PathBuf,
    settings: DiagnosticSettings,
    open: Arc<Mutex<Option<Today>>>,
}

struct Today {
    day: Date,
    file: File,
    bytes: u64,
    full: bool,
}

impl Files {
    /// Appends a line to the file of a day.
    fn append(&self, day: Date, line: &str) -> io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.as_ref().is_none_or(|today| today.day != day) {
            *open = Some(self.begin(day)?);
        }
        let Some(today) = open.as_mut() else { return Ok(()) };
        let bytes_max = u64::from(self.settings.megabytes_max) * 1_000_000;
        if today.full {
            return Ok(());
        }
        if today.bytes + line.len() as u64 > bytes_max {
            today.full = true;
            return today.file.write_all(
                b"{\"level\":\"WARN\",\"message\":\"the file is full; the rest of the day is left out\"}\n",
            );
        }
        today.bytes += line.len() as u64;
        today.file.write_all(line.as_bytes())
    }

    /// Opens the file of a day, and takes away those that are too old.
    fn begin(&self, day: Date) -> io::Result<Today> {
        // Whoever may write beside the state must not have files made, and old ones taken away, somewhere else.
        if self.directory.is_symlink() {
            return Err(io::Error::other("it is a symbolic link"));
        }
        files::create_private_directory(&self.directory)?;
        let (prefix, suffix) = NAME;
        let file = files::private_options()
            .append(true)
            .create(true)
            .open(self.directory.join(format!("{prefix}{day}{suffix}")))?;
        let bytes = file.metadata()?.len();
        let full = bytes >= u64::from(self.settings.megabytes_max) * 1_000_000;
        for entry in fs::read_dir(&self.directory)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let of = name
                .strip_prefix(prefix)
                .and_then(|rest| rest.strip_suffix(suffix))
                .and_then(|date| date.parse::<Date>().ok());
            let age = of.and_then(|of| day.since(of).ok()).map(|age| age.get_days());
            if age.is_some_and(|age| i64::from(age) >= i64::from(self.settings.keep_days)) {
                drop(fs::remove_file(entry.path()));
            }
        }
        Ok(Today { day, file, bytes, full })
    }
}

/// One line on its way.
struct Writing(Files);

impl Write for Writing {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        // The subscriber writes a whole line at a time. What cannot be written is left out: nothing rests on it.
        drop(self.0.append(today, &safe_json(&scrub(&String::from_utf8_lossy(line)))));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Files {
    type Writer = Writing;

    fn make_writer(&'a self) -> Writing {
        Writing(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_a_day_none_too_large_and_none_too_old() {
        let home = tempfile::TempDir::new().expect("a directory");
        let settings = DiagnosticSettings { level: DiagnosticLevel::Info, keep_days: 3, megabytes_max: 1 };
        let files = Files { directory: home.path().join(DIRECTORY), settings, open: Arc::default() };
        let day = |day| Date::constant(2026, 11, day);
        for today in 20..=25 {
            files.append(day(today), "{}\n").expect("writes");
        }
        let mut names: Vec<_> =
            fs::read_dir(home.path().join(DIRECTORY)).expect("a directory").flatten().map(|f| f.file_name()).collect();
        names.sort_unstable();
        assert_eq!(names, ["punchlist.2026-11-23.jsonl", "punchlist.2026-11-24.jsonl", "punchlist.2026-11-25.jsonl"]);

        let line = format!("{{\"message\":\"{}\"}}\n", "x".repeat(400_000));
        for _ in 0..5 {
            files.append(day(25), &line).expect("writes");
        }
        let text = fs::read_to_string(home.path().join(DIRECTORY).join("punchlist.2026-11-25.jsonl")).expect("reads");
        assert!(text.len() < 1_000_100, "{}", text.len());
        assert!(text.ends_with("the rest of the day is left out\"}\n"));
        assert_eq!(text.matches("left out").count(), 1);
    }
}
