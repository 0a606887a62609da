//! Tests of standings: who is asked for which name, and who gets a credential.

use super::*;
use crate::ecosystems::contract::Ecosystem;
use crate::model::Registry;
use crate::pipeline::registries::Registries;
use crate::trust::{Source, TrustFile};
use crate::world::fake::Given;

const OWN: &str = "https://crates.registry.example/index/";

fn standings(trust: &str) -> (Standings, Registries) {
    let file = TrustFile::parse(trust.as_bytes(), "trust.toml", Source::User, &["cargo"]).unwrap();
    let registries = Registries::new(TrustSet::from_files(&[file]).unwrap());
    let cargo: &'static dyn Ecosystem = ecosystems::all()[0];
    for (address, origin) in cargo.shipped_registries() {
        registries.meet(cargo.facts().id, address, origin);
    }
    registries.meet_pinned(cargo.facts().id);
    (
        registries.standings(&[cargo], Assurance::Published),
        registries,
    )
}

fn coordinate(registries: &Registries, name: &str, address: &str) -> Coordinate {
    let id = ecosystems::all()[0].facts().id;
    let registry: Arc<Registry> = registries.meet(id, address, "Cargo.lock").unwrap();
    Coordinate {
        ecosystem: id,
        name: Arc::from(name),
        version: Arc::from("1.0.0"),
        origin: Origin::Registry(registry),
    }
}

fn pinned(more: &str) -> String {
    format!("[[root]]\necosystem = \"cargo\"\nrole = \"index\"\nurl = \"{OWN}\"\n{more}")
}

#[test]
fn a_private_name_is_asked_at_its_own_pinned_registry_and_nowhere_else() {
    let (standings, registries) = standings(&pinned(
        "[private]\ncargo = [\"corp-*\"]\nrequire = \"declared\"\n",
    ));
    let public = tame_index::CRATES_IO_HTTP_INDEX;
    let git = tame_index::CRATES_IO_INDEX;
    for name in ["corp-core", "corp_core", "Corp-Core", "CORP_core"] {
        for address in [public, git, "https://other.registry.example/index/"] {
            let it = coordinate(&registries, name, address);
            assert_eq!(
                standings.of(&it),
                Standing::Private(Assurance::Declared),
                "{name} at {address}"
            );
            assert_eq!(standings.asked_at(&it), None, "{name} at {address}");
        }
        let it = coordinate(&registries, name, OWN);
        assert!(standings.asked_at(&it).is_some(), "{name}");
        assert!(standings.is_private(&it));
    }
    let other = coordinate(&registries, "serde", public);
    assert!(standings.asked_at(&other).is_some());
    assert!(!standings.is_private(&other));
}

#[test]
fn what_comes_from_no_known_registry_is_unpinned() {
    let (standings, registries) = standings("");
    let it = coordinate(&registries, "serde", OWN);
    assert_eq!(standings.of(&it), Standing::Unpinned);
    let path = Coordinate {
        origin: Origin::Path,
        ..it
    };
    assert_eq!(standings.of(&path), Standing::Unpinned);
}

#[test]
fn a_credential_goes_to_its_root_s_exact_origin_only() {
    let (standings, registries) = standings(&pinned("token = \"env:OWN_TOKEN\"\n"));
    let env = Given::default().set("OWN_TOKEN", "s3cret");
    let of = |it: &Coordinate, url: &str| {
        let Origin::Registry(registry) = &it.origin else {
            return None;
        };
        standings
            .credential(it.ecosystem, &registry.fingerprint, url, &env)
            .map(|secret| secret.reveal().to_owned())
    };
    let own = coordinate(&registries, "core", OWN);
    let url = "https://crates.registry.example/index/co/re/core";
    assert_eq!(of(&own, url).as_deref(), Some("s3cret"));
    for other in [
        "http://crates.registry.example/index/co/re/core",
        "https://crates.registry.example:8443/index/co/re/core",
        "https://crates.registry.example.evil.example/index/co/re/core",
        "https://crates.registry.example@evil.example/index/co/re/core",
        "https://registry.example/index/co/re/core",
    ] {
        assert_eq!(of(&own, other), None, "{other}");
    }
    // A neighbour on the same host is another root.
    let neighbour = coordinate(
        &registries,
        "core",
        "https://crates.registry.example/other/",
    );
    assert_eq!(of(&neighbour, url), None);
}
