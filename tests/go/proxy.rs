//! A module proxy on the loopback interface, with the log behind it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::log::{Log, NAME};
use crate::module::Module;

/// What it serves.
pub(crate) struct Served {
    pub(crate) modules: Vec<Module>,
    pub(crate) log: Log,
    pub(crate) requests: Vec<String>,
    /// Every request is answered with an error of the server.
    pub(crate) silent: bool,
}

/// A running proxy. Its thread ends with the process.
pub(crate) struct Proxy {
    address: SocketAddr,
    pub(crate) served: Arc<Mutex<Served>>,
}

impl Proxy {
    pub(crate) fn start(modules: Vec<Module>) -> Self {
        let mut log = Log::new();
        for module in &modules {
            log.add(
                &module.path,
                &module.version,
                &module.h1(),
                &module.go_mod_h1(),
            );
        }
        let served = Arc::new(Mutex::new(Served {
            modules,
            log,
            requests: Vec::new(),
            silent: false,
        }));
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::clone(&served);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let _ = converse(&stream, &shared);
                });
            }
        });
        Self { address, served }
    }

    /// Publishes one more module.
    pub(crate) fn publish(&self, module: Module) {
        let mut served = self.served.lock().unwrap();
        let (h1, go_mod_h1) = (module.h1(), module.go_mod_h1());
        served
            .log
            .add(&module.path, &module.version, &h1, &go_mod_h1);
        served.modules.push(module);
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn converse(stream: &TcpStream, served: &Mutex<Served>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header)? == 0 || header.trim_end().is_empty() {
                break;
            }
        }
        let path = line
            .split_whitespace()
            .nth(1)
            .unwrap_or("/")
            .replace("%21", "!");
        let (body, silent) = {
            let mut served = served.lock().unwrap();
            served.requests.push(path.clone());
            (answer(&served, &path), served.silent)
        };
        let (status, body) = match body {
            _ if silent => ("500 Internal Server Error", Vec::new()),
            Some(body) => ("200 OK", body),
            None => ("404 Not Found", b"not found".to_vec()),
        };
        let mut writer = stream;
        write!(
            writer,
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )?;
        writer.write_all(&body)?;
        writer.flush()?;
    }
}

/// Takes `!x` back to `X`.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut upper = false;
    for c in text.chars() {
        match c {
            '!' => upper = true,
            c if upper => {
                out.push(c.to_ascii_uppercase());
                upper = false;
            }
            c => out.push(c),
        }
    }
    out
}

fn answer(served: &Served, path: &str) -> Option<Vec<u8>> {
    if let Some(rest) = path.strip_prefix(&format!("/sumdb/{NAME}/")) {
        if let Some(tile) = rest.strip_prefix("tile/") {
            return served.log.tile(tile);
        }
        if let Some(wanted) = rest.strip_prefix("lookup/") {
            let wanted = unescape(wanted);
            let (module, version) = wanted.rsplit_once('@')?;
            return served.log.lookup(module, version).map(String::into_bytes);
        }
        return match rest {
            "supported" => Some(Vec::new()),
            "latest" => Some(served.log.latest().into_bytes()),
            _ => None,
        };
    }
    let (module, file) = path.strip_prefix('/')?.split_once("/@v/")?;
    let module = unescape(module);
    let mut of = served.modules.iter().filter(|m| m.path == module);
    if file == "list" {
        return Some(
            of.map(|m| format!("{}\n", m.version))
                .collect::<String>()
                .into_bytes(),
        );
    }
    let (version, kind) = file.rsplit_once('.')?;
    let module = of.find(|m| m.version == unescape(version))?;
    match kind {
        "info" => Some(
            format!(
                "{{\"Version\":\"{}\",\"Time\":\"2026-01-01T00:00:00Z\"}}",
                module.version
            )
            .into_bytes(),
        ),
        "mod" => Some(module.go_mod().to_vec()),
        "zip" => Some(module.zip()),
        _ => None,
    }
}
