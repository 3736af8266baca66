//! `punchlist logs`: what was done, by whom, why and how it went; copies of it; and whether it is all as it was
//! written.

pub(super) mod copy;
pub(super) mod list;

use std::{ops::ControlFlow, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum, builder::PossibleValue};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use strum::VariantArray;

use super::{
    failure::{Code, RunError},
    print::{say, say_json},
    setup::{Global, Setup},
    text,
};
use crate::{
    domain::{
        audit::{FORMAT, Findings, Level},
        journal::{Event, RunId, What},
        reference,
        text::Shown,
    },
    edge::store::{Entity, Entry, Selection, Toward},
    engine::state::State,
};

/// Runs that are listed when nobody asks for more.
const RUNS_MAX: usize = 50;

/// Which part of the log is meant.
#[derive(Args, Clone, Default)]
pub(super) struct Filter {
    /// From this time on: a date, a time as in 2026-11-23T12:00:00Z, or how long ago, e.g. 90m, 12h, 7d
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Of one run: its name, the beginning of it, or `last`
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// Of these kinds, e.g. intent,outcome
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    kind: Vec<String>,
    /// Of this level or above
    #[arg(long, value_name = "LEVEL")]
    level: Option<Level>,
    /// Only lines that contain this, whatever the case
    #[arg(long, value_name = "TEXT")]
    grep: Option<String>,
    /// About one page or object: its ID, its address, or its name
    #[arg(long, value_name = "WHAT")]
    about: Option<String>,
}

impl ValueEnum for Level {
    fn value_variants<'a>() -> &'a [Self] {
        Self::VARIANTS
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Form {
    /// Exact, and can be verified without the state
    Jsonl,
    /// For spreadsheets; texts are as they are shown
    Csv,
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Logs {
    #[command(subcommand)]
    what: Option<Command>,
    #[command(flatten)]
    filter: Filter,
}

#[derive(Subcommand)]
enum Command {
    /// List runs, or, with a filter that is about them, entries; with --about also who changed what, when and why
    List {
        #[command(flatten)]
        filter: Filter,
    },
    /// Show one run: its report and its entries
    Show {
        /// The name of the run, the beginning of it, or `last`
        #[arg(value_name = "RUN")]
        name: String,
        #[command(flatten)]
        filter: Filter,
    },
    /// Copy entries out
    Export {
        /// The form of the copy
        #[arg(long, value_name = "FORMAT", default_value = "jsonl")]
        format: Form,
        /// Where to; without it standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Replace a file that is there
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        filter: Filter,
    },
    /// Prove that the log, or a copy of it, is as it was written, or say where it is not
    Verify {
        /// A copy that `punchlist logs export` made; without it the log of the state
        file: Option<PathBuf>,
        /// The public key that signed it, as somebody noted it
        #[arg(long, value_name = "KEY")]
        public_key: Option<String>,
    },
}

/// Does what is asked of the log.
pub(super) async fn logs(global: &Global, logs: Logs) -> Result<u8, RunError> {
    let Logs { what, filter } = logs;
    let Setup { installation, .. } = &Setup::to_look_back(global).await?;
    let what = what.unwrap_or(Command::List { filter });
    if let Command::Verify { file: Some(file), public_key } = what {
        let checkpoints = installation.checkpoints();
        let kept = checkpoints.read(public_key.as_deref());
        let verified = copy::verify(&file, public_key.or(kept.ok().and_then(|kept| kept.key)))?;
        let found = checkpoints.looked_for(verified.verdict);
        return verdict(global, &format!("The copy {}", file.display()), &found, verified.key.as_deref());
    }
    let store = installation.read_state().await?;
    let view = LogView { global, store, now: (installation.clock)() };
    match what {
        Command::List { filter } => view.list(&filter).await,
        Command::Show { name, filter } => view.show(&name, filter).await,
        Command::Export { format, out, force, filter } => {
            let (selection, grep) = view.selection(&filter).await?;
            copy::export(
                &view.store,
                &installation.checkpoints(),
                &copy::ExportRequest { selection, grep, format },
                out.as_deref(),
                force,
            )
            .await?;
            Ok(Code::Done.into())
        }
        Command::Verify { file: _, public_key } => {
            let checkpoints = installation.checkpoints();
            let kept = checkpoints.read(public_key.as_deref())?;
            let mut found = checkpoints.looked_for(view.store.verify(&kept.checkpoints).await?);
            kept.findings.into_iter().for_each(|finding| found.find(finding));
            verdict(global, "The log", &found, kept.key.as_deref())
        }
    }
}

/// Says what verifying has shown.
fn verdict(global: &Global, what: &str, verdict: &Findings, key: Option<&str>) -> Result<u8, RunError> {
    let code = if verdict.is_sound() { Code::Done } else { Code::Error }.into();
    let Findings { entries, first, last, head, agreeing, vouched, left_out, findings, more } = verdict;
    let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
    if global.json {
        let document = serde_json::json!({
            "format": "punchlist/verify/1", "sound": verdict.is_sound(), "entries": entries, "first": first, "last": last,
            "head": head, "checkpoints": agreeing, "vouched": vouched, "left_out": left_out, "findings": told,
            "more": more, "public_key": key,
        });
        say_json(&document)?;
        return Ok(code);
    }
    let mut lines = vec![];
    let range = first.zip(*last).map(|(first, last)| format!(", {first} to {last}")).unwrap_or_default();
    if verdict.is_sound() {
        let left_out =
            if *left_out > 0 { format!(" It leaves {left_out} entries out on purpose.") } else { String::new() };
        lines.push(format!("{what} is as it was written: {entries} entries{range}.{left_out}"));
    } else {
        lines.push(format!("{what} is NOT as it was written: {entries} entries{range}."));
        lines.extend(told.iter().map(|finding| format!("  {finding}")));
        if *more > 0 {
            lines.push(format!("  and {more} more"));
        }
        lines.push(
            " hint: a copy of the state that was put back, or two programs on copies of it, look like this too"
                .to_owned(),
        );
    }
    let after = last.unwrap_or(*vouched).saturating_sub(*vouched);
    lines.push(format!("{agreeing} checkpoints agree with it; {after} entries came after the last of them."));
    lines.push(format!("head {head}"));
    if let Some(key) = key {
        lines.push(format!("public key {}", Shown::of(key)));
    }
    say(&(lines.join("\n") + "\n"))?;
    Ok(code)
}

/// Looks at the log of a state.
struct LogView<'a> {
    global: &'a Global,
    store: State,
    /// What `since` and `until` go back from.
    now: Timestamp,
}

impl LogView<'_> {
    async fn selection(&self, filter: &Filter) -> Result<(Selection, Option<String>), RunError> {
        selection(&self.store, filter, self.now).await
    }

    async fn run(&self, name: &str) -> Result<RunId, RunError> {
        run_named(&self.store, name).await
    }

    /// Visits entries with their lines, as far as these contain what is looked for.
    async fn each(
        &self,
        selection: &Selection,
        grep: Option<&str>,
        visit: &mut dyn FnMut(Entry, Timestamp, String) -> ControlFlow<()>,
    ) -> Result<(), RunError> {
        Ok(self
            .store
            .visit_log(selection, Toward::End(0), async |entry| {
                let (at, line) = line(&self.store, &entry).await;
                if grep
                    .is_none_or(|grep| line.to_lowercase().contains(grep) || entry.body.to_lowercase().contains(grep))
                {
                    return visit(entry, at, line);
                }
                ControlFlow::Continue(())
            })
            .await?)
    }
}

/// What a filter selects, and what its lines must contain.
async fn selection(store: &State, filter: &Filter, now: Timestamp) -> Result<(Selection, Option<String>), RunError> {
    let Filter { since, until, run, kind, level, grep, about } = filter;
    let time = |text: &Option<String>| text.as_deref().map(|text| time(text, now)).transpose();
    let kinds = kind.iter().map(|kind| {
        What::WORDS.iter().copied().find(|word| word == kind).ok_or_else(|| {
            RunError::new(Code::Usage, format!("there is no kind of entry `{}`", Shown::of(kind)))
                .hint(format!("there are {}", What::WORDS.join(", ")))
        })
    });
    let selection = Selection {
        run: match run {
            Some(run) => Some(run_named(store, run).await?),
            None => None,
        },
        about: match about {
            Some(about) => Some(entity(store, about).await?),
            None => None,
        },
        kinds: kinds.collect::<Result<_, _>>()?,
        level: *level,
        since: time(since)?,
        until: time(until)?,
        holding: grep.iter().map(|grep| grep.to_lowercase()).collect(),
    };
    let grep = selection.holding.first().cloned();
    Ok((selection, grep))
}

/// The run with a name, or the only one whose name begins so.
async fn run_named(store: &State, name: &str) -> Result<RunId, RunError> {
    let runs = store.runs(if name == "last" { 1 } else { usize::MAX }).await?;
    let mut found = runs.into_iter().map(|run| run.id).filter(|id| name == "last" || id.as_str().starts_with(name));
    let missing = || {
        RunError::new(Code::Usage, format!("there is no run `{}`", Shown::of(name)))
            .hint("`punchlist logs list` lists them")
    };
    let first = found.next().ok_or_else(missing)?;
    match found.next() {
        Some(second) if second.as_str() != name && first.as_str() != name => {
            let error = format!("several runs begin with `{}`, such as {first} and {second}", Shown::of(name));
            Err(RunError::new(Code::Usage, error).hint("give more of its name"))
        }
        _ => Ok(first),
    }
}

/// What a line of words selects, as in `level:warn kind:intent acme`, and the words that are none of these.
pub(crate) async fn selection_of(store: &State, words: &str, now: Timestamp) -> Result<(Selection, String), RunError> {
    let (mut filter, mut rest) = (Filter::default(), Vec::new());
    for word in words.split_whitespace() {
        match word.split_once(':').filter(|(_, value)| !value.is_empty()) {
            Some(("since", time)) => filter.since = Some(time.to_owned()),
            Some(("until", time)) => filter.until = Some(time.to_owned()),
            Some(("run", run)) => filter.run = Some(run.to_owned()),
            Some(("kind", kinds)) => filter.kind = kinds.split(',').map(str::to_owned).collect(),
            Some(("level", level)) => {
                let level = Level::from_str(level, true);
                let wrong = |_| RunError::new(Code::Usage, "there are the levels debug, info, warn and error");
                filter.level = Some(level.map_err(wrong)?);
            }
            Some(("about", about)) => filter.about = Some(about.to_owned()),
            _ => rest.push(word),
        }
    }
    let (selection, _) = selection(store, &filter, now).await?;
    Ok((selection, rest.join(" ")))
}

/// When an entry was made, and what it says, with what it is about.
pub(crate) async fn line(store: &State, entry: &Entry) -> (Timestamp, String) {
    let event = entry.event().ok();
    // What cannot be found is left out of the line; verifying tells why.
    let context: Option<Event> = match event {
        Some(event) => store.log_context(&event).await.ok().flatten(),
        None => None,
    };
    text::line_of(&entry.body, context.as_ref())
}

/// The page or object that somebody means: by ID, address or name.
pub(super) async fn entity(store: &State, what: &str) -> Result<Entity, RunError> {
    let what = what.trim();
    let (page, object) = (reference::page(what), reference::object(what));
    if page.is_some() || object.is_some() {
        return Ok(store.entity(page, object).await?);
    }
    let mut named = store.entities_named(what).await?;
    match (named.pop(), named.len()) {
        (None, _) => Err(RunError::new(Code::Usage, format!("the log knows nothing named “{}”", Shown::of(what)))
            .hint("look for a part of its name with --grep, or give the ID or address of its page or object")),
        (Some(only), 0) => Ok(only),
        (Some(one), more) => {
            let shown = |entity: &Entity| {
                let page = entity.pages.first().map(ToString::to_string).unwrap_or_default();
                format!("“{}” {page}", entity.name.shown().clipped(60))
            };
            let list: Vec<String> = named.iter().chain([&one]).take(10).map(shown).collect();
            Err(RunError::new(Code::Usage, format!("{} pages are named so: {}", more + 1, list.join(", ")))
                .hint("give the ID of the one that is meant"))
        }
    }
}

/// A time: a date, an instant, or how long ago.
fn time(text: &str, now: Timestamp) -> Result<Timestamp, RunError> {
    let text = text.trim();
    let ago = || {
        let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let count: i64 = digits.parse().ok()?;
        let seconds = match unit {
            "m" => 60,
            "h" => 60 * 60,
            "d" => 24 * 60 * 60,
            "w" => 7 * 24 * 60 * 60,
            _ => return None,
        };
        now.checked_sub(SignedDuration::from_secs(count.checked_mul(seconds)?)).ok()
    };
    let instant = || text.parse::<Timestamp>().ok();
    let date = || text.parse::<Date>().ok()?.to_zoned(TimeZone::system()).ok().map(|zoned| zoned.timestamp());
    instant().or_else(date).or_else(ago).ok_or_else(|| {
        RunError::new(Code::Usage, format!("`{}` is no time", Shown::of(text)))
            .hint("give a date (2026-11-23), a time (2026-11-23T12:00:00Z), or how long ago (90m, 12h, 7d)")
    })
}
