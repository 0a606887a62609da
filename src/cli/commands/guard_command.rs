//! What guard's own command line says of the project that it will build: that one is audited too.
//!
//! A program that no ecosystem knows (a shell, a build tool) says nothing here; what it builds beside the audited projects,
//! nobody has judged.

use std::path::{Path, PathBuf};

use crate::cli::args::GuardArgs;
use crate::cli::settings::Settings;
use crate::ecosystems::contract::CommandLine;
use crate::world::{FileKind, ReadFs};

/// Adds the projects that the command names to what is audited.
///
/// # Errors
/// A line that says what the command takes that no audit of a project sees.
pub(super) fn heed(
    args: &GuardArgs,
    settings: &mut Settings,
    fs: &dyn ReadFs,
) -> Result<(), String> {
    let Some(line) = line(args) else {
        return Ok(());
    };
    if let Some(word) = line.unseen.first() {
        return Err(format!(
            "`{word}` gives the command settings or sources that were not audited: put them where they are read from \
             (a settings file of the project or the user), or run the command without guard"
        ));
    }
    let whole = settings.caches;
    if let Some(word) = line.unlocked.first().filter(|_| !whole) {
        return Err(format!(
            "`{word}` takes packages that no lockfile of the project names: audit everything that is cached with \
             `untaint guard --caches`, or name what is built in a project"
        ));
    }
    let mut named = line.projects.iter().map(|path| folder(path, fs)).peekable();
    if named.peek().is_some() && args.shared.paths.is_empty() {
        // It builds there in place of here.
        settings.targets.retain(|path| path != Path::new("."));
    }
    for project in named {
        if !settings.targets.contains(&project) {
            settings.targets.push(project);
        }
    }
    Ok(())
}

fn line(args: &GuardArgs) -> Option<CommandLine> {
    let (program, words) = args.command.split_first()?;
    let program = Path::new(program).file_name()?.to_str()?;
    crate::ecosystems::all()
        .iter()
        .filter_map(|ecosystem| ecosystem.guarded())
        .find_map(|guarded| guarded.reads(program, words))
}

/// The folder of a project that is named by its manifest.
fn folder(path: &Path, fs: &dyn ReadFs) -> PathBuf {
    let is_file = fs
        .stat_named(path)
        .is_ok_and(|stat| stat.kind == FileKind::File);
    match path.parent() {
        Some(parent) if is_file && parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) if is_file => parent.to_owned(),
        _ => path.to_owned(),
    }
}
