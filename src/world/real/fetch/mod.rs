//! Requests over HTTP/2 or HTTP/1.1 by one asynchronous client in one thread, behind the synchronous port.
//!
//! Must hold what `world::fetch` promises: https or loopback only, redirects checked by us (the client follows none),
//! bodies bounded while they stream and after inflating, credentials for their own origin only and in no message,
//! polite per origin, and an end for every request. HTTP semantics: RFC 9110; reqwest 0.13 with rustls and ring.

mod address;
mod batch;
mod exchange;
mod host;
mod retry;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use self::batch::Job;
use self::host::Hosts;
use super::cancel::Cancel;
use crate::world::fetch::{Fetch, FetchError, NetworkFacts, Request, Response};

/// Bounds of the port; tests make them small.
#[derive(Debug, Clone)]
pub struct Caps {
    /// Time to a connection, TLS included.
    pub connect: Duration,
    /// Longest silence while an answer is awaited or read.
    pub read: Duration,
    /// An answer that brings fewer bytes than this in this time is given up.
    pub slow: (Duration, u64),
    /// Longest time for one request with its retries.
    pub request: Duration,
    /// Tries of one request.
    pub tries: u32,
    /// Pause before the second try; doubles each time, half of it by chance.
    pub pause: Duration,
    /// Longest `Retry-After` that is waited for.
    pub retry_after: Duration,
    /// Failed requests in a row after which an origin is asked no more.
    pub breaker: u32,
    /// Requests in flight to an origin that speaks HTTP/2.
    pub http2: usize,
    /// Requests in flight to an origin that speaks HTTP/1.1.
    pub http1: usize,
    /// Requests in flight in all.
    pub total: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(20),
            slow: (Duration::from_secs(10), 16 << 10),
            request: Duration::from_secs(300),
            tries: 3,
            pause: Duration::from_millis(500),
            retry_after: Duration::from_secs(30),
            breaker: 5,
            http2: 64,
            http1: 6,
            total: 128,
        }
    }
}

/// What the user decided about the network.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Certificates (PEM) to believe instead of the system's: `--ca-bundle`.
    pub ca_bundle: Option<Vec<u8>>,
    /// Whether the environment names a proxy; the client reads the details itself.
    pub proxy: bool,
    /// Bounds.
    pub caps: Caps,
}

/// Sends requests over the network.
pub struct HttpFetch {
    options: HttpOptions,
    cancel: Cancel,
    shared: Arc<Shared>,
    worker: OnceLock<Result<mpsc::UnboundedSender<Job>, String>>,
}

/// What the worker and the port both see.
#[derive(Default)]
struct Shared {
    sent: AtomicU64,
    hosts: Mutex<Hosts>,
}

impl HttpFetch {
    /// Opens nothing yet: thread, client and connections begin with the first batch.
    pub fn new(options: HttpOptions, cancel: Cancel) -> Self {
        Self {
            options,
            cancel,
            shared: Arc::default(),
            worker: OnceLock::new(),
        }
    }

    fn worker(&self) -> Result<&mpsc::UnboundedSender<Job>, &str> {
        self.worker
            .get_or_init(|| {
                let clients = exchange::Clients::new(&self.options)?;
                batch::start(
                    clients,
                    self.options.caps.clone(),
                    Arc::clone(&self.shared),
                    self.cancel.clone(),
                )
            })
            .as_ref()
            .map_err(String::as_str)
    }
}

impl Fetch for HttpFetch {
    fn batch(
        &self,
        requests: Vec<Request>,
        answer: &mut dyn FnMut(usize, Result<Response, FetchError>),
    ) {
        let mut open = vec![true; requests.len()];
        let (done, mut answers) = mpsc::channel(16);
        let sent = match self.worker() {
            Ok(worker) => worker
                .send(Job { requests, done })
                .map_err(|_| "the network thread ended"),
            Err(why) => Err(why),
        };
        if let Err(why) = sent {
            for position in 0..open.len() {
                answer(position, Err(FetchError::Unreachable(why.to_owned())));
            }
            return;
        }
        while let Some((position, result)) = answers.blocking_recv() {
            if let Some(slot) = open.get_mut(position)
                && std::mem::take(slot)
            {
                answer(position, result);
            }
        }
        for (position, _) in open.iter().enumerate().filter(|(_, open)| **open) {
            answer(position, Err(FetchError::Cancelled));
        }
    }

    fn facts(&self) -> NetworkFacts {
        NetworkFacts {
            requests: self.shared.sent.load(Ordering::Relaxed),
            proxy: self.options.proxy,
            ca_bundle: self.options.ca_bundle.is_some(),
            degraded: self.shared.hosts().degraded(),
        }
    }
}

impl Shared {
    fn hosts(&self) -> std::sync::MutexGuard<'_, Hosts> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod bad_server;
#[cfg(test)]
mod tests;
