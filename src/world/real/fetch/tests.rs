//! The port against a server that misbehaves in every way we know.

use std::io::Write as _;
use std::time::Instant;

use super::bad_server::{BadServer, Step, says};
use super::*;
use crate::world::fetch::Secret;

type Answers = Vec<Result<Response, FetchError>>;

fn port() -> HttpFetch {
    port_until(Cancel::new(None))
}

fn port_until(cancel: Cancel) -> HttpFetch {
    let caps = Caps {
        connect: Duration::from_secs(2),
        read: Duration::from_millis(300),
        request: Duration::from_secs(8),
        pause: Duration::from_millis(10),
        retry_after: Duration::from_secs(2),
        ..Caps::default()
    };
    let options = HttpOptions {
        ca_bundle: None,
        proxy: false,
        caps,
    };
    HttpFetch::new(options, cancel)
}

fn ask(port: &HttpFetch, requests: Vec<Request>) -> Answers {
    let mut answers: Vec<Option<_>> = requests.iter().map(|_| None).collect();
    port.batch(requests, &mut |position, answer| {
        assert!(
            answers[position].replace(answer).is_none(),
            "answered twice"
        );
    });
    answers.into_iter().map(Option::unwrap).collect()
}

fn get(port: &HttpFetch, url: String) -> Result<Response, FetchError> {
    ask(port, vec![Request::get(url, 1000)]).remove(0)
}

fn unreachable(answer: Result<Response, FetchError>) -> String {
    match answer {
        Err(FetchError::Unreachable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn answers_many_with_what_was_asked_for() {
    let server = BadServer::new();
    for i in 0..40 {
        let body = format!("body {i}");
        server.on(
            &format!("/{i}"),
            &[says(
                "200 OK",
                "ETag: \"e\"\r\nLast-Modified: then\r\n",
                body.as_bytes(),
            )],
        );
    }
    let port = port();
    let requests = (0..40).map(|i| Request::get(server.url(&format!("/{i}")), 1000));
    for (i, answer) in ask(&port, requests.collect()).into_iter().enumerate() {
        let answer = answer.unwrap();
        assert_eq!(answer.body, format!("body {i}").into_bytes());
        assert_eq!(answer.etag.as_deref(), Some("\"e\""));
        assert_eq!(answer.last_modified.as_deref(), Some("then"));
    }
    assert_eq!(port.facts().requests, 40);
    assert_eq!(port.facts().degraded, Vec::<String>::new());
    assert!(ask(&port, Vec::new()).is_empty());
}

#[test]
fn sends_what_the_request_says() {
    let server = BadServer::new();
    server.on("/x", &[says("304 Not Modified", "", b"")]);
    let request = Request {
        etag: Some("\"e\"".into()),
        last_modified: Some("then".into()),
        accept: Some("text/plain"),
        authorization: Some(Secret::new("hunter2")),
        fresh: true,
        ..Request::get(server.url("/x"), 10)
    };
    let answer = ask(&port(), vec![request]).remove(0).unwrap();
    assert_eq!((answer.status, answer.body.len()), (304, 0));
    let head = server.seen().remove(0);
    for line in [
        "get /x http/1.1",
        "if-none-match: \"e\"",
        "if-modified-since: then",
        "accept: text/plain",
        "authorization: hunter2",
        "cache-control: no-cache",
        "user-agent: untaint/",
        "accept-encoding: gzip",
    ] {
        assert!(head.contains(line), "{line} not in {head}");
    }
}

#[test]
fn statuses_that_are_answers_and_those_that_are_not() {
    let server = BadServer::new();
    for status in [404, 410, 451] {
        server.on("/s", &[says(&format!("{status} X"), "", b"why")]);
        let answer = get(&port(), server.url("/s")).unwrap();
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (status, &b"why"[..])
        );
    }
    for status in [401, 403, 407] {
        server.on("/s", &[says(&format!("{status} X"), "", b"")]);
        assert_eq!(
            get(&port(), server.url("/s")),
            Err(FetchError::Denied(status))
        );
    }
    server.on("/s", &[says("418 X", "", b"")]);
    let before = server.seen().len();
    assert_eq!(unreachable(get(&port(), server.url("/s"))), "status 418");
    assert_eq!(server.seen().len(), before + 1, "not tried again");
}

#[test]
fn waits_as_long_as_asked_and_tries_again() {
    let server = BadServer::new();
    let busy = says("429 Too Many Requests", "Retry-After: 1\r\n", b"");
    server.on("/x", &[busy, says("200 OK", "", b"x")]);
    let port = port();
    let began = Instant::now();
    assert_eq!(get(&port, server.url("/x")).unwrap().body, b"x");
    assert!(began.elapsed() >= Duration::from_millis(990));
    assert_eq!(port.facts().degraded, std::slice::from_ref(&server.origin));
    let patience = says("503 X", "Retry-After: 3600\r\n", b"");
    server.on("/y", &[patience]);
    let why = unreachable(get(&port, server.url("/y")));
    assert!(why.contains("3600"), "{why}");
}

#[test]
fn three_tries_and_no_more() {
    let server = BadServer::new();
    server.on("/x", &[says("503 X", "", b"")]);
    let port = port();
    assert_eq!(unreachable(get(&port, server.url("/x"))), "status 503");
    assert_eq!(server.seen().len(), 3);
    assert_eq!(port.facts().requests, 3);
}

#[test]
fn a_server_that_stalls_ends_in_time() {
    let server = BadServer::new();
    server.on("/silent", &[Step::Stall]);
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec();
    server.on("/half", &[Step::Bytes(half.clone()), Step::Bytes(half)]);
    let began = Instant::now();
    assert_eq!(
        unreachable(get(&port(), server.url("/silent"))),
        "timed out"
    );
    assert!(began.elapsed() < Duration::from_secs(6));
    let why = unreachable(get(&port(), server.url("/half")));
    assert!(why.contains("cut short"), "{why}");
}

#[test]
fn a_server_that_is_slower_than_the_least_speed_is_given_up() {
    let server = BadServer::new();
    server.on("/drip", &[Step::Drip]);
    let caps = Caps {
        slow: (Duration::from_secs(1), 64),
        ..Caps::default()
    };
    let options = HttpOptions {
        ca_bundle: None,
        proxy: false,
        caps,
    };
    let port = HttpFetch::new(options, Cancel::new(None));
    let began = Instant::now();
    let request = Request::get(server.url("/drip"), 1000);
    let why = unreachable(ask(&port, vec![request]).remove(0));
    assert!(why.starts_with("too slow: fewer than 64 bytes"), "{why}");
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(server.seen().len(), 1, "it is not asked again");
}

#[test]
fn a_server_that_drips_ends_in_the_time_of_its_request() {
    let server = BadServer::new();
    server.on("/drip", &[Step::Drip]);
    let request = Request {
        within: Some(Duration::from_secs(1)),
        ..Request::get(server.url("/drip"), 1000)
    };
    let began = Instant::now();
    assert_eq!(
        unreachable(ask(&port(), vec![request]).remove(0)),
        "timed out"
    );
    assert!(began.elapsed() < Duration::from_secs(6));
}

#[test]
fn a_short_answer_is_tried_again() {
    let server = BadServer::new();
    let short = Step::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec());
    server.on("/x", &[short, says("200 OK", "", b"whole")]);
    assert_eq!(get(&port(), server.url("/x")).unwrap().body, b"whole");
}

#[test]
fn bodies_are_bounded_announced_or_not() {
    let server = BadServer::new();
    server.on("/announced", &[says("200 OK", "", &[b'x'; 1001])]);
    let mut endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
    endless.resize(endless.len() + 1001, b'x');
    server.on("/endless", &[Step::Bytes(endless)]);
    let lie = b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nx".to_vec();
    server.on("/lie", &[Step::Bytes(lie)]);
    server.on("/fits", &[says("200 OK", "", &[b'x'; 1000])]);
    for path in ["/announced", "/endless"] {
        assert_eq!(
            get(&port(), server.url(path)),
            Err(FetchError::TooLarge(1000)),
            "{path}"
        );
    }
    assert!(get(&port(), server.url("/lie")).is_err());
    assert_eq!(get(&port(), server.url("/fits")).unwrap().body.len(), 1000);
}

#[test]
fn a_bomb_is_bounded_after_inflating() {
    let pack = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let server = BadServer::new();
    let header = "Content-Encoding: gzip\r\n";
    server.on("/bomb", &[says("200 OK", header, &pack(&vec![0; 500_000]))]);
    server.on("/fine", &[says("200 OK", header, &pack(b"fine"))]);
    let whole = pack(b"cut short somewhere in the middle");
    server.on(
        "/torn",
        &[says("200 OK", header, &whole[..whole.len() - 12])],
    );
    let port = port();
    assert_eq!(
        get(&port, server.url("/bomb")),
        Err(FetchError::TooLarge(1000))
    );
    assert_eq!(get(&port, server.url("/fine")).unwrap().body, b"fine");
    let why = unreachable(get(&port, server.url("/torn")));
    assert!(why.contains("cut short"), "{why}");
}

#[test]
fn redirects_within_the_origin_are_followed_three_times() {
    let server = BadServer::new();
    let to = |to: &str| says("302 Found", &format!("Location: {to}\r\n"), b"");
    server.on("/a", &[to("/b")]);
    server.on("/b", &[to(&server.url("/c"))]);
    server.on("/c", &[to("d")]);
    server.on("/d", &[says("200 OK", "", b"there")]);
    assert_eq!(get(&port(), server.url("/a")).unwrap().body, b"there");
    server.on("/loop", &[to("/loop")]);
    let before = server.seen().len();
    let answer = get(&port(), server.url("/loop"));
    assert!(matches!(answer, Err(FetchError::Refused(_))), "{answer:?}");
    assert_eq!(server.seen().len() - before, 4);
}

#[test]
fn redirects_elsewhere_need_a_name_and_take_no_credentials() {
    let (server, other) = (BadServer::new(), BadServer::new());
    let to = |to: &str| says("302 Found", &format!("Location: {to}\r\n"), b"");
    server.on("/x", &[to(&other.url("/y"))]);
    other.on("/y", &[says("200 OK", "", b"there")]);
    let port = port();
    let plain = get(&port, server.url("/x"));
    assert!(matches!(plain, Err(FetchError::Refused(_))), "{plain:?}");
    assert!(other.seen().is_empty());
    let request = Request {
        authorization: Some(Secret::new("hunter2")),
        allow_origins: [other.origin.clone()].into(),
        ..Request::get(server.url("/x"), 1000)
    };
    assert_eq!(ask(&port, vec![request]).remove(0).unwrap().body, b"there");
    assert!(server.seen()[1].contains("hunter2"));
    assert!(!other.seen()[0].contains("hunter2"));
    for bad in [
        "http://registry.example/",
        "file:///etc/passwd",
        "http://ann:pw@127.0.0.1/",
    ] {
        server.on("/bad", &[to(bad)]);
        let answer = get(&port, server.url("/bad"));
        assert!(
            matches!(&answer, Err(FetchError::Refused(why)) if !why.contains("pw")),
            "{answer:?}"
        );
    }
}

#[test]
fn only_https_or_loopback_is_asked() {
    let port = port();
    for url in ["http://registry.example/", "ftp://127.0.0.1/", "nonsense"] {
        let answer = get(&port, url.to_owned());
        assert!(
            matches!(answer, Err(FetchError::Refused(_))),
            "{url}: {answer:?}"
        );
    }
    assert_eq!(port.facts().requests, 0);
}

#[test]
fn after_failures_in_a_row_an_origin_is_asked_no_more() {
    let server = BadServer::new();
    server.on("/x", &[says("500 X", "", b"")]);
    let port = port();
    let requests = (0..50)
        .map(|_| Request::get(server.url("/x"), 10))
        .collect();
    let answers = ask(&port, requests);
    let open = answers
        .into_iter()
        .filter(|a| unreachable(a.clone()).contains("circuit open"))
        .count();
    assert!(open >= 38, "{open}");
    assert!(server.seen().len() <= 36, "{}", server.seen().len());
    let well = BadServer::new();
    well.on("/x", &[says("200 OK", "", b"x")]);
    assert!(
        get(&port, well.url("/x")).is_ok(),
        "other origins are not held to it"
    );
}

#[test]
fn nobody_there_is_unreachable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", free.local_addr().unwrap());
    drop(free);
    let why = unreachable(get(&port(), url));
    assert!(why.contains("no connection"), "{why}");
}

#[test]
fn cancelling_ends_a_batch_and_every_request_is_answered() {
    let server = BadServer::new();
    server.on("/x", &[says("429 X", "Retry-After: 2\r\n", b"")]);
    let cancel = Cancel::new(Some(Duration::from_millis(200)));
    let requests = (0..5).map(|_| Request::get(server.url("/x"), 10)).collect();
    let began = Instant::now();
    let answers = ask(&port_until(cancel), requests);
    assert!(began.elapsed() < Duration::from_secs(2));
    assert!(answers.iter().all(|a| *a == Err(FetchError::Cancelled)));
}

#[test]
fn a_bundle_without_certificates_answers_nothing() {
    let options = HttpOptions {
        ca_bundle: Some(b"no certificate".to_vec()),
        proxy: false,
        caps: Caps::default(),
    };
    let port = HttpFetch::new(options, Cancel::new(None));
    let why = unreachable(get(&port, "https://127.0.0.1:1/".to_owned()));
    assert!(why.contains("--ca-bundle"), "{why}");
    assert!(port.facts().ca_bundle);
}
