//! Tests of canonical addresses: one text each, and no two that a server tells apart share one.

use proptest::prelude::*;

use super::*;

fn text(from: &str) -> String {
    Address::parse(from).unwrap().as_str().to_owned()
}

#[test]
fn one_text_for_one_address() {
    let plain = "https://registry.example/index/";
    for same in [
        "https://registry.example/index",
        "https://registry.example/index/",
        "https://registry.example/index//",
        "HTTPS://Registry.EXAMPLE/index",
        "https://registry.example:443/index/",
        "https://registry.example:/index/",
        "sparse+https://registry.example/index/",
        "registry+https://registry.example/index",
        "https://user:word@registry.example/index/",
        "https://registry.example/index/?a=b#c",
        "https://registry.example/./x/../index/",
        "https://registry.example/x/%2e%2E/index/",
        "https://registry.example/%69nde%78/",
    ] {
        assert_eq!(text(same), plain, "{same}");
    }
    assert_eq!(
        text("https://registry.example"),
        "https://registry.example/"
    );
    assert_eq!(
        text("https://registry.example/../.."),
        "https://registry.example/"
    );
    assert_eq!(
        text("https://registry.example:8443/a"),
        "https://registry.example:8443/a/"
    );
    assert_eq!(
        text("https://registry.example/a%2fb"),
        "https://registry.example/a%2Fb/"
    );
}

#[test]
fn what_a_server_tells_apart_stays_apart() {
    let all = [
        "https://registry.example/index",
        "https://registry.example/index.git",
        "https://registry.example/Index",
        "https://registry.example/a/index",
        "https://registry.example/a//index",
        "https://registry.example/a%2Findex",
        "https://registry.example/a%252Findex",
        "https://registry.example/%252e%252e/index",
        "https://registry.example./index",
        "https://registry.example:8443/index",
        "https://registry.example.org/index",
        "https://xregistry.example/index",
    ];
    let mut prints: Vec<_> = all
        .iter()
        .map(|a| Address::parse(a).unwrap().fingerprint())
        .collect();
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), all.len());
}

#[test]
fn only_https_or_loopback() {
    for local in [
        "http://127.0.0.1:8080/index",
        "http://127.9.9.9/",
        "http://127.1/",
        "http://[::1]:80/x",
        "http://localhost:1/",
        "http://LOCALHOST/",
    ] {
        assert!(Address::parse(local).unwrap().is_loopback(), "{local}");
    }
    for refused in [
        "http://registry.example/",
        "http://127.0.0.1.registry.example/",
        "http://localhost.registry.example/",
        "http://[::2]/",
        "http://[::ffff:127.0.0.1]/",
        "http://0.0.0.0/",
        "ftp://registry.example/",
        "file:///index",
    ] {
        assert!(Address::parse(refused).is_err(), "{refused}");
    }
    assert!(
        !Address::parse("https://registry.example/")
            .unwrap()
            .is_loopback()
    );
}

#[test]
fn nothing_is_repaired() {
    for bad in [
        "",
        " https://registry.example/",
        "https://registry.example/ ",
        "https://registry\t.example/",
        "https://registry.example\\@other.example/",
        "https:registry.example/",
        "https:/registry.example/",
        "https:///registry.example/",
        "https://regist%72y.example/",
        "https://registry.example/%",
        "https://registry.example/%4",
        "https://registry.example/%g0",
        "https://registry.example:0/",
        "https://registry.example:99999/",
        "https://user@/",
        "https://ünï.example/",
        "sparse+sparse+https://registry.example/",
        "git+https://registry.example/",
        "registry.example/index",
    ] {
        assert!(Address::parse(bad).is_err(), "{bad}");
    }
    let long = format!("https://registry.example/{}", "a".repeat(3000));
    assert_eq!(Address::parse(&long), Err(AddressError::Malformed));
}

#[test]
fn what_a_person_writes_is_held_stricter() {
    let written = Address::parse_written;
    assert_eq!(
        written("https://u@registry.example/"),
        Err(AddressError::Credentials)
    );
    assert_eq!(
        written("https://:p@registry.example/"),
        Err(AddressError::Credentials)
    );
    assert_eq!(
        written("https://registry.example/?x"),
        Err(AddressError::Query)
    );
    assert_eq!(
        written("https://registry.example/#x"),
        Err(AddressError::Query)
    );
    assert!(written("https://registry.example/x").is_ok());
}

#[test]
fn messages_show_no_password() {
    let error = Address::parse_written("https://u:hunter2@registry.example/").unwrap_err();
    assert!(!error.to_string().contains("hunter2"));
}

#[test]
fn origins() {
    let of = |a: &str| Address::parse(a).unwrap().origin().to_owned();
    assert_eq!(
        of("https://registry.example/a/b"),
        "https://registry.example"
    );
    assert_eq!(
        of("https://registry.example:443/"),
        "https://registry.example"
    );
    assert_eq!(
        of("https://registry.example:8443/"),
        "https://registry.example:8443"
    );
    assert_eq!(of("http://[::1]:81/x"), "http://[::1]:81");
    assert_eq!(origin_of("http://registry.example/"), None);
}

proptest! {
    #[test]
    fn canonical_text_is_its_own_canonical_text(path in "[ -~]{0,60}", host in "[a-zA-Z0-9.-]{1,20}") {
        if let Ok(address) = Address::parse(&format!("https://{host}/{path}")) {
            let again = Address::parse_written(address.as_str());
            prop_assert_eq!(again, Ok(address.clone()));
            prop_assert!(address.as_str().ends_with('/'));
            prop_assert!(!address.as_str().ends_with("//"));
            prop_assert!(address.as_str().starts_with(address.origin()));
        }
    }

    #[test]
    fn any_text_is_judged_without_panic(text in "\\PC{0,80}") {
        let _ = Address::parse(&text);
        let _ = Address::parse(&format!("https://{text}"));
        let _ = Address::parse_written(&format!("http://localhost/{text}"));
    }
}
