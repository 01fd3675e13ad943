// A whole program: everything goes to the backend "origin", signed as RFC 9421 says.

import { createWebsocketHandoff } from "fastly:websocket";
import { authenticated, authenticatedHandoff } from "./edgeauth-message-signatures.js";

addEventListener("fetch", (event) => event.respondWith(handle(event.request)));

async function handle(request) {
  // Remove these three lines unless the WebSockets product is enabled on the service.
  if (/^websocket$/i.test(request.headers.get("Upgrade"))) {
    return createWebsocketHandoff(await authenticatedHandoff(request, "origin"), "origin");
  }
  return fetch(await authenticated(request, "origin"), { backend: "origin" });
}
