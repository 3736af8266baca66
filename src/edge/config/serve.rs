//! The keys of the daemon: when it runs, where it listens, and who may call it.

use std::{collections::BTreeMap, fmt, net::SocketAddr, time::Duration};

use jiff::tz::TimeZone;
use strum::{IntoStaticStr, VariantArray};

use super::{layers::Content, reader::Reader};
use crate::{
    domain::{
        audit::Hash,
        reach::Extent,
        schedule::{NoSchedule, Schedule},
        text::Shown,
        trigger::Mode,
    },
    edge::secrets::SecretReference,
};

/// How the hash of a secret begins where it stands in the configuration.
const HASHED: &str = "sha256:";
/// How the scope of a caller begins that is one client's.
const OF_CLIENT: &str = "client:";
/// Characters of a caller's name.
const NAME_CHARACTERS_MAX: usize = 64;
/// The key below which callers stand.
const CALLERS: &str = "webhook.callers";

/// When the daemon runs, and how far it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleSettings {
    /// When.
    pub schedule: Schedule,
    /// The IANA time zone that was named, if one was.
    pub timezone: Option<String>,
    /// How far a run goes that nobody has asked for.
    pub mode: Mode,
    /// A part of this, by chance, is added to each time.
    pub jitter: Duration,
}

/// Where the daemon listens, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Address and port; without them it does not listen at all.
    pub listen: Option<SocketAddr>,
    /// For how long a handshake is awaited once somebody has armed it.
    pub arm: Duration,
    /// Who may call, by name.
    pub callers: BTreeMap<String, CallerSettings>,
}

/// Somebody who may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerSettings {
    /// What proves that it is them; none only where Notion is still to say it, in a handshake.
    pub secret: Option<CallerSecret>,
    pub kind: CallerKind,
    /// How far a run may go that they ask for.
    pub extent: Extent,
    /// Their calls are told and answered, and ask for nothing.
    pub test: bool,
}

/// How a caller calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum CallerKind {
    /// The webhook action of a button or an automation in Notion, with a secret in a header.
    NotionButton,
    /// The event subscription of a Notion connection, signed with a token that Notion has chosen.
    NotionEvents,
    /// A webhook of Clockify, which repeats the token that Clockify has chosen.
    Clockify,
    /// A program that asks for runs.
    Bearer,
}

impl CallerKind {
    /// The word in the configuration.
    pub fn word(self) -> &'static str {
        self.into()
    }
}

/// What a caller's secret is held against.
#[derive(Clone, PartialEq, Eq)]
pub enum CallerSecret {
    /// Its SHA-256.
    Hashed(Hash),
    /// Where it is.
    Reference(SecretReference),
}

impl fmt::Debug for CallerSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hashed(_) => formatter.write_str("sha256:…"),
            Self::Reference(reference) => write!(formatter, "{reference}"),
        }
    }
}

pub(super) fn schedule(reader: &mut Reader<'_>) -> ScheduleSettings {
    let timezone = reader.take("schedule.timezone", |content| {
        let name = content.text().filter(|name| TimeZone::get(name).is_ok());
        name.map(str::to_owned).ok_or_else(|| "a time zone of the IANA database, e.g. \"Europe/Berlin\"".to_owned())
    });
    let zone = timezone.as_deref().and_then(|name| TimeZone::get(name).ok()).unwrap_or_else(TimeZone::system);
    let of_zone = zone.clone();
    let schedule = reader.take("schedule.cron", |content| {
        let cron = content.text().ok_or_else(|| NoSchedule::Malformed.to_string())?;
        Schedule::new(cron, of_zone).map_err(|none| none.to_string())
    });
    ScheduleSettings {
        schedule: schedule.unwrap_or_else(|| Schedule::daily(zone)),
        timezone,
        mode: reader.choice("schedule.mode").unwrap_or_default(),
        jitter: Duration::from_secs(reader.whole("schedule.jitter", 0..=86_400).unwrap_or_default().into()),
    }
}

pub(super) fn webhook(reader: &mut Reader<'_>) -> WebhookSettings {
    WebhookSettings {
        listen: reader.take("webhook.listen", |content| {
            let address = content.text().and_then(|text| text.parse().ok());
            address.ok_or_else(|| "an address and port, e.g. \"127.0.0.1:8787\"".to_owned())
        }),
        arm: Duration::from_secs(60 * u64::from(reader.whole("webhook.arm_minutes", 1..=1440).unwrap_or(10))),
        callers: callers(reader),
    }
}

fn callers(reader: &mut Reader<'_>) -> BTreeMap<String, CallerSettings> {
    let prefix = format!("{CALLERS}.");
    let below = reader.below(CALLERS);
    let names =
        below.iter().filter_map(|key| key.strip_prefix(&prefix)?.rsplit_once('.').map(|(name, _)| name.to_owned()));
    let names: std::collections::BTreeSet<String> = names.collect();
    names.into_iter().filter_map(|name| Some((name.clone(), caller(reader, &name)?))).collect()
}

fn caller(reader: &mut Reader<'_>, name: &str) -> Option<CallerSettings> {
    let key = |word: &str| format!("{CALLERS}.{name}.{word}");
    let kind = reader.choice::<CallerKind>(&key("kind"));
    let secret = secret(reader, &key("secret"), kind);
    let extent = reader.take(&key("scope"), |content| {
        content
            .text()
            .and_then(scope)
            .ok_or_else(|| format!("\"all\", \"plan\", or \"{OF_CLIENT}\" and the name or ID of a client"))
    });
    let extent = extent.unwrap_or(Extent::EVERYTHING);
    let test = reader.flag(&key("test")).unwrap_or(false);
    let place = ["kind", "secret", "scope", "test"].into_iter().find_map(|word| reader.origin(&key(word)).cloned());
    let place = place.unwrap_or_default();
    let shown = Shown::of(name).clipped(NAME_CHARACTERS_MAX);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > NAME_CHARACTERS_MAX || !name.chars().all(is_plain) {
        reader.problem(place, format!("a caller cannot be called `{shown}`: take letters, digits, - and _"));
        return None;
    }
    if kind.is_none() && reader.origin(&key("kind")).is_none() {
        let words: Vec<String> = CallerKind::VARIANTS.iter().map(|kind| format!("\"{}\"", kind.word())).collect();
        reader.problem(place.clone(), format!("`{}` is missing; it is {}", key("kind"), words.join(" or ")));
    }
    let kind = kind?;
    if secret.is_none() && kind != CallerKind::NotionEvents && reader.origin(&key("secret")).is_none() {
        let text = format!("`{}` is missing; it is where the secret is, or its hash: sha256:HEX", key("secret"));
        reader.problem(place, text);
    }
    Some(CallerSettings { secret, kind, extent, test })
}

/// How far a run may go that a caller asks for, in the configuration's words.
fn scope(text: &str) -> Option<Extent> {
    match text {
        "all" => Some(Extent::EVERYTHING),
        "plan" => Some(Extent::PLAN),
        text => text.strip_prefix(OF_CLIENT).map(str::trim).filter(|client| !client.is_empty()).map(Extent::client),
    }
}

/// The hash of a secret, or a reference to it. What signs cannot be hashed: it is needed itself.
fn secret(reader: &mut Reader<'_>, key: &str, kind: Option<CallerKind>) -> Option<CallerSecret> {
    if !reader.is_text(key, |text| text.starts_with(HASHED)) {
        return reader.secret(key).map(CallerSecret::Reference);
    }
    let read = |content: &Content| {
        let hash: Option<Hash> = content.text().and_then(|text| text.strip_prefix(HASHED)?.parse().ok());
        match hash {
            Some(hash) if kind != Some(CallerKind::NotionEvents) => Ok(hash),
            Some(_) => Err("a reference to the token itself: a signature cannot be checked with a hash".to_owned()),
            None => Err("sha256: and 64 hexadecimal digits, or a reference to the secret".to_owned()),
        }
    };
    // A guess at a weak secret can be checked against its hash: it goes nowhere.
    reader.take_in_part(key, read, |_, _| "sha256:…".to_owned()).map(CallerSecret::Hashed)
}
