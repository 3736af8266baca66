//! Notion's tokens: who acts with one, what was shared with it, and what it may do.
//!
//! | kind | acts as | sees |
//! |---|---|---|
//! | internal connection | a bot of its own | what was shared with it, and what is below that |
//! | personal access token | the person | what the person sees; nothing has to be shared |
//!
//! A world begins with one connection, whose secret is `World::notion_token` and with which everything is shared.

use std::collections::BTreeMap;

use super::pages::Parent;
use super::schema::{NotionUser, NotionUserKind, NotionWorld};
use super::{NotionId, World};

/// What one token may do and see.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    pub(crate) actor: Actor,
    /// What was shared or taken back, page or database by ID. The nearest entry above a thing decides.
    shares: BTreeMap<NotionId, bool>,
    /// Whether it sees what no entry decides.
    sees_the_rest: bool,
    pub(crate) can: Capabilities,
    /// Refused with 401, as after the end of its term or a revocation.
    pub(crate) expired: bool,
}

/// Who acts with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Actor {
    /// An internal connection: this bot.
    Connection(NotionId),
    /// A personal access token.
    Person {
        /// Who it acts as.
        person: NotionId,
        /// The user that `GET /v1/users/me` shows if it shows a bot.
        bot: NotionId,
    },
}

impl Default for Actor {
    fn default() -> Self {
        Self::Connection(NotionId::default())
    }
}

impl Actor {
    /// Who is named as the author of its edits.
    pub(crate) fn author(self) -> NotionId {
        match self {
            Self::Connection(bot) => bot,
            Self::Person { person, .. } => person,
        }
    }
}

/// What a connection may do with content (Notion docs, capabilities).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    pub read: bool,
    /// Editing what there is: properties, schemas, the trash.
    pub update: bool,
    /// Creating pages, databases and data sources.
    pub insert: bool,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self { read: true, update: true, insert: true }
    }
}

impl Access {
    /// Whether the token sees the page or database with this ID.
    pub(crate) fn sees(&self, notion: &NotionWorld, id: NotionId) -> bool {
        let mut place = Some(id);
        while let Some(id) = place {
            if let Some(shared) = self.shares.get(&id) {
                return *shared;
            }
            place = notion.above(id);
        }
        self.sees_the_rest
    }
}

impl NotionWorld {
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
