import { type FSWatcher, statSync, watch } from 'node:fs';
import { resolve } from 'node:path';
import { BlueprintFolder, type FolderInput } from '../blueprints/folder.ts';
import { DoorwardError } from '../kernel/errors.ts';
import { startJob } from './jobs.ts';
import type { BlueprintsFolder, Log } from './options.ts';

/** Where the system tells of no change (network drives, some mounts), this often is looked anyway. */
const lookEveryMs = 10_000;
/** Who saves a file writes it in pieces. */
const settleMs = 150;

interface Setting {
  readonly folder: string | BlueprintsFolder;
  readonly base: Pick<FolderInput, 'stages' | 'policies' | 'definitions' | 'read'>;
  readonly log: Log;
  now(): number;
  /** Definitions were changed. */
  changed(): void;
}

/** A folder that is watched. */
export interface WatchedFolder {
  /** Stops; an apply under way is waited for. */
  stop(): Promise<void>;
}

/**
 * Applies the blueprints of a folder, then watches it. What is wrong with a file is logged and recorded, and keeps
 * nobody from starting.
 *
 * @throws DoorwardError `configuration` where there is no such folder, `store_unavailable`
 */
export async function watchBlueprints({ folder, base, log, now, changed }: Setting): Promise<WatchedFolder> {
  const { path: given, ...options } = typeof folder === 'string' ? { path: folder } : folder;
  const path = resolve(given);
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new DoorwardError('configuration', `the folder of blueprints ${path} is not there; make it, or name another`);
  const blueprints = new BlueprintFolder({ ...base, ...options, path, log, changed, clock: now });
  const watchers = new Map<string, FSWatcher>();
  let settling: ReturnType<typeof setTimeout> | undefined;
  const look = async (): Promise<void> => {
    watchThese(watchers, await blueprints.sync(), () => {
      clearTimeout(settling);
      settling = setTimeout(() => job.poke(), settleMs).unref();
    });
  };
  const job = startJob('blueprints', lookEveryMs, look, log);
  try {
    await look();
  } catch (error) {
    await job.stop();
    throw error;
  }
  // What changed between the look and the watching.
  job.poke();
  return {
    async stop() {
      await job.stop();
      clearTimeout(settling);
      for (const watcher of watchers.values()) watcher.close();
    },
  };
}

/** Watches each folder by itself: watching a whole tree is not reliable on every system. */
function watchThese(watchers: Map<string, FSWatcher>, folders: readonly string[], changed: () => void): void {
  for (const [path, watcher] of watchers) {
    if (folders.includes(path)) continue;
    watcher.close();
    watchers.delete(path);
  }
  for (const path of folders) {
    if (watchers.has(path)) continue;
    try {
      const watcher = watch(path, { persistent: false }, changed);
      watchers.set(path, watcher);
      watcher.on('error', () => {
        watcher.close();
        watchers.delete(path);
      });
    } catch {
      // The look every few seconds has to do.
    }
  }
}
