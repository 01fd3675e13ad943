//! What edgeauth's own signer makes. Two variables may name files of rows, with tabs between the
//! fields and `\n` for a line break.
//!
//! `EDGEAUTH_REQUESTS`: the key, the method, the host, path and query, `created` and the nonce; then
//! the signed bytes and the two fields that must come out.
//!
//! `EDGEAUTH_BASES`: the components, the method, the host, path and query, the value of `x-odd` and
//! what stands behind the label in `Signature-Input`; then the signed bytes that must come out.

#[path = "../src/message_signatures.rs"]
mod message_signatures;

use message_signatures::{Key, Outgoing};

const FOUR: [&str; 4] = ["@method", "@authority", "@path", "@query"];

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
        fields: &[],
    }
}

fn rows(variable: &str) -> Vec<Vec<String>> {
    let Ok(path) = std::env::var(variable) else {
        return Vec::new();
    };
    let text = std::fs::read_to_string(path).unwrap();
    assert!(!text.is_empty());
    let fields = |row: &str| row.split('\t').map(|it| it.replace("\\n", "\n")).collect();
    text.lines().map(fields).collect()
}

#[test]
fn each_row_comes_out_byte_for_byte() {
    for row in rows("EDGEAUTH_REQUESTS") {
        let [key, method, host, target, created, nonce, base, input, signature] = &row[..] else {
            panic!("not nine fields: {row:?}");
        };
        let request = request(method, host, target);
        let covered = input.strip_prefix("edge=").unwrap();
        assert_eq!(request.base(&FOUR, covered).as_ref(), Some(base));
        let key = Key::read(key).unwrap();
        let made = request.sign(&key, created.parse().unwrap(), nonce).unwrap();
        assert_eq!(made, (input.clone(), signature.clone()));
    }
}

#[test]
fn the_signed_bytes_of_each_row_come_out_whatever_they_cover() {
    for row in rows("EDGEAUTH_BASES") {
        let [components, method, host, target, odd, input, base] = &row[..] else {
            panic!("not seven fields: {row:?}");
        };
        let components: Vec<&str> = components.split(' ').collect();
        let fields = [("x-odd", odd.clone())];
        let request = Outgoing {
            fields: &fields,
            ..request(method, host, target)
        };
        assert_eq!(request.base(&components, input).as_ref(), Some(base));
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
    for text in [
        "",
        "a secret alone",
        ":secret",
        "id:",
        "an id:secret",
        &broken,
        &cut,
    ] {
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

#[test]
fn a_field_is_signed_in_its_place_and_must_be_there() {
    let fields = [("x-odd", "a, b  c".to_owned())];
    let request = Outgoing {
        fields: &fields,
        ..request("GET", "shop.example", "/")
    };
    assert_eq!(
        request.base(&["x-odd", "@method"], "()").unwrap(),
        "\"x-odd\": a, b  c\n\"@method\": GET\n\"@signature-params\": ()"
    );
    assert!(request.base(&["x-other"], "()").is_none());
}
