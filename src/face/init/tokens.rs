//! The two tokens: where they are, whether they are accepted, and where pasted ones are kept.

use secrecy::SecretString;

use super::{NAME_COLUMNS, ask::Ask};
use crate::{
    domain::text::Shown,
    edge::{
        clockify::Workspace,
        notion::{Identity, Notion},
        secrets::{self, Lasting, SecretReference},
    },
    engine::set_up::{CLOCKIFY_VARIABLES, Home, NOTION_VARIABLES, SetUp},
    face::failure::{Code, RunError},
};

/// How often a refused token may be followed by another one.
const ATTEMPTS_MAX: usize = 5;

/// Which tokens fit, in lines of 80 columns.
const NOTION_TOKENS: &str = "
1. Notion
A token of either kind will do; both are made in Notion's developer portal:
  a personal access token  acts as you and sees what you see; nothing has to be
                           shared with it. It may expire, and what is written
                           carries your name. Right for a first look.
  an internal connection   a workspace owner makes it, with the capabilities to
                           read, update and insert content, and shares the
                           databases with it (••• → Connections). It does
                           not expire. Right for a daemon.
";
/// Which keys fit.
const CLOCKIFY_KEYS: &str = "
2. Clockify
The API key of an owner or admin of the workspace: others may not archive. It
is made in Clockify's preferences. The region is found by asking Clockify.
";

/// What is asked for.
struct TokenQuestion {
    key: &'static str,
    flag: &'static str,
    /// What it is called.
    name: &'static str,
    /// What it is called where it is kept.
    entry: &'static str,
    variables: &'static [&'static str],
}

const NOTION: TokenQuestion = TokenQuestion {
    key: "notion.token",
    flag: "--notion-token",
    name: "Notion token",
    entry: "notion",
    variables: &NOTION_VARIABLES,
};
const CLOCKIFY: TokenQuestion = TokenQuestion {
    key: "clockify.token",
    flag: "--clockify-token",
    name: "Clockify API key",
    entry: "clockify",
    variables: &CLOCKIFY_VARIABLES,
};

/// A token, and where it is or is to be.
struct Given {
    secret: SecretString,
    /// Nothing where it was pasted.
    reference: Option<SecretReference>,
    /// True where somebody may give another one.
    is_asked: bool,
}

pub(super) async fn notion(ask: &mut Ask, set_up: &SetUp) -> Result<(Notion, Identity, SecretReference), RunError> {
    ask.say(NOTION_TOKENS)?;
    for attempt in 1.. {
        let given = given(ask, set_up, &NOTION, attempt).await?;
        match set_up.notion(&given.secret).await {
            Ok((notion, identity)) => {
                let named = identity.workspace_name.shown().clipped(NAME_COLUMNS);
                let place = if named.is_empty() { String::new() } else { format!(" in the workspace {named}") };
                let name = identity.name.shown().clipped(NAME_COLUMNS);
                let what = if identity.is_person {
                    "a personal access token, which acts as"
                } else {
                    "it acts as the connection"
                };
                ask.say(&format!("Accepted: {what} {name}{place}.\n"))?;
                let reference = kept(ask, set_up, &NOTION, given).await?;
                return Ok((notion, identity, reference));
            }
            Err(failure) => again(ask, &given, attempt, failure)?,
        }
    }
    Err(RunError::new(Code::Refused, "no token was accepted"))
}

pub(super) async fn clockify(ask: &mut Ask, set_up: &SetUp) -> Result<(Home, SecretReference), RunError> {
    ask.say(CLOCKIFY_KEYS)?;
    for attempt in 1.. {
        let given = given(ask, set_up, &CLOCKIFY, attempt).await?;
        match set_up.clockify(&given.secret).await {
            Ok(home) => {
                let user = home.user.name.shown().clipped(NAME_COLUMNS);
                ask.say(&format!("Accepted at {}: it is the key of {user}.\n", Shown::of(home.base_url.as_str())))?;
                let reference = kept(ask, set_up, &CLOCKIFY, given).await?;
                return Ok((home, reference));
            }
            Err(failure) => again(ask, &given, attempt, failure)?,
        }
    }
    Err(RunError::new(Code::Refused, "no key was accepted"))
}

/// Lets somebody give another token after one was refused; anything else ends the set-up.
fn again(ask: &mut Ask, given: &Given, attempt: usize, failure: RunError) -> Result<(), RunError> {
    if failure.code != Code::Refused || !given.is_asked || attempt >= ATTEMPTS_MAX {
        return Err(failure);
    }
    ask.say(&format!("{}\nTry another one.\n", failure.error))
}

/// The token that is configured elsewhere, that is proposed, or that somebody gives.
async fn given(ask: &mut Ask, set_up: &SetUp, wanted: &TokenQuestion, attempt: usize) -> Result<Given, RunError> {
    let configured =
        if wanted.entry == "notion" { &set_up.settings.notion.token } else { &set_up.settings.clockify.token };
    if let Some(reference) = configured {
        let secret = set_up.secret(reference).await?;
        return Ok(Given { secret, reference: Some(reference.clone()), is_asked: false });
    }
    let parse = |text: &str| SecretReference::parse(text, wanted.key, "punchlist init");
    if attempt == 1 {
        let known = set_up.variable(wanted.variables).map(|name| format!("env:{name}"));
        let beside = format!("file:{}", beside(set_up, wanted));
        let kept = [known, Some(beside), Some(format!("keyring:{}", wanted.entry))];
        for text in kept.into_iter().flatten() {
            // A keyring may ask somebody to unlock it; with nobody there, only what the environment says is taken.
            if !ask.is_somebody() && !text.starts_with("env:") {
                continue;
            }
            let Ok(reference) = parse(&text) else { continue };
            let Ok(secret) = set_up.secret(&reference).await else { continue };
            if ask.yes(&format!("There is a token in {}. Use it?", Shown::of(&text)), true).await? {
                return Ok(Given { secret, reference: Some(reference), is_asked: ask.is_somebody() });
            }
        }
    }
    if !ask.is_somebody() {
        return Err(RunError::new(Code::Error, format!("there is no {}", wanted.name))
            .hint(format!("name where it is with {}, e.g. {} env:{}", wanted.flag, wanted.flag, wanted.variables[0])));
    }
    loop {
        ask.say("It is not shown. Or say where it is: env:NAME, file:PATH, command:[…], …\n")?;
        let answer = ask.hidden(wanted.name).await?;
        match parse(&answer) {
            Ok(reference) => match set_up.secret(&reference).await {
                Ok(secret) => return Ok(Given { secret, reference: Some(reference), is_asked: true }),
                Err(failure) => ask.say(&format!("{}\n", failure.error))?,
            },
            Err(error) if answer.contains(':') => ask.say(&format!("{error}; {}\n", error.hint()))?,
            Err(_) => match secrets::checked(answer.as_bytes()) {
                Ok(secret) => return Ok(Given { secret, reference: None, is_asked: true }),
                Err(problem) => ask.say(&format!("{problem}\n"))?,
            },
        }
    }
}

/// The file beside the configuration that a pasted token can be kept in.
fn beside(set_up: &SetUp, wanted: &TokenQuestion) -> String {
    set_up.file().with_file_name(format!("{}.token", wanted.entry)).display().to_string()
}

/// Where an accepted token is; a pasted one is kept where somebody chooses.
async fn kept(
    ask: &mut Ask,
    set_up: &SetUp,
    wanted: &TokenQuestion,
    given: Given,
) -> Result<SecretReference, RunError> {
    if let Some(reference) = given.reference {
        return Ok(reference);
    }
    let file = beside(set_up, wanted);
    let choices = [
        format!("in the system's keyring, as {}", wanted.entry),
        format!("in a file for you alone: {}", Shown::of(&file)),
        "not at all: I name where it will be".to_owned(),
    ];
    // A keyring that refused, as on a machine without a desktop, is not proposed again.
    let mut proposed = 0;
    loop {
        let (text, is_kept) = match ask.choice("Where is it to be kept?", &choices, Some(proposed)).await? {
            0 => (format!("keyring:{}", wanted.entry), true),
            1 => (format!("file:{file}"), true),
            _ => (ask.line("env:NAME, file:PATH, credential:NAME or command:[…]", "").await?, false),
        };
        let reference = match SecretReference::parse(&text, wanted.key, "punchlist init") {
            Ok(reference) => reference,
            Err(error) => {
                ask.say(&format!("{error}; {}\n", error.hint()))?;
                continue;
            }
        };
        if !is_kept {
            match set_up.secret(&reference).await {
                Ok(_) => return Ok(reference),
                Err(failure) => ask.say(&format!("{}\n", failure.error))?,
            }
            continue;
        }
        match set_up.keep(&reference, &given.secret).await {
            Ok(Lasting::ForGood) => return Ok(reference),
            Ok(Lasting::UntilReboot) => {
                ask.say("That keyring is in memory: the token is gone when this machine starts again.\n")?;
                if ask.yes("Leave it there?", false).await? {
                    return Ok(reference);
                }
            }
            Err(failure) => {
                ask.say(&format!("{}\n", failure.error))?;
                proposed = 1;
            }
        }
    }
}

pub(super) async fn workspace(ask: &mut Ask, set_up: &SetUp, home: &Home) -> Result<Workspace, RunError> {
    let workspaces = set_up.workspaces(home).await?;
    let wanted = set_up.settings.clockify.workspace.as_deref();
    let workspace = if wanted.is_none() && workspaces.len() > 1 && ask.is_somebody() {
        let names: Vec<String> = workspaces
            .iter()
            .map(|workspace| format!("{} ({})", workspace.name.shown().clipped(NAME_COLUMNS), Shown::of(&workspace.id)))
            .collect();
        let place = ask.choice("Which workspace?", &names, None).await?;
        workspaces[place].clone()
    } else {
        SetUp::choose(workspaces, wanted)?
    };
    let limit = set_up
        .requests_per_hour(&workspace)
        .map_or_else(String::new, |requests| format!(".\nIt allows {requests} requests an hour, which are kept to"));
    let (name, plan) = (workspace.name.shown().clipped(NAME_COLUMNS), Shown::of(&workspace.plan).clipped(NAME_COLUMNS));
    ask.say(&format!("The workspace is {name}, on the plan {plan}{limit}.\n"))?;
    if !home.clockify.is_admin(&workspace.id).await.unwrap_or(true) {
        ask.say(
            "This is the key of a plain member, who may not archive and does not see\n\
             private projects: what needs that will fail. Better use an admin's.\n",
        )?;
    }
    Ok(workspace)
}
