//! The schema of the n8n template "two-way sync Notion and Clockify", with the extra columns that a real agency has,
//! and synthetic agencies of any size.

use serde_json::json;

use super::schema::{Choice, PropertyKind, Relation};
use super::{NotionId, Parent, World};

/// The options of both Status columns, with their groups.
const STATUSES: [(&str, &str, &str); 4] = [
    ("Not started", "default", "To-do"),
    ("In progress", "blue", "In progress"),
    ("Done", "green", "Complete"),
    ("Obsolete", "gray", "Complete"),
];

impl World {
    /// Adds the databases Clients, Projects and Tasks below the shared page.
    pub(super) fn add_template(&mut self) {
        let root = self.notion.root.expect("a bare world has a shared page");
        let clients = self.add_clients_database(root);
        let projects = self.add_projects_database(root, clients);
        self.add_tasks_database(root, projects);
    }

    fn add_clients_database(&mut self, root: NotionId) -> NotionId {
        let (_, source) = self.add_database("Clients", Parent::Page(root));
        let colors = vec![self.new_choice("Blue", "blue", ""), self.new_choice("Red", "red", "")];
        for (name, kind) in [
            ("Name", PropertyKind::Title),
            ("Archive", PropertyKind::Checkbox),
            ("Clockify Client ID", PropertyKind::RichText),
            ("Email", PropertyKind::Email),
            ("Address", PropertyKind::RichText),
            ("Notes", PropertyKind::RichText),
            ("Color", PropertyKind::Select(colors)),
            ("Website", PropertyKind::Url),
            ("Created", PropertyKind::CreatedTime),
        ] {
            self.add_property(source, name, kind);
        }
        source
    }

    fn add_projects_database(&mut self, root: NotionId, clients: NotionId) -> NotionId {
        let (_, source) = self.add_database("Projects", Parent::Page(root));
        let status = PropertyKind::Status(self.statuses());
        let client = PropertyKind::Relation(Relation { data_source: clients, synced: None });
        let tags = vec![self.new_choice("Retainer", "purple", ""), self.new_choice("Web", "green", "")];
        for (name, kind) in [
            ("Name", PropertyKind::Title),
            ("Status", status),
            ("Clients", client),
            ("Clockify Project ID", PropertyKind::RichText),
            ("Billable", PropertyKind::Checkbox),
            ("Notes", PropertyKind::RichText),
            ("Estimate (h)", PropertyKind::Number { format: "number".to_owned() }),
            ("Tags", PropertyKind::MultiSelect(tags)),
            ("Due", PropertyKind::Date),
            ("Label", PropertyKind::Formula { expression: "prop(\"Name\")".to_owned() }),
            ("Hours tracked", PropertyKind::Number { format: "number".to_owned() }),
        ] {
            self.add_property(source, name, kind);
        }
        source
    }

    fn add_tasks_database(&mut self, root: NotionId, projects: NotionId) {
        let (_, source) = self.add_database("Tasks", Parent::Page(root));
        let status = PropertyKind::Status(self.statuses());
        let project = PropertyKind::Relation(Relation { data_source: projects, synced: None });
        let rollup = PropertyKind::Rollup {
            relation: "Projects".to_owned(),
            target: "Name".to_owned(),
            function: "show_original".to_owned(),
        };
        for (name, kind) in [
            ("Name", PropertyKind::Title),
            ("Status", status),
            ("Projects", project),
            ("Clockify Task ID", PropertyKind::RichText),
            ("Billable", PropertyKind::Checkbox),
            ("Estimate (h)", PropertyKind::Number { format: "number".to_owned() }),
            ("Assignee", PropertyKind::People),
            ("Project name", rollup),
            ("No", PropertyKind::UniqueId { prefix: Some("TASK".to_owned()) }),
            ("Edited", PropertyKind::LastEditedTime),
            ("Hours tracked", PropertyKind::Number { format: "number".to_owned() }),
        ] {
            self.add_property(source, name, kind);
        }
    }

    pub(crate) fn statuses(&mut self) -> Vec<Choice> {
        STATUSES.map(|(name, color, group)| self.new_choice(name, color, group)).into()
    }

    /// A synthetic agency in perfect order: everything exists on both sides under the same name, and every page has
    /// its ID. Projects are dealt to the clients in turn, tasks to the projects.
    pub fn sized(clients: usize, projects: usize, tasks: usize) -> Self {
        let mut world = Self::empty();
        let mut client_pairs = Vec::new();
        for number in 1..=clients {
            let name = format!("Client {number:04}");
            let pair = (world.add_client_page(&name), world.add_client(&name));
            world.set_claim(pair.0, pair.1);
            client_pairs.push(pair);
        }
        let mut project_pairs = Vec::new();
        for number in 1..=projects {
            let name = format!("Project {number:04}");
            let client = turn(&client_pairs, number);
            let page = world.add_project_page(&name, client.map(|pair| pair.0));
            let object = world.add_project(&name, client.map(|pair| pair.1));
            world.set_claim(page, object);
            project_pairs.push((page, object));
        }
        for number in 1..=tasks {
            let Some((project_page, project)) = turn(&project_pairs, number) else {
                break;
            };
            let name = format!("Task {number:05}");
            let page = world.add_task_page(&name, project_page);
            let object = world.add_task(&name, project);
            world.set_claim(page, object);
            world.set(page, "Status", json!("In progress"));
        }
        world
    }
}

fn turn<T: Copy>(pairs: &[T], number: usize) -> Option<T> {
    if pairs.is_empty() { None } else { Some(pairs[(number - 1) % pairs.len()]) }
}
