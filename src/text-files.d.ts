// Files that are imported as their text: by esbuild's text loader in a build, by a plugin in vitest.config.ts in tests.

declare module '*.yaml' {
  const text: string;
  export default text;
}

declare module '*.css' {
  const text: string;
  export default text;
}

declare module '*.svg' {
  const text: string;
  export default text;
}

declare module '*.client.js' {
  const text: string;
  export default text;
}

// In the program of the runner processes alone.
declare module '*.prelude.js' {
  const text: string;
  export default text;
}

declare module '@jitl/quickjs-wasmfile-release-sync/wasm' {
  const bytes: Uint8Array;
  export default bytes;
}

// The program of the runner processes, bundled on its own by `scripts/expression-runner.js`.
declare module 'doorward:expression-runner' {
  export function runnerFile(): URL | string;
}
