//! What watches over the daemon: systemd, where it does. Elsewhere nobody is told, and nothing goes wrong.

use std::time::Duration;

/// What the supervisor is told.
#[derive(Clone, Copy, Debug)]
pub enum Sign<'a> {
    /// It serves.
    Ready,
    /// What it is at, for people.
    Status(&'a str),
    /// It is alive.
    Alive,
    /// It is about to end.
    Stopping,
}

/// Tells the supervisor. One that cannot be told will find out by itself.
pub fn tell(sign: Sign<'_>) {
    #[cfg(target_os = "linux")]
    {
        use sd_notify::NotifyState;
        let state = match sign {
            Sign::Ready => NotifyState::Ready,
            Sign::Status(text) => NotifyState::Status(text),
            Sign::Alive => NotifyState::Watchdog,
            Sign::Stopping => NotifyState::Stopping,
        };
        drop(sd_notify::notify(&[state]));
    }
    #[cfg(not(target_os = "linux"))]
    let _: Sign<'_> = sign;
}

/// Within which time it wants to be told that the daemon is alive, if at all.
pub fn watchdog() -> Option<Duration> {
    #[cfg(target_os = "linux")]
    return sd_notify::watchdog_enabled();
    #[cfg(not(target_os = "linux"))]
    None
}
