import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
// @ts-expect-error a script, without types of its own
import { assembleSamples } from '../../setup/samples.mjs';

it('the samples are what their text assembles to', async () => {
  const samples = (await assembleSamples()) as Map<string, { wasm: Uint8Array; path: string }>;
  expect(samples.size).toBeGreaterThan(0);
  for (const { wasm, path } of samples.values())
    expect(readFileSync(path).equals(Buffer.from(wasm))).toBe(true);
});
