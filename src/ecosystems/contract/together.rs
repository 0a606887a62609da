//! What lockfiles say beside their packages, and together; and what a project's own sources import.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use crate::model::{Finding, Line};

use super::LockedPackage;

/// What a lockfile says beside its packages.
#[derive(Debug, Clone, Default)]
pub struct LockExtra {
    /// What it asks of the tool itself: word, value as written, line.
    pub tool: Vec<(Arc<str>, Arc<str>, Line)>,
    /// Parts of the tool itself that a build uses, as far as the lockfile alone tells (see [`super::Ecosystem::parts`]).
    pub parts: Vec<ToolPart>,
    /// Folders that it takes in, relative to its own, verbatim.
    pub folders: Vec<String>,
    /// Packages that something else takes the place of, and in which version, if not in all.
    pub replaced: Vec<(String, Option<String>)>,
    /// Of its packages, by position, those whose own code a build takes for sure.
    pub taken: Vec<usize>,
    /// Whether more is built than it names.
    pub partial: bool,
}

/// A part of the tool itself that a build uses and that advisories know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolPart {
    /// Its name in advisories.
    pub name: Arc<str>,
    /// Its version, in the advisories' form.
    pub version: Arc<str>,
    /// The line of the lockfile that it is told at.
    pub line: Line,
    /// Which version that is and where it was taken from, for people.
    pub why: Arc<str>,
}

/// A lockfile beside the others of its tree.
pub struct LockView<'a> {
    /// Root, by position.
    pub root: usize,
    /// Path of the root, absolute, links resolved.
    pub root_path: &'a Path,
    /// Path below the root, `/` between components.
    pub rel: &'a str,
    /// Kind of its format.
    pub kind: &'static str,
    /// Its packages.
    pub packages: Vec<&'a LockedPackage>,
    /// What it says beside them.
    pub extra: &'a LockExtra,
}

/// What several lockfiles say together.
#[derive(Debug, Default)]
pub struct Together {
    /// Findings, each with the position of the lockfile that it is about.
    pub findings: Vec<(usize, Finding)>,
    /// What the lockfiles leave open, each with the position of the lockfile that it is about.
    pub gaps: Vec<(usize, String)>,
    /// Packages that are built although their own lockfile cannot know: positions of lockfile and package.
    pub built: Vec<(usize, usize)>,
}

/// What a project's own sources import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Import paths, each with the first file that has it.
    pub by_own: BTreeMap<String, String>,
    /// Every imported package of others, where a file of the project lists them, and which file that is.
    pub listed: Option<(BTreeSet<String>, &'static str)>,
    /// How the paths of programs begin that the tool itself is made of: nobody imports them.
    pub programs: Option<&'static str>,
    /// Whether all sources were read.
    pub complete: bool,
}
