//! A whole program: everything goes to the backend "origin", signed.

#[cfg(target_arch = "wasm32")]
fn main() -> Result<(), fastly::Error> {
    let mut request = fastly::Request::from_client();
    edgeauth::authenticate(&mut request);
    // Remove these four lines unless the WebSockets product is enabled on the service.
    let upgrade = request.get_header_str("Upgrade").unwrap_or_default();
    if upgrade.eq_ignore_ascii_case("websocket") {
        return Ok(request.handoff_websocket("origin")?);
    }
    request.send("origin")?.send_to_client();
    Ok(())
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("a program for the edge: build it with --target wasm32-wasip1");
}
