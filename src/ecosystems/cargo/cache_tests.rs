//! Folders of a cargo home bound to registries, and what stays unbound.

use super::*;

#[test]
fn names_are_split_at_the_version() {
    let split =
        |text: &str| split_name(OsStr::new(text)).map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(split("itoa-1.0.11"), Some(("itoa".into(), "1.0.11".into())));
    assert_eq!(
        split("a-b-1.0.0-rc.1+x-y"),
        Some(("a-b".into(), "1.0.0-rc.1+x-y".into()))
    );
    assert_eq!(
        split("sha-1-0.10.0"),
        Some(("sha-1".into(), "0.10.0".into()))
    );
    assert_eq!(
        split("a-1.0.0-2.0.0"),
        Some(("a".into(), "1.0.0-2.0.0".into()))
    );
    assert_eq!(split("noversion"), None);
    assert_eq!(split("-1.0.0"), None);
}

#[test]
fn what_a_local_registry_was_unpacked_to_is_bound_by_the_lockfile() {
    use crate::ecosystems::contract::Wanted;
    use crate::world::fake::Disk;

    let mut disk = Disk::of(0, 0);
    disk.file(
        "/c/registry/src/-4d0684dd71e71d85/itoa-1.0.18/src/lib.rs",
        "x",
    );
    disk.file("/c/registry/src/-other/itoa-1.0.18/src/lib.rs", "x");
    let mut locked = Wanted::default();
    let key: (Arc<str>, Arc<str>) = ("itoa".into(), "1.0.18".into());
    locked.packages.insert(key.clone());
    let nothing = Wanted::default();
    let bound = |locked: &Wanted, narrow: bool| -> Vec<Binding> {
        let context = OpenContext {
            registries: &[],
            wanted: narrow.then_some(locked),
            locked,
            places: &[],
            full: false,
        };
        let session = CargoHome.open(&*disk.dir("/c"), &context);
        session.units.into_iter().map(|unit| unit.binding).collect()
    };
    let unpinned = Binding::Unbound(Reason::UnpinnedRoot);
    // Neither folder is known, and what they hold lies nowhere else: both are said.
    assert_eq!(bound(&locked, true), [unpinned.clone(), unpinned.clone()]);
    locked.registries.insert(
        key,
        Arc::new(Registry {
            fingerprint: crate::model::Fingerprint([1; 32]),
            address: "https://registry.example/".into(),
        }),
    );
    assert!(matches!(
        bound(&locked, true).as_slice(),
        [Binding::Artifact(_)]
    ));
    assert_eq!(bound(&nothing, false), [unpinned.clone(), unpinned]);
}
