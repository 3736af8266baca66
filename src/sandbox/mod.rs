//! A world: both services in memory, served over real HTTP on loopback.
//!
//! ```text
//! mod.rs        the handle
//! ├ world/      the data of both services, their clock, and what people do in the two user interfaces
//! ├ notion/     what api.notion.com answers      ├ clockify/   what api.clockify.me and the reports host answer
//! ├ knobs.rs    budgets, quirks, faults          ├ wire.rs     request and answer as values
//! ├ hooks.rs     what both services call by themselves
//! └ server/     sockets, budgets, the fault script, the call log, control routes for scripts
//! ```
//!
//! It is a feature (`punchlist sandbox`, `--demo`) and the rig that everything else is tested on. It shares no type
//! with the clients of the two services: its wire shapes come from the services' documentation only, so a mistake in a
//! client cannot hide in both.

mod clockify;
mod hooks;
mod ids;
mod knobs;
mod notion;
mod server;
#[cfg(test)]
mod tests;
mod wire;
mod world;

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

pub use hooks::{Button, ClockifyWebhook, Subscription};
pub use ids::{ClockifyId, NotionId};
pub use knobs::{Fault, FaultKind, Knobs, PersonalMe, Service, When};
pub use server::Call;
pub use world::{
    Capabilities, Client, PageState, Project, Remembered, Role, START_SECOND, SampleError, TICK, Task, TimeEntry, World,
};

/// The Notion token that every world accepts unless it says otherwise.
pub const NOTION_TOKEN: &str = "ntn_sandbox";
/// A personal Notion token that the served sandbox accepts too; that of the first person.
pub const PERSONAL_TOKEN: &str = "ntn_personal";
/// The Clockify key that every world accepts unless it says otherwise.
pub const CLOCKIFY_KEY: &str = "sandbox";

/// What the server and the handle share. Nobody holds two of these locks at once.
#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    knobs: Mutex<Knobs>,
    calls: Mutex<Vec<Call>>,
    budgets: Mutex<server::Budgets>,
}

/// A running sandbox; stops when dropped, and drops every connection with it.
///
/// It has a thread and a runtime of its own, so that a test may pause its own clock or block.
#[derive(Debug)]
pub struct Sandbox {
    shared: Arc<Shared>,
    address: SocketAddr,
    /// Dropped to stop the server.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Serves a world at `listen`; port 0 takes a free one.
    ///
    /// # Errors
    /// If the address cannot be bound.
    #[expect(clippy::unused_async, reason = "callers await the start; binding may become asynchronous")]
    pub async fn start(world: World, knobs: Knobs, listen: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            world: Mutex::new(world),
            knobs: Mutex::new(knobs),
            calls: Mutex::default(),
            budgets: Mutex::default(),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("sandbox".to_owned()).spawn(move || {
            // Dropping the runtime ends the connections, also those that a fault keeps waiting.
            runtime.block_on(server::serve(listener, served, stopped));
        })?;
        Ok(Self { shared, address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL of Notion; clients append `/v1/…`.
    pub fn notion_url(&self) -> String {
        format!("http://{}/notion", self.address)
    }

    /// The base URL of Clockify; clients append `/v1/…`.
    pub fn clockify_url(&self) -> String {
        format!("http://{}/clockify/api", self.address)
    }

    /// The base URL of Clockify's reports; clients append `/v1/…`.
    pub fn reports_url(&self) -> String {
        format!("http://{}/clockify/report", self.address)
    }

    /// The world, to look at or to edit as people would. Calls wait while this is held.
    pub fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.shared.world)
    }

    /// The calls so far, in the order of their answers.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.shared.calls).clone()
    }

    /// Forgets the calls so far.
    pub fn clear_calls(&self) {
        lock(&self.shared.calls).clear();
    }

    /// The knobs; changes hold from the next call on.
    pub fn knobs(&self) -> MutexGuard<'_, Knobs> {
        lock(&self.shared.knobs)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Dropping the sender is the signal to stop.
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the server has been reported by its thread; there is nobody to tell here.
            drop(thread.join());
        }
    }
}

/// A panic elsewhere does not make the data worse than it is.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
