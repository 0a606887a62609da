//! What a published `Cargo.toml` states of its licence: `license` as it stands, else the name of its `license-file`.

use serde::Deserialize;

/// Longest statement that is passed on, in bytes.
const LONGEST: usize = 1024;

#[derive(Deserialize)]
struct Manifest {
    package: Package,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Package {
    license: Option<String>,
    license_file: Option<String>,
}

/// The licence that a manifest states, if it states one in a form that can be passed on.
pub(super) fn stated(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let package = toml::from_str::<Manifest>(text).ok()?.package;
    let stated = package
        .license
        .filter(|stated| !stated.trim().is_empty())
        .or_else(|| package.license_file.map(|file| format!("see {file}")))?;
    (stated.len() <= LONGEST && !stated.chars().any(char::is_control)).then_some(stated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_taken_as_it_stands() {
        let of = |keys: &str| stated(format!("[package]\nname = \"a\"\n{keys}").as_bytes());
        assert_eq!(of("license = \"MIT\"").as_deref(), Some("MIT"));
        assert_eq!(
            of("license = \"\"\nlicense-file = \"LICENCE.txt\"").as_deref(),
            Some("see LICENCE.txt")
        );
        assert_eq!(of(""), None);
        assert_eq!(of("license = \"a\\u001b[31m\""), None);
        assert_eq!(of(&format!("license = \"{}\"", "x".repeat(5000))), None);
        assert_eq!(stated(b"\xff"), None);
        assert_eq!(stated("[".repeat(100_000).as_bytes()), None);
    }
}
