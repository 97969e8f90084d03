/** The section of a document with this heading, or nothing. @param {string} text @param {string} heading */
export function sectionOf(text, heading) {
  return split(text)
    .filter((part) => part.startsWith(`${heading}\n`))
    .join('')
    .trim();
}

/** A document with another section of this heading, at its end. @param {string} text @param {string} heading @param {string} section */
export function withSection(text, heading, section) {
  const others = split(text).filter((part) => !part.startsWith(`${heading}\n`));
  return `${[others.join('').trimEnd(), section.trim()].filter((part) => part !== '').join('\n\n')}\n`;
}

/** @param {string} text */
function split(text) {
  return text.split(/^(?=## )/m);
}
