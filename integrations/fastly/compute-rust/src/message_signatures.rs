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
//! edgeauth:parameter tag = "edge"
//! edgeauth:parameter scheme = "https"
//! edgeauth:parameter components = "@method", "@authority", "@path", "@query"

use base64::prelude::{Engine as _, BASE64_STANDARD};
use ed25519_compact::{KeyPair, Seed};
use hmac_sha256::HMAC;

#[cfg(target_arch = "wasm32")]
pub use runtime::{authenticate, authenticate_handoff};

/// What is signed: these four, and names of fields in lower case, in any order.
const COMPONENTS: &[&str] = &["@method", "@authority", "@path", "@query"];
const TAG: &str = "edge";
/// Of the URL that visitors ask for: its default port is left out of `@authority`.
const SCHEME: &str = "https";
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
    /// The fields that are signed, name and value; those in several lines joined with ", ".
    pub fields: &'a [(&'a str, String)],
}

impl Outgoing<'_> {
    /// The signed bytes; `None` if there is something that cannot be signed, or is not there.
    pub fn base(&self, components: &[&str], input: &str) -> Option<String> {
        let mut base = String::new();
        for name in components {
            let value = self.value(name)?;
            // A line break could stand for another line.
            if !value
                .bytes()
                .all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte))
            {
                return None;
            }
            base.push_str(&format!("\"{name}\": {value}\n"));
        }
        Some(base + "\"@signature-params\": " + input)
    }

    fn value(&self, component: &str) -> Option<String> {
        match component {
            "@method" => Some(self.method.to_owned()),
            "@authority" => {
                let host = self.host.to_ascii_lowercase();
                let default = if SCHEME == "http" { "80" } else { "443" };
                let name = match host.rsplit_once(':') {
                    Some((name, port)) if ["", default].contains(&port.trim_start_matches('0')) => {
                        name
                    }
                    _ => &host,
                };
                (!name.is_empty()).then(|| name.to_owned())
            }
            "@path" if self.path.is_empty() => Some("/".to_owned()),
            "@path" => Some(self.path.to_owned()),
            "@query" => Some(format!("?{}", self.query)),
            field => {
                let mut fields = self.fields.iter();
                fields
                    .find(|(name, _)| *name == field)
                    .map(|(_, value)| value.clone())
            }
        }
    }

    /// `Signature-Input` and `Signature`; `None` if there is something that cannot be signed.
    ///
    /// `created` is in whole Unix seconds; `nonce` must never have been used with the key before.
    pub fn sign(&self, key: &Key, created: u64, nonce: &str) -> Option<(String, String)> {
        let id = &key.id;
        let names = COMPONENTS.join("\" \"");
        let input =
            format!(r#"("{names}");created={created};keyid="{id}";nonce="{nonce}";tag="{TAG}""#);
        let base = self.base(COMPONENTS, &input)?;
        let signature = BASE64_STANDARD.encode(key.sign(base.as_bytes()));
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

    use super::{Key, Outgoing, COMPONENTS};

    const INPUT: &str = "Signature-Input";
    const SIGNATURE: &str = "Signature";
    const NOT_FROM_CLIENTS: [&str; 3] = [INPUT, SIGNATURE, "Edge-Auth-Pass"];
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
            backend.map_or_else(String::new, |it| {
                format!("{}:{}", it.get_host(), it.get_port())
            })
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
        let signed = COMPONENTS.iter().filter(|name| !name.starts_with('@'));
        let fields: Vec<_> = signed
            .filter(|name| request.contains_header(**name))
            .map(|name| (*name, joined(request, name)))
            .collect();
        let outgoing = Outgoing {
            method: request.get_method_str(),
            host,
            path: request.get_path(),
            query: request.get_query_str().unwrap_or_default(),
            fields: &fields,
        };
        outgoing
            .sign(
                &key,
                elapsed.map_or(0, |since| since.as_secs()),
                &BASE64_STANDARD.encode(random),
            )
            .ok_or_else(|| "a signed part is not there, or not printable ASCII".to_owned())
    }

    fn joined(request: &Request, name: &str) -> String {
        let lines = request.get_header_all(name);
        // Bytes that are no ASCII are refused as those of any other part.
        let lines = lines.map(|line| String::from_utf8_lossy(line.as_bytes()).trim().to_owned());
        lines.collect::<Vec<_>>().join(", ")
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
