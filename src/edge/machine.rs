//! This machine, the account that the process belongs to, as they are told in the log, and the process itself.

use std::sync::LazyLock;

use super::environment::Environment;
use crate::domain::text::Shown;

/// Bytes of stack for a thread that does the work of a run. How much the first thread of a program has is for the system
/// to say, and too little on Windows.
pub const STACK_BYTES: usize = 8 << 20;

/// Keeps the memory of this process, which holds secrets, from being written to disk when it crashes and, on Linux,
/// from being read by other processes of the same account. Where the system refuses, all else works as before.
pub fn keep_memory_private() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).unwrap_or_default();
    }
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable).unwrap_or_default();
}

/// The machine's name, as it was when it was asked for first: some change theirs with the network.
pub fn host() -> String {
    static NAME: LazyLock<String> = LazyLock::new(|| {
        #[cfg(unix)]
        let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
        #[cfg(not(unix))]
        let name = Environment::of_process().get("COMPUTERNAME").unwrap_or_default().to_owned();
        if name.is_empty() { "this machine".to_owned() } else { Shown::of(&name).to_string() }
    });
    NAME.clone()
}

/// The account that the process belongs to, by its name where the machine knows one; the environment has no say in it.
pub fn account() -> String {
    #[cfg(unix)]
    {
        let uid = rustix::process::geteuid().as_raw();
        let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        account_in(&accounts, uid).unwrap_or_else(|| format!("user {uid}"))
    }
    #[cfg(not(unix))]
    Environment::of_process().get("USERNAME").map_or_else(|| "unknown".to_owned(), |name| Shown::of(name).to_string())
}

/// Who runs this: as the session says, or else the account.
pub fn person(environment: &Environment) -> String {
    let name = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| environment.get(name));
    name.map_or_else(account, |name| Shown::of(name).to_string())
}

/// The name of an account in the form of `/etc/passwd`.
#[cfg(unix)]
fn account_in(accounts: &str, uid: u32) -> Option<String> {
    let named = accounts.lines().find_map(|line| {
        let mut parts = line.split(':');
        let (name, id) = (parts.next()?, parts.nth(1)?);
        (id.parse() == Ok(uid) && !name.is_empty()).then_some(name)
    });
    named.map(|name| Shown::of(name).to_string())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_is_written_nowhere() {
        use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};
        keep_memory_private();
        assert_eq!(getrlimit(Resource::Core).maximum, Some(0));
        assert_eq!(dumpable_behavior().expect("known"), DumpableBehavior::NotDumpable);
    }

    #[test]
    fn an_account_has_a_name_or_a_number() {
        let accounts = "root:x:0:0:root:/root:/bin/sh\nbroken\nmara:x:1000:1000::/home/mara:/bin/sh\n";
        assert_eq!(account_in(accounts, 1000).as_deref(), Some("mara"));
        assert_eq!(account_in(accounts, 7), None);
        assert_ne!(person(&Environment::default()), "unknown");
        assert_eq!(person(&[("USER", "ben")].into_iter().collect()), "ben");
    }
}
