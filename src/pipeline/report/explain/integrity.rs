//! Pages of the class integrity: bytes are not what was published.

use super::Page;

pub(super) const ARCHIVE_TAMPERED: Page = Page {
    means: "The archive in this place has another digest than somebody outside the cache says it must have. Whoever \
         builds from it runs code that was not published under this name and version.",
    found: "The bytes are hashed and compared with the registry's own answer, with the claim store, with imported \
         claims and with every lockfile in sight. Each source that disagrees is named with the digest that it \
         expects. The cache's own records are never asked.",
    act: "Run the command that the report prints: `untaint heal` keeps what it takes, fetches the good one, and takes \
         away what was built from it. Removed by hand, it leaves unpacked trees and build folders with the old code, \
         and no tool builds them anew by itself.",
    false_alarms: "A private registry that reuses a version number, or a mirror that packs archives anew, looks the same \
         from here. Pin such a registry, so that its own answer is the reference. Files of no bytes are no alarm \
         where their tool takes them for missing.",
    example: "Someone with write access to a CI cache replaces one crate by a copy with a changed build script. Cargo \
         unpacks it without hashing it, even with `--locked`.",
};

pub(super) const TREE_MODIFIED: Page = Page {
    means: "A file in an unpacked tree is not the file of the archive that it was unpacked from. Builds read the \
         tree, not the archive, so the changed code is what runs.",
    found: "Each file is compared with the member of the verified archive, or with a manifest that such an archive \
         left behind. Changes that the tool itself makes while unpacking are known and no difference.",
    act: "Run `untaint heal`: it takes the whole tree and what was built from it, and the tool makes the tree again \
         from the verified archive, or a git checkout from its database. The tree alone, removed by hand, leaves its \
         code in build folders.",
    false_alarms: "Debugging by editing a dependency in the cache is exactly this. Use a path override of the tool instead. \
         Line ends that a checkout converted in a committed vendor folder are no alarm.",
    example: "A line added to `src/lib.rs` under `registry/src` is compiled by every project of this user from then \
         on.",
};

pub(super) const TREE_MISSING_FILE: Page = Page {
    means: "An unpacked tree lacks a file that the verified archive has. A build may then take another branch, or a \
         file from elsewhere.",
    found: "The tree is listed and compared with the members of the verified archive.",
    act: "Run `untaint heal`: it takes the whole tree and what was built from it, and the tool unpacks it again.",
    false_alarms: "A committed vendor folder often lacks files that a global ignore pattern names; if no build loads them \
         it is reported as `files-omitted` instead. An unpacking that was cut short also looks like this, and \
         removal mends it.",
    example: "A test that would have failed, or a `build.rs` that checks its inputs, is deleted from the tree.",
};

pub(super) const TREE_EXTRA_FILE: Page = Page {
    means: "An unpacked tree holds a file that the verified archive does not. Build tools load some files merely \
         because they are there.",
    found: "The tree is listed and compared with the members of the verified archive; files that the tool itself \
         adds are known.",
    act: "Run `untaint heal`: it takes the whole tree and what was built from it. Removing a marker file only makes \
         some tools unpack over it, and the extra file survives that.",
    false_alarms: "Files of editors and file managers that no tool loads are counted as `orphan` and are no alarm.",
    example: "A `build.rs`, a `.cargo/config.toml` or a `.pth` file is dropped into a dependency that has none.",
};

pub(super) const TREE_IRREGULAR_FILE: Page = Page {
    means: "Where the archive has a plain file, the tree has a link, a device, a pipe, or a file with a mode such as \
         set-user-id.",
    found: "Kinds and modes are read from open handles, without following links, and compared with the archive.",
    act: "Look where a link leads, then run `untaint heal`: it takes the tree and what was built from it, and the \
         tool unpacks it again.",
    false_alarms: "File systems without modes or links may show others than were written; keep caches on a file system that \
         has both.",
    example: "A source file is replaced by a link to a file in a folder that the attacker can change later.",
};

pub(super) const ARCHIVE_AMBIGUOUS: Page = Page {
    means: "Two programs that read this archive would extract different content, so a check by one says little about \
         what the other unpacks.",
    found: "Strict readers look for members named twice, headers that contradict each other, several compressed \
         streams, bytes before or after, and names that collide when case or form is folded. With a trusted \
         digest only true differences of content are reported, and of names that collide in that way only those that \
         a build could load.",
    act: "Do not build from it. Ask the publisher for a clean release, or pin an earlier version.",
    false_alarms: "Comments in zip files and harmless padding are not reported. An old packer may repeat a member with the \
         same bytes; that is no difference. Nor are two spellings of a readme in a published crate.",
    example: "A zip whose central directory names a harmless file while a streaming reader meets another one.",
};

pub(super) const ENTRY_MISBOUND: Page = Page {
    means: "The bytes are genuine, but they are filed under the name of something else. The tool would serve one \
         package for another.",
    found: "What the key, path or pointer promises is compared with what the content calls itself and with what is \
         published for both.",
    act: "Run `untaint heal`: it takes the entry that the report names, and what was built from it.",
    false_alarms: "None known.",
    example: "A verified but vulnerable old release is copied over the file of the current one.",
};

pub(super) const SIDECAR_FORGED: Page = Page {
    means: "The record that the cache keeps to check itself is well formed and false. Nobody but a program that \
         wanted the check to pass writes such a record.",
    found: "Each record is recomputed from the bytes that it speaks of, and from the verified archive.",
    act: "Treat the whole cache as touched by somebody: remove it, fetch anew, and find out who can write there.",
    false_alarms: "Tools that vendor a changed archive write such records without ill will; look for `archive-tampered` in \
         the cache that they copied from.",
    example: "`.cargo-checksum.json` lists the digests of changed files next to the genuine digest of the package.",
};

pub(super) const METADATA_POISONED: Page = Page {
    means: "A cached listing says of a version what the registry denies: another digest, other dependencies, another \
         address.",
    found: "Facts about versions that both sides know are compared with a fresh answer. A listing that is merely old \
         is never reported.",
    act: "Remove the listing by the printed command; its tool fetches a new one. Lockfiles that were written while \
         it was there need a look.",
    false_alarms: "Registries that edit dependencies or features of published versions cause it; an answer of the same hour \
         settles that.",
    example: "An index entry gets a further dependency, which the next `update` resolves and downloads.",
};

pub(super) const NEVER_PUBLISHED: Page = Page {
    means: "The registry answers, and says that there never was such a version.",
    found: "A fresh answer, asked once more past all caches, lacks the version, and neither an earlier claim nor an \
         advisory knows it.",
    act: "Run `untaint heal`, which takes the entry and what was built from it, and look at lockfiles that name it.",
    false_alarms: "A version published within the hour before may not be shown everywhere yet; that is `no-record`, not \
         this. Entries of a private registry under the name of a public one look the same: pin the private \
         registry.",
    example: "A crate with an invented higher version number is put into the cache and into a lockfile.",
};

pub(super) const PUBLISHED_HASH_CHANGED: Page = Page {
    means: "Two sources that are both trusted say different things about the same artifact. One of them was changed \
         after publication, or lies.",
    found: "Claims of registries, logs and earlier answers are kept side by side; they are never averaged and the \
         newest does not win.",
    act: "Build from neither. Compare with a machine or mirror that has had the artifact for long, and tell the \
         registry.",
    false_alarms: "A mirror that packs archives anew is one cause: pin it as a mirror with its own digests.",
    example: "The registry serves another digest for a version than the one that it gave last month.",
};

pub(super) const LOG_RECORD_FORGED: Page = Page {
    means: "A cached record claims to come from a transparency log, but the log does not contain it.",
    found: "The record's place in the log is proven with hashes up to a signed head.",
    act: "Remove the cached record and what was accepted because of it.",
    false_alarms: "None known; an old but genuine record is no finding.",
    example: "A cached look-up with an invented hash makes a replaced module pass the tool's own check.",
};

pub(super) const LOG_TILE_FORGED: Page = Page {
    means: "A cached part of a transparency log does not hash to what the signed head demands.",
    found: "Each tile is hashed and followed up to a signed head.",
    act: "Remove the tiles; they are fetched again.",
    false_alarms: "A half-written tile after a crash has the wrong length and is reported as a problem instead.",
    example: "Tiles are exchanged together with the records in them, so that the tool's own look-up agrees.",
};

pub(super) const LOG_FORKED: Page = Page {
    means: "Two heads, both signed by the log, cannot both be true: the log showed different things to different \
         people.",
    found: "Heads are checked for being consistent with each other, also across runs.",
    act: "Stop building from that log, keep both heads (the report has them), and publish them: this is what logs \
         exist to reveal.",
    false_alarms: "A head that is merely older is none.",
    example: "You are shown a log in which an attacker's release exists, and everyone else one without it.",
};

pub(super) const FIRST_SEEN_CHANGED: Page = Page {
    means: "The bytes differ from the ones that this machine saw first under this name and version. Nobody outside \
         vouches for either.",
    found: "The first digest seen is remembered for sources without public reference, such as git or private \
         registries.",
    act: "Ask whoever publishes it whether the version was replaced. If so, remember the new one; if not, remove \
         it.",
    false_alarms: "Rebuilt wheels and republished snapshots change on purpose.",
    example: "A tag was moved and the checkout behind the same version is another one.",
};

pub(super) const BUILD_CACHE_TAMPERED: Page = Page {
    means: "A build cache holds content that its own name, or the source that it stands for, denies.",
    found: "Byte code is compared with the header and the source that it claims, objects with the digest in their \
         name.",
    act: "Remove the cache folder (Go: go clean -cache); it is made again by the next build. What a planted entry that \
         agrees with itself holds cannot be told from a good one, so an empty build cache (guard --fresh-derived) is the \
         only answer to a cache that others could write.",
    false_alarms: "A clock that jumps can make byte code look older than its source; it is then ignored by its own \
         interpreter and not reported.",
    example: "Compiled byte code with a flag that turns the check against its source off.",
};

pub(super) const BUILT_FROM_TAINTED: Page = Page {
    means: "Something was built from bytes that turned out to be tainted, and is still there.",
    found: "What a build folder or an environment was made from is compared with the findings of this run.",
    act: "Remove it and build again after the cause is mended. Consider where its products went: releases, images, \
         other machines.",
    false_alarms: "Content that was built before the taint arrived is named as well when no record tells the times apart.",
    example: "A `target` folder keeps the object code of a crate that has long been replaced by a clean one.",
};

pub(super) const CHANGED_DURING_RUN: Page = Page {
    means: "What `untaint guard` had audited was changed while its command was running, so what the command used need not be \
         what was audited. The command's own exit code says nothing then: guard ends with 120.",
    found: "Every file and folder that the audit looked at is remembered with device, inode, size and times as they were at \
         that moment, and asked again when the command has ended. A file that was edited and put back, with its old \
         modification time too, has another change time, which no ordinary user can set. Whatever is new or \
         different is audited again: downloads and lockfile changes that verify are no finding.",
    act: "Take what the command built for worthless. Look what wrote there: the entries are listed, and a build script of a \
         dependency is the first suspect. Then `untaint heal`, and build again with `untaint guard --fresh-derived`; \
         with `--sandbox` the command cannot write into the caches at all.",
    false_alarms: "A command that itself empties a cache and fills it again (`go clean -modcache`), and another user's program \
         that makes hard links to cached files or changes their modes. Two builds at once that only download are none.",
    example: "A build script of one dependency edits the source of another one before that is compiled, and puts it \
         back afterwards.",
};
