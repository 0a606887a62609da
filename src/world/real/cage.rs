//! Cages by Landlock (Linux 6.2 and later): a thread, and what it starts, may change what lies below some folders only.
//!
//! Reading and executing stay free. Landlock knows nothing of modes, owners, times and extended attributes: those can
//! still be changed, and a later look at change times finds that out. What was denied, the kernel tells root alone.

use crate::world::process::Cage;

#[cfg(target_os = "linux")]
pub(super) use linux::Walls;
#[cfg(not(target_os = "linux"))]
pub(super) use nowhere::Walls;

#[cfg(target_os = "linux")]
mod linux {
    use std::path::Path;

    use landlock::{
        ABI, AccessFs, BitFlags, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset,
        RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, RulesetStatus, Scope,
    };
    use rustix::fs::{CWD, Mode, OFlags};

    use super::Cage;

    /// The first version that knows of truncation: without it, cached files could be emptied.
    const LEAST: ABI = ABI::V3;
    /// What programs write to without changing a file: devices, and settings of their own process.
    const OUTLETS: [&str; 2] = ["/dev", "/proc"];
    /// Shared memory.
    const SHARED: &str = "/dev/shm";

    /// Walls that are planned and not closed yet.
    pub(in crate::world::real) struct Walls(RulesetCreated);

    impl Walls {
        /// Whether the kernel can do it.
        pub(in crate::world::real) fn stand() -> Result<(), String> {
            begin().map(drop)
        }

        /// Opens the folders that stay writable.
        pub(in crate::world::real) fn plan(cage: &Cage) -> Result<Self, String> {
            let mut rules = begin()?;
            let all = AccessFs::from_write(LEAST);
            let write = AccessFs::WriteFile | AccessFs::Truncate;
            for path in OUTLETS {
                rules = allow(rules, Path::new(path), write)?;
            }
            rules = allow(rules, Path::new(SHARED), all)?;
            for path in &cage.writable {
                let is_folder = path.is_dir();
                rules = allow(rules, path, if is_folder { all } else { write })?;
            }
            Ok(Self(rules))
        }

        /// Closes this thread in, for good, and makes sure that the sealed folders are shut.
        pub(in crate::world::real) fn close_in(self, cage: &Cage) -> Result<(), String> {
            let status = self
                .0
                .restrict_self()
                .map_err(|e| format!("the sandbox could not be put up: {e}"))?;
            if status.ruleset == RulesetStatus::NotEnforced || !status.no_new_privs {
                return Err(
                    "the sandbox could not be put up: the kernel does not enforce it".into(),
                );
            }
            let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
            for path in &cage.sealed {
                // A file without a name: it leaves no trace where it can be made.
                if rustix::fs::openat(CWD, path, flags, Mode::RUSR).is_ok() {
                    return Err(format!(
                        "the sandbox does not hold: {} can be written in it",
                        path.display()
                    ));
                }
            }
            Ok(())
        }
    }

    fn begin() -> Result<RulesetCreated, String> {
        let why = |e: &dyn std::fmt::Display| {
            format!("this kernel cannot sandbox (Landlock of Linux 6.2 or later is needed): {e}")
        };
        Ruleset::default()
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::from_write(LEAST))
            .map_err(|e| why(&e))?
            // Newer kernels also keep it from talking to helpers of its user by names that are no files.
            .set_compatibility(CompatLevel::BestEffort)
            .scope(Scope::AbstractUnixSocket)
            .map_err(|e| why(&e))?
            .create()
            .map_err(|e| why(&e))
    }

    fn allow(
        rules: RulesetCreated,
        path: &Path,
        access: BitFlags<AccessFs>,
    ) -> Result<RulesetCreated, String> {
        // What is not there cannot be written.
        let Ok(handle) = PathFd::new(path) else {
            return Ok(rules);
        };
        rules
            .add_rule(PathBeneath::new(handle, access))
            .map_err(|e| format!("the sandbox could not be put up: {}: {e}", path.display()))
    }
}

#[cfg(not(target_os = "linux"))]
mod nowhere {
    use super::Cage;

    /// There are none.
    pub(in crate::world::real) struct Walls;

    const WHY: &str = "only Linux has the sandbox that --sandbox uses (Landlock)";

    impl Walls {
        pub(in crate::world::real) fn stand() -> Result<(), String> {
            Err(WHY.to_owned())
        }

        pub(in crate::world::real) fn plan(_: &Cage) -> Result<Self, String> {
            Err(WHY.to_owned())
        }

        pub(in crate::world::real) fn close_in(self, _: &Cage) -> Result<(), String> {
            Err(WHY.to_owned())
        }
    }
}
