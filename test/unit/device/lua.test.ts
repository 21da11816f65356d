/** `lua@5.3a` as a device: conversions, results, errors, the functions of `ao`, the sandboxes (lua.md §11, §12). */
import { beforeAll, describe, expect, test } from 'vitest';
import { builtInDevices } from '../../../src/device/index.ts';
import { LuaMachine } from '../../../src/engine/lua/machine.ts';
import { Message, type ValueInput } from '../../../src/message/message.ts';
import { Atom, type Value } from '../../../src/message/value.ts';
import type { Identity } from '../../../src/resolver/context.ts';
import { createContext, type NodeContext } from '../../../src/resolver/node-context.ts';
import { MemoryStore } from '../../../src/store/memory.ts';

let context: NodeContext;

const refuse = (): Promise<never> => Promise.reject(new Error('nothing outside'));

beforeAll(async () => {
  context = await createContext(
    {
      store: new MemoryStore(),
      engines: { startWasm: refuse, startLua: (start, host) => LuaMachine.start(start, host) },
      http: { request: refuse },
      clock: { now: () => 0 },
      identity: { address: 'nobody', publicKey: new Uint8Array(), sign: refuse } as unknown as Identity,
      report: () => undefined,
    },
    Message.empty,
    builtInDevices,
  );
});

function base(source: string, more: { readonly [key: string]: ValueInput } = {}): Message {
  return Message.of({
    device: 'lua@5.3a',
    module: { 'content-type': 'application/lua', body: source },
    ...more,
  });
}

/** What the function `f` of a module answers. */
async function f(
  source: string,
  more: { readonly [key: string]: ValueInput } = {},
  request: { readonly [key: string]: ValueInput } = {},
) {
  return context.resolve(base(source, more), Message.of({ path: 'f', ...request }));
}

/** The value that it answers, without private parts. */
async function valueOf(source: string, more = {}, request = {}): Promise<Value> {
  const { status, value } = await f(source, more, request);
  expect(status).toBe('ok');
  return value instanceof Message ? value.withoutPrivate() : value;
}

function plain(value: Value): unknown {
  if (value instanceof Message)
    return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  if (Array.isArray(value)) return (value as readonly Value[]).map(plain);
  return value instanceof Atom ? `:${value.name}` : value;
}

describe('conversions in', () => {
  test.each<[ValueInput, string]>([
    ['text', 'string text'],
    [5n, 'number 5'],
    [5, 'number 5.0'],
    [true, 'boolean true'],
    [Atom.of('nil'), 'string nil'],
    [Atom.undefined, 'string undefined'],
    [['a', 'b'], 'table 2 b'],
    [{ '1': 'a', '2': 'b' }, 'table 2 b'],
    [{ '1': 'a', '3': 'b' }, 'table 0 nil'],
    [{}, 'table 0 nil'],
  ])('%#', async (given, seen) => {
    const source = `function f(_, req) local x = req.x
      if type(x) == "table" then return "table " .. #x .. " " .. tostring(x[2]) end return type(x) .. " " .. tostring(x) end`;
    expect(await valueOf(source, {}, { x: given })).toBe(seen);
  });

  test('bytes stay bytes', async () => {
    const x = Uint8Array.of(0, 255, 195);
    expect(await valueOf('function f(_, req) return #req.x .. ":" .. req.x:byte(2) end', {}, { x })).toBe(
      '3:255',
    );
    expect(await valueOf('function f(_, req) return req.x end', {}, { x })).toEqual(x);
    expect(await valueOf('function f(_, req) return #req.x end', {}, { x: 'é' })).toBe(2n);
  });
});

describe('conversions out', () => {
  test.each<[string, unknown]>([
    ['"text"', 'text'],
    ['1', 1n],
    ['2^53 | 0', 9007199254740992n],
    ['1.5', 1.5],
    ['nil', ':nil'],
    ['true', ':true'],
    ['{}', {}],
    ['{1, 2, {a = 1}}', [1n, 2n, { a: 1n }]],
    ['{["1"] = "a", ["2"] = "b"}', ['a', 'b']],
    ['{1, x = 2}', { '1': 1n, x: 2n }],
    ['{[1] = 1, [3] = 3}', { '1': 1n, '3': 3n }],
    ['{{}, {}}', [[], []]],
    ['{a = {}}', { a: {} }],
    ['{[true] = 1}', { true: 1n }],
    ['{a = 1, f = print}', { a: 1n }],
  ])('%s', async (expression, expected) => {
    expect(plain(await valueOf(`function f() return ${expression} end`))).toEqual(expected);
  });

  test.each(['{[1.5] = 1}', '(function() local t = {} t.t = t return t end)()'])(
    '%s is refused',
    async (expression) => {
      const answer = f(`function f() return ${expression} end`).then(
        (result) => result.status,
        () => 'error',
      );
      expect(await answer).toBe('error');
    },
  );
});

describe('results', () => {
  test('two results are status and value', async () => {
    const { status, value } = await f('function f() return "foo", { reason = "x", status = 418 } end');
    expect([status, plain((value as Message).withoutPrivate())]).toEqual([
      'foo',
      { reason: 'x', status: 418n },
    ]);
  });

  test.each([
    '',
    'return 1, 2, 3',
    'return {}, 1',
    'error("deliberate")',
    'return nil + 1',
    'string.char(999)',
    'while true do end',
  ])('%s is an error with status 500', async (body) => {
    const answer = f(`function f() ${body} end`, { 'Compute-Limit': '100000' });
    const status = await answer.then(
      ({ status: word, value }) => [word, plain((value as Message).get('status')!)],
      (thrown: { status: number }) => ['error', BigInt(thrown.status)],
    );
    expect(status).toEqual(['error', 500n]);
  });

  test('a message carries the machine on, anything else does not', async () => {
    const source = `local n = 0 function f() n = n + 1 return { n = n, device = "lua@5.3a" } end
      function lose() n = n + 100 return n end`;
    const first = (await f(source)).value as Message;
    await context.resolve(first, Message.of({ path: 'lose' }));
    const second = (await context.resolve(first, Message.of({ path: 'f' }))).value as Message;
    expect(second.get('n')).toBe(2n);
  });

  test('keys of the base are the message itself', async () => {
    expect(plain(await valueOf('function f() return 1 end', { f: 'mine' }))).toBe('mine');
  });

  test('function and parameters', async () => {
    const source = 'function sum(a, b) return a + b end';
    expect(await valueOf(source, { function: 'sum', parameters: [1n, 2] })).toBe(3);
    expect(await valueOf(source, {}, { function: 'sum', parameters: [1n, 2n] })).toBe(3n);
  });
});

describe('modules', () => {
  test('a list, in order, in one environment', async () => {
    const module = ['x = 1', 'x = x + 1 function f() return x end'].map((body) => ({ body }));
    expect(await valueOf('', { module })).toBe(2n);
  });

  test('by ID', async () => {
    const id = await context.cache.write(Message.of({ body: 'function f() return "stored" end' }));
    expect(await valueOf('', { module: id })).toBe('stored');
  });

  test.each([
    ['A'.repeat(43), 404],
    ['function f() return 1 end', 500],
    [{ 'content-type': 'application/lua', body: 'function f(' }, 500],
    [{ 'content-type': 'application/lua', body: 'error("x")' }, 500],
  ])('%# is refused', async (module, expected) => {
    const status = await f('', { module }).then(
      ({ value }) => Number((value as Message).get('status')),
      (thrown: { status: number }) => thrown.status,
    );
    expect(status).toBe(expected);
  });

  test('the sandbox', async () => {
    const look =
      'function f() return tostring(io) .. type(os.execute) .. type(os.time) .. tostring(load) end';
    expect(await valueOf(look, { sandbox: true })).toBe('sandboxedstringfunctionsandboxed');
    expect(await valueOf(look, { sandbox: ['load'] })).toMatch(/^table: .*functionfunctionsandboxed$/);
    expect(await valueOf(look, { sandbox: { load: 'gone' } })).toMatch(/gone$/);
  });
});

describe('ao', () => {
  test.each<[string, unknown]>([
    ['local s, v = ao.resolve({path = "/~message@1.0&a+integer=41/a"}) return {s, v}', ['ok', 41n]],
    ['local s, v = ao.resolve({x = {y = 7}}, "x/y") return {s, v}', ['ok', 7n]],
    ['local s, v = ao.resolve({x = 1}, "missing") return {s, v}', ['error', 'not_found']],
    ['local s, v = ao.resolve({x = 1}, {path = "x"}) return {s, v}', ['ok', 1n]],
    ['return ao.get("inner/leaf", {inner = {leaf = "found"}})', 'found'],
    ['return ao.get("nothing", {a = 1})', 'not_found'],
    ['return ao.set({a = 1}, "b", {c = 2})', { a: 1n, b: { c: 2n } }],
    ['return ao.set({a = 1}, {a = 2, d = 3})', { a: 2n, d: 3n }],
    ['return ao.event("hello")', 'ok'],
    ['return ao.event("group", {1, 2})', 'ok'],
    [
      'local all = {} for k in pairs(ao) do all[#all + 1] = k end return all',
      ['event', 'get', 'resolve', 'set'],
    ],
  ])('%s', async (body, expected) => {
    expect(plain(await valueOf(`function f() ${body} end`))).toEqual(expected);
  });

  test('an existing table is kept', async () => {
    expect(await valueOf('ao = {mine = 1} function f() return ao.mine + #ao.event("x") end')).toBe(3n);
  });

  test('device-sandbox leaves only the devices that it names, also where it is a link', async () => {
    const source = `function f() local s, v = ao.resolve({device = "json@1.0", a = 1}, "serialize") return s end`;
    expect(await valueOf(source)).toBe('ok');
    expect(await valueOf(source, { 'device-sandbox': ['json@1.0'] })).toBe('ok');
    expect(await valueOf(source, { 'device-sandbox': ['flat@1.0'] })).toBe('error');
    const id = await context.cache.write(base(source, { 'device-sandbox': ['flat@1.0'] }));
    const stored = (await context.cache.read(id)) as Message;
    expect((await context.resolve(stored, Message.of({ path: 'f' }))).value).toBe('error');
  });
});
