//! The workspaces beside the one at home, in both services, and whose token or key opens which.
//!
//! While a call (or an edit of a test) is about another workspace, that one takes the place of the one at home.

use super::access::{CreationPermissions, Role};
use super::objects::{ClockifyWorld, Member};
use super::schema::NotionWorld;
use super::{ClockifyId, World};

/// Clockify's workspaces, users and keys. What names a workspace or user panics when there is none: a test that asks
/// for it is wrong.
impl World {
    /// A further key, of a member. The world's first key is that of the workspace's owner.
    pub fn add_clockify_key(&mut self, key: &str, user: ClockifyId) {
        self.clockify_keys.insert(key.to_owned(), user);
    }

    /// Makes a member of the workspace an administrator, a plain member, ….
    pub fn set_role(&mut self, user: ClockifyId, role: Role) {
        let member = self.clockify.members.iter_mut().find(|member| member.id == user);
        member.expect("the workspace has this member").role = role;
    }

    /// Who may create clients and projects, and who tasks: `ADMINS`, `ADMINS_AND_PROJECT_MANAGERS` or `EVERYONE`.
    pub fn set_creation_permissions(&mut self, projects_and_clients: &str, tasks: &str) {
        self.clockify.creation =
            CreationPermissions { projects_and_clients: projects_and_clients.to_owned(), tasks: tasks.to_owned() };
    }

    /// Another workspace of a user at home. Somebody else owns it, unless the user is to.
    pub fn add_clockify_workspace(&mut self, name: &str, user: ClockifyId, role: Role) -> ClockifyId {
        let user = self.clockify.members.iter().find(|member| member.id == user);
        let user = Member { role, ..user.expect("the workspace has this member").clone() };
        let id = self.new_clockify_id();
        let mut workspace = ClockifyWorld {
            workspace_id: Some(id),
            workspace_name: name.to_owned(),
            plan: self.clockify.plan.clone(),
            currency_id: Some(self.new_clockify_id()),
            ..ClockifyWorld::default()
        };
        if role != Role::Owner {
            let (id, email) = (self.new_clockify_id(), "owner@elsewhere.example".to_owned());
            workspace.members.push(Member { id, name: "Somebody Else".to_owned(), email, role: Role::Owner });
        }
        workspace.members.push(user);
        self.clockify_elsewhere.push(workspace);
        id
    }

    /// Edits another Clockify workspace with the methods that edit the one at home.
    pub fn in_clockify_workspace<T>(&mut self, id: ClockifyId, work: impl FnOnce(&mut Self) -> T) -> T {
        let place = self.clockify_elsewhere.iter().position(|other| other.workspace_id == Some(id));
        let home = self.clockify.workspace_id == Some(id);
        assert!(home || place.is_some(), "the world has this workspace");
        self.at_clockify(place, work)
    }

    /// Does the work where the workspace with this ID is, or at home if nothing has the ID.
    pub(crate) fn at_clockify_named<T>(&mut self, id: Option<&str>, work: impl FnOnce(&mut Self) -> T) -> T {
        let id = id.and_then(ClockifyId::parse);
        let place = self.clockify_elsewhere.iter().position(|other| id.is_some() && other.workspace_id == id);
        self.at_clockify(place, work)
    }

    fn at_clockify<T>(&mut self, place: Option<usize>, work: impl FnOnce(&mut Self) -> T) -> T {
        let Some(place) = place else { return work(self) };
        std::mem::swap(&mut self.clockify, &mut self.clockify_elsewhere[place]);
        let done = work(self);
        std::mem::swap(&mut self.clockify, &mut self.clockify_elsewhere[place]);
        done
    }

    /// Whose key this is.
    pub(crate) fn user_of_key(&self, key: &str) -> Option<ClockifyId> {
        if key == self.clockify_key {
            return self.clockify.members.first().map(|owner| owner.id);
        }
        self.clockify_keys.get(key).copied()
    }

    /// The workspaces that a user is in, the one at home first.
    pub(crate) fn workspaces_of(&self, user: ClockifyId) -> impl Iterator<Item = (&ClockifyWorld, Role)> {
        let all = std::iter::once(&self.clockify).chain(&self.clockify_elsewhere);
        all.filter_map(move |workspace| workspace.role_of(user).map(|role| (workspace, role)))
    }
}

impl ClockifyWorld {
    /// What a user is here, if anything.
    pub(crate) fn role_of(&self, user: ClockifyId) -> Option<Role> {
        self.members.iter().find(|member| member.id == user).map(|member| member.role)
    }
}

/// Notion's workspaces.
impl World {
    /// Another workspace, with a page and somebody in it; this token is that of a connection there, which sees all.
    pub fn add_notion_workspace(&mut self, name: &str, token: &str) {
        let id = self.new_notion_id();
        let other = NotionWorld { workspace_id: id, workspace_name: name.to_owned(), ..NotionWorld::default() };
        let home = std::mem::replace(&mut self.notion, other);
        self.begin_connection();
        let connection = self.notion.connection.clone();
        self.notion.tokens.insert(token.to_owned(), connection);
        self.add_person("Somebody Else", "somebody@elsewhere.example", false);
        self.notion.root = Some(self.add_top_page(name));
        let other = std::mem::replace(&mut self.notion, home);
        self.notion_elsewhere.push(other);
    }

    /// Edits the Notion workspace that this token opens with the methods that edit the one at home.
    pub fn in_notion_workspace<T>(&mut self, token: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        let place = self.notion_elsewhere.iter().position(|other| other.tokens.contains_key(token));
        let Some(place) = place else { return work(self) };
        std::mem::swap(&mut self.notion, &mut self.notion_elsewhere[place]);
        let done = work(self);
        std::mem::swap(&mut self.notion, &mut self.notion_elsewhere[place]);
        done
    }
}
