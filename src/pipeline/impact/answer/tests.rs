//! Answers from recorded scans, a disk in memory and a quarantine.

use super::*;
use crate::pipeline::feeds::Shelf;
use crate::pipeline::impact::Query;
use crate::trust::fake_state::FakeState;
use crate::world::fake::Disk;

const HEX: &str = "1111111111111111111111111111111111111111111111111111111111111111";

fn state() -> FakeState {
    let state = FakeState::default();
    let old = format!(
        "{}\n{}\n{}\n{}\n",
        r#"{"scan":{"version":1,"at":100,"run":"R1","targets":["/p"],"roots":[{"id":"cargo-home","path":"/h/.cargo"},{"id":"project","path":"/p"}]}}"#,
        format_args!(
            r#"{{"seen":{{"e":"cargo","k":"archive","n":"a","v":"1.0.0","p":"cache","r":0,"at":"registry/cache/x/a-1.0.0.crate","o":"verified","h":"sha256:{HEX}"}}}}"#
        ),
        r#"{"seen":{"e":"cargo","k":"component","n":"b","v":"2.0.0","p":"lockfile","r":0,"at":"","o":"absent"}}"#,
        r#"{"found":{"id":"f-0123456789abcdef","code":"archive-tampered","e":"cargo","n":"a","v":"1.0.0","r":0,"at":"registry/cache/x/a-1.0.0.crate"}}"#,
    );
    state.set("seen-0000000000000001", old.as_bytes());
    let new = format!(
        "{}\n{}\n{}\n",
        r#"{"scan":{"version":1,"at":200,"run":"R2","targets":[],"roots":[{"id":"cargo-home","path":"/h/.cargo"}]}}"#,
        r#"{"seen":{"e":"cargo","k":"archive","n":"a","v":"1.0.0","p":"cache","r":0,"at":"registry/cache/x/a-1.0.0.crate","o":"tainted"}}"#,
        r#"{"seen":{"e":"cargo","k":"archive","n":"a","v":"1.0.1","p":"cache","r":0,"at":"registry/cache/x/a-1.0.1.crate","o":"verified"}}"#,
    );
    state.set("seen-0000000000000002", new.as_bytes());
    state
}

fn ask(what: &str, kept: Vec<Kept>) -> Answer {
    let mut disk = Disk::of(1000, 1000);
    disk.file("/h/.cargo/registry/cache/x/a-1.0.0.crate", b"x");
    let query = Query::parse(what).unwrap();
    let wanted = Wanted::of(&query, &Shelf::default()).unwrap();
    answer(
        wanted,
        Asked {
            state: &state(),
            fs: &disk,
            kept,
        },
    )
}

fn kept(package: &str, version: &str) -> Kept {
    Kept {
        at: 5,
        id: "R0-1".into(),
        ecosystem: "cargo".into(),
        package: package.into(),
        version: version.into(),
        codes: vec!["archive-tampered".into()],
        findings: vec!["f-0000000000000000".into()],
        digests: vec![format!("sha256:{HEX}")],
        was: Vec::new(),
    }
}

#[test]
fn a_place_is_named_once_as_the_newest_scan_saw_it() {
    let answer = ask(
        "pkg:cargo/a@1.0.0",
        vec![kept("a", "1.0.0"), kept("z", "1")],
    );
    assert_eq!(answer.places.len(), 1, "{answer:?}");
    let place = &answer.places[0];
    assert_eq!((&*place.outcome, place.seen), ("tainted", 200));
    assert_eq!(place.path, "/h/.cargo/registry/cache/x/a-1.0.0.crate");
    assert_eq!(place.now.present, Some(true));
    assert_eq!(answer.kept.len(), 1);
    assert_eq!((answer.scans, answer.span), (2, Some((100, 200))));
}

#[test]
fn every_version_is_meant_without_one_and_what_is_gone_is_said() {
    let answer = ask("pkg:cargo/a", Vec::new());
    assert_eq!(answer.places.len(), 2);
    assert_eq!(answer.places[1].version.as_deref(), Some("1.0.1"));
    assert_eq!(answer.places[1].now.present, Some(false));
}

#[test]
fn a_package_that_is_only_locked_is_where_it_was_locked() {
    let answer = ask("pkg:cargo/b@2.0.0", Vec::new());
    assert_eq!(answer.places[0].path, "/p");
    assert_eq!(answer.places[0].now.present, None);
    assert!(ask("pkg:cargo/b@2.0.1", Vec::new()).is_empty());
}

#[test]
fn bytes_and_findings_lead_to_their_places() {
    // The newest sight of the place has no such bytes any more; an older one had.
    let answer = ask(&format!("sha256:{HEX}"), vec![kept("q", "1")]);
    assert_eq!(answer.places[0].seen, 100);
    assert_eq!(answer.kept.len(), 1);
    let answer = ask("f-0123456789abcdef", Vec::new());
    assert_eq!(answer.places[0].outcome, "tainted");
    let answer = ask("f-0000000000000000", vec![kept("q", "1")]);
    assert_eq!((answer.places.len(), answer.kept.len()), (0, 1));
    assert!(ask("f-ffffffffffffffff", vec![kept("q", "1")]).is_empty());
}

#[test]
fn paths_of_forged_records_lead_nowhere_below_a_root() {
    let state = FakeState::default();
    let text = concat!(
        r#"{"scan":{"version":1,"at":1,"run":"R","targets":[],"roots":[{"id":"x","path":"/h"}]}}"#,
        "\n",
        r#"{"seen":{"e":"cargo","k":"tree","n":"a","v":"1","p":"cache","r":0,"at":"../etc/passwd","o":"verified"}}"#,
        "\n",
        r#"{"seen":{"e":"cargo","k":"tree","n":"a","v":"1","p":"cache","r":9,"at":"x","o":"verified"}}"#,
        "\n",
    );
    state.set("seen-0000000000000001", text.as_bytes());
    let mut disk = Disk::of(1000, 1000);
    disk.file("/etc/passwd", b"x").folder("/h");
    let query = Query::parse("pkg:cargo/a").unwrap();
    let wanted = Wanted::of(&query, &Shelf::default()).unwrap();
    let answer = answer(
        wanted,
        Asked {
            state: &state,
            fs: &disk,
            kept: Vec::new(),
        },
    );
    assert_eq!(answer.places.len(), 1);
    assert_eq!(answer.places[0].now.present, Some(false));
}
