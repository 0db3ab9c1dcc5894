// Deploys only what alex approved, exactly as it was approved, once. Whatever else happens, deploy() throws.
//
//   COUNTERSIGN_URL, COUNTERSIGN_API_KEY (or COUNTERSIGN_API_KEY_FILE) and COUNTERSIGN_TRUST in the environment, then
//   node deploy.mjs api-gateway a1b2c3d

import { Countersign, CountersignError } from 'countersign';

const countersign = new Countersign();

const deploy = countersign.guard(
  async ({ service, commit }) => {
    console.log(`deploying ${service} at ${commit}`);
  },
  {
    username: 'alex',
    action: ({ service }) => `Deploy ${service} to production`,
    onPending: ({ url, compareCode }) => console.log(`waiting for alex: ${url} (compare code ${compareCode})`),
  },
);

const [service = 'api-gateway', commit = 'a1b2c3d'] = process.argv.slice(2);
try {
  await deploy({ service, commit, env: 'production' });
} catch (error) {
  if (!(error instanceof CountersignError)) throw error;
  console.error(`not deployed: ${error.message} (${error.code})`);
  process.exitCode = 1;
}
