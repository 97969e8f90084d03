/** Letters, digits, hyphens and underscores, in small letters, as Django makes it of a text. */
export function slugify(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[^\x20-\x7e\s]/g, '')
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .split(/[-\s]+/)
    .filter((part) => part !== '')
    .join('-')
    .replace(/^_+|_+$/g, '');
}
