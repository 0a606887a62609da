//! The registry index as an authority: the sparse protocol (cargo 1.68 and later), one file per crate.
//!
//! `<base>/config.json` names the download address; `<base>/<prefix>/<name>` holds one JSON line per version.

use std::sync::Arc;

use serde::Deserialize;

use crate::ecosystems::contract::{
    ArchiveFormat, ArchivePart, Authority, Inquiry, Question, Reply,
};
use crate::model::{ArtifactId, Digest, Listing, Reason, VersionFacts};
use crate::world::{Request, Response};

use super::index_line;

/// Largest index file in bytes; the largest public one has about 10 MB.
const LARGEST_FILE: u64 = 64 << 20;
/// Largest `config.json`.
const LARGEST_CONFIG: u64 = 64 << 10;

/// Under this name, which no crate can have, an index's `config.json` is asked about.
pub(super) const CONFIG: &str = "config.json";

/// The authority.
pub(super) struct SparseIndex;

impl Authority for SparseIndex {
    fn role(&self) -> &'static str {
        "index"
    }

    fn begin(&self, address: &str, questions: Vec<Question>) -> Box<dyn Inquiry> {
        let replies = questions
            .iter()
            .map(|_| Reply::Gap(Reason::Unreachable, "was not asked".into()))
            .collect();
        Box::new(Asking {
            base: address.to_owned(),
            questions,
            replies,
            sent: false,
        })
    }

    fn archive_part(&self, artifact: &ArtifactId) -> ArchivePart {
        ArchivePart {
            rel: std::path::PathBuf::from(&*artifact.file),
            format: ArchiveFormat::CrateTarGz,
            size: 0,
            top: Arc::from(format!(
                "{}-{}",
                artifact.coordinate.name, artifact.coordinate.version
            )),
            empty_is_absent: false,
        }
    }

    fn archive_request(
        &self,
        root_config: Option<&[u8]>,
        address: &str,
        artifact: &ArtifactId,
        digest: &Digest,
        max_bytes: u64,
    ) -> Option<Request> {
        let config: Config = serde_json::from_slice(root_config?).ok()?;
        let name = &*artifact.coordinate.name;
        let version = &*artifact.coordinate.version;
        let template = config.dl;
        let url = if template.contains('{') {
            template
                .replace("{crate}", name)
                .replace("{version}", version)
                .replace("{prefix}", &prefix(name))
                .replace("{lowerprefix}", &prefix(&name.to_lowercase()))
                .replace("{sha256-checksum}", &digest.hex())
        } else {
            format!("{template}/{name}/{version}/download")
        };
        let parsed = url::Url::parse(&url).ok()?;
        let index = url::Url::parse(address).ok()?;
        let mut request = Request::get(url, max_bytes);
        let origins = vec![
            parsed.origin().ascii_serialization(),
            index.origin().ascii_serialization(),
        ];
        request.allow_origins = Arc::from(origins);
        Some(request)
    }

    fn config_request(&self, address: &str) -> Option<Request> {
        Some(Request::get(format!("{address}{CONFIG}"), LARGEST_CONFIG))
    }
}

#[derive(Deserialize)]
struct Config {
    dl: String,
    #[serde(default)]
    api: Option<String>,
    #[serde(default, rename = "auth-required")]
    auth_required: bool,
}

/// What an index's `config.json` says, as one version's facts.
pub(super) fn config_facts(bytes: &[u8]) -> Option<VersionFacts> {
    let config: Config = serde_json::from_slice(bytes).ok()?;
    let mut hasher = blake3::Hasher::new();
    for text in [&config.dl, config.api.as_ref().unwrap_or(&String::new())] {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.trim_end_matches('/').as_bytes());
    }
    hasher.update(&[u8::from(config.auth_required)]);
    let mut facts = [0; 16];
    for (to, from) in facts.iter_mut().zip(hasher.finalize().as_bytes()) {
        *to = *from;
    }
    Some(VersionFacts {
        version: Arc::from(CONFIG),
        digests: Vec::new(),
        yanked: false,
        withdrawn: false,
        published_at: None,
        facts,
    })
}

/// The folder part of an index path: `1`, `2`, `3/a`, `ab/cd`.
pub(super) fn prefix(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let part = |from: usize, to: usize| {
        chars
            .get(from..to)
            .unwrap_or_default()
            .iter()
            .collect::<String>()
    };
    match chars.len() {
        0 => String::new(),
        1 => "1".into(),
        2 => "2".into(),
        3 => format!("3/{}", part(0, 1)),
        _ => format!("{}/{}", part(0, 2), part(2, 4)),
    }
}

struct Asking {
    base: String,
    questions: Vec<Question>,
    replies: Vec<Reply>,
    sent: bool,
}

impl Inquiry for Asking {
    fn need(&mut self) -> Vec<(u64, Request)> {
        if std::mem::replace(&mut self.sent, true) {
            return Vec::new();
        }
        (0u64..)
            .zip(&self.questions)
            .map(|(key, question)| (key, self.request(question)))
            .collect()
    }

    fn answer(&mut self, key: u64, response: Result<Response, Reason>, now: i64) {
        let Ok(at) = usize::try_from(key) else { return };
        let (Some(question), Some(slot)) = (self.questions.get(at), self.replies.get_mut(at))
        else {
            return;
        };
        *slot = match response {
            Err(reason) => Reply::Gap(reason, "it did not answer".into()),
            Ok(response) => reply(question, response, now),
        };
    }

    fn finish(self: Box<Self>) -> Vec<Reply> {
        self.replies
    }
}

impl Asking {
    fn request(&self, question: &Question) -> Request {
        let path = if &*question.name == CONFIG {
            CONFIG.to_owned()
        } else {
            let name = question.name.to_lowercase();
            format!("{}/{name}", prefix(&name))
        };
        let mut request = Request::get(format!("{}{path}", self.base), LARGEST_FILE);
        // A conditional request is of use only if what is known says something of every version that matters.
        let known = question.known.as_ref().filter(|known| {
            question
                .versions
                .iter()
                .all(|v| known.version(v).is_some_and(|f| !f.withdrawn))
        });
        if let Some(known) = known {
            request.etag.clone_from(&known.etag);
            request.last_modified.clone_from(&known.last_modified);
        }
        request.fresh = question.fresh;
        request
    }
}

fn reply(question: &Question, response: Response, now: i64) -> Reply {
    match response.status {
        200 => {
            let mut listing = if &*question.name == CONFIG {
                let facts = config_facts(&response.body);
                Listing {
                    complete: facts.is_some(),
                    versions: facts.into_iter().collect(),
                    ..Listing::default()
                }
            } else {
                listing(&response.body, &question.name)
            };
            if listing.versions.is_empty() {
                return Reply::Gap(Reason::Unreachable, "its answer is no index file".into());
            }
            listing.fetched_at = now;
            listing.confirmed_at = now;
            listing.etag = response.etag;
            listing.last_modified = response.last_modified;
            Reply::Listing(Arc::new(listing))
        }
        304 => match &question.known {
            Some(known) => Reply::Listing(Arc::new(Listing {
                confirmed_at: now,
                ..(**known).clone()
            })),
            None => Reply::Gap(
                Reason::Unreachable,
                "it answered a question that was not asked".into(),
            ),
        },
        404 | 410 | 451 => Reply::NoSuchPackage,
        status => Reply::Gap(
            Reason::Unreachable,
            format!("it answered with status {status}"),
        ),
    }
}

/// Reads an index file. A line that cannot be read makes the listing incomplete: what it does not show may exist.
fn listing(body: &[u8], name: &str) -> Listing {
    let mut listing = Listing {
        complete: true,
        ..Listing::default()
    };
    for line in body
        .split(|b| *b == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
    {
        match index_line::parse(line) {
            Some(parsed) if parsed.name.eq_ignore_ascii_case(name) => {
                listing.versions.push(parsed.facts);
            }
            Some(_) | None => listing.complete = false,
        }
    }
    listing
}

#[cfg(test)]
#[path = "authority_tests.rs"]
mod tests;
