import type { Diagram } from './graph.ts';
import { layOut, lineHeight, type PlacedEdge, type PlacedNode, point } from './layout.ts';

const style = `
  svg { --paper: #fff; --ink: #1d2330; --soft: #5b6475; --line: #8a93a5; --box: #f3f5f9; --ask: #fff6e0; --good: #2e7d32; --bad: #b3261e; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #14171d; --ink: #e8ebf2; --soft: #a7b0c0; --line: #76809a; --box: #20252f; --ask: #35300f; --good: #7bc67f; --bad: #ff8a80; }
  }
  .paper { fill: var(--paper); }
  .box { fill: var(--box); stroke: var(--line); }
  .decision .box { fill: var(--ask); }
  .done .box { stroke: var(--good); stroke-width: 2; }
  .denied .box { stroke: var(--bad); stroke-width: 2; }
  .way { fill: none; stroke: var(--line); stroke-width: 1.5; }
  .tip { fill: var(--line); }
  text { font: 13px system-ui, sans-serif; fill: var(--soft); }
  .title { font-weight: 600; fill: var(--ink); }`;

/** A drawing that stands by itself: no font, script or style from elsewhere. */
export function svgOf(diagram: Diagram): string {
  const { width, height, nodes, edges } = layOut(diagram);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description">`,
    `<title id="title">${escaped(diagram.title)}</title>`,
    `<desc id="description">${escaped(diagram.description)}</desc>`,
    `<style>${style}\n</style>`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>',
    `<rect class="paper" width="${width}" height="${height}"/>`,
    ...edges.map(wayOf),
    ...nodes.map(boxOf),
    '</svg>',
    '',
  ].join('\n');
}

function wayOf({ points, label, labelAt: [x, y] }: PlacedEdge): string {
  const line = points.map(([px, py]) => `${round(px)},${round(py)}`).join(' ');
  const word = label === '' ? '' : `<text x="${round(x)}" y="${round(y)}">${escaped(label)}</text>`;
  return `<polyline class="way" points="${line}" marker-end="url(#tip)"/>${word}`;
}

function boxOf(node: PlacedNode): string {
  const { x, y, width, height, shape, text, titleLines } = node;
  const lines = text.map((line, index) => {
    const at = `x="${round(x + width / 2)}" y="${round(y + 24 + index * lineHeight)}" text-anchor="middle"`;
    return `<text ${at}${index < titleLines ? ' class="title"' : ''}>${escaped(line)}</text>`;
  });
  return `<g class="${shape}">${outline(node, { x, y, width, height })}${lines.join('')}</g>`;
}

function outline(
  { shape }: PlacedNode,
  { x, y, width, height }: Readonly<Record<'x' | 'y' | 'width' | 'height', number>>,
): string {
  if (shape === 'decision') {
    const [right, bottom, middle] = [x + width, y + height, y + height / 2];
    const corners = [
      ...[`${x + point},${y}`, `${right - point},${y}`, `${right},${middle}`],
      ...[`${right - point},${bottom}`, `${x + point},${bottom}`, `${x},${middle}`],
    ];
    return `<polygon class="box" points="${corners.join(' ')}"/>`;
  }
  const radius = shape === 'stage' ? 6 : Math.min(22, height / 2);
  return `<rect class="box" x="${round(x)}" y="${round(y)}" width="${width}" height="${height}" rx="${radius}"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** As text of XML; what XML cannot hold is left out. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
