/** Assembles the WebAssembly samples in `public/samples`: `node test/setup/samples.mjs` writes them anew. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import wabt from 'wabt';

const folder = new URL('../../public/samples/', import.meta.url);

/** @returns {Promise<Map<string, { wasm: Uint8Array, path: string }>>} the sample's name to what its text gives */
export async function assembleSamples() {
  const { parseWat } = await wabt();
  const out = new Map();
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.wat')) continue;
    const text = readFileSync(new URL(name, folder), 'utf8');
    const module = parseWat(name, text, { memory64: true, bulk_memory: true, multi_value: true });
    module.validate();
    const { buffer } = module.toBinary({});
    module.destroy();
    const path = fileURLToPath(new URL(name.replace(/\.wat$/, '.wasm'), folder));
    out.set(name.replace(/\.wat$/, ''), { wasm: buffer, path });
  }
  return out;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const { wasm, path } of (await assembleSamples()).values()) writeFileSync(path, wasm);
