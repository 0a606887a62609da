//! Feeds, folders and ports that the tests are made of.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use untaint::ecosystems::contract::{Ecosystem, Facts};
use untaint::formats::semver_order::SemverOrder;
use untaint::model::{EcosystemId, VersionOrder};
use untaint::pipeline::advise::catalogue;
use untaint::pipeline::feeds::{FeedsContext, Shelf, load};
use untaint::world::real::{Cancel, Caps, HttpFetch, HttpOptions, StateFolder, SystemFs};
use untaint::world::{Fetch, StateDir};

/// 2026-09-10, noon.
pub(crate) const NOW: i64 = 1_789_041_600;
pub(crate) const DAY: i64 = 86_400;
/// A day after the embedded snapshot, in records.
pub(crate) const NEWER: &str = "2026-09-09T00:00:00Z";

/// The name of an ecosystem in OSV records. It is data of the catalogue.
pub(crate) fn osv(ecosystem: &str) -> String {
    catalogue::feed_of(ecosystem).unwrap().osv
}

/// An OSV record on one package: affected from the beginning until `fixed`.
pub(crate) fn record(
    ecosystem: &str,
    id: &str,
    package: &str,
    fixed: &str,
    modified: &str,
) -> (String, String) {
    let text = format!(
        r#"{{"id":"{id}","modified":"{modified}","affected":[{{"package":{{"ecosystem":"{}","name":"{package}"}},"ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#,
        osv(ecosystem)
    );
    (format!("{id}.json"), text)
}

/// So many records that the embedded snapshot does not make them look few; the first is about `first`.
pub(crate) fn many(
    ecosystem: &str,
    count: usize,
    first: &str,
    modified: &str,
) -> Vec<(String, String)> {
    (0..count)
        .map(|i| {
            let package = if i == 0 {
                first.to_owned()
            } else {
                format!("package-{i}")
            };
            record(ecosystem, &format!("T-{i:05}"), &package, "2.0.0", modified)
        })
        .collect()
}

/// A zip of stored members, made by hand: what is needed and no more.
pub(crate) fn zip(members: &[(String, String)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    let word = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    for (name, text) in members {
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
        common.extend(libdeflater::crc32(text.as_bytes()).to_le_bytes());
        common.extend(word(text.len()));
        common.extend(word(text.len()));
        common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        common.extend([0, 0]);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(word(out.len()));
        directory.extend(name.as_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(text.as_bytes());
    }
    let (start, size) = (word(out.len()), word(directory.len()));
    let count = u16::try_from(members.len()).unwrap().to_le_bytes();
    out.extend(directory);
    out.extend(b"PK\x05\x06\x00\x00\x00\x00");
    out.extend(count);
    out.extend(count);
    out.extend(size);
    out.extend(start);
    out.extend([0, 0]);
    out
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

pub(crate) fn put(path: &Path, bytes: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// An ecosystem that is nothing but its name.
struct Named(Facts);

impl Ecosystem for &'static Named {
    fn facts(&self) -> &'static Facts {
        &self.0
    }

    fn version_order(&self) -> &'static dyn VersionOrder {
        &SemverOrder
    }
}

/// An ecosystem by its id.
pub(crate) fn ecosystem(id: &'static str) -> &'static dyn Ecosystem {
    let named: &'static Named = Box::leak(Box::new(Named(Facts {
        id: EcosystemId::new(id),
        name: id,
        purl_type: id,
        osv_ecosystem: id,
        cache_names: &[],
        skips: &[],
        verified: "",
        not_verified: "",
    })));
    Box::leak(Box::new(named))
}

pub(crate) fn port() -> HttpFetch {
    let caps = Caps {
        connect: Duration::from_secs(2),
        read: Duration::from_millis(300),
        request: Duration::from_secs(5),
        tries: 2,
        pause: Duration::from_millis(10),
        ..Caps::default()
    };
    let options = HttpOptions {
        ca_bundle: None,
        proxy: false,
        caps,
    };
    HttpFetch::new(options, Cancel::new(None))
}

/// One machine: a state folder, a server's address, a time.
pub(crate) struct Machine {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) state: StateFolder,
    pub(crate) url: Option<String>,
    pub(crate) offline: bool,
    pub(crate) now: i64,
    pub(crate) with_state: bool,
    pub(crate) fetch: Arc<dyn Fetch>,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::new(folder.path().join("state"));
        Self {
            folder,
            state,
            url: None,
            offline: false,
            now: NOW,
            with_state: true,
            fetch: Arc::new(port()),
        }
    }

    pub(crate) fn asking(url: &str) -> Self {
        Self {
            url: Some(url.to_owned()),
            ..Self::new()
        }
    }

    pub(crate) fn load(&self, ids: &[&'static str]) -> Shelf {
        self.load_with(ids, None)
    }

    pub(crate) fn load_with(&self, ids: &[&'static str], named: Option<&Path>) -> Shelf {
        let ecosystems: Vec<_> = ids.iter().map(|id| ecosystem(id)).collect();
        load(
            &ecosystems,
            &FeedsContext {
                state: self.with_state.then_some(&self.state as &dyn StateDir),
                named_dir: named,
                fs: &SystemFs,
                fetch: &*self.fetch,
                offline: self.offline,
                always: false,
                now: self.now,
                max_age: u64::try_from(7 * DAY).unwrap(),
                pinned: &|_| Some(self.url.clone().unwrap_or("http://127.0.0.1:1/x".into())),
                cancelled: &|| false,
            },
        )
    }

    /// Names of the files in our state.
    pub(crate) fn kept(&self) -> Vec<String> {
        self.state.list().unwrap_or_default()
    }
}

/// Whether the shelf has an advisory on a package.
pub(crate) fn knows(shelf: &Shelf, id: &'static str, package: &str) -> bool {
    shelf
        .of(EcosystemId::new(id))
        .iter()
        .any(|db| !db.lookup(package).unwrap().is_empty())
}
