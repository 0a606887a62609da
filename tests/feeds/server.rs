//! A server on the loopback interface with one answer, that can be changed, and a list of what it was asked.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is answered to any path.
#[derive(Clone)]
pub(crate) enum Answer {
    /// 200 with this entity tag and body; 304 to a request that names the tag.
    Feed(&'static str, Vec<u8>),
    /// A status line with an empty body.
    Status(&'static str),
    /// 200 with a promise of more bytes than come.
    Torn(Vec<u8>),
    /// The head of a 200, then silence.
    Stall,
}

/// The server; its threads live as long as the test process.
pub(crate) struct Server {
    pub(crate) url: String,
    answer: Arc<Mutex<Answer>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn new(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/feed/all.zip", listener.local_addr().unwrap());
        let server = Self {
            url,
            answer: Arc::new(Mutex::new(answer)),
            asked: Arc::default(),
        };
        let (answer, asked) = (Arc::clone(&server.answer), Arc::clone(&server.asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, asked) = (Arc::clone(&answer), Arc::clone(&asked));
                std::thread::spawn(move || serve(&stream, &answer, &asked));
            }
        });
        server
    }

    pub(crate) fn now_answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// The heads of all requests so far, lower-case.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut stream: &TcpStream, answer: &Mutex<Answer>, asked: &Mutex<Vec<String>>) {
    let mut head = String::new();
    let mut reader = BufReader::new(stream);
    while reader.read_line(&mut head).unwrap_or(0) > 2 {}
    let head = head.to_lowercase();
    if head.is_empty() {
        return;
    }
    asked.lock().unwrap().push(head.clone());
    let plain = |status: &str, headers: &str, length: usize| {
        format!(
            "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n"
        )
    };
    let answer = answer.lock().unwrap().clone();
    match answer {
        Answer::Feed(etag, _) if head.contains(&format!("if-none-match: {etag}")) => {
            let _ = stream.write_all(plain("304 Not Modified", "", 0).as_bytes());
        }
        Answer::Feed(etag, body) => {
            let tag = format!("ETag: {etag}\r\n");
            let _ = stream.write_all(plain("200 OK", &tag, body.len()).as_bytes());
            let _ = stream.write_all(&body);
        }
        Answer::Status(status) => {
            let _ = stream.write_all(plain(status, "", 0).as_bytes());
        }
        Answer::Torn(body) => {
            let _ = stream.write_all(plain("200 OK", "", body.len() + 1000).as_bytes());
            let _ = stream.write_all(&body);
        }
        Answer::Stall => {
            let _ = stream.write_all(plain("200 OK", "", 1000).as_bytes());
            std::thread::sleep(Duration::from_secs(30));
        }
    }
}
