import type { Terminal } from './command.ts';

const drawEveryMs = 100;
const tellEveryMs = 5_000;
const width = 24;

/** How far a long command is. */
export interface Position {
  readonly records: number;
  readonly refused: number;
  readonly bytes: number;
  /** Bytes in all; null when nobody knows. */
  readonly size: number | null;
}

/** Tells how far a long command is: a bar on a terminal, a line every five seconds elsewhere. It keeps no timer. */
export class Progress {
  readonly #terminal: Terminal;
  readonly #begun = performance.now();
  #shownAt = this.#begun;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Seconds since the beginning. */
  get seconds(): number {
    return (performance.now() - this.#begun) / 1000;
  }

  /** Called after every record. */
  update(position: Position): void {
    const live = this.#terminal.overwrite !== null;
    if (performance.now() - this.#shownAt < (live ? drawEveryMs : tellEveryMs)) return;
    this.#shownAt = performance.now();
    const line = describe(position, this.seconds);
    if (this.#terminal.overwrite === null) this.#terminal.note(line);
    else this.#terminal.overwrite(`${bar(position)}${line}`);
  }

  /** A line that stays. */
  note(line: string): void {
    this.clear();
    this.#terminal.note(line);
  }

  /** Takes the bar away. */
  clear(): void {
    this.#terminal.overwrite?.('');
  }
}

function bar({ bytes, size }: Position): string {
  if (size === null || size === 0) return '';
  const filled = Math.round((Math.min(bytes, size) / size) * width);
  return `[${'#'.repeat(filled)}${'-'.repeat(width - filled)}] `;
}

function describe({ records, refused, bytes, size }: Position, seconds: number): string {
  const share = size === null || size === 0 ? null : Math.min(bytes / size, 1);
  const left = share === null || share === 0 ? null : (seconds / share) * (1 - share);
  return [
    share === null ? null : `${Math.floor(share * 100)} %`,
    `${records.toLocaleString('en')} records`,
    refused === 0 ? null : `${refused.toLocaleString('en')} refused`,
    `${Math.round(records / Math.max(seconds, 0.001)).toLocaleString('en')}/s`,
    left === null ? null : `${duration(left)} left`,
  ]
    .filter((part) => part !== null)
    .join(', ');
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
