/**
 * Tokens to a syntax tree (lua.md §1.8, §1.9): statements. Expressions are in `parse-expression.ts`.
 * Errors carry the reference's text, which names the first token that no program can have there.
 */
import type { Block, Exp, FunctionNode, Stat, Variable } from './ast.ts';
import { LuaCrash, LuaSyntaxError } from './errors.ts';
import { ExpressionParser } from './parse-expression.ts';
import { tokenize } from './lexer.ts';

/** What ends a block. */
const BLOCK_END = new Set(['end', 'else', 'elseif', 'until']);
/** What may follow a statement: then a lone expression is reported as an illegal call, else as a syntax error. */
const AFTER_STATEMENT = new Set(
  `; ( break do for function goto if local repeat return while :: end else elseif until`.split(' '),
);

/**
 * The chunk as a vararg function.
 * @throws LuaSyntaxError; LuaCrash for `goto` and labels, which the reference's compiler cannot handle
 */
export function parse(source: string): FunctionNode {
  return new Parser(tokenize(source)).chunk();
}

class Parser extends ExpressionParser {
  chunk(): FunctionNode {
    this.openFunction(true);
    const scope = this.openBlock();
    const body = this.#statements();
    if (this.peek().kind !== 'end') this.fail();
    this.closeBlock();
    this.closeFunction();
    if (this.jumps) throw new LuaCrash('function_clause: goto and labels do not compile');
    if (this.strayVararg !== undefined)
      throw new LuaSyntaxError("cannot use '...' outside a vararg function", this.strayVararg);
    return {
      kind: 'function',
      line: 1,
      name: undefined,
      parameters: [],
      vararg: true,
      block: { scope, body },
    };
  }

  /** A block in a scope of its own; `declare` adds variables that belong to it (loop variables). */
  protected override block<T = undefined>(declare?: () => T): { block: Block; declared: T } {
    const scope = this.openBlock();
    const declared = declare?.() as T;
    const body = this.#statements();
    this.closeBlock();
    return { block: { scope, body }, declared };
  }

  #statements(): Stat[] {
    const out: Stat[] = [];
    for (;;) {
      const token = this.peek();
      if (token.kind === 'end' || (token.kind === 'sign' && BLOCK_END.has(token.text))) return out;
      if (this.accept(';')) continue;
      const line = token.line;
      if (this.accept('return')) {
        const next = this.peek();
        const none =
          next.kind === 'end' || (next.kind === 'sign' && (BLOCK_END.has(next.text) || next.text === ';'));
        const values = none ? [] : this.expressions();
        this.accept(';');
        out.push({ kind: 'return', line, values });
        return out;
      }
      const stat = this.#statement(line);
      if (stat) out.push(stat);
    }
  }

  #statement(line: number): Stat | undefined {
    const token = this.peek();
    switch (token.kind === 'sign' ? token.text : '') {
      case 'break':
        this.advance();
        return { kind: 'break', line };
      case 'goto':
        this.advance();
        this.name();
        this.jumps = true;
        return undefined;
      case '::':
        this.advance();
        this.name();
        this.expect('::');
        this.jumps = true;
        return undefined;
      case 'do': {
        this.advance();
        const { block } = this.block();
        this.expect('end');
        return { kind: 'do', line, block };
      }
      case 'while': {
        this.advance();
        const condition = this.expression();
        this.expect('do');
        const { block } = this.block();
        this.expect('end');
        return { kind: 'while', line, condition, block };
      }
      case 'repeat':
        this.advance();
        return this.#repeat(line);
      case 'if':
        this.advance();
        return this.#if(line);
      case 'for':
        this.advance();
        return this.#for(line);
      case 'function':
        this.advance();
        return this.#function(line);
      case 'local':
        this.advance();
        return this.#local(line);
      default:
        return this.#expressionStatement(line);
    }
  }

  /** `until` still sees the body's locals. */
  #repeat(line: number): Stat {
    const scope = this.openBlock();
    const body = this.#statements();
    this.expect('until');
    const condition = this.expression();
    this.closeBlock();
    return { kind: 'repeat', line, block: { scope, body }, condition };
  }

  #if(line: number): Stat {
    const tests: { condition: Exp; block: Block }[] = [];
    let otherwise: Block | undefined;
    do {
      const condition = this.expression();
      this.expect('then');
      tests.push({ condition, block: this.block().block });
    } while (this.accept('elseif'));
    if (this.accept('else')) otherwise = this.block().block;
    this.expect('end');
    return { kind: 'if', line, tests, otherwise };
  }

  #for(line: number): Stat {
    const names = [this.name()];
    if (this.accept('=')) {
      const controls = this.expressions();
      this.expect('do');
      const { block, declared } = this.block(() => this.declare(names[0]!));
      this.expect('end');
      if (controls.length < 2 || controls.length > 3) throw new LuaSyntaxError('illegal for', line);
      return {
        kind: 'for',
        line,
        variable: declared,
        controls: [controls[0]!, controls[1]!, controls[2]],
        block,
      };
    }
    while (this.accept(',')) names.push(this.name());
    this.expect('in');
    const iterators = this.expressions();
    this.expect('do');
    const { block, declared } = this.block(() => names.map((name) => this.declare(name)));
    this.expect('end');
    return { kind: 'forin', line, variables: declared, iterators, block };
  }

  #function(line: number): Stat {
    const first = this.name();
    let target: Exp = this.variable(first, line);
    let flat = first;
    let method = false;
    while (!method && (this.is('.') || this.is(':'))) {
      method = this.is(':');
      this.advance();
      const at = this.peek().line;
      const name = this.name();
      flat += `.${name}`;
      target = { kind: 'index', line: at, object: target, key: { kind: 'constant', line: at, value: name } };
    }
    const fn = this.functionBody(line, flat, method);
    return { kind: 'assign', line, targets: [target], values: [fn] };
  }

  #local(line: number): Stat {
    if (this.accept('function')) {
      const name = this.name();
      const variable = this.declare(name);
      return { kind: 'localfunction', line, variable, fn: this.functionBody(line, name, false) };
    }
    const names = [this.name()];
    while (this.accept(',')) names.push(this.name());
    const values = this.accept('=') ? this.expressions() : [];
    const variables: Variable[] = names.map((name) => this.declare(name));
    return { kind: 'locals', line, variables, values };
  }

  #expressionStatement(line: number): Stat {
    const first = this.prefixExpression();
    // Past its closing parenthesis the reference takes it for a whole statement, whatever follows.
    if (first.kind === 'paren') throw new LuaSyntaxError('illegal call', line);
    if (this.is('=') || this.is(',')) {
      const targets = [this.#target(first)];
      while (this.accept(',')) targets.push(this.#target(this.prefixExpression()));
      this.expect('=');
      return { kind: 'assign', line, targets, values: this.expressions() };
    }
    if (first.kind === 'call' || first.kind === 'method') return { kind: 'callstat', line, call: first };
    const next = this.peek();
    const follows =
      next.kind === 'end' || next.kind === 'name' || (next.kind === 'sign' && AFTER_STATEMENT.has(next.text));
    if (follows) throw new LuaSyntaxError('illegal call', line);
    return this.fail();
  }

  #target(exp: Exp): Exp {
    if (exp.kind !== 'local' && exp.kind !== 'global' && exp.kind !== 'index') this.fail();
    return exp;
  }
}
