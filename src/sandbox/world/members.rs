//! The people of the agency, and the two workspaces they work in.

use super::schema::{NotionUser, NotionUserKind};
use super::{World, access::Role};
use crate::sandbox::world::objects::Member;
use crate::sandbox::world::pages::{Page, Parent};
use crate::sandbox::world::values::rich_text;

/// Everyone has an account in both services, under the same address; Kai is in Notion only.
const PEOPLE: [(&str, &str, bool); 5] = [
    ("Mara Lindqvist", "mara@harbour.example", true),
    ("Jonas Weber", "jonas@harbour.example", true),
    ("Aiko Tanaka", "aiko@harbour.example", true),
    ("Samir Haddad", "samir@harbour.example", true),
    ("Kai Freelance", "kai@elsewhere.example", false),
];

impl World {
    /// Fills the two workspaces of a bare world: names, people, the connection's bot, the shared top page.
    pub(super) fn populate(&mut self) {
        self.notion.workspace_id = self.new_notion_id();
        "Harbour Studio".clone_into(&mut self.notion.workspace_name);
        self.begin_connection();

        self.clockify.workspace_id = Some(self.new_clockify_id());
        "Harbour Studio".clone_into(&mut self.clockify.workspace_name);
        "FREE".clone_into(&mut self.clockify.plan);
        self.clockify.currency_id = Some(self.new_clockify_id());
        for (name, email, in_clockify) in PEOPLE {
            self.add_person(name, email, in_clockify);
        }
        self.notion.root = Some(self.add_top_page("Harbour Studio"));
    }

    /// Someone joins the agency: a Notion person and, if asked, a Clockify member of the same address.
    pub fn add_person(&mut self, name: &str, email: &str, in_clockify: bool) {
        let id = self.new_notion_id();
        let kind = NotionUserKind::Person { email: email.to_owned() };
        self.notion.users.push(NotionUser { id, name: name.to_owned(), kind });
        if in_clockify {
            self.invite(name, email);
        }
    }

    /// Someone gets an account in Clockify: the first as the owner, the others as plain members.
    pub fn invite(&mut self, name: &str, email: &str) {
        let id = self.new_clockify_id();
        let role = if self.clockify.members.is_empty() { Role::Owner } else { Role::Member };
        self.clockify.members.push(Member { id, name: name.to_owned(), email: email.to_owned(), role });
    }

    /// Someone leaves: no member any more, and what they have tracked stays under their name.
    ///
    /// # Panics
    /// If nobody has this name.
    pub fn dismiss(&mut self, name: &str) {
        let at =
            self.clockify.members.iter().position(|member| member.name == name).expect("the world has this member");
        let gone = self.clockify.members.remove(at);
        self.clockify.former.push(gone);
    }

    /// The Notion user with this name.
    pub fn person(&self, name: &str) -> Option<crate::sandbox::NotionId> {
        self.notion.users.iter().find(|user| user.name == name).map(|user| user.id)
    }

    /// The Clockify user with this name.
    pub fn member(&self, name: &str) -> Option<crate::sandbox::ClockifyId> {
        self.clockify.members.iter().find(|member| member.name == name).map(|member| member.id)
    }

    /// A page outside any database, shared with the connection: the kind that databases are created in.
    pub fn add_top_page(&mut self, title: &str) -> crate::sandbox::NotionId {
        let id = self.new_notion_id();
        let now = self.tick();
        let author = self.notion.owner();
        let mut page = Page::new(id, Parent::Workspace, now, author);
        page.values.insert("title", &rich_text(title));
        self.notion.pages.insert(id, page);
        id
    }
}
