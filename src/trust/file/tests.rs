//! Tests of the trust file: what is read, what is refused with which line, and that a pin changes nothing else.

use proptest::prelude::*;

use super::*;
use crate::model::Assurance;
use crate::trust::address::Address;
use crate::trust::root::Standing;

const LOG_KEY: [u8; 32] = [7; 32];

fn log_key(name: &str) -> String {
    use base64::Engine as _;
    let mut raw = vec![1u8];
    raw.extend_from_slice(&LOG_KEY);
    let id = known::key_id(name, &LOG_KEY);
    let text = base64::engine::general_purpose::STANDARD.encode(raw);
    format!("{name}+{id:08x}+{text}")
}

fn read(text: &str) -> Result<TrustFile, TrustFileError> {
    TrustFile::parse(text.as_bytes(), "trust.toml", Source::User, &["cargo"])
}

fn whole() -> String {
    format!(
        r#"version = 1
# a comment
[[root]]
ecosystem = "go"
role = "log"
url = "https://proxy.example/sumdb/log.example"
name = "log.example"
key = "{}"
require = "authenticated"

[[root]]
ecosystem = "cargo"
role = "index"
url = "sparse+https://registry.example:443/index"
require = "declared"
token = "env:REGISTRY_TOKEN"

[[root]]
ecosystem = "npm"
role = "keys"
id = "SHA256:abc"
key = "{}"
expires = 2027-01-31

[[mirror]]
of = "{}"
url = "https://mirror.example/crates/"

[private]
go = ["corp.example/*"]
npm = ["@corp/*"]
require = "declared"
"#,
        log_key("log.example"),
        "A".repeat(88),
        Address::parse(tame_index::CRATES_IO_INDEX)
            .unwrap()
            .fingerprint(),
    )
}

#[test]
fn everything_in_the_contract_is_read() {
    let file = read(&whole()).unwrap();
    assert_eq!(file.roots.len(), 3);
    let index = &file.roots[1];
    assert_eq!(
        index.address.as_ref().unwrap().as_str(),
        "https://registry.example/index/"
    );
    assert_eq!(&*index.origin, "trust.toml:11");
    assert_eq!(index.required(Assurance::Published), Assurance::Declared);
    assert_eq!(index.token.as_ref().unwrap().name(), "REGISTRY_TOKEN");
    assert_eq!(file.roots[2].expires, Some(1_801_440_000));
    assert!(file.private.covers("npm", "@corp/x"));
    assert!(!file.private.covers("go", "@corp/x"));

    let set = TrustSet::from_files(&[file]).unwrap();
    let at = |url| Address::parse(url).unwrap();
    let mirror = set.resolve("cargo", Role::Index, &at("https://mirror.example/crates"));
    assert!(matches!(mirror.standing, Standing::Mirror(_)));
    let log = set.resolve(
        "go",
        Role::Log,
        &at("https://proxy.example/sumdb/log.example"),
    );
    assert_eq!(log.standing, Standing::Pinned);
    assert_eq!(
        set.private("go", "corp.example/x", Assurance::Published),
        Some(Assurance::Declared)
    );
    assert_eq!(
        set.private("go", "other.example/x", Assurance::Published),
        None
    );
}

#[test]
fn a_named_file_does_not_lower() {
    let file = TrustFile::parse(whole().as_bytes(), "t", Source::Named, &["cargo"]).unwrap();
    assert_eq!(
        file.roots[1].required(Assurance::Published),
        Assurance::Published
    );
    assert_eq!(
        file.roots[0].required(Assurance::Published),
        Assurance::Authenticated
    );
}

#[test]
fn an_empty_file_says_nothing() {
    assert_eq!(read("").unwrap().roots, Vec::new());
}

#[test]
fn what_does_not_fit_is_named_with_its_line() {
    let root = |rest: &str| format!("[[root]]\necosystem = \"cargo\"\nrole = \"index\"\n{rest}\n");
    for (text, line, part) in [
        ("roots = []".to_owned(), 1, "did you mean `root`"),
        ("\nfrobnicate = 1".to_owned(), 2, "the keys here are"),
        ("version = 2".to_owned(), 1, "newer"),
        ("version = \"1\"".to_owned(), 1, "version = 1"),
        ("root = 3".to_owned(), 1, "[[root]]"),
        ("root = [3]".to_owned(), 1, "table"),
        ("[root]\nurl = \"x\"".to_owned(), 1, "[[root]]"),
        (root(""), 1, "needs `url"),
        (root("url = \"http://registry.example/\""), 4, "https"),
        (
            root("url = \"https://u:p@registry.example/\""),
            4,
            "env:NAME",
        ),
        (root("url = \"https://registry.example/?a\""), 4, "query"),
        (
            root("url = \"https://registry.example/\"\ntokn = \"x\""),
            5,
            "`token`",
        ),
        (
            root("url = \"https://registry.example/\"\ntoken = \"abc\""),
            5,
            "env:NAME",
        ),
        (
            root("url = \"https://registry.example/\"\nrequire = \"none\""),
            5,
            "published",
        ),
        (
            root("url = \"https://registry.example/\"\nrequire = \"self\""),
            5,
            "published",
        ),
        (
            root("url = \"https://registry.example/\"\nkey = \"x\""),
            5,
            "means nothing",
        ),
        (root("url = 7"), 4, "`url` is a text"),
        (
            root("url = \"https://registry.example/\"").replace("cargo", "crago"),
            2,
            "`cargo`",
        ),
        (
            root("url = \"https://registry.example/\"").replace("index", "idx"),
            3,
            "unknown role",
        ),
        (
            "[[mirror]]\nof = \"sha256:00\"\nurl = \"https://m.example/\"".to_owned(),
            2,
            "64 hex",
        ),
        ("[private]\nnpm = \"@corp/*\"".to_owned(), 2, "list"),
        ("[private]\nnpm = [\"*\"]".to_owned(), 2, "pattern"),
        ("[private]\nnmp = [\"@corp/*\"]".to_owned(), 2, "`npm`"),
        ("a = ".to_owned(), 1, "not TOML"),
    ] {
        let error = read(&text).unwrap_err();
        assert_eq!(error.line, line, "{text}: {error}");
        assert!(error.to_string().contains(part), "{text}: {error}");
        assert!(error.to_string().starts_with("trust.toml"), "{error}");
    }
}

#[test]
fn a_log_key_belongs_to_its_name() {
    let log = |name: &str, key: &str| {
        format!(
            "[[root]]\necosystem = \"go\"\nrole = \"log\"\nurl = \"https://l.example/\"\nname = \"{name}\"\nkey = \"{key}\"\n"
        )
    };
    assert!(read(&log("log.example", &log_key("log.example"))).is_ok());
    for (name, key) in [
        ("other.example", log_key("log.example")),
        (
            "log.example",
            log_key("other.example").replace("other", "log"),
        ),
        ("log.example", "log.example+00000000+AQ==".to_owned()),
        ("log.example", "x".to_owned()),
    ] {
        assert_eq!(read(&log(name, &key)).unwrap_err().line, 6);
    }
}

#[test]
fn a_mirror_of_nobody_is_an_error() {
    let text = format!(
        "\n[[mirror]]\nof = \"sha256:{}\"\nurl = \"https://m.example/\"\n",
        "0".repeat(64)
    );
    let error = TrustSet::from_files(&[read(&text).unwrap()]).unwrap_err();
    assert_eq!(error.line, 2);
    assert!(error.message.contains("trust show"));
}

#[test]
fn names_of_files_cannot_write_lines() {
    let error = TrustFile::parse(b"x", "a\nb", Source::User, &[]).unwrap_err();
    assert!(!error.to_string().contains('\n'));
}

fn request<'a>(url: &'a str) -> PinRequest<'a> {
    PinRequest {
        ecosystem: "cargo",
        role: Role::Index,
        url,
        name: None,
        key: None,
        require: None,
        token: None,
    }
}

#[test]
fn a_pin_is_appended_once() {
    let old = whole().replace("# a comment", "# ein Kommentar: ü   ");
    let old = old.trim_end();
    let ask = request("https://new.example/index");
    let bytes = pin(Some(old.as_bytes()), "t", &ask, &["cargo"])
        .unwrap()
        .unwrap();
    assert!(bytes.starts_with(old.as_bytes()));
    let file = TrustFile::parse(&bytes, "t", Source::User, &["cargo"]).unwrap();
    assert_eq!(file.roots.len(), 4);
    assert_eq!(pin(Some(&bytes), "t", &ask, &["cargo"]), Ok(None));
    let fresh = pin(None, "t", &ask, &["cargo"]).unwrap().unwrap();
    assert!(fresh.starts_with(b"[[root]]\n"));
}

#[test]
fn a_log_is_pinned_with_its_key() {
    let key = log_key("log.example");
    let ask = PinRequest {
        ecosystem: "go",
        role: Role::Log,
        url: "https://log.example/",
        name: Some("log.example"),
        key: Some(&key),
        require: Some(Assurance::Authenticated),
        token: Some("env:T"),
    };
    let bytes = pin(None, "t", &ask, &[]).unwrap().unwrap();
    let file = TrustFile::parse(&bytes, "t", Source::User, &[]).unwrap();
    assert_eq!(file.roots[0].key.as_deref(), Some(&*key));
}

#[test]
fn what_cannot_be_pinned_is_refused() {
    for url in [
        "http://registry.example/",
        "https://u:p@registry.example/",
        "x",
    ] {
        let error = pin(None, "t", &request(url), &["cargo"]).unwrap_err();
        assert_eq!(error.file, "command line", "{url}");
    }
    let error = pin(Some(b"x"), "t", &request("https://r.example/"), &["cargo"]).unwrap_err();
    assert_eq!((&*error.file, error.line), ("t", 1));
    let inline =
        b"root = [{ecosystem = \"cargo\", role = \"index\", url = \"https://a.example/\"}]\n";
    let error = pin(
        Some(inline),
        "t",
        &request("https://r.example/"),
        &["cargo"],
    )
    .unwrap_err();
    assert!(error.message.contains("by hand"), "{error}");
    let typo = PinRequest {
        ecosystem: "crago",
        ..request("https://r.example/")
    };
    let error = pin(None, "t", &typo, &["cargo"]).unwrap_err();
    assert!(error.message.contains("`cargo`"), "{error}");
}

proptest! {
    #[test]
    fn any_bytes_are_judged_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = TrustFile::parse(&bytes, "t", Source::User, &["cargo"]);
    }

    #[test]
    fn a_changed_file_is_judged_without_panic(at in 0usize..700, byte in any::<u8>()) {
        let mut bytes = whole().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = TrustFile::parse(&bytes, "t", Source::User, &["cargo"]);
    }
}

#[test]
fn deep_nesting_is_an_error_not_a_crash() {
    let deep = format!("root = {}", "[".repeat(100_000));
    assert!(read(&deep).is_err());
    let dotted = format!("{}x = 1", "a.".repeat(100_000));
    assert!(read(&dotted).is_err());
}

#[test]
fn suggestions_are_near() {
    assert_eq!(nearest("requier", &["require", "role"]), Some("require"));
    assert_eq!(nearest("zzz", &["require", "role"]), None);
}
