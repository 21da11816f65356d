/** What a new process can be made of: the samples that ship, and the modules that were downloaded beside the app. */
import { toHex } from '../base/bytes.ts';
import { AoError } from '../base/errors.ts';
import { sha256Async } from '../crypto/hash.ts';
import type { SampleInfo } from '../protocol/api.ts';

interface Sample extends Omit<SampleInfo, 'available' | 'reason'> {
  /** Path beside the app. */
  readonly file: string;
}

const SAMPLES: readonly Sample[] = [
  {
    name: 'counter',
    title: 'Counter (WASM64)',
    about: 'A small program in WebAssembly text: it counts messages and keeps the count at /now/count.',
    kind: 'wasm64',
    file: '/samples/counter.wasm',
  },
  {
    name: 'ledger',
    title: 'Ledger (Lua)',
    about: 'Balances in a few lines of Lua: mint and transfer, and read them at /now/balances.',
    kind: 'lua',
    file: '/samples/ledger.lua',
  },
];

/** One entry of the list, by short name, that the server of the app keeps of downloaded modules. */
interface ModuleEntry {
  readonly path: string;
  /** Lower-case hex. */
  readonly sha256: string;
}

export class Samples {
  readonly #index: string;
  readonly #bytes = new Map<string, Uint8Array<ArrayBuffer>>();

  /** `index`: URL of the list of downloaded modules. */
  constructor(index: string) {
    this.#index = index;
  }

  async list(): Promise<SampleInfo[]> {
    const aos = await this.#aosEntry();
    const reason =
      'The aos module is not part of this project and was not downloaded: start the app once with a network, or choose a .wasm file.';
    return [
      ...SAMPLES.map(({ name, title, about, kind }) => ({ name, title, about, kind, available: true })),
      {
        name: 'aos',
        title: 'aos',
        about: 'The operating system of AO processes, with its Lua prompt. The module that the network runs.',
        kind: 'aos',
        available: aos !== undefined,
        ...(aos ? {} : { reason }),
      },
    ];
  }

  /** @throws AoError `no-sample` (404), `sample-unreachable` (503) */
  async bytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const known = this.#bytes.get(name);
    if (known) return known;
    const bytes = name === 'aos' ? await this.#aos() : await this.#sample(name);
    this.#bytes.set(name, bytes);
    return bytes;
  }

  async #sample(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const sample = SAMPLES.find((entry) => entry.name === name);
    if (!sample) throw new AoError('no-sample', `There is no sample named ${name}.`, { status: 404 });
    return read(sample.file);
  }

  async #aosEntry(): Promise<ModuleEntry | undefined> {
    try {
      const list = JSON.parse(new TextDecoder().decode(await read(this.#index))) as { aos?: ModuleEntry };
      return list.aos;
    } catch {
      // Offline, or an app that is served without modules: everything else works.
      return undefined;
    }
  }

  async #aos(): Promise<Uint8Array<ArrayBuffer>> {
    const entry = await this.#aosEntry();
    if (!entry) throw new AoError('no-sample', 'The aos module was not downloaded.', { status: 404 });
    const bytes = await read(entry.path);
    if (toHex(await sha256Async(bytes)) !== entry.sha256)
      throw new AoError('bad-module', 'The aos module that was downloaded is not the one it should be.', {
        status: 422,
      });
    return bytes;
  }
}

async function read(path: string): Promise<Uint8Array<ArrayBuffer>> {
  let response: Response;
  try {
    response = await fetch(path);
  } catch (cause) {
    throw new AoError('sample-unreachable', `${path} cannot be read at the moment.`, { status: 503, cause });
  }
  // A server that answers everything with the app's page has no such file.
  const html = response.headers.get('content-type')?.startsWith('text/html');
  if (!response.ok || html) throw new AoError('sample-unreachable', `${path} is not here.`, { status: 404 });
  return new Uint8Array(await response.arrayBuffer());
}
