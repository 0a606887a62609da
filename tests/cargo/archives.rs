//! Archives that were *published* in odd shapes: the digest is right, so only what two readers would
//! unpack differently is a finding.

use std::fs;
use std::io::Write;
use std::time::Duration;

use flate2::{Compression, GzBuilder};

use crate::support::{Crate, Scan, Source, Tar, World, gunzip, gzip};

/// A world in which `odd` 1.0.0 was published with these bytes; cargo is not asked to unpack it.
fn published(bytes: impl Fn(&[u8]) -> Vec<u8>) -> Scan {
    let world = World::clean(Source::Alternate);
    let odd = Crate::lib("odd", "1.0.0", "pub fn odd() {}\n");
    let archive = bytes(&gunzip(&odd.archive(Some(&world.registry.index_url()))));
    world.registry.publish_bytes(&odd, archive.clone());
    world.manifest(
        &[("alpha", "1"), ("gamma", "0.3"), ("odd", "1")],
        "fn main() {}\n",
    );
    world.cargo(&["generate-lockfile"]);
    fs::write(world.archive("odd", "1.0.0"), archive).unwrap();
    world.untaint().run()
}

/// A world in which `odd` 1.0.0 was published with these bytes, and cargo fetched and unpacked it.
fn unpacked(bytes: impl Fn(&[u8]) -> Vec<u8>) -> World {
    let world = World::clean(Source::Alternate);
    let odd = Crate::lib("odd", "1.0.0", "pub fn odd() {}\n");
    let archive = bytes(&gunzip(&odd.archive(Some(&world.registry.index_url()))));
    world.registry.publish_bytes(&odd, archive);
    world.manifest(
        &[("alpha", "1"), ("gamma", "0.3"), ("odd", "1")],
        "fn main() {}\n",
    );
    world.cargo(&["generate-lockfile"]);
    world.cargo(&["fetch", "--locked"]);
    assert!(world.tree("odd", "1.0.0").join("src/lib.rs").exists());
    world
}

fn with_entry(plain: &[u8], add: impl Fn(&mut Tar)) -> Vec<u8> {
    let mut tar = Tar::new();
    add(&mut tar);
    let added = tar.finish();
    let added = &added[..added.len() - 1024];
    gzip(
        "odd-1.0.0.crate",
        &[&plain[..plain.len() - 1024], added, &[0; 1024]].concat(),
    )
}

#[test]
fn plain_oddities_of_a_published_archive_are_no_finding() {
    published(|plain| gzip("odd-1.0.0.crate", plain)).is_clean();
    // Another compression, another file name in the header, more zero blocks at the end.
    published(|plain| gzip("", &[plain, &[0; 8192]].concat())).is_clean();
    // An empty folder reads alike everywhere.
    published(|plain| {
        with_entry(plain, |tar| {
            tar.entry(b'5', "odd-1.0.0/empty/", "", 0o755, &[]);
        })
    })
    .is_clean();
}

#[test]
fn two_different_entries_of_one_name_are_ambiguous() {
    let scan = published(|plain| {
        with_entry(plain, |tar| {
            tar.file("odd-1.0.0/src/lib.rs", b"pub fn other() {}\n");
        })
    });
    scan.finds(&["archive-ambiguous"], "odd-1.0.0.crate");
}

#[test]
fn names_that_collide_under_case_folding_are_ambiguous() {
    let scan = published(|plain| {
        with_entry(plain, |tar| {
            tar.file("odd-1.0.0/SRC/LIB.RS", b"pub fn other() {}\n");
        })
    });
    scan.finds(&["archive-ambiguous"], "odd-1.0.0.crate");
}

#[test]
fn two_spellings_of_a_readme_in_a_published_archive_are_no_finding() {
    let twin = |plain: &[u8]| {
        with_entry(plain, |tar| {
            tar.file("odd-1.0.0/Readme.md", b"# Another\n");
        })
    };
    let world = unpacked(twin);
    let mut verified = None;
    for run in 1..=3 {
        let scan = world.untaint().an_hour_later().run();
        scan.is_clean();
        let count = scan.count("verified");
        assert_eq!(*verified.get_or_insert(count), count, "run {run}");
    }
    world.untaint().arg("--offline").run().is_clean();
    // The tree is held against both spellings.
    fs::write(world.tree("odd", "1.0.0").join("Readme.md"), "# Evil one\n").unwrap();
    world
        .untaint()
        .an_hour_later()
        .run()
        .finds(&["tree-modified"], "Readme.md");
    fs::write(world.tree("odd", "1.0.0").join("Readme.md"), "# Another\n").unwrap();
    // Where nobody is trusted with the digest, it counts; on the second run as on the first.
    fs::write(world.trust_file(), "").unwrap();
    for arguments in [&["--isolated"][..], &[], &[]] {
        let scan = world.untaint().args(arguments).run();
        scan.finds(&["archive-ambiguous"], "odd-1.0.0.crate");
    }
}

#[test]
fn a_member_repeated_with_the_same_bytes_is_no_finding() {
    let twice = |plain: &[u8]| {
        with_entry(plain, |tar| {
            tar.file("odd-1.0.0/src/lib.rs", b"pub fn odd() {}\n");
        })
    };
    published(twice).is_clean();
    unpacked(twice).untaint().run().is_clean();
}

#[test]
fn a_second_gzip_member_is_ambiguous() {
    let scan = published(|plain| {
        let mut evil = Tar::new();
        evil.file("odd-1.0.0/build.rs", b"fn main() {}\n");
        let cut = plain.len() - 1024;
        [gzip("a", &plain[..cut]), gzip("b", &evil.finish())].concat()
    });
    scan.finds(&["archive-ambiguous"], "odd-1.0.0.crate");
}

#[test]
fn entries_that_leave_their_folder_or_are_links_are_never_verified() {
    let odd: [fn(&mut Tar); 6] = [
        |tar| {
            tar.file("odd-1.0.0/../../evil.rs", b"evil");
        },
        |tar| {
            tar.file("/tmp/evil.rs", b"evil");
        },
        |tar| {
            tar.file("gamma-0.3.1/src/lib.rs", b"evil");
        },
        |tar| {
            tar.entry(b'2', "odd-1.0.0/link", "/etc/passwd", 0o777, &[]);
        },
        |tar| {
            tar.entry(b'1', "odd-1.0.0/link", "odd-1.0.0/src/lib.rs", 0o644, &[]);
        },
        |tar| {
            tar.entry(b'3', "odd-1.0.0/device", "", 0o644, &[]);
        },
    ];
    for (number, add) in odd.iter().enumerate() {
        let scan = published(|plain| with_entry(plain, add));
        assert!(
            matches!(scan.exit, 1 | 3),
            "entry {number}\n{}",
            scan.story()
        );
        assert!(
            scan.names("odd-1.0.0"),
            "entry {number} is not named\n{}",
            scan.story()
        );
    }
}

#[test]
fn archives_that_are_no_archives_end_in_a_problem_not_in_a_crash() {
    type Shape = fn(&[u8]) -> Vec<u8>;
    let shapes: [Shape; 6] = [
        |_| b"not gzip at all".to_vec(),
        |plain| plain.to_vec(),
        |plain| gzip("x", &plain[..700]),
        |plain| {
            let whole = gzip("x", plain);
            whole[..whole.len() - 20].to_vec()
        },
        |_| gzip("x", &[]),
        |plain| {
            // A header that claims an absurd size.
            let mut plain = plain.to_vec();
            plain[124..136].copy_from_slice(b"77777777777\0");
            let sum_field = 148..156;
            plain[sum_field.clone()].fill(b' ');
            let sum: u64 = plain[..512].iter().map(|byte| u64::from(*byte)).sum();
            plain[sum_field].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            gzip("x", &plain)
        },
    ];
    for (number, shape) in shapes.iter().enumerate() {
        let scan = published(shape);
        // The bytes are what was published; without a tree beside them nothing is misread either. What
        // must hold is an answer that names the thing or calls only the archive's bytes verified.
        assert!(
            matches!(scan.exit, 0 | 1 | 3),
            "shape {number}\n{}",
            scan.story()
        );
        if scan.exit != 0 {
            assert!(scan.names("odd-1.0.0"), "shape {number}\n{}", scan.story());
        }
    }
}

#[test]
fn a_bomb_is_refused_within_bounds() {
    // 600 MiB of zeros behind a compressed size of less than one: beyond what cargo unpacks.
    let scan = published(|plain| {
        let mut bomb = GzBuilder::new().write(Vec::new(), Compression::new(1));
        bomb.write_all(&plain[..plain.len() - 1024]).unwrap();
        bomb.write_all(&Tar::header(
            b'0',
            b"odd-1.0.0/zeros",
            b"",
            0o644,
            600 << 20,
        ))
        .unwrap();
        let block = vec![0_u8; 1 << 20];
        for _ in 0..600 {
            bomb.write_all(&block).unwrap();
        }
        bomb.write_all(&block[..1024]).unwrap();
        bomb.finish().unwrap()
    });
    assert!(matches!(scan.exit, 0 | 1 | 3), "{}", scan.story());
    assert!(scan.took < Duration::from_secs(20), "{}", scan.story());
}

#[test]
fn what_an_archive_hides_is_found_again_on_every_run() {
    type Shape = fn(&[u8]) -> Vec<u8>;
    let shapes: [(&str, Shape); 3] = [
        ("the same name twice", |plain| {
            with_entry(plain, |tar| {
                tar.file("odd-1.0.0/src/lib.rs", b"pub fn ODD() {}\n");
            })
        }),
        ("names that collide", |plain| {
            with_entry(plain, |tar| {
                tar.file("odd-1.0.0/src/Lib.rs", b"pub fn other() {}\n");
            })
        }),
        ("a second gzip member", |plain| {
            let mut hidden = Tar::new();
            hidden.file("odd-1.0.0/src/lib.rs", b"pub fn odd() {}\n");
            [gzip("a", plain), gzip("b", &hidden.finish())].concat()
        }),
    ];
    for (what, shape) in shapes {
        let world = unpacked(shape);
        let mut first = None;
        for run in 1..=3 {
            let scan = world.untaint().an_hour_later().run();
            println!("{what}, run {run}: {:?}", scan.codes());
            scan.finds(&["archive-ambiguous"], "odd-1.0.0.crate");
            let verified = scan.count("verified");
            assert_eq!(
                *first.get_or_insert(verified),
                verified,
                "{what}, run {run}\n{}",
                scan.story()
            );
        }
        // Alone, and without the tree that earlier runs knew.
        fs::remove_dir_all(world.tree("odd", "1.0.0")).unwrap();
        let scan = world.untaint().an_hour_later().run();
        scan.finds(&["archive-ambiguous"], "odd-1.0.0.crate");
    }
}
