//! An agency with 50 tasks in a project and 20 projects of a client, all of which are on both sides.

#![allow(dead_code, unreachable_pub, reason = "each bench measures it in one way of two")]

use jiff::Timestamp;
use punchlist::{
    domain::model::{
        Agreed, Along, Base, Claim, Field, Identified, Kind, Link, Nature, Object, ObjectId, Page, PageId, PerKind,
        Registry, Relation, Schedule, Sight, Snapshot, Snapshots, Standing, Value, Values, Walk,
    },
    sandbox::World,
};

/// The services, where all pages name their objects.
pub fn world(tasks: usize) -> World {
    let mut world = World::empty();
    for client in 0..tasks.div_ceil(1000) {
        let name = format!("Client {client}");
        let (client_page, client) = (world.add_client_page(&name), world.add_client(&name));
        world.set_claim(client_page, client);
        for project in 0..20 {
            let name = format!("Project {project}");
            let (page, object) = (world.add_project_page(&name, client_page), world.add_project(&name, client));
            world.set_claim(page, object);
            for task in 0..50 {
                let name = format!("Task {task} of the project");
                let (page, object) = (world.add_task_page(&name, page), world.add_task(&name, object));
                world.set_claim(page, object);
            }
        }
    }
    world
}

/// Services of which only one has anything: 19 clients, 83 projects and 654 tasks, all in Notion.
pub fn unborn() -> World {
    let mut world = World::empty();
    let clients: Vec<_> = (0..19).map(|number| world.add_client_page(&format!("Client {number}"))).collect();
    let projects = (0..83).map(|number| world.add_project_page(&format!("Project {number}"), clients[number % 19]));
    let projects: Vec<_> = projects.collect();
    for number in 0..654 {
        world.add_task_page(&format!("Task {number}"), projects[number % 83]);
    }
    world
}

/// So many new tasks in three projects that are on both sides: none of them goes along with anything.
pub fn new_tasks(count: usize) -> World {
    let mut world = World::empty();
    let (client_page, client) = (world.add_client_page("Client"), world.add_client("Client"));
    world.set_claim(client_page, client);
    let pages: Vec<_> = (0..3)
        .map(|project| {
            let name = format!("Project {project}");
            let (page, object) = (world.add_project_page(&name, client_page), world.add_project(&name, client));
            world.set_claim(page, object);
            page
        })
        .collect();
    for number in 0..count {
        world.add_task_page(&format!("Task {number}"), pages[number % 3]);
    }
    world
}

/// Both sides of it, and the registry, with every so manieth task renamed in Notion.
pub fn sides(tasks: usize, renamed_every: usize) -> (Snapshots, Registry) {
    let mut world = Sides::default();
    for client in 0..tasks.div_ceil(1000) {
        let client = world.add(Kind::Client, None, &format!("Client {client}"), false);
        for project in 0..20 {
            let project = world.add(Kind::Project, Some(client), &format!("Project {project}"), false);
            for task in 0..50 {
                let renamed = (world.numbers + 1).is_multiple_of(renamed_every);
                world.add(Kind::Task, Some(project), &format!("Task {task} of the project"), renamed);
            }
        }
    }
    world.finish()
}

#[derive(Default)]
struct Sides {
    numbers: usize,
    pages: [Walk<Page>; 3],
    objects: [Walk<Object>; 3],
    links: Vec<Link>,
}

impl Sides {
    fn add(&mut self, kind: Kind, parent: Option<(PageId, ObjectId)>, name: &str, renamed: bool) -> (PageId, ObjectId) {
        if kind == Kind::Task {
            self.numbers += 1;
        }
        let number = self.links.len() as u128 + 1;
        let page = PageId::from_number(number << 64);
        let object: ObjectId = format!("{number:024x}").parse().expect("an id");
        let title = if renamed { format!("{name}, renamed") } else { name.to_owned() };
        self.pages[kind as usize].add([Page {
            id: page,
            kind,
            title: title.as_str().into(),
            claim: Claim::Id(object),
            parent: parent.map_or(Relation::None, |(page, _)| Relation::One(page)),
            standing: Standing::Open,
            created: Timestamp::UNIX_EPOCH,
            edited: Timestamp::UNIX_EPOCH,
            values: Values::default(),
            sync_status: Values::default(),
            schedule: Schedule::default(),
            item_of: Relation::None,
        }]);
        self.objects[kind as usize].add([Object {
            id: object,
            kind,
            name: name.into(),
            parent: parent.map(|(_, object)| object),
            closed: false,
            marker: None,
            values: Values::default(),
            tracked_seconds: None,
            nature: Nature::default(),
        }]);
        let mut base = Base::default();
        base.set(Field::Name, Agreed::Same(Value::Text(name.into())));
        base.set(Field::State, Agreed::Same(Value::Closed(false)));
        if let Some((_, parent)) = parent {
            base.set(Field::Parent, Agreed::Same(Value::Object(parent)));
        }
        self.links.push(Link {
            page,
            kind,
            object,
            sight: Sight::Expected,
            base,
            left: Vec::new(),
            along: Along::No,
            unwritten: None,
        });
        (page, object)
    }

    fn finish(self) -> (Snapshots, Registry) {
        fn whole<T: Identified>(walks: [Walk<T>; 3]) -> Snapshot<T> {
            let [clients, projects, tasks] = walks.map(Walk::finish);
            PerKind { clients, projects, tasks }
        }
        let snapshots = Snapshots { pages: whole(self.pages), objects: whole(self.objects), ..Snapshots::default() };
        (snapshots, self.links.into_iter().collect())
    }
}
