//! Notes that must open, and every way in which one must not.

use super::*;
use crate::tlog::testlog::TestLog;

/// The key and the note that golang.org/x/mod/sumdb/note publishes as its example.
const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const NOTE: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn open(note: &[u8], keys: &[VerifierKey]) -> Result<String, Error> {
    Note::parse(note)?.verified(keys).map(str::to_owned)
}

fn why(result: Result<String, Error>) -> Option<NoteForgery> {
    match result {
        Err(Error::Forged(forgery)) => match *forgery {
            Forgery::Note { why, .. } => Some(why),
            _ => None,
        },
        _ => None,
    }
}

#[test]
fn the_published_example_opens() {
    let key = VerifierKey::parse(KEY).unwrap();
    assert_eq!((key.name(), key.hash()), ("PeterNeumann", 0xc74f_20a3));
    let text = open(NOTE.as_bytes(), &[key]).unwrap();
    assert!(text.starts_with("If you") && text.ends_with("is.\n"));
}

#[test]
fn key_hashes_are_recomputed() {
    for bad in [
        KEY.replace("c74f20a3", "c74f20a4"),
        KEY.replace("c74f20a3", "C74F20A3"),
        KEY.replace("c74f20a3", "+74f20a3"),
        KEY.replace("Peter", "peter"),
        KEY.replace("ARpc", "ARpd"),
        KEY.replace("+ARpc", "+ZRpc"),
        KEY.replace("PeterNeumann", ""),
        KEY.replace("PeterNeumann", "Peter Neumann"),
        format!("{KEY}AAAA"),
        "PeterNeumann+c74f20a3".to_owned(),
        String::new(),
    ] {
        assert!(VerifierKey::parse(&bad).is_err(), "{bad}");
    }
}

#[test]
fn the_public_log_is_known_by_its_raw_key_and_only_under_the_name_that_fits() {
    assert_eq!(
        STANDARD
            .encode([&[ED25519][..], &PUBLIC_GO_SUMDB_KEY].concat())
            .len(),
        44
    );
    assert!(
        VerifierKey::new("log.example", &PUBLIC_GO_SUMDB_KEY).is_ok(),
        "a usable curve point"
    );
    assert_eq!(VerifierKey::public_go_sumdb("log.example"), None);
    assert_eq!(VerifierKey::public_go_sumdb(""), None);
    // The right key hash in front of a signature is not enough: name and key must recompute it.
    let line = [&PUBLIC_GO_SUMDB_KEY_HASH.to_be_bytes()[..], &[0; 64]].concat();
    let note = format!("x\n\n\u{2014} log.example {}\n", STANDARD.encode(line));
    assert_eq!(
        Note::parse(note.as_bytes()).unwrap().public_go_sumdb_key(),
        None
    );
}

#[test]
fn every_flipped_bit_of_a_note_is_noticed() {
    let log = TestLog::numbered("log.example", 1, 9);
    let keys = [log.verifier()];
    let note = log.note(9);
    assert!(open(&note, &keys).is_ok());
    for at in 0..note.len() {
        for bit in 0..8 {
            let mut bad = note.clone();
            bad[at] ^= 1 << bit;
            assert!(open(&bad, &keys).is_err(), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn several_signatures_are_judged_by_the_known_ones() {
    let ours = TestLog::numbered("log.example", 1, 3);
    let theirs = ours.clone().with_key(9);
    let text = ours.head(3).text();
    let line = |log: &TestLog| {
        let note = String::from_utf8(log.sign(&text)).unwrap();
        note.rsplit_once("\n\n").unwrap().1.to_owned()
    };
    let both = format!("{text}\n{}{}", line(&theirs), line(&ours));
    assert!(
        open(both.as_bytes(), &[ours.verifier()]).is_ok(),
        "unknown signers are ignored"
    );
    assert!(open(both.as_bytes(), &[theirs.verifier(), ours.verifier()]).is_ok());

    let other = TestLog::numbered("other.example", 1, 3);
    assert_eq!(
        why(open(both.as_bytes(), &[other.verifier()])),
        Some(NoteForgery::OtherSigner)
    );
    assert_eq!(
        why(open(both.as_bytes(), &[])),
        Some(NoteForgery::OtherSigner)
    );

    // One true signature does not excuse a false one by another known key.
    let other_text = String::from_utf8(theirs.sign("go.sum database tree\n")).unwrap();
    let stolen = other_text.rsplit_once("\n\n").unwrap().1;
    let mixed = format!("{text}\n{}{stolen}", line(&ours));
    assert!(open(mixed.as_bytes(), &[ours.verifier()]).is_ok());
    let keys = [ours.verifier(), theirs.verifier()];
    assert_eq!(
        why(open(mixed.as_bytes(), &keys)),
        Some(NoteForgery::FalseSignature)
    );
}

#[test]
fn a_head_signed_by_another_key_under_the_same_name_is_forged() {
    let ours = TestLog::numbered("log.example", 1, 3);
    let note = ours.clone().with_key(9).note(3);
    assert_eq!(
        why(open(&note, &[ours.verifier()])),
        Some(NoteForgery::OtherSigner)
    );
}

#[test]
fn the_split_is_at_the_last_blank_line() {
    let log = TestLog::numbered("log.example", 1, 1);
    let note = log.sign("first\n\nsecond\n");
    assert_eq!(open(&note, &[log.verifier()]).unwrap(), "first\n\nsecond\n");
}

#[test]
fn malformed_notes_are_refused() {
    let log = TestLog::numbered("log.example", 1, 1);
    let good = String::from_utf8(log.note(1)).unwrap();
    let line = good.rsplit_once("\n\n").unwrap().1.to_owned();
    for bad in [
        String::new(),
        "\n\n".to_owned(),
        good.trim_end().to_owned(),
        good.replace('\u{2014}', "-"),
        good.replace("log.example", "log+example"),
        good.replace("log.example ", "log.example  "),
        good.replace("log.example ", ""),
        good.replace("\n\n", "\n"),
        format!("{good}\n"),
        good.replace("tree", "tr\tee"),
        good.replace("tree", "tr\u{7f}ee"),
        format!("x\n\n{}", line.repeat(MAX_SIGNATURES + 1)),
        format!("{}\n\n{line}", "x".repeat(MAX_NOTE)),
        "x\n\n\u{2014} log.example AAAA\n".to_owned(),
    ] {
        let result = Note::parse(bad.as_bytes());
        assert!(
            matches!(result, Err(Error::Malformed { .. })),
            "{:?}",
            bad.get(..80)
        );
    }
    assert!(Note::parse(&[b"\xff", good.as_bytes()].concat()).is_err());
}

#[test]
fn an_embedded_head_is_rebuilt_from_its_parts() {
    let log = TestLog::numbered("log.example", 1, 12);
    let signed = log.signed(12);
    let note = Note::parse(signed.note()).unwrap();
    let signature: [u8; 64] = note.signatures[0].bytes.as_slice().try_into().unwrap();
    let head = signed.head();
    let key = log.verifier();
    assert_eq!(
        SignedHead::from_parts(&key, head.size, head.root, &signature).unwrap(),
        signed
    );
    assert!(SignedHead::from_parts(&key, head.size + 1, head.root, &signature).is_err());
}
