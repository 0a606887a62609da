//! Pages of the reasons why something could not be verified.

use super::Page;

pub(super) const OFFLINE: Page = Page {
    means: "The run was offline, and nothing that is remembered vouches for these bytes.",
    found: "No request was allowed, and the claim store has no trusted claim.",
    act: "Run once with the network, so that the claims are remembered, or pass `--claims FILE@sha256:HEX`.",
    false_alarms: "A new machine has no memory yet; this is how it must be.",
    example: "The first run in an air-gapped network.",
};

pub(super) const UNREACHABLE: Page = Page {
    means: "The registry did not answer, or kept refusing, so there is nothing to compare with.",
    found: "Requests were tried again with growing pauses and then given up.",
    act: "Check the network and proxy settings and run again; what was learned so far is remembered.",
    false_alarms: "Short outages and rate limits end by themselves.",
    example: "A firewall that lets the package tool through, but not other programs.",
};

pub(super) const LIMIT: Page = Page {
    means: "It is larger than a limit that protects the scan itself.",
    found: "Sizes and numbers are compared with the limits while reading, never taken from what a file says of \
         itself.",
    act: "Raise `--max-fetch` if a download was too large; look at anything else by hand.",
    false_alarms: "Some honest packages are huge.",
    example: "An archive of a few kilobytes that inflates to gigabytes.",
};

pub(super) const UNREADABLE: Page = Page {
    means: "The file is there, but this user may not read it, or reading failed.",
    found: "Opening or reading gave an error; the report names the file.",
    act: "Give the right to read, or remove it.",
    false_alarms: "None known.",
    example: "A cache that was partly filled by another user.",
};

pub(super) const CHANGED_WHILE_READ: Page = Page {
    means: "It changed while it was read, and again when it was read once more.",
    found: "Identity, size and times are taken before and after reading, on the same handle.",
    act: "Let running builds end, then scan again.",
    false_alarms: "A tool that writes its cache all the time causes it.",
    example: "A scan beside a large download.",
};

pub(super) const UNBOUND: Page = Page {
    means: "A tool could load this entry, but nothing says as which package, so there is nothing to compare it with.",
    found: "Neither key nor path nor content leads to a name and version.",
    act: "Remove it; its tool fetches what it needs.",
    false_alarms: "Tools newer than untaint may name entries in a new way.",
    example: "A blob in a store that no index row points to.",
};

pub(super) const UNPINNED_ROOT: Page = Page {
    means: "Its registry is neither one that untaint knows nor one that you have pinned, and a lockfile alone cannot \
         make it trusted.",
    found: "The fingerprint of the registry's address is compared with the known and the pinned ones.",
    act: "If the registry is yours, pin it: `untaint trust discover` prints the command. If you have never heard of it, find out who \
         brought it in.",
    false_alarms: "Private registries always start like this.",
    example: "A lockfile that takes one package from an address nobody knows.",
};

pub(super) const NO_RECORD: Page = Page {
    means: "The registry answers, but does not list this version yet, and the version is very new.",
    found: "The publication time lies within the hour before, or the answer may be an older copy.",
    act: "Run again in an hour.",
    false_alarms: "This is the harmless side of `never-published`.",
    example: "A release of this morning that not every server shows yet.",
};

pub(super) const DECLARED_ONLY: Page = Page {
    means: "A lockfile vouches for the bytes, and nobody else.",
    found: "The strongest claim is that of a lockfile, and more was required.",
    act: "Pin its registry, or accept this level with `--require declared`.",
    false_alarms: "None known.",
    example: "A registry without digests of its own.",
};

pub(super) const REMEMBERED_ONLY: Page = Page {
    means: "Only this machine's memory of the first sight vouches for the bytes.",
    found: "The strongest claim is a remembered one, and more was required.",
    act: "Pin its registry, or accept this level with `--require remembered`.",
    false_alarms: "None known.",
    example: "A source that publishes no digests.",
};

pub(super) const WEAK_DIGEST: Page = Page {
    means: "Only SHA-1 or MD5 vouch for the bytes, and two files with the same such digest can be made.",
    found: "The schemes of all claims are looked at.",
    act: "Let a current tool write the lockfile anew, or ask the registry for SHA-256.",
    false_alarms: "None known.",
    example: "A lockfile from years ago.",
};

pub(super) const ARCHIVE_NOT_HELD: Page = Page {
    means: "An unpacked tree is there, but neither its archive nor a proven manifest of it, so there is nothing to \
         compare with.",
    found: "Neither cache nor claim store has it, and fetching was not allowed or failed.",
    act: "Allow fetching (`--fetch-archives missing`, without `--offline`), or remove the tree.",
    false_alarms: "Cleaning tools that remove archives and keep trees cause it.",
    example: "`registry/src` survives while `registry/cache` was emptied to save space.",
};

pub(super) const UNKNOWN_FORMAT_VERSION: Page = Page {
    means: "It was written in a format newer than untaint knows, and guessing would be worse than saying so.",
    found: "The version number in the file is higher than the highest known one.",
    act: "Update untaint.",
    false_alarms: "None known.",
    example: "A lockfile of a tool that was released last week.",
};

pub(super) const UNSUPPORTED: Page = Page {
    means: "untaint knows what this is and has no reader for it yet.",
    found: "Its name is that of a known lockfile or cache without a reader.",
    act: "Verify it with its own tool for now, or leave its ecosystem out with `--ecosystem`, which the report \
         then lists.",
    false_alarms: "None known.",
    example: "A lockfile of another package manager in a subfolder.",
};

pub(super) const PRIVATE: Page = Page {
    means: "Your configuration calls it private, so no public registry is asked, and nothing else vouches for it.",
    found: "The name matches a pattern under `[private]` in your own trust file.",
    act: "Set `require` under `[private]`, or pin the private registry.",
    false_alarms: "None known.",
    example: "Modules of your company.",
};

pub(super) const PRIVATE_UNCONFIRMED: Page = Page {
    means: "The tool's settings call it private, but your own configuration does not; a scanned project could have \
         written those settings.",
    found: "The name matches a pattern of the tool's settings only.",
    act: "Confirm it: `untaint trust discover` shows the patterns.",
    false_alarms: "Every first run on a machine with private modules has it.",
    example: "An environment variable with a pattern that covers half of the public names.",
};

pub(super) const GIT: Page = Page {
    means: "The files equal the objects of the locked commit. The commit is named by the lockfile alone, so this is \
         worth as much as a lockfile.",
    found: "The files are hashed bottom-up into a tree id, which is compared with that of the commit.",
    act: "Nothing, unless you require more; then use a released version from a registry.",
    false_alarms: "None known.",
    example: "A dependency taken from a repository at a fixed commit.",
};

pub(super) const GIT_UNHELD: Page = Page {
    means: "A package from git is here, but the objects to compare it with are not.",
    found: "The repository in the cache lacks the commit or its objects.",
    act: "Let the tool fetch it again, then scan once more.",
    false_alarms: "Vendored git packages never bring their objects.",
    example: "A vendor folder with a package from git.",
};

pub(super) const LOCALLY_BUILT: Page = Page {
    means: "It was built on this machine, so nobody else can vouch for its bytes.",
    found: "The tool's own records say that it was built here, and no registry has such a file.",
    act: "Build it again from verified sources where that is cheap, or accept these exact bytes by digest.",
    false_alarms: "None known.",
    example: "A wheel that pip built from a source archive.",
};

pub(super) const POST_INSTALL: Page = Page {
    means: "It differs from its archive where its own install script writes.",
    found: "The differences lie in files that the script is known or declared to make.",
    act: "Nothing, as long as the package itself is trusted.",
    false_alarms: "None known.",
    example: "A native module that is compiled at installation.",
};

pub(super) const DERIVED: Page = Page {
    means: "It was made by building: objects, byte code, a build folder. Hashes cannot tell whether it was made from \
         clean sources.",
    found: "The place is that of a build cache or build folder.",
    act: "Build again from verified sources where it matters (`--derived deny` demands it), or leave it listed.",
    false_alarms: "None known.",
    example: "A `target` folder that was restored from a CI cache.",
};

pub(super) const ORPHAN: Page = Page {
    means: "Content that no tool would load.",
    found: "Neither an index nor a path rule of its tool leads there.",
    act: "Nothing; remove it if you like.",
    false_alarms: "None known.",
    example: "Swap files of an editor in an unpacked tree.",
};
