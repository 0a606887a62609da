//! A module proxy: where zips are fetched from (GOPROXY protocol, cmd/go 1.26). What it hands out is held against the log.

use std::sync::Arc;

use crate::ecosystems::contract::{
    ArchiveFormat, ArchivePart, Authority, Inquiry, Question, Reply,
};
use crate::model::{ArtifactId, Digest, Reason};
use crate::world::{Request, Response};

use super::escape::{escape_path, escape_version};

/// Asked for archives alone: what is published is proven by the log.
pub(super) struct ModuleProxy;

impl Authority for ModuleProxy {
    fn role(&self) -> &'static str {
        "proxy"
    }

    fn begin(&self, _: &str, questions: Vec<Question>) -> Box<dyn Inquiry> {
        Box::new(Nothing {
            asked: questions.len(),
        })
    }

    fn archive_part(&self, artifact: &ArtifactId) -> ArchivePart {
        let coordinate = &artifact.coordinate;
        ArchivePart {
            rel: std::path::PathBuf::from(&*artifact.file),
            format: ArchiveFormat::GoZip,
            size: 0,
            top: Arc::from(format!("{}@{}", coordinate.name, coordinate.version)),
            empty_is_absent: false,
        }
    }

    fn archive_request(
        &self,
        _: Option<&[u8]>,
        address: &str,
        artifact: &ArtifactId,
        _: &Digest,
        max_bytes: u64,
    ) -> Option<Request> {
        let path = escape_path(&artifact.coordinate.name).ok()?;
        let version = escape_version(&artifact.coordinate.version).ok()?;
        let base = address.trim_end_matches('/');
        if base.is_empty() {
            return None;
        }
        Some(Request::get(
            format!("{base}/{path}/@v/{version}.zip"),
            max_bytes,
        ))
    }

    fn config_request(&self, _: &str) -> Option<Request> {
        None
    }
}

/// A proxy's word on what is published is worth nothing beside the log's.
struct Nothing {
    asked: usize,
}

impl Inquiry for Nothing {
    fn need(&mut self) -> Vec<(u64, Request)> {
        Vec::new()
    }

    fn answer(&mut self, _: u64, _: Result<Response, Reason>, _: i64) {}

    fn finish(self: Box<Self>) -> Vec<Reply> {
        let gap = || Reply::Gap(Reason::Unreachable, "the log was not asked".into());
        (0..self.asked).map(|_| gap()).collect()
    }
}
