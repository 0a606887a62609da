//! Environment variables that cargo reads as settings (cargo 1.95, the table of variables in its reference).
//!
//! They are turned into the keys that they stand for and judged like those; `[source]` cannot be set by variables.

use std::path::PathBuf;

use crate::world::Env;

use super::file::{Entry, Value};

/// Variables of one fixed key.
const FIXED: &[(&str, &[&str])] = &[
    ("RUSTC_WRAPPER", &["build", "rustc-wrapper"]),
    ("CARGO_BUILD_RUSTC_WRAPPER", &["build", "rustc-wrapper"]),
    (
        "RUSTC_WORKSPACE_WRAPPER",
        &["build", "rustc-workspace-wrapper"],
    ),
    (
        "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
        &["build", "rustc-workspace-wrapper"],
    ),
    ("RUSTC", &["build", "rustc"]),
    ("CARGO_BUILD_RUSTC", &["build", "rustc"]),
    ("RUSTDOC", &["build", "rustdoc"]),
    ("CARGO_BUILD_RUSTDOC", &["build", "rustdoc"]),
    ("RUSTFLAGS", &["build", "rustflags"]),
    ("CARGO_BUILD_RUSTFLAGS", &["build", "rustflags"]),
    ("RUSTDOCFLAGS", &["build", "rustdocflags"]),
    ("CARGO_BUILD_RUSTDOCFLAGS", &["build", "rustdocflags"]),
    (
        "CARGO_REGISTRY_CREDENTIAL_PROVIDER",
        &["registry", "credential-provider"],
    ),
    (
        "CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS",
        &["registry", "global-credential-providers"],
    ),
    ("CARGO_REGISTRY_INDEX", &["registry", "index"]),
    ("CARGO_HTTP_CAINFO", &["http", "cainfo"]),
    ("CARGO_HTTP_PROXY_CAINFO", &["http", "proxy-cainfo"]),
];

/// Variables whose middle part is a name: start, end, first and last part of the key.
const NAMED: &[(&str, &str, &str, &str)] = &[
    ("CARGO_TARGET_", "_LINKER", "target", "linker"),
    ("CARGO_TARGET_", "_RUNNER", "target", "runner"),
    ("CARGO_TARGET_", "_RUSTFLAGS", "target", "rustflags"),
    ("CARGO_TARGET_", "_RUSTDOCFLAGS", "target", "rustdocflags"),
    ("CARGO_REGISTRIES_", "_INDEX", "registries", "index"),
    (
        "CARGO_REGISTRIES_",
        "_CREDENTIAL_PROVIDER",
        "registries",
        "credential-provider",
    ),
];

/// Variables of flags that are parted by the byte 0x1f.
const ENCODED: [(&str, &str); 2] = [
    ("CARGO_ENCODED_RUSTFLAGS", "rustflags"),
    ("CARGO_ENCODED_RUSTDOCFLAGS", "rustdocflags"),
];

/// Variables that move the build folder.
const BUILD_FOLDERS: [&str; 3] = [
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_BUILD_BUILD_DIR",
];

/// The settings that variables make, each with the variable's name.
pub(super) fn settings(env: &dyn Env) -> Vec<(String, Entry)> {
    let mut found = Vec::new();
    for (name, value) in env.vars() {
        let Some(name) = name.to_str() else { continue };
        let Some(key) = key(name) else { continue };
        let value = value.to_string_lossy().into_owned();
        if value.is_empty() {
            continue;
        }
        let value = if key
            .last()
            .is_some_and(|last| last == "global-credential-providers")
        {
            Value::List(vec![value])
        } else {
            Value::Text(value)
        };
        found.push((
            name.to_owned(),
            Entry {
                key,
                value,
                line: None,
            },
        ));
    }
    for (name, key) in ENCODED {
        let Some(flags) = env.var(name) else { continue };
        let flags = flags
            .to_string_lossy()
            .split('\u{1f}')
            .map(str::to_owned)
            .collect();
        let entry = Entry {
            key: vec!["build".to_owned(), key.to_owned()],
            value: Value::List(flags),
            line: None,
        };
        found.push((name.to_owned(), entry));
    }
    found
}

/// The setting that a variable stands for.
pub(super) fn key(name: &str) -> Option<Vec<String>> {
    let fixed = FIXED.iter().find(|(variable, _)| *variable == name);
    if let Some((_, key)) = fixed {
        return Some(key.iter().map(|part| (*part).to_owned()).collect());
    }
    NAMED.iter().find_map(|(start, end, first, last)| {
        let middle = name.strip_prefix(start)?.strip_suffix(end)?;
        let middle = middle.to_ascii_lowercase().replace('_', "-");
        (!middle.is_empty()).then(|| vec![(*first).to_owned(), middle, (*last).to_owned()])
    })
}

/// The variable that gives the address of a registry of this name (cargo 1.95, `ConfigKey`): it is stronger than every file.
pub(super) fn registry_variable(name: &str) -> String {
    let name = name.replace('-', "_").to_uppercase();
    format!("CARGO_REGISTRIES_{name}_INDEX")
}

/// Build folders that variables name, absolute.
pub(super) fn build_folders(env: &dyn Env) -> Vec<(&'static str, PathBuf)> {
    let base = env.current_dir().unwrap_or_default();
    BUILD_FOLDERS
        .into_iter()
        .filter_map(|name| Some((name, env.var(name)?)))
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name, base.join(value)))
        .collect()
}
