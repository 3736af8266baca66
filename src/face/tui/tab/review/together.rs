//! What others do meanwhile. What they decide takes the place of what was seen of it, and who decided otherwise here is
//! told; where they are on a client, it is asked before something is decided below it.

use super::{decide, in_fields};
use crate::{
    domain::{
        model::PageId,
        plan::ChangeId,
        reservation::{Reservation, on_it_words},
        review::{Decision, Overtaken, Remembered, Resolution},
        text::Shown,
    },
    face::{
        text,
        tui::{
            command::Command,
            effect::{Effect, Order},
            state::{State, reviewing::Selection, together::Dissent},
        },
    },
};

/// What to do where another decision stands.
const DECIDE_AGAIN: &str = "decide again if that is to hold";
/// Columns of a name in a sentence.
const NAME_COLUMNS: usize = 30;

/// Decisions were kept, but for some that others have overtaken.
pub(crate) fn kept(state: &mut State, number: u64, overtaken: Vec<Overtaken>) {
    let reviewing = &mut state.reviewing;
    reviewing.together.arrived(number);
    let mut against = Vec::new();
    for Overtaken { said, stands } in overtaken {
        // What was said since is overtaken, too, and told then.
        if reviewing.together.is_on_its_way(&said.change) {
            continue;
        }
        if let Some(review) = &mut reviewing.review
            && let Some(at) = review.place(&said.change)
        {
            review.take_over(at, stands.as_ref());
        }
        against.push((said.change, said.what));
        reviewing.together.dissents.insert(said.change, Dissent { mine: said.verdict, stands });
    }
    tell(state, &against);
}

/// What people say by now.
pub(crate) fn heard(state: &mut State, remembered: Vec<Remembered>) {
    let reviewing = &mut state.reviewing;
    let Some(review) = &mut reviewing.review else { return };
    let news = review.hear(&remembered, |change| reviewing.together.is_on_its_way(change));
    let mut against = Vec::new();
    for heard in news {
        let change = review.plan().changes[heard.at].id;
        // What somebody took over otherwise is over for both.
        reviewing.together.dissents.remove(&change);
        let Some(mine) = heard.mine else { continue };
        let stands = remembered.iter().find(|known| known.said.change == change).cloned();
        reviewing.together.dissents.insert(change, Dissent { mine, stands });
        against.push((change, review.plan().changes[heard.at].words()));
    }
    reviewing.remember(remembered);
    tell(state, &against);
}

/// Counts anew, and says about which changes others decided otherwise.
fn tell(state: &mut State, against: &[(ChangeId, Shown)]) {
    state.reviewing.count();
    let [(first, what), more @ ..] = against else { return };
    let Some(dissent) = state.reviewing.together.dissents.get(first) else { return };
    let name = state.reviewing.review.as_ref().and_then(|review| review.find(first));
    let name = name.map_or_else(|| what.clone(), |change| change.name.shown()).clipped(NAME_COLUMNS);
    let more = if more.is_empty() { String::new() } else { format!(", and {} more", more.len()) };
    state.toast = format!("“{name}”: {}{more}", against_words(dissent, &state.reviewing.who)).into();
}

/// `ben has skipped it meanwhile, you approved it: decide again if yours is to hold`.
pub(super) fn against_words(dissent: &Dissent, who: &str) -> Shown {
    let (stands, next) = match &dissent.stands {
        Some(known) if known.by == who => (format!("elsewhere you have {} it", did(&known.said.verdict)), DECIDE_AGAIN),
        Some(known) => (format!("{} has {} it", known.by, did(&known.said.verdict)), DECIDE_AGAIN),
        None => ("it was taken back or carried out elsewhere".to_owned(), "read both sides again to see which"),
    };
    format!("{stands}, here you have {} it: {next}", did(&dissent.mine)).into()
}

/// The same with the time, for the detail.
pub(super) fn against_line(dissent: &Dissent, who: &str) -> Shown {
    let at = dissent.stands.as_ref().map(|known| format!("{}: ", text::when(known.at))).unwrap_or_default();
    format!("{at}{}", against_words(dissent, who)).into()
}

fn did(verdict: &Resolution) -> &'static str {
    verdict.decision.as_ref().map_or("taken back or edited", Decision::word)
}

/// ` by ben` where somebody else decided about a change.
pub(super) fn by(state: &State, at: usize) -> Option<Shown> {
    let review = state.reviewing.review.as_ref()?;
    let by = review.verdict(at).decision.as_ref().map(|_| review.by(at))?;
    // Where it takes two, the names are said already.
    (by != state.reviewing.who && review.second_words(at).is_none()).then(|| format!(" by {by}").into())
}

/// The client that the row under the cursor stands below, or is.
pub(super) fn client(state: &State) -> Option<PageId> {
    let (_, page) = state.reviewing.page()?;
    state.reviewing.plan()?.client_of(page)
}

/// `ana is on it`, of a client.
pub(super) fn on_it(state: &State, client: PageId) -> Option<Shown> {
    on_it_words(state.reviewing.together.on(client, state.now))
}

/// Tells others that this console is on the client of the row, or is not any more.
pub(super) fn reserve(state: &mut State) -> Option<Effect> {
    let client = client(state)?;
    let together = &mut state.reviewing.together;
    let is_on = together.own.insert(client) || !together.own.remove(&client);
    let name = state.reviewing.plan()?.places.get(&client)?.name.shown().clipped(NAME_COLUMNS);
    state.toast = if is_on {
        format!("others see that you are on “{name}”, until you decide nothing below it for 10 minutes").into()
    } else {
        format!("others see that you are not on “{name}” any more").into()
    };
    Some(Effect::Order(Order::Reserve(client, is_on)))
}

/// True for what decides below a client that somebody else is on, as long as nobody has said to go on.
pub(super) fn is_asked_first(state: &State, command: Command) -> bool {
    !in_the_hands_of_others(state, command).is_empty()
}

/// Who else is on the clients that a command decides below.
pub(crate) fn in_the_hands_of_others(state: &State, command: Command) -> Vec<&Reservation> {
    let together = &state.reviewing.together;
    let is_other = |on: &&Reservation| {
        on.holds(state.now)
            && on.by != state.reviewing.who
            && !together.gone_on.contains(&on.client)
            && !together.own.contains(&on.client)
    };
    let others: Vec<&Reservation> = together.reserved.iter().filter(is_other).collect();
    let Some(plan) = state.reviewing.plan().filter(|_| !others.is_empty()) else { return Vec::new() };
    // Who is asked for as the second person is not in the way of the first.
    let is_wanted = |at: usize| {
        let approves = matches!(command, Command::Approve | Command::ApproveBelow | Command::ApproveShown);
        approves && state.reviewing.review.as_ref().is_some_and(|review| review.wants_second(at))
    };
    let changes = decided_by(state, command).into_iter().filter(|&at| !is_wanted(at));
    let clients: Vec<PageId> = changes.filter_map(|at| plan.client_of(plan.changes[at].page)).collect();
    others.into_iter().filter(|on| clients.contains(&on.client)).collect()
}

/// The changes that a command decides about.
fn decided_by(state: &State, command: Command) -> Vec<usize> {
    let reviewing = &state.reviewing;
    match command {
        Command::ApproveBelow if reviewing.selection == Selection::None => {
            reviewing.tree.changes_below(reviewing.cursor).0
        }
        Command::Approve
        | Command::ApproveBelow
        | Command::Skip
        | Command::Flag
        | Command::Ignore
        | Command::Clear
        | Command::Edit
        | Command::Resolve => reviewing.selected_changes().0,
        Command::Toggle if in_fields(state) => reviewing.current_change().into_iter().collect(),
        Command::ApproveShown => decide::ready(state),
        Command::ApproveNeeded => reviewing.waited_for(),
        Command::Alike => {
            let alike = |at| reviewing.review.as_ref().map(|review| review.alike(at));
            reviewing.current_change().and_then(alike).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}
