/** What the user trusts, and for what: kept in this browser, used by verifications, never taken from a node. */
import type { TrustList } from '../../client/index.ts';
import { isId } from './ids.ts';
import { parsePrograms, type TrustedProgram } from './trusted-programs.ts';

const KEY = 'beamlet:trust';

export interface NamedKey {
  address: string;
  name: string;
}

interface Kept {
  programs: TrustedProgram[];
  keys: NamedKey[];
  checkpointSigners: NamedKey[];
}

const NONE: Kept = { programs: [], keys: [], checkpointSigners: [] };

class Trust {
  #kept = $state.raw<Kept>(read());

  get programs(): readonly TrustedProgram[] {
    return this.#kept.programs;
  }
  get keys(): readonly NamedKey[] {
    return this.#kept.keys;
  }
  get checkpointSigners(): readonly NamedKey[] {
    return this.#kept.checkpointSigners;
  }

  /** The list as a verification takes it; undefined where nobody is trusted. */
  get list(): TrustList | undefined {
    const { programs, keys, checkpointSigners } = this.#kept;
    const list: TrustList = {
      ...(programs.length ? { programs } : {}),
      ...(keys.length ? { keys: keys.map(({ address }) => address) } : {}),
      ...(checkpointSigners.length
        ? { checkpointSigners: checkpointSigners.map(({ address }) => address) }
        : {}),
    };
    return Object.keys(list).length ? list : undefined;
  }

  nameOf(address: string): string | undefined {
    const { keys, checkpointSigners } = this.#kept;
    return [...keys, ...checkpointSigners].find((one) => one.address === address)?.name || undefined;
  }

  /** Adds what a JSON text lists. Answers how many. @throws Error with a sentence */
  addPrograms(text: string): number {
    const added = parsePrograms(text);
    const others = this.#kept.programs.filter(
      (old) => !added.some((one) => JSON.stringify(one) === JSON.stringify(old)),
    );
    this.#keep({ programs: [...others, ...added] });
    return added.length;
  }
  removeProgram(program: TrustedProgram): void {
    this.#keep({ programs: this.#kept.programs.filter((one) => one !== program) });
  }

  /** @throws Error with a sentence */
  addKey(list: 'keys' | 'checkpointSigners', address: string, name: string): void {
    const typed = address.trim();
    if (!isId(typed) && !/^0x[0-9a-fA-F]{40}$/.test(typed))
      throw new Error('An address has 43 characters, or 42 and begins with 0x.');
    const others = this.#kept[list].filter((one) => one.address !== typed);
    this.#keep({ [list]: [...others, { address: typed, name: name.trim() }] });
  }
  removeKey(list: 'keys' | 'checkpointSigners', address: string): void {
    this.#keep({ [list]: this.#kept[list].filter((one) => one.address !== address) });
  }

  #keep(change: Partial<Kept>): void {
    this.#kept = { ...this.#kept, ...change };
    try {
      localStorage.setItem(KEY, JSON.stringify(this.#kept));
    } catch {
      // Storage denied: it lasts for this visit.
    }
  }
}

function read(): Kept {
  try {
    const value = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Kept>;
    return { ...NONE, ...value };
  } catch {
    return NONE;
  }
}

export const trust = new Trust();
