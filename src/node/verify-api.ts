/** Verification as pages call it: reports that this node commits to and keeps, and evidence. */
import type { TrustEntry } from '../attestation/trust.ts';
import { AoError } from '../base/errors.ts';
import { messageId } from '../commitment/id.ts';
import { Schedules } from '../device/schedules.ts';
import type { EvidenceInfo, Level, NodeApi, VerifyReport } from '../protocol/api.ts';
import type { NodeContext } from '../resolver/node-context.ts';
import { checkEvidence } from '../verify/check-evidence.ts';
import { evidenceText, parseEvidence, type Evidence } from '../verify/evidence.ts';
import { reportMessage, type Report } from '../verify/report.ts';
import { verify } from '../verify/verify.ts';
import { signMessage } from './sign-message.ts';

type Calls = Pick<
  NodeApi,
  'verify' | 'cancelVerify' | 'reports' | 'evidence' | 'evidenceFile' | 'checkEvidence'
>;

/** Milliseconds between two progress messages to a page. */
const PROGRESS_EVERY = 100;
/** Reports that are kept of one process. */
const KEPT_REPORTS = 20;

export function verifyApi(context: NodeContext): Calls {
  const running = new Map<string, AbortController>();
  const { store } = context;
  const reportKey = (process: string, at: number) => `report:${process}:${String(at).padStart(15, '0')}`;

  return {
    async verify(request, onProgress) {
      running.get(request.url)?.abort();
      const abort = new AbortController();
      running.set(request.url, abort);
      let told = 0;
      try {
        const { url, level, peers, k, trust, certificates } = request;
        const report = await verify(
          url,
          {
            signal: abort.signal,
            onProgress: (progress) => {
              const now = Date.now();
              if (now - told < PROGRESS_EVERY && progress.done < progress.total) return;
              told = now;
              onProgress?.(progress);
            },
            ...(level && level !== ('contradicted' as Level) ? { level } : {}),
            ...(peers?.length ? { peers } : {}),
            ...(k === undefined ? {} : { k }),
            ...(trust?.length || level === 'attested'
              ? {
                  attest: { trust: (trust ?? []) as TrustEntry[], ...(certificates ? { certificates } : {}) },
                }
              : {}),
          },
          context,
        );
        return await keep(report);
      } finally {
        if (running.get(request.url) === abort) running.delete(request.url);
      }
    },

    async cancelVerify(url) {
      running.get(url)?.abort();
    },

    async reports(process) {
      const prefix = process ? `report:${process}:` : 'report:';
      const entries = await store.range<VerifyReport>('evidence', {
        from: prefix,
        to: `${prefix}~`,
        reverse: true,
        limit: 200,
      });
      return entries.map(({ value }) => value).sort((a, b) => b.at - a.at);
    },

    async evidence() {
      const entries = await store.range<Evidence>('evidence', {});
      return entries
        .filter(({ key }) => !String(key).startsWith('report:'))
        .map(({ key, value }): EvidenceInfo => {
          const { said, right } = value.context;
          return {
            id: String(key),
            kind: value.kind,
            process: value.process,
            slot: value.slot,
            createdAt: value.createdAt,
            ...(said === undefined ? {} : { said }),
            ...(right === undefined ? {} : { right }),
          };
        })
        .sort((a, b) => b.createdAt - a.createdAt);
    },

    async evidenceFile(id) {
      const item = await store.get<Evidence>('evidence', id);
      if (!item) throw new AoError('no-evidence', `There is no evidence ${id} here.`, { status: 404 });
      return evidenceText(item);
    },

    checkEvidence: async (file) => checkEvidence(parseEvidence(file), context),
  };

  async function keep(report: Report): Promise<VerifyReport> {
    const signed = await signMessage(reportMessage(report), context);
    const id = messageId(signed, 'signed');
    const kept = { id, ...report } as VerifyReport;
    await context.cache.write(signed);
    const old = await store.keys('evidence', {
      from: `report:${report.process}:`,
      to: `report:${report.process}:~`,
    });
    await store.write([
      { table: 'evidence', key: reportKey(report.process, report.at), value: kept },
      ...old
        .slice(0, Math.max(0, old.length + 1 - KEPT_REPORTS))
        .map((key) => ({ table: 'evidence' as const, key })),
    ]);
    await Schedules.of(context).annotate(report.process, { level: report.level }, context);
    context.report({ type: 'verified', process: report.process });
    return kept;
  }
}
