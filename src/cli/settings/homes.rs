//! Where our own files are: `$XDG_CONFIG_HOME/untaint` and `$XDG_STATE_HOME/untaint`, or both under `UNTAINT_HOME`.
//!
//! XDG base directories 0.8: a relative value is ignored.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::SettingsError;
use crate::world::Env;

/// Our folders; `None` where the environment gives no place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Homes {
    /// Holds `config.toml` and `trust.toml`.
    pub config: Option<PathBuf>,
    /// Holds claims, ledger, feeds.
    pub state: Option<PathBuf>,
    /// `UNTAINT_HOME`, if it decided.
    pub chosen: Option<PathBuf>,
}

impl Homes {
    /// By the environment's rules.
    ///
    /// # Errors
    /// When `UNTAINT_HOME` is relative.
    pub fn of(env: &dyn Env) -> Result<Self, SettingsError> {
        if let Some(home) = filled(env, "UNTAINT_HOME") {
            let home = PathBuf::from(home);
            if !home.is_absolute() {
                return Err(SettingsError::Variable {
                    name: "UNTAINT_HOME",
                    message: "not an absolute path".to_owned(),
                });
            }
            return Ok(Self {
                config: Some(home.clone()),
                state: Some(home.join("state")),
                chosen: Some(home),
            });
        }
        let under = |variable: &str, default: &str| {
            filled(env, variable)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
                .or_else(|| env.home().map(|home| home.join(default)))
                .map(|base| base.join("untaint"))
        };
        Ok(Self {
            config: under("XDG_CONFIG_HOME", ".config"),
            state: under("XDG_STATE_HOME", ".local/state"),
            chosen: None,
        })
    }

    /// Where keys are kept that are no state: what is sealed with them may be restored or copied, they are not.
    pub fn keys(env: &dyn Env) -> Option<PathBuf> {
        filled(env, "XDG_DATA_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| env.home().map(|home| home.join(".local/share")))
            .map(|base| base.join("untaint"))
    }

    /// The user's policy file.
    pub fn policy_file(&self) -> Option<PathBuf> {
        self.config.as_deref().map(|c: &Path| c.join("config.toml"))
    }

    /// The user's trust file.
    pub fn trust_file(&self) -> Option<PathBuf> {
        self.config.as_deref().map(|c: &Path| c.join("trust.toml"))
    }
}

/// A variable that is set and not empty.
pub(super) fn filled(env: &dyn Env, name: &str) -> Option<OsString> {
    env.var(name).filter(|value| !value.is_empty())
}
