// Beside what the example does: attempts, further components, another Host.

import { authenticated } from "./edgeauth.mjs";

const COMPONENTS = ["@method", "@authority", "@path", "@query", "x-odd"];

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/retry") return secondAttempt(request, env);
    const more = pathname === "/host" ? { authority: "other.example" } : { components: COMPONENTS };
    return fetch(await authenticated(request, env, more));
  },
};

async function secondAttempt(request, env) {
  const first = await authenticated(request, env);
  const second = await authenticated(request, env);
  await fetch(first.clone());
  second.headers.set("X-First", first.headers.get("Signature"));
  second.headers.set("X-Attempt", "2");
  return fetch(second);
}
