//! Rules of the mapping that people looked for.

use super::world::World;

#[test]
fn a_name_that_only_looks_like_another_one_is_not_created_unasked() {
    for name in ["Ac\u{AD}me", "Acme\u{FE0F}", "\u{FEFF}Acme", "Ａｃｍｅ", "Ac\u{2800}me", "AC\u{A0}ME"] {
        let mut world = World::linked(&["Acme"]);
        world.page(name);
        let plan = world.plan();
        let [create] = plan.changes.as_slice() else { panic!("{}", world.changes()) };
        assert_eq!(create.proposal.confidence, 85, "{}", world.changes());
        assert_eq!(world.notices().matches("NearTwin").count(), 2, "{}", world.notices());
    }
}
