//! [`Proxies`]: which proxy a connection goes through, by the variables that curl and kubectl read.

use std::fmt;
use std::sync::Arc;

use http::Uri;
use http::uri::{Authority, Scheme};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

/// Which proxy a connection goes through, by `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
/// `NO_PROXY`, in upper or lower case.
///
/// `NO_PROXY` has names, each with its subdomains, addresses and networks, or `*`.
#[derive(Clone)]
pub struct Proxies {
    matcher: Arc<Matcher>,
    https: String,
    http: String,
}

/// The URL of a proxy is not one, or its scheme is not supported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the proxy {0} cannot be used; give it as http://HOST:PORT or socks5://HOST:PORT")]
pub struct UnusableProxy(String);

impl Proxies {
    /// The proxies that the environment of this process names.
    pub fn from_env() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// No proxy for any connection.
    pub fn none() -> Self {
        Self::from_variables(|_| None)
    }

    /// The proxies that these variables name.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let first = |name: &str| {
            let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
            set(name).or_else(|| set(&name.to_lowercase())).unwrap_or_default()
        };
        let (https, http, all) = (first("HTTPS_PROXY"), first("HTTP_PROXY"), first("ALL_PROXY"));
        let no_proxy = first("NO_PROXY");
        // The matcher takes `*` for all names, and not for addresses.
        let is_direct = no_proxy.split(',').any(|host| host.trim() == "*");
        let or_all = |value: String| match value.is_empty() {
            _ if is_direct => String::new(),
            true => all.clone(),
            false => value,
        };
        let (https, http) = (or_all(https), or_all(http));
        let matcher = Matcher::builder().https(&*https).http(&*http).no(no_proxy).build();
        Self { matcher: Arc::new(matcher), https, http }
    }

    /// The proxy of a connection to `url`, if it goes through one.
    pub(crate) fn intercept(&self, url: &Uri) -> Option<Intercept> {
        self.matcher.intercept(url)
    }

    /// The URL of the proxy for `server`, with the user of the variable.
    pub(crate) fn url_for(&self, server: &Uri) -> Result<Option<Uri>, UnusableProxy> {
        let value = match server.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => &self.https,
            _ => &self.http,
        };
        // A value that is not a valid URL intercepts nothing: it must not be ignored.
        match self.matcher.intercept(server) {
            None if value.is_empty() || proxy_url(value).is_ok() => Ok(None),
            _ => proxy_url(value).map(Some),
        }
    }
}

impl Default for Proxies {
    /// [`Proxies::from_env`].
    fn default() -> Self {
        Self::from_env()
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.matcher.fmt(f)
    }
}

/// The URL of a proxy as kube takes it: `proxy:3128` is `http://proxy:3128`.
pub(crate) fn proxy_url(value: &str) -> Result<Uri, UnusableProxy> {
    let unusable = || UnusableProxy(without_user(value).to_owned());
    let url: Uri = value.trim().parse().map_err(|_| unusable())?;
    let scheme = match url.scheme_str() {
        None | Some("http") => "http",
        // kube lets the proxy resolve names, as socks5h says.
        Some("socks5" | "socks5h") => "socks5",
        Some(_) => return Err(unusable()),
    };
    let authority = url.authority().ok_or_else(unusable)?;
    let authority = match (authority.port(), scheme) {
        (None, "socks5") => format!("{authority}:1080").parse::<Authority>().map_err(|_| unusable())?,
        _ => authority.clone(),
    };
    let built = Uri::builder().scheme(scheme).authority(authority).path_and_query("/").build();
    built.map_err(|_| unusable())
}

/// The URL of a proxy without its user and password.
fn without_user(value: &str) -> &str {
    value.rsplit_once('@').map_or(value, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        Proxies::from_variables(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_proxy_is_chosen_by_scheme_and_host_of_the_server() {
        let both = [("HTTPS_PROXY", "http://s:1"), ("HTTP_PROXY", "http://h:2")];
        let no = |hosts| [("HTTPS_PROXY", "http://s:1"), ("NO_PROXY", hosts)];
        for (variables, server, want) in [
            (&both[..], "https://api:6443", Some("http://s:1/")),
            (&both, "http://api:8080", Some("http://h:2/")),
            (&[("HTTPS_PROXY", "http://s:1")], "http://api:8080", None),
            (&[("https_proxy", "s:1")], "https://api:6443", Some("http://s:1/")),
            (&[("HTTPS_PROXY", " "), ("https_proxy", "s:1")], "https://api", Some("http://s:1/")),
            (&[("ALL_PROXY", "socks5h://u:p@a")], "https://api:6443", Some("socks5://u:p@a:1080/")),
            (
                &[("all_proxy", "http://a:3"), ("HTTP_PROXY", "http://h:2")],
                "https://api",
                Some("http://a:3/"),
            ),
            (&no("api.example.com"), "https://api.example.com:6443", None),
            (&no(".example.com, 10.0.0.0/8"), "https://api.example.com:6443", None),
            (&no("example.com"), "https://notexample.com", Some("http://s:1/")),
            (&no(".example.com,10.0.0.0/8"), "https://10.96.0.1:443", None),
            (&no("10.0.0.0/8"), "https://192.168.0.1", Some("http://s:1/")),
            (&no("*"), "https://api:6443", None),
            (&no("*"), "https://10.96.0.1:443", None),
            // The host of the proxy itself decides nothing.
            (&no("s"), "https://api:6443", Some("http://s:1/")),
            (&[], "https://api:6443", None),
        ] {
            let found = proxies(variables).url_for(&server.parse().unwrap()).unwrap();
            assert_eq!(found.map(|url| url.to_string()).as_deref(), want, "{variables:?} {server}");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_named_without_its_password() {
        for value in ["https://u:secret@proxy:1", "http://u:secret@ proxy", "ftp://proxy:1", "http://"] {
            let found = proxies(&[("HTTPS_PROXY", value)]).url_for(&"https://api".parse().unwrap());
            let error = found.unwrap_err().to_string();
            assert!(!error.contains("secret") && error.contains("cannot be used"), "{error}");
        }
    }
}
