//! `punchlist init`: asks its way from nothing to a configuration and the first plan; with `--yes` it takes what is
//! clear, and refuses what is not.
//!
//! ```text
//! token ─ key, region, workspace ─ the three tables ─ what they lack ─ the file ─ the first plan
//! ```

mod ask;
mod databases;
mod tokens;
mod welcome;

use clap::Args;

use self::ask::Ask;
pub(super) use self::welcome::{Wish, welcome};
use super::{
    failure::{Code, RunError},
    progress::ProgressLine,
    setup::{self, Global},
};
use crate::{
    domain::{model::Kind, text::Shown},
    edge::config::{Loader, Override},
    engine::{
        session::Established,
        set_up::{Answers, SetUp},
    },
};

/// Columns of a name.
const NAME_COLUMNS: usize = 50;

/// What can be said beforehand.
#[derive(Args, Default)]
pub(super) struct Flags {
    /// Where the Notion token is, e.g. `env:NOTION_API_TOKEN` or `keyring:notion`
    #[arg(long, value_name = "REF")]
    notion_token: Option<String>,
    /// Where the Clockify API key is, likewise
    #[arg(long, value_name = "REF")]
    clockify_token: Option<String>,
    /// The database of the clients, by its ID or address
    #[arg(long, value_name = "ID|URL")]
    clients: Option<String>,
    /// The database of the projects
    #[arg(long, value_name = "ID|URL")]
    projects: Option<String>,
    /// The database of the tasks
    #[arg(long, value_name = "ID|URL")]
    tasks: Option<String>,
    /// The Clockify workspace, by its name or ID
    #[arg(long, value_name = "NAME")]
    workspace: Option<String>,
    /// Make the three databases on this page in Notion, by its ID or address
    #[arg(long, value_name = "PAGE", conflicts_with_all = ["clients", "projects", "tasks"])]
    create_under: Option<String>,
    /// Ask nothing: take what is clear, and refuse what is not
    #[arg(long)]
    yes: bool,
}

impl Flags {
    /// What the flags set, as other layers of the configuration do.
    fn overrides(&self) -> Vec<Override> {
        let all = [
            ("notion.token", "--notion-token", &self.notion_token),
            ("clockify.token", "--clockify-token", &self.clockify_token),
            ("notion.clients.data_source", "--clients", &self.clients),
            ("notion.projects.data_source", "--projects", &self.projects),
            ("notion.tasks.data_source", "--tasks", &self.tasks),
            ("clockify.workspace", "--workspace", &self.workspace),
        ];
        let given = all.into_iter().filter_map(|(key, flag, value)| Some((key, flag, value.clone()?)));
        given.map(|(key, flag, value)| Override { key: key.to_owned(), value, place: flag.to_owned() }).collect()
    }
}

/// A configuration that was made, with what the first plan need not ask for again.
pub(super) struct Made {
    pub(super) established: Option<Established>,
}

/// Sets up. The settings of the first plan are those that were written; nothing where there is none to make.
pub(super) async fn init(global: &Global, flags: &Flags) -> Result<Option<Made>, RunError> {
    if global.demo {
        return Err(RunError::new(Code::Usage, "a demonstration is set up already")
            .hint("run `punchlist --demo`, or `punchlist init` for your own workspaces"));
    }
    let mut loader: Loader = setup::loader(global);
    loader.overrides.extend(flags.overrides());
    let progress = ProgressLine::new(true, global.verbose > 0);
    let set_up = match SetUp::begin(&loader, progress.watch())? {
        Ok(set_up) => set_up,
        Err(exists) => {
            let mut ask = Ask::nobody(global.json || global.quiet);
            ask.say(&format!(
                "{}, and is kept as it is.\nNext: `punchlist plan` shows what it would do, and `punchlist` reviews it.\n\
                 To begin anew, move that file away.\n",
                Shown::of(&exists.to_string())
            ))?;
            return Ok(None);
        }
    };
    let mut ask = if flags.yes {
        Ask::nobody(global.json || global.quiet)
    } else if global.no_input || global.json {
        return Err(RunError::new(Code::Usage, "setting up asks questions, and was told to ask none")
            .hint("with --yes it takes what is clear: punchlist init --yes"));
    } else {
        Ask::somebody()?
    };
    ask.say(&format!(
        "Setting up punchlist. Ctrl-C leaves at any time; what was kept by then is\n\
         offered again. The configuration will be\n  {}\n",
        Shown::of(&set_up.file().display().to_string())
    ))?;

    let (notion, identity, notion_token) = tokens::notion(&mut ask, &set_up).await?;
    let (home, clockify_token) = tokens::clockify(&mut ask, &set_up).await?;
    let workspace = tokens::workspace(&mut ask, &set_up, &home).await?;
    let databases = databases::choose(&mut ask, &set_up, &notion, flags.create_under.as_deref()).await?;
    let requests_per_hour = set_up.requests_per_hour(&workspace);
    let answers = Answers {
        notion_token,
        clockify_token,
        base_url: home.base_url,
        reports_url: home.reports_url,
        workspace,
        requests_per_hour,
        tables: databases.tables,
        fits: databases.fits,
        is_local: databases.is_local,
        with_fields: databases.with_fields,
    };
    ask.say("\n4. The configuration\n")?;
    for kind in Kind::ALL {
        let title = answers.tables[kind].title.shown().clipped(NAME_COLUMNS);
        ask.say(&format!("   {:9} {title}\n", kind.plural()))?;
    }
    if !ask.yes("Write it?", true).await? {
        return Err(RunError::new(Code::Interrupted, "nothing was written").hint("run `punchlist init` again"));
    }
    let established = set_up.make(&answers, identity, home.user)?;
    ask.say(&format!(
        "{} is written.\n\nThe first plan: what punchlist would do. Nothing of it is done yet.\n\n",
        Shown::of(&set_up.file().display().to_string())
    ))?;
    Ok(Some(Made { established }))
}
