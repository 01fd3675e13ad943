//! What edgeauth's own signer makes. `EDGEAUTH_REQUESTS` may name a file with more: a line has
//! the key, the method, the host, path and query, `created` and the nonce, and then the signed
//! bytes and the two fields that must come out, tabs between them and `\n` for a line break.

#[path = "../src/message_signatures.rs"]
mod message_signatures;

use message_signatures::{Key, Outgoing};

/// Of RFC 9421, B.1.4.
const ED25519: &str = "test-key-ed25519: -----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF
-----END PRIVATE KEY-----
";

fn request<'a>(method: &'a str, host: &'a str, target: &'a str) -> Outgoing<'a> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Outgoing {
        method,
        host,
        path,
        query,
    }
}

#[test]
fn each_row_comes_out_byte_for_byte() {
    let Ok(path) = std::env::var("EDGEAUTH_REQUESTS") else {
        return;
    };
    let rows = std::fs::read_to_string(path).unwrap();
    assert!(!rows.is_empty());
    for row in rows.lines() {
        let fields: Vec<String> = row.split('\t').map(|it| it.replace("\\n", "\n")).collect();
        let [key, method, host, target, created, nonce, base, input, signature] = &fields[..] else {
            panic!("not nine fields: {row}");
        };
        let request = request(method, host, target);
        let covered = input.strip_prefix("edge=").unwrap();
        assert_eq!(request.base(covered).as_ref(), Some(base));
        let key = Key::read(key).unwrap();
        let made = request.sign(&key, created.parse().unwrap(), nonce).unwrap();
        assert_eq!(made, (input.clone(), signature.clone()));
    }
}

#[test]
fn a_key_is_an_id_and_a_secret_or_a_private_key_for_ed25519() {
    assert!(Key::read("edge-1: a secret with : in it").is_some());
    assert!(Key::read(ED25519).is_some());
}

#[test]
fn what_is_no_key_is_none() {
    let broken = ED25519.replace("MC4CAQ", "MC4CAR");
    let cut = ED25519.replace("9qfSnF", "");
    for text in ["", "a secret alone", ":secret", "id:", "an id:secret", &broken, &cut] {
        assert!(Key::read(text).is_none(), "{text}");
    }
}

#[test]
fn what_is_not_printable_ascii_is_not_signed() {
    let key = Key::read("edge-1:a-secret").unwrap();
    for (method, host, target) in [
        ("GET", "shop.example", "/a\nb"),
        ("GET", "shop.example", "/\u{e9}"),
        ("GET", "", "/"),
        ("G\nT", "shop.example", "/"),
    ] {
        assert!(request(method, host, target).sign(&key, 1, "n").is_none());
    }
}
