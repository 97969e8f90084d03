/** Who may write which attribute, read from the annotation `x-doorward-write` of a profile schema. */
import type { ProfileWriter } from '../engine/profile.ts';
import { isPlainObject } from '../kernel/json.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Parts of a schema that describe the same value as the schema itself. */
const sameValue = ['allOf', 'anyOf', 'oneOf', 'if', 'then', 'else', '$ref'] as const;

/**
 * A rule by path: each annotation on the way must name the writer, whatever branch of the schema states it. Where
 * nothing is stated, everybody may write.
 */
export function writeRules(root: Schema): (path: readonly string[], writer: ProfileWriter) => boolean {
  const annotated = JSON.stringify(root).includes('"x-doorward-write"');
  return (path, writer) => {
    if (!annotated) return true;
    let schemas = describing([root], root);
    if (!schemas.every((schema) => allows(schema, writer))) return false;
    for (const name of path) {
      schemas = describing(
        schemas.flatMap((schema) => ofMember(schema, name)),
        root,
      );
      if (!schemas.every((schema) => allows(schema, writer))) return false;
    }
    return true;
  };
}

function allows(schema: Schema, writer: ProfileWriter): boolean {
  const writers = schema['x-doorward-write'];
  return !Array.isArray(writers) || writers.includes(writer);
}

/** The schemas themselves and all that they say of the same value elsewhere. */
function describing(schemas: readonly Schema[], root: Schema): readonly Schema[] {
  const found = new Set(schemas);
  for (const schema of found)
    for (const keyword of sameValue) {
      const part = Object.hasOwn(schema, keyword) ? schema[keyword] : undefined;
      const parts: readonly unknown[] = keyword === '$ref' ? [target(part, root)] : Array.isArray(part) ? part : [part];
      for (const one of parts) if (isPlainObject(one)) found.add(one);
    }
  return [...found];
}

function ofMember(schema: Schema, name: string): readonly Schema[] {
  const { properties, patternProperties, additionalProperties, unevaluatedProperties } = schema;
  const own = isPlainObject(properties) && Object.hasOwn(properties, name) ? [properties[name]] : [];
  const patterns = isPlainObject(patternProperties) ? Object.entries(patternProperties) : [];
  const matching = patterns.flatMap(([pattern, part]) => (new RegExp(pattern, 'u').test(name) ? [part] : []));
  const named = [...own, ...matching];
  const all = named.length > 0 ? named : [additionalProperties, unevaluatedProperties];
  return all.filter(isPlainObject);
}

/** What a reference inside the schema (`#/$defs/phone`) means. */
function target(reference: unknown, root: Schema): unknown {
  if (typeof reference !== 'string' || !reference.startsWith('#')) return undefined;
  let found: unknown = root;
  for (const part of reference.split('/').slice(1)) {
    const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(found)) found = found[Number(name)];
    else found = isPlainObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
  }
  return found;
}
