// Another origin, host and path before the request is signed; and an answer without an origin.

import { signing } from "./edgeauth.mjs";

export const handler = signing(() => process.env.KEY, (request) => {
  if (request.uri === "/gone") return { status: "410", body: "gone" };
  request.headers.host = [{ key: "Host", value: "origin.example" }];
  request.uri = `/v2${request.uri}`;
  request.origin.custom.path = "/below";
  request.querystring = "only=this";
  return request;
});
