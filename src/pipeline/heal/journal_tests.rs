//! Journals that are torn, changed, or hostile.

use std::path::Path;

use super::*;
use crate::pipeline::heal::record::{Entry, Folder, Line, Name};
use crate::world::fake_disk::FakeDisk;

fn folder() -> Folder {
    Folder {
        path: Name::of(Path::new("/c")),
        dev: 1,
        inode: 2,
        store: Name::of(Path::new("/q")),
        store_dev: 1,
        store_inode: 3,
    }
}

fn seal() -> Seal {
    Seal::of([7; 32])
}

fn sealed(bytes: &[u8]) -> Result<Option<Story>, JournalError> {
    parse(bytes, "j", Some(&seal()))
}

fn entry(number: u32) -> Entry {
    Entry {
        number,
        ecosystem: "cargo".into(),
        package: "a@1".into(),
        findings: vec!["f-1".into()],
        codes: vec!["archive-tampered".into()],
        locks: vec![(0, Name::of(Path::new("lock")))],
        made: Vec::new(),
        marks: Vec::new(),
        moves: Vec::new(),
        puts: Vec::new(),
    }
}

fn written() -> Vec<u8> {
    let disk = FakeDisk::new();
    let base = disk.make(Path::new("/s")).unwrap();
    let mut journal = Journal::begin(&disk, base, &seal(), "01ABC", 7, &[folder()]).unwrap();
    journal.line(&Line::Begin(Box::new(entry(1)))).unwrap();
    journal.line(&Line::Done(1)).unwrap();
    journal.line(&Line::Begin(Box::new(entry(2)))).unwrap();
    disk.bytes("/s/heal-01ABC.journal").unwrap()
}

#[test]
fn what_was_written_is_read() {
    let story = sealed(&written()).unwrap().unwrap();
    assert_eq!((&*story.id, story.at), ("01ABC", 7));
    let standings: Vec<Standing> = story.entries.iter().map(|(_, s)| *s).collect();
    assert_eq!(standings, [Standing::Done, Standing::Begun]);
    assert!(story.is_pending());
}

#[test]
fn a_torn_tail_says_nothing_and_the_rest_stands() {
    let bytes = written();
    let last = bytes[..bytes.len() - 1]
        .iter()
        .rposition(|b| *b == b'\n')
        .unwrap();
    for cut in last + 1..bytes.len() {
        let story = sealed(&bytes[..cut]).unwrap().unwrap();
        assert_eq!(story.entries.len(), 1, "cut at {cut}");
        assert!(!story.is_pending());
        assert_eq!(story.whole, last as u64 + 1);
        // Closed by the next run, which then goes on.
        let mut closed = bytes[..cut].to_vec();
        closed.push(b'\n');
        assert_eq!(
            sealed(&closed).is_ok(),
            cut + 1 < bytes.len() || closed == bytes
        );
    }
    assert!(sealed(b"").unwrap().is_none());
    assert!(sealed(&bytes[..40]).unwrap().is_none());
}

#[test]
fn a_journal_goes_on_behind_a_torn_line() {
    let bytes = written();
    let disk = FakeDisk::new();
    disk.file("/s/heal-01ABC.journal", &bytes[..bytes.len() - 9], 0o600);
    let base = disk.open(Path::new("/s")).unwrap();
    for number in 3..6 {
        let story = read(&disk, base, Path::new("heal-01ABC.journal"), Some(&seal()))
            .unwrap()
            .unwrap();
        let mut journal = Journal::resume(&disk, base, &seal(), &story).unwrap();
        journal.line(&Line::Begin(Box::new(entry(number)))).unwrap();
    }
    let story = read(&disk, base, Path::new("heal-01ABC.journal"), Some(&seal()))
        .unwrap()
        .unwrap();
    let numbers: Vec<u32> = story.entries.iter().map(|(e, _)| e.number).collect();
    assert_eq!(numbers, [1, 3, 4, 5]);
}

#[test]
fn a_changed_line_stops_everything() {
    let bytes = written();
    let text = String::from_utf8(bytes.clone()).unwrap();
    let edited = text.replacen("\"a@1\"", "\"b@1\"", 1);
    assert!(matches!(
        sealed(edited.as_bytes()),
        Err(JournalError::Changed { line: 2, .. })
    ));
    let without: String = text
        .lines()
        .enumerate()
        .filter(|(at, _)| *at != 1)
        .map(|(_, l)| format!("{l}\n"))
        .collect();
    assert!(matches!(
        sealed(without.as_bytes()),
        Err(JournalError::Changed { line: 2, .. })
    ));
    let mut flipped = 0;
    for at in 0..bytes.len() - 1 {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        // Either it stops, or what it says is a part of what was written.
        if let Ok(Some(story)) = sealed(&bytes) {
            assert!(story.entries.iter().all(|(e, _)| *e == entry(e.number)));
        }
        flipped += 1;
    }
    assert!(flipped > 500);
}

#[test]
fn what_leaves_its_folder_is_refused() {
    let hostile = ["../x", "/etc/passwd", "a/../../b", "", "."];
    for path in hostile {
        let disk = FakeDisk::new();
        let base = disk.make(Path::new("/s")).unwrap();
        let mut journal = Journal::begin(&disk, base, &seal(), "01ABC", 7, &[folder()]).unwrap();
        let mut bad = entry(1);
        bad.locks = vec![(
            0,
            Name {
                text: path.into(),
                escaped: false,
            },
        )];
        journal.line(&Line::Begin(Box::new(bad))).unwrap();
        let bytes = disk.bytes("/s/heal-01ABC.journal").unwrap();
        assert!(
            matches!(sealed(&bytes), Err(JournalError::Refused { .. })),
            "{path}"
        );
    }
}

/// Seals of a journal of this run, made with a key.
fn of_run(id: &str, key: u8, lines: &[Line]) -> Vec<u8> {
    let disk = FakeDisk::new();
    let base = disk.make(Path::new("/s")).unwrap();
    let seal = Seal::of([key; 32]);
    let mut journal = Journal::begin(&disk, base, &seal, id, 7, &[folder()]).unwrap();
    for line in lines {
        journal.line(line).unwrap();
    }
    disk.bytes(&format!("/s/heal-{id}.journal")).unwrap()
}

#[test]
fn what_another_key_sealed_or_none_is_never_gone_by_and_can_be_told() {
    let lines = [Line::Begin(Box::new(entry(1))), Line::Done(1), Line::End];
    let bytes = of_run("01ABC", 8, &lines);
    for seal in [Some(seal()), None] {
        let error = parse(&bytes, "the/journal", seal.as_ref()).unwrap_err();
        assert!(matches!(error, JournalError::Unsealed { .. }), "{error}");
        assert!(error.to_string().contains("the/journal"), "{error}");
    }
    // Sums that anybody can make are none.
    let text = String::from_utf8(bytes.clone()).unwrap();
    let plain: String = text
        .lines()
        .map(|line| {
            format!(
                "{} {}\n",
                blake3::hash(line.as_bytes()).to_hex(),
                line.get(65..).unwrap()
            )
        })
        .collect();
    assert!(matches!(
        sealed(plain.as_bytes()),
        Err(JournalError::Unsealed { .. })
    ));
    let disk = FakeDisk::new();
    disk.file("/s/j", &bytes, 0o600);
    let base = disk.open(Path::new("/s")).unwrap();
    let told = tell(&disk, base, Path::new("j")).unwrap().unwrap();
    assert!(!told.sealed && told.ended);
    assert_eq!(told.entries, [(entry(1), Standing::Done)]);
}

#[test]
fn lines_of_another_run_or_in_another_order_or_fewer_of_them_do_not_fit() {
    let begin = |number| Line::Begin(Box::new(entry(number)));
    let lines = [begin(1), Line::Done(1), begin(2), Line::Done(2), Line::End];
    let split = |bytes: Vec<u8>| -> Vec<String> {
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(|line| format!("{line}\n")).collect()
    };
    let (own, other) = (
        split(of_run("01ABC", 7, &lines)),
        split(of_run("01ABD", 7, &lines)),
    );
    let whole = sealed(own.concat().as_bytes()).unwrap().unwrap();
    assert!(whole.ended && whole.sealed && whole.entries.len() == 2);
    for at in 1..own.len() {
        let mut replayed = own.clone();
        replayed[at].clone_from(&other[at]);
        assert!(
            sealed(replayed.concat().as_bytes()).is_err(),
            "replayed {at}"
        );
        let mut swapped = own.clone();
        swapped.swap(at - 1, at);
        assert!(sealed(swapped.concat().as_bytes()).is_err(), "swapped {at}");
        let mut twice = own.clone();
        twice.insert(at, own[at].clone());
        assert!(sealed(twice.concat().as_bytes()).is_err(), "twice {at}");
        let mut without = own.clone();
        without.remove(at);
        if at + 1 < own.len() {
            assert!(sealed(without.concat().as_bytes()).is_err(), "without {at}");
        } else {
            // One that was closed does not end any more.
            assert!(!sealed(without.concat().as_bytes()).unwrap().unwrap().ended);
        }
    }
}

#[test]
fn what_an_earlier_version_wrote_is_refused_with_a_word() {
    let text = String::from_utf8(written()).unwrap();
    let json = text.lines().next().unwrap().get(65..).unwrap().replacen(
        "\"version\":2",
        "\"version\":1",
        1,
    );
    let seal = seal().next("01ABC", &seal().start("01ABC"), &json);
    let error = sealed(format!("{seal} {json}\n").as_bytes()).unwrap_err();
    assert!(error.to_string().contains("earlier"), "{error}");
}
