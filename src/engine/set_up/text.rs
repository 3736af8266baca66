//! The text of a first configuration: every value with what it means, and what else could be set, as comments.

use url::Url;

use crate::{
    domain::{
        discovery::{Fit, Table},
        model::{Kind, PerKind},
        rules::{Condition, Holds, Mapped, Unit},
        text::{Raw, Shown, is_hidden},
    },
    edge::{clockify::Workspace, config::Settings, secrets::SecretReference},
};

/// Columns of a name in a comment.
const NAME_COLUMNS: usize = 60;

/// What was found and chosen.
pub struct Answers {
    pub notion_token: SecretReference,
    pub clockify_token: SecretReference,
    pub base_url: Url,
    pub reports_url: Option<Url>,
    pub workspace: Workspace,
    pub requests_per_hour: Option<u32>,
    pub tables: PerKind<Table>,
    pub fits: PerKind<Fit>,
    /// True where Notion is never written, and links are kept in the state alone.
    pub is_local: bool,
    /// Whether the fields that seem to be there as well are mapped.
    pub with_fields: bool,
}

/// The configuration for what was chosen, in the light of what is configured elsewhere.
pub(super) fn text(answers: &Answers, settings: &Settings, defaults: &Settings) -> String {
    let mut text = String::from(
        "# The configuration of punchlist, as `punchlist init` has written it; every key that there is:\n\
         # `punchlist man --keys`. Environment variables such as\n\
         # PUNCHLIST__NOTION__TOKEN and flags have the last word.\n\n[notion]\n",
    );
    let mut line = |comment: &str, key: &str, value: String| {
        let comment = if comment.is_empty() { String::new() } else { format!("# {comment}\n") };
        text.extend([comment.as_str(), key, " = ", &value, "\n"]);
    };
    line("Where the token is; the token itself never stands here.", "token", quoted(&answers.notion_token.in_full()));
    if settings.notion.base_url != defaults.notion.base_url {
        line("Where Notion's API is.", "base_url", quoted(settings.notion.base_url.as_str()));
    }
    for kind in Kind::ALL {
        let table = &answers.tables[kind];
        let comment = format!("The {}: {}.", kind.plural(), shown(&table.title));
        line(&comment, &format!("{}.data_source", kind.plural()), quoted(&table.id.to_string()));
    }
    text.push_str("\n[clockify]\n");
    let mut line = |comment: &str, key: &str, value: String| {
        text.extend(["# ", comment, "\n", key, " = ", &value, "\n"]);
    };
    line("Where the API key is.", "token", quoted(&answers.clockify_token.in_full()));
    let comment = format!("The workspace: {}.", shown(&answers.workspace.name));
    line(&comment, "workspace", quoted(&answers.workspace.id));
    if answers.base_url != defaults.clockify.base_url {
        line("Where Clockify keeps that workspace.", "base_url", quoted(answers.base_url.as_str()));
    }
    let reports_url = answers.reports_url.as_ref().unwrap_or(&settings.clockify.reports_url);
    if *reports_url != defaults.clockify.reports_url {
        line("Where its reports are.", "reports_url", quoted(reports_url.as_str()));
    }
    if let Some(requests) = answers.requests_per_hour {
        let plan = Shown::of(&answers.workspace.plan).clipped(NAME_COLUMNS);
        line(
            &format!("How many requests an hour its plan ({plan}) allows."),
            "requests_per_hour",
            requests.to_string(),
        );
    }
    text.push_str(&mapping(answers));
    text.push_str(
        "\n[rules]\n# A value that was edited in Clockify alone: \"review\" asks, \"restore\" writes Notion's value again, \"accept\" \
         leaves both.\non_drift = \"review\"\n# A value that was edited on both sides: \"review\" asks, \"notion\" or \"clockify\" \
         wins.\non_conflict = \"review\"\n",
    );
    text
}

fn mapping(answers: &Answers) -> String {
    let is_template = Kind::ALL.into_iter().all(|kind| answers.fits[kind].is_of_template(kind)) && !answers.is_local;
    let mut text = String::from("\n# Which Notion properties hold what. The name is always the title.\n[mapping]\n");
    if is_template {
        text.push_str("# Those of the n8n template, which the databases have.\npreset = \"n8n\"\n");
    } else {
        text.push_str("# None of the known sets of names: all are given here.\npreset = \"none\"\n");
    }
    if answers.is_local {
        text.push_str(
            "# Links are kept in punchlist's state alone: Notion is never written.\nid_strategy = \"local\"\n",
        );
    }
    for kind in Kind::ALL {
        let section = section(kind, &answers.fits[kind], answers, is_template);
        if !section.is_empty() {
            text.extend(["\n[mapping.", kind.plural(), "]\n", &section]);
        }
    }
    text
}

/// What is mapped of a kind.
fn section(kind: Kind, fit: &Fit, answers: &Answers, is_template: bool) -> String {
    let mut text = String::new();
    let mut push = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    if !is_template {
        if let Some(id) = fit.id.as_ref().filter(|_| !answers.is_local) {
            push(format!("# The text property for the Clockify ID.\nid = {}", quoted(id.exact())));
        }
        if let (Some(parent), Some(property)) = (kind.parent(), &fit.parent) {
            push(format!("# The relation to the {parent}.\n{parent} = {}", quoted(property.exact())));
        }
        match &fit.closed {
            Some(closed) => push(format!("# What says that a page is closed.\nclosed = {}", condition(closed))),
            None => push(
                "# Nothing says that a page is closed but the trash; e.g. closed = { property = \"Archive\", checked = true }"
                    .to_owned(),
            ),
        }
    }
    if !fit.fields.is_empty() && !answers.with_fields {
        push("# What could be kept true as well: take the # away.".to_owned());
    }
    let mark = if answers.with_fields { "" } else { "#" };
    for (field, mapped) in &fit.fields {
        let Mapped { property, unit, values: _ } = mapped;
        let value = match unit {
            Unit::Hours => quoted(property),
            unit => format!("{{ property = {}, unit = {} }}", quoted(property), quoted(unit.plural())),
        };
        push(format!("{mark}fields.{field} = {value}"));
    }
    text
}

fn condition(condition: &Condition) -> String {
    let property = quoted(&condition.property);
    let list = |words: &[String]| words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", ");
    match &condition.is {
        Holds::Checked(checked) => format!("{{ property = {property}, checked = {checked} }}"),
        Holds::OneOf(values) => format!("{{ property = {property}, values = [{}] }}", list(values)),
        Holds::InGroups { groups, options: _ } => format!("{{ property = {property}, groups = [{}] }}", list(groups)),
    }
}

fn quoted(text: &str) -> String {
    // Its own quotation may take several lines, or single quotes; one line of double ones is what people know.
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() || is_hidden(c) => quoted.extend(["\\U", &format!("{:08X}", u32::from(c))]),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A name in a comment.
fn shown(name: &Raw) -> Shown {
    name.shown().clipped(NAME_COLUMNS)
}
