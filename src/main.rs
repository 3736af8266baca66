//! The program: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Installing fails only where it was done before.
    drop(color_eyre::install());
    punchlist::face::cli::main(std::env::args_os())
}
