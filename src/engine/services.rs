//! Both real services as the one thing that apply writes to.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::apply::{About, Found, Observed, Readings, Subject, Target, WriteFailure, Written};
use crate::{
    domain::{
        journal::{Trace, Write},
        model::{Entry, Field, Object, ObjectId, PageId, PerKind, Refiling, Service, Value},
        steps,
        text::{Raw, Shown},
    },
    edge::{
        clockify::Clockify,
        http,
        notion::{self, Notion, Seen, Source},
    },
};

/// Both services, and where in them the work is.
pub struct Services<'a> {
    pub notion: &'a Notion,
    pub clockify: &'a Clockify,
    /// The data sources.
    pub sources: &'a PerKind<Source>,
    /// The Clockify workspace.
    pub workspace: &'a str,
}

impl Target for Services<'_> {
    fn is_fresh(&self, subject: &Subject) -> bool {
        match subject {
            Subject::Object(_, object) => self.clockify.is_fresh(*object),
            Subject::Page(kind, page) => self.notion.is_fresh(*kind, *page),
            Subject::Names(kind, _) => self.clockify.was_just_listed(*kind),
            Subject::Entries(refiling) => self.clockify.are_entries_fresh(refiling),
        }
    }

    async fn read(&self, subjects: &[Subject]) -> Readings {
        // Those of the first kind; the others are asked for again.
        match subjects.first() {
            Some(Subject::Object(kind, _)) => {
                let object = |subject: &Subject| match subject {
                    Subject::Object(of, object) if of == kind => Some(*object),
                    _ => None,
                };
                let objects: Vec<ObjectId> = subjects.iter().filter_map(object).collect();
                let read = self.clockify.observe(self.workspace, *kind, &objects).await.into_iter();
                let observed =
                    |object: Option<Object>| object.map_or(Observed::Gone, |object| Observed::Object(Box::new(object)));
                read.map(|(id, object)| (Subject::Object(*kind, id), object.map(observed).map_err(WriteFailure::from)))
                    .collect()
            }
            Some(Subject::Page(kind, _)) => {
                let page = |subject: &Subject| match subject {
                    Subject::Page(of, page) if of == kind => Some(*page),
                    _ => None,
                };
                let pages: Vec<PageId> = subjects.iter().filter_map(page).collect();
                let read = self.notion.observe(*kind, &self.sources[*kind], &pages).await.into_iter();
                let observed = |seen: Result<Seen, notion::Error>| match seen {
                    Ok(Seen::Page(page)) => Ok(Observed::Page(page)),
                    Ok(Seen::Away(_)) => Ok(Observed::Gone),
                    Err(error) => Err(unread(error)),
                };
                read.map(|(id, seen)| (Subject::Page(*kind, id), observed(seen))).collect()
            }
            Some(Subject::Names(kind, _)) => {
                let parent = |subject: &Subject| match subject {
                    Subject::Names(of, parent) if of == kind => Some(*parent),
                    _ => None,
                };
                let parents: Vec<Option<ObjectId>> = subjects.iter().filter_map(parent).collect();
                let listed = self.clockify.list_under(self.workspace, *kind, &parents).await;
                let under = |parent: Option<ObjectId>| match &listed {
                    Ok(listed) => {
                        let rows = listed.rows().iter().filter(|object| object.parent == parent);
                        Ok(Observed::Names(rows.cloned().collect()))
                    }
                    Err(failure) => Err(WriteFailure::from(failure.clone())),
                };
                parents.iter().map(|&parent| (Subject::Names(*kind, parent), under(parent))).collect()
            }
            Some(subject @ Subject::Entries(refiling)) => {
                let read = self.clockify.observe_entries(self.workspace, refiling).await;
                vec![(subject.clone(), read.map(Observed::Entries).map_err(WriteFailure::from))]
            }
            None => Vec::new(),
        }
    }

    async fn write(&self, write: &Write, along: &[Write], rests_on: Option<Subject>) -> Result<Written, WriteFailure> {
        match write {
            Write::Create { page, kind, parent, name, marked, like, fields } => {
                let marker = marked.then_some(*page);
                let tasks: Vec<(&Raw, &BTreeMap<Field, Value>)> = along.iter().filter_map(named).collect();
                let created = match like {
                    Some(like) => self.clockify.create_like(self.workspace, *like, *parent, name, fields).await,
                    None if !tasks.is_empty() => {
                        self.clockify.create_with(self.workspace, *parent, name, marker, fields, &tasks).await
                    }
                    None => self.clockify.create(self.workspace, *kind, *parent, name, marker, fields).await,
                };
                Ok(Written { object: Some(created.map_err(uncreated)?), page: None })
            }
            Write::Update { kind, object, fields, .. } => {
                let object = self.clockify.update(self.workspace, *kind, *object, fields).await?;
                Ok(Written { object: Some(object), page: None })
            }
            Write::Refile { refiling, .. } => {
                let now = self.clockify.refile(self.workspace, refiling).await?;
                if are_refiled(refiling, &now, |entries| entries == refiling.entries.len()) {
                    return Ok(Written::default());
                }
                let error = "Clockify accepted the request, and does not show all of the time where it was to go";
                Err(WriteFailure::Unknown { error: error.into() })
            }
            Write::WriteBack { page, kind, claim, fields } => {
                let rests_on_page = rests_on.is_some();
                let page =
                    self.notion.write_back(*kind, &self.sources[*kind], *page, *claim, fields, rests_on_page).await?;
                Ok(Written { object: None, page: Some(page) })
            }
        }
    }

    async fn look_up(&self, write: &Write, trace: &Trace) -> Result<Found, WriteFailure> {
        match write {
            Write::Create { kind, parent, name, .. } => {
                let mut found = self.clockify.find(self.workspace, *kind, *parent, name).await?;
                found.retain(|object| trace.fits(write, object));
                Ok(Found::of(found))
            }
            Write::Update { kind, object, fields, .. } => {
                let now = self.clockify.read(self.workspace, *kind, *object, None).await?;
                Ok(match now.filter(|now| holds(now, fields)) {
                    Some(now) => Found::Happened(Box::new(Written { object: Some(now), page: None })),
                    None => Found::Nothing,
                })
            }
            Write::Refile { refiling, .. } => {
                let now = self.clockify.observe_entries(self.workspace, refiling).await?;
                // Of what happened in part, the next plan has the rest.
                Ok(if are_refiled(refiling, &now, |entries| entries > 0) {
                    Found::Happened(Box::default())
                } else {
                    Found::Nothing
                })
            }
            Write::WriteBack { page, kind, claim, fields } => {
                match self.notion.page(*kind, &self.sources[*kind], *page).await {
                    Ok(Seen::Page(now)) => {
                        let written = claim.is_none_or(|claim| now.claim.is(claim))
                            && fields.iter().all(|(field, value)| steps::wanted(&now, *field).as_ref() == Some(value));
                        let written =
                            written.then(|| Found::Happened(Box::new(Written { object: None, page: Some(*now) })));
                        Ok(written.unwrap_or(Found::Nothing))
                    }
                    Ok(Seen::Away(_)) => Ok(Found::Nothing),
                    Err(error) => Err(WriteFailure::Unknown { error: error.to_string().into() }),
                }
            }
        }
    }

    fn flights_max(&self, service: Service) -> usize {
        match service {
            Service::Notion => self.notion.http().flights_max(),
            Service::Clockify => self.clockify.http().flights_max(),
        }
    }

    fn now(&self) -> Option<Timestamp> {
        self.clockify.http().server_time()
    }
}

/// What a create says of what it makes.
fn named(write: &Write) -> Option<(&Raw, &BTreeMap<Field, Value>)> {
    let Write::Create { name, fields, .. } = write else { return None };
    Some((name, fields))
}

/// What a refused create may mean: Clockify answers 400 and 501 when the name is taken, and for much else.
fn uncreated(failure: http::Failure) -> WriteFailure {
    let hint = failure.hint().into();
    match &failure {
        http::Failure::Rejected { status: 400, code: Some(code), .. } if code.as_str() == "501" => {
            WriteFailure::PerhapsTaken { error: failure.to_string().into(), hint }
        }
        _ => failure.into(),
    }
}

/// Why a page could not be read before its fields are written.
fn unread(error: notion::Error) -> WriteFailure {
    match error {
        notion::Error::Failed { failure, .. } | notion::Error::Refused { failure, .. } => failure.into(),
        notion::Error::Budget { error, .. } => WriteFailure::OutOfBudget { error },
        other => {
            WriteFailure::Refused { hint: other.hint().into(), error: other.to_string().into(), about: About::Request }
        }
    }
}

/// True when enough of the entries are where they were to go.
fn are_refiled(refiling: &Refiling, now: &[Entry], is_enough: impl Fn(usize) -> bool) -> bool {
    let arrived = |entry: &&Entry| refiling.entries.get(&entry.id).is_some_and(|planned| planned.to == entry.at);
    is_enough(now.iter().filter(arrived).count())
}

/// True when the object holds all these values.
fn holds(object: &Object, fields: &BTreeMap<Field, Value>) -> bool {
    fields.iter().all(|(field, wanted)| steps::current(object, *field).as_ref() == Some(wanted))
}

/// What a refusal is about. Notion's `restricted_resource` says that the connection lacks a capability; Clockify's
/// `Access Denied` may be about this request alone.
fn about(failure: &http::Failure) -> About {
    match failure {
        http::Failure::Rejected { status: 0, .. } => About::Nothing,
        http::Failure::Rejected { service: Service::Notion, status: 403, code: Some(code), .. }
            if code.as_str() == "restricted_resource" =>
        {
            About::Connection
        }
        http::Failure::Rejected { status: 200 | 400 | 404 | 410 | 412 | 413 | 422, .. } => About::Row,
        _ => About::Request,
    }
}

impl From<http::Failure> for WriteFailure {
    fn from(failure: http::Failure) -> Self {
        let (error, hint) = (Shown::from(failure.to_string()), failure.hint().into());
        match &failure {
            http::Failure::Rejected { status: 401, .. } => Self::Credentials { error },
            http::Failure::Rejected { .. } => Self::Refused { error, hint, about: about(&failure) },
            http::Failure::NotSent { .. } | http::Failure::Untrusted { .. } => Self::NotSent { error },
            http::Failure::Throttled { .. } => Self::OutOfBudget { error },
            http::Failure::Outdated => Self::Outdated,
            http::Failure::Unknown { .. } | http::Failure::TooLarge { .. } => Self::Unknown { error },
        }
    }
}
