// CloudFront as far as a function of the event origin-request sees it: each request to PORT makes an
// event, and what the function returns is sent to an origin.
//
//   node cloudfront.mjs MODULE PORT PATH ORIGIN_PORT...
//
// A second origin is asked where the first one fails, and the function is run once more, as for an
// origin group. PATH is the path of the origin, before that of the request.

import { createServer, request as ask } from "node:http";
import { pathToFileURL } from "node:url";

const [module, port, path, ...origins] = process.argv.slice(2);
const { handler } = await import(pathToFileURL(module));

// A function may not change these, nor add any that CloudFront keeps for itself.
const READ_ONLY = /^(accept-encoding|content-length|if-.*|range|transfer-encoding|via)$/;
const KEPT = /^(connection|expect|keep-alive|proxy-.*|trailer|upgrade|x-accel-.*|x-amz.*|x-cache.*|x-edge-.*|x-real-ip)$/;
const REPEATABLE = ["GET", "HEAD", "OPTIONS"];

createServer((incoming, answer) => {
  serve(incoming, answer, origins).catch((error) => {
    console.error(error);
    answer.writeHead(502).end();
  });
}).listen(Number(port), "127.0.0.1");

async function serve(incoming, answer, [origin, ...others]) {
  const event = eventOf(incoming, origin);
  const before = structuredClone(event.Records[0].cf.request.headers);
  // As it is handed over to another process and back.
  const result = JSON.parse(JSON.stringify(await handler(JSON.parse(JSON.stringify(event)))));
  if (result.status !== undefined) {
    answer.writeHead(Number(result.status)).end(result.body);
    return;
  }
  refuseForbidden(before, result.headers);
  try {
    await send(incoming, result, origin, answer);
  } catch (error) {
    if (others.length === 0 || !REPEATABLE.includes(incoming.method)) throw error;
    await serve(incoming, answer, others);
  }
}

function eventOf(incoming, origin) {
  const headers = {};
  for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
    const [key, value] = incoming.rawHeaders.slice(at, at + 2);
    if (!KEPT.test(key.toLowerCase())) (headers[key.toLowerCase()] ??= []).push({ key, value });
  }
  headers.via = [{ key: "Via", value: "1.1 2afae0d44e2540f472c0635ab62c232b.cloudfront.net (CloudFront)" }];
  headers["x-forwarded-for"] = [{ key: "X-Forwarded-For", value: "203.0.113.178" }];
  headers["user-agent"] = [{ key: "User-Agent", value: "Amazon CloudFront" }];
  const mark = incoming.url.indexOf("?");
  const config = {
    distributionDomainName: "d111111abcdef8.cloudfront.net",
    distributionId: "EDFDVBD6EXAMPLE",
    eventType: "origin-request",
    requestId: "4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ==",
  };
  const custom = {
    customHeaders: {},
    domainName: "origin.example",
    keepaliveTimeout: 5,
    path,
    port: Number(origin),
    protocol: "http",
    readTimeout: 30,
    sslProtocols: ["TLSv1.2"],
  };
  const request = {
    clientIp: "203.0.113.178",
    headers,
    method: incoming.method,
    origin: { custom },
    querystring: mark < 0 ? "" : incoming.url.slice(mark + 1),
    uri: mark < 0 ? incoming.url : incoming.url.slice(0, mark),
  };
  return { Records: [{ cf: { config, request } }] };
}

function refuseForbidden(before, after) {
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const changed = JSON.stringify(before[name]) !== JSON.stringify(after[name]);
    if (changed && (READ_ONLY.test(name) || KEPT.test(name))) throw new Error(`changes ${name}`);
  }
}

function send(incoming, request, origin, answer) {
  const { headers, origin: to, querystring, uri } = request;
  const target = to.custom.path + uri + (querystring ? `?${querystring}` : "");
  const lines = Object.values(headers).flat();
  return new Promise((resolve, reject) => {
    const outgoing = ask({
      host: "127.0.0.1",
      port: Number(origin),
      method: request.method,
      path: target,
      headers: lines.flatMap((line) => [line.key, line.value]),
    });
    outgoing.on("response", (response) => {
      answer.writeHead(response.statusCode, response.headers);
      response.pipe(answer).on("finish", resolve);
    });
    outgoing.on("error", reject);
    incoming.pipe(outgoing);
  });
}
