//! What others decide meanwhile: it takes the place of what was seen of it, and who decided otherwise here is told.

use crate::{
    domain::{
        review::{Decision, Overtaken, Remembered, Resolution},
        text::Shown,
    },
    face::{
        text,
        tui::state::{State, together::Dissent},
    },
};

/// Columns of a name in a sentence.
const NAME_COLUMNS: usize = 30;

/// Decisions were kept, but for some that others have overtaken.
pub(crate) fn kept(state: &mut State, number: u64, overtaken: Vec<Overtaken>) {
    let reviewing = &mut state.reviewing;
    reviewing.together.arrived(number);
    let Some(review) = &mut reviewing.review else { return };
    let mut against = Vec::new();
    for Overtaken { said, stands } in overtaken {
        // What was said since is overtaken, too, and told then.
        let Some(at) = review.place(&said.change).filter(|_| !reviewing.together.is_on_its_way(&said.change)) else {
            continue;
        };
        review.take_over(at, stands.as_ref());
        reviewing.together.dissents.insert(said.change, Dissent { mine: said.verdict, stands });
        against.push(at);
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
        against.push(heard.at);
    }
    reviewing.remember(remembered);
    tell(state, &against);
}

/// Counts anew, and says about which changes others decided otherwise.
fn tell(state: &mut State, against: &[usize]) {
    state.reviewing.count();
    let Some(plan) = state.reviewing.plan() else { return };
    let [first, more @ ..] = against else { return };
    let change = &plan.changes[*first];
    let Some(dissent) = state.reviewing.together.dissents.get(&change.id) else { return };
    let name = change.name.shown().clipped(NAME_COLUMNS);
    let more = if more.is_empty() { String::new() } else { format!(", and {} more", more.len()) };
    state.toast = format!("“{name}”: {}{more}", against_words(dissent, &state.reviewing.who)).into();
}

/// `ben has skipped it meanwhile, you approved it: decide again if yours is to hold`.
pub(super) fn against_words(dissent: &Dissent, who: &str) -> Shown {
    let stands = match &dissent.stands {
        Some(known) if known.by == who => format!("elsewhere you have {} it", did(&known.said.verdict)),
        Some(known) => format!("{} has {} it", known.by, did(&known.said.verdict)),
        None => "it was taken back or carried out elsewhere".to_owned(),
    };
    format!("{stands}, here you have {} it: decide again if that is to hold", did(&dissent.mine)).into()
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
    (by != state.reviewing.who).then(|| format!(" by {by}").into())
}
