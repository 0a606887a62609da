//! A cached index file, or one of a local registry, held against what the registry says.
//!
//! Everything in the file is the suspect's word: it is compared, and never believed. It is verified only if every row that
//! cargo would find in it was compared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::ecosystems::contract::{Binding, InspectContext, Inspection, Inspector, Unit};
use crate::model::{
    Assurance, Code, Coordinate, Finding, Listing, Origin, Outcome, Place, Problem, Reason,
    Registry, SETTLING, VersionFacts, text,
};
use crate::world::{Dir, DirEntry};

use super::index_memo::Memo;
use super::index_rows::{self, Row, Rows, Shape};
use super::{CARGO, authority, index_line};

/// Largest cached index file.
const LARGEST: u64 = 32 << 20;
/// Most versions that are reported as too new to be known.
const RECENT: usize = 1000;
/// What cargo writes before the entity tag of the answer that a file is a copy of.
const ETAG: &str = "etag: ";
/// What cargo writes before its date, where the answer had no entity tag.
const MODIFIED: &str = "last-modified: ";
/// Most differences that are named.
const NAMED: usize = 3;

/// A cached index file of one crate, or the cached `config.json`.
pub(super) struct IndexFile {
    pub(super) rel: PathBuf,
    /// Lower-case name from the path; [`authority::CONFIG`] for the configuration.
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) form: Form,
}

/// Which copy of an index a file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Cargo's own, of the address that is asked.
    Cached,
    /// Cargo's own, of another address of the same registry (the registry where its mirror is asked, another mirror): what
    /// is published is the same there, what the index says of itself need not be.
    Elsewhere,
    /// A local registry's, one JSON line per version: a part of the registry's.
    Plain,
}

impl Inspector for IndexFile {
    fn weight(&self) -> u64 {
        self.size
    }

    fn inspect(&self, context: &InspectContext<'_>) -> Vec<Inspection> {
        let path = context.root.path().join(&self.rel);
        let mut inspection = Inspection::new(
            "listing",
            self.rel.clone(),
            Outcome::Unverifiable(context.gap.unwrap_or(Reason::NoRecord)),
        );
        inspection.size = Some(self.size);
        let parts: Vec<_> = self.rel.iter().collect();
        let Some((name, folders)) = parts.split_last() else {
            return Vec::new();
        };
        let opened = context.root.descend(folders);
        let memo = Memo::of(self, context);
        if let (Some(memo), Ok(dir)) = (&memo, &opened)
            && dir.stat_entry(name).is_ok_and(|stat| memo.holds(&stat))
        {
            inspection.outcome = Outcome::Verified(Assurance::Published);
            return vec![inspection];
        }
        let read_bytes = opened.and_then(|dir| {
            let (bytes, stat) = dir.read(name, LARGEST)?;
            Ok((bytes, stat, dir))
        });
        let (bytes, stat, dir) = match read_bytes {
            Ok(read) => read,
            Err(error) => {
                inspection.outcome = Outcome::Unverifiable(Reason::Unreadable);
                let why = format!("cannot be read: {}", error.source);
                inspection
                    .problems
                    .push(Problem::skipped("", why).at(&path));
                return vec![inspection];
            }
        };
        if self.name == authority::CONFIG {
            self.config(&bytes, context, &mut inspection);
            return vec![inspection];
        }
        let shape = if self.form == Form::Plain {
            index_rows::plain(&bytes)
        } else {
            index_rows::cached(&bytes)
        };
        let (reason, why) = match shape {
            Shape::Rows(rows) => {
                let why = self.rows(rows, context, &mut inspection);
                let told = why.map(|why| Problem::as_the_tool("", why).at(&path));
                inspection.problems.extend(told);
                // What a later look could judge otherwise, because time has passed, is not remembered.
                let plain = inspection.outcome == Outcome::Verified(Assurance::Published)
                    && inspection.findings.is_empty()
                    && inspection.problems.is_empty()
                    && inspection.recent.is_empty();
                if let Some(memo) = memo
                    && plain
                    && dir.stat_entry(name).is_ok_and(|now| now == stat)
                {
                    memo.keep(&stat);
                }
                return vec![inspection];
            }
            Shape::Ignored => (
                Reason::Orphan,
                "is no index file of a format that cargo reads; cargo fetches it anew",
            ),
            Shape::Torn => (
                Reason::Orphan,
                "ends behind a version that has no row; cargo cannot use it: remove it",
            ),
            Shape::TooMany => (
                Reason::Limit,
                "has more rows than any crate has versions; remove it, and cargo fetches it anew",
            ),
        };
        inspection.outcome = Outcome::Unverifiable(reason);
        inspection
            .problems
            .push(Problem::as_the_tool("", why).at(&path));
        vec![inspection]
    }
}

impl IndexFile {
    /// The index file `entry` of the folder `dir`, about the crate `name` of a registry, if that is known.
    pub(super) fn unit(
        registry: Option<Arc<Registry>>,
        name: &str,
        rel: PathBuf,
        (dir, entry): (&dyn Dir, &DirEntry),
        form: Form,
    ) -> Unit {
        let binding = match registry {
            Some(registry) => Binding::Package(Arc::new(Coordinate {
                ecosystem: CARGO,
                name: Arc::from(name),
                version: Arc::from(""),
                origin: Origin::Registry(registry),
            })),
            None => Binding::Unbound(Reason::UnpinnedRoot),
        };
        let file = Self {
            rel,
            name: name.to_owned(),
            size: dir.stat_entry(&entry.name).map_or(0, |s| s.size),
            form,
        };
        Unit {
            binding,
            place: file.place(),
            archive: None,
            tree: None,
            inspector: Some(Box::new(file)),
        }
    }

    fn place(&self) -> Place {
        match self.form {
            Form::Plain => Place::Vendor,
            Form::Cached | Form::Elsewhere => Place::Cache,
        }
    }

    fn config(&self, bytes: &[u8], context: &InspectContext<'_>, inspection: &mut Inspection) {
        let Some(cached) = authority::config_facts(bytes) else {
            inspection.outcome = Outcome::Unverifiable(Reason::Orphan);
            let why = "is no configuration of an index that cargo can read; without a network cargo cannot build: remove it, and cargo fetches it anew";
            let path = context.root.path().join(&self.rel);
            let told = Problem::as_the_tool("", why).at(&path);
            inspection.problems.push(told);
            return;
        };
        let Some(published) = context.listing.and_then(|l| l.version(authority::CONFIG)) else {
            return;
        };
        if published.facts == cached.facts {
            inspection.outcome = Outcome::Verified(Assurance::Published);
        } else if self.form == Form::Elsewhere {
            inspection.outcome = Outcome::Unverifiable(Reason::NoRecord);
            let why = "it names another download address than what is asked for this registry (its mirror) does: remove \
                       the folder if cargo uses it no more";
            inspection.note = Some(format!("`{}`: {why}", authority::CONFIG));
        } else {
            let mut wrong = Wrong::default();
            wrong.push("it names another download address than the registry does".into());
            self.poisoned(inspection, wrong);
        }
    }

    /// Compares every row. Returns what a person should know of rows that cannot be read.
    fn rows(
        &self,
        rows: Rows<'_>,
        context: &InspectContext<'_>,
        inspection: &mut Inspection,
    ) -> Option<String> {
        let mut judged = Judged::new(self, context);
        let answer = rows.answer;
        for row in rows {
            judged.row(&row, inspection);
        }
        if self.form != Form::Plain {
            judged.left_out(answer);
        }
        let Judged {
            rows,
            unread,
            cut,
            open,
            wrong,
            ..
        } = judged;
        if wrong.total > 0 {
            self.poisoned(inspection, wrong);
        } else if open == 0 && (cut || rows == 0) {
            // All that cargo could use agrees; the rest is nothing to it.
            inspection.outcome = Outcome::Unverifiable(Reason::Orphan);
        } else if open == 0 && context.listing.is_some() {
            // Current or not: the registry has spoken of every row.
            inspection.outcome = Outcome::Verified(Assurance::Published);
        }
        (unread > 0 || rows == 0).then(|| {
            format!("{unread} of its {rows} rows cannot be used by cargo: remove it, and cargo fetches it anew")
        })
    }

    fn poisoned(&self, inspection: &mut Inspection, wrong: Wrong) {
        let mut first = wrong.first;
        if wrong.total > first.len() {
            first.push(format!("and {} more", wrong.total - first.len()));
        }
        let mut finding = Finding::new(
            Code::MetadataPoisoned,
            self.place(),
            format!(
                "the cached index file of `{}` is not the registry's: {}",
                self.name,
                first.join("; ")
            ),
        );
        finding.package = Some(Arc::from(self.name.as_str()));
        inspection.findings.push(finding);
        inspection.outcome = Outcome::Tainted;
    }
}

/// When the answer of which a file says it is a copy was written, in seconds since 1970.
fn modified(answer: &str) -> Option<i64> {
    let date = answer.strip_prefix(MODIFIED)?;
    let at = jiff::fmt::rfc2822::parse(date).ok()?;
    Some(at.timestamp().as_second())
}

/// Differences: the first few, and how many there are.
#[derive(Default)]
struct Wrong {
    first: Vec<String>,
    total: usize,
}

impl Wrong {
    fn push(&mut self, what: String) {
        self.total += 1;
        if self.first.len() < NAMED {
            self.first.push(what);
        }
    }
}

/// What became of the rows so far.
struct Judged<'a> {
    file: &'a IndexFile,
    context: &'a InspectContext<'a>,
    published: BTreeMap<&'a str, &'a VersionFacts>,
    /// Published versions that the file has.
    have: BTreeSet<&'a str>,
    /// When the newest of them was published.
    newest: Option<i64>,
    rows: usize,
    /// Rows that cannot be read.
    unread: usize,
    /// Whether the file ends in the middle of a row.
    cut: bool,
    /// Rows that were compared with nothing.
    open: usize,
    wrong: Wrong,
}

impl<'a> Judged<'a> {
    fn new(file: &'a IndexFile, context: &'a InspectContext<'a>) -> Self {
        let versions = context.listing.iter().flat_map(|l| &l.versions);
        Self {
            file,
            context,
            published: versions.map(|facts| (&*facts.version, facts)).collect(),
            have: BTreeSet::new(),
            newest: None,
            rows: 0,
            unread: 0,
            cut: false,
            open: 0,
            wrong: Wrong::default(),
        }
    }

    fn row(&mut self, row: &Row<'_>, inspection: &mut Inspection) {
        self.rows += 1;
        let Some(line) = index_line::parse(row.text) else {
            return self.unreadable(row);
        };
        let version = &*line.facts.version;
        let shown = text::printable(row.key.unwrap_or(version));
        if !line.name.eq_ignore_ascii_case(&self.file.name) {
            self.wrong.push(format!("{shown} belongs to another crate"));
        } else if row.key.is_some_and(|key| key != version) {
            self.wrong
                .push(format!("{shown} is filed under another version"));
        } else if let Some((known, published)) = self.published.get_key_value(version) {
            self.have.insert(known);
            self.newest = self.newest.max(published.published_at);
            if published.digests != line.facts.digests {
                self.wrong.push(format!("{shown} has another checksum"));
            } else if published.facts != line.facts.facts && published.facts != [0; 16] {
                self.wrong.push(format!(
                    "{shown} has other dependencies, features or schema"
                ));
            } else if !line.sound && published.published_at.is_some() {
                self.wrong
                    .push(format!("{shown} is made such that cargo drops it"));
            } else if !line.sound {
                self.open += 1;
            }
        } else {
            self.unknown(&line.facts, &shown, inspection);
        }
    }

    /// A row that cargo drops. Whoever writes one in the place of a good row hides the version.
    fn unreadable(&mut self, row: &Row<'_>) {
        self.unread += 1;
        if row.last && index_line::is_cut(row.text) {
            // As a copy that was broken off, and no more than an older one.
            self.cut = true;
            return;
        }
        let said = match row.key {
            Some(key) => Some(key.to_owned()),
            None => index_line::version(row.text),
        };
        match said.filter(|version| self.published.contains_key(version.as_str())) {
            Some(version) => self.wrong.push(format!(
                "{} cannot be read, and the registry's row can",
                text::printable(&version)
            )),
            None => self.open += 1,
        }
    }

    /// A version that the registry does not name.
    fn unknown(&mut self, cached: &VersionFacts, shown: &str, inspection: &mut Inspection) {
        let age = |at: &i64| (0..SETTLING).contains(&self.context.now.saturating_sub(*at));
        let recent = cached.published_at.filter(age);
        if let Some(at) = recent
            && self.context.listing.is_some()
            && inspection.recent.len() < RECENT
        {
            let version = Arc::clone(&cached.version);
            inspection.recent.push((version, at));
        }
        let all_known = self.context.gap.is_none() && self.listing().is_some_and(|l| l.complete);
        if all_known && recent.is_none() {
            self.wrong.push(format!("{shown} was never published"));
        } else {
            self.open += 1;
        }
    }

    /// Versions that by the registry's own times were there when the file was written, and are not in it. When that was, say
    /// the newest of its rows and the answer of which the file says it is: a copy of the present answer lacks nothing of it.
    ///
    /// Rows are appended. A mirror takes versions up when it likes, so what stands behind every row that the file has came
    /// later than they, whatever the time of its publication.
    fn left_out(&mut self, answer: &str) {
        let (Some(listing), None) = (self.listing(), self.context.gap) else {
            return;
        };
        let same = |key: &str, tag: &Option<Arc<str>>| {
            let (said, tag) = (answer.strip_prefix(key), tag.as_deref());
            tag.is_some_and(|tag| !tag.is_empty() && said == Some(tag))
        };
        // A file that was broken off lacks its end, whatever it is a copy of.
        let whole = !self.cut;
        let present =
            whole && (same(ETAG, &listing.etag) || same(MODIFIED, &listing.last_modified));
        let answered = modified(answer).filter(|_| whole);
        let last = (listing.versions.iter()).rposition(|v| self.have.contains(&*v.version));
        let missing = listing.versions.iter().enumerate().find(|(at, v)| {
            let was_there = |written: Option<i64>| {
                let published = v.published_at.zip(written);
                published.is_some_and(|(at, written)| at < written.saturating_sub(SETTLING))
            };
            let in_order = last.is_some_and(|last| *at < last);
            !v.withdrawn
                && !self.have.contains(&*v.version)
                && (present || was_there(answered) || (in_order && was_there(self.newest)))
        });
        if let Some((_, missing)) = missing {
            let shown = text::printable(&missing.version);
            self.wrong.push(format!("{shown} is left out"));
        }
    }

    fn listing(&self) -> Option<&'a Listing> {
        self.context.listing
    }
}
