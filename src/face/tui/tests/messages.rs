//! What the console says where other keys are configured, and what a session is: a value that can be kept, compared and
//! played again.

use crossterm::event::Event;

use super::{Film, Scene, THEME, apply::totals, film, film_keyed, keys, plan, planned};
use crate::{
    domain::{
        plan::Calls,
        report::{Stopped, report},
    },
    edge::config::KeysSetting,
    face::tui::{command::Tab, keymap::Keymap, news::News, overlay::act, state::State, tab::TABLE},
};

/// A key for every command that none has by default.
fn others() -> Keymap {
    let keys = ('А'..='я').chain('α'..='ω').map(|key| vec![key.to_string()]);
    let set = |keys| KeysSetting { keys, place: String::new() };
    let configured = TABLE.iter().zip(keys).map(|(row, keys)| (row.name.to_owned(), set(keys)));
    Keymap::default().configured(&configured.collect()).expect("every command has a key of its own")
}

/// A text in which `{name}` stands for the key of a command.
fn spelled(keymap: &Keymap, text: &str) -> String {
    TABLE
        .iter()
        .fold(text.to_owned(), |text, row| text.replace(&format!("{{{}}}", row.name), &keymap.first(row.command)))
}

/// Names of commands, and texts such as `=close<enter>`, as they are typed.
fn typed(keymap: &Keymap, text: &str) -> Vec<Event> {
    let of_command = |name: &str| {
        let row = TABLE.iter().find(|row| row.name == name).expect(name);
        let key = keymap.first(row.command);
        let default = row.keys.first().map_or("", |key| key);
        keys(&if key.is_ascii() && default.len() > 1 { format!("<{default}>") } else { key })
    };
    let words = text.split(' ').filter(|word| !word.is_empty());
    words.flat_map(|word| word.strip_prefix('=').map_or_else(|| of_command(word), keys)).collect()
}

/// News, what is typed then, and what is said.
fn said() -> Vec<(Vec<News>, &'static str, Vec<&'static str>)> {
    let ended = || {
        let calls = Calls { notion: 1, clockify: 1 };
        News::Applied(Box::new(report("b".parse().expect("a run"), &plan(), &[], totals(Stopped::No, calls, 1.0))))
    };
    let failed = || News::Failed { text: vec!["no network".into()], code: 1 };
    let with = |news: News| planned(plan()).into_iter().chain([news]).collect::<Vec<_>>();
    let shown = || planned(plan());
    vec![
        (vec![], "", vec!["{interrupt} stops reading"]),
        (with(failed()), "", vec!["{refetch} reads both sides again, {leave} leaves"]),
        (with(ended()), "", vec!["{interrupt} leaves, {apply_tab} has the results"]),
        (with(ended()).into_iter().chain(shown()).collect(), "", vec!["5 left; {apply_tab} has the results"]),
        (with(failed()), "approve", vec!["read both sides again first ({refetch})"]),
        (shown(), "", vec!["[{review_tab} Review]", "({open_page})", "{approve} approve", "{help} help"]),
        (shown(), "down down approve", vec!["{undo} takes them back"]),
        (shown(), "skip", vec!["{undo} takes it back"]),
        (shown(), "approve_shown", vec!["1 for review: {next_undecided} goes there"]),
        (shown(), "range bottom approve", vec!["in conflict, {resolve} resolves"]),
        (shown(), "skip approve", vec!["waits for “Acme”, which was skipped; {approve_needed} approves it too"]),
        (shown(), "next_conflict resolve =1", vec!["resolved: “Initech”; {undo} takes it back"]),
        (shown(), "mark", vec!["search ({search}) or filter ({filter}) first: {mark} selects what matches"]),
        (shown(), "filter =action:close<enter> mark", vec!["1 selected; decide, or {back}"]),
        (shown(), "filter =quartz<enter>", vec!["nothing passes the filter; {back} shows everything"]),
        (shown(), "next_match", vec!["nothing is searched for ({search})"]),
        (shown(), "detail detail_down", vec!["the detail is hidden ({detail})"]),
        (shown(), "only_failures", vec!["only while applying ({apply_tab})"]),
        (shown(), "log_level", vec!["only in the log ({logs_tab})"]),
        (shown(), "runs_tab approve", vec!["only in the review ({review_tab})"]),
        (shown(), "apply_tab", vec!["approve changes ({review_tab}), then {apply}"]),
        (shown(), "back", vec!["{leave} leaves"]),
        (shown(), "open_page", vec!["if nothing comes, {copy_url} copies it"]),
        (shown(), "help", vec!["Help: type to narrow, ↓ ↑ scroll, esc closes"]),
        (shown(), "copy", vec!["Copy: a number, or {toggle}"]),
        (shown(), "palette =failures", vec!["(only while applying ({apply_tab}))"]),
        (
            shown(),
            "next_conflict resolve",
            vec![
                "a number or {toggle} takes a way and approves it; {skip} skips",
                "{edit} types a value, {flag} flags it",
                "{previous_conflict} {next_conflict} other conflicts, {back} closes",
            ],
        ),
        (shown(), "next_conflict resolve toggle", vec!["or with {down} and {up}"]),
        (shown(), "down down approve apply", vec!["{toggle} applies, {back} goes back"]),
        (shown(), "down down approve apply toggle leave", vec!["{interrupt} stops after those in flight"]),
        (shown(), "down down approve apply toggle interrupt", vec!["{interrupt} again leaves at once"]),
    ]
}

#[test]
fn every_message_that_names_a_key_names_the_configured_one() {
    for keymap in [Keymap::default(), others()] {
        let show = |news: Vec<News>, size, commands: &str| -> Film {
            let input = typed(&keymap, commands).into_iter().map(Scene::Input);
            film_keyed(&keymap, size, THEME, news.into_iter().map(Scene::News).chain(input).collect(), None)
        };
        for (news, commands, messages) in said() {
            let film = show(news, (120, 40), commands);
            for message in messages {
                let message = spelled(&keymap, message);
                assert!(film.frame.contains(&message), "{commands}: no “{message}” in\n{}", film.frame);
            }
        }
        let small = show(Vec::new(), (30, 8), "");
        assert!(small.frame.contains(&spelled(&keymap, "too small; {leave} leaves")), "{}", small.frame);
    }
}

#[test]
fn what_is_off_changes_nothing_but_the_line_at_the_bottom() {
    let failed = vec![News::Failed { text: vec!["no network".into()], code: 1 }];
    for (news, at_least) in [(vec![], 40), (planned(plan()), 5), (failed, 40)] {
        let mut state = film((100, 24), news, Vec::new()).state;
        for tab in Tab::ALL {
            state.tab = tab;
            let off: Vec<_> = TABLE.iter().filter_map(|row| Some((row, (row.off)(&state)?))).collect();
            assert!(off.len() > at_least, "{tab:?}: {}", off.len());
            for (row, because) in off {
                let mut after = state.clone();
                assert!(act(&mut after, row.command).is_none(), "{}", row.name);
                assert!(after == State { toast: because, ..state.clone() }, "{tab:?}: {}", row.name);
            }
        }
    }
}

#[test]
fn a_session_that_is_played_again_ends_in_the_same_state() {
    let session = |typed: &str| film((100, 24), planned(plan()), keys(typed)).state;
    let played = "jj<space>)c1faction:close<enter>*su/Des<esc>,ctz1<tab>3fwarn<enter>4j1";
    assert!(session(played) == session(played));
    assert!(session(played) != session(&format!("{played}u")));
}
