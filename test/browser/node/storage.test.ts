import { afterEach, describe, expect, it } from 'vitest';
import { openNode, type OpenNode } from '../../../src/client/index.ts';
import { toBase64Url } from '../../../src/base/bytes.ts';
import { sha256 } from '../../../src/crypto/hash.ts';
import { PAGE_BYTES } from '../../../src/engine/engine.ts';
import { deleteIndexedDb, openIndexedDb } from '../../../src/store/indexeddb.ts';
import { applyDelta, SnapshotStore } from '../../../src/store/snapshots.ts';
import { leaveTrace } from '../../../src/store/traces.ts';

const put = IDBObjectStore.prototype.put;

afterEach(() => {
  IDBObjectStore.prototype.put = put;
});

/** From the put with this number on, the browser has no room left. */
function fullAfter(count: number): void {
  let puts = 0;
  IDBObjectStore.prototype.put = function (this: IDBObjectStore, value: unknown, key?: IDBValidKey) {
    if (++puts > count) throw new DOMException('Quota exceeded.', 'QuotaExceededError');
    return put.call(this, value, key);
  };
}

function pages(count: number, fill: number) {
  const changed = Array.from({ length: count }, (_, index) => {
    const bytes = new Uint8Array(PAGE_BYTES).fill(fill + index);
    return { index, hash: toBase64Url(sha256(bytes)), bytes };
  });
  return applyDelta(undefined, { byteLength: count * PAGE_BYTES, changed, globals: {} }, 0);
}

describe('storage that is full', () => {
  it('in the middle of a snapshot: nothing of it stays, and it is written when there is room again', async () => {
    const name = `full-${crypto.randomUUID()}`;
    const store = await openIndexedDb(name);
    const snapshots = SnapshotStore.of(store);
    const first = pages(3, 1);
    await snapshots.write('p', 1, first.snapshot, first.bytes);
    const second = pages(8, 100);
    for (const after of [0, 1, 5, 8]) {
      fullAfter(after);
      await expect(snapshots.write('p', 2, second.snapshot, second.bytes)).rejects.toMatchObject({
        code: 'storage-full',
        status: 507,
      });
      IDBObjectStore.prototype.put = put;
      expect(await store.keys('pages')).toHaveLength(3);
      expect(await snapshots.slots('p')).toEqual([1]);
    }
    expect((await snapshots.write('p', 2, second.snapshot, second.bytes)).pages).toBe(8);
    await store.close();
    await deleteIndexedDb(name);
  });
});

describe('a node without storage', () => {
  it('keeps its state in memory, says so, and works', async () => {
    let node: OpenNode | undefined;
    try {
      node = await openNode({
        serviceWorker: false,
        database: `none-${crypto.randomUUID()}`,
        createWorker: () => without(`Object.defineProperty(globalThis, 'indexedDB', { value: undefined });`),
      });
      expect((await node.info()).storage).toBe('memory');
      const { id } = await node.spawn({ module: { type: 'lua', source: await sample('ledger.lua') } });
      await node.send(id, { action: 'Mint', tags: { quantity: '5' } });
      expect((await node.processes()).map((one) => one.slot)).toEqual([1]);
    } finally {
      await node?.close();
    }
  });

  it('says why when its database cannot be opened, and does not begin an empty one in its place', async () => {
    let node: OpenNode | undefined;
    const opened = openNode({
      serviceWorker: false,
      database: `broken-${crypto.randomUUID()}`,
      createWorker: () =>
        without(`indexedDB.open = () => { throw new DOMException('Internal error.', 'UnknownError'); };`),
    }).then((one) => (node = one));
    await expect(opened).rejects.toMatchObject({ code: 'storage-unavailable', status: 503 });
    await (node as OpenNode | undefined)?.close();
  });
});

describe('a database that was there', () => {
  it('is never passed over for memory when the browser refuses to open it', async () => {
    const name = `known-${crypto.randomUUID()}`;
    await leaveTrace(name);
    let node: OpenNode | undefined;
    const opened = openNode({
      serviceWorker: false,
      database: name,
      createWorker: () =>
        without(`indexedDB.open = () => { throw new DOMException('Not here.', 'SecurityError'); };`),
    }).then((one) => (node = one));
    await expect(opened).rejects.toMatchObject({ code: 'storage-unavailable', status: 503 });
    await (node as OpenNode | undefined)?.close();
  });

  it('is reported as lost once it is gone, and a first start is not', async () => {
    const name = `lost-${crypto.randomUUID()}`;
    const lost = async () => {
      const node = await openNode({
        serviceWorker: false,
        database: name,
        createWorker: () =>
          new Worker(new URL('../../../workers/node.worker.ts', import.meta.url), { type: 'module' }),
      });
      try {
        return (await node.info()).lost;
      } finally {
        await node.close();
      }
    };
    expect(await lost()).toBeUndefined();
    expect(await lost()).toBeUndefined();
    await deleteIndexedDb(name);
    const before = Date.now();
    const found = await lost();
    expect(found).toBeGreaterThanOrEqual(before);
    expect(await lost()).toBe(found);
    await deleteIndexedDb(name);
  });
});

describe('a browser without memory64', () => {
  it('refuses a wasm64 process in a sentence, and runs Lua', async () => {
    const node = await openNode({
      serviceWorker: false,
      database: `old-${crypto.randomUUID()}`,
      createWorker: () =>
        without(`
          const { validate } = WebAssembly;
          // A memory whose limits have the flag of 64-bit addresses, as the test for it writes one.
          WebAssembly.validate = (bytes) => {
            const all = new Uint8Array(bytes.buffer ?? bytes);
            return all.length < 64 ? false : validate.call(WebAssembly, bytes);
          };`),
    });
    try {
      expect((await node.info()).memory64).toBe(false);
      const bytes = new Uint8Array(await (await fetch('/samples/counter.wasm')).arrayBuffer());
      expect(await node.inspectModule(bytes)).toMatchObject({ supported: false });
      await expect(node.spawn({ module: { type: 'wasm', bytes } })).rejects.toMatchObject({
        name: 'AoError',
        code: 'no-memory64',
        status: 501,
      });
      const { id } = await node.spawn({ module: { type: 'lua', source: await sample('ledger.lua') } });
      const sent = await node.send(id, { action: 'Mint', tags: { quantity: '5' } });
      expect(sent.result?.ok).toBe(true);
    } finally {
      await node.close();
    }
  });
});

describe('a browser with one processor', () => {
  it('keeps twenty processes going with eight machines: what goes for others comes back as it was', async () => {
    const node = await openNode({
      serviceWorker: false,
      database: `many-${crypto.randomUUID()}`,
      createWorker: () => without(`Object.defineProperty(navigator, 'hardwareConcurrency', { value: 1 });`),
    });
    try {
      const bytes = new Uint8Array(await (await fetch('/samples/counter.wasm')).arrayBuffer());
      const ids: string[] = [];
      for (let n = 0; n < 20; n++)
        ids.push((await node.spawn({ module: { type: 'wasm', bytes }, name: `${n}` })).id);
      for (let first = 0; first < 20; first += 4) {
        // In another order than they were made, and some together.
        const some = [0, 1, 2, 3].map((more) => ((first + more) * 7) % 20);
        await Promise.all(
          some.map((n) => node.send(ids[n]!, { action: 'Inc', tags: { by: String(n + 1) } })),
        );
      }
      expect((await node.info()).liveProcesses).toBe(8);
      for (const [n, id] of ids.entries()) {
        const path = `/${id}~process@1.0/now/count`;
        const response = await node.fetch(path, { headers: { 'accept-bundle': 'true' } });
        expect(await response.text()).toBe(String(n + 1));
      }
    } finally {
      await node.close();
    }
  }, 180_000);
});

const sample = async (name: string) => (await fetch(`/samples/${name}`)).text();

/** The node worker after `code` has changed what its browser offers. */
function without(code: string): Worker {
  const worker = new URL('../../../workers/node.worker.ts', import.meta.url).href;
  const script = `
    const early = [];
    const keep = (event) => early.push(event);
    addEventListener('message', keep);
    ${code}
    import(${JSON.stringify(worker)}).then(() => {
      removeEventListener('message', keep);
      for (const event of early) dispatchEvent(new MessageEvent('message', { data: event.data, ports: [...event.ports] }));
    });`;
  return new Worker(URL.createObjectURL(new Blob([script], { type: 'text/javascript' })), { type: 'module' });
}
