/** The language, fact by fact (lua.md §1 to §6). */
import { describe, expect, test } from 'vitest';
import { outcome, run } from './run.ts';

/** `[chunk, results]`: results as `run` shows them, or undefined where the chunk must fail. */
type Fact = readonly [string, string | undefined];

function facts(section: string, list: readonly Fact[]): void {
  describe(section, () => {
    test.each(list)('%s', async (chunk, results) => {
      if (results === undefined)
        expect((await outcome(`return load(${JSON.stringify(chunk)})()`)).ok).toBe(false);
      else expect(await run(chunk)).toBe(results);
    });
  });
}

facts('what the reference does and a manual does not say', [
  ['return 1 // -7, -1 // 3, -3 // 7, -4 // 3, 7 // -3, -7 // 3, -6 // 3', '0 0 0 -2 -3 -3 -2'],
  ['local b = 10^20 // 1 | 0 return -1 // b, (-b - 1) // b, -b // b', '0 -2 -1'],
  [
    'local t = setmetatable({}, { __index = 5 }) return pcall(function() return t:x() end)',
    `false "undefined method 'x' in table"`,
  ],
  [
    'local t = setmetatable({}, { __index = setmetatable({}, { __index = true }) }) return pcall(function() return t:x() end)',
    `false "undefined method 'x' in table"`,
  ],
  ['local x return pcall(function() return x:y() end)', `false "undefined method 'y' in nil"`],
  ['return load("(x) = 1")', 'nil "illegal call"'],
  ['return load("(x) + 1")', 'nil "illegal call"'],
  ['return load("y, (x) = 1, 2")', `nil "syntax error before: '='"`],
]);

facts('lexical grammar', [
  ['return #"é"', '4'],
  ['return "\\065\\x42\\z   \n  C"', '"ABC"'],
  ['return #"\\195\\169"', '2'],
  ['return [[\n\nx]], [==[a]b]=]c]==]', '"\\nx" "a]b]=]c"'],
  ['return #[===[]]]===]', '2'],
  ['return [====[x]====]', undefined],
  ['return "\\u{41}"', undefined],
  ['return "\\300"', undefined],
  ['return "a\nb"', undefined],
  ['return "a\\\nb"', undefined],
  ['--[=[ one\nreturn 7 --]=]', '7'],
  ['--[[ one\ntwo ]] return 8', '8'],
  ['return 1 --', undefined],
  ['return 0x10, 0xA.8, 0x1p4, 0x.8, 0xdeadbeefcafebabe1234', '16 10.5 16.0 0.5 1051570404360395033547316'],
  ['return 3.0, .5, 5., 1e3, 1E-2, 1.e2', '3.0 0.5 5.0 1.0e3 0.01 100.0'],
  ['return 1e400', undefined],
  ['return 0x', undefined],
  ['return 1..2', undefined],
  ['local t = {3x = 1}', undefined],
  ['return -2^2, 2^-2, 2^3^2, ~1 + 2, 2 * ~0 + 1', '-4.0 0.25 512.0 -4 -4'],
  ['return 1 .. 2 == "12", 1 + 2 .. "", 1 << 2 + 1', 'true "3" 8'],
  ['return not nil == true, not (1 == 2), #"ab" + 1', 'true true 3'],
  ['return "a" < "b" == true', 'true'],
  ['local x <const> = 1', undefined],
  ['local f = function(...) return ... end; ;; return f(1)', '1'],
  ['return (function() return ... end)()', undefined],
  ['for i = 1 do end', undefined],
  ['for i = 1, 2, 3, 4 do end', undefined],
  ['x', undefined],
  ['(f)', undefined],
  ['f() = 1', undefined],
  ['local f = function(t) return t[1] end return f{5}, (f){6}', '5 6'],
  ['return type(_ENV)', '"nil"'],
  ['local function f(a, a) return a end return f(1, 2)', '2'],
]);

facts('values and texts', [
  [
    'return 9223372036854775807 + 1, 2^63 == 9223372036854775808, 1 << 64',
    '9223372036854775808 true 18446744073709551616',
  ],
  [
    'return 9007199254740991 + 1, 9007199254740992 - 1, -9007199254740992 + 1',
    '9007199254740992 9007199254740991 -9007199254740991',
  ],
  ['return 3037000500 * 3037000500, 9007199254740993 == 9007199254740992.0', '9223372037000250000 false'],
  ['return 1 == 1.0, 0 == -0.0, "1" == 1, rawequal(1, 1.0)', 'true true false false'],
  ['return math.huge + 1, -0.0', '1.7976931348623157e308 -0.0'],
  [
    'return pcall(function() return math.huge * 2 end)',
    'false "bad arithmetic \'*\' on 1.7976931348623157e308,2"',
  ],
  [
    'return 100.0 .. "", 1000.0 .. "", 1e5 .. "", 12345678.9 .. "", 2.0^31 .. "", 0.0001 .. "", 0.00012 .. ""',
    '"100.0" "1.0e3" "1.0e5" "12345678.9" "2147483648.0" "0.0001" "1.2e-4"',
  ],
  [
    'return 9007199254740991.0 .. "", 2^53 .. "", 5e-324 .. "", 1230000.0 .. "", 1234567.0 .. ""',
    '"9007199254740991.0" "9.007199254740992e15" "5.0e-324" "1.23e6" "1234567.0"',
  ],
  [
    'return "10" + 5, -"2", "0x10" * 1, " 10 " + 0, "- 1" + 0, "10 -- c" + 0',
    '15.0 -2.0 16.0 10.0 -1.0 10.0',
  ],
  [
    'return tonumber("1e"), tonumber("--1"), tonumber("inf"), tonumber("10\\0"), tonumber(""), tonumber("1e999")',
    'nil nil nil nil nil nil',
  ],
  [
    'return tonumber("9007199254740993"), tonumber(9007199254740993)',
    '9.007199254740992e15 9007199254740993',
  ],
  [
    'return "3" | 0, 3.0 & 1, pcall(function() return 1.5 | 0 end)',
    '3 1 false "bad arithmetic \'|\' on 1.5,0"',
  ],
  ['local f = function() return function() end end return f() == f()', 'true'],
  ['local f = function(x) return function() return x end end return f(1) == f(1)', 'false'],
]);

facts('operators', [
  ['return 7 // 2, -7 // 2, 7 // -2, 7.0 // 2, -0.5 // 1, -6.0 // 2', '3 -4 -4 3.0 -1.0 -3.0'],
  [
    'return 7 % 3, -7 % 3, 7 % -3, 5 % 3.0, -6 % 3.0, -0.0 % 5, 3 % -math.huge',
    '1 2 -2 2.0 0.0 -0.0 -1.7976931348623157e308',
  ],
  [
    'return -10^20 // 3, (-10000000000000000000000) // 7, (-10000000000000000000000) % 7',
    '-3.333333333333333e19 -1428571428571428571429 3',
  ],
  ['return 6 / 2, 2 ^ 10, 10 ^ 2, 0.5 ^ 0.5', '3.0 1024.0 100.0 0.7071067811865476'],
  [
    'return -1 >> 1, 1 << 100, 8 >> -1, 1 >> 200, -1 >> 200, ~0, 5 ~ 3',
    '-1 1267650600228229401496703205376 16 0 -1 -1 6',
  ],
  ['return 0 * -5, 5 - 5, -0', '0 0 0'],
  ['return pcall(function() return 1 / 0 end)', 'false "bad arithmetic \'/\' on 1,0"'],
  ['return pcall(function() return "10" // 0 end)', 'false "bad arithmetic \'//\' on 10.0,0"'],
  ['return pcall(function() return (-8) ^ 0.5 end)', 'false "bad arithmetic \'^\' on -8,0.5"'],
  ['return nil and 1, false or 2, 1 and 2, nil == false', 'nil 2 2 false'],
  ['local function f() return 1, 2 end return nil or f()', '1 2'],
  ['local function f() return 1, 2 end local t = {nil or f()} return #t, (nil or f())', '2 1'],
  ['return pcall(function() return {} > 1 end)', 'false "bad argument 1,table to \'>\'"'],
  ['return 9007199254740993 < 9007199254740992.0, 9007199254740993 > 9007199254740992.0', 'false true'],
]);

facts('tables', [
  ['local t = {} t[2.0] = "a" t[2^53] = "b" return t[2], t[9007199254740992], #t', '"a" "b" 2'],
  ['local t = {} t[-0.0] = 1 t[0] = 2 t[0.0] = 3 return t', '{-0.0=3}'],
  ['return {[nil] = 1}', '{nil=1}'],
  ['return pcall(function() local t = {} t[nil] = 1 end)', 'false "invalid index in table: nil"'],
  ['return {[1] = "a", "b"}[1]', undefined],
  ['local a, b = {[1] = "a", "b"}, {"b", [1] = "a"} return a[1], b[1]', '"b" "a"'],
  [
    'local function f() return 1, 2, 3 end return {f(), f()}, {f(), nil}, {f(), x = 1}',
    '{1=1,2=1,3=2,4=3} {1=1} {1=1,"x"=1}',
  ],
  ['return #{nil, 2}, #{nil, nil, 3}, #{1, nil, 3}, #{1, 2, nil, 4}', '2 0 1 2'],
  ['local t = {1, 2, 3} t[1] = nil return #t', '3'],
  [
    'return {x = 1, [true] = 2, [false] = 3, [-1] = 4, [0.5] = 5, [1] = 6, [0] = 7}',
    '{1=6,-1=4,0=7,0.5=5,false=3,true=2,"x"=1}',
  ],
  [
    'local t = {a = 1, b = 2, c = 3} local o = {} for k in pairs(t) do t[k] = nil o[#o + 1] = k if #k < 3 then t[k .. k] = 1 end end return table.concat(o, " ")',
    '"a aa aaaa b bb bbbb c cc cccc"',
  ],
  [
    'local t = {b = 1, d = 2} return next(t, "c"), next(t, "d"), next(t, "a"), next({10, nil, 30}, 2)',
    '"d" nil "b" 3 30',
  ],
  [
    'local t = {} t[1000000] = 1 t[5] = 2 t[999999999999] = 3 return next(t), next(t, 5), next(t, 1000000), #t',
    '5 1000000 999999999999 0',
  ],
  ['local n = 0 for k in pairs({[false] = 1, x = 2}) do n = n + 1 end return n', '0'],
]);

facts('statements and functions', [
  ['local t = {} local i = 1 i, t[i] = i + 1, 20 return i, t[1], t[2]', '2 20 nil'],
  [
    'local o = {} local function g(x) o[#o + 1] = x return x end local t = {} t[g(1)], t[g(2)] = g(3), g(4) return table.concat(o, " ")',
    '"3 4 2 1"',
  ],
  [
    'local o = {} local s = setmetatable({}, {__index = function(_, k) o[#o + 1] = k return function() end end}) local function a() o[#o + 1] = "arg" end s:m(a()) return table.concat(o, " ")',
    '"arg m"',
  ],
  ['local o = {} for i = 3, 1, -1.0 do o[#o + 1] = i end return o', '{1=3,2=2.0,3=1.0}'],
  ['local o = {} for i = "1", 3 do o[#o + 1] = i end return o', '{1=1.0,2=2.0,3=3.0}'],
  ['for i = 1, 10, 0 do return i end return "none"', '"none"'],
  ['return pcall(function() for i = 1, nil do end end)', 'false "bad argument 1,nil,1 to \'loop\'"'],
  ['local s = 0 for i = 9007199254740990, 9007199254740994 do s = s + 1 end return s', '5'],
  [
    'local f = {} for i = 1, 3 do f[i] = function() i = i + 10 return i end end return f[1](), f[1](), f[2]()',
    '11 21 12',
  ],
  ['local n = 0 repeat local done = n == 3 n = n + 1 until done return n', '4'],
  ['return pcall(function() break end)', `false "illegal op: 'break'"`],
  [
    'local function f(...) local a, b = ... return a, b, select("#", ...) end return f(1, nil, 3)',
    '1 nil 3.0',
  ],
  ['local function f() return 1, 2 end return (f()), f()', '1 1 2'],
  ['local a <b', undefined],
  ['local i = 0 while true do i = i + 1 local x = i if i > 3 then break end end return i', '4'],
  ['local x = 5 x = (function(y) return y + x end)(x) return x', '10'],
  ['local x = {1} x = {x[1], x} return x[1], x[2][1]', '1 1'],
  [
    'local function outer() local a = 1 do local b = 2 return function() a = a + b return a end end end local f = outer() return f(), f()',
    '3 5',
  ],
  ['for k, v in next, {7} do return k, v end', '1 7'],
  [
    'local t = setmetatable({}, {__call = function(_, s, c) if (c or 0) < 2 then return (c or 0) + 1 end end}) local n = 0 for i in t do n = n + i end return n',
    '3',
  ],
]);

test('goto is a crash, not an error', async () => {
  expect(await outcome('return pcall(load, "goto x ::x::")')).toMatchObject({ ok: false, kind: 'crash' });
});
