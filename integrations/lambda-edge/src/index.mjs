// A whole function: everything that goes to the origin is signed. The key is in Secrets Manager.

import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { signing } from "./edgeauth.mjs";

// A function at the edge has no environment variables: what it needs to know is written here.
const SECRET = "edgeauth";
const REGION = "us-east-1";

const secrets = new SecretsManagerClient({ region: REGION });

export const handler = signing(async () => {
  const found = await secrets.send(new GetSecretValueCommand({ SecretId: SECRET }));
  return found.SecretString;
});
