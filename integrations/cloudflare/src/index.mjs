// A whole Worker: everything goes to the origin of the zone, signed.

import { authenticated } from "./edgeauth.mjs";

export default {
  async fetch(request, env) {
    return fetch(await authenticated(request, env));
  },
};
