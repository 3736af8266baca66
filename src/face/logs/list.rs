//! Runs, one of them, and entries, for people and as JSON.

use std::ops::ControlFlow;

use jiff::Timestamp;

use super::{FORMAT, Filter, LogView, RUNS_MAX};
use crate::{
    domain::{
        audit::{Alteration, history},
        journal::{Event, RunId},
        model::Service,
        report::{Report, replay},
        text::Shown,
    },
    edge::store::{Entry, RunRecord, Selection, Toward},
    engine::state::State,
    face::{
        failure::{Code, RunError},
        print::{say, say_json},
        text::{self, outcome_words, when},
    },
};

impl LogView<'_> {
    /// Runs, or, with a filter that is about them, entries.
    pub(super) async fn list(&self, filter: &Filter) -> Result<u8, RunError> {
        let Filter { run, kind, level, grep, about, .. } = filter;
        if run.is_some() || !kind.is_empty() || level.is_some() || grep.is_some() || about.is_some() {
            return self.entries(filter, None).await;
        }
        let (Selection { since, until, .. }, _) = self.selection(filter).await?;
        let limit = if since.is_some() || until.is_some() { usize::MAX } else { RUNS_MAX };
        let mut runs = self.store.runs(limit).await?;
        runs.retain(|run| {
            since.is_none_or(|since| run.started >= since) && until.is_none_or(|until| run.started < until)
        });
        if self.global.json {
            let runs: Vec<_> = runs.iter().map(run_json).collect();
            return print(&serde_json::json!({ "format": FORMAT, "runs": runs }));
        }
        if runs.is_empty() {
            say("There are no runs in the log.\n")?;
        }
        for run in &runs {
            say(&format!("{}\n", run_line(run)))?;
        }
        Ok(Code::Done.into())
    }

    /// One run: its report, then its entries.
    pub(super) async fn show(&self, run: &str, filter: Filter) -> Result<u8, RunError> {
        let id = self.run(run).await?;
        let record = self.store.runs(usize::MAX).await?.into_iter().find(|run| run.id == id);
        self.entries(&Filter { run: Some(id.to_string()), ..filter }, record.as_ref()).await
    }

    async fn entries(&self, filter: &Filter, run: Option<&RunRecord>) -> Result<u8, RunError> {
        let (selection, grep) = self.selection(filter).await?;
        let alterations = match &selection.about {
            Some(_) => self.alterations(&selection).await?,
            None => Vec::new(),
        };
        if self.global.json {
            let mut entries = Vec::new();
            self.each(&selection, grep.as_deref(), &mut |entry, _, line| {
                entries.push(entry_json(&entry, &line));
                ControlFlow::Continue(())
            })
            .await?;
            let mut document = serde_json::json!({ "format": FORMAT, "entries": entries });
            if let Some(run) = run {
                document["run"] = run_json(run);
            }
            if selection.about.is_some() {
                document["changed"] = alterations.iter().map(alteration_json).collect();
            }
            return print(&document);
        }
        if let Some(run) = run {
            say(&format!("{}\n", run_line(run)))?;
            // From the events themselves, and not from what was printed then.
            if let Some(report) = replay(&self.store.events(&run.id).await?) {
                say(&text::report(&report, self.global.styling()))?;
            }
            say("\n")?;
        }
        if let Some(entity) = &selection.about {
            let kind = entity.kind.map(|kind| format!("{kind} ")).unwrap_or_default();
            let ids =
                entity.pages.iter().map(ToString::to_string).chain(entity.objects.iter().map(ToString::to_string));
            say(&format!("{kind}“{}” ({})\n\n", entity.name.shown().clipped(80), ids.collect::<Vec<_>>().join(", ")))?;
            let told: Vec<String> = alterations.iter().map(alteration).collect();
            let nothing = "Nothing of it was ever written.\n".to_owned();
            say(&if told.is_empty() { nothing } else { told.join("\n") })?;
            say("\nEverything about it:\n")?;
        }
        let mut said = Ok(());
        let mut count = 0;
        self.each(&selection, grep.as_deref(), &mut |entry, at, line| {
            count += 1;
            let mut told = format!("{:>8}  {}  {:<5}  {line}\n", entry.n, when(at), entry.level.word());
            if self.global.verbose > 0 {
                let fields = text::everything(&entry.body).into_iter();
                told.extend(fields.map(|(name, value)| format!("          {name:<24}  {value}\n")));
            }
            said = say(&told);
            if said.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .await?;
        said?;
        if count == 0 {
            say("No entry of the log is like that.\n")?;
        }
        Ok(Code::Done.into())
    }

    /// The writes about what is selected.
    async fn alterations(&self, selection: &Selection) -> Result<Vec<Alteration>, RunError> {
        let wanted = Selection {
            kinds: std::collections::BTreeSet::new(),
            level: None,
            holding: Vec::new(),
            ..selection.clone()
        };
        alterations(&self.store, &wanted).await
    }
}

/// The writes among the selected entries, with who started their runs.
pub(crate) async fn alterations(store: &State, selection: &Selection) -> Result<Vec<Alteration>, RunError> {
    let mut events: Vec<(u64, Event)> = Vec::new();
    store
        .visit_log(selection, Toward::End(0), async |entry| {
            events.extend(entry.event().ok().map(|event| (entry.n, event)));
            ControlFlow::Continue(())
        })
        .await?;
    let runs: std::collections::BTreeSet<RunId> = events.iter().map(|(_, event)| event.run).collect();
    let mut started: Vec<(u64, Event)> = Vec::new();
    for run in runs {
        let first = Selection { run: Some(run), kinds: ["run_started"].into(), ..Selection::default() };
        store
            .visit_log(&first, Toward::End(0), async |entry| {
                started.extend(entry.event().ok().map(|event| (entry.n, event)));
                ControlFlow::Break(())
            })
            .await?;
    }
    started.extend(events);
    Ok(history(started.iter().map(|(n, event)| (*n, event))))
}

fn print(document: &serde_json::Value) -> Result<u8, RunError> {
    say_json(document)?;
    Ok(Code::Done.into())
}

/// A run on one line.
fn run_line(run: &RunRecord) -> String {
    let RunRecord { id, trigger, by, started, end, .. } = run;
    let (by, trigger) = (Shown::of(by), Shown::of(trigger));
    let end = match end {
        None => "under way, or left by a crash".to_owned(),
        Some(end) => {
            let counts = end.report.iter().flat_map(Report::counts).map(|(count, word)| format!("{count} {word}"));
            let words: Vec<String> = std::iter::once(outcome_words(&end.outcome)).chain(counts).collect();
            words.join(", ")
        }
    };
    format!("{}  {:<21}  {trigger:<13} {by:<10} {end}", when(*started), id)
}

fn run_json(run: &RunRecord) -> serde_json::Value {
    let RunRecord { id, trigger, by, version, rules_hash, plan_hash, started, end } = run;
    serde_json::json!({
        "run_id": id, "trigger": trigger, "by": by, "version": version, "rules": rules_hash, "plan_hash": plan_hash,
        "started_at": started, "ended_at": end.as_ref().map(|end| end.at), "outcome": end.as_ref().map(|end| &end.outcome),
        "report": end.as_ref().and_then(|end| end.report.as_ref()),
    })
}

fn entry_json(entry: &Entry, line: &str) -> serde_json::Value {
    let event: serde_json::Value = serde_json::from_str(&entry.body).unwrap_or_default();
    let Entry { n, hash, level, page, object, change, .. } = entry;
    serde_json::json!({
        "n": n, "hash": hash, "level": level, "page_id": page, "clockify_id": object, "change_id": change, "text": line, "entry": event,
    })
}

/// Who changed something, when, why, from what to what.
fn alteration(alteration: &Alteration) -> String {
    let Alteration { at, run, write, verb, kind, name, fields, reasons, outcome, side, .. } = alteration;
    let place = if *side == Service::Notion { " page in Notion" } else { "" };
    let mut lines = vec![format!("{}  {verb} {kind}{place} “{}”", when(*at), name.shown().clipped(60))];
    let change = |(field, from, to): &(_, _, _)| text::event_from_to(*kind, *field, from, to);
    lines.extend(fields.iter().map(|field| format!("    what   {}", change(field))));
    lines.push(format!("    who    {}", who(alteration)));
    lines.extend(reasons.iter().map(|reason| format!("    why    {reason}")));
    let ended = outcome.as_ref().map_or_else(|| "nobody knows how it ended".to_owned(), text::ended);
    lines.push(format!("    how    {ended}; write {} of run {}\n", write.0, run));
    lines.join("\n")
}

/// Who approved a write, and who started the run.
pub(crate) fn who(alteration: &Alteration) -> String {
    let Alteration { started, approved_by, note, .. } = alteration;
    let shown = |text: &str| Shown::of(text).to_string();
    let started = started.as_ref().map(|(by, trigger)| (shown(by), shown(trigger)));
    let note = note.as_ref().map(|note| format!(", noted “{}”", shown(note))).unwrap_or_default();
    let who = match (approved_by, started) {
        (Some(approved), Some((by, trigger))) if *approved == by => format!("approved by {by}, in {trigger}"),
        (Some(approved), Some((by, trigger))) => {
            format!("approved by {}, in {trigger} started by {by}", shown(approved))
        }
        (Some(approved), None) => format!("approved by {}", shown(approved)),
        (None, Some((by, trigger))) => format!("{trigger} started by {by}"),
        (None, None) => "the log does not tell any more".to_owned(),
    };
    who + &note
}

fn alteration_json(alteration: &Alteration) -> serde_json::Value {
    let Alteration { n, at, run, write, started, approved_by, note, side, kind, name, verb, fields, reasons, outcome } =
        alteration;
    let at: &Timestamp = at;
    serde_json::json!({
        "n": n, "at": at, "run": run, "write": write, "started": started.as_ref().map(|(by, trigger)| serde_json::json!({"by": by, "trigger": trigger})),
        "approved_by": approved_by, "note": note, "side": side, "kind": kind, "name": name, "action": verb,
        "fields": fields.iter().map(|(field, from, to)| serde_json::json!({"field": field, "from": from, "to": to})).collect::<Vec<_>>(),
        "reasons": reasons, "outcome": outcome,
    })
}
