//! What a feed's server answers, and what becomes of it.

use std::time::{Duration, Instant};

use untaint::model::{Code, NoticeCode};
use untaint::pipeline::feeds::Shelf;
use untaint::world::StateDir as _;

use super::data::{DAY, Machine, NEWER, NOW, knows, many, record, zip};
use super::server::{Answer, Server};

fn feed(count: usize, first: &str) -> Vec<u8> {
    zip(&many("cargo", count, first, NEWER))
}

fn origin(shelf: &Shelf) -> (&str, i64, bool) {
    assert_eq!(shelf.facts.len(), 1);
    let facts = &shelf.facts[0];
    (facts.origin, facts.updated, facts.too_old)
}

/// What was there before is used, and one thing is said about it.
fn nothing_was_taken(shelf: &Shelf, machine: &Machine) {
    assert_eq!(shelf.facts[0].origin, "embedded");
    assert_eq!(shelf.facts[0].records, 1205);
    assert!(!knows(shelf, "cargo", "new-one"));
    assert!(knows(shelf, "cargo", "time"));
    assert!(shelf.renewed.is_empty() && shelf.uncovered.is_empty());
    assert_eq!(shelf.findings.len() + shelf.notices.len(), 1);
    let files = machine.kept();
    assert!(
        files.iter().all(|name| !name.starts_with("feed-")),
        "{files:?}"
    );
}

fn refused(answer: Answer) -> String {
    let server = Server::new(answer);
    let machine = Machine::asking(&server.url);
    let shelf = machine.load(&["cargo"]);
    nothing_was_taken(&shelf, &machine);
    let finding = &shelf.findings[0];
    assert_eq!(finding.code, Code::FeedRolledBack);
    assert_eq!(finding.ecosystem.map(|id| id.as_str()), Some("cargo"));
    finding.message.clone()
}

fn degraded(answer: Answer) -> String {
    let server = Server::new(answer);
    let machine = Machine::asking(&server.url);
    let shelf = machine.load(&["cargo"]);
    nothing_was_taken(&shelf, &machine);
    assert!(!server.asked().is_empty());
    assert_eq!(shelf.notices[0].code, NoticeCode::Degraded);
    shelf.notices[0].message.clone()
}

#[test]
fn an_old_feed_is_renewed_kept_and_then_only_asked_after() {
    let server = Server::new(Answer::Feed("\"one\"", feed(1300, "new-one")));
    let mut machine = Machine::asking(&server.url);
    let first = machine.load(&["cargo"]);
    assert_eq!(origin(&first), ("fetched", NOW, false));
    assert!(knows(&first, "cargo", "new-one"));
    assert!(first.renewed.contains("rustsec") && first.unkept.is_empty());
    assert_eq!(
        machine.kept(),
        ["feed-rustsec.idx", "feed-rustsec.json", "feeds.lock"]
    );

    // Within a day nobody is asked.
    machine.now = NOW + DAY;
    assert_eq!(origin(&machine.load(&["cargo"])), ("fetched", NOW, false));
    assert_eq!(server.asked().len(), 1);

    // Later the server says that nothing changed: the age begins anew.
    machine.now = NOW + 3 * DAY;
    let third = machine.load(&["cargo"]);
    assert_eq!(origin(&third), ("fetched", NOW + 3 * DAY, false));
    assert!(third.notices.is_empty() && third.findings.is_empty() && third.problems.is_empty());
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert!(asked[1].contains("if-none-match: \"one\""));

    // And that is kept too.
    machine.offline = true;
    assert_eq!(
        origin(&machine.load(&["cargo"])),
        ("fetched", NOW + 3 * DAY, false)
    );

    // A newer content takes its place.
    machine.offline = false;
    machine.now = NOW + 5 * DAY;
    server.now_answers(Answer::Feed("\"two\"", feed(1300, "newer-still")));
    let fourth = machine.load(&["cargo"]);
    assert!(knows(&fourth, "cargo", "newer-still") && !knows(&fourth, "cargo", "new-one"));
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn offline_nobody_is_asked_and_age_is_said() {
    let server = Server::new(Answer::Feed("\"one\"", feed(1300, "new-one")));
    let mut machine = Machine::asking(&server.url);
    machine.offline = true;
    let shelf = machine.load(&["cargo"]);
    assert!(shelf.facts[0].too_old && shelf.facts[0].origin == "embedded");
    assert!(server.asked().is_empty());
    assert!(shelf.notices.is_empty() && shelf.problems.is_empty());
    assert!(machine.kept().is_empty());
}

#[test]
fn only_what_is_asked_about_is_fetched() {
    let server = Server::new(Answer::Feed("\"one\"", feed(1300, "new-one")));
    let machine = Machine::asking(&server.url);
    assert!(machine.load(&[]).facts.is_empty());
    assert!(server.asked().is_empty());
    machine.load(&["cargo"]);
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn without_state_nothing_is_kept() {
    let server = Server::new(Answer::Feed("\"one\"", feed(1300, "new-one")));
    let mut machine = Machine::asking(&server.url);
    machine.with_state = false;
    for asked in 1..=2 {
        assert_eq!(origin(&machine.load(&["cargo"])), ("fetched", NOW, false));
        assert_eq!(server.asked().len(), asked);
    }
    assert!(machine.kept().is_empty());
}

#[test]
fn a_feed_that_shrinks_goes_back_or_breaks_is_refused() {
    let shrunk = refused(Answer::Feed("\"e\"", feed(1144, "new-one")));
    assert!(shrunk.contains("1144"), "{shrunk}");
    let old = zip(&many("cargo", 1300, "new-one", "2026-08-01T00:00:00Z"));
    assert!(refused(Answer::Feed("\"e\"", old)).contains("days before"));
    let mut broken = many("cargo", 1300, "new-one", NEWER);
    for bad in broken.iter_mut().skip(5).take(2) {
        bad.1 = "{".to_owned();
    }
    assert!(refused(Answer::Feed("\"e\"", zip(&broken))).contains("2 of 1300"));
    let empty = refused(Answer::Feed("\"e\"", zip(&[])));
    assert!(empty.contains("no advisory"), "{empty}");
    let whole = feed(1300, "new-one");
    let cut = whole[..whole.len() / 2].to_vec();
    assert!(refused(Answer::Feed("\"e\"", cut)).contains("cannot be read"));
    let mut flipped = whole;
    flipped[200] ^= 1;
    refused(Answer::Feed("\"e\"", flipped));
}

#[test]
fn a_server_that_fails_leaves_what_was_there() {
    assert!(degraded(Answer::Status("404 Not Found")).contains("404"));
    degraded(Answer::Status("410 Gone"));
    degraded(Answer::Status("500 Oops"));
    degraded(Answer::Status("403 Forbidden"));
    // Nobody asked whether something changed.
    degraded(Answer::Status("304 Not Modified"));
    degraded(Answer::Feed(
        "\"e\"",
        b"<html>please log in</html>".to_vec(),
    ));
    degraded(Answer::Feed("\"e\"", Vec::new()));
    degraded(Answer::Torn(feed(1300, "new-one")));
    let started = Instant::now();
    degraded(Answer::Stall);
    assert!(started.elapsed() < Duration::from_secs(6));
}

#[test]
fn one_bad_record_in_a_thousand_is_left_out_and_told_in_every_run() {
    let mut members = many("cargo", 1300, "new-one", NEWER);
    members[7].1 = "{".to_owned();
    let server = Server::new(Answer::Feed("\"one\"", zip(&members)));
    let mut machine = Machine::asking(&server.url);
    for _ in 0..2 {
        let shelf = machine.load(&["cargo"]);
        assert!(knows(&shelf, "cargo", "new-one"));
        assert_eq!(shelf.facts[0].records, 1299);
        assert_eq!(shelf.notices.len(), 1);
        assert!(shelf.notices[0].message.contains("1 advisories"));
        machine.offline = true;
    }
}

#[test]
fn what_is_kept_is_never_rolled_back_either() {
    let server = Server::new(Answer::Feed("\"one\"", feed(1300, "new-one")));
    let mut machine = Machine::asking(&server.url);
    machine.load(&["cargo"]);
    machine.now = NOW + 10 * DAY;
    let replay = zip(&many("cargo", 1300, "old-one", "2026-09-01T00:00:00Z"));
    server.now_answers(Answer::Feed("\"old\"", replay));
    let shelf = machine.load(&["cargo"]);
    assert_eq!(shelf.findings[0].code, Code::FeedRolledBack);
    assert!(knows(&shelf, "cargo", "new-one") && !knows(&shelf, "cargo", "old-one"));
    // The refusal does not make what is kept any younger.
    assert_eq!(origin(&shelf), ("fetched", NOW, true));
}

#[test]
fn a_feed_without_a_snapshot_begins_with_what_comes() {
    let members = [record("npm", "GHSA-1", "left", "1.0.0", NEWER)];
    let server = Server::new(Answer::Feed("\"n\"", zip(&members)));
    let mut machine = Machine::asking(&server.url);
    machine.offline = true;
    let none = machine.load(&["npm", "cobol"]);
    assert_eq!(none.uncovered, ["cobol", "npm"]);
    assert!(none.facts.is_empty());
    machine.offline = false;
    let shelf = machine.load(&["npm", "cobol"]);
    assert_eq!(shelf.uncovered, ["cobol"]);
    assert_eq!(origin(&shelf), ("fetched", NOW, false));
    assert!(knows(&shelf, "npm", "left"));
}

#[test]
fn a_broken_feed_in_our_state_is_told_moved_aside_and_fetched_anew() {
    let server = Server::new(Answer::Feed("\"one\"", feed(1300, "new-one")));
    let mut machine = Machine::asking(&server.url);
    machine.load(&["cargo"]);
    let whole = machine
        .state
        .read("feed-rustsec.idx", 1 << 30)
        .unwrap()
        .unwrap();
    let mut broken = whole.clone();
    broken[5000] ^= 1;
    machine.state.replace("feed-rustsec.idx", &broken).unwrap();

    machine.offline = true;
    let shelf = machine.load(&["cargo"]);
    assert_eq!(shelf.problems.len(), 1);
    assert!(shelf.problems[0].message.contains("damaged"));
    assert_eq!(shelf.problems[0].effect.as_str(), "partial");
    assert_eq!(shelf.facts[0].origin, "embedded");
    assert!(
        machine
            .kept()
            .iter()
            .any(|n| n.starts_with("feed-rustsec.idx."))
    );

    // Another feed's index under this name is as bad.
    machine.offline = false;
    let other = Server::new(Answer::Feed(
        "\"n\"",
        zip(&[record("npm", "GHSA-1", "left", "1.0.0", NEWER)]),
    ));
    machine.url = Some(other.url.clone());
    machine.load(&["npm"]);
    let npm = machine
        .state
        .read("feed-osv-npm.idx", 1 << 30)
        .unwrap()
        .unwrap();
    machine.state.replace("feed-rustsec.idx", &npm).unwrap();
    machine.url = Some(server.url.clone());
    let shelf = machine.load(&["cargo"]);
    assert_eq!(origin(&shelf), ("fetched", NOW, false));
    assert_eq!(shelf.problems.len(), 1);
    assert!(shelf.problems[0].message.contains("another feed"));
    // It is here again, so nothing is missing.
    assert_eq!(shelf.problems[0].effect.as_str(), "as-the-tool");
    assert!(!server.asked().last().unwrap().contains("if-none-match"));
}

#[test]
fn dates_of_another_index_do_not_count() {
    let server = Server::new(Answer::Feed("\"one\"", feed(1300, "new-one")));
    let mut machine = Machine::asking(&server.url);
    machine.load(&["cargo"]);
    let text = machine
        .state
        .read("feed-rustsec.json", 1 << 20)
        .unwrap()
        .unwrap();
    let text = String::from_utf8(text).unwrap();
    let younger = text.replace("2026-09-10T", "2026-12-10T");
    assert_ne!(text, younger);
    let other = younger.replace("\"sha256\":\"", "\"sha256\":\"00");
    machine
        .state
        .replace("feed-rustsec.json", other.as_bytes())
        .unwrap();
    machine.offline = true;
    machine.now = NOW + 91 * DAY;
    assert_eq!(origin(&machine.load(&["cargo"])), ("fetched", NOW, true));
    machine.state.replace("feed-rustsec.json", b"[1").unwrap();
    assert_eq!(origin(&machine.load(&["cargo"])), ("fetched", NOW, true));
}

#[test]
fn a_state_that_cannot_be_written_costs_only_the_next_download() {
    let server = Server::new(Answer::Feed("\"one\"", feed(1300, "new-one")));
    let machine = Machine::asking(&server.url);
    super::data::put(&machine.folder.path().join("state"), "a file, no folder");
    let shelf = machine.load(&["cargo"]);
    assert_eq!(shelf.facts[0].origin, "fetched");
    assert!(shelf.unkept.contains("rustsec"));
    assert!(
        shelf
            .notices
            .iter()
            .any(|n| n.message.contains("could not be kept"))
    );
}
