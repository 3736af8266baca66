//! `punchlist hours`: what was tracked in a period, against what is planned.

mod lines;
mod table;

use std::path::PathBuf;

use clap::Args;
use jiff::civil::Date;

use super::{
    failure::{Code, RunError},
    print::{say, say_json},
    setup::{Global, Setup},
};
use crate::{
    domain::{
        hours::{Period, document::Document},
        text::json,
    },
    edge::saved,
    engine::hours::{HoursQuery, Reckoned},
};

pub(super) use lines::{clock, findings as finding_lines, period_of, put, text};

/// Which days, and how they are told.
#[derive(Args)]
pub(super) struct Hours {
    /// A month [default: this one]
    #[arg(long, value_name = "YYYY-MM", conflicts_with_all = ["from", "to"], value_parser = Period::month)]
    month: Option<Period>,
    /// The first day
    #[arg(long, value_name = "DATE", requires = "to")]
    from: Option<Date>,
    /// The last day
    #[arg(long, value_name = "DATE", requires = "from")]
    to: Option<Date>,
    /// Print CSV: a row for each client, project and task
    #[arg(long, group = "form")]
    csv: bool,
    /// Print Markdown
    #[arg(long, group = "form")]
    md: bool,
    /// Print a page of HTML
    #[arg(long, group = "form")]
    html: bool,
    /// Write it to a file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Hours {
    /// The days that are asked for, and that there is one form alone.
    pub(super) fn wanted(&self, global: &Global, setup: &Setup) -> Result<HoursQuery, RunError> {
        if global.json && (self.csv || self.md || self.html) {
            return Err(RunError::new(Code::Usage, "--json, --csv, --md and --html are one or the other"));
        }
        let period = match (self.month, self.from, self.to) {
            (Some(month), ..) => Some(month),
            (None, Some(from), Some(to)) => Some(Period::new(from, to).map_err(|why| RunError::new(Code::Usage, why))?),
            _ => None,
        };
        Ok(wanted(setup, period))
    }

    /// Prints what was found, or writes it to a file.
    pub(super) fn tell(&self, global: &Global, reckoned: &Reckoned) -> Result<(), RunError> {
        let Reckoned { document, missing, .. } = reckoned;
        let told = if global.json {
            if self.out.is_none() {
                return say_json(document);
            }
            FileType::Json.of(document)?
        } else if self.csv {
            FileType::Csv.of(document)?
        } else if self.md {
            FileType::Markdown.of(document)?
        } else if self.html {
            FileType::Html.of(document)?
        } else {
            text(document, missing, global.styling())
        };
        match &self.out {
            None => say(&told),
            Some(file) => saved::save(file, &told)
                .map_err(|error| RunError::new(Code::Error, format!("failed to write {}: {error}", file.display()))),
        }
    }
}

/// What hours can be saved as, for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileType {
    Csv,
    Markdown,
    Html,
    Json,
}

impl FileType {
    /// All of them.
    pub(super) const ALL: [Self; 4] = [Self::Csv, Self::Markdown, Self::Html, Self::Json];

    /// How the name of such a file ends.
    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Markdown => "md",
            Self::Html => "html",
            Self::Json => "json",
        }
    }

    /// A document as such a file.
    pub(super) fn of(self, document: &Document) -> Result<String, RunError> {
        Ok(match self {
            Self::Csv => table::csv(document),
            Self::Markdown => table::markdown(document),
            Self::Html => table::html(document),
            Self::Json => json(document).map_err(std::io::Error::from)? + "\n",
        })
    }
}

/// A period as this installation counts it.
pub(super) fn wanted(setup: &Setup, period: Option<Period>) -> HoursQuery {
    let settings = &setup.installation.settings;
    HoursQuery { period, zone: settings.billing_zone(), policy: settings.hours.policy }
}
