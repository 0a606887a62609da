//! `untaint.toml` of a scanned root: applied as far as it tightens; the rest is inert, and a notice says so.
//!
//! A scanned file must never loosen its own judgement (DESIGN section 1, rule 7).

use std::ffi::OsStr;

use super::{Decided, Settings, weakened};
use crate::cli::config::{self, PolicyFile};
use crate::model::text::printable;
use crate::model::{Notice, NoticeCode, Problem};
use crate::world::Dir;

/// The file's name.
pub const FILE: &str = "untaint.toml";

/// What became of a root's policy file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// What had no effect, as a notice.
    pub notice: Option<Notice>,
    /// Why the file could not be read.
    pub problem: Option<Problem>,
}

impl Settings {
    /// Reads and applies `untaint.toml` of a scanned root; `shown` is the root's name in reports.
    pub fn apply_root(&mut self, root: &dyn Dir, shown: &str) -> Applied {
        let path = if shown.is_empty() || shown == "." {
            FILE.to_owned()
        } else {
            format!("{}/{FILE}", shown.trim_end_matches('/'))
        };
        let skipped = |message: String| Applied {
            problem: Some(Problem::skipped(path.clone(), message)),
            notice: None,
        };
        let (bytes, stat) = match root.read(OsStr::new(FILE), config::LARGEST) {
            Ok(read) => read,
            Err(error) if error.is_not_found() => return Applied::default(),
            Err(error) => {
                return skipped(format!(
                    "the policy file cannot be read: {}",
                    printable(&error.source.to_string())
                ));
            }
        };
        if self.base.named_policy_is == Some((stat.dev, stat.inode)) {
            return Applied::default();
        }
        match PolicyFile::parse(&bytes, &path) {
            Ok(file) => Applied {
                notice: self.tighten(&file, &path),
                problem: None,
            },
            Err(error) => skipped(format!(
                "the policy file cannot be applied: line {}: {}",
                error.line, error.message
            )),
        }
    }

    /// Applies what tightens; the notice names what would have loosened.
    pub fn tighten(&mut self, file: &PolicyFile, path: &str) -> Option<Notice> {
        let before = weakened::of_policy(self);
        let mut inert: Vec<&str> = Vec::new();
        let mut decided: Vec<&'static str> = Vec::new();
        let policy = &mut self.policy;
        if let Some(theirs) = &file.fail_on {
            let before = policy.fail_on.len();
            for selector in theirs {
                if !policy.fail_on.iter().any(|own| own.includes(*selector)) {
                    policy.fail_on.push(*selector);
                }
            }
            if policy.fail_on.len() > before {
                policy.fail_on.sort_unstable();
                decided.push("fail-on");
            }
            let covered = |own| theirs.iter().any(|t| t.includes(own));
            if !policy.fail_on.iter().all(|own| covered(*own)) {
                inert.push("fail-on");
            }
        }
        if let Some(theirs) = &file.allow {
            if !theirs.is_subset(&policy.allow) {
                inert.push("allow");
            }
            let before = policy.allow.len();
            policy.allow.retain(|reason| theirs.contains(reason));
            if policy.allow.len() < before {
                decided.push("allow");
            }
        }
        raise(
            &mut policy.derived,
            file.derived,
            "derived",
            &mut decided,
            &mut inert,
        );
        raise(
            &mut policy.require,
            file.require,
            "require",
            &mut decided,
            &mut inert,
        );
        if let Some(theirs) = file.max_feed_age {
            if theirs < policy.max_feed_age {
                policy.max_feed_age = theirs;
                decided.push("max-feed-age");
            } else if theirs > policy.max_feed_age {
                inert.push("max-feed-age");
            }
        }
        if file.exclude.as_ref().is_some_and(|globs| !globs.is_empty()) {
            inert.push("exclude");
        }
        if file.sightings.is_some() {
            inert.push("sightings");
        }
        if file.quarantine_retention.is_some() {
            inert.push("quarantine-retention");
        }
        if file.quarantine_limit.is_some() {
            inert.push("quarantine-limit");
        }
        if !file.waivers.is_empty() {
            inert.push("waiver");
        }
        if !file.accepts.is_empty() {
            inert.push("accept");
        }
        for key in decided {
            self.decided.insert(key, Decided::Project(path.to_owned()));
        }
        self.weakened.retain(|line| !before.contains(line));
        self.weakened.extend(weakened::of_policy(self));
        self.weakened.sort();
        notice(&inert, path)
    }
}

/// Takes the stricter of two values whose order is strictness.
fn raise<T: Ord + Copy>(
    own: &mut T,
    theirs: Option<T>,
    key: &'static str,
    decided: &mut Vec<&'static str>,
    inert: &mut Vec<&str>,
) {
    match theirs {
        Some(theirs) if theirs > *own => {
            *own = theirs;
            decided.push(key);
        }
        Some(theirs) if theirs < *own => inert.push(key),
        _ => {}
    }
}

fn notice(inert: &[&str], path: &str) -> Option<Notice> {
    if inert.is_empty() {
        return None;
    }
    Some(Notice {
        code: NoticeCode::InertPolicy,
        reason: None,
        ecosystem: None,
        package: None,
        version: None,
        path: Some(path.to_owned()),
        message: format!(
            "{} of a scanned policy file would loosen the policy and has no effect",
            inert.join(", ")
        ),
        remedy: Some(format!(
            "untaint scan --config {}",
            crate::model::shell::quote(path.as_bytes())
        )),
    })
}
