//! Lockfiles of tools that untaint cannot read yet: seen and reported, never passed over.

/// File name, ecosystem as `--ecosystem` names it, tool.
const UNREAD: &[(&str, &str, &str)] = &[
    ("go.sum", "go", "Go"),
    ("go.work.sum", "go", "Go"),
    ("package-lock.json", "npm", "npm"),
    ("npm-shrinkwrap.json", "npm", "npm"),
    ("pnpm-lock.yaml", "npm", "pnpm"),
    ("yarn.lock", "npm", "yarn"),
    ("bun.lock", "npm", "bun"),
    ("bun.lockb", "npm", "bun"),
    ("deno.lock", "npm", "deno"),
    ("poetry.lock", "pypi", "Poetry"),
    ("uv.lock", "pypi", "uv"),
    ("pdm.lock", "pypi", "PDM"),
    ("pylock.toml", "pypi", "pip"),
    ("Pipfile.lock", "pypi", "Pipenv"),
    ("Gemfile.lock", "rubygems", "Bundler"),
    ("gems.locked", "rubygems", "Bundler"),
    ("composer.lock", "packagist", "Composer"),
    ("packages.lock.json", "nuget", "NuGet"),
    ("gradle.lockfile", "maven", "Gradle"),
    ("mix.lock", "hex", "Mix"),
    ("pubspec.lock", "pub", "pub"),
    ("Package.resolved", "swift", "Swift Package Manager"),
    ("Podfile.lock", "cocoapods", "CocoaPods"),
    ("conan.lock", "conan", "Conan"),
];

/// The ecosystem and tool of a lockfile that cannot be read yet. Names that an ecosystem reads are asked before.
pub(super) fn tool(file_name: &str) -> Option<(&'static str, &'static str)> {
    UNREAD
        .iter()
        .find(|(name, ..)| *name == file_name)
        .map(|(_, ecosystem, tool)| (*ecosystem, *tool))
}
