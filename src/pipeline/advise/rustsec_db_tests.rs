//! Tests of [`super`]. That the answers equal RustSec's own on real advisories is `tests/advisories.rs`.

use super::*;

fn advisory(id: &str, package: &str, more: &str, versions: &str) -> String {
    format!(
        "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{package}\"\ndate = \"2021-02-03\"\n{more}\n[versions]\n{versions}\n```\n\n# Title\n\nText.\n"
    )
}

fn entry(name: &str, text: &str) -> FeedEntry {
    FeedEntry {
        name: name.to_owned(),
        bytes: text.as_bytes().to_vec(),
        mtime: Some(1_700_000_000),
    }
}

#[test]
fn an_advisory_becomes_a_record() {
    let text = advisory(
        "RUSTSEC-2021-0001",
        "p",
        "aliases = [\"CVE-2021-1\"]\ninformational = \"unsound\"\ncvss = \"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\"\n[affected]\nfunctions = { \"p::f\" = [\"< 1.0.0\"] }",
        "patched = [\">= 1.2.3\"]\nunaffected = [\"< 1.0.0\"]",
    );
    let record = read_record(text.as_bytes()).unwrap();
    assert_eq!(
        (record.id.as_str(), record.package.as_str(), record.kind),
        ("RUSTSEC-2021-0001", "p", Kind::Unsound)
    );
    assert_eq!(record.aliases, ["CVE-2021-1"]);
    assert_eq!(record.vectors.len(), 1);
    assert_eq!(record.published, Some(18_661));
    assert_eq!(
        record.ranges[0].events,
        [
            Event::Introduced("1.0.0".into()),
            Event::Fixed("1.2.3".into())
        ]
    );
    assert_eq!(
        record.imports,
        [Import {
            path: "p::f".into(),
            symbols: vec![]
        }]
    );
    assert_eq!(
        record.link.as_deref(),
        Some("https://rustsec.org/advisories/RUSTSEC-2021-0001.html")
    );
}

#[test]
fn kinds_and_withdrawals() {
    let read = |more: &str| {
        read_record(advisory("RUSTSEC-2021-0001", "p", more, "patched = []").as_bytes()).unwrap()
    };
    assert_eq!(read("").kind, Kind::Vulnerable);
    assert_eq!(read("").ranges, [AffectedRange::everything()]);
    assert_eq!(read("categories = [\"malicious\"]").kind, Kind::Malicious);
    assert_eq!(
        read("informational = \"unmaintained\"").kind,
        Kind::Unmaintained
    );
    assert_eq!(read("withdrawn = \"2022-01-01\"").withdrawn, Some(18_993));
}

#[test]
fn one_bad_advisory_never_stops_the_rest() {
    let good = advisory("RUSTSEC-2021-0001", "p", "", "patched = []");
    let elsewhere = advisory(
        "RUSTSEC-2021-0009",
        "q",
        "source = \"registry+https://registry.example/index\"",
        "patched = []",
    );
    let cases = [
        entry("db-main/crates/p/RUSTSEC-2021-0001.md", &good),
        entry("db-main/README.md", "# Title"),
        entry("db-main/rust/std/RUSTSEC-2021-0001.md", &good),
        entry("db-main/crates/p/RUSTSEC-0000-0000.md", "draft"),
        entry("crates/p/RUSTSEC-2021-0002.md", "not an advisory"),
        entry("crates/p/RUSTSEC-2021-0003.md", &good),
        entry("crates/q/RUSTSEC-2021-0001.md", &good),
        entry(
            "crates/p/RUSTSEC-2021-0004.md",
            &advisory(
                "RUSTSEC-2021-0004",
                "p",
                "cvss = \"CVSS:9.1/AV:N\"",
                "patched = []",
            ),
        ),
        entry(
            "crates/p/RUSTSEC-2021-0005.md",
            &advisory("RUSTSEC-2021-0005", "p", "", "patched = [\">= 1, >= 2\"]"),
        ),
        entry("crates/p/RUSTSEC-2021-0006.md", "```toml\nä\u{fffd}"),
        entry("crates/q/RUSTSEC-2021-0009.md", &elsewhere),
        entry(
            "crates/p/RUSTSEC-2021-0007.md",
            &good.replace("RUSTSEC-2021-0001", "RUSTSEC-2021-0007"),
        ),
    ];
    let reading = read_feed(cases.into_iter());
    assert_eq!((reading.total, reading.unreadable), (9, 7));
    assert_eq!(
        reading
            .records
            .iter()
            .map(|r| r.id.as_str())
            .collect::<Vec<_>>(),
        ["RUSTSEC-2021-0001", "RUSTSEC-2021-0007"]
    );
    assert_eq!(reading.newest, Some(1_700_000_000));
    assert!(
        reading
            .named
            .iter()
            .all(|bad| !bad.why.contains('\n') && bad.why.len() <= 300)
    );
    let huge = FeedEntry {
        name: "crates/p/RUSTSEC-2021-0001.md".into(),
        bytes: vec![b'x'; LONGEST + 1],
        mtime: None,
    };
    assert_eq!(read_feed([huge].into_iter()).unreadable, 1);
}
