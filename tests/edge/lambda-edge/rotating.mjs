// Reads its key as time goes on: a first one, then none for once, then another. The path of a request
// is the time of its clock, and the answer says what would have been sent.

import { signing } from "./edgeauth.mjs";

let now = 0;
Date.now = () => now * 1000;

let asked = 0;
const handlerOfKeys = signing(async () => {
  asked += 1;
  if (asked === 2) throw new Error("throttled");
  return asked === 1 ? process.env.KEY : process.env.OTHER_KEY;
});

export async function handler(event) {
  now = 1_700_000_000 + Number(event.Records[0].cf.request.uri.slice(1));
  const signed = await handlerOfKeys(event);
  const [{ value }] = signed.headers["signature-input"];
  return { status: "200", body: `${asked} ${/keyid="([^"]*)"/.exec(value)[1]}` };
}
