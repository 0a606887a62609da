//! Policy files as the contract shows them, and every way to get one wrong.

use proptest::prelude::*;

use super::*;
use crate::model::Code;
use crate::model::policy::{Policy, Waivable};

fn read(text: &str) -> Result<PolicyFile, ConfigError> {
    PolicyFile::parse(text.as_bytes(), "untaint.toml")
}

fn whole() -> String {
    format!(
        r#"
fail-on = ["integrity", "advisory:high", "yanked"]
allow = ["git"]
derived = "note"
require = "published"
max-feed-age = "7d"
exclude = ["third_party/**"]
sightings = false
quarantine-retention = "90d"
quarantine-limit = "5GB"
[[waiver]]
id = "RUSTSEC-2024-0001"
reason = "not reachable from the server"
until = 2027-01-31
owner = "platform team"
[[waiver]]
code = "yanked"
package = "a"
version = "1.0.0"
reason = "next release"
until = "2027-01-31"
[[accept]]
artifact = "pypi:docopt@0.6.2:docopt-0.6.2-py2.py3-none-any.whl"
digest = "sha256:{}"
reason = "built here from the verified source"
until = 2027-01-31
"#,
        "ab".repeat(32)
    )
}

#[test]
fn everything_in_the_contract_is_read() {
    let file = read(&whole()).unwrap();
    assert_eq!(file.fail_on.unwrap().len(), 3);
    assert_eq!(file.allow.unwrap(), BTreeSet::from([Reason::Git]));
    assert_eq!(file.derived, Some(Derived::Note));
    assert_eq!(file.require, Some(Assurance::Published));
    assert_eq!(file.max_feed_age, Some(Policy::DEFAULT_MAX_FEED_AGE));
    assert_eq!(file.exclude.unwrap(), ["third_party/**"]);
    assert_eq!(file.sightings, Some(false));
    assert_eq!(file.quarantine_retention, Some(90 * 24 * 3600));
    assert_eq!(file.quarantine_limit, Some(5_000_000_000));
    assert_eq!(
        file.waivers[0].what,
        Waivable::Id("RUSTSEC-2024-0001".into())
    );
    assert_eq!(file.waivers[0].owner.as_deref(), Some("platform team"));
    assert_eq!(file.waivers[0].at, "untaint.toml:11");
    assert!(matches!(
        &file.waivers[1].what,
        Waivable::Code {
            code: Code::Yanked,
            ..
        }
    ));
    assert_eq!(file.waivers[1].until, file.waivers[0].until);
    assert_eq!(file.accepts[0].artifact.name, "docopt");
}

#[test]
fn an_empty_file_says_nothing() {
    let file = read("").unwrap();
    assert_eq!(
        file,
        PolicyFile {
            name: "untaint.toml".into(),
            ..PolicyFile::default()
        }
    );
}

#[test]
fn the_word_default_stands_for_the_built_in_lists() {
    let file = read("allow = ['default', 'offline']\nfail-on = ['default', 'yanked']").unwrap();
    let allow = file.allow.unwrap();
    assert!(allow.contains(&Reason::Git) && allow.contains(&Reason::Offline));
    assert_eq!(file.fail_on.unwrap().len(), 10);
}

#[test]
fn what_does_not_fit_is_named_with_its_line() {
    let digest = format!("sha256:{}", "ab".repeat(32));
    let accept = |artifact: &str, digest: &str| {
        format!(
            "[[accept]]\nartifact='{artifact}'\ndigest='{digest}'\nreason='x'\nuntil=2027-01-31"
        )
    };
    for (text, line, part) in [
        ("fail-onn = []".to_owned(), 1, "did you mean `fail-on`"),
        ("\nalow = []".to_owned(), 2, "did you mean `allow`"),
        (
            "something-else = 1".to_owned(),
            1,
            "known are fail-on, allow",
        ),
        ("fail-on = 'integrity'".to_owned(), 1, "list of texts"),
        ("fail-on = ['x']".to_owned(), 1, "neither a class"),
        (
            "fail-on = ['integrity:bad']".to_owned(),
            1,
            "neither a class",
        ),
        ("allow = ['derived']".to_owned(), 1, "--derived"),
        ("allow = ['nothing']".to_owned(), 1, "no reason"),
        ("derived = 'maybe'".to_owned(), 1, "deny, note or ignore"),
        ("derived = 1".to_owned(), 1, "is a text"),
        ("require = 'self'".to_owned(), 1, "authenticated, published"),
        ("max-feed-age = '7'".to_owned(), 1, "duration"),
        ("exclude = ['[']".to_owned(), 1, "exclude"),
        ("sightings = 'no'".to_owned(), 1, "true or false"),
        ("quarantine-retention = '30'".to_owned(), 1, "at least 1d"),
        ("quarantine-retention = '23h'".to_owned(), 1, "at least 1d"),
        ("quarantine-limit = 'much'".to_owned(), 1, "2GB"),
        ("quarantine-limit = 2".to_owned(), 1, "is a text"),
        ("[waiver]\nid='x'".to_owned(), 1, "[[waiver]]"),
        (
            "[[waiver]]\nid='x'\nreason='y'".to_owned(),
            1,
            "`until` is missing",
        ),
        (
            "[[waiver]]\nid='x'\nuntil=2027-01-31".to_owned(),
            1,
            "`reason` is missing",
        ),
        (
            "[[waiver]]\nid='x'\nreason='y'\nuntil=2027-01-31T00:00:00Z".to_owned(),
            4,
            "not a day",
        ),
        (
            "[[waiver]]\nid='x'\nreason=' '\nuntil=2027-01-31".to_owned(),
            3,
            "is a text",
        ),
        (
            "[[waiver]]\nreason='y'\nuntil=2027-01-31".to_owned(),
            1,
            "either `id`",
        ),
        (
            "[[waiver]]\nid='x'\ncode='yanked'\nreason='y'\nuntil=2027-01-31".to_owned(),
            1,
            "either `id`",
        ),
        (
            "[[waiver]]\ncode='yanked'\nreason='y'\nuntil=2027-01-31".to_owned(),
            1,
            "either `id`",
        ),
        (
            "[[waiver]]\nid='x'\nversion='1'\nreason='y'\nuntil=2027-01-31".to_owned(),
            1,
            "either `id`",
        ),
        (
            "[[waiver]]\nresaon='y'".to_owned(),
            2,
            "did you mean `reason`",
        ),
        (accept("x", &digest), 1, "ECOSYSTEM:NAME"),
        (accept("a:b@1:f", "sha256:00"), 1, "64 lower-case"),
        (
            accept("a:b@1:f", &format!("md5:{}", "a".repeat(32))),
            1,
            "weak",
        ),
        ("x = ".to_owned(), 1, "not TOML"),
    ] {
        let error = read(&text).unwrap_err();
        assert!(error.message.contains(part), "{text}: {error}");
        assert_eq!(error.line, line, "{text}: {error}");
        assert_eq!(error.file, "untaint.toml");
    }
    assert!(
        PolicyFile::parse(b"a = '\xff'", "x")
            .unwrap_err()
            .message
            .contains("UTF-8")
    );
}

#[test]
fn messages_cannot_be_lines_of_their_own() {
    let error = read("\"a\\n::error::\" = 1").unwrap_err();
    assert!(!error.to_string().contains('\n'), "{error}");
}

proptest! {
    #[test]
    fn any_bytes_are_judged_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = PolicyFile::parse(&bytes, "x");
    }

    #[test]
    fn a_changed_file_is_judged_without_panic(at in 0usize..700, byte in any::<u8>()) {
        let mut bytes = whole().into_bytes();
        if let Some(slot) = bytes.get_mut(at) {
            *slot = byte;
        }
        let _ = PolicyFile::parse(&bytes, "x");
    }
}
