import type { Plugin } from 'esbuild';
import type { Plugin as VitePlugin } from 'vite';

export function expressionRunner(file: string): Plugin;
export function expressionRunnerFromSource(): VitePlugin;
