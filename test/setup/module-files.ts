/** WASM modules by their SHA-256: in a directory that the caller names, then in the project's ignored cache. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './bundle.ts';

export class ModuleFiles {
  readonly #directories: string[];
  #paths: Map<string, string> | undefined;

  constructor(directory?: string) {
    this.#directories = [...(directory ? [directory] : []), join(root, '.cache', 'modules')];
  }

  /** The file with this hash (hexadecimal or base64url), or undefined. */
  path(sha256: string): string | undefined {
    return (this.#paths ??= this.#index()).get(toHex(sha256));
  }

  /** The bytes of that file, or undefined. */
  read(sha256: string): Uint8Array | undefined {
    const path = this.path(sha256);
    return path === undefined ? undefined : readFileSync(path);
  }

  #index(): Map<string, string> {
    const paths = new Map<string, string>();
    for (const directory of this.#directories) {
      if (!existsSync(directory)) continue;
      for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
        const path = join(directory, name);
        if (!/\.wasm$/i.test(name) || !statSync(path).isFile()) continue;
        const hash = createHash('sha256').update(readFileSync(path)).digest('hex');
        if (!paths.has(hash)) paths.set(hash, path);
      }
    }
    return paths;
  }
}

function toHex(sha256: string): string {
  return /^[0-9a-fA-F]{64}$/.test(sha256)
    ? sha256.toLowerCase()
    : Buffer.from(sha256, 'base64url').toString('hex');
}
