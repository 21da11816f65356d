/** Errors, metatables and the standard library, fact by fact (lua.md §7 to §10). */
import { describe, expect, test } from 'vitest';
import { outcome, run } from './run.ts';

type Fact = readonly [string, string];

function facts(section: string, list: readonly Fact[]): void {
  describe(section, () => {
    test.each(list)('%s', async (chunk, results) => {
      expect(await run(chunk)).toBe(results);
    });
  });
}

/** The text that `pcall` gives. */
function errors(section: string, list: readonly Fact[]): void {
  describe(section, () => {
    test.each(list)('%s', async (chunk, text) => {
      expect(await run(`return pcall(function() ${chunk} end)`)).toBe(`false ${JSON.stringify(text)}`);
    });
  });
}

errors('error texts', [
  ['return 1 + nil', "bad arithmetic '+' on 1,nil"],
  ['return -{}', "bad arithmetic '-' on table"],
  ['return ~1.5', "bad arithmetic '~' on 1.5"],
  ['return #nil', "bad argument nil to '#'"],
  ['return {} .. "x"', "bad argument table,'x' to '..'"],
  ['string.gsub("abc", "a", "x", 0)', "bad argument 'abc','a','x',0 to 'gsub'"],
  ['math.max()', "bad argument  to 'max'"],
  ['local x = nil return x.y', "invalid index in nil: 'y'"],
  ['local x = 5 x.y = 1', "invalid index in 5: 'y'"],
  ['local x = "s" x()', "undefined function 's'"],
  ['({})()', 'undefined function table'],
  ['local o = nil o:m()', "undefined method 'm' in nil"],
  ['local o = {} o:m()', 'undefined function nil'],
  ['table.concat({1, {}})', "invalid value in 'concat': table"],
  ['table.sort({1, "a"})', 'illegal comparison in sort'],
  ['string.gsub("a", "a", "%2")', "invalid index in 'capture': 2"],
  ['string.find("a", "%f[a]")', 'malformed pattern'],
  ['string.find("a", "%q")', 'malformed pattern (class q)'],
  ['string.find("a", "[a")', "malformed pattern (missing ']')"],
  ['error("m")', 'm'],
  ['error(42)', '42'],
  ['error(true)', 'true'],
  ['error()', 'nil'],
  ['error(setmetatable({}, {__tostring = function() return "shown" end}))', 'shown'],
  ['assert(false)', 'assertion failed!'],
  ['assert(nil, "amsg")', 'amsg!'],
  ['assert(false, 5)', 'error object is a number!'],
  ['utf8.offset("abc", 1)', "{'NYI',offset}!"],
  [
    'require("no")',
    `{no_module,<<110,111>>,<<${[..."'./no.lua' './no/init.lua' "].map((c) => c.charCodeAt(0)).join(',')}>>}!`,
  ],
  ['string.find("a")', "bad argument 'a' to 'find'"],
  ['string.find("a", nil)', "bad argument 'a',nil,1.0,nil to 'find'"],
  ['string.match("a", {})', "bad argument 'a',table,1.0 to 'match'"],
  ['string.rep("x", "y")', "bad argument 'x','y','' to 'rep'"],
  ['pairs(nil)(nil)', "bad argument nil,nil to 'next'"],
  ['setmetatable(setmetatable({}, {__metatable = 1}), {})', "bad argument table to 'setmetatable'"],
  ['os.execute()', 'illegal format of return value'],
  ['for x in (function() end)() do end', 'undefined function '],
]);

describe('crashes pass through pcall', () => {
  test.each([
    'string.char(256)',
    'string.find("a", "", 1, true)',
    'math.log(0)',
    'math.sqrt(-1)',
    'math.exp(1000)',
    'math.fmod(1, 0)',
    'tonumber({}, 10)',
    'pcall()',
    'tostring(setmetatable({}, {__tostring = 5}))',
    'utf8.char(0x110000)',
    'utf8.len()',
    'bit32.bnot()',
    'load("goto x")',
    'string.format("%s", "\\255")',
  ])('%s', async (chunk) => {
    expect(await outcome(`return pcall(function() ${chunk} end)`)).toMatchObject({
      ok: false,
      kind: 'crash',
    });
  });

  test('a value that is no Lua value cannot leave', async () => {
    expect(await outcome('return io.write("")')).toMatchObject({ ok: false, kind: 'crash' });
    expect(await run('return type(io.write(""))')).toBe('"unknown"');
  });

  test('a table that contains itself cannot leave', async () => {
    expect(await outcome('local t = {} t.t = t return t')).toMatchObject({ ok: false, kind: 'crash' });
  });
});

facts('metatables', [
  [
    'local m = {__add = function(a, b) return "add" end, __unm = function(...) return select("#", ...) end, __concat = function() return "cat" end} local t = setmetatable({}, m) return t + 1, 1 + t, -t, t .. "", "" .. t',
    '"add" "add" 1.0 "cat" "cat"',
  ],
  [
    'local eq = function() return 1 end local a, b = setmetatable({}, {__eq = eq}), setmetatable({}, {__eq = eq}) return a == b, a ~= b, a == {}, setmetatable({}, {__eq = function() return true end}) == a',
    'true false false false',
  ],
  ['local t = setmetatable({}, {__lt = function() return 5 end}) return t < 1, 1 > t, t <= 1', '5 5 5'],
  [
    'local N = function(n) return setmetatable({n = n}, {__lt = function(a, b) return a.n < b.n end}) end local a, b = N(1), N(2) debug.setmetatable(b, getmetatable(a)) return a <= b, b <= a',
    'false true',
  ],
  [
    'local t = setmetatable({x = false}, {__index = function(_, k) return k .. "!" end}) return t.x, t.y, rawget(t, "y")',
    'false "y!" nil',
  ],
  [
    'local log = {} local t = setmetatable({a = 1}, {__newindex = function(_, k, v) log[#log + 1] = k end}) t.a = 2 t.b = 3 t.a = nil t.a = 4 return log, t.a',
    '{1="b",2="a"} nil',
  ],
  ['local t = setmetatable({}, {__len = function() return "any", 2 end}) return #t', '"any"'],
  [
    'local c = setmetatable({}, {__call = function(self, ...) return ... end}) local d = setmetatable({}, {__call = c}) return c(1, 2), (d(7))',
    '1 {}',
  ],
  ['string.twice = function(s) return s .. s end return ("ab"):twice(), ("x").y', '"abab" nil'],
  ['debug.setmetatable(5, {__index = {double = function(n) return n * 2 end}}) return (21):double()', '42'],
  ['setmetatable(_G, {__index = function(_, k) return k end}) return undefinedName', '"undefinedName"'],
  [
    'local o = {} for i, v in ipairs(setmetatable({1, 2}, {__index = function(_, i) if i < 5 then return i end end})) do o[i] = v end return #o',
    '2',
  ],
  [
    'local t = setmetatable({}, {__pairs = function(t) return function(_, k) if not k then return 1, "x" end end, t, nil end}) for k, v in pairs(t) do return k, v end',
    '1 "x"',
  ],
  [
    'return getmetatable(setmetatable({}, {__metatable = false})), getmetatable("").__index == string',
    'false true',
  ],
]);

facts('basic library', [
  ['return select("#", 1, nil), select(-1, 1, 2), select(5, 1), select(-9, 1, 2)', '2.0 2 nil 1 2'],
  [
    'return tonumber("ff", 16), tonumber(" -7 ", 8), tonumber("8", 8), tonumber("1 2", 10), tonumber(10, 2), tonumber("1", 99)',
    '255.0 -7.0 nil nil 2.0 nil',
  ],
  ['return rawlen("abc"), rawlen({1, 2}), type(print), _VERSION', '3.0 2 "function" "Lua 5.3"'],
  ['return load("return 1 +")', 'nil "syntax error before: "'],
  ['return load("x = = 1")', `nil "syntax error before: '='"`],
  ['return load("x y")', 'nil "illegal call"'],
  ['return load("return return")', 'nil "syntax error before: return"'],
  ['return load("local end")', `nil "syntax error before: 'end'"`],
  ['return load("return 1 name")', 'nil "syntax error before: <<\\"name\\">>"'],
  ['return load("return @")', 'nil "illegal characters \\"@\\""'],
  ['return load("return \\"\\\\q\\"")', 'nil "illegal string"'],
  ['return load("return 1", "name", "t", {})()', '1'],
  ['return pcall(load, "return 1", nil)', "false \"bad argument 'return 1',nil to 'load'\""],
  ['return pcall(load, function() end)', 'false "bad argument function to \'load\'"'],
  [
    'package.preload.m = function(n) return {name = n} end return require("m").name, require("m") == require("m"), require("string") == string',
    '"m" true true',
  ],
  [
    'return xpcall, coroutine, table.move, string.pack, math.ult, io.open, os.setlocale, debug.traceback',
    'nil nil nil nil nil nil nil nil',
  ],
  ['return tostring(setmetatable({}, {__tostring = function() return 5 end}))', '5'],
  ['return pcall(error, setmetatable({}, {__tostring = function() return 1, 2 end}))', 'false "1"'],
  ['return unpack == table.unpack, unpack({1, 2})', 'false 1 2'],
]);

facts('string library', [
  [
    'return ("").match("", "", 0), ("").match("", "a*", -1), ("").find("", "", 0), ("").find("", "", 1, true)',
    'nil nil 1 nil',
  ],
  [
    'return ("hello"):sub(2, -2), ("hello"):sub(0), ("hello"):sub(-3), ("hello"):sub(4, 2)',
    '"ell" "hello" "llo" ""',
  ],
  ['return ("abc"):byte(0), ("abc"):byte(10), ("abc"):byte(1, -1)', 'nil nil 97 98 99'],
  ['return ("\\228\\255"):upper():byte(1, 2)', '196 255'],
  [
    'return ("abc"):find("b", 1, true), ("abc"):find("", 10), ("abc"):find("", 4), ("a.b"):find(".", 2, true)',
    '2 nil 4 2 2',
  ],
  [
    'return ("").match("", ""), ("abc"):match("", 4), ("hello"):match("()l", 4), ("hello"):find("()l", 4)',
    'nil nil 1 4 4 4',
  ],
  [
    'return ("abc"):gsub("b*", "-"), ("abc"):gsub("a*", "x"), ("abc"):gsub("", "-", 3)',
    '"-a--c-" "xxbxcx" "-a-b-c" 3',
  ],
  [
    'return ("hello world"):gsub("o", {o = "0"}), ("abc"):gsub("%w", "<%0%%>"), ("abc"):gsub("b", "%x")',
    '"hell0 w0rld" "<a%><b%><c%>" "a%xc" 1',
  ],
  [
    'return ("abc"):gsub("b", function() return nil end), ("abc"):gsub("b", nil), ("abc"):gsub("b", true)',
    '"abc" "ac" "ac" 1',
  ],
  [
    'return ("[[x]]"):match("%[(%b[])%]"), ("f(a(b)c)d"):match("%b()"), ("THE (quick) fox"):find("%((%a+)%)")',
    '"[x]" "(a(b)c)" 5 11 "quick"',
  ],
  [
    'return ("a*b"):match("*"), ("abab+"):match("(ab)+"), ("x^y"):match("x^y"), ("a$b"):match("a$b")',
    '"*" "ab" "x^y" "a$b"',
  ],
  [
    'return ("]"):match("[]]"), ("a-z"):match("[%a-z]+"), ("@{|}"):match("%p"), ("key = value"):match("^(%w+)%s*=%s*(%w+)$")',
    '"]" "a-z" nil "key" "value"',
  ],
  [
    'return ("  trim  "):match("^%s*(.-)%s*$"), ("2024-01-02"):match("(%d+)-(%d+)-(%d+)")',
    '"trim" "2024" "01" "02"',
  ],
  ['return ("x"):rep(3, ", "), ("x"):rep(0), ("x"):rep(-1), ("ab"):reverse()', '"x, x, x" "" "" "ba"'],
]);

facts('string.format', [
  [
    'return string.format("%5d|%-5d|%05d|%+d|% d|%.3d", 42, 42, 42, 42, 42, 7)',
    '"   42|42   |00042|+42| 42|007"',
  ],
  [
    'return string.format("%x %X %o %u", 255, 255, 8, -1), string.format("%x", -255)',
    '"ff FF 10 18446744073709551615" "-ff"',
  ],
  [
    'return string.format("%f %.2f %e %g %.3g %.14g", 1.5, 2.675, 1e5, 100, 100, 0.1)',
    '"1.500000 2.67 1.000000e+5 100.000 1.00e+2 0.10000000000000"',
  ],
  [
    'return string.format("%.1g", 1e15), string.format("%g", 0), string.format("%g", 1e-5), string.format("%.2f", 123456789.125)',
    '"1.0e+15" "0.00000e+0" "1.00000e-5" "123456789.13"',
  ],
  [
    'return string.format("%f", 1e100):sub(1, 24), string.format("%e", 0), string.format("%.3f", -0.0), string.format("%.1f", 0.05)',
    '"100000000000000001590000" "0.000000e+0" "0.000" "0.1"',
  ],
  [
    'return string.format("%s %5s|%-5s|%05s|%.2s", 1.5, "ab", "ab", "ab", "abc")',
    '"1.5    ab|ab   |000ab|ab"',
  ],
  [
    'return string.format("%q", "a\\n\\"\\\\\\0001\\0x\\127"), string.format("%q", 42)',
    JSON.stringify('"a\\\n\\"\\\\\\0001\\0x127"') + ' ' + JSON.stringify('"42"'),
  ],
  [
    'return string.format("%c%c", 65, 66), string.format("100%%"), string.format("\\\\%d", 1)',
    '"AB" "100%" "%d"',
  ],
  [
    'return pcall(string.format, "%.0f", 1), pcall(string.format, "%d", 1.5), pcall(string.format, "%y", 1)',
    "false false false \"bad argument '%y',1 to 'format'\"",
  ],
  [
    'return pcall(string.format, "%s", setmetatable({}, {__tostring = function() error("inner") end}))',
    "false \"bad argument '%s',table to 'format'\"",
  ],
]);

facts('table library', [
  [
    'local t = {1, 2, 3} table.insert(t, 2, "x") table.insert(t, "end") return t',
    '{1=1,2="x",3=2,4=3,5="end"}',
  ],
  ['local t = {1, nil, 3} table.insert(t, 1, 0) return t[1], t[2], t[3]', '0 1 3'],
  [
    'local t = {1, 2, 3} return table.remove(t, 1), table.remove(t), table.remove(t, 2), #t, table.remove({}, 1)',
    '1 3 nil 1 nil',
  ],
  [
    'return table.concat({1, 2.5, "x"}, "-"), table.concat({}, "x"), table.concat({1, 2, 3}, ",", 2, 3), table.concat({[0] = 0, 1}, ",", 0)',
    '"1-2.5-x" "" "2,3" "0,1"',
  ],
  [
    'return table.pack(1, nil, 3), table.unpack({1, 2, 3}, 2), table.unpack({1, 2}, -1, 1)',
    '{1=1,3=3,"n"=3} 2 nil nil 1',
  ],
  ['local t = {5, 3, 8, 1} table.sort(t) return t', '{1=1,2=3,3=5,4=8}'],
  [
    'local t = {"b1", "a1", "b2", "a2"} table.sort(t, function(x, y) return x:sub(1, 1) < y:sub(1, 1) end) return table.concat(t, " ")',
    '"a2 a1 b2 b1"',
  ],
  [
    'local t = {"b1", "a1", "b2", "a2"} table.sort(t, function(x, y) return x:sub(1, 1) <= y:sub(1, 1) end) return table.concat(t, " ")',
    '"a1 a2 b1 b2"',
  ],
  [
    'local t = {} for i = 1, 200 do t[i] = (i * 7919) % 211 end table.sort(t, function(a, b) return a > b end) for i = 2, 200 do if t[i] > t[i - 1] then return i end end return "sorted"',
    '"sorted"',
  ],
  ['local t = {3, 1, 2} t[3] = nil return pcall(table.sort, t)', 'false "illegal comparison in sort"'],
  ['local t = {3, 1, 2} t[9] = nil table.sort(t) return t[3]', '3'],
]);

facts('math, utf8, bit32, os', [
  [
    'return math.floor(-2.0), math.ceil(2.5), math.floor(1e20), math.ceil(-0.5), math.abs(-3), math.abs(-3.5)',
    '-2 3 100000000000000000000 0 3 3.5',
  ],
  [
    'return math.max(1, 2.0, 2), math.min("3", 4), math.fmod(-7, 3), math.fmod(7.5, 2), math.modf(3.7)',
    '2.0 3.0 -1 1.5 3 0.7000000000000002',
  ],
  [
    'return math.tointeger(3.0), math.tointeger("8"), math.tointeger(3.5), math.type(1), math.type(1.0), math.type("1")',
    '3 8 nil "integer" "float" nil',
  ],
  [
    'return math.sqrt(16), math.log(100, 10), math.log(8, 2), math.log10(0), math.exp(0), math.pow(2, 3)',
    '4.0 2.0 3.0 -500.0 1.0 8.0',
  ],
  [
    'return math.frexp(8), math.ldexp(0.5, 4), math.deg(math.pi), math.rad(180)',
    '0.5 8.0 180.0 3.141592653589793',
  ],
  ['return math.frexp(0)', '0.5 -1022'],
  [
    'math.randomseed(42) local a = math.random(100) math.randomseed(42) return a == math.random(100), a >= 1 and a <= 100, math.random() < 1',
    'true true true',
  ],
  [
    'return utf8.char(228, 0x20ac), utf8.len("aäb"), utf8.len("\\255"), utf8.codepoint("abc", 2)',
    `${JSON.stringify(Buffer.from('ä€').toString('latin1'))} 4 nil 98 99`,
  ],
  [
    'local o = {} for p, c in utf8.codes("a\\195\\164b") do o[#o + 1] = p .. ":" .. c end return table.concat(o, " "), #utf8.charpattern',
    '"1:97 3:228 4:98" 14',
  ],
  [
    'return bit32.band(12, 10), bit32.bnot(0), bit32.lshift(1, 32), bit32.arshift(-1, 28), bit32.band(), bit32.btest()',
    '8.0 -1.0 4294967296.0 15.0 4294967295 true',
  ],
  [
    'return bit32.lrotate(0x80000001, 1), bit32.rrotate(1, 1), bit32.extract(0xF0, 4, 4), bit32.replace(0, 15, 4, 4)',
    '3.0 2147483648.0 15.0 240.0',
  ],
  [
    'return os.time(), os.clock(), os.date("%Y-%m-%d"), os.getenv("HOME"), os.difftime(5, 3)',
    '0.0 0.0 "1970-01-01" nil 2',
  ],
]);
