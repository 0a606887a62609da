//! Tests of the trust set: who is believed, for what, and who never.

use super::*;

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn pinned(ecosystem: &str, role: Role, url: &str) -> TrustRoot {
    let address = address(url);
    TrustRoot {
        ecosystem: Arc::from(ecosystem),
        role,
        fingerprint: address.fingerprint(),
        address: Some(address),
        name: None,
        key: None,
        how: How::Pinned,
        origin: Arc::from("trust.toml:1"),
        require: None,
        token: None,
        expires: None,
    }
}

fn sparse() -> Address {
    address(tame_index::CRATES_IO_HTTP_INDEX)
}

fn git() -> Address {
    address(tame_index::CRATES_IO_INDEX)
}

#[test]
fn both_forms_of_the_crates_index_are_one_root() {
    let mut set = TrustSet::new();
    let by_git = set.offer("cargo", Role::Index, &git(), "Cargo.lock");
    assert_eq!(by_git.standing, Standing::Recognised("crates-index"));
    assert_eq!(by_git.primary, sparse().fingerprint());
    let by_sparse = set.offer("cargo", Role::Index, &sparse(), "tame-index");
    assert_eq!(by_sparse.primary, by_git.primary);
    assert_eq!(set.roots().count(), 1);
    let root = set
        .root("cargo", Role::Index, &git().fingerprint())
        .unwrap();
    assert_eq!(root.address, Some(sparse()));
    assert_eq!(root.how, How::Recognised);
    set.offer("cargo", Role::Index, &git(), "Cargo.lock");
    let root = set
        .root("cargo", Role::Index, &git().fingerprint())
        .unwrap();
    assert_eq!(root.address, Some(sparse()), "an alias takes nothing over");
}

#[test]
fn an_offer_never_adds_a_root() {
    let mut set = TrustSet::new();
    let evil = address("https://registry.example/index/");
    let offered = set.offer("cargo", Role::Index, &evil, "Cargo.lock");
    assert_eq!(offered.standing, Standing::Unpinned);
    assert!(!offered.is_believed());
    assert_eq!(
        set.resolve("cargo", Role::Index, &evil).standing,
        Standing::Unpinned
    );
    assert_eq!(set.believed("cargo", Role::Index).count(), 0);
    let facts = set.facts(EcosystemId::new("cargo"));
    assert_eq!(facts[0].how, "unpinned");
    assert_eq!(facts[0].root, "registry-index");
}

#[test]
fn a_root_is_believed_for_its_ecosystem_and_role_only() {
    let mut set = TrustSet::new();
    set.pin(pinned("cargo", Role::Index, "https://registry.example/"));
    let at = address("https://registry.example/");
    let standing = |e, r| set.resolve(e, r, &at).standing;
    assert_eq!(standing("cargo", Role::Index), Standing::Pinned);
    assert_eq!(standing("cargo", Role::Proxy), Standing::Unpinned);
    assert_eq!(standing("npm", Role::Index), Standing::Unpinned);
    assert_eq!(
        set.resolve("npm", Role::Index, &sparse()).standing,
        Standing::Unpinned
    );
    assert_eq!(
        set.resolve(
            "cargo",
            Role::Index,
            &address("https://registry.example/index")
        )
        .standing,
        Standing::Unpinned,
        "a neighbour on the same host is another root"
    );
}

#[test]
fn a_pin_is_not_changed_by_an_offer() {
    let mut set = TrustSet::new();
    set.pin(pinned("cargo", Role::Index, tame_index::CRATES_IO_INDEX));
    set.offer("cargo", Role::Index, &sparse(), "tame-index");
    let root = set
        .root("cargo", Role::Index, &sparse().fingerprint())
        .unwrap();
    assert_eq!((root.how, &*root.origin), (How::Pinned, "trust.toml:1"));
}

#[test]
fn a_mirror_stands_for_a_believed_root_only() {
    let mut set = TrustSet::new();
    let at = address("https://mirror.example/crates");
    let mirror = |of| Mirror {
        of,
        address: at.clone(),
        origin: Arc::from("trust.toml:9"),
    };
    set.add_mirror(mirror(address("https://registry.example/").fingerprint()));
    assert_eq!(
        set.resolve("cargo", Role::Index, &at).standing,
        Standing::Unpinned
    );
    set.add_mirror(mirror(git().fingerprint()));
    let resolved = set.resolve("cargo", Role::Index, &at);
    assert_eq!(resolved.standing, Standing::Mirror(sparse().fingerprint()));
    assert_eq!(resolved.primary, sparse().fingerprint());
    assert_eq!(set.mirrors_of(&sparse().fingerprint()).count(), 1);
    assert_eq!(
        set.resolve("npm", Role::Index, &at).standing,
        Standing::Unpinned
    );
}

#[test]
fn a_credential_goes_to_its_exact_origin() {
    let mut root = pinned("cargo", Role::Index, "https://registry.example/index");
    root.token = TokenVariable::parse("env:REGISTRY_TOKEN");
    let env = |name: &str| (name == "REGISTRY_TOKEN").then(|| "s3cret".to_owned());
    let to = |url: &str| root.credential(url, &env).map(|s| s.reveal().to_owned());
    assert_eq!(
        to("https://registry.example/index/a/b").as_deref(),
        Some("s3cret")
    );
    assert_eq!(
        to("https://Registry.example:443/x").as_deref(),
        Some("s3cret")
    );
    for other in [
        "https://registry.example:8443/index/",
        "http://registry.example/index/",
        "https://registry.example.org/index/",
        "https://registry.example@other.example/",
        "https://registry.example./index/",
        "https://other.example/?https://registry.example/",
        "nonsense",
    ] {
        assert_eq!(to(other), None, "{other}");
    }
    let torn = |_: &str| Some("a\r\nHost: x".to_owned());
    assert!(
        root.credential("https://registry.example/", &torn)
            .is_none()
    );
    root.how = How::Unpinned;
    assert!(
        root.credential("https://registry.example/index/", &env)
            .is_none()
    );
}

#[test]
fn variables_have_plain_names() {
    assert_eq!(TokenVariable::parse("env:A_1").unwrap().name(), "A_1");
    for bad in [
        "A_1", "env:", "env:1A", "env:a", "env:A B", "env:A=B", "sekret",
    ] {
        assert!(TokenVariable::parse(bad).is_none(), "{bad}");
    }
}

#[test]
fn require_lowers_only_from_the_users_own_file() {
    let lower = |may_lower| Requirement {
        assurance: Assurance::Declared,
        may_lower,
    };
    assert_eq!(lower(true).under(Assurance::Published), Assurance::Declared);
    assert_eq!(
        lower(false).under(Assurance::Published),
        Assurance::Published
    );
    let raise = Requirement {
        assurance: Assurance::Authenticated,
        may_lower: false,
    };
    assert_eq!(raise.under(Assurance::Published), Assurance::Authenticated);
}
