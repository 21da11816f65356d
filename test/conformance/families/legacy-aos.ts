/**
 * Evaluations of real aos modules, recorded from the network's loader: the same results, and the same memory
 * byte for byte (vectors/legacy-aos.md).
 */
import { check, checkJson, defineFamily, type Json } from '../family.ts';
import { startWasm } from '../../../src/engine/wasm-engine.ts';
import type { Evaluation } from '../../../src/engine/engine.ts';

interface Step {
  msg: Json;
  expected: Record<string, Json>;
  thrown?: boolean;
  memorySha256: string | null;
  memoryBytes: number | null;
}

interface LegacyCase {
  module: { sha256: string };
  format: string;
  env: Json;
  steps: Step[];
}

const KEYS = ['Output', 'Messages', 'Spawns', 'Assignments', 'Error'];

/** What the loader returns for an answer: its keys, empty patches, and the gas. */
function outcome(evaluation: Evaluation): { result: Record<string, Json>; thrown: boolean } {
  if (!evaluation.ok) return { result: { Error: evaluation.error }, thrown: true };
  const { ok, response } = JSON.parse(evaluation.reply) as { ok: boolean; response: Record<string, Json> };
  if (!ok) return { result: { Error: response }, thrown: true };
  const result: Record<string, Json> = {};
  for (const key of KEYS) if (response[key] !== undefined) result[key] = response[key];
  result.Patches = response.Patches || [];
  if (evaluation.gasUsed !== undefined) result.GasUsed = evaluation.gasUsed;
  return { result, thrown: false };
}

export default defineFamily<LegacyCase>({
  family: 'legacy-aos',
  timeout: 600_000,
  async run({ data }, env) {
    const module = await env.module(data.module.sha256);
    const engine = await startWasm({ module, moduleHash: data.module.sha256, format: data.format });
    try {
      const environment = JSON.stringify(data.env);
      for (const [index, step] of data.steps.entries()) {
        const evaluation = await engine.evaluate(JSON.stringify(step.msg), environment, {
          onError: 'restore',
          replyErrorIsFailure: true,
        });
        const { result, thrown } = outcome(evaluation);
        checkJson(step.expected, result, `step ${index}`);
        check(step.thrown === true, thrown, `step ${index} thrown`);
        if (step.memorySha256 === null) continue;
        const digest = await engine.digest();
        check(step.memoryBytes, digest.byteLength, `step ${index} memory bytes`);
        check(step.memorySha256, digest.sha256, `step ${index} memory`);
      }
    } finally {
      await engine.close();
    }
  },
});
