// Signs every request that nginx sends to the origin (RFC 9421), for edgeauth to verify there: the
// variables $edgeauth_input and $edgeauth_signature are the two fields. See nginx.conf.
//
// njs has no Ed25519: the key is id:secret.
//
// edgeauth:parameter tag = "edge"
// edgeauth:parameter scheme = "https"
// edgeauth:parameter components = "@method", "@authority", "@path", "@query"

import node from "crypto";
import signatures from "message-signatures.mjs";

const TAG = "edge";
// Whose default port is no part of the host: url_scheme at the origin.
const SCHEME = "https";
const COMPONENTS = ["@method", "@authority", "@path", "@query"];

/**
 * The value of Signature-Input; it leaves that of Signature in $edgeauth_signature.
 *
 * Read once an attempt, since js_set has nocache: each is signed anew.
 */
function input(r) {
  const variables = r.variables;
  variables.edgeauth_signature = "";
  try {
    const key = signatures.keyParts(edgeauth_key.key);
    if (key.rest.indexOf("-----BEGIN") === 0) throw new Error("njs signs with id:secret alone");
    const made = signatures.prepare({
      method: variables.request_method,
      authority: variables.edgeauth_host,
      target: variables.request_uri,
      // What nginx sends in such a field must be the value of such a variable.
      headers: { get: (name) => variables[`edgeauth_${name.replace(/-/g, "_")}`] },
      key,
      tag: TAG,
      scheme: SCHEME,
      components: COMPONENTS,
    });
    const signature = node.createHmac("sha256", key.rest).update(made.base).digest("base64");
    const fields = signatures.fields(made, signature);
    variables.edgeauth_signature = fields.Signature;
    return fields["Signature-Input"];
  } catch (error) {
    // Without a signature the origin refuses. An empty field is not sent at all.
    r.error(`edgeauth: not signed: ${error.message}: the origin will refuse`);
    return "";
  }
}

export default { input };
