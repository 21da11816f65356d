/**
 * How the page and the node talk over a port: comlink, with errors that keep their code and status.
 */
import * as Comlink from 'comlink';
import { AoError, type AoErrorData } from '../base/errors.ts';

type Thrown = { isError: boolean; value: unknown };
type Wire = { ao?: AoErrorData; plain?: { name: string; message: string; stack?: string }; value?: unknown };

/** Comlink's own handler drops every field but message, name and stack. */
const throwHandler = Comlink.transferHandlers.get('throw') as Comlink.TransferHandler<Thrown, Wire>;
const errorHandler = {
  canHandle: throwHandler.canHandle,
  serialize({ value }: Thrown): [Wire, Transferable[]] {
    if (value instanceof AoError) return [{ ao: value.toJSON() }, []];
    if (value instanceof Error) {
      const { name, message, stack } = value;
      return [{ plain: { name, message, ...(stack === undefined ? {} : { stack }) } }, []];
    }
    return [{ value }, []];
  },
  deserialize(wire: Wire): never {
    if (wire.ao) throw AoError.from(wire.ao);
    if (wire.plain) throw Object.assign(new Error(wire.plain.message), wire.plain);
    throw wire.value;
  },
} as Comlink.TransferHandler<Thrown, Wire>;

/**
 * Both ends have to know how errors travel before the first one does. Setting it when this module loads would not do:
 * bundlers leave out a module of which only what it passes on is used.
 */
function carryErrors(): void {
  Comlink.transferHandlers.set('throw', errorHandler);
}

export const expose: typeof Comlink.expose = (...given) => {
  carryErrors();
  Comlink.expose(...given);
};

export const wrap: typeof Comlink.wrap = (...given) => {
  carryErrors();
  return Comlink.wrap(...given);
};

export { proxy, transfer, releaseProxy } from 'comlink';
export type { Endpoint, Remote } from 'comlink';

/** What the shell of a node worker is told on its own channel; ports arrive here, calls travel on them. */
export type ShellMessage = { type: 'beamlet:connect' };

/** Between a page, the Service Worker and the leader's page. */
export type ServiceMessage =
  /** A page that does not run the node asks the Service Worker for a port to it. The port is transferred. */
  | { type: 'beamlet:connect'; database?: string }
  /** A page asks a waiting Service Worker to take over. */
  | { type: 'beamlet:skip-waiting' };

/** The database of the node that the Service Worker serves, and of every page that names no other. */
export const MAIN_DATABASE = 'beamlet';

/** The name of a lock or channel for one database: nodes of different databases know nothing of each other. */
export function forDatabase(name: string, database: string): string {
  return database === MAIN_DATABASE ? name : `${name}:${database}`;
}

/** Held by the page whose worker is the node. */
export const LEADER_LOCK = 'beamlet:node';
/** Says that another page leads now, so that ports to the old one are given up. */
export const LEADER_CHANNEL = 'beamlet:leader';
