//! [`BadAnswer`]: answers that are not those of a healthy API server.

use std::fmt;

use http::{Response, header};
use hyper::body::Bytes;
use serde_json::json;

/// An answer in place of the API server's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadAnswer {
    /// This code with a Kubernetes `Status`, as the API server answers itself.
    Status(u16),
    /// This code with a page of nginx.
    NginxPage(u16),
    /// This code without a body.
    Empty(u16),
    /// 200 with the HTML of a login page.
    LoginPage,
    /// 200 with JSON that ends in the middle.
    HalfJson,
    /// 200 with an object of another kind.
    WrongObject,
}

impl BadAnswer {
    pub(crate) fn response(self) -> Response<Bytes> {
        match self {
            Self::Status(code) => {
                let mut answer = respond(code, "application/json", status(code).to_string());
                if code == 429 {
                    answer.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
                }
                answer
            }
            Self::NginxPage(code) => {
                let title = format!("{code} {}", phrase(code));
                let page = format!(
                    "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1>\
                     </center>\r\n<hr><center>nginx/1.26.0</center>\r\n</body>\r\n</html>\r\n"
                );
                respond(code, "text/html", page)
            }
            Self::Empty(code) => respond(code, "text/plain", String::new()),
            Self::LoginPage => {
                let page = "<!doctype html><title>Sign in</title><form action=/login method=post>";
                respond(200, "text/html", page.into())
            }
            Self::HalfJson => {
                respond(200, "application/json", r#"{"kind":"Scale","apiVersion":"autoscal"#.into())
            }
            Self::WrongObject => {
                let object = json!({"kind": "Ping", "apiVersion": "v1", "metadata": {}, "value": 1});
                respond(200, "application/json", object.to_string())
            }
        }
    }
}

fn respond(code: u16, content_type: &'static str, body: String) -> Response<Bytes> {
    let response = Response::builder().status(code).header(header::CONTENT_TYPE, content_type);
    response.body(body.into()).expect("a code between 100 and 999")
}

fn phrase(code: u16) -> &'static str {
    let status = http::StatusCode::from_u16(code).ok();
    status.and_then(|status| status.canonical_reason()).unwrap_or("Unknown")
}

fn status(code: u16) -> serde_json::Value {
    let (reason, message) = match code {
        400 => ("BadRequest", "the server rejected our request for an unknown reason"),
        401 => ("Unauthorized", "Unauthorized"),
        403 => ("Forbidden", "admission webhook \"policy.example.com\" denied the request: not now"),
        404 => ("NotFound", "the server could not find the requested resource"),
        408 => ("Timeout", "the request did not complete within the allotted timeout"),
        409 => ("Conflict", "the object has been modified; please apply your changes to the latest version"),
        410 => ("Expired", "too old resource version"),
        422 => ("Invalid", "the object is invalid: exceeded quota"),
        429 => ("TooManyRequests", "too many requests, please try again later"),
        500 => ("InternalError", "Internal error occurred: etcdserver: leader changed"),
        503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
        504 => ("Timeout", "Timeout: request did not complete within requested timeout"),
        _ => ("", "an unknown error"),
    };
    json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    })
}

impl fmt::Display for BadAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(code) => write!(f, "{code} with a Status"),
            Self::NginxPage(code) => write!(f, "{code} of nginx"),
            Self::Empty(code) => write!(f, "{code} without a body"),
            Self::LoginPage => f.write_str("200 with a login page"),
            Self::HalfJson => f.write_str("200 with half a JSON text"),
            Self::WrongObject => f.write_str("200 with another object"),
        }
    }
}
