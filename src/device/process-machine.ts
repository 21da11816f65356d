/**
 * The machine behind a state, if it has one: taking it off before a state is shown, putting it back when one is
 * loaded, and keeping its memory as pages. Two kinds exist: WASM instances and Lua machines.
 */
import { toBase64Url } from '../base/bytes.ts';
import { sha256Async } from '../crypto/hash.ts';
import type { Message } from '../message/message.ts';
import type { Context } from '../resolver/context.ts';
import {
  applyDelta,
  fromImage,
  SnapshotStore,
  type Snapshot,
  type SnapshotCost,
} from '../store/snapshots.ts';
import { asLegacy } from './legacy-evaluation.ts';
import { closeLua, luaOf, restoreLua, snapshotLua } from './lua-machine.ts';
import { startInstance } from './wasm-start.ts';
import { instanceOf, withInstance } from './wasm-instance.ts';

export type MachineKind = 'wasm' | 'lua';

export function machineOf(state: Message): MachineKind | undefined {
  if (instanceOf(state)) return 'wasm';
  return luaOf(state) ? 'lua' : undefined;
}

/** Ends the machine of a state, if it has one. */
export async function closeMachine(state: Message): Promise<void> {
  await instanceOf(state)?.engine.close();
  const lua = luaOf(state);
  if (lua) await closeLua(lua);
}

/** Keeps track of what of one machine is on disk already, so that only changes are written. */
export class MachineKeeper {
  /** As the last snapshot left it; undefined before the first. */
  #last: Snapshot | undefined;
  /** A snapshot was taken from the machine but not stored: its next changes are not all there are. */
  #lost = false;

  constructor(restored?: Snapshot) {
    this.#last = restored;
  }

  /** Writes a snapshot of the machine as it stands. @throws AoError `storage-full` (507) */
  async save(
    process: string,
    slot: number,
    state: Message,
    context: Context,
  ): Promise<SnapshotCost | undefined> {
    const snapshots = SnapshotStore.of(context.store);
    const taken = context.clock.now();
    const lua = luaOf(state);
    if (lua) {
      const extra = await snapshotLua(lua);
      return snapshots.write(
        process,
        slot,
        { byteLength: 0, pages: new Map(), globals: {}, extra, taken },
        new Map(),
      );
    }
    const instance = instanceOf(state);
    if (!instance) return undefined;
    const { snapshot, bytes } = await this.#take(instance.engine, taken);
    this.#lost = true;
    const cost = await snapshots.write(process, slot, snapshot, bytes);
    this.#lost = false;
    this.#last = snapshot;
    return cost;
  }

  async #take(engine: NonNullable<ReturnType<typeof instanceOf>>['engine'], taken: number) {
    const delta = await engine.snapshot();
    if (!this.#lost) return applyDelta(this.#last, delta, taken);
    const hash = async (page: Uint8Array) => toBase64Url(await sha256Async(page));
    return fromImage(await engine.image(), hash, taken);
  }
}

/** The state with a machine as the snapshot has it. @throws AoError `snapshot-damaged` (500) and those of starting */
export async function withMachine(
  state: Message,
  kind: MachineKind,
  snapshot: Snapshot,
  context: Context,
): Promise<Message> {
  if (kind === 'lua') return restoreLua(state, snapshot.extra, context);
  const image = await SnapshotStore.of(context.store).image(snapshot);
  const ready = withInstance(state, await startInstance(state, context, image));
  return state.text('device') === 'genesis-wasm@1.0' ? asLegacy(ready) : ready;
}
