//! Package URLs, for output only: never a key of ours, since the format folds case in places where tools do not.
//!
//! Format: the package-url specification, as the `packageurl` crate writes it.

use packageurl::PackageUrl;

/// Why there is no package URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no package URL for `{name}` ({reason}); it is left out of reports")]
pub struct NotAPurl {
    name: String,
    reason: String,
}

/// Spells a package URL: `pkg:TYPE/[NAMESPACE/]NAME@VERSION[?QUALIFIERS]`, qualifiers sorted, everything escaped.
///
/// A package that does not come from its type's usual registry needs the qualifier `repository_url` (or `vcs_url`),
/// otherwise it would pass for its public namesake. An empty version is left out.
///
/// # Errors
/// [`NotAPurl`] where the specification has no spelling (an empty name, a bad qualifier, a type's own rules).
pub fn spell(
    kind: &str,
    namespace: Option<&str>,
    name: &str,
    version: &str,
    qualifiers: &[(&str, &str)],
) -> Result<String, NotAPurl> {
    build(kind, namespace, name, version, qualifiers).map_err(|reason| NotAPurl {
        name: name.to_owned(),
        reason,
    })
}

fn build(
    kind: &str,
    namespace: Option<&str>,
    name: &str,
    version: &str,
    qualifiers: &[(&str, &str)],
) -> Result<String, String> {
    if name.is_empty() {
        return Err("it has no name".to_owned());
    }
    let told = |error: packageurl::Error| error.to_string();
    let mut purl = PackageUrl::new(kind, name).map_err(told)?;
    if let Some(namespace) = namespace {
        purl.with_namespace(namespace).map_err(told)?;
    }
    if !version.is_empty() {
        purl.with_version(version).map_err(told)?;
    }
    for (key, value) in qualifiers {
        purl.add_qualifier(*key, *value).map_err(told)?;
    }
    purl.validate().map_err(told)?;
    Ok(purl.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_by_name_and_version() {
        assert_eq!(
            spell("cargo", None, "itoa", "1.0.11", &[]).unwrap(),
            "pkg:cargo/itoa@1.0.11"
        );
        assert_eq!(
            spell("cargo", None, "a", "1.0.0+meta", &[]).unwrap(),
            "pkg:cargo/a@1.0.0%2Bmeta"
        );
    }

    #[test]
    fn another_registry_is_named() {
        let purl = spell(
            "cargo",
            None,
            "itoa",
            "1.0.11",
            &[("repository_url", "https://registry.example/index")],
        )
        .unwrap();
        assert!(
            purl.starts_with("pkg:cargo/itoa@1.0.11?repository_url=https"),
            "{purl}"
        );
    }

    #[test]
    fn hostile_names_are_escaped_or_refused() {
        let name = "a\n::error::\u{1b}?x=1#y@2";
        if let Ok(purl) = spell("cargo", None, name, "1", &[]) {
            assert!(purl.bytes().all(|b| b.is_ascii_graphic()), "{purl}");
            assert_eq!(purl.matches(['?', '#', '@']).count(), 1, "{purl}");
        }
        let error = spell("cargo", None, "", "1", &[]).unwrap_err();
        assert!(error.to_string().contains("no name"), "{error}");
    }
}
