/** The ways of committing that there are. `flat@1.0`, `json@1.0` and `structured@1.0` commit as `httpsig@1.0` does. */
import type { CommitmentDevice } from './commitment-device.ts';
import { httpsigDevice } from './httpsig.ts';

const devices = new Map<string, CommitmentDevice>([
  ['httpsig@1.0', httpsigDevice],
  ['flat@1.0', httpsigDevice],
  ['json@1.0', httpsigDevice],
  ['structured@1.0', httpsigDevice],
]);

export function commitmentDevice(name: string): CommitmentDevice | undefined {
  return devices.get(name);
}
