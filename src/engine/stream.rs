//! The log as it is passed on: each destination has a cursor in the state, so that what one has missed is sent from the
//! log itself when it listens again. Nothing is queued, and nothing is left out; what was cut off meanwhile is.

use std::{collections::BTreeMap, ops::ControlFlow};

use super::{failure::RunError, run::Installation};
use crate::{
    domain::audit::Hash,
    edge::{
        secrets::{self, Readings},
        store::{Entry, Selection, Store, Toward},
    },
};

/// Entries that are sent at once.
const LINES_MAX: usize = 500;
/// Bytes that are sent at once, but for a single entry that is larger.
const BYTES_MAX: usize = 1 << 20;
/// Memory key: the number of the last entry that each destination has taken.
const STREAMED: &str = "streamed";

/// An entry as it is passed on.
#[derive(serde::Serialize)]
struct Line<'e> {
    n: u64,
    hash: Hash,
    entry: &'e serde_json::value::RawValue,
}

impl Installation {
    /// Passes on what has come into the log since, to wherever that is to go. Returns what went wrong: it is tried
    /// again the next time.
    ///
    /// # Errors
    /// Where the state cannot be used.
    pub(super) async fn pass_on_log(&self, store: &mut Store) -> Result<Vec<String>, RunError> {
        let settings = &self.settings.logs;
        let mut failures = Vec::new();
        if settings.stream.is_empty() {
            return Ok(failures);
        }
        let (last, _) = store.log_head().await?;
        let before: BTreeMap<String, u64> = store.recall(STREAMED).await?.unwrap_or_default();
        let mut cursors = before.clone();
        let mut token = None;
        for destination in &settings.stream {
            let cursor = cursors.entry(destination.to_string()).or_default();
            // A log that was made anew begins again.
            *cursor = if *cursor > last { 0 } else { *cursor };
            if let (Some(reference), None, true) = (&settings.stream_token, &token, *cursor < last) {
                // It is read so often that reading it is not told each time.
                match secrets::resolve(reference, &self.environment, &Readings::default()).await {
                    Ok(secret) => token = Some(secret),
                    Err(error) => {
                        failures.push(format!("the log was not passed on: {error}"));
                        break;
                    }
                }
            }
            while *cursor < last {
                let (lines, through) = lines(store, *cursor).await?;
                if lines.is_empty() {
                    break;
                }
                if let Err(because) = destination.send(&lines, token.as_ref()).await {
                    failures.push(format!("the log was not passed on to {destination}: {because}"));
                    break;
                }
                *cursor = through;
            }
        }
        if cursors != before {
            store.remember(STREAMED, &cursors).await?;
        }
        Ok(failures)
    }
}

/// The next entries after one, as lines, and the number of the last of them.
async fn lines(store: &Store, after: u64) -> Result<(Vec<String>, u64), RunError> {
    let (mut lines, mut bytes, mut through) = (Vec::new(), 0, after);
    store
        .visit_log(&Selection::default(), Toward::End(after + 1), async |entry: Entry| {
            let Entry { n, body, hash, .. } = entry;
            let body = serde_json::value::RawValue::from_string(body);
            // What is no JSON any more is told by verifying.
            let line = body.ok().and_then(|entry| serde_json::to_string(&Line { n, hash, entry: &entry }).ok());
            bytes += line.as_ref().map_or(0, String::len);
            if bytes > BYTES_MAX && !lines.is_empty() {
                return ControlFlow::Break(());
            }
            through = n;
            lines.extend(line);
            if lines.len() < LINES_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })
        .await?;
    Ok((lines, through))
}
