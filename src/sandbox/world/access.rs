//! What the holder of a Notion token, and the user of a Clockify key, may see and do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::NotionId;

/// What one token may do and see.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    pub(crate) actor: Actor,
    /// What was shared or taken back, page or database by ID. The nearest entry above a thing decides.
    pub(super) shares: BTreeMap<NotionId, bool>,
    /// Whether it sees what no entry decides.
    pub(super) sees_the_rest: bool,
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

/// What a Clockify user is in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Owner,
    Admin,
    /// Edits the projects that it is a member of.
    ProjectManager,
    /// Sees public projects and its own; tracks time.
    Member,
}

impl Role {
    /// The name that `GET /v1/workspaces?roles=` filters by; a plain member has none (Clockify docs).
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Owner => Some("OWNER"),
            Self::Admin => Some("WORKSPACE_ADMIN"),
            Self::ProjectManager => Some("PROJECT_MANAGER"),
            Self::Member => None,
        }
    }

    pub(crate) fn administers(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }
}

/// `entityCreationPermissions` of a Clockify workspace: `ADMINS`, `ADMINS_AND_PROJECT_MANAGERS` or `EVERYONE`.
#[derive(Clone, Debug)]
pub(crate) struct CreationPermissions {
    pub(crate) projects_and_clients: String,
    pub(crate) tasks: String,
}

impl Default for CreationPermissions {
    fn default() -> Self {
        Self { projects_and_clients: "ADMINS".to_owned(), tasks: "ADMINS".to_owned() }
    }
}
