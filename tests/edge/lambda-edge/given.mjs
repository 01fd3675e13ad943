// The key comes from the test.

import { signing } from "./edgeauth.mjs";

export const handler = signing(() => process.env.KEY);
