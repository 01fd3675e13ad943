// A whole program: everything goes to the backend "origin", signed.

import { createWebsocketHandoff } from "fastly:websocket";
import { authenticated } from "./edgeauth.js";

addEventListener("fetch", (event) => event.respondWith(handle(event.request)));

async function handle(request) {
  const signed = await authenticated(request);
  // Remove these three lines unless the WebSockets product is enabled on the service.
  if (/^websocket$/i.test(signed.headers.get("Upgrade"))) {
    return createWebsocketHandoff(signed, "origin");
  }
  return fetch(signed, { backend: "origin" });
}
