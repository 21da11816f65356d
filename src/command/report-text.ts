/** A verification report in words. */
import type { Report } from '../verify/report.ts';

export function reportText(report: Report): string {
  const { facts, freshness } = report;
  const lines = [`${report.url}`, `level: ${report.level} (asked: ${report.asked})`];
  if (freshness) {
    const age = freshness.age === undefined ? '' : `, ${Math.round(freshness.age / 1000)} s old`;
    lines.push(`slot ${freshness.slot} of ${freshness.head}${age}`);
  }
  if (facts.signed) lines.push(`signed by ${facts.signed.by.join(', ')}`);
  if (facts.attested) {
    const { product, program, measurement, bound, root = 'AMD' } = facts.attested;
    lines.push(
      `attested: ${program} on ${product}, measurement ${measurement}, bound: ${bound}, root: ${root}`,
    );
  }
  if (facts.agreed) {
    const { agree, n, differ, stale } = facts.agreed;
    lines.push(`${agree.length} of ${n} agree`);
    if (differ.length) lines.push(`  differ: ${differ.join(', ')}`);
    if (stale.length) lines.push(`  stale: ${stale.join(', ')}`);
  }
  if (facts.audited) {
    const { from, to, scheduler, notes } = facts.audited;
    lines.push(`audited: slots ${from} to ${to}, scheduler ${scheduler.join(', ')}`);
    for (const note of notes) lines.push(`  slot ${note.slot}: ${note.text}`);
  }
  if (facts.replayed) {
    const { from, to, start, compared } = facts.replayed;
    const slots = from > to ? `nothing new after slot ${to}` : `slots ${from} to ${to} from ${start}`;
    lines.push(`replayed: ${slots}; compared: ${compared.join(', ')}`);
    const { checkpoint } = facts.replayed;
    if (checkpoint)
      lines.push(`  from checkpoint ${checkpoint.name ?? checkpoint.id} of slot ${checkpoint.slot}`);
  }
  if (facts.sampled) {
    const { stretches, computed, slots, of, missed } = facts.sampled;
    lines.push(`sampled: ${computed.length} of ${stretches} stretches, ${slots} of ${of} slots`);
    for (const { stretches: bad, probability } of missed)
      lines.push(
        `  a lie in ${bad} of them goes unseen with probability ${Number(probability.toPrecision(3))}`,
      );
  }
  for (const { code, text, contradiction, slot, said, right } of report.problems) {
    lines.push(`${contradiction ? 'CONTRADICTED' : 'not shown'} (${code}): ${text}`);
    if (slot !== undefined && contradiction) lines.push(`  slot: ${slot}`);
    if (said !== undefined) lines.push(`  said:  ${said}`);
    if (right !== undefined) lines.push(`  right: ${right}`);
  }
  if (report.notChecked.length) lines.push('Not checked:', ...report.notChecked.map((text) => `  ${text}`));
  lines.push(`${report.cost.milliseconds} ms, ${report.cost.bytes} bytes received`);
  return lines.join('\n');
}

/** The asked level was reached and nothing was contradicted. */
export function isProven({ level, reached, asked, problems }: Report): boolean {
  return (
    level !== 'contradicted' &&
    reached.includes(asked) &&
    !problems.some(({ code, contradiction }) => contradiction || code === 'key-not-trusted')
  );
}
