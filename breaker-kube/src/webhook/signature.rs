//! The signatures of a message: Standard Webhooks, and the older header.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use ring::hmac;
use standardwebhooks::Webhook;

/// The older header with the signature of the body, kept until 1.0.
pub const SIGNATURE_HEADER: &str = "X-BigRedButton-Signature";

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURES: HeaderName = HeaderName::from_static("webhook-signature");

/// The keys in a secret: each word that starts with `whsec_` is one, in Base64. Another secret is
/// one key as it is.
fn keys(secret: &[u8]) -> Result<Vec<Webhook>, String> {
    let words = std::str::from_utf8(secret).ok().filter(|text| text.trim_start().starts_with("whsec_"));
    match words {
        Some(words) => {
            let key =
                |word| Webhook::new(word).map_err(|_| "a key that starts with whsec_ is not Base64".into());
            words.split_whitespace().map(key).collect()
        }
        None => Ok(vec![Webhook::from_bytes(secret.to_vec()).map_err(|error| error.to_string())?]),
    }
}

/// The headers of a message that is sent at `now`, in seconds since the epoch. With several keys
/// there are several signatures, so that a receiver may have the old key or the new one.
pub(super) fn sign(secret: &[u8], id: &str, now: i64, body: &[u8]) -> Result<HeaderMap, String> {
    let signatures = keys(secret)?
        .iter()
        .map(|key| key.sign(id, now, body).map_err(|error| error.to_string()))
        .collect::<Result<Vec<_>, _>>()?;
    let older = HeaderName::try_from(SIGNATURE_HEADER).map_err(|error| error.to_string())?;
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (ID, id.to_owned()),
        (TIMESTAMP, now.to_string()),
        (SIGNATURES, signatures.join(" ")),
        (older, of_body(secret, body)),
    ] {
        headers.insert(name, HeaderValue::try_from(value).map_err(|error| error.to_string())?);
    }
    Ok(headers)
}

/// `sha256=` and the HMAC in hex, the form of GitHub's webhooks.
fn of_body(key: &[u8], body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), body);
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const NOW: i64 = 1_614_265_330;

    fn signatures(secret: &str) -> String {
        let headers = sign(secret.as_bytes(), "msg_p5jXN8AQM9LWM0D4loKWxJek", NOW, BODY).unwrap();
        headers[&SIGNATURES].to_str().unwrap().to_owned()
    }

    /// The example of the specification of Standard Webhooks.
    #[test]
    fn the_signature_is_the_one_of_the_specification() {
        let example = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signatures("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), example);
    }

    #[test]
    fn each_key_of_a_secret_signs() {
        let both = signatures("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\nwhsec_c2Vjb25k\n");
        let alone = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2Vjb25k"].map(signatures);
        assert_eq!(both, alone.join(" "));
        assert_ne!(alone[0], alone[1]);
    }

    #[test]
    fn a_receiver_checks_it_with_the_published_library_by_the_key_it_has() {
        let now = jiff::Timestamp::now().as_second();
        let secret = b"whsec_b2xkIGtleQ== whsec_bmV3IGtleQ==";
        let headers = sign(secret, "uid.trip", now, BODY).unwrap();
        for key in ["whsec_b2xkIGtleQ==", "whsec_bmV3IGtleQ=="] {
            Webhook::new(key).unwrap().verify(BODY, &headers).unwrap();
        }
        assert!(Webhook::new("whsec_b3RoZXI=").unwrap().verify(BODY, &headers).is_err());
        let plain = sign(b"s3cret", "uid.trip", now, BODY).unwrap();
        Webhook::from_bytes(b"s3cret".to_vec()).unwrap().verify(BODY, &plain).unwrap();
    }

    #[test]
    fn a_key_that_is_not_base64_is_an_error_that_does_not_show_it() {
        let error = sign(b"whsec_not/base64!", "id", NOW, BODY).unwrap_err();
        assert!(!error.contains("not/base64!"), "{error}");
    }

    #[test]
    fn the_older_signature_is_the_one_of_rfc_4231() {
        let want = "sha256=b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(of_body(&[0x0b; 20], b"Hi There"), want);
    }
}
