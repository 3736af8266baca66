//! What the worker reads of tracked time. What goes wrong there is told, and ends nothing else.

use super::{Desk, tell};
use crate::{
    domain::{hours::month::Close, text::Shown},
    engine::{
        hours::{HoursQuery, Reckoned},
        session::{Session, Sides},
    },
    face::{
        failure::{Code, RunError},
        tui::{
            news::News,
            state::timesheet::{TimeNews, TimeOrder},
        },
    },
};

/// Reads hours on both sides as a review has read them, or as it has read them itself since.
pub(super) struct Timekeeper<'a> {
    desk: Desk<'a>,
    sides: Option<Sides>,
}

impl<'a> Timekeeper<'a> {
    pub(super) fn new(desk: Desk<'a>) -> Self {
        Self { desk, sides: None }
    }

    /// Does what is asked, and tells what came of it. While both sides are read, nobody else runs.
    pub(super) async fn serve(&mut self, session: &mut Session<'_>, at_hand: Option<&Sides>, order: TimeOrder) {
        let told = match self.done(session, at_hand, order).await {
            Ok(told) => told,
            Err(failure) => TimeNews::Refused(refusal(&failure)),
        };
        // A stop is meant for this alone.
        self.desk.stop.forget();
        tell(self.desk.news, News::Time(Box::new(told)));
    }

    async fn done(
        &mut self,
        session: &mut Session<'_>,
        at_hand: Option<&Sides>,
        order: TimeOrder,
    ) -> Result<TimeNews, RunError> {
        let counting = self.desk.counting;
        Ok(match order {
            TimeOrder::Figures { period, anew } => {
                let wanted = HoursQuery { period, ..counting.clone() };
                let sides = self.sides(session, at_hand, anew).await?;
                TimeNews::Figures(session.hours_of(sides, &wanted).await?)
            }
            TimeOrder::Days(period) => {
                let sides = self.sides(session, at_hand, false).await?;
                TimeNews::Days(session.hours_by_day(sides, period, &counting.zone).await?)
            }
            TimeOrder::Entries { period, branch } => {
                let sides = self.sides(session, at_hand, false).await?;
                TimeNews::Entries(session.entries(sides, period, &counting.zone, branch).await?)
            }
            TimeOrder::Close { month, accepting } => {
                let wanted = HoursQuery { period: Some(month), ..counting.clone() };
                session.take_turn().await?;
                let closed = session.close_month(&wanted, month, &accepting).await;
                session.let_others_run().await?;
                let (reckoned, close) = closed?;
                match close {
                    Close::Sealed(sealed) => {
                        TimeNews::Closed { reckoned: Reckoned { sealed: Some(*sealed), ..reckoned }, open: 0 }
                    }
                    Close::Open(open) => TimeNews::Closed { reckoned, open: open.len() },
                }
            }
        })
    }

    /// Both sides as they were read, by whom it may be, or anew.
    async fn sides<'s>(
        &'s mut self,
        session: &mut Session<'_>,
        at_hand: Option<&'s Sides>,
        anew: bool,
    ) -> Result<&'s Sides, RunError> {
        if anew || self.sides.is_none() && at_hand.is_none() {
            session.take_turn().await?;
            let read = session.sides().await;
            session.let_others_run().await?;
            return Ok(self.sides.insert(read?));
        }
        let nothing = || RunError::new(Code::Error, "both sides were not read");
        self.sides.as_ref().or(at_hand).ok_or_else(nothing)
    }
}

/// Why nothing came of it, on a line, with what to do about it.
pub(super) fn refusal(failure: &RunError) -> Shown {
    let hints = failure.hints.iter().map(ToString::to_string);
    let said: Vec<String> = failure.text().lines().map(|line| line.trim().to_owned()).chain(hints).collect();
    said.join("; ").into()
}
