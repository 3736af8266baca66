//! A check-up: everything that a run needs, looked at by the same ways as a run goes, and told all at once. It changes
//! nothing, neither here nor at a service; what it asked for is in the log.
//!
//! ```text
//! configuration ─ secrets ─┬─ Notion:   who, what is shared, where the rows are ─┐
//!                          └─ Clockify: who, which rights, which plan ───────────┼─ both sides, as a plan sees them
//! state ─────────────────────────────────────────────────────────────────────────┘
//! ```

mod deliveries;
mod fault;
mod home;
mod sides;

use std::{collections::BTreeMap, time::Duration};

use self::fault::{check_of, code_of};
use super::{Installation, Runner, keep_requests};
use crate::{
    domain::{
        checkup::{Check, CheckCode, Checkup, clock, data, secret},
        journal::RunId,
        plan::{Calls, sha256},
        rules::IdStrategy,
        text::Shown,
    },
    edge::{
        config::{ConfigError, PartialConfig, Problem},
        origin::Origin,
        secrets::{self, Readings, SecretReference},
        store::Store,
    },
    engine::{
        connect::{Clients, Connection, Earlier},
        failure::RunError,
        session::{Established, Session, SessionError, Turn, Watch, exchange_events},
        stop::Stop,
    },
};

/// What was found so far: as checks, and as what a run would end with.
#[derive(Default)]
struct Gathered {
    checks: Vec<Check>,
    faults: Vec<RunError>,
}

impl Gathered {
    fn add(&mut self, check: Check) {
        self.checks.push(check);
    }

    /// Adds what a run would end with.
    fn fault(&mut self, code: CheckCode, error: RunError, places: &BTreeMap<String, Origin>) {
        self.checks.push(check_of(code, &error, places));
        self.faults.push(error);
    }

    /// Adds what a session would end with.
    fn failed(&mut self, error: SessionError, places: &BTreeMap<String, Origin>) {
        if let SessionError::Several(errors) = error {
            for error in errors {
                self.failed(error, places);
            }
        } else if let Some(code) = code_of(&error) {
            self.fault(code, error.into(), places);
        }
    }

    fn has(&self, code: CheckCode) -> bool {
        self.checks.iter().any(|check| check.code == code)
    }

    fn join(&mut self, other: Self) {
        self.checks.extend(other.checks);
        self.faults.extend(other.faults);
    }
}

impl Installation {
    /// Looks at everything, and says how it is. `config` is the configuration that this installation has, as far as it
    /// could be read.
    ///
    /// # Errors
    /// Where somebody asked for a stop.
    pub async fn check_up(&self, config: &PartialConfig, stop: Stop, watch: Watch) -> Result<Checkup, RunError> {
        let mut found = Gathered::default();
        self.check_configuration(config, &mut found);
        let is_readable = config.of_file.is_empty();
        // Where it is when the configuration cannot be read, nobody knows.
        let store = if is_readable || self.settings.state_dir.is_some() || self.settings.state_url.is_some() {
            self.look_home(&mut found).await
        } else {
            None
        };
        if is_readable {
            let turn = Turn {
                trigger: "doctor",
                by: self.by.clone(),
                patience: Duration::ZERO,
                clock: self.clock,
                stop,
                watch,
            };
            let work = self.check_services(config, store, &turn, &mut found);
            tokio::select! {
                () = work => {}
                () = turn.stop.wait() => return Err(SessionError::Stopped("stopped while looking; nothing was written").into()),
            }
        }
        Ok(Checkup::of(found.checks))
    }

    /// The secrets, the services, and what both sides show.
    async fn check_services(&self, config: &PartialConfig, store: Option<Store>, turn: &Turn, found: &mut Gathered) {
        let readings = Readings::default();
        let earlier = match &store {
            Some(store) => self.earlier(store).await.unwrap_or_default(),
            None => Earlier::default(),
        };
        let clients =
            Clients::new(&self.settings, &self.environment, self.clock, &earlier, &turn.watch, &readings).await;
        self.check_secrets(&clients, &readings, found).await;
        // A token goes nowhere while it is in doubt where that is.
        let is_told = |service: &str| !config.of_keys.iter().any(|problem| concerns(problem, service));
        let mut clients = clients;
        clients.notion = clients.notion.filter(|_| is_told("notion"));
        clients.clockify = clients.clockify.filter(|_| is_told("clockify"));
        let sides = self.check_sides(&clients, store.as_ref(), found).await;
        self.check_deliveries(&clients, &sides, &readings, found).await;
        let ahead = sides::ahead(&clients, (self.clock)());
        if !ahead.is_empty() {
            found.add(clock(&ahead));
        }
        let is_meant = ["mapping", "rules", "brakes"].into_iter().all(is_told);
        let exchanges = clients.exchanges.clone();
        let (Some(mut store), Ok(connection)) = (store, Connection::of(&self.settings, clients)) else { return };
        let run = RunId::beginning((self.clock)());
        let (record, begins) = self.beginning(&run, turn.trigger, sha256(&connection.rules), (self.clock)());
        let mut session = Runner::session(&connection, &mut store, turn, run, &self.settings);
        let mut told = vec![begins];
        told.extend(readings.take());
        if session.store.begin_run(&record).await.is_err() || session.tell(told).await.is_err() {
            return;
        }
        if let (Some(established), true) = (sides.established(), is_meant) {
            self.check_data(&mut session, established, found).await;
        }
        // As a run that was refused: what it asked for counts towards the budget of the hour.
        let asked = exchange_events(&run, exchanges.take());
        drop(session.store.append_all(&asked).await);
        drop(session.close("checked").await);
        self.keep_looking(&store, &run, found).await;
    }

    /// Keeps that there was a check-up, and what it asked for, where there is a state that is well.
    async fn keep_looking(&self, copy: &Store, run: &RunId, found: &Gathered) {
        let is_well =
            |code: CheckCode| found.checks.iter().filter(|check| check.code == code).all(|check| check.mend.is_none());
        if !Store::exists(&self.place()) || !is_well(CheckCode::State) || !is_well(CheckCode::Permissions) {
            return;
        }
        if let Ok(mut original) = Store::open(&self.place(), (self.clock)()).await {
            drop(keep_requests(&mut original, copy, run).await);
        }
    }

    /// What both sides show, by a plan that is made and thrown away, and whether pages may be written.
    async fn check_data(&self, session: &mut Session<'_>, established: Established, found: &mut Gathered) {
        let planned = async {
            let mut sides = session.fetch_from(established).await?;
            let plan = session.plan(&mut sides).await?;
            Ok::<_, SessionError>((sides, plan))
        };
        let (sides, plan) = match planned.await {
            Ok(planned) => planned,
            Err(error) => return found.failed(error, &self.settings.places),
        };
        if self.settings.rules.id_strategy == IdStrategy::Local {
            found.add(Check::ok(CheckCode::NotionRights, "with local IDs Notion is never written"));
        } else {
            sides::check_notion_rights(session.notion, &sides, &self.settings.places, found).await;
        }
        let calls = Calls { notion: session.notion.http().calls(), clockify: session.clockify.http().calls() };
        for check in data(&plan, &sides.snapshots, calls) {
            found.add(check);
        }
    }

    fn check_configuration(&self, config: &PartialConfig, found: &mut Gathered) {
        for (code, problems) in [(CheckCode::Configuration, &config.of_file), (CheckCode::Keys, &config.of_keys)] {
            for problem in problems {
                found.add(Check::fail(code, problem.text.clone(), CORRECT).at(fault::place(&problem.place)));
            }
        }
        if !config.of_file.is_empty() {
            return;
        }
        let file = config.settings.file.as_ref().map(|file| file.display().to_string());
        let text = match &file {
            Some(file) if config.has_file => format!("{file} can be read"),
            Some(file) => format!("there is no {file}: all of it comes from the environment and flags"),
            None => "all of it comes from the environment and flags".to_owned(),
        };
        found.add(Check::ok(CheckCode::Configuration, text));
        if let Err(missing) = config.settings.require_endpoints() {
            for problem in missing.problems() {
                let mend = "`punchlist init` asks for what is missing; or to look around first: `punchlist --demo`";
                found.add(Check::fail(CheckCode::Keys, problem.text.clone(), mend).at(fault::place(&problem.place)));
            }
            found.faults.push(missing.into());
        }
        if !found.has(CheckCode::Keys) {
            let text = format!("{} keys are set, and all of them are known", config.settings.given.len());
            found.add(Check::ok(CheckCode::Keys, text));
        }
        self.check_programs(found);
    }

    /// Whether the programs exist that are configured.
    fn check_programs(&self, found: &mut Gathered) {
        let notify = &self.settings.notify;
        let console = &self.settings.console;
        let commands = [
            ("notify.command", notify.command.as_ref()),
            ("notify.email.command", notify.email.as_ref().map(|email| &email.command)),
            ("console.copy_command", console.copy_command.as_ref()),
            ("console.open_command", console.open_command.as_ref()),
        ];
        let named = commands.into_iter().filter_map(|(key, command)| Some((key, command?.first()?)));
        let (there, missing): (Vec<_>, Vec<_>) = named.partition(|(_, program)| self.environment.has_program(program));
        for (key, program) in missing {
            let text = format!("{key} is `{}`, and there is no such program", secrets::named(program));
            let place = fault::place_of(key, &self.settings.places);
            let mend = format!("install it, or set {key} to the absolute path of a program");
            found.add(Check::warn(CheckCode::Programs, text, mend).at(place));
        }
        if !found.has(CheckCode::Programs) {
            let text = match there.len() {
                0 => "no other program is configured".to_owned(),
                1 => "the program that is configured exists".to_owned(),
                count => format!("the {count} programs that are configured exist"),
            };
            found.add(Check::ok(CheckCode::Programs, text));
        }
    }

    async fn check_secrets(&self, clients: &Clients, readings: &Readings, found: &mut Gathered) {
        for (code, error) in &clients.faults {
            found.fault(*code, error.clone(), &self.settings.places);
        }
        let days = |reference: &SecretReference| {
            let written = reference.written(&self.environment)?;
            Some(((self.clock)().duration_since(written).as_hours() / 24).max(0))
        };
        let read = |code, key: &str, reference: &SecretReference| {
            secret(code, key, &reference.to_string(), days(reference)).at(fault::place(reference.place()))
        };
        let tokens = [
            (CheckCode::NotionToken, "notion.token", &self.settings.notion.token),
            (CheckCode::ClockifyToken, "clockify.token", &self.settings.clockify.token),
        ];
        for (code, key, reference) in tokens {
            if let Some(reference) = reference.as_ref().filter(|_| !found.has(code)) {
                found.add(read(code, key, reference));
            }
        }
        let code = CheckCode::NotifyWebhook;
        let Some(reference) = &self.settings.notify.webhook else {
            return found.add(Check::ok(code, "no webhook is told of runs"));
        };
        match secrets::resolve(reference, &self.environment, readings).await {
            Ok(_) => found.add(read(code, "notify.webhook", reference)),
            // A run goes on without it.
            Err(error) => {
                let error = RunError::from(error);
                let hints: Vec<&str> = error.hints.iter().map(Shown::as_str).collect();
                found.add(Check::warn(code, error.error.clone(), hints.join("; ")).at(fault::place(reference.place())));
            }
        }
    }

    /// All that is wrong where a run cannot begin, as one failure: what is not configured, the secrets, and what the
    /// services say to those of them that can be asked.
    pub(super) async fn everything_wrong(
        &self,
        clients: &Clients,
        missing: Option<ConfigError>,
        store: Option<&Store>,
    ) -> RunError {
        let mut found = Gathered::default();
        found.faults.extend(missing.map(RunError::from));
        found.faults.extend(clients.faults.iter().map(|(_, error)| error.clone()));
        self.check_sides(clients, store, &mut found).await;
        RunError::several(found.faults)
    }

    /// The failure of an installation that is not configured as a whole, with all else that is wrong: nobody has to
    /// mend one thing to hear of the next.
    pub async fn unconfigured(&self, missing: ConfigError) -> RunError {
        let state = Store::open_copy(&self.place()).await;
        let (store, unusable) = match state {
            Ok((store, _)) => (Some(store), None),
            Err(error) => (None, Some(RunError::from(error))),
        };
        let earlier = match &store {
            Some(store) => self.earlier(store).await.unwrap_or_default(),
            None => Earlier::default(),
        };
        let silent: Watch = std::sync::Arc::new(|_| {});
        let clients =
            Clients::new(&self.settings, &self.environment, self.clock, &earlier, &silent, &Readings::default()).await;
        let wrong = self.everything_wrong(&clients, Some(missing), store.as_ref()).await;
        RunError::several(std::iter::once(wrong).chain(unusable))
    }

    /// Mends what is safe to mend on this machine, and says what it did; what cannot be mended is told by the check-up.
    pub async fn mend(&self) -> Vec<Shown> {
        let tokens = [&self.settings.notion.token, &self.settings.clockify.token, &self.settings.notify.webhook];
        let mut mended: Vec<String> =
            tokens.into_iter().flatten().filter_map(|reference| reference.close(&self.environment)).collect();
        mended.extend(home::mend(self).await);
        mended.iter().map(|text| Shown::of(text)).collect()
    }
}

/// True where a problem is about a key of this section, or one that is spelled nearly so.
fn concerns(problem: &Problem, section: &str) -> bool {
    problem.text.as_str().contains(&format!("`{section}."))
}

/// What mends a problem of the configuration, which says itself what the key takes.
const CORRECT: &str = "correct it there; `punchlist man --keys` documents every key";
