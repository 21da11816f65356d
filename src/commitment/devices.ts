/** The ways of committing that there are. `flat@1.0`, `json@1.0` and `structured@1.0` commit as `httpsig@1.0` does. */
import { ans104Device } from './ans104.ts';
import type { CommitmentDevice } from './commitment-device.ts';
import { httpsigDevice } from './httpsig.ts';

const devices = new Map<string, CommitmentDevice>([
  ['httpsig@1.0', httpsigDevice],
  ['ans104@1.0', ans104Device],
  ['flat@1.0', httpsigDevice],
  ['json@1.0', httpsigDevice],
  ['structured@1.0', httpsigDevice],
]);

export function commitmentDevice(name: string): CommitmentDevice | undefined {
  return devices.get(name);
}
