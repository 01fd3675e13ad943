// The example program that signs each request, and beside it in the same wasm what that does not
// show: a printed file with another store, whose key is for Ed25519 (X-Key: ed25519), a backend
// that overrides the Host, a second attempt, and the bare signatures.

import { example, listen } from "./listener.js"; // before the example, which adds its listener
import "./index-message-signatures.js";
import { authenticated, sign } from "./edgeauth-message-signatures.js";
import { authenticated as withEd25519 } from "./ed25519.js";
import { authenticated as nowhere } from "./nowhere.js";
import signatures from "./message-signatures.mjs";

listen((event) => {
  const { pathname } = new URL(event.request.url);
  if (pathname === "/rows") {
    event.respondWith(rows(event.request));
  } else if (pathname === "/overridden") {
    event.respondWith(sent(authenticated, event.request, "overridden"));
  } else if (pathname === "/twice") {
    event.respondWith(twice(event.request));
  } else if (pathname === "/nowhere") {
    event.respondWith(sent(nowhere, event.request, "origin"));
  } else if (event.request.headers.get("X-Key") === "ed25519") {
    event.respondWith(sent(withEd25519, event.request, "origin"));
  } else {
    example()(event);
  }
});

async function sent(authenticate, request, backend) {
  return fetch(await authenticate(request, backend), { backend });
}

async function twice(request) {
  const first = await sent(authenticated, request, "origin");
  const second = await sent(authenticated, request, "origin");
  return new Response(JSON.stringify([await first.json(), await second.json()]));
}

async function rows(request) {
  const made = [];
  for (const { key, method, host, target, created, nonce } of await request.json()) {
    const outgoing = { method, authority: host, target, created, nonce };
    const { id } = signatures.keyParts(key);
    const { base } = signatures.prepare({ ...outgoing, key: { id }, tag: "edge" });
    const fields = await sign(key, outgoing);
    made.push([base, fields["Signature-Input"], fields.Signature]);
  }
  return new Response(JSON.stringify(made));
}
