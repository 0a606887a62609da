//! What a build uses packages for, as an ecosystem reads it from a file that the user named.

use std::collections::BTreeMap;

use crate::model::report::Scope;

/// Where a used package comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SourceKind {
    /// A registry.
    Registry,
    /// A git repository.
    Git,
    /// A folder of the user.
    Path,
}

/// A package that a build uses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageUse {
    /// Name, verbatim.
    pub name: String,
    /// Version, verbatim.
    pub version: String,
    /// Where it comes from.
    pub source: SourceKind,
}

/// What a build uses packages for.
#[derive(Debug, Clone, Default)]
pub struct UseMap {
    scopes: BTreeMap<PackageUse, Scope>,
}

impl UseMap {
    /// Adds a package; of two uses the closer one counts.
    pub fn put(&mut self, package: PackageUse, scope: Scope) {
        let near = |scope: Scope| match scope {
            Scope::Required => 0,
            Scope::Build => 1,
            Scope::Dev => 2,
            Scope::Unused => 3,
        };
        self.scopes
            .entry(package)
            .and_modify(|old| {
                if near(scope) < near(*old) {
                    *old = scope;
                }
            })
            .or_insert(scope);
    }

    /// What a package is used for; `None` if it is not.
    pub fn scope(&self, name: &str, version: &str, source: SourceKind) -> Option<Scope> {
        let package = PackageUse {
            name: name.to_owned(),
            version: version.to_owned(),
            source,
        };
        self.scopes.get(&package).copied()
    }

    /// Every package that is used, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, SourceKind)> {
        self.scopes
            .keys()
            .map(|p| (p.name.as_str(), p.version.as_str(), p.source))
    }

    /// Whether nothing is used.
    pub fn is_empty(&self) -> bool {
        self.scopes.is_empty()
    }
}
