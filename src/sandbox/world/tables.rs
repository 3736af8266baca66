//! Databases beside the template's: what a workspace has that punchlist is to leave alone, or to be set up on.

use super::pages::Parent;
use super::schema::{PropertyKind, Relation};
use super::{NotionId, World};

/// The databases of the template.
const TEMPLATE: [&str; 3] = ["Clients", "Projects", "Tasks"];

impl World {
    /// A database in the shared page with these columns, by name and type. A type is Notion's word (`title`,
    /// `rich_text`, `status`, …) or `relation:NAME`, a one-way relation to the data source of that name. Returns the
    /// data source.
    ///
    /// # Panics
    /// If there is no such type or data source: a test that asks for it is wrong.
    pub fn add_table(&mut self, title: &str, columns: &[(&str, &str)]) -> NotionId {
        let parent = self.notion.root.map_or(Parent::Workspace, Parent::Page);
        let (_, source) = self.add_database(title, parent);
        self.add_columns(source, columns);
        source
    }

    /// More columns for a data source, in the words of [`World::add_table`].
    ///
    /// # Panics
    /// As `add_table` does.
    pub fn add_columns(&mut self, source: NotionId, columns: &[(&str, &str)]) {
        for (name, kind) in columns {
            let kind = self.kind_of(kind);
            self.add_property(source, name, kind);
        }
    }

    fn kind_of(&mut self, kind: &str) -> PropertyKind {
        if let Some(kind) = PropertyKind::without_settings(kind) {
            return kind;
        }
        match kind {
            "number" => PropertyKind::Number { format: "number".to_owned() },
            "select" => PropertyKind::Select(Vec::new()),
            "multi_select" => PropertyKind::MultiSelect(Vec::new()),
            "status" => PropertyKind::Status(self.statuses()),
            "unique_id" => PropertyKind::UniqueId { prefix: None },
            other => {
                let target = other.strip_prefix("relation:").expect("this is a type that columns have");
                let data_source = self.data_source(target).expect("the world has this data source");
                PropertyKind::Relation(Relation { data_source, synced: None })
            }
        }
    }

    /// The template once more, as copies of the three databases: last year's. The titles end in `suffix`; relations
    /// lead from copy to copy; rows are not copied.
    pub fn copy_template(&mut self, suffix: &str) {
        for name in TEMPLATE {
            let original = self.data_source(name).expect("the world has the template");
            let columns = self.notion.data_sources[&original].properties.clone();
            let parent = self.notion.root.map_or(Parent::Workspace, Parent::Page);
            let (_, copy) = self.add_database(&format!("{name}{suffix}"), parent);
            for column in columns {
                let kind = match column.kind {
                    PropertyKind::Relation(relation) => {
                        let target = &self.notion.data_sources[&relation.data_source].name;
                        let data_source =
                            self.data_source(&format!("{target}{suffix}")).unwrap_or(relation.data_source);
                        PropertyKind::Relation(Relation { data_source, synced: None })
                    }
                    kind => kind,
                };
                self.add_property(copy, &column.name, kind);
            }
        }
    }

    /// A workspace where much else is: that many more databases of two columns, and pages outside databases.
    pub fn crowd(&mut self, databases: usize, pages: usize) {
        for number in 1..=databases {
            self.add_table(&format!("Notes {number:04}"), &[("Name", "title"), ("Done", "checkbox")]);
        }
        for number in 1..=pages {
            self.add_top_page(&format!("Page {number:04}"));
        }
    }

    /// Puts a database into the trash, or takes it out.
    ///
    /// # Panics
    /// If there is no such database.
    pub fn trash_database(&mut self, database: NotionId, in_trash: bool) {
        self.tick();
        self.notion.databases.get_mut(&database).expect("the world has this database").in_trash = in_trash;
    }
}
