/**
 * A node that keeps everything in memory and knows no AO: for working on the screens without one, and for
 * states that are hard to bring about (slow answers, failures, thousands of slots). Never part of a build.
 */
import type {
  HttpAnswer,
  HttpExchange,
  NodeEventData,
  OpenNode,
  ProcessSummary,
  SlotDetail,
  SlotResult,
  TreeNode,
} from '../../src/client/index.ts';

export const isAoPath = (path: string) => /^\/(~|[A-Za-z0-9_-]{43})/.test(path);

const id = (seed: string) =>
  Array.from({ length: 43 }, (_, i) => {
    const code = (seed.charCodeAt(i % seed.length) * 31 + i * i * 7 + i * 13) % 64;
    return 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'[code]!;
  }).join('');

interface Message {
  action: string;
  data: string;
  timestamp: number;
  result?: SlotResult;
}
interface Process {
  summary: ProcessSummary;
  messages: Message[];
}

function tree(key: string, value: unknown, path = '', depth = 1): TreeNode {
  if (typeof value === 'string') return { key, path, type: 'binary', text: value, bytes: value.length };
  if (typeof value === 'number')
    return { key, path, type: Number.isInteger(value) ? 'integer' : 'float', text: String(value) };
  if (typeof value === 'boolean') return { key, path, type: 'atom', text: String(value) };
  const entries = Object.entries(value as object);
  return {
    key,
    path,
    type: Array.isArray(value) ? 'list' : 'message',
    size: entries.length,
    ...(depth > 0
      ? {
          children: entries.map(([name, child]) =>
            tree(name, child, path ? `${path}/${name}` : name, depth - 1),
          ),
        }
      : {}),
  };
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const refuse = (code: string, status: number, message: string) =>
  Object.assign(new Error(message), { code, status });

export async function openNode(): Promise<OpenNode> {
  const startedAt = Date.now() - 40_000;
  const listeners = new Set<(event: NodeEventData) => void>();
  const processes = new Map<string, Process>();
  const tell = (event: NodeEventData) => listeners.forEach((listener) => listener(event));
  const wanted = new URLSearchParams(location.search);
  const stopped = new Set<string>();

  function make(name: string, kind: string, count: number, age = 0): Process {
    const process: Process = {
      summary: {
        id: id(name + kind),
        name,
        kind,
        slot: -1,
        computed: -1,
        own: true,
        level: 'replayed',
        lastActivity: Date.now() - age,
        bytes: 412_000,
      },
      messages: [],
    };
    processes.set(process.summary.id, process);
    add(process, { action: '', data: '' }, age + count * 60_000);
    for (let i = 1; i < count; i++)
      add(
        process,
        i % 3 ? { action: 'Eval', data: `#Inbox + ${i}` } : { action: 'Transfer', data: '' },
        age + (count - i) * 60_000,
      );
    return process;
  }

  function add(process: Process, message: { action?: string; data?: string }, age = 0): number {
    const slot = ++process.summary.slot;
    process.messages.push({
      action: message.action ?? '',
      data: message.data ?? '',
      timestamp: Date.now() - age,
    });
    compute(process, slot);
    return slot;
  }

  function compute(process: Process, slot: number) {
    const message = process.messages[slot]!;
    const aos = process.summary.kind === 'aos';
    const failed = message.data.includes('error(');
    message.result = {
      slot,
      ok: !failed,
      output: failed
        ? ''
        : aos && message.action === 'Eval'
          ? message.data.startsWith('Handlers')
            ? '{\n  name = \x1b[32m"Update-State"\x1b[0m,\n  pattern = { Action = \x1b[32m"Update-State"\x1b[0m },\n  maxRuns = \x1b[34mnil\x1b[0m,\n  handle = function: \x1b[90m0x4a1f20\x1b[0m\n}'
            : `\x1b[34m${message.data.length}\x1b[0m`
          : message.action === 'Transfer'
            ? '\x1b[90mNew Message From \x1b[32mxU9…4kE\x1b[90m: Action = \x1b[34mTransfer\x1b[0m'
            : '',
      ...(aos
        ? {
            prompt: `\x1b[32m${process.summary.name}@aos-2.0.6\x1b[90m[Inbox:\x1b[31m${slot}\x1b[90m]\x1b[0m> `,
          }
        : {}),
      ...(failed
        ? { error: '[string "aos"]:1: something went wrong\nstack traceback:\n  [C]: in function error' }
        : {}),
      logs: message.action === 'Transfer' ? ['balance checked', '\x1b[33mwarning\x1b[0m: low balance'] : [],
      outbox:
        message.action === 'Transfer'
          ? [
              {
                key: '1',
                target: id('bob'),
                action: 'Credit-Notice',
                tree: tree('1', { target: id('bob'), action: 'Credit-Notice', quantity: '250' }),
              },
            ]
          : [],
      took: 1.4 + (slot % 7) * 9,
    };
    process.summary.computed = slot;
    process.summary.lastActivity = Math.max(process.summary.lastActivity, message.timestamp);
  }

  if (!wanted.has('empty')) {
    make('counter', 'wasm64', 12, 40_000);
    make('my-token', 'aos', 8, 3 * 60_000);
    make('ledger', 'lua', 12_480, 2 * 86_400_000).summary.trouble =
      'Slot 12,480 was stopped after 10 seconds: the program did not come to an end.';
    for (const process of processes.values())
      if (process.summary.name === 'ledger') {
        process.summary.computed = 12_400;
        process.summary.level = 'audited';
      }
  }

  const get = (process: string): Process => {
    const found = processes.get(process);
    if (!found) throw refuse('not-found', 404, 'This node knows no process of this ID');
    return found;
  };

  function stateOf(process: Process, slot: number): unknown {
    return {
      device: 'process@1.0',
      'at-slot': slot,
      process: { type: 'Process', 'data-protocol': 'ao', variant: 'ao.N.1', scheduler: id('scheduler') },
      balances: { alice: String(1000 + slot), bob: '250', [id('carol')]: '12' },
      results: { output: { data: 'a longer text\nof several lines '.repeat(6) }, outbox: {} },
      count: slot,
      ratio: 1.5,
      ready: true,
      list: Array.from({ length: 6 }, (_, i) => `item ${i}`),
      ...(slot % 2 ? { odd: 'yes' } : {}),
    };
  }

  async function request(exchange: HttpExchange): Promise<HttpAnswer> {
    await wait(60);
    const text = (status: number, type: string, body: string): HttpAnswer => ({
      status,
      headers: [
        ['content-type', type],
        ['ao-types', 'at-slot="integer", count="integer"'],
        ['device+link', id('device')],
        ['signature', 'http-sig-bba7e22451416f77=:mRe9cZ1yqJ2v9h0aJwS0n8mKp3vGJb5dX1V9a2n8=:'],
        ['status', String(status)],
      ],
      body: new TextEncoder().encode(body),
    });
    if (exchange.target.includes('html'))
      return text(200, 'text/html', '<h1>Hello</h1><script>alert(1)</script>');
    if (exchange.target.includes('missing')) return text(404, 'text/plain', 'not_found');
    return text(
      200,
      'application/json',
      JSON.stringify({
        address: id('node'),
        port: 8734,
        big: '[1]',
        list: [1, 2],
        empty: {},
        device: 'meta@1.0',
      }),
    );
  }

  const summaryOf = (process: Process, slot: number) => {
    const message = process.messages[slot]!;
    const computed = slot <= process.summary.computed;
    return {
      slot,
      id: id(`m${slot}`),
      action: message.action,
      from: id('alice'),
      timestamp: message.timestamp,
      computed,
      ...(computed ? { ok: message.result!.ok, took: message.result!.took! } : {}),
    };
  };

  // What no screen uses may be missing.
  const node: Partial<OpenNode> = {
    controlled: Promise.resolve(false),
    fetch: async (path) => {
      const answer = await request({ method: 'GET', target: path, headers: [], body: new Uint8Array() });
      return new Response(answer.body as Uint8Array<ArrayBuffer>, { status: answer.status });
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {},
    info: async () => ({
      address: id('node'),
      version: '0.1.0',
      storage: 'indexeddb',
      usage: 412_000_000,
      quota: 10_737_418_240,
      persisted: false,
      liveProcesses: Math.min(3, processes.size),
      leader: true,
      memory64: !wanted.has('old'),
      startedAt,
    }),
    request,
    trace: async (exchange) => ({
      answer: await request(exchange),
      steps: [
        {
          device: 'meta@1.0',
          key: 'info',
          cached: false,
          took: 1.8,
          status: 'ok',
          hashpath: `${id('a')}/${id('b')}`,
        },
        { device: 'message@1.0', key: 'address', cached: true, took: 0.2, status: 'ok' },
      ],
    }),
    samples: async () => [
      {
        name: 'counter',
        title: 'Counter',
        about: 'A wasm64 process of our own: it counts, and answers what it counted.',
        kind: 'wasm64',
        available: true,
      },
      {
        name: 'ledger',
        title: 'Ledger',
        about: 'Balances and transfers in forty lines of Lua.',
        kind: 'lua',
        available: true,
      },
      {
        name: 'aos',
        title: 'aos 2.0.6',
        about: 'The real module.',
        kind: 'aos',
        available: false,
        reason: 'The aos module was not downloaded: npm start fetches it when there is a network.',
      },
    ],
    inspectModule: async (bytes) => {
      await wait(100);
      if (bytes[0] !== 0) throw refuse('not-wasm', 400, 'This file is not a WebAssembly module');
      return {
        kind: 'unknown',
        supported: bytes.length > 100,
        reason: 'It exports no handle function, so it can not take messages.',
        memoryPages: 12,
        size: bytes.length,
      };
    },
    spawn: async (options) => {
      await wait(300);
      const process = make(
        options.name ?? 'process',
        options.module.type === 'aos' ? 'aos' : options.module.type === 'lua' ? 'lua' : 'wasm64',
        1,
      );
      tell({ type: 'process', id: process.summary.id });
      return process.summary;
    },
    send: async (target, message) => {
      const process = get(target);
      const data = String(message.data ?? '');
      for (let i = 0; i < (data.includes('while true') ? 100 : 3); i++) {
        await wait(100);
        if (stopped.delete(target)) throw refuse('stopped', 408, 'It was stopped');
      }
      const slot = add(process, { action: message.action ?? '', data });
      process.summary = { ...process.summary };
      tell({ type: 'slot', id: target, slot, ok: true });
      return { slot, id: id(`m${slot}`), result: process.messages[slot]!.result! };
    },
    processes: async () => [...processes.values()].map((process) => ({ ...process.summary })),
    process: async (target) => get(target).summary,
    slots: async (target, range = {}) => {
      await wait(40);
      const process = get(target);
      const before = Math.min(range.before ?? process.messages.length, process.messages.length);
      return Array.from({ length: Math.min(range.limit ?? 50, before) }, (_, i) =>
        summaryOf(process, before - 1 - i),
      );
    },
    slot: async (target, slot): Promise<SlotDetail> => {
      await wait(30);
      const process = get(target);
      const message = process.messages[slot];
      if (!message) throw refuse('not-found', 404, 'There is no such slot');
      return {
        ...summaryOf(process, slot),
        message: tree(
          '',
          { action: message.action, data: message.data, target, type: 'Message', tags: { a: '1' } },
          '',
          3,
        ),
        assignment: tree('', { slot, epoch: 0, 'hash-chain': id('h'), timestamp: message.timestamp }, '', 3),
        ...(slot <= process.summary.computed
          ? {
              result: message.result!,
              resultTree: tree('', { output: { data: message.result!.output } }, '', 3),
            }
          : {}),
      };
    },
    state: async (target, options = {}) => {
      await wait(40);
      const process = get(target);
      let value = stateOf(process, options.slot ?? process.summary.computed);
      for (const key of (options.path ?? '').split('/').filter(Boolean))
        value = (value as Record<string, unknown>)[key];
      return tree(options.path ?? '', value, options.path ?? '', options.depth ?? 1);
    },
    compute: async () => {
      await wait(400);
      throw refuse('time-limit', 500, 'It was stopped again after 10 seconds');
    },
    stop: async (target) => void stopped.add(target),
    rename: async (target, name) => {
      const process = get(target);
      process.summary = { ...process.summary, name };
    },
    exportProcess: async () => new Uint8Array([1, 2, 3]),
    exportCheckpoint: async () => new Uint8Array([1, 2, 3]),
    importProcess: async () => {
      throw refuse('bad-file', 400, 'This file is not an export of a process');
    },
    removeProcess: async (target) => void processes.delete(target),
    verify: async () => {
      throw refuse('unreachable', 502, 'The fake node reaches nobody');
    },
    startVerification: async () => {
      throw refuse('unreachable', 502, 'The fake node reaches nobody');
    },
    verifications: async () => [],
    pauseVerification: async () => {},
    resumeVerification: async () => {},
    removeVerification: async () => {},
    exportReport: async () => new Uint8Array(),
    evidence: async () => new Uint8Array(),
    verifiableSamples: async () => [],
    evidenceList: async () => [],
    checkEvidence: async () => ({
      proves: false,
      kind: 'wrong-answer',
      findings: ['The fake node checks nothing.'],
    }),
    message: async (target) => ({
      id: target,
      tree: tree(
        '',
        { action: 'Transfer', quantity: '250', recipient: id('bob'), data: 'hello', nested: { a: 1 } },
        '',
        4,
      ),
      ids: [
        { kind: 'signed', id: target },
        { kind: 'unsigned', id: id('unsigned') },
      ],
      commitments: [
        {
          id: target,
          device: 'httpsig@1.0',
          type: 'rsa-pss-sha512',
          committer: id('alice'),
          keyid: 'publickey:AAAA',
          committed: ['action', 'quantity', 'recipient', 'data'],
          valid: true,
          proves: true,
        },
        {
          id: id('unsigned'),
          device: 'httpsig@1.0',
          type: 'hmac-sha256',
          keyid: 'constant:ao',
          committed: ['action'],
          valid: true,
          proves: false,
        },
        {
          id: id('forged'),
          device: 'ans104@1.0',
          type: 'rsa-pss-sha256',
          committer: id('mallory'),
          committed: ['action'],
          valid: false,
          reason: 'The signature does not match the item.',
          proves: true,
        },
      ],
      codecs: ['httpsig@1.0', 'ans104@1.0', 'json@1.0', 'flat@1.0'],
    }),
    encode: async (_target, codec) => ({
      type:
        codec === 'json@1.0'
          ? 'application/json'
          : codec === 'ans104@1.0'
            ? 'application/ans104'
            : 'text/plain',
      body:
        codec === 'ans104@1.0'
          ? new Uint8Array(300).map((_, i) => i)
          : new TextEncoder().encode('{"action":"Transfer"}'),
    }),
    storage: async () => ({
      usage: 412_000_000,
      quota: 10_737_418_240,
      persisted: false,
      reclaimable: 31_000_000,
      processes: [...processes.values()].map(({ summary }) => ({
        id: summary.id,
        name: summary.name,
        bytes: 412_000,
        pages: 38,
        slots: summary.slot + 1,
      })),
    }),
    freeStorage: () => (node as OpenNode).storage(),
    persist: async () => false,
  };
  return node as OpenNode;
}
