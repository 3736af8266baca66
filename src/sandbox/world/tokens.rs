//! Notion's tokens: who acts with one, what was shared with it, and what it may do.
//!
//! | kind | acts as | sees |
//! |---|---|---|
//! | internal connection | a bot of its own | what was shared with it, and what is below that |
//! | personal access token | the person | what the person sees; nothing has to be shared |
//!
//! A world begins with one connection, whose secret is `World::notion_token` and with which everything is shared.

use super::Parent;
use super::access::{Access, Actor, Capabilities};
use super::schema::{NotionUser, NotionUserKind, NotionWorld};
use super::{NotionId, World};

impl NotionWorld {
    /// Whether this token sees the page or database with this ID.
    pub(crate) fn shows(&self, access: &Access, id: NotionId) -> bool {
        let mut place = Some(id);
        while let Some(id) = place {
            if let Some(shared) = access.shares.get(&id) {
                return *shared;
            }
            place = self.above(id);
        }
        access.sees_the_rest
    }

    /// The page or database that a page or database is in.
    fn above(&self, id: NotionId) -> Option<NotionId> {
        let parent = match self.pages.get(id) {
            Some(page) => page.parent,
            None => self.databases.get(&id)?.parent,
        };
        match parent {
            Parent::DataSource(source) => self.data_sources.get(&source).map(|source| source.database),
            Parent::Page(page) => Some(page),
            Parent::Workspace => None,
        }
    }
}

/// Handing out tokens, and what people do to them in Notion's settings. All of these panic when there is no such token
/// or person: a test that asks for it is wrong.
impl World {
    /// Gives the connection that every world has a bot, and everything to see.
    pub(super) fn begin_connection(&mut self) {
        let bot = self.add_bot("punchlist");
        self.notion.bot = bot;
        self.notion.connection = Access { actor: Actor::Connection(bot), sees_the_rest: true, ..Access::default() };
    }

    /// Another internal connection. It sees nothing until something is shared with it. Returns its bot.
    pub fn add_connection(&mut self, name: &str, token: &str) -> NotionId {
        let bot = self.add_bot(name);
        let access = Access { actor: Actor::Connection(bot), ..Access::default() };
        self.notion.tokens.insert(token.to_owned(), access);
        bot
    }

    /// A personal access token: it acts as this person and sees what the person sees.
    pub fn add_personal_token(&mut self, person: &str, token: &str) {
        let person = self.person(person).expect("the world has this person");
        let bot = self.new_notion_id();
        let access = Access { actor: Actor::Person { person, bot }, sees_the_rest: true, ..Access::default() };
        self.notion.tokens.insert(token.to_owned(), access);
    }

    fn add_bot(&mut self, name: &str) -> NotionId {
        let id = self.new_notion_id();
        self.notion.users.push(NotionUser { id, name: name.to_owned(), kind: NotionUserKind::Bot });
        id
    }

    /// Shows a page or database, and everything in it, to a token.
    pub fn share(&mut self, token: &str, what: NotionId) {
        self.decide(token, what, true);
    }

    /// Takes a page or database, and everything in it, away from a token; what is shared below it stays shared.
    pub fn unshare(&mut self, token: &str, what: NotionId) {
        self.decide(token, what, false);
    }

    /// Rights are those of the database, so a data source stands for its database (Notion docs, upgrade FAQ).
    fn decide(&mut self, token: &str, what: NotionId, shared: bool) {
        let database = self.notion.data_sources.get(&what).map(|source| source.database);
        self.access_mut(token).shares.insert(database.unwrap_or(what), shared);
    }

    /// Ticks or clears what a token may do.
    pub fn limit(&mut self, token: &str, can: Capabilities) {
        self.access_mut(token).can = can;
    }

    /// Ends a token's term: 401 from here on.
    pub fn expire_token(&mut self, token: &str) {
        self.access_mut(token).expired = true;
    }

    /// A page that a personal token creates outside any page belongs to the person: no connection sees it.
    pub(crate) fn keep_private(&mut self, what: NotionId) {
        let notion = &mut self.notion;
        for access in notion.tokens.values_mut().chain([&mut notion.connection]) {
            if matches!(access.actor, Actor::Connection(_)) {
                access.shares.insert(what, false);
            }
        }
    }

    pub(crate) fn access(&self, token: &str) -> Option<&Access> {
        if token == self.notion_token { Some(&self.notion.connection) } else { self.notion.tokens.get(token) }
    }

    fn access_mut(&mut self, token: &str) -> &mut Access {
        let found = if token == self.notion_token {
            Some(&mut self.notion.connection)
        } else {
            self.notion.tokens.get_mut(token)
        };
        found.expect("the world has this token")
    }
}
