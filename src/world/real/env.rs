//! The process environment, and who else is in a group (`/etc/passwd`, `/etc/group`, read bounded).
//!
//! Formats: passwd(5) `name:password:uid:gid:…`, group(5) `name:password:gid:member,…`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::read_fs::SystemFs;
use crate::world::{Env, ReadFs as _};

/// Account files are small; what is larger is not read, and unknown counts as shared.
const MAX_ACCOUNT_FILE: u64 = 16 << 20;

/// The environment of this process.
#[derive(Debug, Default)]
pub struct ProcessEnv {
    accounts: OnceLock<Option<Accounts>>,
}

impl ProcessEnv {
    /// Reads nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn accounts(&self) -> Option<&Accounts> {
        self.accounts
            .get_or_init(|| {
                let passwd = SystemFs.read_named(Path::new("/etc/passwd"), MAX_ACCOUNT_FILE);
                let group = SystemFs.read_named(Path::new("/etc/group"), MAX_ACCOUNT_FILE);
                Some(Accounts {
                    passwd: passwd.ok()?,
                    group: group.ok()?,
                })
            })
            .as_ref()
    }
}

impl Env for ProcessEnv {
    fn var(&self, name: &str) -> Option<OsString> {
        // Names with `=` or NUL would make the standard library panic on some systems.
        if name.is_empty() || name.contains(['=', '\0']) {
            return None;
        }
        std::env::var_os(name)
    }

    fn vars(&self) -> Vec<(OsString, OsString)> {
        let mut vars: Vec<_> = std::env::vars_os().collect();
        vars.sort();
        vars
    }

    fn current_dir(&self) -> Option<PathBuf> {
        std::env::current_dir().ok()
    }

    fn home(&self) -> Option<PathBuf> {
        match std::env::var_os("HOME") {
            Some(home) if !home.is_empty() => Some(PathBuf::from(home)),
            _ => self.accounts()?.home_of(self.uid()),
        }
    }

    fn program(&self) -> Option<PathBuf> {
        std::env::current_exe().ok()
    }

    fn uid(&self) -> u32 {
        rustix::process::geteuid().as_raw()
    }

    fn gids(&self) -> Vec<u32> {
        let primary = rustix::process::getegid().as_raw();
        let mut others: Vec<u32> = rustix::process::getgroups()
            .unwrap_or_default()
            .into_iter()
            .map(rustix::fs::Gid::as_raw)
            .filter(|gid| *gid != primary)
            .collect();
        others.sort_unstable();
        others.dedup();
        others.insert(0, primary);
        others
    }

    fn group_has_others(&self, gid: u32) -> bool {
        self.accounts()
            .is_none_or(|accounts| accounts.group_has_others(gid, self.uid()))
    }
}

/// The account files as they are.
#[derive(Debug)]
struct Accounts {
    passwd: Vec<u8>,
    group: Vec<u8>,
}

impl Accounts {
    /// A group is private to a user if it is listed, no other user has it as primary group, and it has no other member.
    fn group_has_others(&self, gid: u32, uid: u32) -> bool {
        let mut own_names: Vec<&[u8]> = Vec::new();
        for fields in rows(&self.passwd) {
            let [name, _, user, group, ..] = fields.as_slice() else {
                continue;
            };
            if number(user) == Some(uid) {
                own_names.push(name);
            } else if number(group) == Some(gid) {
                return true;
            }
        }
        let mut listed = false;
        for fields in rows(&self.group) {
            let [_, _, group, rest @ ..] = fields.as_slice() else {
                continue;
            };
            if number(group) != Some(gid) {
                continue;
            }
            listed = true;
            let members = rest.first().copied().unwrap_or_default();
            if members
                .split(|b| *b == b',')
                .any(|m| !m.is_empty() && !own_names.contains(&m))
            {
                return true;
            }
        }
        !listed
    }

    fn home_of(&self, uid: u32) -> Option<PathBuf> {
        rows(&self.passwd).find_map(|fields| match fields.as_slice() {
            [_, _, user, _, _, home, ..] if number(user) == Some(uid) && !home.is_empty() => {
                Some(PathBuf::from(OsString::from_vec(home.to_vec())))
            }
            _ => None,
        })
    }
}

fn rows(file: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    file.split(|b| *b == b'\n')
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
        .map(|line| line.splitn(8, |b| *b == b':').collect())
}

fn number(field: &[u8]) -> Option<u32> {
    std::str::from_utf8(field).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(passwd: &str, group: &str) -> Accounts {
        Accounts {
            passwd: passwd.into(),
            group: group.into(),
        }
    }

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\n";

    #[test]
    fn a_private_group_has_nobody_else() {
        let some = accounts(PASSWD, "root:x:0:\nann:x:1000:\nbob:x:1001:bob\n");
        assert!(!some.group_has_others(1000, 1000));
        assert!(!some.group_has_others(1001, 1001));
        assert!(!some.group_has_others(0, 0));
        assert!(some.group_has_others(1001, 1000), "bob's primary group");
    }

    #[test]
    fn members_and_primary_groups_count() {
        let member = accounts(PASSWD, "dev:x:1000:ann,bob\n");
        assert!(member.group_has_others(1000, 1000));
        let primary = accounts(&PASSWD.replace("1001:1001", "1001:1000"), "ann:x:1000:\n");
        assert!(primary.group_has_others(1000, 1000));
    }

    #[test]
    fn unknown_counts_as_shared() {
        assert!(accounts(PASSWD, "").group_has_others(1000, 1000));
        assert!(accounts("", "").group_has_others(7, 7));
        assert!(accounts("::::", "\n:::\n:").group_has_others(7, 7));
    }

    #[test]
    fn home_by_account() {
        assert_eq!(
            accounts(PASSWD, "").home_of(1000),
            Some(PathBuf::from("/home/ann"))
        );
        assert_eq!(accounts(PASSWD, "").home_of(7), None);
    }

    #[test]
    fn names_that_cannot_be_variables_are_unset() {
        let env = ProcessEnv::new();
        assert_eq!(env.var(""), None);
        assert_eq!(env.var("A=B"), None);
        assert_eq!(env.var("A\0B"), None);
        assert!(!env.gids().is_empty());
        assert!(env.vars().windows(2).all(|w| w[0] <= w[1]));
    }
}
