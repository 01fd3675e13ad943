//! A whole program: everything goes to the backend "origin", signed as RFC 9421 says.

#[cfg(target_arch = "wasm32")]
#[path = "../message_signatures.rs"]
mod edgeauth;

#[cfg(target_arch = "wasm32")]
fn main() -> Result<(), fastly::Error> {
    let mut request = fastly::Request::from_client();
    // Remove these five lines unless the WebSockets product is enabled on the service.
    let upgrade = request.get_header_str("Upgrade").unwrap_or_default();
    if upgrade.eq_ignore_ascii_case("websocket") {
        edgeauth::authenticate_handoff(&mut request, "origin");
        return Ok(request.handoff_websocket("origin")?);
    }
    edgeauth::authenticate(&mut request, "origin");
    request.send("origin")?.send_to_client();
    Ok(())
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("a program for the edge: build it with --target wasm32-wasip1");
}
