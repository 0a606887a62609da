//! Logs that are torn, changed, cut, or that cannot be written.

use super::*;
use crate::world::fake_disk::FakeDisk;
use std::time::Duration;

fn deed<'a>(what: &'a str) -> Deed<'a> {
    Deed {
        at: 7,
        uid: 1000,
        run: "01A",
        action: "heal",
        what,
        result: "healed",
    }
}

fn log(disk: &FakeDisk) -> Vec<u8> {
    disk.bytes("/s/audit.log").unwrap()
}

#[test]
fn deeds_are_chained_and_any_change_shows() {
    let disk = FakeDisk::new();
    let vault = Vault::open(&disk, Path::new("/s"), 1000, Duration::ZERO).unwrap();
    let audit = Audit::of(&vault, true);
    for what in ["a", "b", "c"] {
        audit.add(&deed(what)).unwrap();
    }
    let bytes = log(&disk);
    let read = parse(&bytes);
    assert!(read.broken.is_empty());
    assert_eq!(read.rows.len(), 3);
    for at in 0..bytes.len() - 1 {
        let mut changed = bytes.clone();
        changed[at] ^= 2;
        assert!(!parse(&changed).broken.is_empty(), "byte {at}");
    }
    let text = String::from_utf8(bytes).unwrap();
    let without: String = text.lines().skip(1).map(|l| format!("{l}\n")).collect();
    assert!(!parse(without.as_bytes()).broken.is_empty());
}

#[test]
fn a_torn_line_is_owned_up_to() {
    let disk = FakeDisk::new();
    {
        let vault = Vault::open(&disk, Path::new("/s"), 1000, Duration::ZERO).unwrap();
        Audit::of(&vault, true).add(&deed("a")).unwrap();
        Audit::of(&vault, true).add(&deed("b")).unwrap();
    }
    let bytes = log(&disk);
    disk.file("/s/audit.log", &bytes[..bytes.len() - 20], 0o600);
    // Its head comes after the line is on disk.
    let heads = disk.bytes("/s/audit.heads").unwrap();
    let first = heads.iter().position(|b| *b == b'\n').unwrap() + 1;
    disk.file("/s/audit.heads", &heads[..first], 0o600);
    let vault = Vault::open(&disk, Path::new("/s"), 1000, Duration::ZERO).unwrap();
    Audit::of(&vault, true).add(&deed("c")).unwrap();
    let read = parse(&log(&disk));
    assert!(read.broken.is_empty(), "{read:?}");
    let actions: Vec<&str> = read.rows.iter().map(|r| &*r.action).collect();
    assert_eq!(actions, ["heal", "torn", "heal"]);
}

#[test]
fn nothing_is_written_where_nothing_is_wanted() {
    let disk = FakeDisk::new();
    let vault = Vault::open(&disk, Path::new("/s"), 1000, Duration::ZERO).unwrap();
    Audit::of(&vault, false).add(&deed("a")).unwrap();
    assert!(disk.bytes("/s/audit.log").is_none());
}

fn three(disk: &FakeDisk) {
    let vault = Vault::open(disk, Path::new("/s"), 1000, Duration::ZERO).unwrap();
    let audit = Audit::of(&vault, true);
    disk.dir("/s/quarantine/01A");
    disk.file("/s/quarantine/01A/journal", b"", 0o600);
    for what in ["a", "b", "c"] {
        audit.add(&deed(what)).unwrap();
    }
    assert_eq!(lost(&vault, &read(&vault).unwrap()).unwrap(), [""; 0]);
}

fn lost_now(disk: &FakeDisk) -> Vec<String> {
    let vault = Vault::look(disk, Path::new("/s"), 1000).unwrap().unwrap();
    lost(&vault, &read(&vault).unwrap()).unwrap()
}

#[test]
fn an_end_that_was_cut_off_is_told_by_every_place_that_knows_of_it() {
    let disk = FakeDisk::new();
    three(&disk);
    let whole = log(&disk);
    let lines: Vec<&[u8]> = whole.split_inclusive(|b| *b == b'\n').collect();
    for kept in 0..3 {
        disk.file("/s/audit.log", &lines[..kept].concat(), 0o600);
        let told = lost_now(&disk);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("audit.heads"), "{told:?}");
        assert!(told[1].contains("quarantine/01A/audit"), "{told:?}");
    }
    disk.delete("/s/audit.log");
    assert_eq!(lost_now(&disk).len(), 2);
    // Without its heads beside it the run still tells.
    disk.delete("/s/audit.heads");
    assert_eq!(lost_now(&disk).len(), 1);
    disk.file("/s/audit.log", &whole, 0o600);
    assert_eq!(lost_now(&disk), [""; 0], "the run vouches for its deeds");
    disk.delete("/s/quarantine/01A/audit");
    assert!(lost_now(&disk)[0].contains("vouches for none of the last 3"));
}

#[test]
fn the_next_deed_says_that_lines_are_gone_and_is_written_all_the_same() {
    let disk = FakeDisk::new();
    three(&disk);
    disk.delete("/s/audit.log");
    let vault = Vault::open(&disk, Path::new("/s"), 1000, Duration::ZERO).unwrap();
    let told = Audit::of(&vault, true).add(&deed("d")).unwrap_err();
    assert!(matches!(told, AuditError::Cut { was: 3 }), "{told}");
    assert_eq!(read(&vault).unwrap().rows.len(), 1);
    // Said once, and seen by whoever asks.
    Audit::of(&vault, true).add(&deed("e")).unwrap();
    assert_eq!(lost(&vault, &read(&vault).unwrap()).unwrap().len(), 2);
}

#[test]
fn a_line_whose_head_was_not_written_any_more_is_no_alarm_and_others_are() {
    let disk = FakeDisk::new();
    three(&disk);
    let heads = disk.bytes("/s/audit.heads").unwrap();
    let second = heads.iter().position(|b| *b == b'\n').unwrap() + 1;
    disk.delete("/s/quarantine/01A/audit");
    disk.file("/s/audit.heads", &heads[..second + 10], 0o600);
    assert_eq!(lost_now(&disk), [""; 0]);
    // What was torn does not spoil the next one.
    let vault = Vault::open(&disk, Path::new("/s"), 1000, Duration::ZERO).unwrap();
    Audit::of(&vault, true).add(&deed("d")).unwrap();
    let all = heads::parse(&disk.bytes("/s/audit.heads").unwrap());
    let counts: Vec<usize> = all.iter().map(|head| head.lines).collect();
    assert_eq!(counts, [1, 4]);
}

#[test]
fn a_write_that_fails_is_told_at_every_step() {
    let mut failed = 0;
    for step in 0..40 {
        let disk = FakeDisk::new();
        three(&disk);
        let vault = Vault::open(&disk, Path::new("/s"), 1000, Duration::ZERO).unwrap();
        disk.fail_at(step, std::io::ErrorKind::StorageFull);
        let added = Audit::of(&vault, true).add(&deed("d"));
        if disk.steps() <= step {
            break;
        }
        failed += 1;
        assert!(
            matches!(added, Err(AuditError::Unwritten(_))),
            "step {step}"
        );
    }
    assert!(failed >= 6, "{failed}");
}

#[test]
fn a_head_is_read_as_it_is_printed() {
    let head = Head {
        lines: 12,
        sum: "0f".repeat(32),
    };
    assert_eq!(head.to_string().parse::<Head>().unwrap(), head);
    for wrong in [
        "",
        "12",
        "0:",
        "12:xyz",
        &format!("-1:{}", head.sum),
        &format!("0:{}", head.sum),
        &format!("12:{}", "0F".repeat(32)),
    ] {
        assert!(wrong.parse::<Head>().is_err(), "{wrong}");
    }
}
