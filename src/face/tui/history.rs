//! What is found at of the past: through a door of its own, which needs no lock, so that it works while the worker is
//! busy, or another process is. It never holds the screen up.

use std::{ops::ControlFlow, sync::Arc};

use jiff::Timestamp;
use tokio::{
    runtime::Handle,
    sync::{Mutex, mpsc::UnboundedSender},
};

use super::{
    effect::Page,
    news::News,
    state::window::{Answer, Ask, FETCHED, LOOKED_THROUGH_MAX, Line, Logs, Question, Seeker},
};
use crate::{
    domain::{audit::Envelope, hours::document::Document, text::Shown},
    edge::{
        checkpoints::Checkpoints,
        saved,
        store::{Place, Selection, Toward},
    },
    engine::{served::ask_for_run, state::State},
    face::{
        failure::{Code, RunError},
        hours::{self, FileType},
        logs::{
            self, Form,
            copy::{self, ExportRequest},
            list::{alterations, who},
        },
        text,
    },
};

/// Runs that are listed.
const RUNS_MAX: usize = 2000;

/// The past of one state.
#[derive(Clone)]
pub(super) struct History {
    place: Place,
    checkpoints: Checkpoints,
    clock: fn() -> Timestamp,
    /// Opened when it is first found at.
    store: Arc<Mutex<Option<State>>>,
}

impl History {
    pub(super) fn of(place: Place, checkpoints: Checkpoints, clock: fn() -> Timestamp) -> Self {
        Self { place, checkpoints, clock, store: Arc::default() }
    }

    /// Looks at a page, and tells what is there.
    pub(super) fn read_history(&self, page: Page, news: UnboundedSender<News>) {
        let (history, runtime) = (self.clone(), Handle::current());
        tokio::task::spawn_blocking(move || drop(news.send(runtime.block_on(history.read(page)))));
    }

    async fn read(&self, page: Page) -> News {
        let mut store = self.store.lock().await;
        let said = |failure: &RunError| Shown::from(failure.to_string().replace('\n', ";"));
        let number = if let Page::Log(Question { number, .. }) = &page { Some(*number) } else { None };
        let read = async {
            let opened = match store.take() {
                Some(store) => store,
                None => State::read_only(&self.place).await?,
            };
            let news = match page {
                Page::Runs => {
                    async {
                        let daemon = opened.daemon(&self.place).await?;
                        Ok(News::Runs(opened.runs(RUNS_MAX).await?, daemon.map(Box::new)))
                    }
                    .await
                }
                Page::RunNow(by) => {
                    let asked = ask_for_run(&self.place, &by, (self.clock)()).await;
                    asked.map(|()| News::Said("the daemon is asked for a run".into()))
                }
                Page::Log(question) => {
                    answer(&opened, question, (self.clock)()).await.map(|answer| News::Log(Box::new(answer)))
                }
                Page::Export(filter) => self.export(&opened, &filter).await.map(News::Said),
                Page::SaveHours(document, as_what) => self.save_hours(&document, as_what).map(News::Said),
            };
            // A state that was missing may be there by now, so only one that has been read is kept open.
            *store = Some(opened).filter(|store| store.is_there());
            news
        };
        read.await.unwrap_or_else(|failure| match number {
            Some(number) => News::NoLog { number, because: said(&failure) },
            None => News::Said(said(&failure)),
        })
    }

    /// Saves hours beside where the console was started.
    fn save_hours(&self, document: &Document, as_what: FileType) -> Result<Shown, RunError> {
        let period = hours::period_of(document).replace(' ', "-");
        let name =
            format!("punchlist-hours-{period}-{}.{}", (self.clock)().strftime("%Y%m%dT%H%M%SZ"), as_what.ending());
        let out = std::path::absolute(&name).unwrap_or_else(|_| name.clone().into());
        saved::save(&out, &as_what.of(document)?)
            .map_err(|error| RunError::new(Code::Error, format!("failed to write {}: {error}", out.display())))?;
        Ok(format!("saved as {}", out.display()).into())
    }

    /// Saves what a filter selects beside where the console was started.
    async fn export(&self, store: &State, filter: &str) -> Result<Shown, RunError> {
        let (mut selection, text) = logs::selection_of(store, filter, (self.clock)()).await?;
        let grep = Some(text.to_lowercase()).filter(|text| !text.is_empty());
        selection.holding = grep.iter().cloned().collect();
        let name = format!("punchlist-log-{}.jsonl", (self.clock)().strftime("%Y%m%dT%H%M%SZ"));
        let out = std::path::absolute(&name).unwrap_or_else(|_| name.clone().into());
        copy::export(
            store,
            &self.checkpoints,
            &ExportRequest { selection, grep, format: Form::Jsonl },
            Some(&out),
            false,
        )
        .await?;
        Ok(format!("saved as {}", out.display()).into())
    }
}

/// Answers a question to the log.
pub(super) async fn answer(store: &State, question: Question, now: Timestamp) -> Result<Answer, RunError> {
    let (mut selection, text) = logs::selection_of(store, &Logs::meant(&question.filter), now).await?;
    let mut seeker = Seeker::new(&text);
    let exact = Selection { holding: seeker.words.clone(), ..selection.clone() };
    // Words that are there as they are, are meant so, and those are found at once wherever they are.
    if has_any(store, &exact, &seeker).await? {
        (selection, seeker.is_exact) = (exact, true);
    }
    let toward = match question.ask {
        Ask::First => Toward::End(0),
        Ask::Last => Toward::Beginning(u64::MAX),
        Ask::Older(n) => Toward::Beginning(n.saturating_sub(1)),
        Ask::Newer(n) => Toward::End(n + 1),
    };
    let (mut lines, mut reached, mut seen, mut more) = (Vec::new(), None, 0, false);
    store
        .visit_log(&selection, toward, async |entry| {
            if lines.len() == FETCHED || seen == LOOKED_THROUGH_MAX {
                more = true;
                return ControlFlow::Break(());
            }
            (reached, seen) = (Some(entry.n), seen + 1);
            let (at, line) = logs::line(store, &entry).await;
            let envelope: Option<Envelope> = serde_json::from_str(&entry.body).ok();
            if text.is_empty() || seeker.fits(&sought(&line, envelope.as_ref())) {
                let run = envelope.map(|envelope| envelope.run);
                let (n, level, page, change) = (entry.n, entry.level, entry.page, entry.change);
                lines.push(Line { n, at, level, text: line.into(), body: entry.body, run, page, change });
            }
            ControlFlow::Continue(())
        })
        .await?;
    if matches!(toward, Toward::Beginning(_)) {
        lines.reverse();
    }
    let (about, changed) = match question.ask {
        Ask::First | Ask::Last => history(store, &selection).await?,
        Ask::Older(_) | Ask::Newer(_) => Default::default(),
    };
    let bounds = store.log_bounds().await?;
    let (entries, last) = bounds.map_or((0, 0), |(first, last)| (last - first + 1, last));
    Ok(Answer { question, lines, reached, more, about, changed, entries, last })
}

/// What of an entry is looked through: its line, and the word for what happened.
fn sought(line: &str, envelope: Option<&Envelope>) -> String {
    format!("{line} {}", envelope.map_or("", |envelope| envelope.event.as_str()))
}

/// True where an entry has all words of a seeker as they are.
async fn has_any(store: &State, exact: &Selection, seeker: &Seeker) -> Result<bool, RunError> {
    let (mut has_any, mut seen) = (false, 0);
    if exact.holding.is_empty() {
        return Ok(false);
    }
    store
        .visit_log(exact, Toward::Beginning(u64::MAX), async |entry| {
            let (_, line) = logs::line(store, &entry).await;
            has_any = seeker.has_words(&sought(&line, serde_json::from_str(&entry.body).ok().as_ref()));
            seen += 1;
            if has_any || seen == LOOKED_THROUGH_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .await?;
    Ok(has_any)
}

/// What a selection is about, and who changed it, when, from what to what and why, a line each.
async fn history(store: &State, selection: &Selection) -> Result<(Shown, Vec<Shown>), RunError> {
    let Some(entity) = &selection.about else { return Ok(Default::default()) };
    let kind = entity.kind.map(|kind| format!("{kind} ")).unwrap_or_default();
    let about = format!("{kind}“{}”", entity.name.shown().clipped(40)).into();
    let whole = Selection { about: Some(entity.clone()), ..Selection::default() };
    let changed = alterations(store, &whole).await?.into_iter().map(|alteration| {
        let change = |(field, from, to): &(_, _, _)| text::event_from_to(alteration.kind, *field, from, to);
        let what: Vec<String> = alteration.fields.iter().map(change).collect();
        let what = if what.is_empty() { alteration.verb.to_string() } else { what.join(", ") };
        let why = alteration.reasons.first().map(|why| format!(": {}", Shown::of(why))).unwrap_or_default();
        format!("{}  {what}  {}{why}", text::when(alteration.at), who(&alteration)).into()
    });
    Ok((about, changed.collect()))
}
