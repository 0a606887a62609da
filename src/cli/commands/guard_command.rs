//! What guard's own command line says of the project that it will build: that one is audited too.
//!
//! A program that no ecosystem knows (a shell, a build tool) says nothing here; what it builds beside the audited projects,
//! nobody has judged.

use std::path::{Component, Path, PathBuf};

use crate::cli::args::GuardArgs;
use crate::cli::settings::Settings;
use crate::ecosystems::contract::CommandLine;
use crate::model::policy::Derived;
use crate::world::{Env, FileKind, ReadFs};

/// Adds the projects that the command names to what is audited.
///
/// # Errors
/// A line that says what the command takes that no audit of a project sees.
pub(super) fn heed(
    args: &GuardArgs,
    settings: &mut Settings,
    env: &dyn Env,
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
    let judged = settings.policy.derived == Derived::Deny || args.fresh_derived.is_some();
    if let Some(word) = line.build_folders.first().filter(|_| judged) {
        return Err(format!(
            "`{word}` is a build folder that was not audited: leave it out, or name it by CARGO_TARGET_DIR"
        ));
    }
    let whole = settings.caches;
    if let Some(word) = line.unlocked.first().filter(|_| !whole) {
        return Err(format!(
            "`{word}` takes packages that no lockfile of the project names: audit everything that is cached with \
             `untaint guard --caches`, or name what is built in a project"
        ));
    }
    let here = PathBuf::from(".");
    let mut audited: Vec<PathBuf> = Vec::new();
    for project in &line.projects {
        audited.extend(folders(project, env, fs));
    }
    // Its settings are looked for where it is started, whatever it builds.
    if !line.leaves || audited.is_empty() {
        audited.push(here.clone());
    } else if args.shared.paths.is_empty() {
        settings.targets.retain(|path| *path != here);
    }
    for folder in audited {
        if !settings.targets.contains(&folder) {
            settings.targets.push(folder);
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

/// The folders of a project that is named by itself or by its manifest: where the system finds it, and where somebody does who
/// goes by the text of the path, as cargo goes.
fn folders(path: &Path, env: &dyn Env, fs: &dyn ReadFs) -> Vec<PathBuf> {
    let is_file = fs
        .stat_named(path)
        .is_ok_and(|stat| stat.kind == FileKind::File);
    let folder = match path.parent() {
        Some(parent) if is_file && parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) if is_file => parent.to_owned(),
        _ => path.to_owned(),
    };
    let mut spelled = env.current_dir().unwrap_or_default();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(spelled.pop()),
            other => spelled.push(other),
        }
    }
    if fs
        .stat_named(&spelled)
        .is_ok_and(|stat| stat.kind == FileKind::File)
    {
        spelled.pop();
    }
    let real = |path: &Path| fs.open_root(path).ok().map(|root| root.resolved);
    let other = real(&spelled).filter(|one| real(&folder).as_ref() != Some(one));
    std::iter::once(folder).chain(other).collect()
}
