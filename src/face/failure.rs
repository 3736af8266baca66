//! How a person is told what goes wrong.

use std::io::{Write, stderr};

use crate::edge::scrub::scrub;

pub(super) use crate::engine::failure::{Code, RunError};

/// Tells a panic as an error report would, without what is known to be secret: its words may quote what was worked on.
/// Then the program ends, in whichever thread it was: what was under way is in the journal, and half a program is of no
/// use.
pub(crate) fn tell_panics() {
    let (panics, errors) = color_eyre::config::HookBuilder::default().display_env_section(false).into_hooks();
    // Fails only where it was done before.
    let _installed = errors.install().is_ok();
    std::panic::set_hook(Box::new(move |panic| {
        drop(writeln!(stderr(), "{}", scrub(&panics.panic_report(panic).to_string())));
        std::process::exit(101);
    }));
}
