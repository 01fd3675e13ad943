// Signs every request that leaves for the origin, for edgeauth to verify there.
//
//   import { authenticated } from "./edgeauth.js";
//   return fetch(await authenticated(event.request), { backend: "origin" });
//
// The secret is the item "secret" of a secret store or, if there is none, of a config store of
// the same name.
//
// edgeauth:parameter header = Edge-Auth
// edgeauth:parameter dictionary = edge_auth

import { ConfigStore } from "fastly:config-store";
import { SecretStore } from "fastly:secret-store";
import { env } from "fastly:env";

const HEADER = "Edge-Auth";
const PASS = "Edge-Auth-Pass";
const STORE = "edge_auth";
const ITEM = "secret";

/**
 * The request as it may go to the origin: with the edge's credential, and whatever the client
 * sent in that header gone. So is a pass, which is for the direct way to the origin alone.
 *
 * @param {Request} request
 * @returns {Promise<Request>} a copy; the body is moved to it
 */
export async function authenticated(request) {
  const signed = new Request(request);
  signed.headers.delete(PASS);
  const timestamp = Math.floor(Date.now() / 1000);
  const pop = env("FASTLY_POP");
  const secret = await readSecret();
  if (secret) {
    signed.headers.set(HEADER, await sign(secret, timestamp, pop));
  } else {
    // With an empty signature the origin refuses, and its log asks for the secret too.
    signed.headers.set(HEADER, `${timestamp},${pop},`);
    console.error(`edgeauth: no item ${ITEM} in a store ${STORE}: the origin will refuse`);
  }
  return signed;
}

/**
 * <unix time>,<POP>,0x<HMAC-SHA256 of what stands before the last comma>
 *
 * @param {string} secret
 * @param {number} timestamp whole Unix seconds
 * @param {string} pop
 * @returns {Promise<string>}
 */
export async function sign(secret, timestamp, pop) {
  const utf8 = new TextEncoder();
  const signed = `${timestamp},${pop}`;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", utf8.encode(secret), algorithm, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8.encode(signed)));
  const hex = Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${signed},0x${hex}`;
}

async function readSecret() {
  try {
    const entry = await new SecretStore(STORE).get(ITEM);
    if (entry) return entry.plaintext();
  } catch {
    // The service has no secret store of that name.
  }
  try {
    return new ConfigStore(STORE).get(ITEM);
  } catch {
    return null;
  }
}
