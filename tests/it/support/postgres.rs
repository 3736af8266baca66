//! A real `PostgreSQL` server for tests, in a temporary directory and on a socket there. It ends with this process, even
//! when that is killed, and nothing of it is left.

use std::{
    fs,
    io::Write as _,
    net::{Ipv4Addr, TcpListener},
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

/// Who runs it where this process is root, as whom it refuses to run.
const NOBODY: u32 = 65534;
/// Who is let in: everybody, but `guest` with a password alone.
const ADMITTED: &str = "local all guest scram-sha-256\nlocal all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
/// Its settings: nothing is proved about disks, and much is written. It is asked on its socket.
const SETTINGS: &str = "listen_addresses = ''\nfsync = off\nfull_page_writes = off\n\
                        max_connections = 200\npassword_encryption = 'scram-sha-256'\nwal_level = minimal\nmax_wal_senders = 0\n";

/// The server that the tests of this process share; nothing where there is none to be had.
pub(crate) fn server() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    SHARED.get_or_init(Server::start).as_ref()
}

/// A server that runs for as long as this lives.
pub(crate) struct Server {
    programs: PathBuf,
    directory: PathBuf,
    /// Ends the server once nobody holds this any more.
    _leash: ChildStdin,
    warden: Child,
    /// Names its socket, too.
    pub(crate) port: u16,
    /// Schemas and databases so far.
    made: AtomicU32,
}

impl Server {
    /// Starts one; nothing where there is none to be had, which is said once. With `CI` in the environment that is a
    /// failure: there, what needs one is not to be left out.
    pub(crate) fn start() -> Option<Self> {
        static SAID: OnceLock<()> = OnceLock::new();
        let Some(programs) = programs() else {
            assert!(std::env::var_os("CI").is_none(), "the tests need PostgreSQL: apt-get install postgresql");
            // Past what the harness keeps of a test that passes.
            SAID.get_or_init(|| {
                drop(writeln!(std::io::stderr(), "no PostgreSQL is installed: what needs a server is not tested"));
            });
            return None;
        };
        let directory = tempfile::Builder::new().prefix("punchlist-pg-").tempdir().expect("a directory").keep();
        if is_root() {
            chown(&directory, Some(NOBODY), Some(NOBODY)).expect("root may");
        }
        let script = "cat >/dev/null; \"$1/pg_ctl\" -D \"$2/data\" -m immediate stop; rm -rf \"$2\"";
        let mut warden = quiet("sh", &directory);
        warden.args(["-c", script, "warden"]).arg(&programs).arg(&directory).process_group(0).stdin(Stdio::piped());
        let mut warden = warden.spawn().expect("a shell");
        let leash = warden.stdin.take().expect("piped");
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|free| free.local_addr()).expect("one").port();
        let server = Self { programs, directory, _leash: leash, warden, port, made: AtomicU32::new(0) };
        let mut made = server.program("initdb");
        made.args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "-D"]);
        ran(made.arg(server.data()));
        server.set(SETTINGS);
        server.set(&format!("port = {port}\nunix_socket_directories = '{}'\n", server.directory.display()));
        fs::write(server.data().join("pg_hba.conf"), ADMITTED).expect("writable");
        server.control(&["-w", "-l", "log", "start"]);
        server.sql("CREATE ROLE guest LOGIN PASSWORD 'guest-s3cret'");
        Some(server)
    }

    /// The address of a state on it that there is not yet.
    pub(crate) fn address(&self) -> String {
        self.address_of("postgres", "postgres", &format!("schema=state{}", self.number()))
    }

    /// A database as it is in another one, which nobody may be connected to; returns its name.
    pub(crate) fn copy(&self, database: &str) -> String {
        let name = format!("copy{}", self.number());
        self.sql(&format!("CREATE DATABASE {name} TEMPLATE {database}"));
        name
    }

    fn number(&self) -> u32 {
        self.made.fetch_add(1, Ordering::Relaxed)
    }

    /// The address of a database on it, for a role, which may have a password.
    pub(crate) fn address_of(&self, role: &str, database: &str, query: &str) -> String {
        let socket = self.directory.display().to_string().replace('/', "%2F");
        format!("postgres://{role}@{socket}:{}/{database}?{query}", self.port)
    }

    /// Does something to the database `postgres`.
    pub(crate) fn sql(&self, sql: &str) -> String {
        self.sql_in("postgres", sql)
    }

    /// Does something to a database; returns the rows of what it answers last, their columns separated by `|`.
    pub(crate) fn sql_in(&self, database: &str, sql: &str) -> String {
        let mut asked = self.program("psql");
        asked.args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database, "-c", sql, "-h"]);
        ran(asked.arg(&self.directory).arg("-p").arg(self.port.to_string()))
    }

    /// Changes settings, as of the next start.
    pub(crate) fn set(&self, settings: &str) {
        let file = self.data().join("postgresql.conf");
        let all = fs::read_to_string(&file).expect("it was made");
        fs::write(file, all + settings).expect("writable");
    }

    /// Ends it without a word to anybody, and starts it again: as after a crash.
    pub(crate) fn restart(&self) {
        self.restart_with(&[]);
    }

    /// The same with more in its environment.
    pub(crate) fn restart_with(&self, environment: &[(&str, &Path)]) {
        let mut control = self.program("pg_ctl");
        control.args(["-w", "-m", "immediate", "-l", "log", "restart", "-D"]).arg(self.data());
        ran(control.envs(environment.iter().copied()));
    }

    /// Lets others copy it while it runs, as of the next start.
    pub(crate) fn let_be_copied(&self) {
        self.set("wal_level = replica\nmax_wal_senders = 2\n");
        let admitted = format!("{ADMITTED}local replication all trust\n");
        fs::write(self.data().join("pg_hba.conf"), admitted).expect("writable");
    }

    /// A copy of all of it as it is now, while it goes on.
    pub(crate) fn back_up(&self) -> PathBuf {
        let copy = self.directory.join(format!("data{}", self.number()));
        let mut copied = self.program("pg_basebackup");
        copied.args(["-U", "postgres", "-c", "fast", "-X", "fetch", "--no-sync", "-D"]).arg(&copy);
        ran(copied.arg("-h").arg(&self.directory).arg("-p").arg(self.port.to_string()));
        copy
    }

    /// Is lost, without a word to anybody, with all that it knows since a copy was made, which takes its place.
    pub(crate) fn fail_over(&self, copy: &Path) {
        self.control(&["-m", "immediate", "stop"]);
        fs::remove_dir_all(self.data()).expect("it is ours");
        fs::rename(copy, self.data()).expect("it is ours");
        self.control(&["-w", "-l", "log", "start"]);
    }

    /// Lets no file of whoever connects from now on grow beyond so many bytes; nothing where there is no limit.
    #[cfg(target_os = "linux")]
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let known = fs::read_to_string(self.data().join("postmaster.pid")).expect("it runs");
        let limit = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
        let mut limited = self.program("prlimit");
        ran(limited.args(["--pid", known.lines().next().expect("a process"), &format!("--fsize={limit}:")]));
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.join(format!(".s.PGSQL.{}", self.port))
    }

    /// Where all of it is, and goes with it.
    #[cfg(target_os = "linux")]
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Its data, with its settings.
    pub(crate) fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// A program of the server's or of the system's, as whoever runs the server, in the directory above its data.
    pub(crate) fn program(&self, name: &str) -> Command {
        let ours = self.programs.join(name);
        quiet(if ours.exists() { ours } else { name.into() }, &self.directory)
    }

    fn control(&self, arguments: &[&str]) {
        ran(self.program("pg_ctl").arg("-D").arg(self.data()).args(arguments));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.control(&["-m", "immediate", "stop"]);
        // The rest is for the warden.
        drop(self.warden.try_wait());
    }
}

/// The directory of the server's programs, of the newest where there are several.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut installed: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql").map_or_else(
        |_| Vec::new(),
        |versions| versions.filter_map(|version| Some(version.ok()?.path().join("bin"))).collect(),
    );
    installed.sort();
    let all = std::env::split_paths(&path).chain(installed.into_iter().rev());
    let has_all = |directory: &PathBuf| ["initdb", "pg_ctl", "psql"].iter().all(|name| directory.join(name).is_file());
    all.into_iter().find(has_all)
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A program that may be the server's: not as root, in a directory that it may look into, and without a word.
fn quiet(program: impl AsRef<std::ffi::OsStr>, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory).env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}

/// Runs a program to its end, which must be good. What it starts keeps no pipe of ours open.
pub(crate) fn ran(command: &mut Command) -> String {
    let (mut out, mut said) = (tempfile::tempfile().expect("a file"), tempfile::tempfile().expect("a file"));
    command.stdout(out.try_clone().expect("a file")).stderr(said.try_clone().expect("a file"));
    let status = command.status().expect("it is there");
    let text = |file: &mut fs::File| {
        use std::io::{Read as _, Seek as _};
        let mut text = String::new();
        file.rewind().and_then(|()| file.read_to_string(&mut text)).expect("readable");
        text.trim_end().to_owned()
    };
    assert!(status.success(), "{command:?}: {}{}", text(&mut out), text(&mut said));
    text(&mut out)
}
