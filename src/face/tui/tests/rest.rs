//! What an apply leaves: the review comes back by itself, and the results are one key away.

use std::sync::Arc;

use super::{Film, Scene, THEME, apply::totals, film_of, keys, noon, planned};
use crate::{
    domain::{
        diff::tests::world::World,
        journal::{Event, What},
        model::Service,
        plan::{Calls, Plan},
        report::{Stopped, report},
    },
    edge::http::Exchange,
    engine::session::Progress,
    face::tui::{command::Tab, effect::Order, news::News, state::Phase, term::last_words},
};

/// Clients that are in Notion only, but for the first ones, which are in both.
fn clients(all: usize, linked: usize) -> Plan {
    let names: Vec<String> = (0..all).map(|number| format!("Client {number:02}")).collect();
    let mut world = World::linked(&names[..linked].iter().map(String::as_str).collect::<Vec<_>>());
    for name in &names[linked..] {
        world.page(name);
    }
    world.plan()
}

/// Three changes of 49 were applied; what happens then is up to the test.
fn applied_three(failing: bool) -> Vec<Scene> {
    let plan = clients(49, 0);
    let mut scenes: Vec<Scene> = planned(plan.clone()).into_iter().map(Scene::News).collect();
    scenes.extend(keys("<space><space><space>P<enter>").into_iter().map(Scene::Input));
    let what = |at: usize| match at {
        2 if failing => What::Failed { change: plan.changes[2].id, error: "no".into(), hint: "ask".into() },
        at => What::Applied { change: plan.changes[at].id },
    };
    let event = |at| Event { run: "r".parse().expect("a run"), at: noon(), what: what(at) };
    let events: Vec<Event> = (0..3).map(event).collect();
    scenes.extend(events.iter().map(|event| Scene::News(News::Progress(Progress::Happened(event.clone())))));
    let totals = totals(Stopped::No, Calls { notion: 3, clockify: 3 }, 2.0);
    scenes.push(Scene::News(News::Applied(Box::new(report(
        "20261123".parse().expect("a run"),
        &plan,
        &events,
        totals,
    )))));
    scenes
}

/// A request that only reads went well; so much of an hour's budget is spent then.
pub(super) fn exchanged(service: Service, of_hour: Option<(usize, usize)>) -> Scene {
    let (method, path) = ("GET".to_owned(), "/".to_owned());
    let (status, millis, attempt) = (Some(200), 9, 1);
    let exchange = Exchange {
        service,
        method,
        path,
        status,
        millis,
        attempt,
        only_reads: true,
        of_hour,
        pause: None,
        request_id: None,
        bodies: None,
    };
    Scene::News(News::Progress(Progress::Exchanged(exchange)))
}

/// Both sides are read with seven requests, and this is left.
fn read(plan: Plan) -> Vec<Scene> {
    let services = [Service::Notion; 4].into_iter().chain([Service::Clockify; 3]);
    let mut scenes: Vec<Scene> = services.map(|service| exchanged(service, None)).collect();
    scenes.push(Scene::News(News::Planned { plan: Arc::new(plan), remembered: Vec::new(), at: noon() }));
    scenes
}

fn after(mut scenes: Vec<Scene>, size: (u16, u16), typed: &str) -> Film {
    scenes.extend(keys(typed).into_iter().map(Scene::Input));
    film_of(size, THEME, scenes)
}

#[test]
fn a_portion_of_three_leaves_the_rest_on_the_screen_and_in_the_sums() {
    for size in [(120, 36), (80, 24)] {
        let film = after(applied_three(false), size, "");
        assert_eq!((film.state.tab, &film.state.phase), (Tab::Apply, &Phase::Reading));
        assert!(matches!(film.orders.last(), Some(Order::Read)), "{:?}", film.orders.last());
        assert!(film.frame.contains("reading what is left, 0 Notion and 0 Clockify calls so far"), "{}", film.frame);
        assert!(film.frame.contains("3 applied, 0 failed, 0 not started."), "{}", film.frame);

        let mut scenes = applied_three(false);
        scenes.extend(read(clients(49, 3)));
        let film = after(scenes, size, "");
        assert_eq!((film.state.tab, &film.state.phase), (Tab::Review, &Phase::Ready));
        // What does not fit is cut in the middle, and says so.
        let said = film.frame.lines().last().expect("the last line");
        let (from, to) = said.split_once('…').unwrap_or((said, said));
        assert!(from.starts_with(" 3 applied; 46 left; 2 has the ") && to.ends_with(" Clockify calls"), "{said}");
        assert_eq!(said.contains('…'), size.0 < 88, "{said}");
        assert!(film.frame.contains("Client 03") && !film.frame.contains("Client 02"), "{}", film.frame);
        assert!(film.frame.contains("0/46"), "{}", film.frame);
        assert_eq!((film.state.reviewing.tally.changes, film.state.reviewing.tree.visible.len()), (46, 46));
    }
}

#[test]
fn the_results_are_one_key_away_and_q_goes_back_to_the_list() {
    let mut scenes = applied_three(false);
    scenes.extend(read(clients(49, 3)));
    let film = after(scenes, (80, 24), "2");
    assert!(film.frame.contains("3 applied, 0 failed, 0 not started."), "{}", film.frame);
    let mut scenes = applied_three(false);
    scenes.extend(read(clients(49, 3)));
    let film = after(scenes, (80, 24), "2q");
    assert!(film.state.tab == Tab::Review && film.frame.contains("Client 03"), "{}", film.frame);
}

#[test]
fn who_has_gone_elsewhere_meanwhile_is_not_taken_away() {
    for (typed, tab) in [("4", Tab::Runs), ("?", Tab::Apply)] {
        let mut scenes = applied_three(false);
        scenes.extend(keys(typed).into_iter().map(Scene::Input));
        scenes.extend(read(clients(49, 3)));
        let film = after(scenes, (80, 24), "");
        assert_eq!(film.state.tab, tab);
        assert_eq!(film.state.reviewing.tally.changes, 46, "and the list is there");
    }
}

#[test]
fn where_what_is_left_cannot_be_read_the_results_stay_and_say_so() {
    for (typed, tab) in [("", Tab::Apply), ("4", Tab::Runs), ("1", Tab::Review)] {
        let mut scenes = applied_three(false);
        scenes.extend(keys(typed).into_iter().map(Scene::Input));
        let text = vec!["error: the request budget of Clockify is spent".into()];
        scenes.push(Scene::News(News::Failed { text, code: 75 }));

        let film = after(scenes, (80, 24), "");

        assert_eq!((film.state.tab, matches!(film.state.phase, Phase::Failed { code: 75, .. })), (tab, true));
        if tab != Tab::Runs {
            assert!(film.frame.contains("the request budget of Clockify is spent"), "{}", film.frame);
            assert!(film.frame.contains("R reads both sides again"), "{}", film.frame);
        }
        assert_eq!(film.frame.contains("3 applied, 0 failed, 0 not started."), tab == Tab::Apply, "{}", film.frame);
        assert!(matches!(film.orders.last(), Some(Order::Read)));
    }
    // It was read, and something else went wrong later.
    let mut scenes = applied_three(false);
    scenes.extend(read(clients(49, 3)));
    scenes.push(Scene::News(News::Failed { text: vec!["error: the state cannot be used".into()], code: 6 }));
    let later = after(scenes, (80, 24), "2");
    assert!(!later.frame.contains("what is left could not be read"), "{}", later.frame);
}

#[test]
fn what_failed_is_asked_about_again_without_another_reading() {
    for while_reading in [true, false] {
        let mut scenes = applied_three(true);
        let retry = || keys("r").into_iter().map(Scene::Input);
        if while_reading {
            scenes.extend(retry());
        }
        let fresh = clients(49, 2);
        scenes.extend(read(fresh));
        // What failed is there to be read until somebody goes on.
        if !while_reading {
            scenes.extend(keys("q").into_iter().map(Scene::Input));
            scenes.extend(keys("<space>").into_iter().map(Scene::Input));
            scenes.extend(retry());
        }
        let film = after(scenes, (80, 24), "");
        assert_eq!(film.orders.iter().filter(|order| matches!(order, Order::Read)).count(), 1);
        let said = if while_reading { "nothing that was approved is left" } else { "1 approved change is written" };
        assert!(film.frame.contains(said), "{}", film.frame);
    }
}

#[test]
fn who_leaves_while_the_rest_is_read_leaves_at_once() {
    let film = after(applied_three(false), (80, 24), "<ctrl-c>j");
    assert!(!film.stopped, "nobody is there to see a reading that was stopped");
    assert_eq!(last_words(&film.state, false), "run 20261123: applied");
}
