/** Machines: transactions, limits, suspension, saved state. */
import { describe, expect, test } from 'vitest';
import type { LuaEngine, LuaHost, LuaImage, LuaOutcome } from '../../../../src/engine/lua/contract.ts';
import { LuaMachine } from '../../../../src/engine/lua/machine.ts';
import { machine, outcome, run, show, sourceOf } from './run.ts';

function shown(result: LuaOutcome): string {
  return result.ok ? result.values.map(show).join(' ') : `${result.kind}: ${result.text}`;
}

async function call(engine: LuaEngine, name: string): Promise<string> {
  return shown(await engine.call(name, []));
}

describe('calls', () => {
  test('arguments go in, results come out, state stays', async () => {
    const engine = await machine('n = 0 function add(t, by) n = n + by t.n = n return "ok", t end');
    const result = await engine.call('add', [{ table: [['list', { table: [[1n, { float: 1.5 }]] }]] }, 2n]);
    expect(shown(result)).toBe('"ok" {"list"={1=1.5},"n"=2}');
    expect(shown(await engine.call('add', [{ table: [] }, 40n]))).toBe('"ok" {"n"=42}');
  });

  test('a missing function is an error with its term', async () => {
    const engine = await machine('');
    expect(await engine.call('no', [])).toMatchObject({
      ok: false,
      kind: 'error',
      text: 'undefined function nil',
      term: { tuple: [{ atom: 'undefined_function' }, null] },
    });
  });

  test('an error carries the trace, innermost first', async () => {
    const engine = await machine(
      'local function inner(x)\n  error("boom")\nend\nfunction outer(a)\n  inner(a + 1)\nend',
    );
    const result = await engine.call('outer', [1n]);
    expect(result).toMatchObject({
      ok: false,
      term: { tuple: [{ atom: 'error_call' }, { list: ['boom'] }] },
      trace: [
        { function: 'inner', line: 'test:2', parameters: [2n] },
        { function: 'outer', line: 'test:5', parameters: [1n] },
      ],
    });
  });

  test('a module that fails to load is refused', async () => {
    await expect(machine('x = = 1')).rejects.toMatchObject({ code: 'lua-load-failed', status: 500 });
    await expect(machine('error("at load")')).rejects.toMatchObject({ code: 'lua-load-failed' });
  });

  test('the sandbox comes after the modules', async () => {
    const engine = await machine(
      'kept = os.time() function f() return io, os.execute, kept, os.execute() end',
      {
        sandbox: [
          [['io'], 'sandboxed'],
          [['os', 'execute'], 'sandboxed'],
        ],
      },
    );
    expect(await engine.call('f', [])).toMatchObject({ ok: false, text: "undefined function 'sandboxed'" });
    expect(await engine.functions()).toContain('f');
    expect(await engine.functions()).not.toContain('io');
  });

  test('output is kept apart', async () => {
    const result = await outcome('print("a", 1) io.write("b")');
    expect(result).toMatchObject({ ok: true, output: 'a 1 \nb' });
  });

  test('time is what the call is given', async () => {
    const engine = await machine('function f() return os.time() end');
    expect(shown(await engine.call('f', [], { now: 1500 }))).toBe('1.5');
    expect(await call(engine, 'f')).toBe('0.0');
  });
});

describe('a call that fails leaves no trace', () => {
  const SOURCE = `
    local hidden = 1
    state = {list = {1, 2, 3}, map = {a = 1, [0.5] = 2}, deep = {x = {y = 1}}}
    function change(how)
      hidden = hidden + 1
      state.list[2] = nil table.insert(state.list, 9) table.sort(state.list, function() return true end)
      for i = 1, 300 do state.map["k" .. i] = i end
      state.map.a = nil state.map[0.5] = 3
      state.deep.x.y = 2 setmetatable(state.deep, {__index = state})
      made = {} string.extra = 1 math.randomseed(7)
      debug.setmetatable(1, {__index = {}})
      if how == "error" then error("x") elseif how == "crash" then string.char(300) elseif how == "endless" then while true do end end
      return "done"
    end
    function look() return hidden, state, made, string.extra, getmetatable(state.deep), getmetatable(1), tostring({}):sub(1, 7), math.random() end
  `;

  test.each(['error', 'crash', 'endless'])('%s', async (how) => {
    const engine = await machine(SOURCE, { limits: { compute: 100_000 } });
    const before = await call(engine, 'look');
    const plain = await machine(SOURCE);
    await call(plain, 'look');
    expect(await engine.call('change', [how])).toMatchObject({ ok: false });
    expect(await call(engine, 'look')).toBe(await call(plain, 'look'));
    expect(before).toMatch(/^1 /);
    expect(shown(await engine.call('change', ['']))).toBe('"done"');
    expect(await call(engine, 'look')).toMatch(/^2 .*"k300"=300/);
  });

  test('nor does one that is not to be kept', async () => {
    const engine = await machine(
      'n = 1 function f() n = n + 1 return n end function m() n = n + 1 return {n = n} end',
    );
    expect(shown(await engine.call('f', [], { keep: 'never' }))).toBe('2');
    expect(shown(await engine.call('f', [], { keep: 'message' }))).toBe('2');
    expect(shown(await engine.call('m', [], { keep: 'message' }))).toBe('{"n"=2}');
    expect(await call(engine, 'f')).toBe('3');
  });
});

const NESTED = `return ${'('.repeat(20_000)}1${')'.repeat(20_000)}`;

describe('limits', () => {
  test.each([
    ['while true do end', 'steps'],
    ['repeat until false', 'steps'],
    // Each turn is a step, and works on a number that gets longer and longer.
    ['local s = 1 for i = 1, 302147483648 do s = s * i end', 'steps'],
    ['local s = 1 << 4000000 while true do local d = (s + 1) // ((s >> 2000000) + 3) end', 'steps'],
    ['local s = 1 << 4000000 while true do local t = s .. "" end', 'steps'],
    ['for i = 1, 1e15 do end', 'steps'],
    ['local function f() return f() end f()', 'depth'],
    ['return ("a"):rep(50):match(("a?"):rep(50) .. ("a"):rep(50) .. "b")', 'steps'],
    [
      'for k in pairs(setmetatable({}, {__pairs = function(t) return function(_, k) return (k or 0) + 1 end, t, nil end})) do end',
      'steps',
    ],
    ['local t = setmetatable({}, {}) getmetatable(t).__call = t t()', 'depth'],
    ['local s = "x" while true do s = s .. s end', 'memory'],
    ['return ("x"):rep(1e12)', 'memory'],
    ['return string.format("%1000000000d", 1)', 'memory'],
    ['return table.unpack({}, 1, 1e9)', 'memory'],
    ['local t = {} while true do t[#t + 1] = {{}, {}} end', 'memory'],
    ['local t = {} for i = 1, 1e9 do t["k" .. i] = i end', 'memory'],
    ['local x = 3 while true do x = x * x end', 'error'],
    ['local t = {} for i = 1, 600 do t = {t} end return t', 'depth'],
    ['local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x', 'depth'],
  ])('%s', async (chunk, limit) => {
    const limits = { compute: 3_000_000, memory: 32 << 20 };
    const result = await outcome(chunk, { limits });
    if (limit === 'error') expect(result).toMatchObject({ ok: false, kind: 'error' });
    else expect(result).toMatchObject({ ok: false, kind: 'limit', limit });
  });

  test('nesting that is too deep to compile', async () => {
    await expect(outcome(NESTED)).rejects.toMatchObject({ code: 'lua-load-failed' });
  });

  test('garbage is not counted as memory', async () => {
    const chunk = 'local n = 0 for i = 1, 300000 do local t = {i, {}} n = n + #t end return n';
    expect(await run(chunk, { limits: { memory: 16 << 20 } })).toBe('600000');
  });

  test('recursion is limited by the machine, not by the host', async () => {
    const chunk = 'local function f(n) if n == 0 then return 0 end return 1 + f(n - 1) end return f(150000)';
    expect(await run(chunk)).toBe('150000');
    const endless = await outcome('local function f(n) return 1 + f(n + 1) end return f(0)');
    expect(endless).toMatchObject({ ok: false, kind: 'limit', limit: 'depth' });
    expect(
      await run(
        'local function f(n) if n == 0 then return 0 end local ok, v = pcall(f, n - 1) return v + 1 end return f(20000)',
      ),
    ).toBe('20000');
  });

  test('long runs of callbacks do not grow the host stack', async () => {
    expect(await run('return #(("x"):rep(50000):gsub("x", string.upper))')).toBe('50000');
    expect(await run('local t = {} for i = 1, 5000 do t[i] = -i end table.sort(t, rawequal) return #t')).toBe(
      '5000',
    );
  });
});

describe('host calls suspend the run', () => {
  const host: LuaHost = async (name, args) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (name === 'fail') throw new Error('no');
    return [...args.map((arg) => (typeof arg === 'bigint' ? arg * 2n : arg)), name];
  };
  const hostFunctions = ['twice', 'fail'];
  const setup = { host, hostFunctions };

  test.each([
    ['return ao.twice(21)', '42 "twice"'],
    ['local t = {} for i = 1, 3 do t[i] = ao.twice(i) end return t', '{1=2,2=4,3=6}'],
    ['return pcall(function() return ao.twice(1), error("after") end)', 'false "after"'],
    [
      'local t = setmetatable({}, {__add = function(a, b) return (ao.twice(b)) end, __index = function(_, k) return (ao.twice(k)) end}) return t + 4, t[5]',
      '8 10',
    ],
    [
      'local t = {3, 1, 2} table.sort(t, function(a, b) return ao.twice(a) <= ao.twice(b) end) return t',
      '{1=1,2=2,3=3}',
    ],
    ['return ("a b"):gsub("%w", function(c) return c .. select("#", ao.twice(1, 2)) end)', '"a3.0 b3.0" 2'],
    [
      'return string.format("%s!", setmetatable({}, {__tostring = function() return tostring(ao.twice(4)) end}))',
      '"8!"',
    ],
    [
      'local s = 0 for v in function(_, v) v = (v or 0) + 1 if v < 4 then return (ao.twice(v)) end end do s = s + v end return s',
      '8',
    ],
    ['return ao.twice({x = {1, 2}})', '{"x"={1=1,2=2}} "twice"'],
  ])('%s', async (chunk, results) => {
    expect(await run(chunk, setup)).toBe(results);
  });

  test('a host that fails is a crash, and the state stays as it was', async () => {
    const engine = await machine(
      'n = 1 function f() n = 2 pcall(ao.fail) end function g() return n end',
      setup,
    );
    expect(await engine.call('f', [])).toMatchObject({ ok: false, kind: 'crash' });
    expect(await call(engine, 'g')).toBe('1');
  });

  test('calls wait for each other; machines do not', async () => {
    const source = 'n = 0 function f(x) local seen = n n = seen + (ao.twice(x)) return n end';
    const [one, two] = [await machine(source, setup), await machine(source, setup)];
    const results = await Promise.all(
      [one, two, one, two].map((engine, i) => engine.call('f', [BigInt(i + 1)])),
    );
    expect(results.map(shown)).toEqual(['2', '4', '8', '12']);
  });
});

describe('saved machines go on as if nothing had happened', () => {
  const SOURCE = `
    local secret, calls = {}, 0
    local meta = {__index = function(t, k) return k .. calls end}
    shared = {}
    store = setmetatable({shared = shared, again = shared, big = 2^70, huge = 123456789012345678901234567890,
      float = 3.0, [0.5] = "half", [false] = true, far = {[1000000] = "far"}, list = {1, nil, 3}, bytes = "\\0\\255"}, meta)
    store.self = store
    local function make(n) return function() n = n + 1 calls = calls + 1 return n, calls end end
    counters = {make(10), make(20)}
    ops = {print, string.rep, ipairs({})}
    math.randomseed(3)
    loaded = load("local k = ... return function() shared.n = (shared.n or 0) + 1 return shared.n end")()
    debug.setmetatable(0, {__index = {twice = function(n) return n * 2 end}})
    function same(f) return f == counters.first end
    function step()
      secret[#secret + 1] = calls
      store.list[#store.list + 1] = calls
      local a, b = counters[1]()
      return a, b, counters[2](), loaded(), store.again == shared, store.missing, #secret, (3).twice(4), math.random(1000),
        tostring({}), tostring(make), next(store.far), store.self == store, ops[1] == print, store.huge, store.float, shared
    end
  `;

  async function copy(engine: LuaEngine): Promise<{ engine: LuaEngine; image: LuaImage }> {
    const image = structuredClone(await engine.save());
    return { engine: await LuaMachine.start({ modules: [], image }), image };
  }

  test('twins stay twins', async () => {
    const original = await machine(SOURCE);
    await call(original, 'step');
    let { engine: twin } = await copy(original);
    for (let i = 0; i < 4; i++) {
      expect(await call(twin, 'step')).toBe(await call(original, 'step'));
      twin = (await copy(twin)).engine;
    }
  });

  test('the original is not touched by its copy', async () => {
    const original = await machine(SOURCE);
    const { engine } = await copy(original);
    await call(engine, 'step');
    expect(await call(original, 'step')).toMatch(/^11 1 /);
  });

  test('functions stay the same function', async () => {
    const engine = await machine(
      'list = {} local function make() return function() end end function add() list[#list + 1] = make() return #list, list[1] == list[#list] end',
    );
    expect(await call(engine, 'add')).toBe('1 true');
    const { engine: twin } = await copy(engine);
    expect(await call(twin, 'add')).toBe(await call(engine, 'add'));
  });

  test('host functions are found again', async () => {
    const host: LuaHost = async (name) => [name];
    const first = await machine('function f() return ao.ask() end', { host, hostFunctions: ['ask'] });
    const image = structuredClone(await first.save());
    const second = await LuaMachine.start({ modules: [], hostFunctions: ['ask'], image }, host);
    expect(await call(second, 'f')).toBe('"ask"');
  });

  test('what is no image is refused', async () => {
    await expect(LuaMachine.start({ modules: [], image: { version: 99 } })).rejects.toMatchObject({
      code: 'snapshot-damaged',
    });
    const { image } = await copy(await machine('x = {}'));
    const broken = { ...image, tables: [] };
    await expect(LuaMachine.start({ modules: [], image: broken })).rejects.toMatchObject({
      code: 'snapshot-damaged',
    });
  });

  test('the state after a call can be had without keeping it', async () => {
    const engine = await machine('n = 1 function f() n = n + 1 return n end');
    const result = await engine.call('f', [], { keep: 'never', image: true });
    if (!result.ok || !result.image) throw new Error('no image');
    const next = await LuaMachine.start({ modules: [], image: result.image });
    expect([await call(next, 'f'), await call(engine, 'f')]).toEqual(['3', '2']);
  });
});

test('bytes of a module that are no text', async () => {
  const engine = await LuaMachine.start({ modules: [{ name: 'm', source: Uint8Array.of(0xff) }] }).catch(
    (error: unknown) => error,
  );
  expect(engine).toMatchObject({ code: 'lua-load-failed' });
  expect(sourceOf('é')).toHaveLength(2);
});
