//! One try of one request: headers out, redirects checked, status judged, body read within its bound.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use reqwest::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION, PRAGMA, RETRY_AFTER,
};
use reqwest::{Certificate, Client, StatusCode, Version, redirect};
use url::Url;

use super::HttpOptions;
use super::address;
use super::retry;
use crate::world::fetch::{FetchError, Request, Response};
use crate::world::real::clock::wall_seconds;

const MAX_REDIRECTS: u32 = 3;
/// Of an answer that says "not there", more is not needed.
const MAX_REFUSAL_BODY: u64 = 64 << 10;
const FIRST_CAPACITY: u64 = 1 << 20;

/// Two clients: what lies on this machine is never asked by way of a proxy.
#[derive(Clone)]
pub(super) struct Clients {
    outside: Client,
    loopback: Client,
    /// What is too slow: fewer bytes in this time.
    slow: (Duration, u64),
}

impl Clients {
    /// Builds both; the error is a fragment for people.
    pub(super) fn new(options: &HttpOptions) -> Result<Self, String> {
        // Another part of the process may have chosen a provider already: then that one stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            outside: build(options, false)?,
            loopback: build(options, true)?,
            slow: options.caps.slow,
        })
    }

    fn for_address(&self, url: &Url) -> &Client {
        if address::is_loopback(url) {
            &self.loopback
        } else {
            &self.outside
        }
    }
}

fn build(options: &HttpOptions, loopback: bool) -> Result<Client, String> {
    let mut builder = Client::builder()
        .user_agent(concat!("untaint/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(options.caps.connect)
        .read_timeout(options.caps.read)
        .pool_max_idle_per_host(options.caps.http1)
        .http2_adaptive_window(true);
    if loopback {
        builder = builder.no_proxy();
    } else {
        builder = builder.https_only(true);
    }
    if let Some(pem) = &options.ca_bundle {
        let bundle = Certificate::from_pem_bundle(pem)
            .map_err(|_| "the --ca-bundle file holds no readable PEM certificates".to_owned())?;
        if bundle.is_empty() {
            return Err("the --ca-bundle file holds no PEM certificates".to_owned());
        }
        builder = builder.tls_certs_only(bundle);
    }
    builder.build().map_err(|error| {
        format!(
            "no TLS: {}; name a file of certificates with --ca-bundle",
            describe(&error)
        )
    })
}

/// How one try ended without an answer.
pub(super) enum Failure {
    /// Trying again may help; after the pause that the server asked for, if it did.
    Transient {
        why: String,
        after: Option<Duration>,
    },
    /// Trying again is useless.
    Final(FetchError),
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        Self::Final(error)
    }
}

/// An answer, and whether it came over HTTP/2.
pub(super) struct Answered {
    pub(super) response: Response,
    pub(super) http2: bool,
}

/// Sends a request once, redirects included.
pub(super) async fn attempt(
    clients: &Clients,
    first: &Url,
    request: &Request,
    sent: &AtomicU64,
) -> Result<Answered, Failure> {
    let mut url = first.clone();
    let home = address::origin(first);
    for _ in 0..=MAX_REDIRECTS {
        let headers = headers(request, address::origin(&url) == home)?;
        sent.fetch_add(1, Ordering::Relaxed);
        let client = clients.for_address(&url);
        let asked = match &request.post {
            None => client.get(url.clone()),
            Some(json) => client
                .post(url.clone())
                .header(CONTENT_TYPE, "application/json")
                .body(json.to_vec()),
        };
        let answer = asked
            .headers(headers)
            .send()
            .await
            .map_err(|e| transient(describe(&e)))?;
        let status = answer.status();
        if is_redirect(status) && request.post.is_some() {
            return Err(FetchError::Refused("a redirect of a message".into()).into());
        }
        if is_redirect(status) {
            let location = text(answer.headers(), &LOCATION)
                .ok_or_else(|| FetchError::Refused("a redirect without an address".into()))?;
            url = address::redirect(&url, &location, &request.allow_origins)?;
            continue;
        }
        return judge(answer, request, clients.slow).await;
    }
    Err(FetchError::Refused(format!("more than {MAX_REDIRECTS} redirects")).into())
}

async fn judge(
    answer: reqwest::Response,
    request: &Request,
    slow: (Duration, u64),
) -> Result<Answered, Failure> {
    let status = answer.status();
    let http2 = answer.version() == Version::HTTP_2;
    let etag = text(answer.headers(), &ETAG).map(Into::into);
    let last_modified = text(answer.headers(), &LAST_MODIFIED).map(Into::into);
    let body = match status.as_u16() {
        200 => body(answer, request.max_bytes, slow).await?,
        201..=204 if request.post.is_some() => Vec::new(),
        304 => Vec::new(),
        404 | 410 | 451 => {
            match body(answer, MAX_REFUSAL_BODY.min(request.max_bytes), slow).await {
                Err(Failure::Final(FetchError::TooLarge(_))) => Vec::new(),
                other => other?,
            }
        }
        401 | 403 | 407 => return Err(FetchError::Denied(status.as_u16()).into()),
        408 | 425 | 429 | 500 | 502..=504 => {
            let after = text(answer.headers(), &RETRY_AFTER)
                .and_then(|value| retry::retry_after(&value, wall_seconds()));
            return Err(Failure::Transient {
                why: format!("status {}", status.as_u16()),
                after,
            });
        }
        other => return Err(FetchError::Unreachable(format!("status {other}")).into()),
    };
    Ok(Answered {
        response: Response {
            status: status.as_u16(),
            body,
            etag,
            last_modified,
        },
        http2,
    })
}

/// Reads a body chunk by chunk; the bound holds for what comes out of inflating.
async fn body(
    mut answer: reqwest::Response,
    max: u64,
    (time, least): (Duration, u64),
) -> Result<Vec<u8>, Failure> {
    let announced = answer.content_length();
    if announced.is_some_and(|length| length > max) {
        return Err(FetchError::TooLarge(max).into());
    }
    let capacity = announced.unwrap_or(0).min(FIRST_CAPACITY);
    let mut bytes = Vec::with_capacity(usize::try_from(capacity).unwrap_or(0));
    let (mut since, mut before) = (Instant::now(), 0u64);
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => {
                if bytes.len() as u64 + chunk.len() as u64 > max {
                    return Err(FetchError::TooLarge(max).into());
                }
                bytes.extend_from_slice(&chunk);
                let now = bytes.len() as u64;
                if since.elapsed() >= time && announced != Some(now) {
                    if now.saturating_sub(before) < least {
                        let why = format!(
                            "too slow: fewer than {least} bytes in {} s",
                            time.as_secs_f32()
                        );
                        return Err(FetchError::Unreachable(why).into());
                    }
                    (since, before) = (Instant::now(), now);
                }
            }
            Ok(None) => return Ok(bytes),
            Err(error) if error.is_timeout() => return Err(transient(describe(&error))),
            Err(error) => {
                return Err(transient(format!(
                    "the answer was cut short ({})",
                    describe(&error)
                )));
            }
        }
    }
}

fn headers(request: &Request, at_home: bool) -> Result<HeaderMap, FetchError> {
    let mut headers = HeaderMap::new();
    let mut put = |name: HeaderName, value: &str, sensitive: bool| {
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            FetchError::Refused(format!("a value that does not fit the header {name}"))
        })?;
        value.set_sensitive(sensitive);
        headers.insert(name, value);
        Ok::<(), FetchError>(())
    };
    if let Some(accept) = request.accept {
        put(ACCEPT, accept, false)?;
    }
    if let Some(etag) = &request.etag {
        put(IF_NONE_MATCH, etag, false)?;
    }
    if let Some(date) = &request.last_modified {
        put(IF_MODIFIED_SINCE, date, false)?;
    }
    if request.fresh {
        put(CACHE_CONTROL, "no-cache", false)?;
        put(PRAGMA, "no-cache", false)?;
    }
    if let Some(secret) = &request.authorization
        && at_home
    {
        put(AUTHORIZATION, secret.reveal(), true)?;
    }
    Ok(headers)
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn transient(why: String) -> Failure {
    Failure::Transient { why, after: None }
}

/// What went wrong, without the address: it may hold what is nobody's business.
fn describe(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "timed out".to_owned();
    }
    let mut root: &dyn std::error::Error = error;
    while let Some(source) = root.source() {
        root = source;
    }
    let cause = if std::ptr::addr_eq(root, error) {
        "the request failed".to_owned()
    } else {
        crate::model::text::printable(&root.to_string())
    };
    if error.is_connect() {
        format!("no connection: {cause}")
    } else {
        cause
    }
}
