//! What is wrong is told by its true cause, with the place where it was set and the next step, all of it at once.

use punchlist::sandbox::{Fault, FaultKind, Service};

use crate::support::{Ran, Rig};

/// Runs `plan`, which must fail with a code and say all these things in this order.
#[track_caller]
fn says(rig: &Rig, code: i32, texts: &[&str]) -> String {
    told(&rig.run(&["plan"]), code, texts)
}

#[track_caller]
fn told(ran: &Ran, code: i32, texts: &[&str]) -> String {
    assert_eq!(ran.code, code, "{}", ran.stderr);
    let mut rest = ran.stderr.as_str();
    for text in texts {
        let at = rest.find(text).unwrap_or_else(|| panic!("{text:?} should come in\n{}", ran.stderr));
        rest = &rest[at..];
    }
    ran.stderr.clone()
}

fn html() -> FaultKind {
    let page = "<html><head><title>Not here</title></head><body>nothing</body></html>";
    FaultKind::Answer { status: 404, headers: vec![("content-type".into(), "text/html".into())], body: page.into() }
}

#[test]
fn a_table_was_set_where_it_stands() {
    let rig = Rig::of_one_project();
    for more in [
        "\n[mapping.projects.closed]\nproperty = \"Stage\"\nvalues = [\"Done\"]\n",
        "\nmapping.projects.closed = { property = \"Stage\", values = [\"Done\"] }\n",
        "\n[mapping.projects]\nclosed.property = \"Stage\"\n",
    ] {
        rig.configure(more);
        let lines = std::fs::read_to_string(rig.configuration()).expect("reads");
        let line = lines.lines().position(|line| line.contains("Stage")).expect("there") + 1;
        says(
            &rig,
            78,
            &[
                "no property \"Stage\"",
                &format!("mapping.projects.closed is set in {}:{line}", rig.configuration().display()),
            ],
        );
    }
}

#[test]
fn a_wrong_base_url_is_told_as_such_whatever_answers_there() {
    let rig = Rig::of_one_project();
    let place = format!("is set in {}:2", rig.configuration().display());
    rig.sandbox.knobs().faults = vec![Fault::new(html()).service(Service::Notion).times(99)];
    says(
        &rig,
        1,
        &[
            "notion.base_url does not lead to Notion's API",
            "a page of HTML, “Not here”",
            "https://api.notion.com",
            &place,
        ],
    );
    rig.sandbox.knobs().faults.clear();
    let url = rig.sandbox.clockify_url();
    rig.write_configuration(&rig.reach().replace(&url, &format!("{url}/elsewhere")));
    let place = format!("clockify.base_url is set in {}:7", rig.configuration().display());
    says(
        &rig,
        1,
        &[
            "clockify.base_url does not lead to Clockify's API",
            "No static resource",
            "https://api.clockify.me/api",
            &place,
        ],
    );
}

#[test]
fn links_of_pages_and_views_are_told_from_those_of_databases() {
    let rig = Rig::of_one_project();
    let (source, page) = {
        let world = rig.sandbox.world();
        (
            world.data_source("Clients").expect("there").to_string(),
            world.find_page("Clients", "Acme Corp").expect("there"),
        )
    };
    let view = "ffffffffffffffffffffffffffffffff";
    for reference in [
        format!("{source}?v={view}"),
        format!("https://www.notion.so/acme/Clients-{}?v={view}", source.replace('-', "")),
    ] {
        rig.write_configuration(&rig.reach().replace(&source, &reference));
        assert_eq!(rig.run(&["plan"]).code, 0, "{reference}");
    }
    for reference in [page.to_string(), format!("https://app.notion.com/p/{}", page.to_string().replace('-', ""))] {
        rig.write_configuration(&rig.reach().replace(&source, &reference));
        let place = format!("is set in {}:3", rig.configuration().display());
        says(
            &rig,
            78,
            &[
                &format!("notion.clients.data_source: {page} is a page and not a database"),
                "copy its link",
                &source,
                &place,
            ],
        );
    }
}

#[test]
fn last_years_copy_of_a_database_is_named_with_the_one_that_is_meant() {
    let rig = Rig::of_one_project();
    let (old, copy) = {
        let mut world = rig.sandbox.world();
        let database = world.database("Clients").expect("a database");
        let copy = world.add_data_source(database, "Clients 2025");
        let columns = [("Name", "title"), ("Archive", "checkbox"), ("Clockify Client ID", "rich_text")];
        world.add_columns(copy, &columns);
        ["Clients", "Clients 2025"].map(|name| world.data_source(name).expect("there").to_string()).into()
    };
    rig.write_configuration(&rig.reach().replace(&old, &copy));
    let plan = rig.plan();
    let hold = plan["changes"][0]["hold"]["text"].as_str().expect("held").to_owned();
    for text in [
        &format!("\"Clients\" points to another data source ({old}) than notion.clients.data_source"),
        "where one is a copy, last year's say, set notion.clients.data_source or notion.projects.data_source",
    ] {
        assert!(hold.contains(text), "{text} is not in {hold}");
    }
}

#[test]
fn swapped_databases_are_recognised() {
    let rig = Rig::of_one_project();
    let (clients, tasks) = {
        let world = rig.sandbox.world();
        ["Clients", "Tasks"].map(|name| world.data_source(name).expect("there").to_string()).into()
    };
    rig.write_configuration(&rig.reach().replace(&clients, "X").replace(&tasks, &clients).replace('X', &tasks));
    says(
        &rig,
        78,
        &[
            "notion.clients.data_source is “Tasks”, which fits the tasks and not the clients",
            "notion.tasks.data_source is “Clients”, which fits the clients and not the tasks",
            "exchange notion.clients.data_source and notion.tasks.data_source",
            "notion.clients.data_source is set in",
        ],
    );
}

#[test]
fn a_token_in_quotation_marks_and_a_path_of_windows_name_what_is_wrong() {
    let rig = Rig::of_one_project();
    let quoted = rig.command().arg("plan").env("NOTION_TOKEN", "\"ntn_sandbox\"").output().expect("runs");
    told(
        &Ran::of(quoted),
        7,
        &["env:NOTION_TOKEN", "punchlist.toml:1", "quotation marks", "take the quotation marks away"],
    );
    for path in [r"C:\Users\me", r"C:\new"] {
        rig.configure(&format!("logs.key = \"{path}\"\n"));
        says(&rig, 78, &["punchlist.toml:8", "in double quotes a backslash begins an escape", "'C:\\Users\\me'"]);
    }
}

#[test]
fn everything_that_is_wrong_comes_at_once_and_in_one_order() {
    let rig = Rig::of_one_project();
    let none =
        rig.command().arg("plan").env_remove("NOTION_TOKEN").env_remove("CLOCKIFY_API_KEY").output().expect("runs");
    let once = told(
        &Ran::of(none),
        7,
        &["2 things are wrong", "NOTION_TOKEN is not set", "CLOCKIFY_API_KEY is not set", "hint: set NOTION_TOKEN"],
    );
    for _ in 0..2 {
        let wrong = rig
            .command()
            .arg("plan")
            .env("NOTION_TOKEN", "ntn_wrong")
            .env("CLOCKIFY_API_KEY", "wrong")
            .output()
            .expect("runs");
        let text = told(
            &Ran::of(wrong),
            7,
            &["2 things are wrong", "notion.token", "clockify.token", "notion.token is set in"],
        );
        assert_eq!(
            text.matches("notion.token is not accepted by Notion").count(),
            1,
            "one token is refused once: {text}"
        );
    }
    assert_ne!(once, "");
    rig.sandbox.knobs().unshared.extend(["Projects".to_owned(), "Tasks".to_owned()]);
    rig.configure("clockify.workspace = \"000000000000000000000000\"\n");
    says(
        &rig,
        7,
        &["3 things are wrong", "notion.projects.data_source", "notion.tasks.data_source", "clockify.workspace is"],
    );
}

#[test]
fn one_that_hangs_does_not_keep_the_others_from_being_told() {
    let rig = Rig::of_one_project();
    rig.sandbox.knobs().faults = vec![Fault::new(FaultKind::Stall).service(Service::Clockify).times(99)];
    let begun = std::time::Instant::now();
    let wrong = rig.command().arg("plan").env("NOTION_TOKEN", "ntn_wrong").output().expect("runs");
    told(&Ran::of(wrong), 7, &["notion.token is not accepted by Notion"]);
    assert!(begun.elapsed().as_secs() < 15, "{:?}", begun.elapsed());
}

/// What is wrong with schemas, each with the kind that it is of.
const MISFITS: [&str; 4] = [
    "mapping.clients.id: Clients has no property \"Clockify Client ID\"; it seems to be called \"ID\" now",
    "mapping.projects.client: Projects has no property \"Clients\"",
    "mapping.projects.closed: Projects has no property \"Status\"",
    "mapping.tasks.project: Tasks has no property \"Projects\"",
];

#[test]
fn schemas_that_changed_since_they_were_remembered_are_told_at_once() {
    let rig = Rig::of_one_project();
    {
        let mut world = rig.sandbox.world();
        let project = world.find_page("Projects", "Website").expect("there");
        world.add_task_page("Design", project);
    }
    assert_eq!(rig.run(&["plan"]).code, 0, "remembers the schemas");
    for (source, from, to) in [
        ("Clients", "Clockify Client ID", "ID"),
        ("Projects", "Clients", "Customer"),
        ("Projects", "Status", "Stage"),
        ("Tasks", "Projects", "Job"),
    ] {
        rig.sandbox.world().rename_property(source, from, to);
    }
    for _ in 0..3 {
        let mut expected = vec!["4 things are wrong"];
        expected.extend(MISFITS);
        says(&rig, 78, &expected);
    }
}

#[test]
fn a_mapping_that_changed_is_told_with_all_else_that_is_wrong() {
    let rig = Rig::of_one_project();
    assert_eq!(rig.run(&["plan"]).code, 0, "remembers the schemas");
    rig.configure(
        "mapping.projects.fields.note = \"Nowhere\"\nmapping.projects.fields.color = \"Never\"\nmapping.tasks.id = \"None\"\n",
    );
    let expected = [
        "4 things are wrong",
        "mapping.projects.fields.note: Projects has no property \"Nowhere\"",
        "mapping.projects.fields.color: Projects has no property \"Never\"",
        "mapping.tasks.id: Tasks has no property \"None\"",
        "clockify.token",
    ];
    for _ in 0..3 {
        let wrong = rig.command().arg("plan").env("CLOCKIFY_API_KEY", "wrong").output().expect("runs");
        told(&Ran::of(wrong), 78, &expected);
    }
}
