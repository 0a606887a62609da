//! The network thread: one current-thread runtime, one task per batch, one lane per origin, tries and pauses.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use url::Url;

use super::exchange::{self, Clients, Failure};
use super::host::Host;
use super::retry::{self, Chance};
use super::{Caps, Shared, address};
use crate::world::fetch::{FetchError, Request, Response};
use crate::world::real::cancel::Cancel;
use crate::world::real::clock::wall_seconds;

/// How often a running batch asks whether it should end.
const HEARTBEAT: Duration = Duration::from_millis(50);

type Answer = (usize, Result<Response, FetchError>);

/// A batch on its way to the thread.
pub(super) struct Job {
    pub(super) requests: Vec<Request>,
    pub(super) done: mpsc::Sender<Answer>,
}

/// What every request of the run shares.
struct Desk {
    clients: Clients,
    caps: Caps,
    shared: Arc<Shared>,
    cancel: Cancel,
    total: Semaphore,
}

/// Starts the thread; it ends when the sender is dropped. The error is a fragment for people.
pub(super) fn start(
    clients: Clients,
    caps: Caps,
    shared: Arc<Shared>,
    cancel: Cancel,
) -> Result<mpsc::UnboundedSender<Job>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| format!("no network runtime: {e}"))?;
    let desk = Arc::new(Desk {
        total: Semaphore::new(caps.total),
        clients,
        caps,
        shared,
        cancel,
    });
    let (sender, mut jobs) = mpsc::unbounded_channel::<Job>();
    std::thread::Builder::new()
        .name("network".to_owned())
        .spawn(move || {
            runtime.block_on(async {
                while let Some(job) = jobs.recv().await {
                    tokio::spawn(run(Arc::clone(&desk), job));
                }
            });
        })
        .map_err(|e| format!("no network thread: {e}"))?;
    Ok(sender)
}

/// Answers a batch; on cancelling, drops what is in flight and answers no more.
async fn run(desk: Arc<Desk>, job: Job) {
    let mut queues: BTreeMap<String, VecDeque<(usize, Url, Request)>> = BTreeMap::new();
    for (position, request) in job.requests.into_iter().enumerate() {
        match address::parse(&request.url) {
            Ok(url) => queues
                .entry(address::origin(&url))
                .or_default()
                .push_back((position, url, request)),
            Err(error) => {
                if job.done.send((position, Err(error))).await.is_err() {
                    return;
                }
            }
        }
    }
    let mut lanes = JoinSet::new();
    for (origin, queue) in queues {
        let host = desk.shared.hosts().of(&origin);
        lanes.spawn(lane(Arc::clone(&desk), host, queue, job.done.clone()));
    }
    drop(job.done);
    let mut heartbeat = tokio::time::interval(HEARTBEAT);
    loop {
        tokio::select! {
            ended = lanes.join_next() => if ended.is_none() { return },
            _ = heartbeat.tick() => if desk.cancel.cancelled() { return },
        }
    }
}

/// The requests of a batch to one origin, as many at once as fit.
async fn lane(
    desk: Arc<Desk>,
    host: Arc<Host>,
    mut queue: VecDeque<(usize, Url, Request)>,
    done: mpsc::Sender<Answer>,
) {
    let mut flying = JoinSet::new();
    loop {
        while flying.len() < host.width() {
            let Some((position, url, request)) = queue.pop_front() else {
                break;
            };
            let (desk, host) = (Arc::clone(&desk), Arc::clone(&host));
            flying.spawn(async move { (position, answer(&desk, &host, &url, &request).await) });
        }
        match flying.join_next().await {
            None => return,
            // A task that ended without an answer leaves its position open; the port closes it.
            Some(Err(_)) => {}
            Some(Ok(answer)) => {
                if done.send(answer).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// One request with its tries, within its time.
async fn answer(
    desk: &Desk,
    host: &Host,
    url: &Url,
    request: &Request,
) -> Result<Response, FetchError> {
    let (Ok(_mine), Ok(_ours)) = (host.permits.acquire().await, desk.total.acquire().await) else {
        return Err(FetchError::Cancelled);
    };
    if host.is_open(desk.caps.breaker) {
        return Err(FetchError::Unreachable(
            "circuit open: too many failures in a row".into(),
        ));
    }
    let most = desk.caps.request;
    let most = request.within.map_or(most, |within| within.min(most));
    let result = tokio::time::timeout(most, tries(desk, host, url, request))
        .await
        .unwrap_or_else(|_| Err(FetchError::Unreachable("timed out".into())));
    match &result {
        Err(FetchError::Unreachable(_)) => {
            host.failed();
            host.widen(desk.caps.http1);
        }
        Err(FetchError::Cancelled) => {}
        // Too large, refused or denied: the origin answers, whatever it says.
        Ok(_) | Err(_) => host.succeeded(),
    }
    result
}

async fn tries(
    desk: &Desk,
    host: &Host,
    url: &Url,
    request: &Request,
) -> Result<Response, FetchError> {
    let mut number = 1;
    loop {
        let wait = host.wait();
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        let failure = match exchange::attempt(&desk.clients, url, request, &desk.shared.sent).await
        {
            Ok(answered) => {
                host.widen(if answered.http2 {
                    desk.caps.http2
                } else {
                    desk.caps.http1
                });
                return Ok(answered.response);
            }
            Err(failure) => failure,
        };
        let (why, after) = match failure {
            Failure::Final(error) => return Err(error),
            Failure::Transient { why, after } => (why, after),
        };
        host.mark_degraded();
        if let Some(after) = after {
            if after > desk.caps.retry_after {
                return Err(FetchError::Unreachable(format!(
                    "{why}, and asks to wait {} s",
                    after.as_secs()
                )));
            }
            host.pause(after);
        }
        number += 1;
        if number > desk.caps.tries {
            return Err(FetchError::Unreachable(why));
        }
        tokio::time::sleep(retry::pause(desk.caps.pause, number, &mut chance(url))).await;
    }
}

/// Jitter that differs between processes, moments and addresses.
fn chance(url: &Url) -> Chance {
    let time = wall_seconds().unsigned_abs();
    let path = url
        .path()
        .bytes()
        .fold(0u64, |sum, b| sum.rotate_left(5) ^ u64::from(b));
    Chance::new(time ^ path ^ (u64::from(std::process::id()) << 32))
}
