/** A worker that runs cases one at a time, as it is handed them. The page stops it when a case takes too long. */
import { modules as families } from 'virtual:families';
import type { Case, Environment, Family, Json } from './family.ts';
import { Mismatch, MissingModule, show } from './family.ts';
import { CASE_TIMEOUT, type LaneMessage, type Outcome, type PlannedCase } from './plan.ts';

const documents = new Map<string, Promise<Json>>();

function readDocument(url: string): Promise<Json> {
  let document = documents.get(url);
  if (!document) {
    document = fetch(`/vectors/${url}`).then((response) => {
      if (!response.ok) throw new Error(`The vector file ${url} could not be read.`);
      return response.json() as Promise<Json>;
    });
    // Cases come file by file: one at a time is enough to hold.
    documents.clear();
    documents.set(url, document);
  }
  return document;
}

function environment(family: string): Environment {
  async function sibling(path: string): Promise<Response> {
    const response = await fetch(`/siblings/${family}/${path}`);
    if (!response.ok) throw new Mismatch(`a file ${family}/${path}`, 'no such file');
    return response;
  }
  return {
    async module(sha256) {
      const response = await fetch(`/modules/${sha256}`);
      if (response.status === 404) throw new MissingModule(`No module with the SHA-256 ${sha256}.`);
      return new Uint8Array(await response.arrayBuffer());
    },
    sibling: async (path) => new Uint8Array(await (await sibling(path)).arrayBuffer()),
    siblingText: async (path) => (await sibling(path)).text(),
    siblingJson: async <T>(path: string) => (await (await sibling(path)).json()) as T,
  };
}

async function runCase(planned: PlannedCase): Promise<Outcome> {
  const started = performance.now();
  const done = (rest: Omit<Outcome, 'id' | 'took'>): Outcome => ({
    id: planned.id,
    took: performance.now() - started,
    ...rest,
  });
  let family: Family;
  try {
    family = (await families[planned.family]!()).default;
  } catch (thrown) {
    return done({ ok: false, expected: 'a family that loads', got: show(thrown) });
  }
  post({ type: 'begin', timeout: family.timeout ?? CASE_TIMEOUT });
  try {
    const document = await readDocument(planned.url);
    const list = planned.list ? (document as Record<string, Json>)[planned.list] : document;
    const data = (list as Record<string, Json>[])[planned.index]!;
    const testCase: Case = {
      family: planned.family,
      name: planned.name,
      file: planned.file,
      list: planned.list,
      data,
      document,
    };
    await family.run(testCase, environment(planned.family));
    return done({ ok: true });
  } catch (thrown) {
    if (thrown instanceof MissingModule) return done({ ok: false, skipped: true, got: thrown.message });
    if (thrown instanceof Mismatch) return done({ ok: false, expected: thrown.expected, got: thrown.got });
    return done({ ok: false, expected: 'no error', got: describe(thrown) });
  }
}

/** An unexpected error with the place that threw it. */
function describe(thrown: unknown): string {
  const stack = thrown instanceof Error ? thrown.stack : undefined;
  const place = stack?.split('\n').find((line) => line.trimStart().startsWith('at '));
  return `${show(thrown)}${place ? ` ${place.trim()}` : ''}`;
}

function post(message: LaneMessage): void {
  self.postMessage(message);
}

self.addEventListener('message', (event: MessageEvent<PlannedCase>) => {
  void runCase(event.data).then((outcome) => post({ type: 'end', outcome }));
});
post({ type: 'ready' });
