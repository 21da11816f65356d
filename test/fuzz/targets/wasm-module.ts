/** WASM files: looked at without running them. */
import { fromBase64 } from '../../../src/base/bytes.ts';
import { inspectModule, whyUnsupported } from '../../../src/engine/inspect.ts';
import { few, records, vectors } from '../seeds.ts';
import { defineTarget } from '../target.ts';

export default defineTarget({
  seeds: () =>
    few(
      vectors('process-wasm', 'snapshot')
        .flatMap((document) => [...records(document)])
        .flatMap(({ wasm }) =>
          typeof wasm === 'string' && wasm.startsWith('AGFzb') ? [fromBase64(wasm)] : [],
        ),
    ),
  run(input) {
    whyUnsupported(inspectModule(input));
  },
});
