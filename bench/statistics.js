/**
 * The mean of the middle two where there is no middle one; NaN of none.
 *
 * @param {readonly number[]} values
 */
export function median(values) {
  return (
    (quantile(values, 0.5) -
      quantile(
        values.map((value) => -value),
        0.5,
      )) /
    2
  );
}

/**
 * The smallest value that at least this share of the values does not exceed; NaN of none.
 *
 * @param {readonly number[]} values
 * @param {number} share 0 to 1
 */
export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
