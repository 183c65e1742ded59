// Signs calls by HubSpot's own library, and says whether it takes the signatures of others: reads and
// writes a line of JSON each.
// node sign.cjs DIRECTORY-OF-NODE_MODULES
const path = require('path'), { createRequire } = require('module');
const { Signature } = createRequire(path.join(process.argv[2], 'node_modules', 'x.js'))('@hubspot/api-client');
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { method, url, body, secret, timestamp } = JSON.parse(line);
  console.log(JSON.stringify(Signature.getSignature(method, 'v3', { clientSecret: secret, url, requestBody: body, timestamp })));
});
