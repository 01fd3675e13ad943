// Prints what the core would sign for each line of standard input, as a line of JSON.

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const core = (await import(pathToFileURL(process.argv[2]))).default;

for await (const line of createInterface({ input: process.stdin })) {
  const { fields, ...request } = JSON.parse(line);
  // The same once more from the fields as fetch has them, which joins them itself.
  const both = [joined(fields), new Headers(fields)];
  process.stdout.write(JSON.stringify(both.map((headers) => base({ ...request, headers }))) + "\n");
}

function base(request) {
  try {
    return core.prepare(request).base;
  } catch (error) {
    return `refused: ${error.message}`;
  }
}

function joined(fields) {
  const headers = {};
  for (const [name, value] of fields) (headers[name] ||= []).push(value);
  return headers;
}
