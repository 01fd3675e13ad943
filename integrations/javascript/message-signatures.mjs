// Signs a request as RFC 9421 says, for edgeauth to verify at the origin. It needs Web Crypto and
// nothing else.
//
//   import signatures from "./message-signatures.mjs";
//   const key = await signatures.importKey(secret); // id:secret, or id: and a private key in PEM
//   const fields = await signatures.signRequest({ method, url, key, tag: "edge" });
//
// Sign last, after all that changes the method, Host, path or query, and once more for each further
// attempt: a signature is good once.
//
// One export by default, and no syntax that is newer than nginx's own JavaScript: it reads this too.

const COMPONENTS = ["@method", "@authority", "@path", "@query"];

/**
 * @typedef {object} Key
 * @property {string} id what the origin knows it by
 * @property {"hmac-sha256" | "ed25519"} algorithm
 * @property {CryptoKey} material
 */

/**
 * What is about to be sent to the origin, and how it is signed.
 *
 * @typedef {object} Outgoing
 * @property {string} method
 * @property {string} [url] as it will be asked for; or authority and target instead
 * @property {string} [authority] the Host field that will be sent, if not that of the url
 * @property {string} [target] path and query that will be sent, never decoded
 * @property {Headers | Object<string, string | string[]>} [headers] the fields that will be sent,
 *   names of an object in lower case; only those that are signed are looked at
 * @property {Key} key
 * @property {string[]} [components] names of fields in lower case, and @method, @authority, @path
 *   and @query, which alone are signed if this is left out
 * @property {string} [tag] as the origin has it, if it has one
 * @property {string} [label] "edge" if left out
 * @property {"https" | "http"} [scheme] whose default port is left out; as the origin has it
 * @property {number} [created] Unix seconds; the present if left out
 * @property {string | null} [nonce] made at random if left out; null for none
 */

/**
 * The two fields that a request must have. They take the place of any that the client sent.
 *
 * @param {Outgoing} request
 * @returns {Promise<{"Signature-Input": string, "Signature": string}>}
 * @throws {Error} if something that is to be signed is not there, or not printable ASCII
 */
async function signRequest(request) {
  const made = prepare(request);
  const name = request.key.algorithm === "ed25519" ? "Ed25519" : "HMAC";
  const base = new TextEncoder().encode(made.base);
  return fields(made, base64(await crypto.subtle.sign({ name }, request.key.material, base)));
}

/**
 * What signRequest signs: for an edge that signs by other means.
 *
 * @param {Outgoing} request of its key, only the id is needed
 * @returns {{label: string, input: string, base: string}} base is the text to sign, all ASCII
 */
function prepare(request) {
  const names = request.components || COMPONENTS;
  const sent = requestLine(request);
  const lines = names.map((name) => {
    const value = name[0] === "@" ? sent[name] : fieldValue(request.headers || {}, name);
    if (typeof value !== "string") throw new Error(`${name} cannot be signed: it is not there`);
    return `${quoted(name)}: ${printable(name, value)}\n`;
  });
  const created = request.created === undefined ? Math.floor(Date.now() / 1000) : request.created;
  const nonce = request.nonce === undefined ? randomText() : request.nonce;
  let input = `(${names.map(quoted).join(" ")});created=${created};keyid=${quoted(request.key.id)}`;
  if (nonce !== null) input += `;nonce=${quoted(nonce)}`;
  if (request.tag) input += `;tag=${quoted(request.tag)}`;
  const base = `${lines.join("")}"@signature-params": ${input}`;
  return { label: request.label || "edge", input, base };
}

/**
 * The two fields of what prepare made.
 *
 * @param {{label: string, input: string}} made
 * @param {string} signature in base64
 */
function fields(made, signature) {
  return {
    "Signature-Input": `${made.label}=${made.input}`,
    Signature: `${made.label}=:${signature}:`,
  };
}

/**
 * The key in a text as edges keep it: `id:secret` as in a secrets file of the origin (HMAC), or
 * `id:` and after it a private key for Ed25519 in PEM ("BEGIN PRIVATE KEY").
 *
 * @param {string} text
 * @returns {Promise<Key>}
 * @throws {Error} if it is neither; the message has nothing of it
 */
async function importKey(text) {
  const parts = keyParts(text);
  const usages = ["sign"];
  if (parts.rest.indexOf("-----BEGIN PRIVATE KEY-----") !== 0) {
    const hmac = { name: "HMAC", hash: "SHA-256" };
    const secret = new TextEncoder().encode(parts.rest);
    const material = await crypto.subtle.importKey("raw", secret, hmac, false, usages);
    return { id: parts.id, algorithm: "hmac-sha256", material };
  }
  try {
    const armoured = parts.rest.replace(/-----[A-Z ]+-----|\s/g, "");
    const der = Uint8Array.from(atob(armoured), (char) => char.charCodeAt(0));
    const name = { name: "Ed25519" };
    const material = await crypto.subtle.importKey("pkcs8", der, name, false, usages);
    return { id: parts.id, algorithm: "ed25519", material };
  } catch (_) {
    throw new Error(`key ${parts.id}: no private key for Ed25519, or not known to this runtime`);
  }
}

/**
 * The id, and the rest, of a key as importKey reads it.
 *
 * @param {string} text
 * @returns {{id: string, rest: string}}
 */
function keyParts(text) {
  const match = /^\s*([A-Za-z0-9._-]{1,64})\s*:\s*(\S[^]*)$/.exec(text || "");
  if (!match) throw new Error("no key: it must be id:secret, or id: and a private key in PEM");
  return { id: match[1], rest: match[2].trim() };
}

function requestLine(request) {
  let authority = request.authority;
  let target = request.target;
  if (request.url !== undefined) {
    // Taken apart as it is written: a URL that is read and written again may be another one.
    const parts = /^https?:\/\/([^/?#@]+)(?=[/?#]|$)([^#]*)/i.exec(request.url);
    if (!parts) throw new Error("the url must be absolute, and name no user");
    authority = authority || parts[1];
    target = parts[2];
  }
  if (!authority || target === undefined) throw new Error("neither url nor authority and target");
  const mark = target.indexOf("?");
  const path = mark < 0 ? target : target.slice(0, mark);
  const port = request.scheme === "http" ? /:0*(80)?$/ : /:0*(443)?$/;
  return {
    "@method": request.method,
    "@authority": authority.toLowerCase().replace(port, ""),
    "@path": path || "/",
    "@query": mark < 0 ? "?" : target.slice(mark),
  };
}

function fieldValue(headers, name) {
  // Headers has put all lines into one already, each without the white space around it.
  if (typeof headers.get === "function") return headers.get(name);
  const found = headers[name];
  if (found === undefined) return null;
  const lines = Array.isArray(found) ? found : [found];
  return lines.map((line) => line.replace(/^[ \t]+|[ \t]+$/g, "")).join(", ");
}

function printable(name, value) {
  // A line break could stand for another line.
  if (!/^[\t -~]*$/.test(value)) throw new Error(`${name} is not printable ASCII`);
  return value;
}

function quoted(text) {
  return `"${printable("a parameter", text).replace(/["\\]/g, "\\$&")}"`;
}

function randomText() {
  return base64(crypto.getRandomValues(new Uint8Array(16)));
}

function base64(bytes) {
  return btoa(String.fromCharCode.apply(null, new Uint8Array(bytes)));
}

export default { signRequest, prepare, fields, importKey, keyParts };
