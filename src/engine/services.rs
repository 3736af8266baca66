//! Both real services as the one thing that apply writes to.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::apply::{Failure, Found, Target, Written};
use crate::{
    domain::{
        journal::{Trace, Write},
        model::{Field, Object, PerKind, Value},
        steps,
    },
    edge::{
        clockify::Clockify,
        http,
        notion::{Notion, Seen, Source},
    },
};

/// Both services, and where in them the work is.
pub struct Services<'a> {
    /// Notion.
    pub notion: &'a Notion,
    /// Clockify.
    pub clockify: &'a Clockify,
    /// The data sources.
    pub sources: &'a PerKind<Source>,
    /// The Clockify workspace.
    pub workspace: &'a str,
}

impl Target for Services<'_> {
    async fn write(&self, write: &Write) -> Result<Written, Failure> {
        match write {
            Write::Create { page, kind, parent, name, marked, like, fields } => {
                let marker = marked.then_some(*page);
                let object = match like {
                    Some(like) => self.clockify.create_like(self.workspace, *like, *parent, name, fields).await?,
                    None => self.clockify.create(self.workspace, *kind, *parent, name, marker, fields).await?,
                };
                Ok(Written { object: Some(object), page: None })
            }
            Write::Update { kind, object, fields, .. } => {
                let object = self.clockify.update(self.workspace, *kind, *object, fields).await?;
                Ok(Written { object: Some(object), page: None })
            }
            Write::WriteBack { page, kind, claim, fields } => {
                let page = self.notion.write_back(*kind, &self.sources[*kind], *page, *claim, fields).await?;
                Ok(Written { object: None, page: Some(page) })
            }
        }
    }

    async fn look_up(&self, write: &Write, trace: &Trace) -> Result<Found, Failure> {
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
            Write::WriteBack { page, kind, claim, fields } => match self.notion.page(*kind, &self.sources[*kind], *page).await {
                Ok(Seen::Page(now)) => {
                    let written = claim.is_none_or(|claim| now.claim.id() == claim)
                        && fields.iter().all(|(field, value)| steps::wanted(&now, *field).as_ref() == Some(value));
                    let written = written.then(|| Found::Happened(Box::new(Written { object: None, page: Some(*now) })));
                    Ok(written.unwrap_or(Found::Nothing))
                }
                Ok(Seen::Away(_)) => Ok(Found::Nothing),
                Err(error) => Err(Failure::Unknown { error: error.to_string() }),
            },
        }
    }

    fn now(&self) -> Option<Timestamp> {
        self.clockify.http().server_time()
    }
}

/// True when the object holds all these values.
fn holds(object: &Object, fields: &BTreeMap<Field, Value>) -> bool {
    fields.iter().all(|(field, wanted)| steps::current(object, *field).as_ref() == Some(wanted))
}

impl From<http::Failure> for Failure {
    fn from(failure: http::Failure) -> Self {
        let (error, hint) = (failure.to_string(), failure.hint().to_owned());
        match failure {
            http::Failure::Rejected { status: 401, .. } => Self::Credentials { error },
            http::Failure::Rejected { .. } => Self::Refused { error, hint },
            http::Failure::NotSent { .. } => Self::NotSent { error },
            http::Failure::Throttled { .. } => Self::OutOfBudget { error },
            http::Failure::Unknown { .. } => Self::Unknown { error },
        }
    }
}
