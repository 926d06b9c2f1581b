/** Lines of aligned columns, two spaces apart; the last column is not padded. */
export function textTable(
  rows: readonly (readonly string[])[],
  options: { readonly rightAligned?: readonly number[] } = {},
): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => {
        const width = widths[i] ?? 0;
        if (options.rightAligned?.includes(i) === true) return cell.padStart(width);
        return i === row.length - 1 ? cell : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
