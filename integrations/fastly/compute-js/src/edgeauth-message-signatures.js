// Signs every request that leaves for the origin with an HTTP Message Signature (RFC 9421), for
// edgeauth with scheme = "message-signatures": method, host, path, query, time and a nonce.
//
//   import { authenticated } from "./edgeauth.js";
//   return fetch(await authenticated(event.request, "origin"), { backend: "origin" });
//
// It needs message-signatures.mjs beside it, and @noble/ed25519: the runtime's own Web Crypto has
// no Ed25519.
//
// The key is the item "key" of a secret store or, if there is none, of a config store of the same
// name: id:secret as in a secrets file of the origin (HMAC), or id: and after it a private key for
// Ed25519 in PEM ("BEGIN PRIVATE KEY").
//
// edgeauth:parameter dictionary = edge_auth
// edgeauth:parameter tag = "edge"
// edgeauth:parameter scheme = "https"
// edgeauth:parameter components = "@method", "@authority", "@path", "@query"

import { hashes, signAsync } from "@noble/ed25519";
import { Backend } from "fastly:backend";
import { CacheOverride } from "fastly:cache-override";
import { ConfigStore } from "fastly:config-store";
import { SecretStore } from "fastly:secret-store";
import signatures from "./message-signatures.mjs";

const TAG = "edge";
const SCHEME = "https";
const COMPONENTS = ["@method", "@authority", "@path", "@query"];
const NOT_FROM_CLIENTS = ["Signature-Input", "Signature", "Edge-Auth-Pass"];
const STORE = "edge_auth";
const ITEM = "key";

const PEM = "-----BEGIN PRIVATE KEY-----";
// What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410).
const PKCS8 = "\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

// In about one of a thousand calls the runtime's digest is wrong for an array of a few bytes, which
// the garbage collector moves meanwhile (js-compute 3.46.0). A large buffer stays where it is.
hashes.sha512Async = async (message) => {
  const held = new Uint8Array(new ArrayBuffer(Math.max(4096, message.length)), 0, message.length);
  held.set(message);
  return new Uint8Array(await crypto.subtle.digest("SHA-512", held));
};

/**
 * The request as it may go to the origin, once: call it last, and again for another attempt. What
 * the client sent in the signature's fields is gone. So is a pass, which is for the direct way to
 * the origin alone.
 *
 * @param {Request} request
 * @param {string} backend that it will be sent to: its override host is what is signed
 * @returns {Promise<Request>} a copy; the body is moved to it
 */
export async function authenticated(request, backend) {
  return signedFor(request, hostOverride(backend) || request.headers.get("Host") || undefined);
}

/**
 * The same for createWebsocketHandoff, where the backend's own name is always the Host.
 *
 * @param {Request} request
 * @param {string} backend
 * @returns {Promise<Request>}
 */
export async function authenticatedHandoff(request, backend) {
  const { target, port } = Backend.fromName(backend);
  return signedFor(request, hostOverride(backend) || `${target}:${port}`);
}

async function signedFor(request, authority) {
  const signed = new Request(request);
  const { headers, method, url } = signed;
  for (const name of NOT_FROM_CLIENTS) headers.delete(name);
  // The cache may ask the origin with GET instead, and the method is signed.
  if (method === "HEAD") signed.setCacheOverride(new CacheOverride("pass"));
  try {
    const fields = await sign(await readKey(), { method, url, authority, headers });
    for (const [name, value] of Object.entries(fields)) headers.set(name, value);
  } catch (error) {
    // Without a signature the origin refuses.
    console.error(`edgeauth: store ${STORE}, item ${ITEM}: ${error.message}: the origin will refuse`);
  }
  return signed;
}

/**
 * Signature-Input and Signature of a request.
 *
 * @param {string} text the key, as stores keep it
 * @param {object} outgoing what signRequest takes, but for the key
 * @returns {Promise<Object<string, string>>}
 */
export async function sign(text, outgoing) {
  const given = { components: COMPONENTS, scheme: SCHEME, tag: TAG, ...outgoing };
  const { id, rest } = signatures.keyParts(text);
  if (!rest.startsWith(PEM)) {
    return signatures.signRequest({ ...given, key: await signatures.importKey(text) });
  }
  const made = signatures.prepare({ ...given, key: { id } });
  const signature = await signAsync(new TextEncoder().encode(made.base), seed(rest));
  return signatures.fields(made, btoa(String.fromCharCode(...signature)));
}

function seed(pem) {
  try {
    const der = atob(pem.replace(/-----[A-Z ]+-----|\s/g, ""));
    if (der.length === 48 && der.startsWith(PKCS8)) {
      return Uint8Array.from(der.slice(PKCS8.length), (char) => char.charCodeAt(0));
    }
  } catch {
    // The original error could tell of the key.
  }
  throw new Error("the private key is not one for Ed25519 in PEM");
}

function hostOverride(backend) {
  try {
    return Backend.fromName(backend).hostOverride;
  } catch {
    return undefined;
  }
}

async function readKey() {
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
