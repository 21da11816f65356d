/** Programs that a user trusts to run in a TEE, as a JSON file lists them (docs/verification.md, Trust list). */

export interface TrustedProgram {
  name: string;
  provenance: string;
  /** Milliseconds since 1970. */
  validUntil?: number;
  [key: string]: unknown;
}

const LIMIT = 256 * 1024;
const HEX: Record<string, number> = { firmware: 96, kernel: 64, initrd: 64, append: 64 };

/** A list of entries, one entry, or `{ "programs": [...] }`. @throws Error with a sentence that says what is wrong */
export function parsePrograms(text: string): TrustedProgram[] {
  if (text.length > LIMIT) throw new Error('The list is too large.');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('The list is not JSON.');
  }
  const listed = isRecord(value) && Array.isArray(value['programs']) ? value['programs'] : value;
  const entries: unknown[] = Array.isArray(listed) ? listed : [listed];
  if (entries.length === 0) throw new Error('The list is empty.');
  return entries.map(program);
}

function program(entry: unknown, index: number): TrustedProgram {
  const at = `Entry ${index + 1}`;
  if (!isRecord(entry)) throw new Error(`${at} is no program.`);
  for (const key of ['name', 'provenance'])
    if (typeof entry[key] !== 'string' || !entry[key].trim()) throw new Error(`${at} has no ${key}.`);
  for (const [key, length] of Object.entries(HEX)) {
    const value = entry[key];
    if (typeof value !== 'string' || value.length !== length || !/^[0-9a-fA-F]+$/.test(value))
      throw new Error(`${at}: ${key} is not ${length} hexadecimal digits.`);
  }
  const whole = (value: unknown) => typeof value === 'number' && Number.isInteger(value) && value >= 0;
  if (![1, 2, 3].includes(entry['vmm'] as number)) throw new Error(`${at}: vmm is 1, 2 or 3.`);
  if (!whole(entry['guestFeatures'])) throw new Error(`${at}: guestFeatures is a whole number.`);
  const types = entry['vcpuTypes'];
  if (!Array.isArray(types) || !types.length || !types.every(whole))
    throw new Error(`${at}: vcpuTypes is a list of numbers.`);
  const cpus = entry['vcpus'];
  if (!Array.isArray(cpus) || cpus.length !== 2 || !cpus.every(whole))
    throw new Error(`${at}: vcpus is the fewest and the most CPUs.`);
  if (entry['validUntil'] !== undefined && !whole(entry['validUntil']))
    throw new Error(`${at}: validUntil is a time in milliseconds.`);
  return entry as TrustedProgram;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
