//! What of a repository (a checkout's `.git`, a submodule's, a database) could run code or send git elsewhere.

use super::hooks::{self, Hook};
use super::settings::{self, Setting};
use super::{Files, GitError, Limits, config};

/// A setting and the file that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// `config` or `config.worktree`, relative to the repository.
    pub file: &'static str,
    /// The setting.
    pub setting: Setting,
}

/// Settings and hooks worth a finding, and what could not be read of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Posture {
    /// In the order of the files and their lines.
    pub settings: Vec<Placed>,
    /// By name.
    pub hooks: Vec<Hook>,
    /// Files of the repository that could not be read or understood; relative to the repository.
    pub faults: Vec<GitError>,
}

/// Reads a repository's own settings and its `hooks` folder.
#[must_use]
pub fn of(files: &dyn Files, limits: &Limits) -> Posture {
    let mut posture = Posture::default();
    for file in ["config", "config.worktree"] {
        match files.read(file, limits.text) {
            Ok(None) => {}
            Ok(Some(bytes)) => {
                let config = config::parse(&bytes, 10_000);
                if !config.unreadable.is_empty() {
                    posture
                        .faults
                        .push(GitError::corrupt(file, "a line of it is no setting"));
                }
                let settings = settings::risky(&config)
                    .into_iter()
                    .map(|setting| Placed { file, setting });
                posture.settings.extend(settings);
            }
            Err(fault) => posture.faults.push(GitError::fault(file, fault)),
        }
    }
    match files.list("hooks") {
        Ok(items) => posture.hooks = hooks::active(&items),
        Err(fault) => posture.faults.push(GitError::fault("hooks", fault)),
    }
    posture
}
