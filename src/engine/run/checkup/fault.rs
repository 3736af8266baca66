//! Which check finds what a run ends with: no fault is without one.

use std::collections::BTreeMap;

use crate::{
    domain::{
        checkup::{Check, CheckCode},
        model::Service,
        text::Shown,
    },
    edge::{clockify, notion, origin::Origin, store::StoreError},
    engine::{failure::RunError, session::SessionError},
};

/// The check that finds what a session ends with; nothing for what is no fault.
pub(super) fn code_of(error: &SessionError) -> Option<CheckCode> {
    Some(match error {
        SessionError::Notion(error) => of_notion(error),
        SessionError::Clockify(error) => of_clockify(error),
        SessionError::Store(StoreError::Locked { .. }) => CheckCode::Lock,
        SessionError::Store(StoreError::Unusable { .. } | StoreError::Refused { .. } | StoreError::Bug { .. }) => {
            CheckCode::State
        }
        SessionError::OtherIdentity { service: Service::Notion, .. } => CheckCode::NotionIdentity,
        SessionError::OtherIdentity { service: Service::Clockify, .. } => CheckCode::ClockifyIdentity,
        // Somebody wants it so; and several have each their own.
        SessionError::Stopped(_) | SessionError::NoClient(_) | SessionError::Several(_) => return None,
    })
}

fn of_notion(error: &notion::Error) -> CheckCode {
    use notion::Error;
    match error {
        Error::Refused { failure, .. } if failure.is_unknown_caller() => CheckCode::NotionIdentity,
        Error::Refused { .. } | Error::MayNotMake { .. } | Error::NotMade { .. } => CheckCode::NotionRights,
        Error::Budget { .. } => CheckCode::Budget,
        Error::BadReference { .. }
        | Error::NotFound { .. }
        | Error::IsPage { .. }
        | Error::Trashed { .. }
        | Error::Swapped { .. }
        | Error::NoSource { .. }
        | Error::SeveralSources { .. } => CheckCode::Databases,
        Error::Mapping(_) | Error::SchemaChanged(_) | Error::Inconsistent { .. } => CheckCode::Properties,
        Error::Elsewhere { .. } | Error::Failed { .. } => CheckCode::NotionReached,
    }
}

fn of_clockify(error: &clockify::Error) -> CheckCode {
    use clockify::Error;
    match error {
        Error::Refused { .. } | Error::NoWorkspace { .. } | Error::WhichWorkspace { .. } => CheckCode::ClockifyIdentity,
        Error::Forbidden { .. } => CheckCode::ClockifyRights,
        Error::Budget { .. } => CheckCode::Budget,
        Error::Elsewhere { .. } | Error::Failed { .. } => CheckCode::ClockifyReached,
    }
}

/// A failure as a check: the same words, and the same way to mend it.
pub(super) fn check_of(code: CheckCode, error: &RunError, places: &BTreeMap<String, Origin>) -> Check {
    let hints: Vec<&str> = error.hints.iter().map(Shown::as_str).collect();
    let place = error.place.clone().or_else(|| place_of(error.error.as_str(), places));
    Check::fail(code, error.error.clone(), hints.join("; ")).at(place)
}

/// Where the key was set that a text names; of several the one with the longest name.
pub(super) fn place_of(text: &str, places: &BTreeMap<String, Origin>) -> Option<Shown> {
    let named = places.iter().filter(|(key, _)| text.contains(key.as_str()));
    place(named.max_by_key(|(key, _)| key.len())?.1)
}

/// The place of something that was set.
pub(super) fn place(origin: &Origin) -> Option<Shown> {
    origin.exact().or_else(|| (*origin != Origin::Defaults).then(|| origin.to_string().into()))
}
