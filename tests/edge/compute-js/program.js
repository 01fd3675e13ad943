// The example program, and beside it in the same wasm what that does not show: a printed file with
// other names and a config store, one with no secret, and the bare signature. One wasm, because
// Viceroy compiles the whole JavaScript engine for each.

import { example, listen } from "./listener.js"; // before the example, which adds its listener
import "./index.js";
import { authenticated as renamed, sign } from "./renamed.js";
import { authenticated as nowhere } from "./nowhere.js";

listen((event) => {
  const { pathname } = new URL(event.request.url);
  if (pathname === "/sign") {
    event.respondWith(bareSignature(event.request));
  } else if (pathname === "/renamed") {
    event.respondWith(sent(renamed, event.request, "renamed"));
  } else if (pathname === "/nowhere") {
    event.respondWith(sent(nowhere, event.request, "origin"));
  } else {
    example()(event);
  }
});

async function bareSignature(request) {
  const { secret, timestamp, pop } = await request.json();
  return new Response(await sign(secret, timestamp, pop));
}

async function sent(authenticated, request, backend) {
  return fetch(await authenticated(request), { backend });
}
