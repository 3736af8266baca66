//! Exit codes: what a script is told of how a command ended.

/// What a command ended with. The numbers are for scripts, and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Code {
    /// In sync, or everything was applied; of what only looks, that it has.
    Done = 0,
    /// Anything that has no code of its own: a change that was refused, a source that could not be read completely.
    Error = 1,
    /// Changes wait.
    Waiting = 2,
    /// A brake held something.
    Braked = 3,
    /// Somebody asked for a stop, or not everything was applied: the next run goes on.
    Interrupted = 4,
    /// Another run is under way.
    Locked = 5,
    /// The state is damaged, newer than this program, full, or not ours.
    StateUnusable = 6,
    /// A service refused who asks, or a secret could not be had.
    Refused = 7,
    /// A write has an unknown outcome that needs a person.
    Unknown = 8,
    /// It was asked for in a way that makes no sense.
    Usage = 64,
    /// A service takes no more requests for now.
    OutOfBudget = 75,
    /// The configuration cannot be used.
    Configuration = 78,
}

impl Code {
    /// All but [`Code::Usage`], which is alone since nothing is done then: of several causes the first here is told.
    pub const RANKED: [Self; 11] = [
        Self::Configuration,
        Self::Refused,
        Self::StateUnusable,
        Self::Locked,
        Self::Error,
        Self::Unknown,
        Self::Interrupted,
        Self::OutOfBudget,
        Self::Braked,
        Self::Waiting,
        Self::Done,
    ];

    /// The place in [`Code::RANKED`]: less is graver.
    pub fn rank(self) -> usize {
        Self::RANKED.iter().position(|ranked| *ranked == self).unwrap_or(0)
    }
}

impl From<Code> for u8 {
    fn from(code: Code) -> Self {
        code as Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_lists_every_code_and_their_ranks() {
        let page = include_str!("../../assets/docs/exit-codes.md");
        let (_, after) = page.split_once("| exit code | meaning |\n").expect("a table");
        let rows = after.lines().skip(1).map_while(|line| line.strip_prefix("| "));
        let listed: Vec<&str> = rows.filter_map(|row| row.split_once(' ').map(|(number, _)| number)).collect();
        let number = |code: &Code| u8::from(*code).to_string();
        let mut codes = Code::RANKED.to_vec();
        codes.push(Code::Usage);
        codes.sort_unstable();
        assert_eq!(listed, codes.iter().map(number).collect::<Vec<_>>());
        let ranks = Code::RANKED.iter().map(number).collect::<Vec<_>>().join(", ");
        assert!(after.contains(&format!("the first of {ranks} is returned")), "{ranks}");
    }
}
