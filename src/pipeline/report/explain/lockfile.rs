//! Pages of the classes lockfile and upstream: what is written down, and what became of it at its registry.

use super::Page;

pub(super) const LOCKFILE_HASH_MISMATCH: Page = Page {
    means: "The lockfile records a digest that the registry never published for this version. Whoever builds by this \
         lockfile accepts other bytes, or fails.",
    found: "Each recorded digest is compared with trusted claims; the line is shown.",
    act: "Do not regenerate the lockfile before you know who changed it: look at its history first. Then restore \
         the published digest.",
    false_alarms: "A private registry or a mirror that packs anew has digests of its own; pin it.",
    example: "A pull request changes one checksum among hundreds of lines of an update.",
};

pub(super) const LOCKFILE_HASH_UNKNOWN: Page = Page {
    means: "The lockfile allows several digests for one package. Another of them is genuine, this one is not known \
         to anybody.",
    found: "Every digest of the set is compared with all that was published for the version.",
    act: "Remove the unknown digest from the lockfile.",
    false_alarms: "Files that a registry has deleted since are unknown to it; an imported claim can vouch for them.",
    example: "A second, evil digest is added beside the genuine one: a tool that accepts any match installs either.",
};

pub(super) const LOCKFILE_FACT_MISMATCH: Page = Page {
    means: "The lockfile says of an artifact what its registry denies, such as its name, its dependencies, or that \
         it has no install script.",
    found: "Facts in the lockfile are compared with those of the registry for the same version. For Go also the list \
         of a vendor folder (`modules.txt`) with `go.mod`: medium, since Go refuses such a folder.",
    act: "Look at the history of the lockfile, then let the tool write it anew from verified sources.",
    false_alarms: "Very old tools left facts out or spelled them otherwise; only contradictions are reported.",
    example: "A lockfile entry keeps its well-known name but points to the archive of another package.",
};

pub(super) const LOCKFILE_HASH_MISSING: Page = Page {
    means: "The lockfile names a package from a registry without any digest, so the next download is taken as it \
         comes.",
    found: "Entries that need a digest by the rules of their format are looked for: for Go, modules that a `go.mod` file \
         requires without a line in `go.sum` or, in a workspace, in any of its sums.",
    act: "Let a current version of the tool write the lockfile anew and commit it.",
    false_alarms: "Path, workspace and git entries have no digest and are not reported.",
    example: "An entry whose checksum line was deleted: many tools then accept whatever they get.",
};

pub(super) const LOCKFILE_HASH_WEAK: Page = Page {
    means: "Only MD5 or SHA-1 vouch for the entry. Two files with the same such digest can be made at will.",
    found: "Schemes of all recorded digests are looked at; an entry with a strong one besides is fine.",
    act: "Let a current version of the tool write the lockfile anew.",
    false_alarms: "None known.",
    example: "A lockfile that was written years ago and never refreshed.",
};

pub(super) const WITHDRAWN: Page = Page {
    means: "The registry no longer has a version that it once had.",
    found: "A fresh answer lacks it, while an earlier trusted answer or an advisory knows it.",
    act: "Find out why it went: malware is often deleted before an advisory is written. Move to a version that \
         exists.",
    false_alarms: "Authors also withdraw broken or mistaken releases.",
    example: "A release is deleted two hours after it was published, and a cache keeps it.",
};

pub(super) const YANKED: Page = Page {
    means: "Its authors marked this version as not to be used for new builds.",
    found: "The registry's own listing says so.",
    act: "Update to a version that is not yanked; the reason is often in its changelog.",
    false_alarms: "It is no sign of an attack by itself; lockfiles may keep yanked versions on purpose.",
    example: "A release with a serious bug is yanked an hour later and replaced.",
};

pub(super) const QUARANTINED_UPSTREAM: Page = Page {
    means: "The registry itself holds the package back while it looks into it.",
    found: "The registry's own listing says so.",
    act: "Do not build from it until the registry has decided.",
    false_alarms: "Quarantines are lifted again when they were mistaken.",
    example: "A project is reported for malware and its files are hidden while moderators look.",
};
