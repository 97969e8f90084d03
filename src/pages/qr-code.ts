/** A picture that a phone reads, as one path of squares. */
export interface QrCode {
  /** Modules on a side, the quiet zone included. */
  readonly size: number;
  /** Of an SVG path. */
  readonly path: string;
}

/** ISO/IEC 18004 wants four modules of quiet zone. */
const quiet = 4;

/** Draws a text. The library is loaded when the first one is drawn. */
export async function drawQrCode(text: string): Promise<QrCode> {
  const { default: qrcode } = await import('qrcode');
  const { modules } = qrcode.create(text, { errorCorrectionLevel: 'M' });
  const rows = Array.from({ length: modules.size }, (_, y) =>
    Array.from({ length: modules.size }, (_, x) =>
      modules.get(y, x) === 0 ? '' : `M${x + quiet} ${y + quiet}h1v1h-1z`,
    ).join(''),
  );
  return { size: modules.size + 2 * quiet, path: rows.join('') };
}
