//! Named points at which a test ends this process or fills the disk. They exist in debug builds alone.
//!
//! `PUNCHLIST_FAILPOINT=NAME:N:ACTION` acts when NAME is reached for the Nth time, counted from 1: `abort` kills the
//! process as `kill -9` does, `panic` panics, `full` says once that the disk is full, and `stays-full` says so from
//! then on; `old` says from then on that what was just read is too old to build on. Several are separated by commas.
//!
//! `PUNCHLIST_LEASE_SHORTENED=N` makes all that has to do with a lease N times as short.

/// What happens at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    /// Nothing: always so in a release build.
    Passed,
    DiskFull,
    /// What was read is too old.
    Old,
}

#[cfg(not(debug_assertions))]
pub(crate) fn reach(_name: &str) -> Point {
    Point::Passed
}

/// A time that has to do with a lease: always itself in a release build.
#[cfg(not(debug_assertions))]
pub(crate) fn shortened(time: std::time::Duration) -> std::time::Duration {
    time
}

#[cfg(debug_assertions)]
pub(crate) use armed::{reach, shortened};

#[cfg(debug_assertions)]
mod armed {
    use std::{
        sync::{
            OnceLock,
            atomic::{AtomicU32, Ordering},
        },
        time::Duration,
    };

    use super::Point;

    struct Armed {
        name: String,
        at: u32,
        action: String,
        reached: AtomicU32,
    }

    fn armed() -> &'static [Armed] {
        static ARMED: OnceLock<Vec<Armed>> = OnceLock::new();
        let read = |text: &str| {
            let mut parts = text.split(':');
            let (name, at, action) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
            Some(Armed { name: name.to_owned(), at, action: action.to_owned(), reached: AtomicU32::new(0) })
        };
        ARMED.get_or_init(|| {
            let text = std::env::var("PUNCHLIST_FAILPOINT").unwrap_or_default();
            text.split(',').filter_map(read).collect()
        })
    }

    pub(crate) fn reach(name: &str) -> Point {
        let Some(armed) = armed().iter().find(|armed| armed.name == name) else { return Point::Passed };
        let count = armed.reached.fetch_add(1, Ordering::Relaxed) + 1;
        match armed.action.as_str() {
            "abort" if count == armed.at => die(),
            "panic" if count == armed.at => panic!("the fail point {name} was reached"),
            "full" if count == armed.at => Point::DiskFull,
            "stays-full" if count >= armed.at => Point::DiskFull,
            "old" if count >= armed.at => Point::Old,
            _ => Point::Passed,
        }
    }

    pub(crate) fn shortened(time: Duration) -> Duration {
        static DIVISOR: OnceLock<u32> = OnceLock::new();
        let given = || std::env::var("PUNCHLIST_LEASE_SHORTENED").ok()?.parse().ok();
        time / *DIVISOR.get_or_init(|| given().unwrap_or(1))
    }

    #[cfg(unix)]
    fn die() -> ! {
        // Nothing is unwound, flushed or caught.
        match rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL) {
            Ok(()) | Err(_) => std::process::abort(),
        }
    }

    #[cfg(not(unix))]
    fn die() -> ! {
        std::process::abort()
    }
}
