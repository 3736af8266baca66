//! The handshake with which Notion begins to send events: it carries a token, and counts while somebody awaits it.

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::FACE;
use crate::{
    domain::text::Shown,
    edge::{
        config::CallerKind,
        scrub,
        secrets::{self, Readings, SecretReference},
    },
    engine::{
        callers::place_of_token,
        failure::{Code, RunError},
        run::Installation,
    },
};

/// Memory key, before the name of a caller: whether a handshake is awaited, or has come.
const ARMED: &str = "armed ";

/// A handshake that somebody awaits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Armed {
    pub(super) until: Timestamp,
    /// True once the token has come.
    pub(super) has_come: bool,
}

/// What somebody who arms a handshake is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arming {
    /// It is awaited until then.
    Until(Timestamp),
    /// It has come, and the token is kept there.
    Came(SecretReference),
}

impl Installation {
    /// Arms the daemon for the handshake of a sender of events, or says that its token has come; that is said once.
    ///
    /// # Errors
    /// Where there is no such caller, or its token could not be kept.
    pub async fn arm(&self, name: &str) -> Result<Arming, RunError> {
        let shown = Shown::of(name).clipped(64);
        let caller = self.settings.webhook.callers.get(name);
        let caller = caller.filter(|caller| caller.kind == CallerKind::NotionEvents).ok_or_else(|| {
            RunError::new(Code::Configuration, format!("no caller of kind \"notion-events\" is called {shown}"))
                .hint(format!("set webhook.callers.{shown}.kind = \"notion-events\" in the configuration"))
        })?;
        let place = place_of_token(name, caller, &self.directory);
        let place = place.ok_or_else(|| {
            RunError::new(Code::Configuration, format!("the token of {shown} could not be kept where its secret is"))
                .hint(format!("name a file: webhook.callers.{shown}.secret = \"file:PATH\", or leave the key out"))
        })?;
        let (mut state, now) = (self.open_state().await?, (self.clock)());
        if let Some(Armed { has_come: true, .. }) = state.recall(&armed(name)).await? {
            state.0.forget(&armed(name)).await?;
            return Ok(Arming::Came(place));
        }
        let until = now.checked_add(self.settings.webhook.arm).unwrap_or(now);
        state.0.remember(&armed(name), &Armed { until, has_come: false }).await?;
        Ok(Arming::Until(until))
    }

    /// True where the token of a sender of events has come, and nobody has seen it yet.
    ///
    /// # Errors
    /// Where the state cannot be used.
    pub async fn has_come(&self, name: &str) -> Result<bool, RunError> {
        let state = self.read_state().await?;
        Ok(state.recall(&armed(name)).await?.is_some_and(|armed: Armed| armed.has_come))
    }

    /// The token of a sender of events that has come, to be shown to the person who awaits it; that is logged.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn kept_token(&self, place: &SecretReference) -> Result<SecretString, RunError> {
        let readings = Readings::default();
        let token = secrets::resolve(place, &self.environment, &readings).await;
        self.log_readings(&mut self.open_state().await?.0, FACE, &readings).await?;
        Ok(token?)
    }

    /// Keeps the token that a handshake has brought. From then on it is taken out of every text.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub async fn keep_token(&self, name: &str, token: &SecretString) -> Result<(), RunError> {
        let caller = self.settings.webhook.callers.get(name);
        let place = caller
            .and_then(|caller| place_of_token(name, caller, &self.directory))
            .ok_or_else(|| RunError::new(Code::Error, "there is no place for the token"))?;
        scrub::learn(token);
        secrets::keep(&place, token, &self.environment).await?;
        Ok(())
    }
}

/// The memory key of a caller's handshake.
pub(super) fn armed(name: &str) -> String {
    format!("{ARMED}{name}")
}
