//! What the index is asked, and what is made of its answers.

use super::*;
use crate::model::{Coordinate, EcosystemId, Origin};

const LINE: &str = r#"{"name":"Abc","vers":"1.0.0","deps":[],"cksum":"49f1f14873335454500d59611f1cf4a4b0f786f9ac11f4312a78e4cf2566695b","features":{},"yanked":true}"#;

fn ask(name: &str) -> Question {
    Question {
        name: Arc::from(name),
        known: None,
        versions: vec![Arc::from("1.0.0")],
        fresh: false,
    }
}

fn answered(question: Question, status: u16, body: &str) -> Reply {
    let mut asking = SparseIndex.begin("http://127.0.0.1:1/index/", vec![question]);
    let needed = asking.need();
    assert_eq!(needed.len(), 1);
    let response = Response {
        status,
        body: body.as_bytes().to_vec(),
        etag: Some(Arc::from("e")),
        last_modified: None,
    };
    asking.answer(needed[0].0, Ok(response), 100);
    assert!(asking.need().is_empty());
    asking.finish().remove(0)
}

#[test]
fn paths_follow_the_prefix_rule() {
    for (name, path) in [
        ("a", "1/a"),
        ("ab", "2/ab"),
        ("Abc", "3/a/abc"),
        ("serde", "se/rd/serde"),
    ] {
        let mut asking = SparseIndex.begin("http://127.0.0.1:1/index/", vec![ask(name)]);
        assert_eq!(
            &*asking.need()[0].1.url,
            format!("http://127.0.0.1:1/index/{path}")
        );
    }
}

#[test]
fn an_answer_becomes_a_listing() {
    let Reply::Listing(listing) = answered(ask("abc"), 200, LINE) else {
        panic!("a listing")
    };
    assert!(listing.complete && listing.versions[0].yanked);
    assert_eq!(listing.confirmed_at, 100);
}

#[test]
fn nonsense_and_errors_are_gaps_not_answers() {
    assert!(matches!(
        answered(ask("abc"), 200, "<html>"),
        Reply::Gap(..)
    ));
    assert!(matches!(answered(ask("abc"), 200, ""), Reply::Gap(..)));
    assert!(matches!(answered(ask("other"), 200, LINE), Reply::Gap(..)));
    assert!(matches!(answered(ask("abc"), 304, ""), Reply::Gap(..)));
    assert!(matches!(
        answered(ask("abc"), 404, ""),
        Reply::NoSuchPackage
    ));
    let two = format!("{LINE}\nbroken\n");
    let Reply::Listing(listing) = answered(ask("abc"), 200, &two) else {
        panic!("a listing")
    };
    assert!(!listing.complete);
}

#[test]
fn a_conditional_request_only_if_the_version_is_known() {
    let known = Listing {
        etag: Some(Arc::from("e")),
        ..Listing::default()
    };
    let question = Question {
        known: Some(Arc::new(known)),
        ..ask("abc")
    };
    let mut asking = SparseIndex.begin("http://127.0.0.1:1/", vec![question]);
    assert!(asking.need()[0].1.etag.is_none());
}

#[test]
fn downloads_follow_the_template() {
    let artifact = ArtifactId {
        coordinate: Coordinate {
            ecosystem: EcosystemId::new("cargo"),
            name: Arc::from("Serde"),
            version: Arc::from("1.0.0"),
            origin: Origin::Unknown,
        },
        file: Arc::from("Serde-1.0.0.crate"),
    };
    let digest = Digest::sha256([0; 32]);
    let url = |dl: &str| {
        let config = format!(r#"{{"dl":"{dl}"}}"#);
        let request = SparseIndex.archive_request(
            Some(config.as_bytes()),
            "http://127.0.0.1:1/",
            &artifact,
            &digest,
            9,
        );
        request.map(|r| r.url.to_string())
    };
    assert_eq!(
        url("http://127.0.0.1:1/dl").unwrap(),
        "http://127.0.0.1:1/dl/Serde/1.0.0/download"
    );
    assert_eq!(
        url("http://127.0.0.1:1/{lowerprefix}/{prefix}/{crate}-{version}").unwrap(),
        "http://127.0.0.1:1/se/rd/Se/rd/Serde-1.0.0"
    );
    assert!(url("nonsense").is_none());
}
