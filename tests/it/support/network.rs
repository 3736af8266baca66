//! The network between the binary and a server: it can vanish without a word, with every connection still open as far as
//! both ends know, and bring other bytes than were sent.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    sync::{Arc, Condvar, Mutex},
    thread,
};

use super::postgres::Server;

/// Some bytes, and as many that arrive in their place.
pub(crate) type Change = (Vec<u8>, Vec<u8>);

/// A network to a server.
pub(crate) struct Network {
    port: u16,
    ways: Arc<Ways>,
}

#[derive(Default)]
struct Ways {
    state: Mutex<State>,
    changed: Condvar,
    /// What the server says otherwise.
    changes: Vec<Change>,
}

#[derive(Default)]
struct State {
    is_gone: bool,
    /// How many wait for it to come back, each with something that was sent.
    waiting: usize,
}

impl Network {
    pub(crate) fn to(server: &Server) -> Self {
        Self::changing(server, Vec::new())
    }

    /// One in which some of what the server says arrives otherwise.
    pub(crate) fn changing(server: &Server, changes: Vec<Change>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let (ways, socket) = (Arc::new(Ways { changes, ..Ways::default() }), server.socket());
        let network = Self { port, ways: Arc::clone(&ways) };
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = UnixStream::connect(&socket) else { continue };
                ways.connect(near, far);
            }
        });
        network
    }

    /// An address of the server as it is from the other end of this.
    pub(crate) fn through(&self, address: &str) -> String {
        let (_, database) = address.rsplit_once('/').expect("an address");
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Brings nothing any more, and says so to nobody.
    pub(crate) fn vanish(&self) {
        self.ways.state.lock().expect("no panic").is_gone = true;
    }

    /// Brings what was sent meanwhile, and all that follows.
    pub(crate) fn come_back(&self) {
        self.ways.state.lock().expect("no panic").is_gone = false;
        self.ways.changed.notify_all();
    }

    /// How many wait for it to come back, each with something that was sent.
    pub(crate) fn waiting(&self) -> usize {
        self.ways.state.lock().expect("no panic").waiting
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.come_back();
    }
}

impl Ways {
    fn connect(self: &Arc<Self>, near: TcpStream, far: UnixStream) {
        let (there, back) = (Arc::clone(self), Arc::clone(self));
        let (from_near, to_far) = (near.try_clone().expect("a socket"), far.try_clone().expect("a socket"));
        thread::spawn(move || {
            there.carry(&from_near, &to_far, &[]);
            drop((from_near.shutdown(Shutdown::Both), to_far.shutdown(Shutdown::Both)));
        });
        thread::spawn(move || {
            back.carry(&far, &near, &back.changes);
            drop((near.shutdown(Shutdown::Both), far.shutdown(Shutdown::Both)));
        });
    }

    /// Brings what is sent to the other end, and that it ends.
    fn carry(&self, mut from: impl Read, mut to: impl Write, changes: &[Change]) {
        let mut bytes = vec![0; 1 << 16];
        loop {
            let read = from.read(&mut bytes).unwrap_or_default();
            self.wait_while_gone();
            let sent = &mut bytes[..read];
            for (said, instead) in changes {
                while let Some(at) = sent.windows(said.len()).position(|part| part == said) {
                    sent[at..at + said.len()].copy_from_slice(instead);
                }
            }
            if read == 0 || to.write_all(sent).is_err() {
                return;
            }
        }
    }

    fn wait_while_gone(&self) {
        let mut state = self.state.lock().expect("no panic");
        state.waiting += 1;
        state = self.changed.wait_while(state, |state| state.is_gone).expect("no panic");
        state.waiting -= 1;
    }
}
