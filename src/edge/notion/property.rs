//! A property of a data source, and what can be written into it.

use serde::{Deserialize, Serialize};

use crate::domain::{
    model::{PageId, Takes},
    text::Raw,
};

/// A property of a data source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Property {
    /// Its name, which people can change.
    pub name: Raw,
    /// Its id, URL-encoded as Notion gives it.
    pub id: String,
    /// Its type, e.g. `rich_text`.
    pub kind: String,
    /// The options of a select or status.
    pub options: Vec<Raw>,
    /// The groups of a status, each with its options.
    #[serde(default)]
    pub groups: Vec<(Raw, Vec<Raw>)>,
    /// The data source that a relation points to.
    pub relation_target: Option<PageId>,
}

impl Property {
    /// What of ours it takes.
    pub(super) fn takes(&self) -> Takes {
        match self.kind.as_str() {
            "title" | "rich_text" => Takes::Text,
            "email" | "phone_number" => Takes::Short,
            "url" => Takes::Link,
            "number" => Takes::Number,
            "date" => Takes::Day,
            "checkbox" => Takes::Checkbox,
            "select" => Takes::Select,
            "status" => Takes::Status(self.options.iter().cloned().collect()),
            _ => Takes::Nothing,
        }
    }
}
