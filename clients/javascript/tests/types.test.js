import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as arka from '../src/index.js';

const types = readFileSync(new URL('../src/index.d.ts', import.meta.url), 'utf8');

test('what is exported has types, and the other way round', () => {
  const declared = [...types.matchAll(/^export declare (?:class|const|function) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(Object.keys(arka).sort(), [...new Set(declared)].sort());
});

// What is between the modules of the library, not for its users.
const INTERNAL = { Client: ['forget'], WriteStream: ['open', 'seqOf'], Appender: ['open'] };

for (const name of ['Client', 'WriteStream', 'Write', 'Appender', 'AckTracker', 'LocalCache', 'DurabilityLag']) {
  test(`every method of ${name} has its type, and every type its method`, () => {
    const [, body] = new RegExp(`export declare class ${name}\\b.*?\\{\\n(.*?)^\\}`, 'ms').exec(types);
    const declared = [...body.matchAll(/^  (\w+)(?:<.*?>)?\(/gm)].map(([, method]) => method);
    const there = Object.entries(Object.getOwnPropertyDescriptors(arka[name].prototype))
      .filter(([, { value }]) => typeof value === 'function').map(([method]) => method);
    const hidden = ['constructor', ...(INTERNAL[name] ?? [])];
    assert.deepEqual([...new Set(declared)].filter((method) => method !== 'constructor').sort(),
      there.filter((method) => !hidden.includes(method)).sort());
  });
}
