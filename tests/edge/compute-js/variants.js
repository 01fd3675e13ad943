// One program for what index.js does not show: other names, other stores, and the bare signature.

import { authenticated as fromConfigStore } from "./config-store.js";
import { authenticated as fromNowhere } from "./nowhere.js";
import { sign } from "./config-store.js";

addEventListener("fetch", (event) => event.respondWith(handle(event.request)));

async function handle(request) {
  const { pathname } = new URL(request.url);
  if (pathname === "/sign") {
    const { secret, timestamp, pop } = await request.json();
    return new Response(await sign(secret, timestamp, pop));
  }
  const authenticated = pathname === "/nowhere" ? fromNowhere : fromConfigStore;
  return fetch(await authenticated(request), { backend: "origin" });
}
