//! Which creates go along with another one, in the same request.

use std::collections::BTreeMap;

use super::{Act, Step};
use crate::domain::model::Kind;

/// Tasks that go along with their project in one request; the others are created one by one. Nothing says how many
/// Clockify takes: of one request whose outcome is unknown, so many are looked for.
const ALONG_MAX: usize = 200;

/// The tasks that can go along with their project, as the steps that create them, by the step that creates that: those
/// that wait for nothing but it, and take nobody's place.
pub fn along(steps: &[Step]) -> BTreeMap<usize, Vec<usize>> {
    let mut along: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, step) in steps.iter().enumerate() {
        let (Kind::Task, Act::Create { parent, like: None, .. }) = (step.kind, &step.act) else { continue };
        let ([project], []) = (step.needs.as_slice(), step.follows.as_slice()) else { continue };
        let above = &steps[*project];
        if matches!(above.act, Act::Create { like: None, .. }) && *parent == Some(above.page) {
            let tasks = along.entry(*project).or_default();
            if tasks.len() < ALONG_MAX {
                tasks.push(at);
            }
        }
    }
    along
}
