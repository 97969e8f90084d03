import type { Desk } from '../../engine/stage.ts';
import type { StageProof } from '../../engine/stage-proof.ts';
import { allFields, type PromptConfig } from './field.ts';
import { fieldTypes } from './field-types.ts';

/** What a prompt collects: every field that leaves an answer, two of one key included. */
export function promptProof(config: PromptConfig, object: Desk['object']): StageProof {
  const answered = allFields(config, object).filter(({ type }) => fieldTypes[type].answeredBy !== 'nobody');
  const collects = answered.map(({ field_key: key, type }) => {
    return { key, secret: type === 'password', shown: type === 'static' };
  });
  return { asks: true, collects };
}
