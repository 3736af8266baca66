//! What the supervisor of the daemon is told, and what Notion's automations think of it.

use std::{os::unix::net::UnixDatagram, time::Duration};

use punchlist::sandbox::{Button, ClockifyWebhook, Fault, FaultKind};
use rustix::process::Signal;
use serde_json::json;

use super::{Daemon, secret};
use crate::support::Rig;

#[test]
fn systemd_is_told_that_it_serves_lives_and_ends() {
    let rig = Rig::of_one_project();
    let path = rig.home.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(super::DEADLINE)).expect("sets");
    let variables = [("NOTIFY_SOCKET", path.to_str().expect("UTF-8")), ("WATCHDOG_USEC", "300000")];
    // What is not read in time keeps whoever tells it waiting.
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length) = socket.recv(&mut buffer) {
            drop(tell.send(String::from_utf8_lossy(&buffer[..length]).into_owned()));
        }
    });
    let hear = |wanted: &str| {
        loop {
            let said = told.recv_timeout(super::DEADLINE).unwrap_or_else(|error| panic!("no {wanted}: {error}"));
            if said.lines().any(|line| line.starts_with(wanted)) {
                return;
            }
        }
    };

    let daemon = Daemon::start_with(&rig, "", &variables);

    hear("READY=1");
    hear("WATCHDOG=1");
    daemon.run(secret("CI"));
    hear("STATUS=run ");
    hear("WATCHDOG=1");
    assert_eq!(daemon.end_by(Signal::TERM).0, 0);
    hear("STOPPING=1");
}

#[test]
fn an_automation_is_never_paused_by_us() {
    let rig = Rig::of_one_project();
    let daemon = Daemon::start(&rig, "");
    let page = rig.sandbox.world().pages("Projects")[0].id;
    let mut button =
        Button::new(&daemon.url("/hooks/notion/button/billing"), &[("X-Punchlist-Secret", secret("BUTTON"))]);
    let mut tried = Button::new(&daemon.url("/hooks/notion/button/tried"), &[("X-Punchlist-Secret", "wrong")]);
    let press = |button: &mut Button, while_it: &str| {
        assert_eq!(daemon.runtime.block_on(button.press(page)), Some(200), "{while_it}");
    };
    // Busy, far too often, while the services fail, while it cannot run at all, and when all is well again.
    rig.sandbox.knobs().latency = Duration::from_millis(300);
    press(&mut button, "idle");
    daemon.until("it runs", |daemon| (daemon.number("punchlist_running") == 1).then_some(()));
    (0..200).for_each(|_| press(&mut button, "busy"));
    rig.sandbox.knobs().latency = Duration::ZERO;
    daemon.until("it rests", |daemon| {
        (daemon.number("punchlist_running") + daemon.number("punchlist_waiting") == 0).then_some(())
    });
    rig.sandbox.knobs().faults.push(Fault::new(FaultKind::Status(401, "{}".to_owned())).times(u32::MAX));
    press(&mut button, "refused");
    daemon.until("it cannot run", |daemon| (daemon.get("/readyz", "").0 == 503).then_some(()));
    press(&mut button, "not ready");
    rig.sandbox.knobs().faults.clear();
    press(&mut button, "well");
    press(&mut tried, "tried out");
    assert!(!button.paused && !tried.paused);
    // What Notion and Clockify may say some day, and nobody knows yet.
    let url = daemon.url("/hooks/notion/button/billing");
    for body in ["", "null", "{\"type\":\"made.up\"}", "{\"data\":{\"id\":7}}", "not JSON"] {
        let request = daemon.client.post(&url).header("X-Punchlist-Secret", secret("BUTTON")).body(body);
        let status = daemon.runtime.block_on(async { request.send().await.expect("an answer").status().as_u16() });
        assert_eq!(status, 200, "{body}");
    }
    let webhook = ClockifyWebhook::new(&daemon.url("/hooks/clockify/hours"), secret("HOURS"));
    assert_eq!(daemon.runtime.block_on(webhook.happen("MADE_UP", &json!({ "id": {} }))), Some(200));
}
