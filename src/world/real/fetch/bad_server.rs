//! A loopback server for tests: one scripted answer per connection and path, byte for byte, however wrong.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a path answers, in order; the last step stays.
#[derive(Clone)]
pub(super) enum Step {
    /// These bytes, then the connection ends.
    Bytes(Vec<u8>),
    /// Silence.
    Stall,
    /// Announces 900 bytes and sends one every tenth of a second.
    Drip,
}

/// Status line, headers and body with its true length.
pub(super) fn says(status: &str, headers: &str, body: &[u8]) -> Step {
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    Step::Bytes(bytes)
}

#[derive(Default)]
struct Script {
    steps: BTreeMap<String, Vec<Step>>,
    seen: Vec<String>,
}

/// The server; its thread lives as long as the test process.
pub(super) struct BadServer {
    pub(super) origin: String,
    script: Arc<Mutex<Script>>,
}

impl BadServer {
    pub(super) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script::default()));
        let shared = Arc::clone(&script);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { origin, script }
    }

    /// What a path answers, in order.
    pub(super) fn on(&self, path: &str, steps: &[Step]) {
        let mut script = self.script.lock().unwrap();
        script.steps.insert(path.to_owned(), steps.to_vec());
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// The heads of all requests so far, lower-case.
    pub(super) fn seen(&self) -> Vec<String> {
        self.script.lock().unwrap().seen.clone()
    }
}

fn serve(stream: TcpStream, script: &Mutex<Script>) {
    let mut head = String::new();
    let mut reader = BufReader::new(&stream);
    while reader.read_line(&mut head).unwrap_or(0) > 2 {}
    let Some(path) = head.split(' ').nth(1).map(str::to_owned) else {
        return;
    };
    let step = {
        let mut script = script.lock().unwrap();
        script.seen.push(head.to_lowercase());
        match script.steps.get_mut(&path) {
            None => says("404 Not Found", "", b"nothing"),
            Some(steps) if steps.len() > 1 => steps.remove(0),
            Some(steps) => steps[0].clone(),
        }
    };
    match step {
        Step::Bytes(bytes) => {
            let _ = (&stream).write_all(&bytes);
        }
        Step::Stall => std::thread::sleep(Duration::from_secs(20)),
        Step::Drip => {
            let _ = (&stream).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n");
            for _ in 0..200 {
                std::thread::sleep(Duration::from_millis(100));
                if (&stream).write_all(b".").is_err() {
                    return;
                }
            }
        }
    }
}
