//! Which data source is meant, and what becomes of its schema.

use std::sync::atomic::{AtomicBool, Ordering};

use punchlist::{
    domain::{
        model::{Field, Kind, Relation},
        rules::Mapping,
    },
    edge::notion::Error,
    sandbox::{Knobs, World},
};

use super::{clients, fetch, ids, mapped, pages, seen};
use crate::support::Wire;

#[tokio::test]
async fn every_way_to_name_a_database_leads_to_its_data_source() {
    let wire = Wire::new(World::empty(), Knobs::default()).await;
    let notion = wire.notion(&Mapping::n8n());
    let (source, database) = {
        let world = wire.sandbox.world();
        (
            world.data_source("Clients").expect("a source").to_string(),
            world.database("Clients").expect("a database").to_string(),
        )
    };
    let (bare_source, bare) = (source.replace('-', ""), database.replace('-', ""));
    let view = "0123456789abcdef0123456789abcdef";

    for (reference, calls) in [
        (source.clone(), 1),
        (bare_source.clone(), 1),
        (source.to_uppercase(), 1),
        (database.clone(), 3),
        (bare.clone(), 3),
        (format!("https://www.notion.so/agency/{bare}?v={view}&pvs=4"), 2),
        (format!("https://www.notion.so/agency/All-Clients-{bare}?v={view}"), 2),
        (format!("https://www.notion.so/{}?v={view}", bare.to_uppercase()), 2),
        (format!("https://app.notion.com/p/{database}"), 2),
        (format!("https://agency.notion.site/{bare}/#h1"), 2),
        (format!("https://app.notion.com/p/{bare_source}"), 2),
    ] {
        wire.sandbox.clear_calls();
        let resolved =
            notion.resolve(Kind::Client, &reference).await.unwrap_or_else(|error| panic!("{reference}: {error}"));
        assert_eq!(resolved.data_source.to_string(), source, "{reference}");
        assert_eq!((resolved.title.exact(), wire.sandbox.calls().len()), ("Clients", calls), "{reference}");
    }
}

#[tokio::test]
async fn what_leads_to_no_single_data_source_says_what_to_do() {
    let mut world = World::empty();
    let linked = world.add_linked_database("A view of Clients").to_string();
    let database = world.database("Projects").expect("a database");
    world.add_data_source(database, "Ideas \u{1b}[31m");
    let page = world.add_client_page("Acme").to_string();
    let wire = Wire::new(world, Knobs { unshared: ["Tasks".to_owned()].into(), ..Knobs::default() }).await;
    let (notion, tasks) =
        (wire.notion(&Mapping::n8n()), wire.sandbox.world().data_source("Tasks").expect("a source").to_string());

    for (reference, text, hint) in [
        ("Clients".to_owned(), "holds no Notion id", "copy its link"),
        (linked.clone(), "no data source that the connection can see", "original database"),
        (
            format!("https://www.notion.so/agency/{}?v=1", linked.replace('-', "")),
            "no data source that the",
            "original database",
        ),
        (database.to_string(), "several data sources: Projects (", "the id of the one"),
        (page, "is a page and not a database", "open the database itself"),
        (tasks, "neither a data source nor a database", "Connections"),
    ] {
        let error = notion.resolve(Kind::Project, &reference).await.expect_err(&reference);
        let message = error.to_string();
        assert!(message.starts_with("notion.projects.data_source") && message.contains(text), "{reference}: {message}");
        assert!(error.hint().contains(hint) && !message.contains('\u{1b}'), "{reference}: {message}; {}", error.hint());
    }
}

#[tokio::test]
async fn a_data_source_of_several_is_used_by_its_own_id() {
    let mut world = World::empty();
    let database = world.database("Clients").expect("a database");
    world.add_data_source(database, "Prospects");
    let acme = world.add_client_page("Acme");
    let wire = Wire::new(world, Knobs::default()).await;

    let pages = pages(&wire, Kind::Client, &Mapping::n8n()).await;

    assert_eq!(seen(&pages), ids(&[acme]));
}

#[tokio::test]
async fn losing_a_data_source_is_an_error_and_never_an_empty_listing() {
    let mut world = World::empty();
    clients(&mut world, 250);
    let wire = Wire::new(world, Knobs::default()).await;
    let (notion, source) = wire.bound(Kind::Client, &Mapping::n8n()).await;

    for first in [true, false] {
        let unshare = |_| {
            wire.sandbox.knobs().unshared.insert("Clients".to_owned());
        };
        if first {
            unshare(0);
        }
        let error = notion.fetch(Kind::Client, &source, &[], &unshare).await.expect_err("no listing");
        assert!(matches!(error, Error::NotFound { .. }) && error.hint().contains("Connections"), "{error}");
        wire.sandbox.knobs().unshared.clear();
    }
}

#[tokio::test]
async fn relations_into_a_lost_data_source_never_come_without_its_error() {
    for relation_empty_when_unshared in [true, false] {
        let mut world = World::empty();
        let client = world.add_client_page("Acme");
        world.add_project_page("Website", client);
        let wire = Wire::new(world, Knobs { relation_empty_when_unshared, ..Knobs::default() }).await;
        let (notion, clients) = wire.bound(Kind::Client, &Mapping::n8n()).await;
        let (_, projects) = wire.bound(Kind::Project, &Mapping::n8n()).await;
        wire.sandbox.knobs().unshared.insert("Clients".to_owned());

        let project = fetch(&notion, Kind::Project, &projects).await.pages.rows()[0].clone();
        let lost = notion.fetch(Kind::Client, &clients, &[], &|_| {}).await;

        assert_eq!(project.parent == Relation::None, relation_empty_when_unshared, "Notion answers 200 either way");
        assert!(matches!(lost, Err(Error::NotFound { .. })), "{lost:?}");
    }
}

#[tokio::test]
async fn a_schema_that_changed_is_noticed_and_named() {
    type Edit = fn(&mut World);
    for (edit, fits, named) in [
        (
            (|world| world.rename_property("Projects", "Status", "State")) as Edit,
            false,
            "it seems to be called \"State\" now",
        ),
        (|world| world.delete_property("Projects", "Status"), false, "has no property \"Status\""),
        (
            |world| world.rename_property("Projects", "Clients", "Customer"),
            false,
            "it seems to be called \"Customer\" now",
        ),
        (|world| world.rename_property("Projects", "Notes", "Remarks"), false, "it seems to be called \"Remarks\" now"),
        (|world| world.rename_property("Projects", "Name", "Title"), true, ""),
        (|world| world.rename_property("Projects", "Tags", "Labels"), true, ""),
        (
            |world| world.rename_option("Projects", "Status", "Done", "Finished"),
            false,
            "no option \"Done\" in \"Status\"",
        ),
        (|world| world.rename_option("Projects", "Status", "In progress", "Doing"), true, ""),
    ] {
        for midway in [false, true] {
            let mut world = World::empty();
            for number in 0..150 {
                let page = world.add_project_page(&format!("Project {number}"), None);
                world.set_status(page, "Status", if number % 2 == 0 { "Done" } else { "In progress" });
            }
            let wire = Wire::new(world, Knobs::default()).await;
            let (notion, source) = wire.bound(Kind::Project, &mapped(Kind::Project, &[(Field::Note, "Notes")])).await;
            let edited = AtomicBool::new(false);
            let edit_once = |_| {
                if !edited.swap(true, Ordering::SeqCst) {
                    edit(&mut wire.sandbox.world());
                }
            };
            if !midway {
                edit_once(0);
            }

            let listed = notion.fetch(Kind::Project, &source, &[], &edit_once).await;

            match listed {
                Ok(listed) => {
                    assert!(fits, "{named}: accepted, {midway}");
                    let listing = listed.pages.complete().expect("complete");
                    let closed = listing.rows().iter().filter(|page| page.standing.is_closed()).count();
                    assert_eq!((listing.rows().len(), closed), (150, 75));
                }
                Err(error) => {
                    assert!(!fits, "{error}");
                    assert!(error.to_string().contains(named), "{error}");
                    assert!(!error.hint().is_empty());
                }
            }
        }
    }
}
