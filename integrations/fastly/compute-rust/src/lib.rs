//! Signs every request that leaves for the origin, for edgeauth to verify there.
//!
//! Save this file as `src/edgeauth.rs`, with `mod edgeauth;` in `main.rs`. Then, last thing
//! before a request is sent, `edgeauth::authenticate(&mut request)`, and the same before
//! `handoff_websocket`. The crates `base64` and `hmac-sha256` are needed.
//!
//! The secret is the item "secret" of a secret store or, if there is none, of a config store of
//! the same name.
//!
//! edgeauth:parameter header = Edge-Auth
//! edgeauth:parameter dictionary = edge_auth

use base64::prelude::{Engine as _, BASE64_STANDARD};
use hmac_sha256::HMAC;

#[cfg(target_arch = "wasm32")]
pub use edge::authenticate;

/// `<unix time>,<POP>, <HMAC-SHA256 of what stands before the last comma, in base64>`
///
/// `timestamp` is in whole Unix seconds.
pub fn sign(secret: &[u8], timestamp: u64, pop: &str) -> String {
    let signed = format!("{timestamp},{pop}");
    let mac = HMAC::mac(signed.as_bytes(), secret);
    format!("{signed}, {}", BASE64_STANDARD.encode(mac))
}

/// What needs the edge's own runtime.
#[cfg(target_arch = "wasm32")]
mod edge {
    use std::time::{SystemTime, UNIX_EPOCH};

    use fastly::{compute_runtime, ConfigStore, Request, SecretStore};

    const HEADER: &str = "Edge-Auth";
    const PASS: &str = "Edge-Auth-Pass";
    const STORE: &str = "edge_auth";
    const ITEM: &str = "secret";

    /// Gives `request` the edge's credential; whatever the client sent in that header is gone. So
    /// is a pass, which is for the direct way to the origin alone.
    pub fn authenticate(request: &mut Request) {
        // A clock before 1970 signs with 0, which the origin refuses.
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH);
        let timestamp = elapsed.map_or(0, |since| since.as_secs());
        let pop = compute_runtime::pop();
        let value = match secret() {
            Some(secret) => super::sign(&secret, timestamp, pop),
            None => {
                // With an empty signature the origin refuses, and its log asks for the secret too.
                eprintln!("edgeauth: no item {ITEM} in a store {STORE}: the origin will refuse");
                format!("{timestamp},{pop},")
            }
        };
        request.remove_header(PASS);
        request.set_header(HEADER, value);
    }

    fn secret() -> Option<Vec<u8>> {
        let secret = SecretStore::open(STORE)
            .ok()
            .and_then(|store| store.try_get(ITEM).ok()?)
            .and_then(|secret| secret.try_plaintext().ok())
            .map(|bytes| bytes.to_vec())
            .or_else(|| {
                let config = ConfigStore::try_open(STORE).ok()?;
                config.try_get(ITEM).ok()?.map(String::into_bytes)
            });
        secret.filter(|bytes| !bytes.is_empty())
    }
}
