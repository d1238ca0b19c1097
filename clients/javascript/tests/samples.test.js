// The samples, the guide's example with plain libraries, and what the documents say: all of it runs.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { before, after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ArkaServer } from './arka.js';

const run = promisify(execFile);
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const server = new ArkaServer();
before(() => server.start());
after(() => server.stop());

async function printed(program, ...args) {
  const { stdout, stderr } = await run(process.execPath, [path(program), server.url, ...args], { timeout: 60_000 });
  assert.equal(stderr, '');
  return stdout.trim().split('\n');
}

const SAMPLES = {
  quickstart: [/^LSN \d+ reached MEMORY$/, /^LSN \d+ reached LOCAL_DISK$/, /^LSN \d+ reached OBJECT_STORAGE$/,
    /^LSN \d+ reached COMMITTED$/, /^\[$/, /"people": 3/],
  durable: [/^on disk$/, /^in the object store$/, /^10 more on disk$/, /^0 writes are not committed$/, /^true$/],
  exactly_once: [/\{ n: 8n, d: 8n \}/],
  backpressure: [/^true$/],
  rows: [/^column 'id': 'no number' is not an integer/, /^3 writes$/, /\{ n: 2500n, last: 'visitor 999' \}/],
  errors: [/^INVALID_ARGUMENT false$/],
};
for (const [sample, lines] of Object.entries(SAMPLES)) {
  test(`the sample ${sample} says what it is to say`, async () => {
    const said = await printed(`../samples/${sample}.js`);
    lines.forEach((pattern, i) => assert.match(said[i] ?? '', pattern, `line ${i + 1} of\n${said.join('\n')}`));
  });
}

const EXAMPLE = '../../../examples/javascript/flight_client.mjs';
test('the example with plain libraries sees every level', {
  skip: !existsSync(path('../../../examples/javascript/node_modules')) && 'its libraries are not installed',
}, async () => {
  const said = await printed(EXAMPLE, 'COMMITTED');
  const reached = said.map((line) => /^LSN \d+ reached (\w+) at \d{4}-/.exec(line)?.[1]);
  assert.deepEqual(reached, ['MEMORY', 'LOCAL_DISK', 'OBJECT_STORAGE', 'COMMITTED']);
});

for (const page of ['../README.md', '../../../docs/guide/javascript.md']) {
  test(`every block of ${page.split('/').at(-1)} is in a sample that runs`, () => {
    const sources = [...Object.keys(SAMPLES).map((sample) => `../samples/${sample}.js`), EXAMPLE]
      .map((file) => readFileSync(path(file), 'utf8'));
    const blocks = [...readFileSync(path(page), 'utf8').matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code);
    assert.ok(blocks.length > 0);
    for (const block of blocks) {
      assert.ok(sources.some((source) => source.includes(block)), `no sample has\n${block}`);
    }
  });
}
