// Sends requests that the peer's own signer signed: node client.js PEER PORT < requests, one JSON
// object a line; prints the status of each answer.
"use strict";

const http = require("node:http");
const path = require("node:path");
const readline = require("node:readline");

const [peer, port] = process.argv.slice(2);
const sign = require(path.join(peer, "lib", "sign.js"));

function send({ version, secret, data, target, method }) {
  const headers = {
    Host: "shop.example",
    "X-Akamai-G2O-Auth-Data": data,
    "X-Akamai-G2O-Auth-Sign": sign(version, secret, data, target),
  };
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: "127.0.0.1", port, path: target, method, headers, agent: false },
      (answer) => {
        answer.resume();
        answer.on("end", () => resolve(answer.statusCode));
      },
    );
    request.on("error", reject);
    request.end();
  });
}

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(await send(JSON.parse(line)));
  }
})();
