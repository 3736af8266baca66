//! The review as line prompts, for screen readers and scripts: what is said is said once, in order, and stays. Nothing
//! is redrawn, no cursor is moved, and no colour or place on the screen means anything.
//!
//! ```text
//! talk (a thread)  ─ lines ─▸ command ─▸ walk ─▸ show ─▸ standard output
//!                                         └─ decisions ─▸ state
//! ```

mod command;
mod progress;
mod show;
mod walk;

use std::{
    collections::BTreeSet,
    io::{self, IsTerminal},
    sync::Arc,
    time::Instant,
};

use jiff::tz::TimeZone;

use self::{
    command::Command,
    progress::PrintedProgress,
    walk::{Answer, Walk, of_changes},
};
use super::{
    failure::{Code, RunError},
    setup::{Global, Setup},
    stop,
    talk::Talk,
    text::{self, OVERRULED, Styling, overtaken_line},
};
use crate::{
    domain::{
        journal::RunId,
        model::PageId,
        plan::Plan,
        report::Stopped,
        review::{Approved, Tally},
    },
    edge::environment::Environment,
    engine::{
        run::{Beside, Installation},
        session::{Session, Sides},
    },
};

/// True where the review is to be held in line prompts: asked for by `--plain`, or by the configuration or `ACCESSIBLE`
/// where somebody can answer.
pub(super) fn is_wanted(global: &Global, setup: &Setup) -> bool {
    let accessible = || {
        let asked = Environment::of_process().get("ACCESSIBLE").is_some_and(|value| value != "0");
        (asked || setup.installation.settings.console.plain) && io::stdout().is_terminal() && io::stdin().is_terminal()
    };
    global.plain || accessible()
}

/// Reads both sides, asks about the changes one by one, and applies what is approved when told to.
pub(super) async fn review(global: Global, setup: Setup, undoes: Option<RunId>) -> Result<u8, RunError> {
    let started = Instant::now();
    let stop = stop::listening()?;
    let progress = PrintedProgress::new(global.quiet, global.verbose > 0);
    let trigger = if undoes.is_some() { "undo" } else { "review" };
    let installation = &setup.installation;
    let opened = installation.open(trigger, Beside::Refused, global.lock_patience(), stop.clone(), progress.watch());
    let mut runner = opened.await?;
    let mut talk = Talk::new(stop, "stopped; decisions are kept, and nothing was applied")?;
    if !global.quiet {
        talk.say("reading Notion and Clockify\n")?;
    }
    let styling = Styling { colour: false, ..global.styling() };
    let code = runner.run(trigger, async |session| {
        session.undoes = undoes;
        let (sides, plan) = session.fetch_and_plan().await?;
        let (plan, reading) = (Arc::new(plan), started.elapsed());
        talk.say(&show::totals(&plan))?;
        if plan.changes.is_empty() {
            if !plan.notices.is_empty() {
                talk.say(&show::notices(&plan))?;
            }
            session.close("reviewed").await?;
            return Ok(Code::Done.into());
        }
        let waiting = session.waiting().await?.len();
        if waiting > 0 {
            talk.say(&format!("Left for a person by earlier runs: {waiting}.\n"))?;
        }
        if !global.read_only {
            session.leave_waiting(&plan).await?;
        }
        // Others may run while somebody thinks.
        session.let_others_run().await?;
        let approved = loop {
            let deciding = decide(&mut talk, session, &sides, &plan, installation, styling, global.read_only);
            let Some(approved) = deciding.await? else { break None };
            match session.take_turn().await.map_err(RunError::from) {
                Ok(()) if approved.is_overruled(&session.remembered().await?) => {
                    session.let_others_run().await?;
                    talk.say(&format!("{OVERRULED}\n"))?;
                }
                Ok(()) => break Some(approved),
                Err(failure) if failure.code == Code::Locked => {
                    talk.say(&format!("{}: nothing was applied; P tries again\n", failure.text()))?;
                }
                Err(failure) => return Err(failure),
            }
        };
        if !global.read_only {
            session.give_up(None).await?;
        }
        let Some(approved) = approved else {
            session.close("reviewed").await?;
            return Ok(Code::Done.into());
        };
        progress.about_to_apply(&approved);
        // While somebody thinks, no run goes on.
        let applying = Instant::now();
        let (plan, stopped) = apply(&mut talk, session, sides, &plan, approved).await?;
        let report = session.finish(&plan, stopped, (reading + applying.elapsed()).as_secs_f64()).await?;
        talk.say(&text::report(&report, styling))?;
        Ok(report.outcome.code().into())
    });
    code.await
}

/// Goes through the changes until something is to be applied, or somebody leaves.
async fn decide(
    talk: &mut Talk,
    session: &mut Session<'_>,
    sides: &Sides,
    plan: &Arc<Plan>,
    installation: &Installation,
    styling: Styling,
    read_only: bool,
) -> Result<Option<Approved>, RunError> {
    let mut walk = Walk::new(session.decided(Arc::clone(plan), &installation.by).await?, styling);
    let tally = Tally::of(&walk.review);
    if tally.undecided < plan.changes.len() {
        talk.say(&format!("Decided before: {}.\n", tally.words()))?;
    }
    if !plan.notices.is_empty() {
        talk.say(&format!("{} to know of besides: N lists them.\n", notices(plan.notices.len())))?;
    }
    talk.say(&walk.here())?;
    let mut told = BTreeSet::new();
    let dated = |approved: &Approved, session: &Session<'_>| {
        text::dated_calls(&session.estimate(approved, sides), (installation.clock)(), &TimeZone::system())
    };
    loop {
        tell_who_is_on(talk, session, walk.client(), &mut told).await?;
        let Some(line) = talk.ask(&command::prompt(walk.offer())).await? else { break };
        let command = match command::parse(&line) {
            Ok(command) => command,
            Err(answer) => {
                talk.say(&format!("{answer}\n"))?;
                continue;
            }
        };
        let command = match command {
            Command::Quit => break,
            command if read_only && command.writes() => {
                talk.say("only looking (--read-only): nothing can be decided or applied\n")?;
                continue;
            }
            Command::Apply => match confirm(talk, &walk, dated(&walk.review.approved(), session)).await? {
                Some(approved) => return Ok(Some(approved)),
                None => continue,
            },
            Command::Flag(None) if walk.offer().change => {
                let Some(note) = talk.ask("a note on one line, or nothing > ").await? else { break };
                Command::Flag(Some(note.trim().to_owned()))
            }
            command => command,
        };
        let Answer { text, changed } = walk.act(command);
        // Kept before it is said: what was answered is never lost.
        let unworded = walk.review.unworded(&changed);
        let overtaken = session.keep(&unworded.said()).await?;
        if let Some((client, place)) = unworded.client().and_then(|client| plan.places.get_key_value(&client)) {
            session.reserve(*client, place.name.clone()).await?;
        }
        talk.say(&text)?;
        for lost in overtaken {
            if let Some(at) = walk.review.place(&lost.said.change) {
                walk.review.take_over(at, lost.stands.as_ref());
            }
            talk.say(&format!("{}\n", overtaken_line(&lost)))?;
        }
    }
    talk.say(&format!("Decisions are kept: {}. Nothing was applied.\n", Tally::of(&walk.review).words()))?;
    Ok(None)
}

/// Says once for each client who else is on it.
async fn tell_who_is_on(
    talk: &mut Talk,
    session: &Session<'_>,
    client: Option<PageId>,
    told: &mut BTreeSet<PageId>,
) -> Result<(), RunError> {
    let Some(client) = client.filter(|client| !told.contains(client)) else { return Ok(()) };
    for on in session.reservations().await?.iter().filter(|on| on.client == client && !session.is_own(on)) {
        told.insert(client);
        talk.say(&format!("{}\n", on.words()))?;
    }
    Ok(())
}

fn notices(count: usize) -> String {
    if count == 1 { "1 notice".to_owned() } else { format!("{count} notices") }
}

/// Says what would be written, and asks for a word that nobody types by accident.
async fn confirm(talk: &mut Talk, walk: &Walk, dated: Option<String>) -> Result<Option<Approved>, RunError> {
    let (approved, tally) = (walk.review.approved(), Tally::of(&walk.review));
    if approved.changes().is_empty() {
        talk.say(&format!("nothing to apply is approved yet: {}\n", tally.words()))?;
        return Ok(None);
    }
    talk.say(&show::confirmation(&approved, tally))?;
    if let Some(dated) = dated {
        talk.say(&format!("{dated}.\n"))?;
    }
    let (word, question) = match tally.closes {
        0 => ("yes".to_owned(), "type yes to apply, anything else to go back > ".to_owned()),
        closes => {
            let something =
                if closes == 1 { "1 of them closes something" } else { &format!("{closes} of them close something") };
            (closes.to_string(), format!("{something}: type that number to apply, anything else to go back > "))
        }
    };
    if talk.ask(&question).await?.is_some_and(|line| line.trim() == word) {
        return Ok(Some(approved));
    }
    talk.say("nothing was applied\n")?;
    Ok(None)
}

/// Applies, and says so when somebody asks to stop: the writes that are under way are waited for.
async fn apply(
    talk: &mut Talk,
    session: &mut Session<'_>,
    sides: Sides,
    plan: &Plan,
    approved: Approved,
) -> Result<(Plan, Stopped), RunError> {
    talk.say(&format!("applying {}\n", of_changes(approved.changes().len())))?;
    let applied = session.apply(sides, plan.clone(), approved);
    tokio::pin!(applied);
    tokio::select! {
        applied = &mut applied => return Ok(applied?),
        () = talk.stopped() => {}
    }
    talk.say("stopping after what is under way\n")?;
    Ok(applied.await?)
}
