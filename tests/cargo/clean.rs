//! What real cargo leaves behind is clean: every subject verified, exit 0 with advisories off.

use crate::support::{Source, World};

#[test]
fn a_fetched_project_of_an_alternate_registry_is_clean() {
    let world = World::clean(Source::Alternate);
    assert!(world.build_and_run().contains("alpha-beta gamma"));
    std::fs::remove_dir_all(world.project().join("target")).unwrap();
    let scan = world.untaint().run();
    scan.is_clean();
    assert_eq!(scan.count("first_party"), 1, "{}", scan.story());
}

#[test]
fn a_fetched_project_behind_a_mirror_of_the_default_registry_is_clean() {
    let world = World::clean(Source::Mirror);
    assert!(world.build_and_run().contains("alpha-beta gamma"));
    std::fs::remove_dir_all(world.project().join("target")).unwrap();
    world.untaint().run().is_clean();
}
