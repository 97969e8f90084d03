/** The wire: challenges, problems and texts. Safe in a browser. */
export * from './challenge.ts';
export * from './localize.ts';
export * from './text.ts';
