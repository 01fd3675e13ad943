//! Signs every request that leaves for the origin with an HTTP Message Signature (RFC 9421), for
//! edgeauth with `scheme = "message-signatures"`: method, host, path, query, time and a nonce.
//!
//! Save this file as `src/edgeauth.rs`, with `mod edgeauth;` in `main.rs`. Then, last thing
//! before a request is sent, `edgeauth::authenticate(&mut request, "origin")`, where "origin" is
//! the backend that it is sent to, and once more before it is sent again. Before
//! `handoff_websocket` it is `edgeauth::authenticate_handoff(&mut request, "origin")`. The crates
//! `base64`, `ed25519-compact`, `getrandom` and `hmac-sha256` are needed.
//!
//! The key is the item "key" of a secret store or, if there is none, of a config store of the
//! same name: `id:secret` as in a secrets file of the origin (HMAC), or `id:` and after it a
//! private key for Ed25519 in PEM ("BEGIN PRIVATE KEY").
//!
//! edgeauth:parameter dictionary = edge_auth
//! edgeauth:parameter tag = edge

use base64::prelude::{Engine as _, BASE64_STANDARD};
use ed25519_compact::{KeyPair, Seed};
use hmac_sha256::HMAC;

#[cfg(target_arch = "wasm32")]
pub use runtime::{authenticate, authenticate_handoff};

const COMPONENTS: &str = r#"("@method" "@authority" "@path" "@query")"#;
const PEM: &str = "-----BEGIN PRIVATE KEY-----";
/// What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410).
const PKCS8: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

/// A key under the id that the origin knows it by.
pub struct Key {
    id: String,
    material: Material,
}

enum Material {
    Hmac(Vec<u8>),
    Ed25519(KeyPair),
}

impl Key {
    /// The key in a text as stores keep it, see above; `None` if it is of neither form.
    pub fn read(text: &str) -> Option<Key> {
        let (id, rest) = text.split_once(':')?;
        let (id, rest) = (id.trim(), rest.trim());
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if id.is_empty() || id.len() > 64 || !id.bytes().all(plain) || rest.is_empty() {
            return None;
        }
        let material = if rest.starts_with(PEM) {
            let lines = rest.lines().map(str::trim);
            let armoured: String = lines.filter(|line| !line.starts_with("-----")).collect();
            let der = BASE64_STANDARD.decode(armoured).ok()?;
            let seed = der.strip_prefix(PKCS8)?.try_into().ok()?;
            Material::Ed25519(KeyPair::from_seed(Seed::new(seed)))
        } else {
            Material::Hmac(rest.as_bytes().to_vec())
        };
        Some(Key {
            id: id.to_owned(),
            material,
        })
    }

    fn sign(&self, base: &[u8]) -> Vec<u8> {
        match &self.material {
            Material::Hmac(secret) => HMAC::mac(base, secret).to_vec(),
            Material::Ed25519(pair) => pair.sk.sign(base, None).to_vec(),
        }
    }
}

/// What is signed of a request, as it will be sent: nothing is decoded.
pub struct Outgoing<'a> {
    pub method: &'a str,
    /// The Host field.
    pub host: &'a str,
    pub path: &'a str,
    /// What stands after the question mark; empty if nothing does.
    pub query: &'a str,
}

impl Outgoing<'_> {
    /// The signed bytes; `None` if there is something in the request that cannot be signed.
    pub fn base(&self, input: &str) -> Option<String> {
        let host = self.host.to_ascii_lowercase();
        let authority = match host.rsplit_once(':') {
            Some((name, port)) if matches!(port.trim_start_matches('0'), "" | "443") => name,
            _ => &host,
        };
        let path = if self.path.is_empty() { "/" } else { self.path };
        let parts = [self.method, authority, path, self.query];
        // A line break could stand for another line.
        let printable = |byte: u8| (b' '..=b'~').contains(&byte);
        if authority.is_empty() || !parts.iter().all(|part| part.bytes().all(printable)) {
            return None;
        }
        let [method, authority, path, query] = parts;
        Some(format!(
            "\"@method\": {method}\n\"@authority\": {authority}\n\"@path\": {path}\n\
             \"@query\": ?{query}\n\"@signature-params\": {input}"
        ))
    }

    /// `Signature-Input` and `Signature`; `None` if there is something that cannot be signed.
    ///
    /// `created` is in whole Unix seconds; `nonce` must never have been used with the key before.
    pub fn sign(&self, key: &Key, created: u64, nonce: &str) -> Option<(String, String)> {
        let id = &key.id;
        let input = format!(
            r#"{COMPONENTS};created={created};keyid="{id}";nonce="{nonce}";tag="edge""#
        );
        let signature = BASE64_STANDARD.encode(key.sign(self.base(&input)?.as_bytes()));
        Some((format!("edge={input}"), format!("edge=:{signature}:")))
    }
}

/// What needs the runtime of the CDN.
#[cfg(target_arch = "wasm32")]
mod runtime {
    use std::time::{SystemTime, UNIX_EPOCH};

    use base64::prelude::{Engine as _, BASE64_STANDARD};
    use fastly::http::Method;
    use fastly::{Backend, ConfigStore, Request, SecretStore};

    use super::{Key, Outgoing};

    const INPUT: &str = "Signature-Input";
    const SIGNATURE: &str = "Signature";
    const NOT_FROM_CLIENTS: [&str; 4] = [INPUT, SIGNATURE, "Edge-Auth", "Edge-Auth-Pass"];
    const STORE: &str = "edge_auth";
    const ITEM: &str = "key";

    /// Signs `request` for the origin behind `backend`; whatever the client sent in these fields
    /// is gone. So is a pass, which is for the direct way to the origin alone. The URL is sent as
    /// the SDK reads it, without dot segments.
    pub fn authenticate(request: &mut Request, backend: &str) {
        // An override comes after this program.
        let host = host_override(backend).unwrap_or_else(|| match request.get_header("Host") {
            Some(value) => value.to_str().unwrap_or_default().to_owned(),
            None => request.get_url().authority().to_owned(),
        });
        authenticate_for(request, &host);
    }

    /// The same for `handoff_websocket`, where the backend's own name is always the Host.
    pub fn authenticate_handoff(request: &mut Request, backend: &str) {
        let host = host_override(backend).unwrap_or_else(|| {
            let backend = Backend::from_name(backend).ok();
            backend.map_or_else(String::new, |it| format!("{}:{}", it.get_host(), it.get_port()))
        });
        authenticate_for(request, &host);
    }

    fn authenticate_for(request: &mut Request, host: &str) {
        for name in NOT_FROM_CLIENTS {
            request.remove_header(name);
        }
        // What the SDK reads may be another URL than the one it would send: "/a/../b" is "/b".
        let url = request.get_url().clone();
        request.set_url(url);
        // The cache may ask the origin with GET instead, and the method is signed.
        if request.get_method() == Method::HEAD {
            request.set_pass(true);
        }
        match signed(request, host) {
            Ok((input, signature)) => {
                request.set_header(INPUT, input);
                request.set_header(SIGNATURE, signature);
            }
            // Without a signature the origin refuses.
            Err(why) => eprintln!("edgeauth: {why}: the origin will refuse"),
        }
    }

    fn signed(request: &Request, host: &str) -> Result<(String, String), String> {
        let key = key().as_deref().and_then(Key::read);
        let key = key.ok_or_else(|| {
            format!("no item {ITEM} with id:secret or id: and a private key in a store {STORE}")
        })?;
        // A clock before 1970 signs with 0, which the origin refuses.
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH);
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| format!("no nonce: {error}"))?;
        let outgoing = Outgoing {
            method: request.get_method_str(),
            host,
            path: request.get_path(),
            query: request.get_query_str().unwrap_or_default(),
        };
        outgoing
            .sign(
                &key,
                elapsed.map_or(0, |since| since.as_secs()),
                &BASE64_STANDARD.encode(random),
            )
            .ok_or_else(|| "a part of the request is not printable ASCII".to_owned())
    }

    fn host_override(backend: &str) -> Option<String> {
        let host = Backend::from_name(backend).ok()?.get_host_override()?;
        host.to_str().ok().map(str::to_owned)
    }

    fn key() -> Option<String> {
        SecretStore::open(STORE)
            .ok()
            .and_then(|store| store.try_get(ITEM).ok()?)
            .and_then(|secret| secret.try_plaintext().ok())
            .and_then(|bytes| String::from_utf8(bytes.to_vec()).ok())
            .or_else(|| ConfigStore::try_open(STORE).ok()?.try_get(ITEM).ok()?)
    }
}
