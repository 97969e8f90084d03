import type { CompiledBinding, CompiledFlow } from '../engine/flow.ts';
import { isPlainObject } from '../kernel/json.ts';
import { fileLimits } from '../protocol/body-limits.ts';

/** Prompts whose files, each as large as its field allows, do not fit into one request together. */
export function oversizedFiles(
  flow: CompiledFlow,
): readonly { readonly binding: CompiledBinding; readonly message: string }[] {
  return flow.bindings.flatMap((binding) => {
    const { kind, name, config } = binding.stage;
    if (kind !== 'prompt' || !Array.isArray(config.fields)) return [];
    const sizes = config.fields.map((pk) => fileSize(flow.objects[String(pk)]?.config));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const files = `the files of the stage "${name}" may have ${bytes} bytes together`;
    if (bytes > fileLimits.form)
      return [{ binding, message: `${files}, and a form brings ${fileLimits.form}: more is refused with status 413` }];
    if (bytes > fileLimits.json)
      return [
        { binding, message: `${files}, and JSON brings ${fileLimits.json}: larger ones need the page's own form` },
      ];
    return [];
  });
}

function fileSize(field: unknown): number {
  return isPlainObject(field) && field.type === 'file' ? Number(field.max_size) : 0;
}
