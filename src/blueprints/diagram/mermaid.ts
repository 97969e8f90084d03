import type { Diagram, DiagramNode } from './graph.ts';

const brackets: Readonly<Record<DiagramNode['shape'], readonly [open: string, close: string]>> = {
  start: ['([', '])'],
  decision: ['{{', '}}'],
  stage: ['[', ']'],
  done: ['([', '])'],
  denied: ['([', '])'],
  away: ['[/', '/]'],
};

/** A flowchart for Mermaid. Names are an administrator's, so nothing in them is taken for syntax or markup. */
export function mermaidOf({ title, description, nodes, edges }: Diagram): string {
  const boxes = nodes.map(({ id, shape, title: name, lines }) => {
    const [open, close] = brackets[shape];
    // A box without any text is an error of syntax.
    const text = [name, ...lines].map(escaped).join('<br/>') || ' ';
    return `  ${id}${open}"${text}"${close}:::${shape}`;
  });
  const ways = edges.map(({ from, to, label }) => `  ${from} ${label === '' ? '-->' : `-->|${label}|`} ${to}`);
  return [
    'flowchart TD',
    `  accTitle: ${plain(title)}`,
    `  accDescr: ${plain(description)}`,
    ...boxes,
    ...ways,
    '  classDef denied stroke:#c62828',
    '  classDef done stroke:#2e7d32',
    '',
  ].join('\n');
}

/** Everything but letters, digits and harmless signs by its number, as Mermaid writes entities. */
function escaped(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[^\p{L}\p{N} .,:?!()_/@+-]/gu, (sign) => `#${sign.codePointAt(0)};`);
}

/** Where Mermaid knows no entities. */
function plain(text: string): string {
  return text.replaceAll(/[\s;{}#"<>%]+/g, ' ').trim();
}
