//! What the mapping can say beside the names of properties, through the binary and the sandbox.

use punchlist::sandbox::World;

use crate::support::Rig;

#[test]
fn a_name_that_only_looks_like_another_one_waits_for_a_person() {
    let mut world = World::empty();
    world.add_client_page("Office ❤");
    let rig = Rig::new(world);
    rig.settle();
    rig.sandbox.world().add_client_page("Oﬃce\u{A0}❤\u{FE0F}");

    let (code, report) = rig.auto_approve();

    assert_eq!((code, &report["applied"]), (2, &serde_json::json!(0)), "{report:#}");
    assert_eq!(rig.plan_lines(), ["create client Oﬃce\u{A0}❤\u{FE0F} [review]"]);
    let plan = rig.run(&["plan"]).stdout;
    assert!(plan.contains("the names differ only by case, spaces or what looks the same"), "{plan}");
    rig.plain("approve\napply\nyes\nquit\n");
    let names: Vec<String> = rig.sandbox.world().clients().into_iter().map(|client| client.name).collect();
    assert_eq!(names, ["Office ❤", "Oﬃce ❤\u{FE0F}"], "and it is sent as it is written");
}
