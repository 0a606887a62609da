//! `[alias]`: words that stand in for a command of cargo, such as `b`. What they can do that a command line can.

use crate::ecosystems::contract::PostureContext;
use crate::model::{Code, Finding};

use super::file::Entry;
use super::flags;
use super::search::real;
use super::told::{Source, short};

/// Commands that hand what follows `--` to the compiler.
const COMPILERS: &[&str] = &["rustc", "rustdoc", "clippy", "fix"];
/// Options of `install` that say where a program comes from.
const ORIGINS: &[&str] = &["--git", "--index", "--registry", "--path"];

/// The finding about an alias that does more than name a command.
pub(super) fn judge(
    entry: &Entry,
    source: &Source,
    context: &PostureContext<'_>,
) -> Option<Finding> {
    let ["alias", name] = *entry.parts().as_slice() else {
        return None;
    };
    let what = hidden(&entry.value.words(), source, context)?;
    let message = format!(
        "`cargo {}` is an alias that hands cargo `{}`",
        short(name),
        short(&what)
    );
    let mut finding = source.graded(Code::CodeInSettings, entry.line, message);
    finding.remedy = Some("look at what it runs before you use it, or remove it".into());
    Some(finding)
}

/// The part of the words that brings in other settings, other code or other flags.
fn hidden(words: &[&str], source: &Source, context: &PostureContext<'_>) -> Option<String> {
    let end = words.iter().position(|word| *word == "--");
    let (own, rest) = words.split_at(end.unwrap_or(words.len()));
    let has = |option: &str| {
        let value = |word: &&&str| {
            word.strip_prefix(option)
                .is_some_and(|v| v.starts_with('='))
        };
        own.iter().find(|word| **word == option || value(word))
    };
    if let Some(word) = has("--config") {
        return Some((*word).to_owned());
    }
    if own.contains(&"install")
        && let Some(word) = ORIGINS.iter().find_map(|option| has(option))
    {
        return Some((*word).to_owned());
    }
    let mut manifests = own.iter().enumerate().filter_map(|(at, word)| {
        let rest = word.strip_prefix("--manifest-path")?;
        rest.strip_prefix('=').or_else(|| own.get(at + 1).copied())
    });
    let unknown = manifests.find(|manifest| {
        let path = real(context.fs, &source.base.join(manifest));
        !path
            .parent()
            .is_some_and(|of| context.described.contains(of))
    });
    if let Some(manifest) = unknown {
        return Some(format!("--manifest-path {manifest}"));
    }
    let compiles = own.iter().any(|word| COMPILERS.contains(word));
    let flags = rest.get(1..).unwrap_or_default();
    (compiles && flags::judge(flags).is_some()).then(|| flags.join(" "))
}
