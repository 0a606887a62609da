//! Tests of [`super`].

use super::*;
use proptest::prelude::*;

fn read(text: &str, ecosystem: &str) -> Result<Vec<AdvisoryRecord>, OsvError> {
    read_record(text.as_bytes(), ecosystem, OsvLimits::default()).map(|(records, _)| records)
}

fn one(text: &str, ecosystem: &str) -> AdvisoryRecord {
    let mut records = read(text, ecosystem).unwrap();
    assert_eq!(records.len(), 1);
    records.remove(0)
}

#[test]
fn a_record_of_the_go_database() {
    let record = one(
        r#"{"schema_version":"1.3.1","id":"GO-2024-0001","modified":"0001-01-01T00:00:00Z","published":"2024-02-03T04:05:06Z",
        "aliases":["GHSA-2222-3333-4444","CVE-2024-1"],"details":"prose",
        "affected":[{"package":{"name":"example.test/m","ecosystem":"Go"},
          "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.3"},{"introduced":"1.3.0"}]},{"type":"GIT","repo":"x","events":[{"introduced":"0"}]}],
          "ecosystem_specific":{"imports":[{"path":"example.test/m/p","goos":["linux"],"symbols":["B","A","B"]},{"path":"example.test/m"}]}},
         {"package":{"name":"example.test/m","ecosystem":"npm"}}]}"#,
        "Go",
    );
    assert_eq!(record.id, "GO-2024-0001");
    assert_eq!(record.aliases, ["CVE-2024-1", "GHSA-2222-3333-4444"]);
    assert_eq!(
        (record.published, record.modified, record.withdrawn),
        (Some(19756), None, None)
    );
    assert_eq!(record.ranges.len(), 1);
    assert_eq!(record.fixed(), ["1.2.3"]);
    assert_eq!(record.kind, Kind::Vulnerable);
    assert_eq!(
        record.imports,
        [
            Import {
                path: "example.test/m".into(),
                symbols: vec![]
            },
            Import {
                path: "example.test/m/p".into(),
                symbols: vec!["A".into(), "B".into()]
            },
        ]
    );
    assert_eq!(
        record.link.as_deref(),
        Some("https://osv.dev/vulnerability/GO-2024-0001")
    );
}

#[test]
fn severities_and_kinds() {
    let with = |inner: &str, outer: &str| {
        one(
            &format!(
                r#"{{"id":"X-1",{outer}"affected":[{{"package":{{"name":"p","ecosystem":"E:3.1"}},{inner}"versions":null}}]}}"#
            ),
            "E",
        )
    };
    let vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
    let severity = format!(r#""severity":[{{"type":"CVSS_V3","score":"{vector}"}}],"#);
    assert_eq!(with("", &severity).vectors, [vector]);
    assert_eq!(
        with(
            &severity,
            r#""severity":[{"type":"CVSS_V2","score":"AV:N/AC:L/Au:N/C:C/I:C/A:C"}],"#
        )
        .vectors,
        [vector]
    );
    assert_eq!(
        with("", r#""database_specific":{"severity":"HIGH"},"#)
            .label
            .as_deref(),
        Some("HIGH")
    );
    assert_eq!(
        with(r#""ecosystem_specific":{"severity":"low"},"#, "")
            .label
            .as_deref(),
        Some("low")
    );
    assert_eq!(
        with(r#""database_specific":{"severity":7},"#, "").label,
        None
    );
    for (text, kind) in [
        ("\"unsound\"", Kind::Unsound),
        ("\"unmaintained\"", Kind::Unmaintained),
        ("\"notice\"", Kind::Notice),
        ("\"new thing\"", Kind::Notice),
        ("null", Kind::Vulnerable),
    ] {
        let inner = format!(r#""database_specific":{{"informational":{text},"categories":[]}},"#);
        assert_eq!(with(&inner, "").kind, kind, "{text}");
    }
    assert_eq!(
        with(r#""database_specific":{"categories":["malicious"]},"#, "").kind,
        Kind::Malicious
    );
    assert_eq!(
        with("", r#""aliases":["MAL-2024-1"],"#).kind,
        Kind::Malicious
    );
}

#[test]
fn malicious_packages_and_withdrawals() {
    let record = one(
        r#"{"id":"MAL-2025-1","withdrawn":"2025-02-03T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"@a/b"},"versions":["1.0.0","1.0.1"]}]}"#,
        "npm",
    );
    assert_eq!(record.kind, Kind::Malicious);
    assert_eq!(record.versions, ["1.0.0", "1.0.1"]);
    assert!(record.withdrawn.is_some());
    // A withdrawal with a placeholder for a date is in force all the same.
    let record = one(
        r#"{"id":"X","withdrawn":"0001-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"a"}}]}"#,
        "npm",
    );
    assert_eq!(record.withdrawn, Some(0));
    assert!(read(r#"{"id":"X","withdrawn":"soon"}"#, "npm").is_err());
}

#[test]
fn an_open_range_ends_where_the_database_says() {
    let with = |range: &str, affected: &str| {
        one(
            &format!(r#"{{"id":"GHSA-x","affected":[{{"package":{{"ecosystem":"npm","name":"a"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}}{range}]}}]{affected}}}]}}"#),
            "npm",
        )
        .ranges
        .remove(0)
        .events
    };
    let last = r#","database_specific":{"last_known_affected_version_range":"<= 3.0.1"}"#;
    assert_eq!(
        with("", last).last(),
        Some(&Event::LastAffected("3.0.1".into()))
    );
    assert_eq!(
        with("", &last.replace("<=", "<")).last(),
        Some(&Event::Fixed("3.0.1".into()))
    );
    assert_eq!(
        with(r#",{"fixed":"2.0.0"}"#, last).last(),
        Some(&Event::Fixed("2.0.0".into()))
    );
    assert_eq!(with("", "").len(), 1);
}

#[test]
fn what_would_hide_an_affected_version_is_refused() {
    let with = |ranges: &str| {
        read(
            &format!(
                r#"{{"id":"X","affected":[{{"package":{{"ecosystem":"E","name":"p"}},"ranges":{ranges}}}]}}"#
            ),
            "E",
        )
    };
    assert!(matches!(
        with(r#"[{"type":"CALVER","events":[{"introduced":"0"}]}]"#),
        Err(OsvError::RangeType(_))
    ));
    assert!(matches!(
        with(r#"[{"type":"SEMVER","events":[{"appeared":"0"}]}]"#),
        Err(OsvError::Event)
    ));
    assert!(matches!(
        with(r#"[{"type":"SEMVER","events":[{}]}]"#),
        Err(OsvError::Event)
    ));
    assert!(matches!(
        with(r#"[{"type":"SEMVER","events":[{"introduced":1}]}]"#),
        Err(OsvError::Malformed(_))
    ));
    assert!(matches!(
        with(r#"{"type":"SEMVER"}"#),
        Err(OsvError::Malformed(_))
    ));
    for bad in [
        "",
        "[]",
        "{}",
        r#"{"id":""}"#,
        r#"{"id":"a b"}"#,
        r#"{"id":"a\u001bb"}"#,
    ] {
        assert!(
            matches!(read(bad, "E"), Err(OsvError::Malformed(_))),
            "{bad}"
        );
    }
}

#[test]
fn limits_hold() {
    // Deep nesting is passed over where nothing is kept, and refused where something is.
    let deep = |key: &str| {
        format!(
            r#"{{"id":"X","{key}":{}1{}}}"#,
            "[".repeat(50_000),
            "]".repeat(50_000)
        )
    };
    assert!(read(&deep("details"), "E").is_ok());
    assert!(matches!(
        read(&deep("affected"), "E"),
        Err(OsvError::Malformed(_))
    ));
    assert!(read(&deep("database_specific"), "E").is_ok());
    let limits = OsvLimits {
        bytes: 200,
        items: 3,
    };
    let versions = r#"{"id":"X","affected":[{"package":{"ecosystem":"E","name":"p"},"versions":["1","2","3"]}]}"#;
    assert!(matches!(
        read_record(versions.as_bytes(), "E", limits),
        Err(OsvError::TooMany(3))
    ));
    assert!(read_record(versions.as_bytes(), "E", OsvLimits { items: 4, ..limits }).is_ok());
    assert!(matches!(
        read_record(&[b' '; 201], "E", limits),
        Err(OsvError::TooLong(200))
    ));
}

#[test]
fn one_bad_record_never_stops_the_rest() {
    let entry = |name: &str, text: &str| FeedEntry {
        name: name.to_owned(),
        bytes: text.as_bytes().to_vec(),
        mtime: None,
    };
    let good = r#"{"id":"X-2","modified":"2024-01-02T00:00:00Z","affected":[{"package":{"ecosystem":"E","name":"p"},"versions":["1"]}]}"#;
    let entries = [
        entry("X-1.json", "{"),
        entry("README", "?"),
        entry("X-2.json", good),
        entry("X-3.json", "\u{0}"),
    ];
    let reading = read_feed(entries.into_iter(), "E", OsvLimits::default());
    assert_eq!(
        (reading.total, reading.unreadable, reading.records.len()),
        (3, 2, 1)
    );
    assert_eq!(
        reading
            .named
            .iter()
            .map(|bad| bad.entry.as_str())
            .collect::<Vec<_>>(),
        ["X-1.json", "X-3.json"]
    );
    assert_eq!(reading.newest, Some(1_704_153_600));
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_record(&bytes, "E", OsvLimits::default());
    }

    #[test]
    fn any_damage_to_a_record_is_survived(at in 0_usize..220, byte in any::<u8>()) {
        let mut bytes = br#"{"id":"X-2","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N"}],"affected":[{"package":{"ecosystem":"E","name":"p"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1"}]}],"versions":["1"]}]}"#.to_vec();
        if let Some(slot) = bytes.get_mut(at) {
            *slot = byte;
        }
        let _ = read_record(&bytes, "E", OsvLimits::default());
    }
}
