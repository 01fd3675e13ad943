// Signs every request that leaves for the origin (RFC 9421), for edgeauth to verify there.
//
//   import { authenticated } from "./edgeauth.mjs";
//   return fetch(await authenticated(request, env));
//
// The key is in a secret of the Worker, as id:secret, or as id: and a private key for Ed25519 in PEM.
//
// edgeauth:parameter dictionary = EDGEAUTH_KEY
// edgeauth:parameter tag = "edge"
// edgeauth:parameter scheme = "https"
// edgeauth:parameter components = "@method", "@authority", "@path", "@query"

import signatures from "./message-signatures.mjs";

const BINDING = "EDGEAUTH_KEY";
const TAG = "edge";
// Whose default port is no part of the host: url_scheme at the origin.
const SCHEME = "https";
const COMPONENTS = ["@method", "@authority", "@path", "@query"];

let key;

/**
 * The request as it may go to the origin, once. Call it last, and again for another attempt.
 *
 * @param {Request} request
 * @param {object} env as the Worker's handler gets it
 * @param {object} [more] more that signRequest takes, or other: authority, where a rule gives the
 *   origin another Host than that of the URL
 * @returns {Promise<Request>} a copy; the body is moved to it
 */
export async function authenticated(request, env, more = {}) {
  // The cache asks with GET for what it may keep; the answer to HEAD still has no body.
  const method = request.method === "HEAD" ? "GET" : request.method;
  // Without . and .. in the path: the runtime takes them away when it sends, after this.
  const signed = new Request(new Request(new URL(request.url), request), { method });
  const { headers } = signed;
  // Also those that a client signed itself: the origin must find one signature and no other.
  for (const name of ["Signature-Input", "Signature", "Edge-Auth-Pass"]) headers.delete(name);
  try {
    // As long as it runs, a Worker has the same secrets: a new one is a new deployment.
    key ??= await signatures.importKey(env[BINDING]);
    const how = { tag: TAG, scheme: SCHEME, components: COMPONENTS, ...more };
    const fields = await signatures.signRequest({ method, url: signed.url, headers, key, ...how });
    for (const [name, value] of Object.entries(fields)) headers.set(name, value);
  } catch (error) {
    // Without a signature the origin refuses.
    console.error(`edgeauth: not signed with ${BINDING}: ${error.message}: the origin will refuse`);
  }
  return signed;
}
