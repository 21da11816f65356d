/**
 * The instruction loop. Runs the machine's current Lua frame, and those it calls, until a built-in takes over,
 * the run is finished or it waits for the host. Numbers in `case` are those of `opcodes.ts`: written out, because
 * only constant cases become a jump table.
 */
import { luaError, TermAtom } from './errors.ts';
import { Frame } from './frame.ts';
import { compareJump, forLoop, forPrepare, slow, slowCompare, tableNext } from './execute-slow.ts';
import type { Interpreter } from './interpreter.ts';
import { now } from './journal.ts';
import { assign, index, method } from './operators.ts';
import { LuaTable } from './table.ts';
import { Builtin, Call, LuaFloat, LuaFunction, type Env, type Value } from './value.ts';

const MAX = Number.MAX_SAFE_INTEGER;

export function execute(machine: Interpreter): void {
  const state = machine.state;
  const globals = state.globals;
  let frame = machine.frame as Frame;
  let R = frame.registers;
  let code = frame.proto.code;
  let pc = frame.pc;
  for (;;) {
    const at = pc;
    const a = code[at + 1]!;
    const b = code[at + 2]!;
    const c = code[at + 3]!;
    pc = at + 4;
    switch (code[at]) {
      case 0: // MOVE
        R[a] = R[b];
        continue;
      case 1: // NIL
        for (let i = 0; i < b; i++) R[a + i] = undefined;
        continue;
      case 2: {
        // GETENV
        let env = frame.env;
        for (let i = b; i > 0; i--) env = env[0]!;
        R[a] = env[c] as Value;
        continue;
      }
      case 3: {
        // SETENV
        let env = frame.env;
        for (let i = b; i > 0; i--) env = env[0]!;
        if (env[1] !== now.journal.stamp) now.journal.noteEnv(env);
        env[c] = R[a];
        continue;
      }
      case 4: {
        // GETGLOBAL
        const value = globals.field(R[b] as string);
        if (value !== undefined || globals.meta === undefined) {
          R[a] = value;
          continue;
        }
        frame.pc = pc;
        const found = index(state, globals, R[b]);
        if (found instanceof Call) machine.call(found.fn, found.args, a, 1);
        else R[a] = found;
        break;
      }
      case 5: {
        // SETGLOBAL
        frame.pc = pc;
        const call = assign(state, globals, R[b], R[a]);
        if (!call) continue;
        machine.call(call.fn, call.args, 0, 0);
        break;
      }
      case 6: {
        // GET
        const object = R[b];
        const key = R[c];
        if (object instanceof LuaTable) {
          const value = typeof key === 'number' && key > 0 ? object.at(key) : object.get(key);
          if (value !== undefined || object.meta === undefined) {
            R[a] = value;
            continue;
          }
        }
        frame.pc = pc;
        const found = index(state, object, key);
        if (!(found instanceof Call)) {
          R[a] = found;
          continue;
        }
        machine.call(found.fn, found.args, a, 1);
        break;
      }
      case 7: {
        // GETFIELD
        const object = R[b];
        if (object instanceof LuaTable) {
          const value = object.field(R[c] as string);
          if (value !== undefined || object.meta === undefined) {
            R[a] = value;
            continue;
          }
        }
        frame.pc = pc;
        const found = index(state, object, R[c]);
        if (!(found instanceof Call)) {
          R[a] = found;
          continue;
        }
        machine.call(found.fn, found.args, a, 1);
        break;
      }
      case 8: {
        // SET
        const object = R[a];
        const key = R[b];
        if (object instanceof LuaTable && object.meta === undefined && key !== undefined) {
          object.set(key, R[c]);
          continue;
        }
        frame.pc = pc;
        const call = assign(state, object, key, R[c]);
        if (!call) continue;
        machine.call(call.fn, call.args, 0, 0);
        break;
      }
      case 9: {
        // CALL
        frame.pc = pc;
        const fn = R[a];
        if (fn instanceof LuaFunction && b >= 0) {
          const proto = fn.proto;
          const registers = proto.template.slice();
          const count = b < proto.parameters ? b : proto.parameters;
          for (let i = 0; i < count; i++) registers[i] = R[a + 1 + i];
          const next = machine.push(fn, registers, a, c);
          if (proto.vararg && b > count) next.varargs = R.slice(a + 1 + count, a + 1 + b);
          frame = next;
          R = registers;
          code = proto.code;
          pc = 0;
          continue;
        }
        const args = b >= 0 ? R.slice(a + 1, a + 1 + b) : R.slice(a + 1, a - b).concat(machine.open);
        if (fn instanceof Builtin) {
          machine.builtin(fn, args, a, c);
          if (machine.frame === frame && !machine.stopped) continue;
        } else machine.call(fn, args, a, c);
        break;
      }
      case 10: {
        // METHOD
        frame.pc = pc;
        const found = method(state, R[a + 1], R[b]);
        if (!(found instanceof Call)) {
          R[a] = found;
          continue;
        }
        machine.call(found.fn, found.args, a, 1);
        break;
      }
      case 11: {
        // RETURN
        const values =
          b >= 0 ? R.slice(a, a + b) : b === -1 ? machine.open : R.slice(a, a - 1 - b).concat(machine.open);
        frame.pc = pc;
        machine.leave(frame, values);
        break;
      }
      case 12: {
        // RETURN1
        const value = R[a];
        const up = frame.up;
        if (up instanceof Frame && frame.want === 1) {
          up.registers[frame.into] = value;
          machine.depth--;
          machine.frame = frame = up;
          R = up.registers;
          code = up.proto.code;
          pc = up.pc;
          continue;
        }
        frame.pc = pc;
        machine.leave(frame, [value]);
        break;
      }
      case 13: // VARARG
        if (b < 0) machine.open = frame.varargs;
        else for (let i = 0; i < b; i++) R[a + i] = frame.varargs[i];
        continue;
      case 14: {
        // CLOSURE
        const proto = frame.proto.children[b]!;
        const env = frame.env;
        const known = env[2];
        if (known === undefined) R[a] = env[2] = new LuaFunction(proto, env);
        else if (known instanceof LuaFunction && known.proto === proto) R[a] = known;
        else {
          const map = known instanceof Map ? known : new Map([[known.proto, known]]);
          let made = map.get(proto);
          if (!made) map.set(proto, (made = new LuaFunction(proto, env)));
          env[2] = map;
          R[a] = made;
        }
        continue;
      }
      case 15: {
        // ENVPUSH
        const journal = now.journal;
        journal.allocate(48 + 8 * a);
        const env: Env = [frame.env, journal.stamp, undefined];
        for (let i = 0; i < a; i++) env.push(undefined);
        frame.env = env;
        continue;
      }
      case 16: // ENVPOP
        for (let i = a; i > 0; i--) frame.env = frame.env[0]!;
        continue;
      case 17: // JUMP
        pc = a;
        continue;
      case 18: {
        // JUMPF
        const value = R[a];
        if (value === undefined || value === false) pc = b;
        continue;
      }
      case 19: {
        // JUMPT
        const value = R[a];
        if (value !== undefined && value !== false) pc = b;
        continue;
      }
      case 20: // BACK
        if (--state.steps < 0) machine.step();
        pc = a;
        continue;
      case 21: // FORPREP
        frame.pc = pc;
        if (!forPrepare(R, a)) pc = b;
        continue;
      case 22: {
        // FORLOOP
        if (--state.steps < 0) machine.step();
        const i = R[a];
        const step = R[a + 2];
        const limit = R[a + 1];
        if (typeof i === 'number' && step === 1 && typeof limit === 'number') {
          if (i < limit) {
            R[a] = R[a + 3] = i + 1;
            pc = b;
          }
        } else if (forLoop(R, a)) pc = b;
        continue;
      }
      case 23: {
        // TFORPREP
        const values = machine.open;
        frame.pc = pc;
        if (values.length === 0) throw luaError('undefined_function', []);
        for (let i = 0; i < 3; i++) R[a + i] = values[i];
        continue;
      }
      case 24: {
        // TFORCALL
        frame.pc = pc;
        if (--state.steps < 0) machine.step();
        const fn = R[a];
        if (tableNext(fn, R, a, b)) continue;
        machine.call(fn, [R[a + 1], R[a + 2]], a + 3, b);
        break;
      }
      case 25: {
        // TFORTEST
        const first = R[a + 3];
        if (first === undefined || first === false) pc = b;
        else R[a + 2] = first;
        continue;
      }
      case 26: // NEWTABLE
        R[a] = b === 0 ? state.table() : new LuaTable(-1);
        continue;
      case 27: // INIT
        if (R[c] !== undefined) (R[a] as LuaTable).set(R[b], R[c]);
        continue;
      case 28: // INITPOS
        if (R[c] !== undefined) (R[a] as LuaTable).set(b, R[c]);
        continue;
      case 29: {
        // INITREST
        const table = R[a] as LuaTable;
        const values = machine.open;
        for (let i = 0; i < values.length; i++) if (values[i] !== undefined) table.set(b + i, values[i]);
        continue;
      }
      case 30: // ENDTABLE
        (R[a] as LuaTable).id = state.nextTable++;
        continue;
      case 31: // SINGLE
        machine.open = [R[a]];
        continue;
      case 32: {
        // JUMPMF
        const first = machine.open[0];
        if (first === undefined || first === false) pc = a;
        continue;
      }
      case 33: {
        // JUMPMT
        const first = machine.open[0];
        if (first !== undefined && first !== false) pc = a;
        continue;
      }
      case 34: {
        // TOBOOL
        const value = R[a];
        R[a] = (value !== undefined && value !== false) !== (b === 1);
        continue;
      }
      case 35: // BREAK
        frame.pc = pc;
        throw luaError('illegal_op', new TermAtom('break'));
      case 36: {
        // NOT
        const value = R[b];
        R[a] = value === undefined || value === false;
        continue;
      }
      case 40: {
        // ADD
        const x = R[b];
        const y = R[c];
        if (typeof x === 'number' && typeof y === 'number') {
          const sum = x + y;
          if (sum <= MAX && sum >= -MAX) {
            R[a] = sum;
            continue;
          }
        }
        frame.pc = pc;
        if (slow(machine, 40, a, x, y)) continue;
        break;
      }
      case 41: {
        // SUB
        const x = R[b];
        const y = R[c];
        if (typeof x === 'number' && typeof y === 'number') {
          const difference = x - y;
          if (difference <= MAX && difference >= -MAX) {
            R[a] = difference;
            continue;
          }
        }
        frame.pc = pc;
        if (slow(machine, 41, a, x, y)) continue;
        break;
      }
      case 42: {
        // MUL
        const x = R[b];
        const y = R[c];
        if (typeof x === 'number' && typeof y === 'number') {
          const product = x * y;
          if (product <= MAX && product >= -MAX) {
            R[a] = product + 0;
            continue;
          }
        }
        frame.pc = pc;
        if (slow(machine, 42, a, x, y)) continue;
        break;
      }
      case 45: {
        // MOD
        const x = R[b];
        const y = R[c];
        if (typeof x === 'number' && typeof y === 'number' && x >= 0 && y > 0) {
          R[a] = x % y;
          continue;
        }
        frame.pc = pc;
        if (slow(machine, 45, a, x, y)) continue;
        break;
      }
      case 52: {
        // CONCAT
        const x = R[b];
        const y = R[c];
        if (typeof x === 'string' && typeof y === 'string' && x.length + y.length <= state.largest) {
          R[a] = x + y;
          continue;
        }
        frame.pc = pc;
        if (slow(machine, 52, a, x, y)) continue;
        break;
      }
      case 37:
      case 38:
      case 39:
      case 43:
      case 44:
      case 46:
      case 47:
      case 48:
      case 49:
      case 50:
      case 51:
        frame.pc = pc;
        if (slow(machine, code[at]!, a, R[b], R[c])) continue;
        break;
      case 53:
      case 54:
      case 55:
      case 56:
      case 57:
      case 58:
        frame.pc = pc;
        if (slowCompare(machine, code[at]!, a, R[b], R[c])) {
          pc = frame.pc;
          continue;
        }
        break;
      case 59:
      case 60: {
        // JEQ, JNE
        const x = R[a];
        const y = R[b];
        if (x === y) pc = code[at] === 59 ? pc + 12 : c;
        else if (x instanceof LuaTable || x instanceof LuaFloat || y instanceof LuaFloat) continue;
        else pc = code[at] === 59 ? c : pc + 12;
        continue;
      }
      case 61: {
        // JLT
        const x = R[a];
        const y = R[b];
        if (typeof x === 'number' && typeof y === 'number') pc = x < y ? pc + 8 : c;
        else pc = compareJump(61, x, y, pc, c);
        continue;
      }
      case 62: {
        // JLE
        const x = R[a];
        const y = R[b];
        if (typeof x === 'number' && typeof y === 'number') pc = x <= y ? pc + 8 : c;
        else pc = compareJump(62, x, y, pc, c);
        continue;
      }
      case 63: {
        // JGT
        const x = R[a];
        const y = R[b];
        if (typeof x === 'number' && typeof y === 'number') pc = x > y ? pc + 8 : c;
        else pc = compareJump(63, x, y, pc, c);
        continue;
      }
      case 64: {
        // JGE
        const x = R[a];
        const y = R[b];
        if (typeof x === 'number' && typeof y === 'number') pc = x >= y ? pc + 8 : c;
        else pc = compareJump(64, x, y, pc, c);
        continue;
      }
      case 65: {
        // SPREAD
        const values = machine.open;
        for (let i = 0; i < b; i++) R[a + i] = values[i];
        continue;
      }
    }
    // Another frame may be running now.
    const next = machine.frame;
    if (!(next instanceof Frame) || machine.stopped) return;
    frame = next;
    R = frame.registers;
    code = frame.proto.code;
    pc = frame.pc;
  }
}
