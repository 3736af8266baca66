//! Until when a right is held that others give for a while: what needs it is not begun too shortly before its end.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::failpoint::shortened;

/// How often it is looked whether a right was renewed, by who waits for that.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Until when a right is surely held, as far as this process knows.
#[derive(Clone, Debug, Default)]
pub struct Holding(Arc<Mutex<Duration>>);

impl Holding {
    /// Waits until the right is held for at least so long from now on; false where it is lost first.
    pub async fn lasts(&self, wanted: Duration) -> bool {
        let wanted = shortened(wanted);
        loop {
            let left = self.left();
            if left >= wanted {
                return true;
            }
            if left.is_zero() {
                return false;
            }
            tokio::time::sleep(LOOK_AGAIN.min(left)).await;
        }
    }

    /// True while it is held.
    pub(in crate::edge) fn is_held(&self) -> bool {
        !self.left().is_zero()
    }

    /// How long it is held from now on, unless it is renewed.
    pub(in crate::edge) fn left(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).saturating_sub(since_boot())
    }

    /// Holds it until then, by [`since_boot`].
    #[cfg(any(test, feature = "postgres"))]
    pub(in crate::edge) fn set(&self, until: Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }
}

/// A clock that goes on while the machine sleeps, where there is one.
pub(in crate::edge) fn since_boot() -> Duration {
    #[cfg(target_os = "linux")]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
    }
    #[cfg(not(target_os = "linux"))]
    {
        static BEGUN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
        BEGUN.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_needs_it_for_longer_waits_until_it_is_renewed_or_lost() {
        let holding = Holding::default();
        assert!(!holding.lasts(Duration::from_secs(1)).await, "it was never held");
        holding.set(since_boot() + Duration::from_secs(30));
        assert!(holding.lasts(Duration::from_secs(20)).await);
        let (lasts, ()) = tokio::join!(holding.lasts(Duration::from_secs(40)), async {
            tokio::task::yield_now().await;
            holding.set(since_boot() + Duration::from_mins(1));
        });
        assert!(lasts, "it was renewed meanwhile");
        let (lasts, ()) = tokio::join!(holding.lasts(Duration::from_secs(90)), async { holding.set(Duration::ZERO) });
        assert!(!lasts, "it was lost");
    }
}
