// Signs every request that CloudFront sends to a custom origin (RFC 9421), for edgeauth to verify
// there. A handler of the event origin-request:
//
//   import { signing } from "./edgeauth.mjs";
//   export const handler = signing(readKey);
//
// readKey returns, or promises, the key as id:secret, or as id: and a private key for Ed25519 in PEM.
//
// edgeauth:parameter tag = "edge"
// edgeauth:parameter scheme = "https"
// edgeauth:parameter components = "@method", "@authority", "@path", "@query"

import signatures from "./message-signatures.mjs";

const TAG = "edge";
// Whose default port is no part of the host: url_scheme at the origin.
const SCHEME = "https";
const COMPONENTS = ["@method", "@authority", "@path", "@query"];
// A changed key is in use at all edges after this time.
const KEEP_SECONDS = 300;

/**
 * A handler that signs, after what *change* does with the request.
 *
 * @param {() => string | Promise<string>} readKey is asked again after KEEP_SECONDS
 * @param {(request: object) => object | Promise<object>} [change] takes the request of the event and
 *   returns it; what has a status is an answer, and goes to the client
 * @returns {(event: object) => Promise<object>}
 */
export function signing(readKey, change = (request) => request) {
  const key = kept(readKey);
  return async (event) => {
    const request = await change(event.Records[0].cf.request);
    if (request.status !== undefined) return request;
    return authenticated(request, key);
  };
}

async function authenticated(request, key) {
  const { headers, querystring } = request;
  // Also those that a client signed itself: the origin must find one signature and no other.
  for (const name of ["signature-input", "signature", "edge-auth-pass"]) delete headers[name];
  const above = request.origin?.custom?.path ?? "";
  try {
    const fields = await signatures.signRequest({
      method: request.method,
      authority: headers.host[0].value,
      // CloudFront puts the two together like this when the function has returned.
      target: above + request.uri + (querystring ? `?${querystring}` : ""),
      headers: linesOf(headers),
      key: await key(),
      tag: TAG,
      scheme: SCHEME,
      components: COMPONENTS,
    });
    for (const [name, value] of Object.entries(fields)) {
      headers[name.toLowerCase()] = [{ key: name, value }];
    }
  } catch (error) {
    // Without a signature the origin refuses.
    console.error(`edgeauth: not signed: ${error.message}: the origin will refuse`);
  }
  return request;
}

function linesOf(headers) {
  const entries = Object.entries(headers);
  return Object.fromEntries(entries.map(([name, lines]) => [name, lines.map((one) => one.value)]));
}

/** The key, read once in KEEP_SECONDS; an older one is better than none. */
function kept(readKey) {
  let key;
  let readAt = -Infinity;
  return async () => {
    // A function has one request at a time, so it reads once.
    if (Date.now() - readAt < KEEP_SECONDS * 1000) return key;
    try {
      key = await signatures.importKey(await readKey());
    } catch (error) {
      if (!key) throw error;
      console.error(`edgeauth: the key was not read again: ${error.message}`);
    }
    readAt = Date.now();
    return key;
  };
}
