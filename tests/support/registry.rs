//! A sparse crates registry on the loopback interface, with manners as bad as a test asks for.
//!
//! It serves `/index/config.json`, `/index/<prefix>/<name>` (one JSON row per release) and
//! `/dl/<name>/<version>/download`, HTTP/1.1 with keep-alive, entity tags and lengths. Requests in the
//! absolute form of a proxy are answered alike, so that cargo can be shown a registry of any name.
//! It remembers every request. Names that need a proxy tunnel (CONNECT) are refused.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::archive::{Crate, sha256};

/// How an answer goes wrong.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// This status with an empty body.
    Status(u16),
    /// 429 with `Retry-After` in seconds.
    TooMany(u64),
    /// Silence of this length before the true answer.
    Stall(Duration),
    /// The true length is announced, half of the bytes come, the connection ends.
    ShortBody,
    /// More bytes than the true answer, with a length that fits them.
    LongBody,
    /// The true length is announced, and one byte comes in every tenth of a second.
    Drip,
    /// An announced length beyond all measure.
    HugeLength,
    /// 302 to this address.
    Redirect(String),
    /// 200 with this body.
    Body(Vec<u8>),
    /// The connection is closed without an answer.
    Hangup,
}

struct Release {
    row: Value,
    archive: Vec<u8>,
}

#[derive(Default)]
struct State {
    releases: BTreeMap<String, Vec<Release>>,
    faults: Vec<(String, Fault)>,
    requests: Vec<String>,
    download: Option<String>,
    named: Option<String>,
    demanded: Option<String>,
    credentials: Vec<String>,
}

struct Shared {
    state: Mutex<State>,
    stop: AtomicBool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running registry; it ends when it is dropped.
pub(crate) struct Registry {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Registry {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.stop.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let serving = Arc::clone(&serving);
                thread::spawn(move || {
                    let _ = converse(&stream, &serving, address);
                });
            }
        });
        Self { address, shared }
    }

    /// The address that clients are told, `http://127.0.0.1:PORT` unless `call_it` said otherwise.
    pub(crate) fn origin(&self) -> String {
        let named = self.shared.state().named.clone();
        named.unwrap_or_else(|| self.socket_origin())
    }

    /// Where it really listens.
    pub(crate) fn socket_origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn index_url(&self) -> String {
        format!("{}/index/", self.origin())
    }

    /// From now on its own answers use this origin (clients reach it by a proxy or as a mirror).
    pub(crate) fn call_it(&self, origin: &str) {
        self.shared.state().named = Some(origin.to_owned());
    }

    /// The `dl` template of `config.json`, in place of `<origin>/dl`.
    pub(crate) fn download_from(&self, template: &str) {
        self.shared.state().download = Some(template.to_owned());
    }

    /// Publishes a crate whose dependencies live in this registry and returns the archive.
    pub(crate) fn publish(&self, release: &Crate) -> Vec<u8> {
        let archive = release.archive(Some(&self.index_url()));
        self.publish_bytes(release, archive.clone());
        archive
    }

    /// Publishes a crate as the default registry would: dependencies without an address.
    pub(crate) fn publish_default(&self, release: &Crate) -> Vec<u8> {
        let archive = release.archive(None);
        self.publish_bytes(release, archive.clone());
        archive
    }

    /// Publishes these bytes, whatever they are.
    pub(crate) fn publish_bytes(&self, release: &Crate, archive: Vec<u8>) {
        let row = release.index_row(&sha256(&archive));
        self.publish_row(&release.name, row, archive);
    }

    pub(crate) fn publish_row(&self, name: &str, row: Value, archive: Vec<u8>) {
        let mut state = self.shared.state();
        state
            .releases
            .entry(name.to_owned())
            .or_default()
            .push(Release { row, archive });
    }

    /// The release disappears from the listing; its archive is gone too.
    pub(crate) fn withdraw(&self, name: &str, version: &str) {
        let mut state = self.shared.state();
        if let Some(releases) = state.releases.get_mut(name) {
            releases.retain(|release| release.row["vers"] != version);
            if releases.is_empty() {
                state.releases.remove(name);
            }
        }
    }

    /// Changes the listed row of a release in place (checksum, yanked, dependencies, …).
    pub(crate) fn change_row(&self, name: &str, version: &str, change: impl Fn(&mut Value)) {
        let mut state = self.shared.state();
        let releases = state.releases.get_mut(name).expect("a published crate");
        let release = releases
            .iter_mut()
            .find(|release| release.row["vers"] == version);
        change(&mut release.expect("a published version").row);
    }

    pub(crate) fn yank(&self, name: &str, version: &str) {
        self.change_row(name, version, |row| row["yanked"] = json!(true));
    }

    /// Answers whose path contains `part` go wrong from now on.
    pub(crate) fn misbehave(&self, part: &str, fault: Fault) {
        self.shared.state().faults.push((part.to_owned(), fault));
    }

    pub(crate) fn behave(&self) {
        self.shared.state().faults.clear();
    }

    /// From now on whoever brings another credential than this is turned away (401).
    pub(crate) fn demand(&self, credential: &str) {
        self.shared.state().demanded = Some(credential.to_owned());
    }

    /// Every credential that was brought.
    pub(crate) fn credentials(&self) -> Vec<String> {
        self.shared.state().credentials.clone()
    }

    /// Every request line since the last call of `forget`, as `METHOD PATH`.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.state().requests.clone()
    }

    pub(crate) fn forget(&self) {
        self.shared.state().requests.clear();
    }

    /// What the index and the downloads would answer now, by path: for recording.
    pub(crate) fn answers(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.shared.state();
        let mut answers = BTreeMap::new();
        for (name, releases) in &state.releases {
            answers.insert(format!("index/{}", index_path(name)), rows(releases));
            for release in releases {
                let version = release.row["vers"].as_str().unwrap();
                answers.insert(
                    format!("dl/{name}/{version}/download"),
                    release.archive.clone(),
                );
            }
        }
        answers
    }

    /// A registry that repeats recorded answers (as `answers` returned them).
    pub(crate) fn replay(&self, answers: &BTreeMap<String, Vec<u8>>) {
        for (path, bytes) in answers {
            let Some(path) = path.strip_prefix("index/") else {
                continue;
            };
            let name = path.rsplit('/').next().unwrap();
            for line in bytes
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
            {
                let row: Value = serde_json::from_slice(line).unwrap();
                let version = row["vers"].as_str().unwrap();
                let archive = &answers[&format!("dl/{name}/{version}/download")];
                self.publish_row(name, row.clone(), archive.clone());
            }
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes the accepting thread, which then sees the flag.
        drop(TcpStream::connect(self.address));
    }
}

/// Where a crate's rows lie below the index (`3/a/abc`, `se/rd/serde`).
pub(crate) fn index_path(name: &str) -> String {
    let name = name.to_lowercase();
    match name.len() {
        1 => format!("1/{name}"),
        2 => format!("2/{name}"),
        3 => format!("3/{}/{name}", &name[..1]),
        _ => format!("{}/{}/{name}", &name[..2], &name[2..4]),
    }
}

fn rows(releases: &[Release]) -> Vec<u8> {
    let mut body = Vec::new();
    for release in releases {
        body.extend_from_slice(release.row.to_string().as_bytes());
        body.push(b'\n');
    }
    body
}

fn converse(stream: &TcpStream, shared: &Shared, address: SocketAddr) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split_whitespace();
        let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let (mut tag, mut length, mut close) = (None, 0_u64, false);
        let mut credential = None;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.trim_end().split_once(':') else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "if-none-match" => tag = Some(value.trim().to_owned()),
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "authorization" => credential = Some(value.trim().to_owned()),
                "connection" => close = value.trim().eq_ignore_ascii_case("close"),
                _ => {}
            }
        }
        std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
        let path = match target.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]).to_owned(),
            None => target.to_owned(),
        };
        let (fault, answer) = {
            let mut state = shared.state();
            state.requests.push(format!("{method} {path}"));
            state.credentials.extend(credential.clone());
            let denied = state.demanded.is_some() && state.demanded != credential;
            let fault = state
                .faults
                .iter()
                .find(|(part, _)| path.contains(part.as_str()))
                .map(|(_, fault)| fault.clone());
            (
                fault.or_else(|| denied.then_some(Fault::Status(401))),
                answer(&state, &path, address),
            )
        };
        let mut writer = stream;
        if !send(&mut writer, method, answer, tag.as_deref(), fault)? || close {
            return Ok(());
        }
    }
}

fn answer(state: &State, path: &str, address: SocketAddr) -> Option<Vec<u8>> {
    if path == "/index/config.json" {
        let origin = state
            .named
            .clone()
            .unwrap_or_else(|| format!("http://{address}"));
        let download = state
            .download
            .clone()
            .unwrap_or_else(|| format!("{origin}/dl"));
        let config = json!({"dl": download, "api": origin, "auth-required": false});
        return Some(config.to_string().into_bytes());
    }
    if let Some(wanted) = path.strip_prefix("/index/") {
        let name = wanted.rsplit('/').next()?;
        let (name, releases) = state
            .releases
            .iter()
            .find(|(known, _)| known.to_lowercase() == name)?;
        return (index_path(name) == wanted).then(|| rows(releases));
    }
    let mut parts = path.strip_prefix("/dl/")?.split('/');
    let (name, version) = (parts.next()?, parts.next()?);
    let release = state
        .releases
        .get(name)?
        .iter()
        .find(|release| release.row["vers"] == version);
    release.map(|release| release.archive.clone())
}

/// Writes one answer; false when the connection must end.
fn send(
    writer: &mut impl Write,
    method: &str,
    answer: Option<Vec<u8>>,
    tag: Option<&str>,
    fault: Option<Fault>,
) -> std::io::Result<bool> {
    if method != "GET" && method != "HEAD" {
        writer.write_all(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")?;
        return Ok(true);
    }
    let mut body = answer;
    match fault {
        None => {}
        Some(Fault::Hangup) => return Ok(false),
        Some(Fault::Stall(time)) => thread::sleep(time),
        Some(Fault::Status(code)) => {
            write!(
                writer,
                "HTTP/1.1 {code} As Asked\r\nContent-Length: 0\r\n\r\n"
            )?;
            return Ok(true);
        }
        Some(Fault::TooMany(seconds)) => {
            write!(
                writer,
                "HTTP/1.1 429 Too Many Requests\r\nRetry-After: {seconds}\r\nContent-Length: \
                 0\r\n\r\n"
            )?;
            return Ok(true);
        }
        Some(Fault::Redirect(to)) => {
            write!(
                writer,
                "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
            )?;
            return Ok(true);
        }
        Some(Fault::ShortBody) => {
            let bytes = body.unwrap_or_default();
            write!(
                writer,
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                bytes.len()
            )?;
            writer.write_all(&bytes[..bytes.len() / 2])?;
            return Ok(false);
        }
        Some(Fault::Drip) => {
            let bytes = body.unwrap_or_default();
            write!(
                writer,
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                bytes.len()
            )?;
            for byte in bytes {
                writer.write_all(&[byte])?;
                writer.flush()?;
                thread::sleep(Duration::from_millis(100));
            }
            return Ok(false);
        }
        Some(Fault::HugeLength) => {
            write!(
                writer,
                "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n"
            )?;
            writer.write_all(&body.unwrap_or_default())?;
            return Ok(false);
        }
        Some(Fault::LongBody) => {
            let mut bytes = body.unwrap_or_default();
            bytes.extend_from_slice(&[b'#'; 4096]);
            body = Some(bytes);
        }
        Some(Fault::Body(bytes)) => body = Some(bytes),
    }
    let Some(body) = body else {
        writer.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?;
        return Ok(true);
    };
    let etag = format!("\"{}\"", &sha256(&body)[..16]);
    if tag == Some(etag.as_str()) {
        write!(writer, "HTTP/1.1 304 Not Modified\r\nETag: {etag}\r\n\r\n")?;
        return Ok(true);
    }
    write!(
        writer,
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nETag: {etag}\r\n\r\n",
        body.len()
    )?;
    if method == "GET" {
        writer.write_all(&body)?;
    }
    writer.flush()?;
    Ok(true)
}
