//! The network port: batches of GET requests, answered in any order; and now and then a message that the user wants sent.
//!
//! What implements it must hold (DESIGN section 2): requests go only to the given addresses, over https unless loopback;
//! redirects, at most 3, only to origins that the request allows; bodies are bounded; no credentials unless the request
//! carries them, and those never follow a redirect to another origin; per-host limits, back-off with jitter,
//! `Retry-After`, and a circuit breaker per host that ends in [`FetchError::Unreachable`].

use std::sync::Arc;
use std::time::Duration;

/// A GET request, or a message.
#[derive(Debug, Clone)]
pub struct Request {
    /// Absolute address.
    pub url: Arc<str>,
    /// Entity tag of what is already known, for a conditional request.
    pub etag: Option<Arc<str>>,
    /// Date of what is already known, for a conditional request.
    pub last_modified: Option<Arc<str>>,
    /// Value of the `Accept` header.
    pub accept: Option<&'static str>,
    /// Value of the `Authorization` header: sent to this exact origin only. Never shown.
    pub authorization: Option<Secret>,
    /// Largest body to take, in bytes.
    pub max_bytes: u64,
    /// Ask past caches on the way.
    pub fresh: bool,
    /// Further origins (`https://host:port`) that a redirect may lead to.
    pub allow_origins: Arc<[String]>,
    /// JSON to send by POST; only what the user asked for is ever sent. No redirect is followed then.
    pub post: Option<Arc<[u8]>>,
    /// Longest time for all of it, retries included, where less than the port's own is wanted.
    pub within: Option<Duration>,
}

impl Request {
    /// A plain request with a body limit.
    pub fn get(url: impl Into<Arc<str>>, max_bytes: u64) -> Self {
        Self {
            url: url.into(),
            etag: None,
            last_modified: None,
            accept: None,
            authorization: None,
            max_bytes,
            fresh: false,
            allow_origins: Arc::from([]),
            post: None,
            within: None,
        }
    }
}

/// A credential; its `Debug` shows nothing.
#[derive(Clone)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Wraps a credential.
    pub fn new(text: &str) -> Self {
        Self(Arc::from(text))
    }

    /// The credential itself; only the network port asks.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// An answer with status 200, 304, 404, 410 or 451, or to a message with any of 200 to 204; everything else is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Body; empty for 304.
    pub body: Vec<u8>,
    /// Entity tag.
    pub etag: Option<Arc<str>>,
    /// Modification date as the server wrote it.
    pub last_modified: Option<Arc<str>>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The server did not answer, or only with errors, after retries; or the circuit is open.
    #[error("did not answer: {0}")]
    Unreachable(String),
    /// The body is larger than asked for.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(u64),
    /// The address or a redirect is not allowed.
    #[error("refused: {0}")]
    Refused(String),
    /// The server wants credentials, or denies them (401, 403, 407).
    #[error("access denied (status {0})")]
    Denied(u16),
    /// The run was cancelled.
    #[error("the run was ended")]
    Cancelled,
}

/// What the network did, for the report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkFacts {
    /// Requests that were sent, retries included.
    pub requests: u64,
    /// Whether a proxy is in use.
    pub proxy: bool,
    /// Whether a certificate bundle was given.
    pub ca_bundle: bool,
    /// Origins that were slow, limited or down.
    pub degraded: Vec<String>,
}

/// Sends requests.
pub trait Fetch: Send + Sync {
    /// Sends a batch, many at once over few connections, and hands over each answer as it comes, with its position.
    /// Returns when every request was answered once.
    fn batch(
        &self,
        requests: Vec<Request>,
        answer: &mut dyn FnMut(usize, Result<Response, FetchError>),
    );

    /// What was done so far.
    fn facts(&self) -> NetworkFacts;
}

/// The port of an offline run: no packet leaves.
pub struct NoNetwork;

impl Fetch for NoNetwork {
    fn batch(
        &self,
        requests: Vec<Request>,
        answer: &mut dyn FnMut(usize, Result<Response, FetchError>),
    ) {
        for position in 0..requests.len() {
            answer(position, Err(FetchError::Unreachable("offline".into())));
        }
    }

    fn facts(&self) -> NetworkFacts {
        NetworkFacts::default()
    }
}
