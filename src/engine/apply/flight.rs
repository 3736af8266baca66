//! One write on its way: sent, looked for where its outcome is unknown, and after a second try looked at for a twin.

use std::{cell::Cell, rc::Rc, time::Duration};

use super::{Found, Subject, Target, WriteFailure, Written};
use crate::domain::{
    journal::{Trace, Write, WriteId},
    model::ObjectId,
    text::Shown,
};

/// A write on its way.
#[derive(Clone)]
pub(super) struct Flight {
    pub(super) step: usize,
    pub(super) number: WriteId,
    pub(super) write: Write,
    pub(super) trace: Trace,
    /// True for a create that an earlier run has sent before, and looked for in vain.
    pub(super) second_try: bool,
    /// The tasks that go along with a project.
    pub(super) along: Vec<Flight>,
}

/// What became of a write.
pub(super) enum Arrival {
    /// It was answered.
    Answered(Box<Result<Written, WriteFailure>>),
    /// Its answer left it open, and nobody has looked yet.
    Open { error: Shown },
    /// Its answer left it open, and it was looked up.
    LookedUp { error: Shown, found: Result<Found, WriteFailure> },
    /// It was refused, perhaps since the name is taken, and looked for: by what could be its own.
    Taken { error: Shown, hint: Shown, found: Option<Box<Written>> },
    /// It happened, and so had the first try.
    Twins { written: Box<Written>, twins: Vec<ObjectId> },
}

/// Sends a write.
pub(super) async fn fly<T: Target>(target: &T, flight: Flight, rests_on: Option<Subject>) -> (Flight, Arrival) {
    let Flight { write, trace, second_try, along, .. } = &flight;
    let tasks: Vec<Write> = along.iter().map(|task| task.write.clone()).collect();
    let answer = match target.write(write, &tasks, rests_on).await {
        // Refused may be what goes along with it. Nothing was made then; and before it is sent again, that is seen.
        Err(WriteFailure::Refused { error, hint, .. }) if !tasks.is_empty() => {
            Err(WriteFailure::PerhapsTaken { error, hint })
        }
        answer => answer,
    };
    let arrival = match answer {
        Err(WriteFailure::Unknown { error }) => Arrival::Open { error },
        Ok(written) if *second_try => match twins(target, write, trace, &written).await {
            twins if twins.is_empty() => Arrival::Answered(Box::new(Ok(written))),
            twins => Arrival::Twins { written: Box::new(written), twins },
        },
        // The name may be taken by what an earlier try, or another machine, has made.
        Err(WriteFailure::PerhapsTaken { error, hint }) => {
            let found = match target.look_up(write, trace).await {
                Ok(Found::Happened(written)) => Some(written),
                Ok(Found::Nothing | Found::Several(_)) | Err(_) => None,
            };
            Arrival::Taken { error, hint, found }
        }
        answered => Arrival::Answered(Box::new(answered)),
    };
    (flight, arrival)
}

/// Looks up a write whose outcome is unknown. A create that does not show is looked for again later, unless the service
/// is `given_up` by then: the next run does it.
pub(super) async fn find<T: Target>(
    target: &T,
    flight: Flight,
    error: Shown,
    settles: [Duration; 2],
    given_up: Rc<Cell<bool>>,
) -> (Flight, Arrival) {
    let Flight { write, trace, .. } = &flight;
    let mut found = target.look_up(write, trace).await;
    if matches!(write, Write::Create { .. }) {
        for pause in settles {
            if !matches!(found, Ok(Found::Nothing)) {
                break;
            }
            tokio::time::sleep(pause).await;
            if given_up.get() {
                return (flight, Arrival::Open { error });
            }
            found = target.look_up(write, trace).await;
        }
    }
    (flight, Arrival::LookedUp { error, found })
}

/// Looks for a create again and again after a while, as a listing may lag behind a write, until there is something to
/// see.
///
/// # Errors
/// [`WriteFailure`] where the look-up itself fails; nothing can be concluded then.
pub(super) async fn search_again<T: Target>(
    target: &T,
    write: &Write,
    trace: &Trace,
    settles: [Duration; 2],
) -> Result<Found, WriteFailure> {
    let mut found = Ok(Found::Nothing);
    for pause in settles {
        tokio::time::sleep(pause).await;
        found = target.look_up(write, trace).await;
        if !matches!(found, Ok(Found::Nothing)) {
            break;
        }
    }
    found
}

/// Other objects that the first try could have made. A look-up that fails says nothing; the next plan shows twins as
/// well.
async fn twins<T: Target>(target: &T, write: &Write, trace: &Trace, written: &Written) -> Vec<ObjectId> {
    let ours = written.object.as_ref().map(|object| object.id);
    let mut seen = match target.look_up(write, trace).await {
        Ok(Found::Several(objects)) => objects,
        Ok(Found::Happened(written)) => written.object.iter().map(|object| object.id).collect(),
        Ok(Found::Nothing) | Err(_) => Vec::new(),
    };
    seen.retain(|object| Some(*object) != ours);
    seen
}
