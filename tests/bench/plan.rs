//! How long a plan takes once both sides are in memory: pair + diff + seal, over 10k, 100k and 1M synced tasks, and
//! with every hundredth task renamed. `cargo bench --bench plan`; time per task should not grow with the number of
//! tasks.

use divan::Bencher;
use jiff::Timestamp;
use punchlist::domain::{
    diff::diff,
    model::{
        Agreed, Along, Base, Claim, Field, Identified, Kind, Link, Nature, Object, ObjectId, Page, PageId, Registry,
        Relation, Schedule, Sight, Snapshots, Standing, Value, Values, Walk,
    },
    plan::Scope,
    rules::Rules,
};

const TASKS: [usize; 3] = [10_000, 100_000, 1_000_000];

fn main() {
    divan::main();
}

/// In sync: the plan is empty.
#[divan::bench(args = TASKS, sample_count = 5, sample_size = 1)]
fn synced(bencher: Bencher<'_, '_>, tasks: usize) {
    let (snapshots, registry) = agency(tasks, usize::MAX);
    let rules = Rules::default();
    bencher.bench_local(|| {
        let difference = diff(&snapshots, &registry, &rules, Scope::default());
        assert!(difference.plan.changes.is_empty() && difference.verified.is_empty());
        difference
    });
}

/// Every hundredth task has another name in Notion: the plan has that many updates, which the brake lets through.
#[divan::bench(args = TASKS, sample_count = 5, sample_size = 1)]
fn one_in_a_hundred_renamed(bencher: Bencher<'_, '_>, tasks: usize) {
    let (snapshots, registry) = agency(tasks, 100);
    let rules = Rules::default();
    bencher.bench_local(|| {
        let difference = diff(&snapshots, &registry, &rules, Scope::default());
        assert_eq!(difference.plan.changes.len(), tasks / 100);
        difference
    });
}

/// An agency with 50 tasks in a project and 20 projects of a client.
fn agency(tasks: usize, renamed_every: usize) -> (Snapshots, Registry) {
    let mut world = World::default();
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
struct World {
    numbers: usize,
    pages: [Walk<Page>; 3],
    objects: [Walk<Object>; 3],
    links: Vec<Link>,
}

impl World {
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
        fn whole<T: Identified>(walks: [Walk<T>; 3]) -> punchlist::domain::model::Snapshot<T> {
            let [clients, projects, tasks] = walks.map(Walk::finish);
            punchlist::domain::model::PerKind { clients, projects, tasks }
        }
        let snapshots = Snapshots { pages: whole(self.pages), objects: whole(self.objects), ..Snapshots::default() };
        (snapshots, self.links.into_iter().collect())
    }
}
