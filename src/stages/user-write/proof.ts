import type { KeysAccepted, StageProof } from '../../engine/stage-proof.ts';
import type { Json } from '../../kernel/json.ts';
import type { UserWriteConfig } from './config.ts';
import { dispatch } from './dispatch.ts';

/** Values that the rules of each key take; for every other key a text. */
const samples: Readonly<Record<string, Json>> = { is_active: true, type: 'internal', attributes: {} };

/** What a write does with collected keys: the dispatch itself is asked, about answers that each key could have. */
export function userWriteProof(config: UserWriteConfig): StageProof {
  return {
    writes: {
      creates: ({ never_create: 'never', create_when_required: 'when_required', always_create: 'always' } as const)[
        config.user_creation_mode
      ],
      active: !config.create_users_as_inactive,
      joins: config.create_users_group !== null,
      accepts: (keys) => accepted(config, keys),
    },
  };
}

const noTrust = { impersonating: false, trustedHashes: false, addressesVerifiedAt: null } as const;

function accepted({ writable_fields: writable }: UserWriteConfig, keys: readonly string[]): KeysAccepted {
  const pairs = keys.map((key) => [key, Object.hasOwn(samples, key) ? (samples[key] ?? null) : 'x'] as const);
  const dispatched = dispatch(pairs, { attributes: {}, writable, ...noTrust });
  if (!dispatched.ok) return { written: [], discarded: [], refused: dispatched.key };
  const { written, discarded } = dispatched.changes;
  return { written, discarded, refused: null };
}
