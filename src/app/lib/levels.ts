/** How far something is proven, in words (attestation levels). Never colour alone. */
import type { Level } from '../../client/index.ts';

export interface LevelWords {
  label: string;
  tone: 'proven' | 'signed' | 'unchecked' | 'contradicted';
  /** One sentence: what this means and, where it matters, what it does not. */
  meaning: string;
}

const WORDS: Record<Level, LevelWords> = {
  replayed: {
    label: 'Proven here',
    tone: 'proven',
    meaning: 'This tab computed it from the messages themselves.',
  },
  audited: {
    label: 'Audited',
    tone: 'signed',
    meaning:
      'Every assignment and message was checked: signatures, order, hash chain. The results were not recomputed.',
  },
  agreed: {
    label: 'Nodes agree',
    tone: 'signed',
    meaning: 'Several independent nodes commit to the same state. They could all be wrong together.',
  },
  attested: {
    label: 'Attested',
    tone: 'signed',
    meaning: 'The key that signed it is bound to measured hardware. The results were not recomputed.',
  },
  signed: {
    label: 'Signed',
    tone: 'signed',
    meaning: 'The node that answered signed it, so it cannot deny it. That does not make it right.',
  },
  claimed: {
    label: 'Not checked',
    tone: 'unchecked',
    meaning: 'Somebody says so. Nothing was checked.',
  },
  contradicted: {
    label: 'Contradicted',
    tone: 'contradicted',
    meaning: 'What was claimed and what was found here differ.',
  },
};

export const LEVEL_ICONS = {
  proven: 'check',
  signed: 'signature',
  unchecked: 'question',
  contradicted: 'alert',
} as const;

export function levelWords(level: Level): LevelWords {
  return WORDS[level];
}
