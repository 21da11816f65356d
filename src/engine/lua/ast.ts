/** The syntax tree. Names are resolved while parsing: a variable knows whether an inner function uses it. */
import type { LuaFloat } from './value.ts';

export interface Variable {
  readonly name: string;
  /** Used by an inner function: lives in an environment, not in a register. */
  captured: boolean;
  readonly owner: FunctionScope;
  /** Register or index in the environment, given by the compiler. */
  slot: number;
  /** The block it is declared in. */
  readonly block: BlockScope;
}

export interface BlockScope {
  readonly captured: Variable[];
}

export interface FunctionScope {
  readonly vararg: boolean;
}

export interface Block {
  readonly scope: BlockScope;
  readonly body: readonly Stat[];
}

export interface FunctionNode {
  readonly kind: 'function';
  readonly line: number;
  readonly name: string | undefined;
  readonly parameters: readonly Variable[];
  readonly vararg: boolean;
  readonly block: Block;
}

export type BinaryOp =
  | '+'
  | '-'
  | '*'
  | '/'
  | '//'
  | '%'
  | '^'
  | '&'
  | '|'
  | '~'
  | '<<'
  | '>>'
  | '..'
  | '=='
  | '~='
  | '<'
  | '<='
  | '>'
  | '>='
  | 'and'
  | 'or';
export type UnaryOp = '-' | 'not' | '#' | '~';

export type Exp =
  | {
      readonly kind: 'constant';
      readonly line: number;
      readonly value: undefined | boolean | number | bigint | LuaFloat | string;
    }
  | { readonly kind: 'vararg'; readonly line: number }
  | FunctionNode
  | { readonly kind: 'local'; readonly line: number; readonly variable: Variable }
  | { readonly kind: 'global'; readonly line: number; readonly name: string }
  | { readonly kind: 'index'; readonly line: number; readonly object: Exp; readonly key: Exp }
  | { readonly kind: 'call'; readonly line: number; readonly callee: Exp; readonly args: readonly Exp[] }
  | {
      readonly kind: 'method';
      readonly line: number;
      readonly object: Exp;
      readonly name: string;
      readonly args: readonly Exp[];
    }
  | { readonly kind: 'paren'; readonly line: number; readonly exp: Exp }
  | { readonly kind: 'table'; readonly line: number; readonly fields: readonly Field[] }
  | {
      readonly kind: 'binary';
      readonly line: number;
      readonly op: BinaryOp;
      readonly left: Exp;
      readonly right: Exp;
    }
  | { readonly kind: 'unary'; readonly line: number; readonly op: UnaryOp; readonly exp: Exp };

/** `key` undefined: positional. */
export interface Field {
  readonly key: Exp | undefined;
  readonly value: Exp;
}

export type Stat =
  | {
      readonly kind: 'assign';
      readonly line: number;
      readonly targets: readonly Exp[];
      readonly values: readonly Exp[];
    }
  | {
      readonly kind: 'locals';
      readonly line: number;
      readonly variables: readonly Variable[];
      readonly values: readonly Exp[];
    }
  | {
      readonly kind: 'localfunction';
      readonly line: number;
      readonly variable: Variable;
      readonly fn: FunctionNode;
    }
  | { readonly kind: 'callstat'; readonly line: number; readonly call: Exp }
  | { readonly kind: 'do'; readonly line: number; readonly block: Block }
  | { readonly kind: 'while'; readonly line: number; readonly condition: Exp; readonly block: Block }
  | { readonly kind: 'repeat'; readonly line: number; readonly block: Block; readonly condition: Exp }
  | {
      readonly kind: 'if';
      readonly line: number;
      readonly tests: readonly { readonly condition: Exp; readonly block: Block }[];
      readonly otherwise: Block | undefined;
    }
  | {
      readonly kind: 'for';
      readonly line: number;
      readonly variable: Variable;
      readonly controls: readonly [Exp, Exp, Exp | undefined];
      readonly block: Block;
    }
  | {
      readonly kind: 'forin';
      readonly line: number;
      readonly variables: readonly Variable[];
      readonly iterators: readonly Exp[];
      readonly block: Block;
    }
  | { readonly kind: 'return'; readonly line: number; readonly values: readonly Exp[] }
  | { readonly kind: 'break'; readonly line: number };
