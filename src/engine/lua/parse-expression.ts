/** Expressions, and the scopes in which their names are found. */
import type {
  BinaryOp,
  Block,
  BlockScope,
  Exp,
  Field,
  FunctionNode,
  FunctionScope,
  UnaryOp,
  Variable,
} from './ast.ts';
import { LuaSyntaxError } from './errors.ts';
import type { Token } from './lexer.ts';
import { tokenText } from './token-text.ts';

/** Left and right binding power. */
const BINARY: Record<string, readonly [number, number]> = {
  or: [100, 101],
  and: [200, 201],
  '<': [300, 301],
  '>': [300, 301],
  '<=': [300, 301],
  '>=': [300, 301],
  '~=': [300, 301],
  '==': [300, 301],
  '|': [400, 401],
  '~': [500, 501],
  '&': [600, 601],
  '<<': [700, 701],
  '>>': [700, 701],
  '..': [801, 800],
  '+': [900, 901],
  '-': [900, 901],
  '*': [1000, 1001],
  '/': [1000, 1001],
  '//': [1000, 1001],
  '%': [1000, 1001],
  '^': [1201, 1200],
};
/** Unary `~` shares the level of the binary operator: `~1 + 2` is `~(1 + 2)`. */
const UNARY: Record<string, number> = { not: 1100, '#': 1100, '-': 1100, '~': 501 };

interface OpenBlock extends BlockScope {
  readonly names: Map<string, Variable>;
  readonly captured: Variable[];
  readonly fn: FunctionScope;
}

export abstract class ExpressionParser {
  readonly #tokens: readonly Token[];
  #at = 0;
  readonly #functions: FunctionScope[] = [];
  readonly #blocks: OpenBlock[] = [];
  /** `goto` or a label was seen. */
  protected jumps = false;
  /** Line of a `...` in a function that has none. */
  protected strayVararg: number | undefined;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  protected abstract block<T = undefined>(declare?: () => T): { block: Block; declared: T };

  protected peek(): Token {
    return this.#tokens[this.#at]!;
  }

  protected advance(): Token {
    return this.#tokens[this.#at++]!;
  }

  protected is(text: string): boolean {
    const token = this.#tokens[this.#at]!;
    return token.kind === 'sign' && token.text === text;
  }

  protected accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.#at++;
    return true;
  }

  protected expect(text: string): void {
    if (!this.accept(text)) this.fail();
  }

  protected name(): string {
    const token = this.peek();
    if (token.kind !== 'name') this.fail();
    this.#at++;
    return (token as { text: string }).text;
  }

  protected fail(): never {
    const token = this.peek();
    throw new LuaSyntaxError(`syntax error before: ${tokenText(token)}`, token.line);
  }

  protected openFunction(vararg: boolean): void {
    this.#functions.push({ vararg });
  }

  protected closeFunction(): void {
    this.#functions.pop();
  }

  protected openBlock(): BlockScope {
    const scope: OpenBlock = { names: new Map(), captured: [], fn: this.#functions.at(-1)! };
    this.#blocks.push(scope);
    return scope;
  }

  protected closeBlock(): void {
    this.#blocks.pop();
  }

  protected declare(name: string): Variable {
    const block = this.#blocks.at(-1)!;
    const variable: Variable = { name, captured: false, owner: block.fn, slot: -1, block };
    block.names.set(name, variable);
    return variable;
  }

  protected variable(name: string, line: number): Exp {
    for (let i = this.#blocks.length - 1; i >= 0; i--) {
      const variable = this.#blocks[i]!.names.get(name);
      if (!variable) continue;
      if (variable.owner !== this.#functions.at(-1) && !variable.captured) {
        variable.captured = true;
        this.#blocks[i]!.captured.push(variable);
      }
      return { kind: 'local', line, variable };
    }
    return { kind: 'global', line, name };
  }

  protected expressions(): Exp[] {
    const out = [this.expression()];
    while (this.accept(',')) out.push(this.expression());
    return out;
  }

  protected expression(least = 0): Exp {
    let left = this.#unary();
    for (;;) {
      const token = this.peek();
      const power = token.kind === 'sign' ? BINARY[token.text] : undefined;
      if (!power || power[0] < least) return left;
      this.advance();
      const right = this.expression(power[1]);
      left = { kind: 'binary', line: token.line, op: (token as { text: BinaryOp }).text, left, right };
    }
  }

  #unary(): Exp {
    const token = this.peek();
    const power = token.kind === 'sign' ? UNARY[token.text] : undefined;
    if (power === undefined) return this.#simple();
    this.advance();
    return {
      kind: 'unary',
      line: token.line,
      op: (token as { text: UnaryOp }).text,
      exp: this.expression(power),
    };
  }

  #simple(): Exp {
    const token = this.peek();
    const line = token.line;
    if (token.kind === 'number') {
      this.advance();
      return { kind: 'constant', line, value: token.value };
    }
    if (token.kind === 'string') {
      this.advance();
      return { kind: 'constant', line, value: token.text };
    }
    if (token.kind !== 'sign') return this.prefixExpression();
    switch (token.text) {
      case 'nil':
        this.advance();
        return { kind: 'constant', line, value: undefined };
      case 'true':
      case 'false':
        this.advance();
        return { kind: 'constant', line, value: token.text === 'true' };
      case '...':
        this.advance();
        if (!this.#functions.at(-1)!.vararg) this.strayVararg ??= line;
        return { kind: 'vararg', line };
      case 'function':
        this.advance();
        return this.functionBody(line, undefined, false);
      case '{':
        return this.#table();
      default:
        return this.prefixExpression();
    }
  }

  protected prefixExpression(): Exp {
    const token = this.peek();
    let exp: Exp;
    if (token.kind === 'name') {
      this.advance();
      exp = this.variable(token.text, token.line);
    } else {
      this.expect('(');
      exp = { kind: 'paren', line: token.line, exp: this.expression() };
      this.expect(')');
    }
    for (;;) {
      const next = this.peek();
      const line = next.line;
      if (this.accept('.')) {
        const key = this.name();
        exp = { kind: 'index', line, object: exp, key: { kind: 'constant', line, value: key } };
      } else if (this.accept('[')) {
        const key = this.expression();
        this.expect(']');
        exp = { kind: 'index', line, object: exp, key };
      } else if (this.accept(':')) {
        const name = this.name();
        const args = this.#arguments();
        if (!args) this.fail();
        exp = { kind: 'method', line, object: exp, name, args };
      } else {
        const args = this.#arguments();
        if (!args) return exp;
        exp = { kind: 'call', line: exp.line, callee: exp, args };
      }
    }
  }

  #arguments(): Exp[] | undefined {
    const token = this.peek();
    if (token.kind === 'string') {
      this.advance();
      return [{ kind: 'constant', line: token.line, value: token.text }];
    }
    if (this.is('{')) return [this.#table()];
    if (!this.accept('(')) return undefined;
    if (this.accept(')')) return [];
    const args = this.expressions();
    this.expect(')');
    return args;
  }

  #table(): Exp {
    const line = this.peek().line;
    this.expect('{');
    const fields: Field[] = [];
    while (!this.is('}')) {
      fields.push(this.#field());
      if (!this.accept(',') && !this.accept(';')) break;
    }
    this.expect('}');
    return { kind: 'table', line, fields };
  }

  #field(): Field {
    const token = this.peek();
    if (this.accept('[')) {
      const key = this.expression();
      this.expect(']');
      this.expect('=');
      return { key, value: this.expression() };
    }
    const next = this.#tokens[this.#at + 1];
    if (token.kind === 'name' && next?.kind === 'sign' && next.text === '=') {
      this.#at += 2;
      return { key: { kind: 'constant', line: token.line, value: token.text }, value: this.expression() };
    }
    return { key: undefined, value: this.expression() };
  }

  protected functionBody(line: number, name: string | undefined, method: boolean): FunctionNode {
    this.expect('(');
    const names = method ? ['self'] : [];
    let vararg = false;
    if (!this.is(')'))
      do {
        if (this.accept('...')) {
          vararg = true;
          break;
        }
        names.push(this.name());
      } while (this.accept(','));
    this.expect(')');
    this.openFunction(vararg);
    const { block, declared } = this.block(() => names.map((parameter) => this.declare(parameter)));
    this.expect('end');
    this.closeFunction();
    return { kind: 'function', line, name, parameters: declared, vararg, block };
  }
}
