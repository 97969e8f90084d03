import { isPlainObject, type Json, type JsonObject } from '../kernel/json.ts';
import { type Place, wrong } from './place.ts';

const maximumWidth = 1_000;

/**
 * Python's %-formatting for `!Format`: `%s %r %d %i %f %x %o`, with flags, width and precision, and `%%`.
 *
 * @throws DoorwardError `blueprint` where text and values do not fit
 */
export function format(template: string, values: readonly Json[], at: Place): string {
  let next = 0;
  const text = template.replace(
    /%([-+0 #]*)(\d*)(?:\.(\d+))?(.?)/gsu,
    (whole, flags: string, width: string, precision: string | undefined, kind: string) => {
      if (kind === '%') return '%';
      const value = values[next];
      next += 1;
      if (value === undefined) throw wrong(at, `!Format: ${whole} has no value; give ${next} values after the text`);
      if (Number(width) > maximumWidth || Number(precision ?? 0) > 100)
        throw wrong(at, `!Format: ${whole} is wider than ${maximumWidth}`);
      const shown = shownAs(kind, value, precision === undefined ? null : Number(precision));
      if (shown === null)
        throw wrong(
          at,
          isNumberKind(kind)
            ? `!Format: ${whole} needs a number`
            : `!Format: ${whole} is not known; use %s, %r, %d, %f, %x, %o or %%`,
        );
      return padded(isNumberKind(kind) && flags.includes('+') && !shown.startsWith('-') ? `+${shown}` : shown, {
        width: Number(width),
        left: flags.includes('-'),
        zeros: flags.includes('0') && isNumberKind(kind),
      });
    },
  );
  if (next !== values.length) throw wrong(at, `!Format: ${values.length} values were given, the text takes ${next}`);
  return text;
}

function isNumberKind(kind: string): boolean {
  return kind !== '' && 'difxo'.includes(kind);
}

function shownAs(kind: string, value: Json, precision: number | null): string | null {
  if (kind === 's' || kind === 'r') {
    const text = kind === 's' ? pythonText(value) : pythonLiteral(value);
    return precision === null ? text : [...text].slice(0, precision).join('');
  }
  const number = typeof value === 'boolean' ? Number(value) : value;
  if (typeof number !== 'number') return null;
  if (kind === 'd' || kind === 'i') return String(Math.trunc(number));
  if (kind === 'f') return number.toFixed(precision ?? 6);
  if (!Number.isInteger(number)) return null;
  if (kind === 'x') return number.toString(16);
  return kind === 'o' ? number.toString(8) : null;
}

function padded(text: string, { width, left, zeros }: { width: number; left: boolean; zeros: boolean }): string {
  if (left) return text.padEnd(width);
  if (!zeros) return text.padStart(width);
  const [, sign = '', digits = ''] = /^([-+]?)(.*)$/s.exec(text) ?? [];
  return sign + digits.padStart(width - sign.length, '0');
}

/** A value as the reference's language writes it. */
function pythonText(value: Json): string {
  return typeof value === 'string' ? value : pythonLiteral(value);
}

function pythonLiteral(value: Json): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') {
    const escaped = value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
    return escaped.includes("'") && !escaped.includes('"') ? `"${escaped}"` : `'${escaped.replaceAll("'", "\\'")}'`;
  }
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(', ')}]`;
  if (isPlainObject(value))
    return `{${Object.entries(value as JsonObject)
      .map(([name, item]) => `${pythonLiteral(name)}: ${pythonLiteral(item)}`)
      .join(', ')}}`;
  return String(value);
}
