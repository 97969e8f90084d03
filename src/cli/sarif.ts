/** Findings as SARIF 2.1.0, which code scanners read: rules, results with their place, and the path as a code flow. */
import { createHash } from 'node:crypto';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Place } from '../blueprints/place.ts';
import { codes, type FindingCode } from '../blueprints/proof/codes.ts';
import type { Finding, PathStep } from '../blueprints/proof/finding.ts';

const schema = 'https://json.schemastore.org/sarif-2.1.0.json';

/** A whole log, with every rule, so that a scanner also knows what was looked for and not found. */
export function sarifOf(findings: readonly Finding[], version: string): object {
  const names = Object.keys(codes) as FindingCode[];
  return {
    $schema: schema,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'doorward', semanticVersion: version, rules: names.map(ruleOf) } },
        columnKind: 'utf16CodeUnits',
        results: findings.map((finding) => resultOf(finding, names.indexOf(finding.code))),
      },
    ],
  };
}

function ruleOf(code: FindingCode): object {
  const { severity, title } = codes[code];
  return {
    id: code,
    shortDescription: { text: title },
    fullDescription: { text: title },
    help: { text: `${title}. docs/proof.md has an example and its cure.` },
    defaultConfiguration: { level: severity },
    properties: { tags: ['identity', ...(severity === 'note' ? [] : ['security'])], precision: 'high' },
  };
}

function resultOf(finding: Finding, ruleIndex: number): object {
  const { code, severity, message, change, place, flow, stage, path } = finding;
  return {
    ruleId: code,
    ruleIndex,
    level: severity,
    message: { text: `${message} ${change}` },
    locations: [locationOf(place, flow, stage)],
    partialFingerprints: { 'doorward/v1': fingerprintOf(finding) },
    ...(path.length === 0 ? {} : { codeFlows: [{ threadFlows: [{ locations: path.map(stepOf) }] }] }),
  };
}

function stepOf(step: PathStep): object {
  const words = step.what === 'begins' ? 'the flow begins' : step.what;
  const name = step.stage ?? step.flow;
  const text = `${name}: ${words}${step.why === '' ? '' : `, ${step.why}`}`;
  return { location: { ...locationOf(step.place, step.flow, step.stage), message: { text } } };
}

function locationOf(place: Place | null, flow: string, stage: string | null): object {
  const logical = { fullyQualifiedName: stage === null ? flow : `${flow}/${stage}`, kind: 'object' };
  return {
    ...(place === null ? {} : { physicalLocation: physical(place) }),
    logicalLocations: [{ name: stage ?? flow, ...logical }],
  };
}

function physical({ file, line, column }: Place): object {
  const uri = isAbsolute(file) ? pathToFileURL(file).href : encodeURI(file.replaceAll('\\', '/').replace(/^\.\//, ''));
  return { artifactLocation: { uri }, region: { startLine: line, startColumn: column } };
}

/** The same for as long as the same thing is wrong at the same stage, wherever it stands in its file. */
function fingerprintOf({ code, flow, stage, message }: Finding): string {
  return createHash('sha256')
    .update([code, flow, stage ?? '', message].join('\n'))
    .digest('hex')
    .slice(0, 32);
}
