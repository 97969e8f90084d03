/** Where the boxes and ways of a diagram go: one column from top to bottom, ways out to the right, ways past to the left. */
import type { Diagram, DiagramEdge, DiagramNode } from './graph.ts';

export interface PlacedNode extends Omit<DiagramNode, 'lines' | 'title'> {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Broken to fit; the first `titleLines` are the title's. */
  readonly text: readonly string[];
  readonly titleLines: number;
}

export interface PlacedEdge {
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly label: string;
  readonly labelAt: readonly [x: number, y: number];
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
}

export const lineHeight = 18;
/** A decision's sides are pointed. */
export const point = 14;
const margin = 16;
const lane = 44;
const gap = 34;
const beside = 64;
const padding = { x: 18, y: 11 } as const;
const widest = 40;
/** Of a character of the drawing's font; a little more than the average. Titles are bold. */
const advance = 7.2;
const boldAdvance = 8.4;

interface Sized {
  readonly node: DiagramNode;
  readonly text: readonly string[];
  readonly titleLines: number;
  readonly width: number;
  readonly height: number;
}

export function layOut({ nodes, edges }: Diagram): Layout {
  const sized = nodes.map(sizeOf);
  const spine = sized.filter(({ node }) => node.beside === null);
  const column = Math.max(...spine.map(({ width }) => width));
  const center = margin + lane + column / 2;
  const placed = new Map<string, PlacedNode>();
  let y = margin;
  for (const box of spine) {
    const exits = sized.filter(({ node }) => node.beside === box.node.id);
    const row = Math.max(box.height, ...exits.map(({ height }) => height));
    placed.set(box.node.id, placedAt(box, center - box.width / 2, y + (row - box.height) / 2));
    for (const exit of exits)
      placed.set(exit.node.id, placedAt(exit, center + column / 2 + beside, y + (row - exit.height) / 2));
    y += row + gap;
  }
  const all = [...placed.values()];
  return {
    width: Math.ceil(Math.max(...all.map(({ x, width }) => x + width)) + margin),
    height: Math.ceil(y - gap + margin),
    nodes: all,
    edges: edges.flatMap((edge) => placedEdge(edge, placed, margin + lane / 2)),
  };
}

function placedAt({ node, ...size }: Sized, x: number, y: number): PlacedNode {
  const { id, shape, beside: besideId } = node;
  return { id, shape, beside: besideId, ...size, x, y };
}

function placedEdge(
  { from, to, label }: DiagramEdge,
  all: ReadonlyMap<string, PlacedNode>,
  laneX: number,
): PlacedEdge[] {
  const [a, b] = [all.get(from), all.get(to)];
  if (a === undefined || b === undefined) return [];
  const middle = (node: PlacedNode) => node.x + node.width / 2;
  if (b.beside !== null) {
    const [ax, ay] = [a.x + a.width, a.y + a.height / 2];
    return [
      {
        points: [
          [ax, ay],
          [b.x, ay],
        ],
        label,
        labelAt: [ax + 8, ay - 6],
      },
    ];
  }
  if (label === 'no') {
    // Leaves low and arrives high, so that of two in a row each is seen.
    const [leave, arrive] = [a.y + a.height * 0.7, b.y + b.height * 0.3];
    const side = (node: PlacedNode) => node.x + (node.shape === 'decision' ? point * 0.4 : 0);
    const points = [
      [side(a), leave],
      [laneX, leave],
      [laneX, arrive],
      [side(b), arrive],
    ] as const;
    return [{ points, label, labelAt: [laneX + 6, leave - 6] }];
  }
  const below = a.y + a.height;
  return [
    {
      points: [
        [middle(a), below],
        [middle(b), b.y],
      ],
      label,
      labelAt: [middle(a) + 8, below + 17],
    },
  ];
}

function sizeOf(node: DiagramNode): Sized {
  const title = wrapped(node.title);
  const text = [...title, ...node.lines.flatMap(wrapped)];
  const longest = Math.max(
    ...text.map((line, index) => [...line].length * (index < title.length ? boldAdvance : advance)),
  );
  const pointed = node.shape === 'decision' ? point * 2 : 0;
  return {
    ...{ node, text, titleLines: title.length },
    width: Math.max(120, Math.ceil(longest) + padding.x * 2 + pointed),
    height: text.length * lineHeight + padding.y * 2,
  };
}

/** Broken at spaces; a word that is longer than a line is cut. */
function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).flatMap(cut)) {
    if (line !== '' && [...line, ...word].length + 1 > widest) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function cut(word: string): readonly string[] {
  const letters = [...word];
  const parts: string[] = [];
  for (let at = 0; at < letters.length; at += widest) parts.push(letters.slice(at, at + widest).join(''));
  return parts.length === 0 ? [''] : parts;
}
