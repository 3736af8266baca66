//! The program.

use std::process::ExitCode;

fn main() -> ExitCode {
    punchlist::edge::machine::keep_memory_private();
    punchlist::face::cli::main()
}
