// Prints what the core would sign for each line of standard input, as a line of JSON.

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const core = (await import(pathToFileURL(process.argv[2]))).default;

for await (const line of createInterface({ input: process.stdin })) {
  const { fields, ...request } = JSON.parse(line);
  const { base } = core.prepare({ ...request, headers: joined(fields) });
  // The same from the fields as fetch has them, which joins them itself.
  const again = core.prepare({ ...request, headers: new Headers(fields) });
  process.stdout.write(JSON.stringify([base, again.base]) + "\n");
}

function joined(fields) {
  const headers = {};
  for (const [name, value] of fields) (headers[name] ||= []).push(value);
  return headers;
}
