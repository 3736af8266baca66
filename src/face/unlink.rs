//! Ends the link of a page, so that what it says in every run is settled: nothing is written to either side.

use super::{
    failure::{Code, RunError},
    print::tell_done,
};
use crate::{
    domain::{
        model::{Link, Sight},
        reference,
        text::Shown,
    },
    engine::run::Installation,
};

/// Parts a page, by its ID or address, from its object.
pub(super) async fn unlink(installation: &Installation, page: &str, as_json: bool) -> Result<(), RunError> {
    let shown = Shown::of(page).clipped(80).to_string();
    let wanted = reference::page(page)
        .ok_or_else(|| RunError::new(Code::Usage, format!("“{shown}” is no ID or address of a page")))?;
    let mut state = installation.open_state().await?;
    let registry = state.registry().await?;
    let Some(link) = registry.of_page(wanted) else {
        return Err(RunError::new(Code::Error, format!("no page {wanted} is linked"))
            .hint("notices and holds name the page; `punchlist explain PAGE` says what it is linked to"));
    };
    let parted = Link { sight: Sight::Parted, ..link.clone() };
    installation.unlink(&mut state, &parted).await?;
    let told = format!(
        "The {} page {wanted} is no longer linked to {}. Both stay as they are; they are linked again only where somebody says so.\n",
        link.kind, link.object
    );
    tell_done(&told, as_json)
}
