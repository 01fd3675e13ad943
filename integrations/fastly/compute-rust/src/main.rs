//! A whole program: everything goes to the backend "origin", signed.

#[cfg(target_arch = "wasm32")]
fn main() -> Result<(), fastly::Error> {
    let mut request = fastly::Request::from_client();
    edgeauth::authenticate(&mut request);
    request.send("origin")?.send_to_client();
    Ok(())
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("a program for the edge: build it with --target wasm32-wasip1");
}
