//! One write on its way: sent, looked for where its outcome is unknown, and after a second try looked at for a twin.

use std::time::Duration;

use super::{Failure, Found, Subject, Target, Written};
use crate::domain::{
    journal::{Trace, Write, WriteId},
    model::ObjectId,
};

/// A write on its way.
pub(super) struct Flight {
    pub(super) step: usize,
    pub(super) number: WriteId,
    pub(super) write: Write,
    pub(super) trace: Trace,
    /// True for a create that an earlier run has sent before, and looked for in vain.
    pub(super) second_try: bool,
}

/// What became of a write.
pub(super) enum Arrival {
    /// It was answered.
    Answered(Box<Result<Written, Failure>>),
    /// Its answer left it open, and it was looked up.
    LookedUp { error: String, found: Result<Found, Failure> },
    /// It was refused, perhaps since the name is taken, and looked for: by what could be its own.
    Taken { error: String, hint: String, found: Option<Box<Written>> },
    /// It happened, and so had the first try.
    Twins { written: Box<Written>, twins: Vec<ObjectId> },
}

/// Sends a write and, where its outcome is unknown, looks it up.
pub(super) async fn fly<T: Target>(
    target: &T,
    flight: Flight,
    rests_on: Option<Subject>,
    settles: [Duration; 2],
) -> (Flight, Arrival) {
    let Flight { write, trace, second_try, .. } = &flight;
    let arrival = match target.write(write, rests_on).await {
        Err(Failure::Unknown { error }) => {
            let mut found = target.look_up(write, trace).await;
            if matches!((&found, write), (Ok(Found::Nothing), Write::Create { .. })) {
                found = look_again(target, write, trace, settles).await;
            }
            Arrival::LookedUp { error, found }
        }
        Ok(written) if *second_try => match twins(target, write, trace, &written).await {
            twins if twins.is_empty() => Arrival::Answered(Box::new(Ok(written))),
            twins => Arrival::Twins { written: Box::new(written), twins },
        },
        // The name may be taken by what an earlier try, or another machine, has made.
        Err(Failure::PerhapsTaken { error, hint }) => {
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

/// Looks for a create again and again after a while, as a listing may lag behind a write, until there is something to see.
///
/// # Errors
/// [`Failure`] where the look-up itself fails; nothing can be concluded then.
pub(super) async fn look_again<T: Target>(
    target: &T,
    write: &Write,
    trace: &Trace,
    settles: [Duration; 2],
) -> Result<Found, Failure> {
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

/// Other objects that the first try could have made. A look-up that fails says nothing; the next plan shows twins as well.
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
