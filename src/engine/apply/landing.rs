//! What became of a write, journaled with the link that follows from it.

use super::{
    Applying, Found, Journal, Subject, WriteFailure, Written,
    flight::{Arrival, Flight},
};
use crate::domain::{
    journal::{Outcome, What, Write},
    model::{Claim, Field, Link, Object, ObjectId, Page, Sight, Standing},
    report::Stopped,
    steps,
    text::Shown,
};

/// How a write ended.
pub(super) enum Landed {
    Done,
    /// It was not sent, since what it rests on had become too old.
    Outdated,
    /// It was refused together with what went along with it: it is sent alone.
    Alone,
    Failed {
        error: Shown,
        hint: Shown,
        stop: Stopped,
    },
}

impl<J: Journal> Applying<'_, '_, J> {
    /// Journals what became of a write, and the link that follows from it.
    pub(super) async fn landed(&mut self, flight: &Flight, arrival: Arrival) -> Result<Landed, J::Error> {
        let outcome = |outcome| What::Outcome { write: flight.number, outcome };
        let unknown = |error: &Shown| outcome(Outcome::Unknown { error: error.clone() });
        let again = Shown::from("run again: it will be planned anew");
        match arrival {
            Arrival::Answered(answer) => match *answer {
                Ok(written) => self.done(flight, &written, Vec::new()).await,
                Err(failure) => self.refused(flight, failure).await,
            },
            Arrival::Open { error } => {
                let hint = "run again: it is looked up before anything else is written for it".into();
                let text = format!("{error}; nobody has looked yet whether it happened");
                self.stays_open(flight, error, text, hint, Stopped::No).await
            }
            Arrival::Twins { written, twins } => {
                let landed = self.done(flight, &written, Vec::new()).await?;
                self.tell_of_twins(flight.step, &twins).await?;
                Ok(landed)
            }
            Arrival::Taken { error, hint: _, found: Some(written) } if !self.is_anothers(&flight.write, &written) => {
                self.refused_along(flight, &error).await?;
                self.done(flight, &written, vec![unknown(&error)]).await
            }
            Arrival::Taken { error, .. } if !flight.along.is_empty() => {
                self.refused_along(flight, &error).await?;
                let outcome = refused_together(&error);
                self.append(vec![What::Outcome { write: flight.number, outcome }], &[]).await?;
                self.alone.insert(flight.step);
                Ok(Landed::Alone)
            }
            Arrival::Taken { error, hint, found: _ } => {
                self.refused(flight, WriteFailure::PerhapsTaken { error, hint }).await
            }
            // What another page has is not what this create made, however much it looks like it.
            Arrival::LookedUp { error, found: Ok(Found::Happened(written)) }
                if self.is_anothers(&flight.write, &written) =>
            {
                let text = format!("{error}; nothing shows yet whether it happened");
                self.stays_open(flight, error, text, again, Stopped::No).await
            }
            Arrival::LookedUp { error, found: Ok(Found::Happened(written)) } => {
                self.done(flight, &written, vec![unknown(&error)]).await
            }
            // A listing may lag behind for longer than anybody wants to wait here.
            Arrival::LookedUp { error, found: Ok(Found::Nothing) }
                if matches!(flight.write, Write::Create { .. }) && !self.work.rules.unsettled.is_zero() =>
            {
                let minutes = self.work.rules.unsettled.as_secs().div_ceil(60);
                let hint =
                    format!("run again: it is looked up first, and for {minutes} minutes it is not created again")
                        .into();
                let text = format!("{error}; nothing shows yet whether it happened");
                self.stays_open(flight, error, text, hint, Stopped::No).await
            }
            Arrival::LookedUp { error, found: Ok(Found::Nothing) } => {
                self.append(shared(flight, &Outcome::Unknown { error: error.clone() }), &[]).await?;
                self.append(shared(flight, &Outcome::Absent), &[]).await?;
                let error = format!("{error}; looked up, it did not happen").into();
                Ok(Landed::Failed { error, hint: again, stop: Stopped::No })
            }
            Arrival::LookedUp { error, found: Ok(Found::Several(_)) } => {
                let hint = "several objects could be it: look at them in Clockify, then run again".into();
                let text = format!("{error}; nobody knows whether it happened");
                self.stays_open(flight, error, text, hint, Stopped::No).await
            }
            Arrival::LookedUp { error, found: Err(second) } => {
                let stop =
                    if matches!(second, WriteFailure::Credentials { .. }) { Stopped::Refused } else { Stopped::No };
                let hint = "run again: it will be looked up before anything else is written for it".into();
                let text = format!("{error}; looking it up failed too: {second}");
                self.stays_open(flight, error, text, hint, stop).await
            }
        }
    }

    /// Journals that nobody knows what became of a write, nor of what went along with it.
    async fn stays_open(
        &mut self,
        flight: &Flight,
        cause: Shown,
        error: String,
        hint: Shown,
        stop: Stopped,
    ) -> Result<Landed, J::Error> {
        self.append(shared(flight, &Outcome::Unknown { error: cause }), &[]).await?;
        let (error, along): (Shown, Vec<usize>) = (error.into(), flight.along.iter().map(|task| task.step).collect());
        self.report(&along, |change| What::Failed { change, error: error.clone(), hint: hint.clone() }).await?;
        Ok(Landed::Failed { error, hint, stop })
    }

    /// Journals that what went along with a write was refused together with it. An earlier try may have made it.
    async fn refused_along(&mut self, flight: &Flight, error: &Shown) -> Result<(), J::Error> {
        let outcome = |task: &Flight| What::Outcome { write: task.number, outcome: refused_together(error) };
        let outcomes: Vec<What> = flight.along.iter().map(outcome).collect();
        self.refused_along.extend(flight.along.iter().map(|task| (task.write.page(), task.trace.clone())));
        if outcomes.is_empty() { Ok(()) } else { self.append(outcomes, &[]).await }
    }

    /// True for an object that is linked to another page than the one that a write is for.
    fn is_anothers(&self, write: &Write, written: &Written) -> bool {
        let object = written.object.as_ref().filter(|_| matches!(write, Write::Create { .. }));
        let link = object.and_then(|object| self.work.registry.of_object(object.id));
        link.is_some_and(|link| link.page != write.page())
    }

    /// Journals that an earlier try has made an object after all: a person must say which of them stays.
    pub(super) async fn tell_of_twins(&mut self, step: usize, twins: &[ObjectId]) -> Result<(), J::Error> {
        let twins: Vec<String> = twins.iter().map(ToString::to_string).collect();
        let error = Shown::from(format!(
            "created, and it is there twice: an earlier try or another machine has made it too ({})",
            twins.join(", ")
        ));
        let hint = Shown::from("look at both in Clockify, and archive or delete the one that no page links to");
        self.report(&[step], |change| What::Failed { change, error: error.clone(), hint: hint.clone() }).await
    }

    /// Journals that a write did not happen.
    async fn refused(&mut self, flight: &Flight, failure: WriteFailure) -> Result<Landed, J::Error> {
        let again = Shown::from("run again: it will be planned anew");
        let (error, hint, stop, outcome) = match failure {
            WriteFailure::Refused { error, hint, .. } | WriteFailure::PerhapsTaken { error, hint } => {
                (error.clone(), hint.clone(), Stopped::No, Outcome::Refused { error, hint })
            }
            WriteFailure::Credentials { error } => {
                let hint = Shown::from("check the token and its rights");
                (error.clone(), hint.clone(), Stopped::Refused, Outcome::NotSent { error, hint })
            }
            WriteFailure::Outdated => {
                let (error, hint) = (failure.to_string().into(), again);
                self.append(shared(flight, &Outcome::NotSent { error, hint }), &[]).await?;
                return Ok(Landed::Outdated);
            }
            WriteFailure::NotSent { error } => {
                (error.clone(), again.clone(), Stopped::No, Outcome::NotSent { error, hint: again })
            }
            WriteFailure::OutOfBudget { error } => {
                (error.clone(), again.clone(), Stopped::OutOfBudget, Outcome::NotSent { error, hint: again })
            }
            // `fly` looks these up, so that none arrives here; if one did, it must not be taken for settled.
            WriteFailure::Unknown { error } => (error.clone(), again, Stopped::No, Outcome::Unknown { error }),
        };
        self.append(shared(flight, &outcome), &[]).await?;
        Ok(Landed::Failed { error, hint, stop })
    }

    /// Journals that a write happened. An answer that still shows the old value is a refusal that the service did not
    /// say.
    pub(super) async fn done(
        &mut self,
        flight: &Flight,
        written: &Written,
        before: Vec<What>,
    ) -> Result<Landed, J::Error> {
        let write = flight.number;
        let object = written.object.as_ref().map(|object| object.id);
        let mut events = before;
        events.push(What::Outcome { write, outcome: Outcome::Done { object } });
        let mut ignored: Vec<Field> = Vec::new();
        let mut links = Vec::new();
        let apart = &flight.trace.apart;
        match &flight.write {
            Write::Create { page, .. } => {
                if let Some(object) = &written.object {
                    if let Some(subject @ Subject::Names(..)) = self.subject(&flight.write) {
                        self.created.entry(subject).or_default().push((flight.step, object.id));
                    }
                    let before = self.work.registry.of_page(*page);
                    let left = before.map_or_else(Vec::new, |before| steps::leaving(before, self.work.snapshots));
                    let link = Link { left, ..steps::fresh(*page, object, &self.claim(object.kind, *page)) };
                    let (link, lost) = steps::answered(link, object, &steps::sent_at_birth(&flight.write), apart, None);
                    ignored = lost;
                    links.push(link);
                }
            }
            Write::Update { page, kind, object, fields } => {
                let link = self.work.registry.of_page(*page).filter(|link| link.object == *object).cloned();
                let seen = self.work.snapshots.objects[*kind].get(*object);
                if let Some(now) = &written.object {
                    // What has no link of its own, such as the task that a page left behind, is compared all the same.
                    let any = link.clone().unwrap_or_else(|| steps::fresh(*page, now, &Claim::None));
                    let (mut answered, lost) = steps::answered(any, now, fields, apart, Some(seen.unwrap_or(now)));
                    if let Some(claim) = apart.get(&Field::Claim) {
                        steps::stays_out(&mut answered, claim.clone());
                    }
                    ignored = lost;
                    links.extend(link.map(|_| retired(answered, self.page(*kind, *page), now)));
                }
            }
            Write::Refile { .. } => {}
            Write::WriteBack { page, claim, fields, .. } => {
                let link = self.work.registry.of_page(*page);
                links.extend(link.and_then(|link| steps::written_back(link, *claim, fields, apart)));
            }
        }
        self.append(events, &links).await?;
        // What this run has left is what it plans on from here.
        self.own_objects.extend(written.object.clone().map(|object| (object.id, object)));
        self.own_pages.extend(written.page.clone().map(|page| (page.id, page)));
        if ignored.is_empty() {
            return Ok(Landed::Done);
        }
        let words: Vec<&str> = ignored.into_iter().map(Field::word).collect();
        let (service, words) = (flight.write.service(), words.join(", "));
        let hint = Shown::from("the plan or the rights of the account may not allow it; it is not tried again unasked");
        if let Write::Create { .. } = &flight.write {
            // It is there: its ID goes into the page, and what stands below it goes on.
            let error = Shown::from(format!("created, but {service} did not keep: {words}"));
            self.report(&[flight.step], |change| What::Failed { change, error: error.clone(), hint: hint.clone() })
                .await?;
            return Ok(Landed::Done);
        }
        let error = format!("{service} accepted the request, but did not change: {words}").into();
        Ok(Landed::Failed { error, hint, stop: Stopped::No })
    }
}

/// The outcome of a write that is also that of what went along with it.
fn shared(flight: &Flight, outcome: &Outcome) -> Vec<What> {
    let writes = std::iter::once(flight).chain(&flight.along);
    writes.map(|flight| What::Outcome { write: flight.number, outcome: outcome.clone() }).collect()
}

/// The outcome of what was refused in one request with others, any of which may be what is wrong.
fn refused_together(error: &Shown) -> Outcome {
    Outcome::NotSent { error: error.clone(), hint: "it is sent by itself next".into() }
}

/// Once the object of a page in the trash is closed, nobody needs to ask for that page again.
fn retired(link: Link, page: Option<&Page>, object: &Object) -> Link {
    let trashed = page.is_some_and(|page| page.standing == Standing::Trashed);
    if trashed && object.closed { Link { sight: Sight::Retired, ..link } } else { link }
}
