//! Module paths and versions as they stand in file names and addresses: `!` and a lower-case letter for each capital.
//!
//! Paths are compared by bytes everywhere, but file systems may fold case, hence the spelling. Both directions are
//! strict: what cannot be the name of a module or version has no escaped form, and an escaped form that the `go`
//! command would not write is not read. Rules of golang.org/x/mod/module (0.40); the rule about major version suffixes
//! is not applied here, since it does not decide which file a name belongs to.

/// Longer paths are refused (file names end at 255 bytes, paths at 4096).
const MAX_PATH: usize = 4096;

/// Device names that Windows reserves, and Go therefore refuses as an element up to its first dot.
const RESERVED: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8",
    "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// Why a name has no escaped or unescaped form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// Not a module path by Go's rules.
    #[error("not a module path")]
    Path,
    /// Not a version string by Go's rules.
    #[error("not a module version")]
    Version,
    /// Not an escaped spelling: a capital, a stray `!`, or something beyond ASCII.
    #[error("not an escaped name")]
    Escaped,
}

/// The escaped form of a module path.
///
/// # Errors
/// `BadName::Path` when it is not one.
pub fn escape_path(path: &str) -> Result<String, BadName> {
    check_path(path)?;
    Ok(bang(path))
}

/// The escaped form of a version. It need not be a semantic version, only a harmless file name.
///
/// # Errors
/// `BadName::Version` when it is not one.
pub fn escape_version(version: &str) -> Result<String, BadName> {
    check_version(version)?;
    Ok(bang(version))
}

/// The module path of an escaped form.
///
/// # Errors
/// `BadName::Escaped` when it is no escaped form, `BadName::Path` when of no module path.
pub fn unescape_path(escaped: &str) -> Result<String, BadName> {
    let path = unbang(escaped)?;
    check_path(&path)?;
    Ok(path)
}

/// The version of an escaped form.
///
/// # Errors
/// `BadName::Escaped` when it is no escaped form, `BadName::Version` when of no version.
pub fn unescape_version(escaped: &str) -> Result<String, BadName> {
    let version = unbang(escaped)?;
    check_version(&version)?;
    Ok(version)
}

/// Whether this can be a module path that is served or cached.
///
/// # Errors
/// `BadName::Path` when it cannot.
pub fn check_path(path: &str) -> Result<(), BadName> {
    let first = path.split('/').next().unwrap_or_default();
    let host = first.contains('.')
        && !first.starts_with('-')
        && first
            .bytes()
            .all(|b| matches!(b, b'-' | b'.' | b'0'..=b'9' | b'a'..=b'z'));
    let good = path.len() <= MAX_PATH && host && path.split('/').all(is_path_element);
    if good { Ok(()) } else { Err(BadName::Path) }
}

/// Whether this can be an import path: like a module path, but the first element may be any.
pub fn is_import_path(path: &str) -> bool {
    path.len() <= MAX_PATH
        && !path.starts_with('-')
        && path.split('/').all(|element| {
            element
                .bytes()
                .all(|byte| byte == b'+' || is_path_byte(byte))
                && is_element(element)
                && !is_short_name(element)
        })
}

/// Whether this can be a version, canonical or not.
///
/// # Errors
/// `BadName::Version` when it cannot.
pub fn check_version(version: &str) -> Result<(), BadName> {
    let harmless =
        |byte: u8| byte.is_ascii_alphanumeric() || b"#$%&()+,-.=@[]^_{}~ ".contains(&byte);
    let good = version.len() <= MAX_PATH && version.bytes().all(harmless) && is_element(version);
    if good { Ok(()) } else { Err(BadName::Version) }
}

/// Whether this can be one element of a module path.
fn is_path_element(element: &str) -> bool {
    !element.starts_with('.')
        && element.bytes().all(is_path_byte)
        && is_element(element)
        && !is_short_name(element)
}

/// The bytes of a module path.
fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// What holds for every element: it says something, and neither ends with a dot nor names a device.
fn is_element(element: &str) -> bool {
    let stem = stem(element);
    let reserved = RESERVED.iter().any(|name| name.eq_ignore_ascii_case(stem));
    !element.is_empty() && !element.ends_with('.') && !reserved
}

/// Whether an element looks like a Windows short name: a tilde and digits before its first dot.
fn is_short_name(element: &str) -> bool {
    stem(element).rsplit_once('~').is_some_and(|(_, digits)| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// An element up to its first dot.
fn stem(element: &str) -> &str {
    element.split('.').next().unwrap_or_default()
}

/// Writes capitals as `!` and the small letter. `text` is ASCII without `!`.
fn bang(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_uppercase() {
            escaped.push('!');
        }
        escaped.push(c.to_ascii_lowercase());
    }
    escaped
}

/// Reads what `bang` wrote.
fn unbang(escaped: &str) -> Result<String, BadName> {
    let mut text = String::with_capacity(escaped.len().min(MAX_PATH));
    let mut chars = escaped.chars();
    while let Some(c) = chars.next() {
        match c {
            '!' => match chars.next() {
                Some(small @ 'a'..='z') => text.push(small.to_ascii_uppercase()),
                _ => return Err(BadName::Escaped),
            },
            'A'..='Z' => return Err(BadName::Escaped),
            _ if c.is_ascii() => text.push(c),
            _ => return Err(BadName::Escaped),
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_become_bangs_and_come_back() {
        for (path, escaped) in [
            ("example.com/plain", "example.com/plain"),
            (
                "example.com/BurntSushi/toml",
                "example.com/!burnt!sushi/toml",
            ),
            ("example.com/AB/v2", "example.com/!a!b/v2"),
            ("x-y.example/~user/a_b", "x-y.example/~user/a_b"),
        ] {
            assert_eq!(escape_path(path).as_deref(), Ok(escaped));
            assert_eq!(unescape_path(escaped).as_deref(), Ok(path));
        }
        for (version, escaped) in [
            ("v1.2.3", "v1.2.3"),
            ("v1.0.0-RC1", "v1.0.0-!r!c1"),
            ("v2.0.0+incompatible", "v2.0.0+incompatible"),
            (
                "v0.0.0-20200102030405-0123456789ab",
                "v0.0.0-20200102030405-0123456789ab",
            ),
            ("v1.0.0-beta.X", "v1.0.0-beta.!x"),
        ] {
            assert_eq!(escape_version(version).as_deref(), Ok(escaped));
            assert_eq!(unescape_version(escaped).as_deref(), Ok(version));
        }
    }

    #[test]
    fn what_cannot_be_a_module_path_has_no_escaped_form() {
        for bad in [
            "",
            "/",
            "nodots/x",
            "Example.com/x",
            "-example.com/x",
            "example.com//x",
            "example.com/x/",
            "/example.com/x",
            "example.com/..",
            "example.com/../x",
            "example.com/.hidden",
            "example.com/x.",
            "example.com/a b",
            "example.com/a!b",
            "example.com/a\\b",
            "example.com/a:b",
            "example.com/a@b",
            "example.com/a+b",
            "example.com/é",
            "example.com/con",
            "example.com/NUL.txt",
            "example.com/progra~1",
            "example.com/a\0b",
            "example.com/a\nb",
        ] {
            assert_eq!(escape_path(bad), Err(BadName::Path), "{bad:?}");
        }
        assert!(escape_path("example.com/console").is_ok());
        assert!(escape_path("example.com/a~b1").is_ok());
        assert!(escape_path(&format!("example.com/{}", "x".repeat(5000))).is_err());
    }

    #[test]
    fn what_cannot_be_a_version_has_no_escaped_form() {
        for bad in [
            "", ".", "..", "v1/2", "v1\\2", "v1!2", "v1.", "é", "aux", "v1\0", "v1:2",
        ] {
            assert_eq!(escape_version(bad), Err(BadName::Version), "{bad:?}");
        }
    }

    #[test]
    fn only_what_is_written_is_read() {
        for bad in [
            "example.com/A",
            "example.com/!",
            "example.com/!!a",
            "example.com/!1",
            "!É",
        ] {
            assert_eq!(unescape_path(bad), Err(BadName::Escaped), "{bad:?}");
        }
        assert_eq!(
            unescape_path("!example.com/x"),
            Err(BadName::Path),
            "hosts are lower case"
        );
        assert_eq!(unescape_version("v1!"), Err(BadName::Escaped));
        assert_eq!(unescape_version("../v1"), Err(BadName::Version));
    }

    #[test]
    fn import_paths_may_begin_anyhow() {
        assert!(is_import_path("fmt"));
        assert!(is_import_path("example.com/c++/x"));
        assert!(!is_import_path("a/../b"));
        assert!(!is_import_path("-a"));
        assert!(!is_import_path("a/"));
    }

    proptest::proptest! {
        #[test]
        fn reading_any_escaped_name_gives_one_that_is_written_the_same(text in ".{0,40}") {
            if let Ok(path) = unescape_path(&text) {
                proptest::prop_assert_eq!(escape_path(&path), Ok(text.clone()));
            }
            if let Ok(version) = unescape_version(&text) {
                proptest::prop_assert_eq!(escape_version(&version), Ok(text));
            }
        }
    }
}
