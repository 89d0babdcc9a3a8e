// SPDX-License-Identifier: Apache-2.0
// The five token classes, in the order in which receipts and charts have them.

/** `tokens`: member of a count; `id`: member of prices and of charges by class, and the colour. */
export const CLASSES = [
  { id: 'input', tokens: 'uncachedInputTokens', title: 'Input' },
  { id: 'cacheWrite5m', tokens: 'cacheWrite5mTokens', title: 'Cache write, 5 min' },
  { id: 'cacheWrite1h', tokens: 'cacheWrite1hTokens', title: 'Cache write, 1 h' },
  { id: 'cacheRead', tokens: 'cacheReadTokens', title: 'Cache read' },
  { id: 'output', tokens: 'outputTokens', title: 'Output' },
];

export const tokensOf = (row) => CLASSES.reduce((sum, one) => sum + row[one.tokens], 0);
export const chargesOf = (row) => CLASSES.reduce((sum, one) => sum + row.chargeByClassUsdMicros[one.id], 0);
