/** Source to a chunk of compiled functions: statements (lua.md §6). */
import type { Block, Exp, FunctionNode, Stat, Variable } from './ast.ts';
import type { EnvChain } from './assembler.ts';
import { ExpressionCompiler, isOpen, type Jump } from './compile-expression.ts';
import { LuaCrash } from './errors.ts';
import { Op } from './opcodes.ts';
import { parse } from './parser.ts';
import type { Chunk, Proto } from './proto.ts';

/**
 * Compiles a chunk.
 * @throws LuaSyntaxError; LuaCrash for what the reference's compiler fails on, and for nesting too deep to compile
 */
export function compile(name: string, source: string): Chunk {
  const protos: Proto[] = [];
  const chunk: Chunk = { name, source, protos };
  try {
    new FunctionCompiler(chunk, protos, undefined).build(parse(source));
  } catch (error) {
    if (error instanceof RangeError) throw new LuaCrash('the chunk is nested too deeply');
    throw error;
  }
  return chunk;
}

interface Loop {
  readonly env: EnvChain | undefined;
  readonly exits: Jump[];
}

class FunctionCompiler extends ExpressionCompiler {
  readonly #chunk: Chunk;
  readonly #protos: Proto[];
  readonly #loops: Loop[] = [];

  constructor(chunk: Chunk, protos: Proto[], env: EnvChain | undefined) {
    super(env);
    this.#chunk = chunk;
    this.#protos = protos;
  }

  build(node: FunctionNode): Proto {
    this.line = node.line;
    for (const parameter of node.parameters) parameter.slot = this.reserve();
    this.#scoped(node.block, node.parameters);
    this.emit(Op.RETURN, 0, 0);
    const proto: Proto = {
      ...this.finish(),
      chunk: this.#chunk,
      index: this.#protos.length,
      name: node.name,
      line: node.line,
      parameters: node.parameters.length,
      vararg: node.vararg,
      children: this.children,
    };
    this.#protos.push(proto);
    return proto;
  }

  protected override function(node: FunctionNode, env: EnvChain | undefined): Proto {
    return new FunctionCompiler(this.#chunk, this.#protos, env).build(node);
  }

  /** A block with its environment, if inner functions use its variables. `given` are in registers already. */
  #scoped(block: Block, given: readonly Variable[], tail?: () => void): void {
    const mark = this.free;
    const outer = this.env;
    const captured = block.scope.captured.length;
    if (captured) {
      this.emit(Op.ENVPUSH, captured);
      this.env = { scope: block.scope, up: outer };
      for (const variable of given) if (variable.captured) this.store(variable, variable.slot);
    }
    for (const stat of block.body) this.#statement(stat);
    tail?.();
    if (captured) this.emit(Op.ENVPOP, 1);
    this.env = outer;
    this.free = mark;
  }

  /** Assigns a register to a local variable. */
  store(variable: Variable, register: number): void {
    if (variable.captured) {
      const { depth, index } = this.locate(variable);
      this.emit(Op.SETENV, register, depth, index);
    } else if (variable.slot !== register) this.emit(Op.MOVE, variable.slot, register);
  }

  #statement(stat: Stat): void {
    this.line = stat.line;
    switch (stat.kind) {
      case 'locals': {
        const base = this.adjust(stat.values, stat.variables.length);
        stat.variables.forEach((variable, i) => this.#bind(variable, base + i));
        return;
      }
      case 'localfunction': {
        const register = this.reserve();
        this.closure(stat.fn, register);
        this.#bind(stat.variable, register);
        return;
      }
      case 'assign':
        this.#assign(stat.targets, stat.values);
        return;
      case 'callstat':
        this.statementCall(stat.call);
        return;
      case 'do':
        this.#scoped(stat.block, []);
        return;
      case 'while': {
        const start = this.here;
        const exits = this.jump(stat.condition, false);
        this.#loop(exits, () => {
          this.#scoped(stat.block, []);
          this.emit(Op.BACK, start);
        });
        return;
      }
      case 'repeat':
        this.#repeat(stat);
        return;
      case 'if':
        this.#if(stat);
        return;
      case 'for':
        this.#for(stat);
        return;
      case 'forin':
        this.#forin(stat);
        return;
      case 'return':
        this.#return(stat.values);
        return;
      case 'break':
        this.#break();
    }
  }

  /** A new local whose value is in a register. */
  #bind(variable: Variable, register: number): void {
    if (!variable.captured) variable.slot = register;
    else this.store(variable, register);
  }

  /** All values first, then the targets from the last to the first, each with its own table and key. */
  #assign(targets: readonly Exp[], values: readonly Exp[]): void {
    const mark = this.free;
    if (targets.length === 1 && values.length === 1) {
      const target = targets[0]!;
      const value = values[0]!;
      if (target.kind === 'local' && !target.variable.captured && this.writesLast(value)) {
        // A call builds its arguments in the newest register: that may not be the variable itself.
        this.reserve();
        this.into(value, target.variable.slot);
      } else this.#assignTo(target, this.any(value));
    } else {
      const base = this.adjust(values, targets.length);
      for (let i = targets.length - 1; i >= 0; i--) this.#assignTo(targets[i]!, base + i);
    }
    this.free = mark;
  }

  #assignTo(target: Exp, register: number): void {
    const mark = this.free;
    if (target.kind === 'local') this.store(target.variable, register);
    else if (target.kind === 'global') this.emit(Op.SETGLOBAL, register, this.constant(target.name));
    else if (target.kind === 'index') {
      const object = this.any(target.object);
      const key = this.any(target.key);
      this.emit(Op.SET, object, key, register);
    }
    this.free = mark;
  }

  #loop(exits: Jump[], body: () => void): void {
    this.#loops.push({ env: this.env, exits });
    body();
    this.#loops.pop();
    this.land(exits);
  }

  #repeat(stat: Extract<Stat, { kind: 'repeat' }>): void {
    const start = this.here;
    const exits: Jump[] = [];
    this.#loop(exits, () => {
      const result = this.reserve();
      this.#scoped(stat.block, [], () => this.into(stat.condition, result));
      exits.push([this.emit(Op.JUMPT, result), 2]);
      this.emit(Op.BACK, start);
      this.free = result;
    });
  }

  #if(stat: Extract<Stat, { kind: 'if' }>): void {
    const ends: Jump[] = [];
    stat.tests.forEach((test, i) => {
      const skip = this.jump(test.condition, false);
      this.#scoped(test.block, []);
      const last = i === stat.tests.length - 1 && !stat.otherwise;
      if (!last) ends.push([this.emit(Op.JUMP), 1]);
      this.land(skip);
    });
    if (stat.otherwise) this.#scoped(stat.otherwise, []);
    this.land(ends);
  }

  #for(stat: Extract<Stat, { kind: 'for' }>): void {
    const mark = this.free;
    const [start, limit, step] = stat.controls;
    const one: Exp = { kind: 'constant', line: stat.line, value: 1 };
    const base = this.adjust([start, limit, step ?? one].map(single), 3);
    stat.variable.slot = this.reserve();
    const exits: Jump[] = [[this.emit(Op.FORPREP, base), 2]];
    const top = this.here;
    this.#loop(exits, () => {
      this.#scoped(stat.block, [stat.variable]);
      this.emit(Op.FORLOOP, base, top);
    });
    this.free = mark;
  }

  #forin(stat: Extract<Stat, { kind: 'forin' }>): void {
    const mark = this.free;
    const first = stat.iterators[0]!;
    let base: number;
    if (stat.iterators.length === 1 && isOpen(first)) {
      this.open(first);
      base = this.reserve(3);
      this.emit(Op.TFORPREP, base);
    } else base = this.adjust(stat.iterators, 3);
    for (const variable of stat.variables) variable.slot = this.reserve();
    const top = this.emit(Op.TFORCALL, base, stat.variables.length);
    const exits: Jump[] = [[this.emit(Op.TFORTEST, base), 2]];
    this.#loop(exits, () => {
      this.#scoped(stat.block, stat.variables);
      this.emit(Op.BACK, top);
    });
    this.free = mark;
  }

  #return(values: readonly Exp[]): void {
    const mark = this.free;
    if (values.length === 1 && !isOpen(values[0]!)) this.emit(Op.RETURN1, this.any(values[0]!));
    else {
      const { base, count } = this.list(values);
      this.emit(Op.RETURN, base, count);
    }
    this.free = mark;
  }

  #break(): void {
    const loop = this.#loops.at(-1);
    if (!loop) {
      this.emit(Op.BREAK);
      return;
    }
    let levels = 0;
    for (let at = this.env; at !== loop.env; at = at?.up) levels++;
    if (levels) this.emit(Op.ENVPOP, levels);
    loop.exits.push([this.emit(Op.JUMP), 1]);
  }
}

/** Keeps the last of several expressions from being open. */
function single(exp: Exp): Exp {
  return isOpen(exp) ? { kind: 'paren', line: exp.line, exp } : exp;
}
