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
    }
}

fn entry(number: u32) -> Entry {
    Entry {
        number,
        ecosystem: "cargo".into(),
        package: "a@1".into(),
        findings: vec!["f-1".into()],
        codes: vec!["archive-tampered".into()],
        locks: vec![(0, Name::of(Path::new("lock")))],
        marks: Vec::new(),
        moves: Vec::new(),
        puts: Vec::new(),
    }
}

fn written() -> Vec<u8> {
    let disk = FakeDisk::new();
    let base = disk.make(Path::new("/s")).unwrap();
    let mut journal = Journal::begin(&disk, base, "j", "01ABC", 7, &[folder()]).unwrap();
    journal.line(&Line::Begin(Box::new(entry(1)))).unwrap();
    journal.line(&Line::Done(1)).unwrap();
    journal.line(&Line::Begin(Box::new(entry(2)))).unwrap();
    disk.bytes("/s/j").unwrap()
}

#[test]
fn what_was_written_is_read() {
    let story = parse(&written(), "j").unwrap().unwrap();
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
        let story = parse(&bytes[..cut], "j").unwrap().unwrap();
        assert_eq!(story.entries.len(), 1, "cut at {cut}");
        assert!(!story.is_pending());
        assert_eq!(story.whole, last as u64 + 1);
        // Closed by the next run, which then goes on.
        let mut closed = bytes[..cut].to_vec();
        closed.push(b'\n');
        assert_eq!(
            parse(&closed, "j").is_ok(),
            cut + 1 < bytes.len() || closed == bytes
        );
    }
    assert!(parse(b"", "j").unwrap().is_none());
    assert!(parse(&bytes[..40], "j").unwrap().is_none());
}

#[test]
fn a_journal_goes_on_behind_a_torn_line() {
    let bytes = written();
    let disk = FakeDisk::new();
    disk.file("/s/j", &bytes[..bytes.len() - 9], 0o600);
    let base = disk.open(Path::new("/s")).unwrap();
    for number in 3..6 {
        let story = read(&disk, base, Path::new("j")).unwrap().unwrap();
        let mut journal = Journal::resume(&disk, base, "j", &story).unwrap();
        journal.line(&Line::Begin(Box::new(entry(number)))).unwrap();
    }
    let story = read(&disk, base, Path::new("j")).unwrap().unwrap();
    let numbers: Vec<u32> = story.entries.iter().map(|(e, _)| e.number).collect();
    assert_eq!(numbers, [1, 3, 4, 5]);
}

#[test]
fn a_changed_line_stops_everything() {
    let bytes = written();
    let text = String::from_utf8(bytes.clone()).unwrap();
    let edited = text.replacen("\"a@1\"", "\"b@1\"", 1);
    assert!(matches!(
        parse(edited.as_bytes(), "j"),
        Err(JournalError::Changed { line: 2, .. })
    ));
    let without: String = text
        .lines()
        .enumerate()
        .filter(|(at, _)| *at != 1)
        .map(|(_, l)| format!("{l}\n"))
        .collect();
    assert!(matches!(
        parse(without.as_bytes(), "j"),
        Err(JournalError::Changed { line: 2, .. })
    ));
    let mut flipped = 0;
    for at in 0..bytes.len() - 1 {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        // Either it stops, or what it says is a part of what was written.
        if let Ok(Some(story)) = parse(&bytes, "j") {
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
        let mut journal = Journal::begin(&disk, base, "j", "01ABC", 7, &[folder()]).unwrap();
        let mut bad = entry(1);
        bad.locks = vec![(
            0,
            Name {
                text: path.into(),
                escaped: false,
            },
        )];
        journal.line(&Line::Begin(Box::new(bad))).unwrap();
        let bytes = disk.bytes("/s/j").unwrap();
        assert!(
            matches!(parse(&bytes, "j"), Err(JournalError::Refused { .. })),
            "{path}"
        );
    }
}
