//! Pages of the classes place and policy: who can write where it lies, and our own rules and data.

use super::Page;

pub(super) const CACHE_WRITABLE_BY_OTHERS: Page = Page {
    means: "Other users of this machine can write into the cache, so they can change what you build.",
    found: "Owner and mode are read from open handles; a group counts only if it has other members.",
    act: "Take the right away: `chmod -R go-w` on the folder that the report names, and look at its entries \
         afterwards.",
    false_alarms: "Groups that hold only their own user (as many systems make them) are not reported; neither are empty \
         lock files.",
    example: "A shared folder for caches with mode 777 on a build server.",
};

pub(super) const FOREIGN_OWNER: Page = Page {
    means: "A cache entry belongs to another user, who can change it at any time.",
    found: "The owner is read from the open handle and compared with yours.",
    act: "Remove the entry, or take it over after you have verified it.",
    false_alarms: "In containers a cache that belongs to root and cannot be written by others is not reported.",
    example: "Somebody ran the tool once with another user's rights and the same home folder.",
};

pub(super) const LINK_ESCAPE: Page = Page {
    means: "A link inside the cache leads out of it, so what is read lies where nobody audits.",
    found: "Links are read, not followed.",
    act: "Look where it leads, then run `untaint heal`, which takes the link and what was built through it where the \
         report says so; else remove the link, with the build folders that used it, and let the tool fetch again.",
    false_alarms: "A root of a cache that is itself a link is resolved once and shown, and a link to identical bytes is \
         still named: it can change later.",
    example: "An unpacked tree is replaced by a link to a folder in `/tmp`.",
};

pub(super) const CREDENTIALS_EXPOSED: Page = Page {
    means: "Others can read a file with stored credentials.",
    found: "Only modes and owners of such files are looked at, and whether a token is there; no value is ever read \
         into a report.",
    act: "Take the right away (`chmod 600`), and change the credentials if others could have read them.",
    false_alarms: "None known.",
    example: "A token for publishing in a file that the whole group can read.",
};

pub(super) const SELF_EXPOSED: Page = Page {
    means: "untaint's own program, configuration or state lies where an attacker could have changed it, so its \
         answers mean little.",
    found: "The places of our own files are checked like those of a cache.",
    act: "Move them out of the audited folder, or take the rights of others away; in CI use `--isolated` and bring \
         the program after the cache was restored.",
    false_alarms: "A program that was built inside the audited project is reported on purpose.",
    example: "The state folder came back with the restored cache.",
};

pub(super) const FILES_OMITTED: Page = Page {
    means: "A committed vendor folder lacks files that an ignore rule names, and no build loads them.",
    found: "The missing names match the usual global ignore patterns, and no build file refers to them.",
    act: "Nothing; or commit them with force, so that the folder is whole.",
    false_alarms: "It is information only.",
    example: "A crate ships an editor's settings folder that everybody's ignore file names.",
};

pub(super) const WAIVER_EXPIRED: Page = Page {
    means: "A waiver in force until a date has run out, so its finding counts again.",
    found: "The date is compared with the day of the run; the day itself still counts.",
    act: "Mend the finding, or waive it again with a new date and reason.",
    false_alarms: "None known.",
    example: "A waiver for a quarter while an update was prepared.",
};

pub(super) const WAIVER_UNUSED: Page = Page {
    means: "A waiver matches nothing any more.",
    found: "Each waiver is counted when it is applied.",
    act: "Remove it, so that it does not hide something later.",
    false_alarms: "A run over a part of the projects uses a part of the waivers.",
    example: "The package was updated and the waiver stayed.",
};

pub(super) const LICENCE_DENIED: Page = Page {
    means: "The package's licence is one that your policy denies.",
    found: "The manifest's expression is compared with the policy.",
    act: "Replace the package, or change the policy after asking whoever owns it.",
    false_alarms: "Manifests that state their licence in free text cannot be read as an expression.",
    example: "A transitive dependency changes its licence in a minor release.",
};

pub(super) const FEED_ROLLED_BACK: Page = Page {
    means: "New advisory data is older or much smaller than what was there, so it was refused and the old data kept.",
    found: "Dates and numbers of records are compared before data is taken over.",
    act: "Fetch again later, or from the feed's own server; look at who sits in between if it stays.",
    false_alarms: "A feed that removes many mistaken records at once looks the same.",
    example: "A mirror serves a copy of last year, in which the newest flaws are not listed.",
};
