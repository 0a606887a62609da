//! Our own program, configuration and state: what lies under an audited folder, or can be written by others, may have been
//! changed by whoever is to be found out.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::model::text::percent;
use crate::model::{Code, Finding, Place, Severity};
use crate::world::{Env, ReadFs, Stat};

use super::super::flow::OpenRoot;

/// Adds a finding for each of our places that is exposed. `folders` are our configuration and state, as far as they are used.
pub(super) fn findings(
    folders: &[(&'static str, PathBuf)],
    env: &dyn Env,
    fs: &dyn ReadFs,
    roots: &[OpenRoot],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let look = Look { env, fs, roots };
    for (what, path) in folders {
        let Ok(opened) = fs.open_root(path) else {
            continue;
        };
        let stat = opened.dir.stat().ok();
        let above = opened.ancestors.iter().map(|(_, stat)| *stat);
        let own = Own {
            what,
            path: &opened.resolved,
            program: false,
        };
        findings.extend(look.exposed(&own, stat, above));
    }
    if let Some(program) = env.program()
        && let Some(opened) = program.parent().and_then(|above| fs.open_root(above).ok())
    {
        let path = opened
            .resolved
            .join(program.file_name().unwrap_or_default());
        let stat = fs.stat_named(&program).ok();
        let folder = opened.dir.stat().ok();
        let above = opened.ancestors.iter().map(|(_, stat)| *stat);
        let own = Own {
            what: "program",
            path: &path,
            program: true,
        };
        findings.extend(look.exposed(&own, stat, folder.into_iter().chain(above)));
    }
    findings
}

struct Own<'a> {
    what: &'static str,
    path: &'a Path,
    program: bool,
}

struct Look<'a> {
    env: &'a dyn Env,
    fs: &'a dyn ReadFs,
    roots: &'a [OpenRoot],
}

impl Look<'_> {
    /// The worst reason why it is exposed.
    fn exposed(
        &self,
        own: &Own<'_>,
        stat: Option<Stat>,
        above: impl Iterator<Item = Stat>,
    ) -> Option<Finding> {
        let changed = stat.is_some_and(|stat| self.foreign(&stat) || self.writable(&stat));
        // In a folder with the sticky bit nobody can replace what belongs to others.
        let replaced = above
            .into_iter()
            .any(|stat| self.writable(&stat) && stat.mode & 0o1000 == 0);
        if changed || replaced {
            let who = "can be changed by other users of this machine";
            return Some(finding(own, Severity::High, who));
        }
        let (severity, root) = self
            .roots
            .iter()
            .filter_map(|root| Some((self.under(own, root)?, root)))
            .max_by_key(|(severity, _)| *severity)?;
        let where_ = format!("lies under `{}`, which is audited", root.info.id.as_str());
        Some(finding(own, severity, &where_))
    }

    fn foreign(&self, stat: &Stat) -> bool {
        self.env.uid() != 0 && stat.uid != self.env.uid() && stat.uid != 0
    }

    fn writable(&self, stat: &Stat) -> bool {
        stat.mode & 0o002 != 0 || (stat.mode & 0o020 != 0 && self.env.group_has_others(stat.gid))
    }

    /// How bad it is to lie under this root; `None` if it does not, or where that is how people live: the whole home folder
    /// is scanned.
    fn under(&self, own: &Own<'_>, root: &OpenRoot) -> Option<Severity> {
        let below = own.path.strip_prefix(&root.path).ok()?;
        let home = self.env.home().map(|home| {
            self.fs
                .open_root(&home)
                .map_or(home, |opened| opened.resolved)
        });
        if root.is_project && home.is_some_and(|home| home.starts_with(&root.path)) {
            return None;
        }
        // A program that was just built in its own project, or that its package manager installed, is where it belongs.
        let mut parts = below.iter();
        let first = parts.next();
        let usual = own.program
            && if root.is_project {
                below.iter().any(|part| part == "target")
            } else {
                root.path.file_name().is_some_and(|name| name == "target")
                    || (first.is_some_and(|part| part == "bin") && parts.count() == 1)
            };
        Some(if usual {
            Severity::Medium
        } else {
            Severity::High
        })
    }
}

fn finding(own: &Own<'_>, severity: Severity, why: &str) -> Finding {
    let mut finding = Finding::new(
        Code::SelfExposed,
        Place::Settings,
        format!("untaint's own {} {why}", own.what),
    );
    finding.severity = severity;
    let (path, escaped) = percent(own.path.as_os_str().as_bytes());
    finding.path = Some(path);
    finding.path_escaped = escaped;
    finding.remedy = Some(
        "move it out of what is audited, or take the rights of others away; after a cache was restored use --isolated"
            .into(),
    );
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{RootId, RootInfo, RootOrigin};
    use crate::world::fake::{Disk, Given};

    fn root(disk: &Disk, path: &str, is_project: bool) -> OpenRoot {
        OpenRoot {
            info: RootInfo {
                id: RootId::new("root"),
                path: path.into(),
                origin: RootOrigin::CommandLine,
            },
            path: path.into(),
            opened: disk.open_root(Path::new(path)).unwrap(),
            is_project,
        }
    }

    fn told(disk: &Disk, state: &str, program: &str) -> Vec<Severity> {
        let env = Given {
            uid: 1000,
            home: Some("/h".into()),
            program: Some(program.into()),
            ..Given::default()
        };
        let roots = [
            root(disk, "/h/.cargo", false),
            root(disk, "/h/p", true),
            root(disk, "/h", true),
        ];
        findings(&[("state", state.into())], &env, disk, &roots)
            .iter()
            .map(|finding| finding.severity)
            .collect()
    }

    fn disk() -> Disk {
        let mut disk = Disk::of(1000, 1000);
        disk.file("/h/.cargo/bin/untaint", "")
            .file("/h/p/target/release/untaint", "")
            .file("/h/p/tools/untaint", "")
            .file("/usr/bin/untaint", "")
            .folder("/h/.local/state/untaint")
            .folder("/h/p/state")
            .folder("/h/.cargo/state")
            .own("/usr", 0, 0)
            .own("/usr/bin", 0, 0)
            .own("/usr/bin/untaint", 0, 0);
        disk
    }

    #[test]
    fn the_usual_places_are_quiet() {
        let disk = disk();
        assert_eq!(
            told(&disk, "/h/.local/state/untaint", "/usr/bin/untaint"),
            []
        );
        assert_eq!(told(&disk, "/not/there", "/not/there/untaint"), []);
    }

    #[test]
    fn what_lies_under_an_audited_folder_is_exposed() {
        let disk = disk();
        let quiet = "/h/.local/state/untaint";
        assert_eq!(
            told(&disk, "/h/p/state", "/usr/bin/untaint"),
            [Severity::High]
        );
        assert_eq!(
            told(&disk, "/h/.cargo/state", "/usr/bin/untaint"),
            [Severity::High]
        );
        assert_eq!(told(&disk, quiet, "/h/p/tools/untaint"), [Severity::High]);
        // Installed by cargo, or built in its own project: told, below the threshold.
        assert_eq!(
            told(&disk, quiet, "/h/.cargo/bin/untaint"),
            [Severity::Medium]
        );
        assert_eq!(
            told(&disk, quiet, "/h/p/target/release/untaint"),
            [Severity::Medium]
        );
    }

    #[test]
    fn what_others_can_write_is_exposed_wherever_it_lies() {
        let mut disk = disk();
        disk.mode("/h/.local/state/untaint", 0o777);
        let high = [Severity::High];
        assert_eq!(
            told(&disk, "/h/.local/state/untaint", "/usr/bin/untaint"),
            high
        );
        disk.mode("/h/.local/state/untaint", 0o700);
        disk.mode("/usr/bin", 0o777);
        assert_eq!(
            told(&disk, "/h/.local/state/untaint", "/usr/bin/untaint"),
            high
        );
        disk.mode("/usr/bin", 0o1777);
        assert_eq!(
            told(&disk, "/h/.local/state/untaint", "/usr/bin/untaint"),
            []
        );
        disk.own("/usr/bin/untaint", 1001, 1001);
        assert_eq!(
            told(&disk, "/h/.local/state/untaint", "/usr/bin/untaint"),
            high
        );
    }
}
