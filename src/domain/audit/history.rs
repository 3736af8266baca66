//! Who changed something, when, why, from what to what: the writes about one page or object, told from their events.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::domain::{
    journal::{Difference, Event, Outcome, RunId, What, Write, WriteId},
    model::{Field, Kind, Service, Value},
    plan::{Action, ChangeId},
    text::{Raw, Shown},
};

/// One write, with everything that somebody may ask about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alteration {
    /// The number of the entry that holds its intent.
    pub n: u64,
    /// When it was about to leave.
    pub at: Timestamp,
    pub run: RunId,
    /// Its number in the run.
    pub write: WriteId,
    /// Who started the run, and how, where the log still tells.
    pub started: Option<(String, String)>,
    pub approved_by: Option<String>,
    /// What was noted with the decision.
    pub note: Option<String>,
    /// Which side was written.
    pub side: Service,
    /// What was written.
    pub kind: Kind,
    /// What its page is called.
    pub name: Raw,
    /// What was done.
    pub verb: Action,
    /// Each field, from what to what. Where it is not known what it was, it is [`Value::Empty`].
    pub fields: Vec<(Field, Value, Value)>,
    /// Why.
    pub reasons: Vec<Shown>,
    /// How it ended, as far as it is known.
    pub outcome: Option<Outcome>,
}

/// The writes among some events of the log, in their order. The events are those about one page or object, and those
/// that start their runs.
pub fn history<'a>(events: impl IntoIterator<Item = (u64, &'a Event)>) -> Vec<Alteration> {
    let mut started: HashMap<&RunId, (&str, &str)> = HashMap::new();
    let mut differences: HashMap<(&RunId, &ChangeId), &Difference> = HashMap::new();
    let mut approvals: HashMap<(&RunId, &ChangeId), String> = HashMap::new();
    let mut notes: HashMap<&ChangeId, &str> = HashMap::new();
    let mut index: HashMap<(&RunId, WriteId), usize> = HashMap::new();
    let mut alterations: Vec<Alteration> = Vec::new();
    for (n, event) in events {
        let run = &event.run;
        match &event.what {
            What::RunStarted { trigger, by, .. } => {
                started.insert(run, (by, trigger));
            }
            What::Difference(difference) => {
                differences.insert((run, &difference.change), difference);
            }
            What::Decided { change, verdict, .. } => {
                if let Some(crate::domain::review::Decision::Flag { note }) = &verdict.decision {
                    notes.insert(change, note);
                }
            }
            What::Approved { change, by, action: _, also } => {
                let all: Vec<&str> = also.iter().chain([by]).map(String::as_str).collect();
                approvals.insert((run, change), all.join(" and "));
            }
            What::Intent { write, changes, request, was, .. } => {
                let found: Vec<&&Difference> =
                    changes.iter().filter_map(|change| differences.get(&(run, change))).collect();
                index.insert((run, *write), alterations.len());
                alterations.push(Alteration {
                    n,
                    at: event.at,
                    run: *run,
                    write: *write,
                    started: started.get(run).map(|(by, trigger)| ((*by).to_owned(), (*trigger).to_owned())),
                    approved_by: changes.iter().find_map(|change| approvals.get(&(run, change))).cloned(),
                    note: changes.iter().find_map(|change| notes.get(change)).map(|note| (*note).to_owned()),
                    side: request.service(),
                    kind: request.kind(),
                    name: was.name.clone(),
                    verb: verb(request),
                    fields: fields(request, &was.before),
                    reasons: found.into_iter().map(|difference| difference.reason.clone()).collect(),
                    outcome: None,
                });
            }
            What::Outcome { write, outcome } => {
                if let Some(&at) = index.get(&(run, *write)) {
                    alterations[at].outcome = Some(outcome.clone());
                }
            }
            _ => {}
        }
    }
    alterations
}

/// What a write does.
pub fn verb(request: &Write) -> Action {
    match request {
        Write::Create { .. } => Action::Create,
        Write::Update { fields, .. } => match fields.get(&Field::State) {
            Some(Value::Closed(true)) => Action::Close,
            Some(Value::Closed(false)) => Action::Reopen,
            _ if fields.contains_key(&Field::Parent) => Action::Move,
            _ => Action::Update,
        },
        Write::WriteBack { claim: Some(None), .. } => Action::ClearClaim,
        Write::WriteBack { .. } => Action::WriteBack,
        Write::Refile { .. } => Action::Refile,
    }
}

/// The fields of a write, from what to what.
pub fn fields(request: &Write, before: &BTreeMap<Field, Value>) -> Vec<(Field, Value, Value)> {
    let (Write::Create { fields, .. } | Write::Update { fields, .. } | Write::WriteBack { fields, .. }) = request
    else {
        return Vec::new();
    };
    let of = |(field, to): (&Field, &Value)| (*field, before.get(field).cloned().unwrap_or_default(), to.clone());
    fields.iter().map(of).collect()
}
