// A whole program: everything goes to the backend "origin", signed.

import { authenticated } from "./edgeauth.js";

addEventListener("fetch", (event) => event.respondWith(handle(event.request)));

async function handle(request) {
  return fetch(await authenticated(request), { backend: "origin" });
}
