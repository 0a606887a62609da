//! How a command is made to use the audited CARGO_HOME (cargo 1.95).
//!
//! A build shares the lock of `.package-cache-mutate`; what removes from the cache (`cargo clean gc`) takes it alone, and a
//! download takes `.package-cache` beside it (`util/cache_lock.rs`). Since 1.91 intermediate files have a folder of their own,
//! `CARGO_BUILD_BUILD_DIR`. An empty RUSTC_WRAPPER stands for none, so that no compiler cache answers either.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::ecosystems::contract::{CommandLine, Export, GuardContext, Guarded, RelPath};

use super::command_line;

/// The guard's part of cargo.
pub(super) struct CargoGuarded;

impl Guarded for CargoGuarded {
    fn exports(&self, context: &GuardContext<'_>) -> Vec<Export> {
        let home = context.cache("cargo-home");
        home.map(|home| ("CARGO_HOME", Some(home.into())))
            .into_iter()
            .collect()
    }

    fn reads(&self, program: &str, words: &[OsString]) -> Option<CommandLine> {
        (program == "cargo").then(|| command_line::read(words))
    }

    fn fresh(&self, folder: &Path) -> Vec<Export> {
        let target = folder.join("target");
        vec![
            ("CARGO_TARGET_DIR", Some(target.clone().into())),
            ("CARGO_BUILD_BUILD_DIR", Some(target.into())),
            ("RUSTC_WRAPPER", Some(OsString::new())),
        ]
    }

    fn shared_locks(&self, cache: &str) -> Vec<RelPath> {
        (cache == "cargo-home")
            .then(|| PathBuf::from(".package-cache-mutate"))
            .into_iter()
            .collect()
    }

    /// Index files follow the index, and clones grow.
    fn is_renewed(&self, kind: &str) -> bool {
        matches!(kind, "listing" | "git-db")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::fake::{Disk, Given};

    #[test]
    fn the_audited_home_is_exported_and_a_fresh_build_shares_nothing() {
        let caches = [("cargo-home", PathBuf::from("/h/.cargo"))];
        let context = GuardContext {
            env: &Given::default(),
            fs: &Disk::of(0, 0),
            caches: &caches,
            proxies: &[],
            logs: &[],
        };
        assert_eq!(
            CargoGuarded.exports(&context),
            [("CARGO_HOME", Some("/h/.cargo".into()))]
        );
        let fresh = CargoGuarded.fresh(Path::new("/f"));
        assert!(fresh.contains(&("CARGO_TARGET_DIR", Some("/f/target".into()))));
        assert!(fresh.contains(&("CARGO_BUILD_BUILD_DIR", Some("/f/target".into()))));
        assert!(CargoGuarded.shared_locks("go-mod-cache").is_empty());
    }
}
