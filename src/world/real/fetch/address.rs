//! Which addresses may be asked: https, or http on the loopback interface; redirects only to named origins.

use url::{Host, Url};

use crate::world::fetch::FetchError;

/// Parses an address that may be asked; user name, password and fragment are refused.
pub(super) fn parse(text: &str) -> Result<Url, FetchError> {
    let url = Url::parse(text)
        .map_err(|_| FetchError::Refused("the address cannot be read as a URL".into()))?;
    allowed(&url)?;
    Ok(url)
}

/// Where a redirect leads, if it may be followed.
pub(super) fn redirect(
    from: &Url,
    location: &str,
    allow_origins: &[String],
) -> Result<Url, FetchError> {
    let to = from
        .join(location)
        .map_err(|_| FetchError::Refused("a redirect whose address cannot be read".into()))?;
    if !matches!(to.scheme(), "https" | "http") {
        return Err(FetchError::Refused(format!(
            "a redirect to an address of `{}:`",
            to.scheme()
        )));
    }
    allowed(&to)?;
    let origin = origin(&to);
    if origin == self::origin(from) {
        return Ok(to);
    }
    if from.scheme() == "https" && to.scheme() != "https" {
        return Err(FetchError::Refused(format!(
            "a redirect from https to {origin}"
        )));
    }
    let named = allow_origins
        .iter()
        .filter_map(|allowed| Url::parse(allowed).ok())
        .any(|allowed| self::origin(&allowed) == origin);
    if named {
        Ok(to)
    } else {
        Err(FetchError::Refused(format!(
            "a redirect to {origin}, which nothing vouches for"
        )))
    }
}

/// Scheme, host and port, for keys and messages; never user names.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Whether the address lies on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn allowed(url: &Url) -> Result<(), FetchError> {
    let refused = |why: &str| Err(FetchError::Refused(format!("{why}: {}", origin(url))));
    if !url.username().is_empty() || url.password().is_some() {
        return refused("a user name or password in an address");
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        "http" => refused("not https"),
        _ => refused("neither https nor http"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_or_loopback() {
        for good in [
            "https://registry.example/x",
            "http://127.0.0.1:1/x",
            "http://127.9.9.9/",
            "http://[::1]:1/x",
            "http://localhost:1/",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://registry.example/",
            "http://localhost.registry.example/",
            "http://127.0.0.1.registry.example/",
            "ftp://registry.example/",
            "file:///etc/passwd",
            "https://u:p@registry.example/",
            "data:,x",
            "x",
        ] {
            assert!(matches!(parse(bad), Err(FetchError::Refused(_))), "{bad}");
        }
    }

    #[test]
    fn no_message_shows_a_password() {
        let Err(FetchError::Refused(why)) = parse("https://ann:hunter2@registry.example/") else {
            panic!("must be refused");
        };
        assert!(!why.contains("hunter2") && !why.contains("ann"), "{why}");
    }

    #[test]
    fn redirects_stay_or_go_where_named() {
        let from = Url::parse("https://a.example/x/y").unwrap();
        let go = |to: &str, allow: &[String]| redirect(&from, to, allow).map(|u| u.to_string());
        assert_eq!(go("../z", &[]).unwrap(), "https://a.example/z");
        assert_eq!(go("//a.example:443/z", &[]).unwrap(), "https://a.example/z");
        assert!(go("https://b.example/", &[]).is_err());
        assert!(go("https://a.example:444/", &[]).is_err());
        assert!(go("http://a.example/", &[]).is_err());
        assert!(go("https://u@a.example/", &[]).is_err());
        let b = ["https://b.example".to_owned()];
        assert!(go("https://b.example/z", &b).is_ok());
        assert!(go("https://b.example.evil.example/z", &b).is_err());
        let local = ["http://127.0.0.1:1".to_owned()];
        assert!(
            go("http://127.0.0.1:1/", &local).is_err(),
            "never down from https"
        );
    }
}
