//! The program: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    punchlist::face::cli::main(std::env::args_os())
}
