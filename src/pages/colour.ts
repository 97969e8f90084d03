/** Colours and their contrast, by the WCAG's definition of relative luminance. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** @param hex `#rgb` or `#rrggbb`, checked before */
export function parseHex(hex: string): Rgb {
  const digits = hex.length === 4 ? [...hex.slice(1)].map((digit) => digit + digit).join('') : hex.slice(1);
  const channel = (at: number) => Number.parseInt(digits.slice(at, at + 2), 16);
  return [channel(0), channel(2), channel(4)];
}

export function toHex(colour: Rgb): string {
  return `#${colour.map((channel) => Math.round(channel).toString(16).padStart(2, '0')).join('')}`;
}

/** `a` with `share` (0 to 1) of `b` in it. */
export function mix(a: Rgb, b: Rgb, share: number): Rgb {
  const blend = (at: 0 | 1 | 2) => a[at] + (b[at] - a[at]) * share;
  return [blend(0), blend(1), blend(2)];
}

function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((channel) => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Contrast ratio, 1 to 21. */
export function contrast(a: Rgb, b: Rgb): number {
  const [darker, lighter] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

export const black: Rgb = [0, 0, 0];
export const white: Rgb = [255, 255, 255];

/** Black or white, whichever is easier to read on this colour: the better of the two is always above 4.5. */
export function readableOn(colour: Rgb): Rgb {
  return contrast(colour, white) >= contrast(colour, black) ? white : black;
}

/** The colour, made lighter or darker just as far as the ratio to `ground` needs; hue and saturation stay. */
export function standingOut(colour: Rgb, ground: Rgb, ratio: number): Rgb {
  const { hue, saturation, lightness } = toHsl(colour);
  const away = readableOn(ground);
  const target = away === white ? 1 : 0;
  for (let share = 0; share < 1; share += 0.02) {
    const shade =
      share === 0 ? colour : fromHsl({ hue, saturation, lightness: lightness + (target - lightness) * share });
    const candidate = parseHex(toHex(shade));
    if (contrast(candidate, ground) >= ratio) return candidate;
  }
  return away;
}

/** Hue in degrees; saturation and lightness from 0 to 1. */
interface Hsl {
  readonly hue: number;
  readonly saturation: number;
  readonly lightness: number;
}

function toHsl(colour: Rgb): Hsl {
  const [red, green, blue] = [colour[0] / 255, colour[1] / 255, colour[2] / 255];
  const [low, high] = [Math.min(red, green, blue), Math.max(red, green, blue)];
  const [lightness, chroma] = [(low + high) / 2, high - low];
  if (chroma === 0) return { hue: 0, saturation: 0, lightness };
  const sector =
    high === red ? (green - blue) / chroma : high === green ? (blue - red) / chroma + 2 : (red - green) / chroma + 4;
  return { hue: (sector * 60 + 360) % 360, saturation: chroma / (1 - Math.abs(2 * lightness - 1)), lightness };
}

function fromHsl({ hue, saturation, lightness }: Hsl): Rgb {
  const amplitude = saturation * Math.min(lightness, 1 - lightness);
  const channel = (offset: number) => {
    const position = (offset + hue / 30) % 12;
    return 255 * (lightness - amplitude * Math.max(-1, Math.min(position - 3, 9 - position, 1)));
  };
  return [channel(0), channel(8), channel(4)];
}
