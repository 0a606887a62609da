//! `untaint explain`: one page for every finding code and every reason, in words for somebody who meets it for the
//! first time. The texts are ours alone, so they need no escaping.

mod integrity;
mod known;
mod lockfile;
mod place;
mod reasons;
mod source;

use std::fmt::Write as _;

use crate::model::{Code, Reason};

/// Columns of a page.
const WIDTH: usize = 80;

/// What a page says below its heading.
struct Page {
    means: &'static str,
    found: &'static str,
    act: &'static str,
    false_alarms: &'static str,
    example: &'static str,
}

/// The page of a code or a reason by its spelling in reports; none for other names.
pub fn topic(name: &str) -> Option<String> {
    let code = Code::parse(name).map(code);
    code.or_else(|| Reason::parse(name).map(reason))
}

/// The page of a finding code.
pub fn code(code: Code) -> String {
    let heading = format!(
        "{code}: a finding of class {}, {}",
        code.class().as_str(),
        code.severity().as_str()
    );
    write(&heading, code.summary(), &of_code(code))
}

/// The page of a reason why something could not be verified.
pub fn reason(reason: Reason) -> String {
    let effect = match reason {
        Reason::Derived => "follows --derived",
        _ if reason.allowed_by_default() => "allowed and listed by default",
        _ => "makes a run incomplete (exit 3) unless allowed",
    };
    let heading = format!("{reason}: a reason why something could not be verified; {effect}");
    write(&heading, reason.advice(), &of_reason(reason))
}

fn write(heading: &str, summary: &str, page: &Page) -> String {
    let mut out = format!("{heading}\n\n{}", wrapped(summary, "  "));
    for (title, text) in [
        ("What it means", page.means),
        ("How it is found", page.found),
        ("What to do", page.act),
        ("Known false alarms", page.false_alarms),
        ("Example", page.example),
    ] {
        let _ = write!(out, "\n{title}\n{}", wrapped(text, "  "));
    }
    out
}

fn wrapped(text: &str, indent: &str) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            out.push('\n');
            column = 0;
        }
        let gap = if column == 0 { indent } else { " " };
        out.push_str(gap);
        out.push_str(word);
        column += gap.len() + length;
    }
    out.push('\n');
    out
}

const fn of_code(code: Code) -> Page {
    match code {
        Code::ArchiveTampered => integrity::ARCHIVE_TAMPERED,
        Code::TreeModified => integrity::TREE_MODIFIED,
        Code::TreeMissingFile => integrity::TREE_MISSING_FILE,
        Code::TreeExtraFile => integrity::TREE_EXTRA_FILE,
        Code::TreeIrregularFile => integrity::TREE_IRREGULAR_FILE,
        Code::ArchiveAmbiguous => integrity::ARCHIVE_AMBIGUOUS,
        Code::EntryMisbound => integrity::ENTRY_MISBOUND,
        Code::SidecarForged => integrity::SIDECAR_FORGED,
        Code::MetadataPoisoned => integrity::METADATA_POISONED,
        Code::NeverPublished => integrity::NEVER_PUBLISHED,
        Code::PublishedHashChanged => integrity::PUBLISHED_HASH_CHANGED,
        Code::LogRecordForged => integrity::LOG_RECORD_FORGED,
        Code::LogTileForged => integrity::LOG_TILE_FORGED,
        Code::LogForked => integrity::LOG_FORKED,
        Code::FirstSeenChanged => integrity::FIRST_SEEN_CHANGED,
        Code::BuildCacheTampered => integrity::BUILD_CACHE_TAMPERED,
        Code::BuiltFromTainted => integrity::BUILT_FROM_TAINTED,
        Code::ChangedDuringRun => integrity::CHANGED_DURING_RUN,
        Code::LockfileHashMismatch => lockfile::LOCKFILE_HASH_MISMATCH,
        Code::LockfileHashUnknown => lockfile::LOCKFILE_HASH_UNKNOWN,
        Code::LockfileFactMismatch => lockfile::LOCKFILE_FACT_MISMATCH,
        Code::LockfileHashMissing => lockfile::LOCKFILE_HASH_MISSING,
        Code::LockfileHashWeak => lockfile::LOCKFILE_HASH_WEAK,
        Code::Withdrawn => lockfile::WITHDRAWN,
        Code::Yanked => lockfile::YANKED,
        Code::QuarantinedUpstream => lockfile::QUARANTINED_UPSTREAM,
        Code::Vulnerable => known::VULNERABLE,
        Code::Unsound => known::UNSOUND,
        Code::Unmaintained => known::UNMAINTAINED,
        Code::Malicious => known::MALICIOUS,
        Code::IndicatorMatch => known::INDICATOR_MATCH,
        Code::Revoked => known::REVOKED,
        Code::SourceRedirected => source::SOURCE_REDIRECTED,
        Code::ChecksumDatabaseDisabled => source::CHECKSUM_DATABASE_DISABLED,
        Code::InsecureTransport => source::INSECURE_TRANSPORT,
        Code::ExtraIndex => source::EXTRA_INDEX,
        Code::PlaceRedirected => source::PLACE_REDIRECTED,
        Code::CodeInSettings => source::CODE_IN_SETTINGS,
        Code::LookalikeName => source::LOOKALIKE_NAME,
        Code::InstallScript => source::INSTALL_SCRIPT,
        Code::SuspiciousContent => source::SUSPICIOUS_CONTENT,
        Code::CacheWritableByOthers => place::CACHE_WRITABLE_BY_OTHERS,
        Code::ForeignOwner => place::FOREIGN_OWNER,
        Code::LinkEscape => place::LINK_ESCAPE,
        Code::CredentialsExposed => place::CREDENTIALS_EXPOSED,
        Code::SelfExposed => place::SELF_EXPOSED,
        Code::FilesOmitted => place::FILES_OMITTED,
        Code::WaiverExpired => place::WAIVER_EXPIRED,
        Code::WaiverUnused => place::WAIVER_UNUSED,
        Code::LicenceDenied => place::LICENCE_DENIED,
        Code::FeedRolledBack => place::FEED_ROLLED_BACK,
    }
}

const fn of_reason(reason: Reason) -> Page {
    match reason {
        Reason::Offline => reasons::OFFLINE,
        Reason::Unreachable => reasons::UNREACHABLE,
        Reason::Limit => reasons::LIMIT,
        Reason::Unreadable => reasons::UNREADABLE,
        Reason::ChangedWhileRead => reasons::CHANGED_WHILE_READ,
        Reason::Unbound => reasons::UNBOUND,
        Reason::UnpinnedRoot => reasons::UNPINNED_ROOT,
        Reason::NoRecord => reasons::NO_RECORD,
        Reason::DeclaredOnly => reasons::DECLARED_ONLY,
        Reason::RememberedOnly => reasons::REMEMBERED_ONLY,
        Reason::WeakDigest => reasons::WEAK_DIGEST,
        Reason::ArchiveNotHeld => reasons::ARCHIVE_NOT_HELD,
        Reason::UnknownFormatVersion => reasons::UNKNOWN_FORMAT_VERSION,
        Reason::Unsupported => reasons::UNSUPPORTED,
        Reason::Private => reasons::PRIVATE,
        Reason::PrivateUnconfirmed => reasons::PRIVATE_UNCONFIRMED,
        Reason::Git => reasons::GIT,
        Reason::GitUnheld => reasons::GIT_UNHELD,
        Reason::LocallyBuilt => reasons::LOCALLY_BUILT,
        Reason::PostInstall => reasons::POST_INSTALL,
        Reason::Derived => reasons::DERIVED,
        Reason::Orphan => reasons::ORPHAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn pages() -> Vec<(String, Page)> {
        let codes = Code::ALL.iter().map(|c| (c.as_str(), of_code(*c)));
        let reasons = Reason::ALL.iter().map(|r| (r.as_str(), of_reason(*r)));
        codes
            .chain(reasons)
            .map(|(name, page)| (name.to_owned(), page))
            .collect()
    }

    #[test]
    fn every_code_and_reason_has_a_page_of_its_own() {
        let pages = pages();
        assert_eq!(pages.len(), Code::ALL.len() + Reason::ALL.len());
        let meanings: BTreeSet<&str> = pages.iter().map(|(_, page)| page.means).collect();
        assert_eq!(meanings.len(), pages.len(), "a page was used twice");
        for (name, page) in &pages {
            let text = topic(name).expect(name);
            assert!(text.starts_with(&format!("{name}: ")), "{text}");
            for part in [
                page.means,
                page.found,
                page.act,
                page.false_alarms,
                page.example,
            ] {
                assert!(part.len() >= 11 && part.ends_with('.'), "{name}: {part}");
            }
        }
        assert_eq!(topic("no-such-code"), None);
    }

    #[test]
    fn pages_fit_the_screen_and_keep_every_word() {
        for (name, page) in pages() {
            let text = topic(&name).expect(&name);
            let longest = text.lines().skip(1).map(|l| l.chars().count()).max();
            assert!(longest <= Some(WIDTH), "{text}");
            let words: Vec<&str> = text.split_whitespace().collect();
            let flat = words.join(" ");
            assert!(flat.contains(page.act), "{flat}");
            assert!(!text.contains("  \n"), "{text}");
        }
    }

    /// A page that names a command which does not exist sends people astray.
    #[test]
    fn pages_name_only_commands_that_exist() {
        let known = [
            "untaint trust discover",
            "untaint accept --help",
            "untaint guard",
            "untaint heal",
            "untaint's",
        ];
        for (name, _) in pages() {
            let text = topic(&name).expect(&name);
            for (at, _) in text.match_indices("`untaint ") {
                let rest = text.get(at + 1..).unwrap();
                assert!(
                    known
                        .iter()
                        .any(|k| rest.replace("\n  ", " ").starts_with(k)),
                    "{rest}"
                );
            }
        }
    }

    #[test]
    fn a_page_as_it_is_read() {
        assert_eq!(
            code(Code::EntryMisbound),
            "entry-misbound: a finding of class integrity, critical\n\
             \n  genuine bytes under the wrong key\n\
             \nWhat it means\n  The bytes are genuine, but they are filed under the name of something else.\n  \
             The tool would serve one package for another.\n\
             \nHow it is found\n  What the key, path or pointer promises is compared with what the content calls\n  \
             itself and with what is published for both.\n\
             \nWhat to do\n  Run `untaint heal`: it takes the entry that the report names, and what was\n  built from it.\n\
             \nKnown false alarms\n  None known.\n\
             \nExample\n  A verified but vulnerable old release is copied over the file of the current\n  one.\n"
        );
    }
}
