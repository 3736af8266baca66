//! Questions with answers to choose from, and a default in brackets. Where nobody is there, what is clear is taken.

use crate::face::{
    failure::{Code, RunError},
    print, stop,
    talk::{Hidden, Talk},
};

/// Who is asked.
pub(super) enum Ask {
    Somebody(Talk),
    Nobody {
        /// Nothing is said either.
        is_quiet: bool,
    },
}

impl Ask {
    /// Somebody at a terminal, or a script that answers.
    pub(super) fn somebody() -> Result<Self, RunError> {
        let stop = stop::listening_on_a_terminal(Hidden::end)?;
        let talk = Talk::new(stop, "stopped; no configuration was written, and `punchlist init` goes on")?;
        Ok(Self::Somebody(talk))
    }

    pub(super) fn nobody(is_quiet: bool) -> Self {
        Self::Nobody { is_quiet }
    }

    pub(super) fn is_somebody(&self) -> bool {
        matches!(self, Self::Somebody(_))
    }

    pub(super) fn say(&mut self, text: &str) -> Result<(), RunError> {
        match self {
            Self::Somebody(talk) => talk.say(text),
            Self::Nobody { is_quiet: false } => print::say(text),
            Self::Nobody { is_quiet: true } => Ok(()),
        }
    }

    /// An answer, without blanks around it; the default where there is none. The end of the input ends the set-up.
    pub(super) async fn line(&mut self, question: &str, default: &str) -> Result<String, RunError> {
        let Self::Somebody(talk) = self else { return Ok(default.to_owned()) };
        let shown = if default.is_empty() { String::new() } else { format!(" [{default}]") };
        let line = talk.ask(&format!("{question}{shown} > ")).await?.ok_or_else(left)?;
        let line = line.trim();
        Ok(if line.is_empty() { default.to_owned() } else { line.to_owned() })
    }

    /// Something that the terminal does not show.
    pub(super) async fn hidden(&mut self, question: &str) -> Result<String, RunError> {
        let Self::Somebody(talk) = self else { return Ok(String::new()) };
        let line = talk.ask_hidden(&format!("{question} > ")).await?.ok_or_else(left)?;
        Ok(line.trim().to_owned())
    }

    /// Yes or no; the default where nobody is there.
    pub(super) async fn yes(&mut self, question: &str, default: bool) -> Result<bool, RunError> {
        if !self.is_somebody() {
            return Ok(default);
        }
        loop {
            let answer = self.line(&format!("{question} (y/n)"), if default { "y" } else { "n" }).await?;
            match answer.to_lowercase().as_str() {
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => self.say("y or n, please\n")?,
            }
        }
    }

    /// One of some numbered choices, by its place. There is a default where one is clear.
    pub(super) async fn choice(
        &mut self,
        question: &str,
        choices: &[String],
        default: Option<usize>,
    ) -> Result<usize, RunError> {
        for (place, choice) in choices.iter().enumerate() {
            self.say(&format!("  {:2}  {choice}\n", place + 1))?;
        }
        let default = default.map_or_else(String::new, |place| (place + 1).to_string());
        loop {
            let answer = self.line(question, &default).await?;
            match answer.parse::<usize>() {
                Ok(number) if (1..=choices.len()).contains(&number) => return Ok(number - 1),
                _ => self.say(&format!("a number from 1 to {}, please\n", choices.len()))?,
            }
        }
    }
}

fn left() -> RunError {
    RunError::new(Code::Interrupted, "there are no more answers; no configuration was written")
        .hint("run `punchlist init` again, or with --yes to be asked nothing")
}
