//! Beside the stages: what healing is handed of the others: where good bytes come from.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::heal::plan::Step;
use super::heal::{Lack, Supply};
use super::standings::Standings;
use crate::ecosystems::contract::{Copied, Ecosystem};
use crate::model::{ArtifactId, Coordinate, Digest, Origin};
use crate::trust::claims::{ClaimStore, ExportItem};
use crate::world::{Env, Fetch, FetchError, ReadFs, Request, Response};

/// What roots said of themselves by their addresses, or why they did not.
pub type Configs = BTreeMap<Arc<str>, Result<Vec<u8>, String>>;

/// Largest archive that is fetched, in bytes.
const LARGEST: u64 = 512 << 20;

/// Fetches replacements from known roots alone, as a scan does.
pub struct Fetched<'a> {
    /// Folders.
    pub fs: &'a dyn ReadFs,
    /// The network.
    pub fetch: &'a dyn Fetch,
    /// The environment: variables that hold credentials of pinned roots.
    pub env: &'a dyn Env,
    /// How packages stand with their registries.
    pub standings: &'a Standings,
    /// Whether no packet may leave.
    pub offline: bool,
    /// What was learned.
    pub store: &'a ClaimStore,
    /// What roots have said of themselves.
    pub configs: Mutex<Configs>,
}

impl Fetched<'_> {
    fn asked(&self, coordinate: &Coordinate) -> Result<(Arc<str>, &'static dyn Ecosystem), String> {
        if self.offline {
            return Err("no packet may leave (--offline)".to_owned());
        }
        let (address, _) = self
            .standings
            .asked_at(coordinate)
            .ok_or("its registry is neither known nor pinned")?;
        let ecosystem = crate::ecosystems::all()
            .iter()
            .find(|e| e.facts().id == coordinate.ecosystem)
            .ok_or("nobody fetches for its ecosystem")?;
        Ok((address, *ecosystem))
    }

    fn one(&self, coordinate: &Coordinate, mut request: Request) -> Result<Response, String> {
        if let Origin::Registry(registry) = &coordinate.origin {
            request.authorization = self.standings.credential(
                coordinate.ecosystem,
                &registry.fingerprint,
                &request.url,
                self.env,
            );
        }
        let mut answer: Option<Result<Response, FetchError>> = None;
        self.fetch
            .batch(vec![request], &mut |_, response| answer = Some(response));
        match answer {
            Some(Ok(response)) if response.status == 200 => Ok(response),
            Some(Ok(response)) => Err(format!(
                "its registry answered with status {}",
                response.status
            )),
            Some(Err(FetchError::Unreachable(why))) if why.starts_with("status ") => {
                Err(format!("its registry answered with an error: {why}"))
            }
            Some(Err(FetchError::Refused(why))) => Err(format!(
                "its registry leads where nothing may be asked: {why}"
            )),
            Some(Err(FetchError::Denied(status))) => Err(format!(
                "its registry denies access (status {status}): look at its credential"
            )),
            Some(Err(FetchError::Cancelled)) => Err("the run was ended meanwhile".to_owned()),
            Some(Err(error)) => Err(format!("its registry {error}")),
            None => Err("its registry was not asked".to_owned()),
        }
    }

    fn config(
        &self,
        address: &Arc<str>,
        coordinate: &Coordinate,
        request: Option<Request>,
    ) -> Result<Option<Vec<u8>>, String> {
        let Some(request) = request else {
            return Ok(None);
        };
        let configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = configs.get(address) {
            return config.clone().map(Some);
        }
        drop(configs);
        let answer = self.one(coordinate, request);
        let config = answer.map(|response| response.body).map_err(|why| {
            format!("it cannot be learned where its registry keeps archives: {why}")
        });
        let mut configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        configs.insert(Arc::clone(address), config.clone());
        config.map(Some)
    }
}

impl Supply for Fetched<'_> {
    fn archive(&self, artifact: &ArtifactId, digest: &Digest) -> Result<Vec<u8>, Lack> {
        let coordinate = &artifact.coordinate;
        let (address, ecosystem) = self.asked(coordinate)?;
        let authority = ecosystem
            .authority()
            .ok_or("nobody fetches for its ecosystem")?;
        let config = self.config(&address, coordinate, authority.config_request(&address))?;
        let healer = ecosystem.healer().ok_or("nobody heals its ecosystem")?;
        let request = healer
            .artifact_request(&address, artifact)
            .or_else(|| {
                authority.archive_request(config.as_deref(), &address, artifact, digest, LARGEST)
            })
            .ok_or("its registry does not say where archives are")?;
        let response = self.one(coordinate, request)?;
        if healer.fits(artifact, &response.body, digest) {
            Ok(response.body)
        } else {
            Err(Lack {
                why: "its registry sent other bytes than it published: refused".to_owned(),
                other_bytes: true,
            })
        }
    }

    fn copied(&self, step: &Step, root: &Path, copy: &Path) -> Option<Copied> {
        let about: Vec<Arc<Coordinate>> = step.about.iter().cloned().collect();
        let opened = self.fs.open_root(root).ok()?;
        step.healer().copied(&*opened.dir, copy, &about)
    }

    fn proofs(&self, coordinate: &Coordinate) -> Vec<u8> {
        let Origin::Registry(registry) = &coordinate.origin else {
            return Vec::new();
        };
        let proof = format!("/{}@{}", coordinate.name, coordinate.version);
        let keep = |item: ExportItem<'_>| match item {
            ExportItem::Package(fingerprint, name) => {
                fingerprint == registry.fingerprint && *name == *coordinate.name
            }
            ExportItem::Blob(name) => name.ends_with(&proof),
            ExportItem::LogHead(_) => true,
            ExportItem::Manifest(_) | ExportItem::FirstSeen(_) => false,
        };
        self.store.export(&keep).0
    }

    fn listing(&self, coordinate: &Coordinate) -> Result<Vec<u8>, Lack> {
        let (address, ecosystem) = self.asked(coordinate)?;
        let healer = ecosystem.healer().ok_or("its tool makes it anew")?;
        let request = healer
            .listing_request(&address, coordinate)
            .ok_or("its tool makes it anew")?;
        let response = self.one(coordinate, request)?;
        healer
            .listing_bytes(coordinate, &response)
            .ok_or_else(|| "its registry's answer is no listing".into())
    }
}
