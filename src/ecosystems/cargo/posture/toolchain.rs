//! `rust-toolchain.toml` and `rust-toolchain`: where rustup stands in for cargo, they choose the program that builds (rustup
//! 1.28, `config.rs` and its book, "Overrides"). The nearest one upward counts, and the name without extension wins in a
//! folder that holds both.
//!
//! A channel is a choice among toolchains that the user installed. A path makes rustup run whatever lies there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::ecosystems::contract::{PostureContext, PostureReport};
use crate::model::text::printable;
use crate::model::{Code, Finding, Line, Problem, Severity};

use super::programs::remedy;
use super::told::{Source, short};

/// Names of the file, in the order in which they win.
pub(super) const NAMES: [&str; 2] = ["rust-toolchain", "rust-toolchain.toml"];
/// Variable that names a toolchain over every file.
const VARIABLE: &str = "RUSTUP_TOOLCHAIN";
/// Largest file that is read, in bytes.
const LARGEST: u64 = 64 << 10;

/// What a file asks for.
enum Asked {
    /// A toolchain by name.
    Name,
    /// A toolchain by its folder.
    Path(String, Option<Line>),
}

/// Judges the file that counts in each folder, and the variable.
pub(super) fn judge(
    folders: &[Option<PathBuf>],
    own: Option<&Path>,
    context: &PostureContext<'_>,
    report: &mut PostureReport,
) {
    let files: BTreeSet<PathBuf> = folders
        .iter()
        .flatten()
        .filter_map(|folder| nearest(folder, context))
        .collect();
    for path in files {
        let base = path.parent().unwrap_or(&path);
        let source = Source::file(&path, base, own, context);
        match read(&path, context) {
            Ok(Asked::Name) => {}
            Ok(Asked::Path(folder, line)) => {
                let mut finding = found(&source, &folder, line);
                if is_of_others(&path, context) {
                    finding.severity = Severity::High;
                }
                report.findings.push(finding);
            }
            Err(why) => {
                let shown = printable(&path.display().to_string());
                report.problems.push(Problem::partial(shown, why));
            }
        }
        report.read.push(source.file.clone());
    }
    if let Some(named) = context.env.var(VARIABLE).and_then(|v| v.into_string().ok())
        && is_path(&named)
    {
        let source = Source::variable(VARIABLE, Path::new(""));
        report.findings.push(found(&source, &named, None));
    }
}

fn found(source: &Source, folder: &str, line: Option<Line>) -> Finding {
    let message = format!(
        "the toolchain in `{}` is what rustup runs in place of cargo and rustc",
        short(folder)
    );
    let mut finding = source.graded(Code::CodeInSettings, line, message);
    finding.remedy = Some(remedy(source));
    finding
}

/// Whether somebody else wrote a file, as anybody can in a folder for temporary files.
fn is_of_others(file: &Path, context: &PostureContext<'_>) -> bool {
    let uid = context.env.uid();
    let stat = context.fs.stat_named(file);
    stat.is_ok_and(|stat| stat.uid != uid && stat.uid != 0)
}

/// The file that rustup finds from a folder; one that cannot be looked at counts as found.
fn nearest(folder: &Path, context: &PostureContext<'_>) -> Option<PathBuf> {
    folder
        .ancestors()
        .flat_map(|folder| NAMES.map(|name| folder.join(name)))
        .find(|path| match context.fs.stat_named(path) {
            Ok(stat) => stat.kind != crate::world::FileKind::Dir,
            Err(error) => !error.is_not_found(),
        })
}

fn read(path: &Path, context: &PostureContext<'_>) -> Result<Asked, String> {
    let bytes = context
        .fs
        .read_named(path, LARGEST)
        .map_err(|error| format!("cannot be read: {}", error.source))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| "is no text: mend it, rustup refuses it too".to_owned())?;
    // One line without a table is a name, where the file has the older name.
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let plain = path.extension().is_none();
    if let (true, Some(only), None) = (plain, lines.next(), lines.next()) {
        return Ok(if is_path(only) {
            Asked::Path(only.to_owned(), Some(1))
        } else {
            Asked::Name
        });
    }
    toml(&text).map_err(|why| format!("{why}: mend it, rustup refuses it too"))
}

fn toml(text: &str) -> Result<Asked, String> {
    let table = toml::de::DeTable::parse(text).map_err(|error| error.message().to_owned())?;
    let toolchain = table
        .get_ref()
        .get("toolchain")
        .and_then(|value| value.get_ref().as_table());
    let entry = |key: &str| {
        let value = toolchain?.get(key)?;
        Some((value.get_ref().as_str()?.to_owned(), value.span().start))
    };
    let by_path = entry("path").or_else(|| entry("channel").filter(|(name, _)| is_path(name)));
    Ok(match by_path {
        Some((folder, at)) => {
            let before = text.as_bytes().get(..at).unwrap_or_default();
            let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
            Asked::Path(folder, Line::try_from(line).ok())
        }
        None => Asked::Name,
    })
}

/// Names of toolchains hold no slash.
fn is_path(name: &str) -> bool {
    name.contains(['/', '\\'])
}
