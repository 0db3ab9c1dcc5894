// The REST pattern alone, without an SDK: ask, wait until it is no longer pending, and act on `approved` and nothing else.
// It believes the server; the SDK verifies the receipt as well.
//
//   COUNTERSIGN_URL and COUNTERSIGN_API_KEY in the environment, then
//   node deploy.mjs api-gateway a1b2c3d

const [service = 'api-gateway', commit = 'a1b2c3d'] = process.argv.slice(2);
const payload = { service, commit, env: 'production' };

async function call(method, path, body, headers = {}) {
  const response = await fetch(process.env.COUNTERSIGN_URL + path, {
    method,
    headers: { 'X-Api-Key': process.env.COUNTERSIGN_API_KEY, 'Content-Type': 'application/json', ...headers },
    body: body && JSON.stringify(body),
    redirect: 'error',
    signal: AbortSignal.timeout(60_000),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

const asked = { username: 'alex', action: `Deploy ${service} to production`, payload };
let confirmation = await call('POST', '/api/confirmations', asked, { 'Idempotency-Key': crypto.randomUUID() });
const path = `/api/confirmations/${confirmation.id}`;
console.log(`waiting for alex: ${confirmation.url} (compare code ${confirmation.compareCode})`);

do confirmation = await call('GET', `${path}?wait=25`);
while (confirmation.status === 'pending');
if (confirmation.status !== 'approved') throw new Error(`not deployed: ${confirmation.status}`);

await call('POST', `${path}/consume`, undefined, { 'Idempotency-Key': crypto.randomUUID() });
console.log(`deploying ${payload.service} at ${payload.commit}`);
