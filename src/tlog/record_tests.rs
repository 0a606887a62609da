//! Answers taken apart, and the rules about what may be taken from them.

use super::*;
use crate::tlog::proof::inclusion;
use crate::tlog::testlog::{TestLog, wanted};

const ZIP: &str = "h1:BLhj0LeoEpvRCie1hqKYLg19Lo42PQbYQ/MDFw+29w0=";
const MOD: &str = "h1:DuHFTR/T1U+R+7hIifGaU/MKbuUR3XKsRWVFj+5Y9KA=";

fn asked() -> Wanted {
    Wanted {
        module: "example.com/Foo/bar".to_owned(),
        version: "v1.0.0".to_owned(),
    }
}

fn good() -> String {
    format!("example.com/Foo/bar v1.0.0 {ZIP}\nexample.com/Foo/bar v1.0.0/go.mod {MOD}\n")
}

/// A log whose last record is this text, and the answer to a look-up of it.
fn logged(record: &str) -> (TestLog, Vec<u8>) {
    let mut log = TestLog::numbered("log.example", 1, 5);
    log.push(record.to_owned());
    let answer = log.answer(5, 6);
    (log, answer)
}

fn prove(record: &str) -> Result<Proven, Error> {
    let (log, answer) = logged(record);
    let proof = inclusion(&log.stored(), 5, 6).unwrap();
    let under = SignedHead::open(&log.note(6), &[log.verifier()])?;
    Proven::from_kept(&asked(), &answer, under, proof)
}

fn why(result: Result<Proven, Error>) -> Option<RecordForgery> {
    match result {
        Err(Error::Forged(forgery)) => match *forgery {
            Forgery::Record { why, .. } => Some(why),
            _ => None,
        },
        _ => None,
    }
}

#[test]
fn both_hashes_come_out_of_a_proven_record() {
    let proven = prove(&good()).unwrap();
    assert_eq!(format!("h1:{}", proven.zip), ZIP);
    assert_eq!(format!("h1:{}", proven.go_mod), MOD);
    assert_eq!((proven.id, proven.tree().size), (5, 6));
}

#[test]
fn go_2026_4984_a_record_without_the_line_asked_for_is_a_finding() {
    let others = [
        format!("example.com/Foo/baz v1.0.0 {ZIP}\nexample.com/Foo/baz v1.0.0/go.mod {MOD}\n"),
        format!("example.com/Foo/bar v1.0.1 {ZIP}\nexample.com/Foo/bar v1.0.1/go.mod {MOD}\n"),
        format!("example.com/foo/bar v1.0.0 {ZIP}\nexample.com/foo/bar v1.0.0/go.mod {MOD}\n"),
        format!("example.com/Foo/bar v1.0.0 {ZIP}\n"),
        format!("example.com/Foo/bar v1.0.0/go.mod {MOD}\n"),
        "nothing\n".to_owned(),
        format!("xexample.com/Foo/bar v1.0.0 {ZIP}\nexample.com/Foo/bar v1.0.0/go.mod {MOD}\n"),
        format!("example.com/Foo/bar v1.0.0 {ZIP} x\nexample.com/Foo/bar v1.0.0/go.mod {MOD}\n"),
        good().replace("v1.0.0 ", "v1.0.0  "),
        good().replace("h1:", "h2:"),
        good().replace("KA=", "KB="),
    ];
    for other in others {
        assert_eq!(
            why(prove(&other)),
            Some(RecordForgery::WithoutLine),
            "{other}"
        );
    }
}

#[test]
fn go_2026_6180_hash_lines_after_the_record_are_evidence_of_forgery() {
    let evil = format!("example.com/Foo/bar v1.0.0 {MOD}");
    let (log, answer) = logged(&good());
    let answer = String::from_utf8(answer).unwrap();
    let (record, note) = answer.split_once("\n\n").unwrap();
    let note_text = log.head(6).text();
    let resigned = String::from_utf8(log.sign(&format!("{note_text}{evil}\n"))).unwrap();
    for bad in [
        format!("{record}\n\n{evil}\n\n{note}"),
        format!("{record}\n\n{evil}\n{note}"),
        format!("{answer}{evil}\n"),
        format!("{answer}\n{evil}\n"),
        format!("{record}\n\n{resigned}"),
        format!(
            "{record}\n\n {}\n{note}",
            evil.replace(' ', "\t").replace('\t', "  ")
        ),
        format!("{record}\n\nother.example/x v1.0.0/go.mod {MOD}\n{note}"),
    ] {
        let result = Lookup::parse(bad.as_bytes(), &asked());
        let Err(Error::Forged(forgery)) = result else {
            panic!("{bad}")
        };
        let Forgery::Record { why, answer, .. } = *forgery else {
            panic!("{bad}")
        };
        assert_eq!(why, RecordForgery::LinesAfterRecord);
        assert_eq!(answer, bad.as_bytes(), "the evidence is the whole answer");
    }
    assert!(Lookup::parse(answer.as_bytes(), &asked()).is_ok());
}

#[test]
fn go_2026_6180_lines_for_other_modules_do_not_count() {
    let mixed = format!("{}other.example/x v1.0.0 {MOD}\n", good());
    let proven = prove(&mixed).unwrap();
    assert_eq!(format!("h1:{}", proven.zip), ZIP);
}

#[test]
fn a_record_that_says_two_things_is_a_finding() {
    let twice = format!("{}example.com/Foo/bar v1.0.0 {MOD}\n", good());
    assert_eq!(why(prove(&twice)), Some(RecordForgery::Contradictory));
    assert!(
        prove(&format!("{}{}", good(), good())).is_ok(),
        "the same thing twice is one thing"
    );
}

#[test]
fn every_flipped_bit_of_a_kept_proof_is_noticed() {
    let (log, answer) = logged(&good());
    let keys = [log.verifier()];
    let proof = inclusion(&log.stored(), 5, 6).unwrap();
    let note = log.note(6);
    let open = |answer: &[u8], note: &[u8], proof: &[Hash]| {
        let under = SignedHead::open(note, &keys)?;
        Proven::from_kept(&asked(), answer, under, proof.to_vec())
    };
    assert!(open(&answer, &note, &proof).is_ok());
    // The answer's own note is not what the proof stands on, so only its record is flipped.
    let end = answer.windows(2).position(|pair| pair == b"\n\n").unwrap();
    for at in 0..=end {
        for bit in 0..8 {
            let mut bad = answer.clone();
            bad[at] ^= 1 << bit;
            assert!(open(&bad, &note, &proof).is_err(), "byte {at} bit {bit}");
        }
    }
    for n in 0..proof.len() {
        for at in 0..32 {
            let mut bad = *proof[n].as_bytes();
            bad[at] ^= 1;
            let mut proof = proof.clone();
            proof[n] = Hash::new(bad);
            let result = open(&answer, &note, &proof);
            assert_eq!(why(result), Some(RecordForgery::NotInTree));
        }
    }
    assert!(open(&answer, &log.note(5), &proof).is_err());
    assert!(open(&answer, &log.clone().with_key(3).note(6), &proof).is_err());
}

#[test]
fn malformed_answers_are_told_apart_from_forged_ones() {
    let (_, answer) = logged(&good());
    let answer = String::from_utf8(answer).unwrap();
    let (_, rest) = answer.split_once('\n').unwrap();
    for bad in [
        String::new(),
        "not found: example.com/x@v1.0.0".to_owned(),
        "5\n".to_owned(),
        format!("05\n{rest}"),
        format!("-5\n{rest}"),
        format!("\n{rest}"),
        format!("5\n\n{rest}"),
        answer.replace("v1.0.0 ", "v1.0.0\t"),
        answer.replace("v1.0.0 ", "v1.0.0\0"),
        answer.get(..60).unwrap().to_owned(),
        format!("5\n{}\n\n", "x".repeat(MAX_ANSWER)),
    ] {
        let result = Lookup::parse(bad.as_bytes(), &asked());
        assert!(
            matches!(result, Err(Error::Malformed { .. })),
            "{:?}",
            bad.get(..60)
        );
    }
    let torn = vec![0; 300];
    assert!(matches!(
        Lookup::parse(&torn, &asked()),
        Err(Error::Malformed { .. })
    ));
    assert!(Lookup::parse(b"5\n\xff\n\nx", &wanted(1)).is_err());
}
